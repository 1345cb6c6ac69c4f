-- Updating under conflict: two people change one filter.

local cxone = require "cxone"
local definitions = require "definitions"

local filters = cxone.connect().filters
local mine = filters:deploy(definitions.gold_chat, { interval = 0.2 })

-- Somebody else changes the description while we hold `mine`.
filters:update(mine.id, { description = "Changed by a colleague" })

-- Another field: both changes are kept.
local merged, info = filters:update(mine, { name = "gold_chat_v2" })
print("merged", merged.name, merged.description, table.concat(info.merged, " "))

-- The same field: an error that names it, with both values …
local ok, err = pcall(filters.update, filters, mine, { description = "Mine" })
print("refused", ok, err.code)
for _, c in ipairs(err.conflicts) do
  print("", c.path, "base: " .. c.base, "mine: " .. c.mine, "theirs: " .. c.theirs)
end

-- … unless a policy decides: "mine", "theirs", or a function of your own.
local decided = filters:update(mine, { description = "Mine" }, {
  on_conflict = function(c) return c.theirs .. ", then by me" end,
})
print("decided", decided.description)

-- Auditing: who did what to one filter.

local cxone = require "cxone"
local definitions = require "definitions"

local tenant = cxone.connect()
local gold = tenant.filters:deploy(definitions.gold_chat, { interval = 0.2 })
tenant.filters:update(gold, { description = "Gold customers, in writing" })

for entry in tenant.audit:entries { filter_id = gold.id } do
  print(entry.time, entry.actor, entry.action)
end

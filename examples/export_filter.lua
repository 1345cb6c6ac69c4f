-- Exporting: the same definition is the same bytes, fit for version control.

local cxone = require "cxone"
local definitions = require "definitions"

local filters = cxone.connect().filters
local gold = filters:deploy(definitions.gold_chat, { interval = 0.2 })

local text = filters:export(gold)
io.write(text)

-- A change and its undoing leave no trace in the export …
local changed = filters:update(gold, { description = "for a moment" })
filters:update(changed, { description = gold.description })
print("same again:", filters:export(gold.id) == text)

-- … but they do in what the server keeps for itself.
print("with the server's own fields:")
io.write(filters:export(gold.id, { volatile = true }))

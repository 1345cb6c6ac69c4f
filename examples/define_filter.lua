-- Defining: a filter is checked where it is written, every fault at once.
-- Needs no tenant and no simulator:  weir run examples/define_filter.lua

local filter = require "weir.filter"
local definitions = require "definitions"

local gold = filter.new(definitions.gold_chat)
print(gold)

-- A filter never changes; a variant is a new one.
local silver = gold:with { name = "silver_chat", matchers = {
  { attribute = "customer.tier", operator = "equals", value = "silver" },
} }
print(silver.name, silver == gold)

-- Three mistakes, three reports, each with the line below that made it.
local ok, problems = filter.check {
  name = "first_try",
  channel = "voise",
  matchers = {
    { attribute = "customer.tier", operator = "equal", value = "gold" },
  },
  pattern_rules = {
    { type = "cidr", field = "client.address", pattern = "10.20.30.0/16" },
  },
  target_group_id = "grp_first_try",
}
assert(not ok)
for _, p in ipairs(problems) do
  print(("line %d  %s: %s%s"):format(p.line, p.path, p.message,
    p.hint and " (" .. p.hint .. ")" or ""))
end

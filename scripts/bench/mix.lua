--- N filters, IN_FLIGHT at once: each is validated, created, waited for and
-- assigned to a group; four requests.

local cxone = require "cxone"
local filter = require "weir.filter"
local task = require "weir.task"

local n, in_flight = tonumber(arg[1]), tonumber(arg[2])
local tenant = cxone.connect { limit = { rate = 1e9, burst = 1e9 } }

local list = {}
for i = 1, n do list[i] = i end

task.map(list, { limit = math.tointeger(in_flight) }, function(i)
  local definition = filter.new {
    name = "bench_" .. i,
    description = "premium customers in chat, no " .. i,
    channel = "chat",
    matchers = {
      { attribute = "customer.tier", operator = "equals", value = "gold" },
      { attribute = "queue.wait_seconds", operator = "greater_than", value = 45 },
      { attribute = "customer.region", operator = "in", value = { "emea", "apac", "latam" } },
      { attribute = "contact.score", operator = "less_than", value = 0.75 },
    },
    pattern_rules = {
      { type = "regex", field = "agent.skill_id", pattern = "^skill_premium_.*$" },
      { type = "prefix", field = "contact.source", pattern = "web_" },
    },
    target_group_id = "grp_bench",
  }
  tenant.filters:validate(definition)
  local record = tenant.filters:create(definition)
  tenant.filters:wait_active(record)
  tenant.groups:assign("grp_bench", record)
  return true
end)
print(n)

-- For a rehearsal: a simulated tenant in which rotate_tier.lua has something to
-- rotate. Only ever run against the simulator:
--
--   weir run --sim --sim-state tenant.db examples/ops/prepare.lua

local cxone = require "cxone"

if not weir.sim_url then error("this makes things up, and so is for --sim alone", 0) end

local tenant = cxone.connect()
weir.sim.config { activation = { looks = 0 } }

local record = tenant.filters:deploy {
  name = "gold_voice",
  description = "Gold customers on the phone",
  channel = "voice",
  matchers = { { attribute = "customer.tier", operator = "equals", value = "gold" } },
  target_group_id = "grp_premium_a",
}
tenant.groups:assign("grp_premium_a", record)

local events = {}
for i = 1, 80 do
  events[i] = { channel = i % 4 == 0 and "chat" or "voice" }
end
weir.sim.events(events)
print("ready: " .. record.name .. " feeds " .. record.target_group_id)

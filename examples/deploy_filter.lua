#!/usr/bin/env weir
-- Deploys one event filter and follows it through its life.
--
--   weir run --sim examples/deploy_filter.lua     against the simulator
--   weir run examples/deploy_filter.lua           against your tenant, with
--       CXONE_TENANT, CXONE_CLIENT_ID and CXONE_CLIENT_SECRET set

local cxone = require "cxone"

local tenant = cxone.connect()

local filter = {
  name = "production_platinum_voice",
  description = "Platinum customers on the phone, premium agents",
  channel = "voice",
  matchers = {
    { attribute = "customer.tier", operator = "equals", value = "platinum" },
    { attribute = "interaction.duration_seconds", operator = "greater_than", value = 300 },
  },
  pattern_rules = {
    { type = "regex", field = "agent.skill_id", pattern = "^skill_premium_.*$" },
  },
  target_group_id = "grp_downstream_processor_01",
}

-- Checked here, validated there, created, and waited for until it is ACTIVE.
local deployed = tenant.filters:deploy(filter)
print("deployed  " .. deployed.id .. " is " .. deployed.status)

tenant.groups:assign(filter.target_group_id, deployed)
for id in tenant.groups:members(filter.target_group_id) do
  print("member    " .. id)
end

-- What others changed since we looked is kept, and we are told.
local updated, info = tenant.filters:update(deployed, function(f)
  f.matchers[2].value = 240
end)
print("updated   duration above " .. updated.matchers[2].value .. " s")
for _, path in ipairs(info.merged) do
  print("merged    " .. path .. ", which somebody else had changed")
end

-- Opened only when there is something to write: a failure leaves no file.
local state = tenant.filters:export(deployed)
local file <close> = assert(io.open("filter_state_export.yaml", "w"))
assert(file:write(state))
print("exported  filter_state_export.yaml")

local rates = tenant.filters:metrics(deployed)
print(("hit rate  %d hits, %.1f %% of events, %.2f a second")
  :format(rates.hit_count, 100 * rates.match_ratio, rates.throughput_rate))

for entry in tenant.audit:entries { filter_id = deployed.id } do
  print(("audit     %s  %-8s by %s"):format(entry.time, entry.action, entry.actor))
end

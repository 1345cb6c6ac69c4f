-- In bulk: many filters at once, a few at a time, results in order.
-- weir run --sim examples/bulk_deploy.lua emea apac latam

local cxone = require "cxone"
local err = require "weir.err"
local task = require "weir.task"
local definitions = require "definitions"

local args = weir.args {
  about = "Deploys a filter to each region.",
  { name = "region", many = true, help = "where to deploy",
    default = { "emea", "apac", "latam", "north", "south" } },
  { name = "--at-once", type = "integer", min = 1, default = 4, help = "deployments at a time" },
}
local regions = args.region

local filters = cxone.connect().filters

-- A filter that may or may not be there (its answer was lost, or the wait for it
-- ended early) is gone on with once, never blindly created again.
local function deploy(definition)
  local ok, result = pcall(filters.deploy, filters, definition, { interval = 0.2 })
  if ok then return result end
  if not (err.is(result) and (result.maybe_done or result.id)) then error(result, 0) end
  return filters:deploy(definition, { interval = 0.2, resume = result })
end

-- keep_going: one that fails does not stop the others.
local deployed, failures = task.map(definitions.regions(regions),
  { limit = args.at_once, keep_going = true }, deploy)

for i, region in ipairs(regions) do
  local record = deployed[i]
  print(region, record and record.id .. " is " .. record.status
    or "failed: " .. tostring(failures[i]))
end

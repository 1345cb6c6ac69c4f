-- In bulk: many filters at once, a few at a time, results in order.
-- weir run --sim examples/bulk_deploy.lua emea apac latam

local cxone = require "cxone"
local task = require "weir.task"
local definitions = require "definitions"

local regions = { ... }
if #regions == 0 then regions = { "emea", "apac", "latam", "north", "south" } end

local filters = cxone.connect().filters

-- keep_going: one that fails does not stop the others.
local deployed, failures = task.map(definitions.regions(regions),
  { limit = 4, keep_going = true },
  function(definition)
    return filters:deploy(definition, { interval = 0.2 })
  end)

for i, region in ipairs(regions) do
  local record = deployed[i]
  print(region, record and record.id .. " is " .. record.status
    or "failed: " .. tostring(failures[i]))
end

--- N filters, IN_FLIGHT at once: each is read, one field of it is changed,
-- and it is put back if nobody else has changed it; two requests.

local cxone = require "cxone"
local task = require "weir.task"

local n, in_flight = tonumber(arg[1]), tonumber(arg[2])
local tenant = cxone.connect { limit = { rate = 1e9, burst = 1e9 } }

local list = {}
for i = 1, n do list[i] = i end

task.map(list, { limit = math.tointeger(in_flight) }, function(i)
  local record = tenant.filters:update("flt_" .. i, {
    description = "changed by update " .. i,
  })
  assert(record.description == "changed by update " .. i)
  return true
end)
print(n)

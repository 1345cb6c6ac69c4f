--- Turning the simulator's knobs from a script that runs with --sim: tests
-- and demonstrations say here what shall go wrong.

local err = require "weir.err"
local http = require "weir.http"
local weir = require "weir"
local misuse = require "weir.core".misuse

local sim = {
  ---Origin of the simulator, nil when there is none.
  url = weir.sim_url,
}

local function call(method, path, body)
  if not sim.url then
    misuse("weir.sim: there is no simulator; run the script with --sim")
  end
  local response, e = http.request {
    method = method,
    url = sim.url .. "/_sim" .. path,
    json = body,
  }
  if not response then
    error(e, 0)
  end
  local answer
  if response.body ~= "" then
    answer = assert(response:json())
  end
  if response.status >= 400 then
    error(err.new {
      code = "invalid",
      message = "weir.sim: " .. answer.message,
      status = response.status,
      method = method,
      url = response.url,
    }, 0)
  end
  return answer
end

---Adds a fault, or a list of them. Returns what the simulator made of it.
---@param fault table|string
---@return table[]
function sim.fault(fault)
  return call("POST", "/faults", fault).faults
end

---The faults that there are, with how often each has fired.
---@return table[]
function sim.faults()
  return call("GET", "/faults").faults
end

---Takes all faults away.
function sim.clear_faults()
  call("DELETE", "/faults")
end

---Posts events, for the metrics to count.
---@param events table one event or a list of them
---@param seconds_ago number? when they happened; default: now
---@return {accepted: integer, bad: integer}
function sim.events(events, seconds_ago)
  local query = ""
  if seconds_ago then
    query = string.format("?at=-PT%dS", math.floor(seconds_ago))
  end
  return call("POST", "/events" .. query, events)
end

---The requests that the simulator has seen, oldest first, without secrets.
---@return table[]
function sim.log()
  return call("GET", "/log").requests
end

---Changes settings, and returns all of them as they then are.
---@param settings table? nil: only returns them
---@return table
function sim.config(settings)
  if settings == nil then
    return call("GET", "/config")
  end
  return call("POST", "/config", settings)
end

---Moves the simulator's clock, or only reads it.
---@param change {mode: string?, set: string|number|nil, advance: string|number|nil}?
---@return {mode: string, now: string, seconds: number}
function sim.clock(change)
  if change == nil then
    return call("GET", "/clock")
  end
  return call("POST", "/clock", change)
end

---What the simulator counts: requests, tokens, creates, updates, deletes,
-- conflicts, faults, events …
---@return table<string, integer>
function sim.state()
  return call("GET", "").counters
end

---Everything as it was when the simulator started; tokens are forgotten too.
function sim.reset()
  call("POST", "/reset")
end

return sim

--- `/_sim`: what this is, and the handles to turn it. No token is asked for:
-- whoever reaches 127.0.0.1 may.

local answer = require "sim.answer"
local clock = require "sim.clock"
local json = require "weir.json"
local metrics = require "sim.metrics"
local router = require "sim.router"
local time = require "sim.time"
local words = require "sim.words"

local control = {}

local routes = {}

local function route(method, path, call)
  routes[path] = routes[path] or {}
  routes[path][method] = call
end

local function read_json(context)
  local value, err = json.decode(context.request.body)
  if value == nil then
    return nil, answer.problem(400, "the body is not JSON: " .. err.message)
  end
  return value
end

-- A list, whether the client sent one thing or many.
local function as_list(value)
  return answer.is_array(value) and value or { value }
end

route("GET", "", function(sim)
  local calls = {}
  for _, name in ipairs(words.sorted(router.calls)) do
    calls[#calls + 1] = name
  end
  local counters = {}
  for name, n in pairs(sim.counters) do
    counters[name] = n
  end
  return answer.json(200, {
    what = "the simulator of weir: not a tenant",
    state = sim.state.file and "in a file" or "in memory",
    standing = "the simulator is the reference for this dialect; confirm the endpoints "
      .. "with your tenant before production use",
    metrics = metrics.declaration,
    seed = sim.seed,
    token_path = router.token_path,
    calls = json.array(calls),
    counters = counters,
    filters = sim.filters.store:size(),
    faults = #sim.faults.list,
    config = sim.config,
  })
end)

local function show_clock(sim)
  local now = sim.clock:now()
  return answer.json(200, { mode = sim.clock.mode, now = time.iso(now), seconds = now })
end

route("GET", "clock", show_clock)

local clock_keys = { mode = true, set = true, advance = true }

-- What is asked of the clock, checked: a switch first, then a place, then a
-- move.
local function read_clock(given)
  for _, name in ipairs(words.sorted(given)) do
    if not clock_keys[name] then
      return nil, words.unknown("key of the clock", name, clock_keys)
    end
  end
  local set = given.set and clock.instant(given.set)
  local advance = given.advance and clock.length(given.advance)
  if next(given) == nil then
    return nil, "clock: expected mode, set or advance"
  elseif given.mode and given.mode ~= "real" and given.mode ~= "manual" then
    return nil, "mode: expected real or manual"
  elseif given.set and not set then
    return nil, "set: expected seconds since 1970, or an instant such as 2025-01-01T00:00:00Z"
  elseif given.advance and not advance then
    return nil, "advance: expected seconds, 0 or more, or a duration such as PT90S"
  end
  return { mode = given.mode, set = set, advance = advance }
end

route("POST", "clock", function(sim, context)
  local given, problem = read_json(context)
  if given == nil then
    return problem
  elseif type(given) ~= "table" or answer.is_array(given) then
    return answer.problem(400, "clock: expected an object")
  end
  local wanted, message = read_clock(given)
  if not wanted then
    return answer.problem(400, message)
  end
  if (wanted.set or sim.clock:now()) + (wanted.advance or 0) > clock.latest then
    return answer.problem(400, "clock: the year 9999 is the last")
  elseif wanted.mode then
    sim.clock:switch(wanted.mode)
  end
  if wanted.set then
    sim.clock:set(wanted.set)
  end
  if wanted.advance then
    sim.clock:set(sim.clock:now() + wanted.advance)
  end
  sim.filters:settle(sim.clock:now())
  sim.state:touch()
  return show_clock(sim)
end)

route("GET", "config", function(sim)
  return answer.json(200, sim.config)
end)

route("POST", "config", function(sim, context)
  local given, problem = read_json(context)
  if given == nil then
    return problem
  end
  local ok, message = sim:configure(given)
  return ok and answer.json(200, sim.config) or answer.problem(400, message)
end)

route("GET", "faults", function(sim)
  return answer.json(200, { faults = json.array({ table.unpack(sim.faults.list) }) })
end)

route("POST", "faults", function(sim, context)
  local given, problem = read_json(context)
  if given == nil then
    return problem
  end
  local added = {}
  for i, spec in ipairs(as_list(given)) do
    local fault, message = sim.faults:add(spec)
    if not fault then
      -- All of them or none.
      for _ = 1, #added do
        table.remove(sim.faults.list)
      end
      return answer.problem(400, message, { { path = ("/%d"):format(i - 1), message = message } })
    end
    added[#added + 1] = fault
  end
  return answer.json(201, { faults = json.array(added) })
end)

route("DELETE", "faults", function(sim)
  sim.faults:clear()
  return answer.json(204, nil)
end)

route("GET", "log", function(sim)
  return answer.json(200, {
    requests = json.array(sim.log:entries()),
    forgotten = sim.log:forgotten(),
  })
end)

route("DELETE", "log", function(sim)
  sim.log:clear()
  return answer.json(204, nil)
end)

local function take_lines(sim, body, at)
  local good, bad = 0, 0
  for line in body:gmatch("[^\n]+") do
    if line:find("[^%s]") then
      if sim.metrics:take(json.decode(line), at) then
        good = good + 1
      else
        bad = bad + 1
      end
    end
  end
  return good, bad
end

-- One event, a list of them, or with Content-Type application/x-ndjson one a
-- line; `?at=-PT600S` or an instant says when they happened.
route("POST", "events", function(sim, context)
  local at = context.now
  if context.target.query.at then
    at = metrics.read_time(context.target.query.at, context.now)
    if not at then
      return answer.problem(400, "at: expected an offset such as -PT600S, or ISO 8601 in UTC")
    end
  end
  local good, bad = 0, 0
  if (context.request.headers["content-type"] or ""):find("ndjson", 1, true) then
    good, bad = take_lines(sim, context.request.body, at)
  else
    local events, problem = read_json(context)
    if events == nil then
      return problem
    end
    for _, event in ipairs(as_list(events)) do
      if sim.metrics:take(event, at) then
        good = good + 1
      else
        bad = bad + 1
      end
    end
  end
  return answer.json(202, { accepted = good, bad = bad })
end)

route("POST", "reset", function(sim)
  sim:reset()
  return answer.json(204, nil)
end)

---Answers a request below `/_sim`.
---@param sim table
---@param context table
---@return sim.Answer
function control.answer(sim, context)
  local segments = context.target.segments
  local name = segments[2] or ""
  local methods = #segments <= 2 and routes[name]
  if not methods then
    return answer.problem(404, "nothing here; /_sim has clock, config, events, faults, log, reset")
  end
  local method = context.request.method
  local call = methods[method == "HEAD" and "GET" or method]
  if not call then
    local a = answer.problem(405, ("%s is not done here"):format(method))
    a.headers.Allow = table.concat(words.sorted(methods), ", ")
    return a
  end
  return call(sim, context)
end

return control

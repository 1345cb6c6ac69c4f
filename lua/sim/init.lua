--- The simulator: one request in, one answer out. Everything it knows of the
-- API it reads from the dialect.

local answer = require "sim.answer"
local audit = require "sim.audit"
local clock = require "sim.clock"
local config = require "sim.config"
local control = require "sim.control"
local faults = require "sim.faults"
local filters = require "sim.filters"
local groups = require "sim.groups"
local log = require "sim.log"
local metrics = require "sim.metrics"
local paging = require "sim.paging"
local random = require "sim.random"
local router = require "sim.router"
local state = require "sim.state"
local target = require "sim.target"
local time = require "sim.time"
local tokens = require "sim.tokens"
local words = require "sim.words"

local sim = {}
sim.__index = sim

-- Which part does which call.
local calls = {
  token = { "tokens", "grant" },
  validate = { "filters", "validate" },
  create = { "filters", "create" },
  list = { "filters", "list" },
  get = { "filters", "get" },
  update = { "filters", "update" },
  delete = { "filters", "delete" },
  status = { "filters", "status" },
  assign = { "groups", "assign" },
  members = { "groups", "members" },
  metrics = { "metrics", "read" },
  audit = { "audit", "entries" },
}

---@param name string
function sim:count(name)
  self.counters[name] = (self.counters[name] or 0) + 1
end

---@param call string
function sim:count_request(call)
  self:count("requests")
  self:count("requests_" .. call)
end

---@param given table
---@return boolean? ok
---@return string? message
function sim:configure(given)
  return config.apply(self.config, given)
end

local no_counts = {
  requests = 0, tokens = 0, creates = 0, updates = 0, deletes = 0, assignments = 0,
  members_added = 0, members_removed = 0, activations = 0, activations_failed = 0,
  conflicts = 0, weak_etags = 0, faults = 0, events = 0, bad_events = 0,
}

-- Data of which there are none yet.
local function start_data(self)
  self.counters = {}
  for name, n in pairs(no_counts) do
    self.counters[name] = n
  end
  self.chances = random.stream(self.seed, "chances")
  self.request_ids = random.stream(self.seed, "requests")
  self.watch_ids = random.stream(self.seed, "watchers")
  self.paging = paging.new(self)
  self.tokens = tokens.new(self)
  self.filters = filters.new(self)
  self.groups = groups.new(self)
  self.metrics = metrics.new(self)
  self.audit = audit.new(self)
end

-- What belongs to a run and not to the data: settings, faults, the log.
local function start_run(self)
  self.config = config.defaults()
  self.log = log.new()
  self.faults = faults.new(self)
  local ok, message = self:configure(self.start.settings)
  for _, fault in ipairs(self.start.faults) do
    if ok then
      ok, message = self.faults:add(fault)
    end
  end
  return ok and true, message
end

---Everything as it was at the start: data, clock, counters, settings, faults.
---@return boolean? ok
---@return string? message
function sim:reset()
  self.state:clear()
  self.clock = assert(clock.new(self.host.now, self.start.clock))
  start_data(self)
  local ok, message = start_run(self)
  for _, event in ipairs(self.start.events) do
    self.metrics:take(event, self.clock:now())
  end
  return ok, message
end

-- ---- the file ----

-- What is kept besides the data themselves.
local function book(self)
  return {
    seed = self.seed,
    clock = self.clock:save(),
    counters = self.counters,
    chances = self.chances.state(),
    requests = self.request_ids.state(),
    filters = { last = self.filters.store.last, ids = self.filters.store.ids.state(),
      etags = self.filters.store.etags.state() },
    tokens = self.tokens.issued,
  }
end

-- Takes everything from the file's items.
local function restore(self, items)
  local kept = items.book[1]
  self.clock:restore(kept.clock, self.start.clock ~= nil)
  start_data(self)
  for name, n in pairs(kept.counters) do
    self.counters[name] = n
  end
  self.chances.state(kept.chances)
  self.request_ids.state(kept.requests)
  self.filters:restore(items.filter or {}, kept.filters.last)
  self.filters.store.ids.state(kept.filters.ids)
  self.filters.store.etags.state(kept.filters.etags)
  self.tokens:restore(items.token or {}, kept.tokens)
  self.groups:restore(items.group or {}, items.member or {})
  self.metrics:restore(items.second or {})
  self.audit:restore(items.audit or {})
  self.state:undo()
end

local function restore_again(self)
  local items, message = self.state:items()
  local ok = items and xpcall(restore, function(e) message = tostring(e) end, self, items)
  if not ok then
    self.broken = true
    self.host.log("error", "simulator: " .. message)
  end
end

-- Writes what the request changed. What could not be written has not
-- happened: everything is read again.
local function keep(self, a)
  if not self.state.changed then
    return a
  end
  local ok, message = self.state:commit(book(self))
  if ok then
    return a
  end
  self.host.log("error", "simulator: " .. message)
  restore_again(self)
  return answer.problem(500, "nothing was done: the state file could not be written")
end

-- ---- one request ----

local function route(self, context)
  local segments = context.target.segments
  if segments[1] == "_sim" then
    return control.answer(self, context)
  end
  local call, found = router.find(context.request.method, segments)
  if call then
    context.call, context.params = call, found
    return nil
  elseif #found > 0 then
    local a = answer.problem(405, ("%s is not done here"):format(context.request.method))
    a.headers.Allow = table.concat(found, ", ")
    return a
  end
  return answer.problem(404, "no such path")
end

local function do_call(self, context)
  local refused = context.call.scope and self.tokens:check(context)
  if refused then
    return refused
  end
  local a, fired = self.faults:before(context)
  if not a then
    local part, method = table.unpack(calls[context.call.name])
    a = self[part][method](self[part], context)
  end
  faults.spoil(fired, context, a)
  return a
end

-- Whoever only watches, at `/_sim`, must not change the names of what others
-- ask for.
local function name(self, context)
  local watches = context.target and context.target.segments[1] == "_sim"
  context.request_id = context.request_id
    or "req_" .. (watches and self.watch_ids or self.request_ids).hex(16)
end

local function do_request(self, context)
  local request = context.request
  if self.broken then
    return answer.problem(500, "the state file can no longer be read")
  end
  self.filters:settle(context.now)
  if request.too_large then
    return answer.problem(413, "the body is too large")
  end
  local message
  context.target, message = target.parse(request.target)
  if not context.target then
    return answer.problem(400, message)
  end
  name(self, context)
  local a = route(self, context)
  if not a then
    self:count_request(context.call.name)
    a = do_call(self, context)
  end
  return a
end

local function new_context(self, request)
  return { sim = self, request = request, now = self.clock:now(), faults = {} }
end

-- What every answer has; the log; and the answer as the server sends it.
local function finish(self, context, a)
  name(self, context)
  a.headers["X-Request-Id"] = context.request_id
  a.headers["Cache-Control"] = "no-store"
  a.headers.Date = a.headers.Date or time.http_date(context.now)
  if context.target and context.target.segments[1] ~= "_sim" or not context.target then
    local entry = self.log:add(context, a)
    self.host.log("info", ("sim %s %s %d%s%s"):format(entry.method,
      entry.path or "?", entry.status, entry.call and " " .. entry.call or "",
      entry.faults and " fault " .. table.concat(entry.faults, ",") or ""))
  end
  return answer.finish(a, context.request, self.config)
end

local go_on = { status = 200, headers = {} }

-- Before a large body is read: only a fault can refuse it here, and whatever
-- else is wrong is said when it was read.
local function look_at_head(self, context)
  context.target = target.parse(context.request.target)
  if not context.target or route(self, context) then
    return nil
  elseif context.call.scope and self.tokens:check(context) then
    return nil
  end
  local a = self.faults:before(context)
  if a then
    self:count_request(context.call.name)
  end
  return a
end

local function handle(self, request)
  local context = new_context(self, request)
  if request.head_only then
    local ok, a = xpcall(look_at_head, debug.traceback, self, context)
    return ok and a and finish(self, context, a) or go_on
  end
  local ok, a = xpcall(do_request, debug.traceback, self, context)
  if not ok then
    self.host.log("error", "simulator: " .. tostring(a))
    a = answer.problem(500, "internal error")
  end
  return finish(self, context, keep(self, a))
end

-- ---- the start ----

local function copy_of(library, ...)
  local copy = {}
  for _, key in ipairs { ... } do
    copy[key] = library[key]
  end
  return copy
end

-- What a scenario can reach. It is found beside a script that may be confined,
-- or not trusted yet, and so can work out data and do nothing else: no files,
-- no programs, no modules, and libraries of its own.
local function scenario_globals()
  local globals = {
    _VERSION = _VERSION, assert = assert, error = error, ipairs = ipairs, next = next,
    pairs = pairs, pcall = pcall, select = select, tonumber = tonumber, tostring = tostring,
    type = type,
    math = {}, string = {}, table = {}, utf8 = {},
    os = copy_of(os, "clock", "date", "difftime", "time"),
  }
  for _, library in ipairs { "math", "string", "table", "utf8" } do
    for key, value in pairs(_G[library]) do
      globals[library][key] = value
    end
  end
  globals._G = globals
  return globals
end

-- A scenario is a Lua file; it returns a table with any of: seed, clock,
-- faults, events, and the settings.
local function read_scenario(path)
  if not path then
    return {}
  end
  local chunk, message = loadfile(path, "t", scenario_globals())
  if not chunk then
    return nil, "scenario: " .. message
  end
  local ok, scenario = pcall(chunk)
  if not ok then
    return nil, "scenario: " .. tostring(scenario)
  elseif type(scenario) ~= "table" then
    return nil, ("scenario %s: expected it to return a table, found %s"):format(path,
      type(scenario))
  end
  return scenario
end

-- Scenario first, options over it.
local function read_start(options)
  local start = { settings = {}, faults = {}, events = {} }
  local known = config.names()
  known.seed, known.clock, known.faults, known.events = true, true, true, true
  local scenario, message = read_scenario(options.scenario)
  if not scenario then
    return nil, message
  end
  for key, value in pairs(scenario) do
    if not known[key] then
      return nil, words.unknown("key of the scenario", key, known)
    elseif key == "faults" or key == "events" then
      if type(value) ~= "table" then
        return nil, ("scenario: %s: expected a list"):format(key)
      end
      table.move(value, 1, #value, 1, start[key])
    elseif key ~= "seed" and key ~= "clock" then
      start.settings[key] = value
    end
  end
  start.settings.activation = options.activation or start.settings.activation
  start.settings.token_life = options.token_life or start.settings.token_life
  for _, fault in ipairs(options.faults) do
    start.faults[#start.faults + 1] = fault
  end
  start.clock = options.clock or scenario.clock
  start.seed = options.seed ~= 0 and options.seed or scenario.seed
  if start.seed and math.type(start.seed) ~= "integer" then
    return nil, "seed: expected an integer"
  end
  return start
end

-- A file goes on with its own seed, so another one would be ignored: it is
-- refused.
local function open_file(self, items)
  local kept = items.book and items.book[1]
  if not kept then
    return nil, "state file: it holds no simulator's data"
  elseif self.start.seed and self.start.seed ~= kept.seed then
    return nil, ("state file: it was made with seed %d; seed %d cannot go on from there")
      :format(kept.seed, self.start.seed), "invalid"
  end
  self.seed = kept.seed
  local ok, message = xpcall(restore, debug.traceback, self, items)
  if not ok then
    return nil, "state file: it is damaged: " .. message
  end
  return start_run(self)
end

local function begin(self)
  local items, unreadable = {}, nil
  if self.state.file then
    items, unreadable = self.state:items()
  end
  if not items then
    return nil, unreadable, "io"
  elseif next(items) then
    local ok, why, word = open_file(self, items)
    return ok, why, word or "io"
  end
  self.seed = self.start.seed or 1
  local ok, message = self:reset()
  if ok and self.state.file then
    ok, message = self.state:commit(book(self))
    return ok, message, "io"
  end
  return ok, message
end

local main = {}

---@class sim.Options
---@field seed integer 0: the scenario's, the file's, or 1
---@field scenario string?
---@field activation string?
---@field clock string?
---@field token_life number?
---@field faults string[]
---@field host table what the C side offers: now, log, and perhaps state

---@param options sim.Options
---@return {handle: fun(request: table): table; finish: fun(); token_path: string}?
---@return string? message
---@return string? word the err's code, if it is not "invalid"
function main.new(options)
  local start, message = read_start(options)
  if not start then
    return nil, message
  end
  local self = setmetatable({
    host = options.host,
    start = start,
    state = state.new(options.host.state),
  }, sim)
  self.clock, message = clock.new(self.host.now, start.clock)
  if not self.clock then
    return nil, message
  end
  local ok, why, word = begin(self)
  if not ok then
    return nil, why, word
  end
  return {
    token_path = router.token_path,
    handle = function(request)
      return handle(self, request)
    end,
    finish = function()
      if self.state.file and not self.broken then
        ok, message = self.state:commit(book(self))
        assert(ok, message)
      end
    end,
  }
end

return main

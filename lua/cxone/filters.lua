--- tenant.filters: the road that a filter travels.

local json = require "weir.json"
local lazy = require "weir.lazy"
local adopt = lazy "cxone.adopt"
local dry = lazy "cxone.dry"
local err = require "weir.err"
local etag = require "weir.etag"
local filter = require "weir.filter"
local notice = require "cxone.notice"
local options = require "weir.options"
local page = require "weir.page"
local path = require "cxone.path"
local poll = require "weir.poll"
local source = lazy "weir.source"
local yaml = lazy "weir.yaml"
local misuse = require "weir.core".misuse
local note_trace = require "weir.core.task".note_trace

local Filters = {}
Filters.__index = Filters
Filters.__name = "cxone.filters"

local filters = {}

function filters.new(tenant)
  return setmetatable({ tenant = tenant }, Filters)
end

-- Small helpers --------------------------------------------------------------

local function must(value, e, ...)
  if value == nil then error(e, 0) end
  return value, e, ...
end

--- The id in what a script hands over: an id, or a record that has one.
local function id_of(what)
  local id = type(what) == "table" and what.id or what
  if type(id) ~= "string" or id == "" then
    misuse("expected a filter's id or its record, got "
      .. (type(what) == "table" and "a table without an id"
        or what == "" and "an empty string" or type(what)))
  end
  return id
end

local function call_path(self, name, id)
  return path.fill(self.tenant.dialect.paths[name], { id = id })
end

--- The record in an answer. Some servers tell the ETag in the header only.
local function record_of(response)
  local record, e = response:json()
  must(record, e)
  if type(record) ~= "table" then
    error(err.new {
      code = "protocol",
      message = "expected a filter, got " .. type(record),
      url = response.url,
    }, 0)
  end
  record.etag = record.etag or response.headers.etag
  return notice.tell("filter", record)
end

--- Shows a server's complaints at the lines that built what it complains of.
local function with_lines(e, definition)
  if e.code == "validation" and type(e.detail) == "table" then
    e.errors = e.detail
    for _, problem in ipairs(e.errors) do
      if type(problem) == "table" and type(problem.path) == "string" then
        problem.source, problem.line =
          source.locate(definition, problem.path)
      end
    end
  end
  return e
end

--- The filter as it would be, had a dry run sent what it kept back; nil where
-- the server knows.
local function would_be(self, id)
  local overlay = rawget(self.tenant, "overlay")
  return overlay and overlay:get(id)
end

--- Whether a dry run kept that call back.
local function kept(e)
  return e.code == "denied" and dry.kept(e)
end

-- Before it is on the server ---------------------------------------------------

--- Checks a definition without any network. Returns true, or raises an err
-- ("validation") whose `errors` list every problem.
function Filters:check(definition)
  filter.new(definition, self.tenant.schema)
  return true
end

--- Asks the server about a filter that was found faultless here.
local function ask(self, f, definition)
  local valid, e = self.tenant.client:post(self.tenant.dialect.paths.validate,
    { body = f:json(), safe = true, discard = true })
  if not valid then error(with_lines(e, definition), 0) end
end

--- Checks locally, then asks the server. Returns true, or raises.
function Filters:validate(definition)
  ask(self, filter.new(definition, self.tenant.schema), definition)
  return true
end

--- The record, nil, and whether it may have been created twice; or nil and the
-- err. A success whose answer cannot be read has
-- created a filter that we do not know: that is as good as lost.
local function try_create(self, f, definition)
  local response, e = self.tenant.client:post(
    self.tenant.dialect.paths.filters, { body = f:json() })
  if not response and kept(e) then return dry.of(self.tenant):create(f:table()) end
  if not response then return nil, with_lines(e, definition) end
  local ok, record = pcall(record_of, response)
  if ok and type(record.id) == "string" then return record, nil, response.maybe_twice end
  return nil, err.new {
    code = "ambiguous",
    message = string.format("filter '%s' was created, but the answer cannot be read: %s",
      f.name, ok and "it has no id" or err.is(record) and record.message or tostring(record)),
    hint = "look for it by its name; it was not sent again",
    method = "POST", url = response.url, status = response.status,
    attempts = 1, because = "protocol", sent = true, maybe_done = true,
  }
end

--- Creates the filter and returns its record. Not sent twice but after a 429 or
-- a 503, by which a server says that it was not done: when the answer is lost
-- the error's code is "ambiguous", and `because` says in a word what happened
-- ("transport", "timeout", "server", …). `maybe_done` is set whenever it may
-- have been created, also after a 500.
function Filters:create(definition)
  local record, e = try_create(self,
    filter.new(definition, self.tenant.schema), definition)
  return (must(record, e))
end

-- On the server ------------------------------------------------------------------

--- The filter's record: its definition with `id`, `etag`, `status`, ….
function Filters:get(what)
  local id = id_of(what)
  return would_be(self, id)
    or record_of(must(self.tenant.client:get(call_path(self, "filter", id))))
end

--- Changes the filter. `what` is the record last seen (the merge's base) or an
-- id (then the current state is read first); `change` a table of fields, or a
-- function that changes a copy of the record. What others changed meanwhile
-- is merged in; a field that both changed raises "conflict" unless
-- `opts.on_conflict` decides. Returns the new record and
-- `{attempts =, merged = {paths that others had changed}}`.
function Filters:update(what, change, opts)
  opts = options.check("filters:update", opts,
    { on_conflict = "any", attempts = "number" })
  local id = id_of(what)
  local base = type(what) == "table" and what or would_be(self, id)
  local record, info = etag.update(self.tenant.client, call_path(self, "filter", id), change, {
    base = base,
    etag = base and base.etag,
    on_conflict = opts.on_conflict,
    attempts = opts.attempts,
    rules = self.tenant.dialect.filter,
  })
  if not record and kept(info) then
    local state = dry.of(self.tenant):update(id, info.state)
    return state, { attempts = 0, merged = {}, decided = {}, etag = state.etag }
  end
  return must(record, info)
end

--- Deletes the filter, if it still is what the caller last saw: given an id,
-- the state is read first. Where a first answer was lost and the second says
-- that there is no such filter, the first has done it.
function Filters:delete(what)
  local record = type(what) == "table" and what.etag and what or self:get(what)
  local response, e = self.tenant.client:delete(
    call_path(self, "filter", id_of(record)), { if_match = record.etag })
  if not response and kept(e) then return dry.of(self.tenant):delete(record.id) end
  if not response and not (e.code == "not_found" and e.maybe_done) then
    error(e, 0)
  end
end

--- The activation's status word, and the server's reason where it gives one.
function Filters:status(what)
  local d = self.tenant.dialect.status
  local record = would_be(self, id_of(what))
  if record then return record[d.field] end
  local answer = must(must(self.tenant.client:get(
    call_path(self, "status", id_of(what)))):json())
  return answer[d.field], answer[d.reason]
end

local wait_options = {
  interval = "number", timeout = "number", on_look = "function",
}

--- Waits until the filter is active. Raises "failed" with the server's reason
-- as soon as it says so, "timeout" with the last status seen.
function Filters:wait_active(what, opts)
  opts = options.check("filters:wait_active", opts, wait_options)
  local d, id = self.tenant.dialect.status, id_of(what)
  local record = would_be(self, id)
  if record then return record[d.field] end
  local answer, e = poll.wait {
    client = self.tenant.client,
    look = call_path(self, "status", id),
    what = "filter " .. id,
    field = d.field,
    reason = d.reason,
    done = d.done,
    failed = d.failed,
    interval = opts.interval or d.interval,
    timeout = opts.timeout or d.timeout,
    on_look = opts.on_look,
  }
  if answer == nil then
    e.id = id
    error(e, 0)
  end
  return answer
end

-- The whole road ---------------------------------------------------------------

--- What `opts.resume` knows: `id`; `ours`, if that is by the create's own
-- answer; `lost`, the err of a create that may still arrive.
local function past_of(f, resume)
  if resume == nil or resume == false then return {} end
  if resume == true then return { lost = {} } end
  if not err.is(resume) then
    misuse("filters:deploy: resume must be the err of an earlier deploy, or true; got "
      .. type(resume))
  end
  if resume.name and resume.name ~= f.name then
    misuse(string.format("filters:deploy: resume is an err of filter %q, not of %q",
      resume.name, f.name))
  end
  return {
    id = not resume.deleted and resume.id or nil,
    ours = resume.created,
    lost = resume.maybe_done and (resume.lost or resume) or nil,
  }
end

--- What an err tells the next deployment, as past_of reads it.
local function tell(e, f, way)
  e.name = f.name
  e.id = e.id or way.id
  e.created = way.ours
  if way.lost then
    e.maybe_done = true
    e.lost = way.lost ~= e and way.lost or nil
  end
end

--- Sees to it that the filter is on the server, and notes in `way` how far it
-- has come: `id` as soon as it is known, `lost` while a create of this
-- deployment or of an earlier one may still arrive, `ours` where the create's
-- own answer told the id.
local function create_once(self, f, definition, way)
  local tenant, lost = self.tenant, way.lost
  if way.id and lost and not adopt.is_there(tenant, way.id) then
    way.id, way.ours = nil, nil -- it was taken back, and that answer lost
  end
  if not way.id and lost then
    local record = adopt.find_before(tenant, f, lost)
    way.id = record and record.id
  end
  if way.id then return end
  ask(self, f, definition)
  local record, e, maybe_twice = try_create(self, f, definition)
  if record then
    way.id, way.ours = record.id, true
    -- Whether the one that was answered 503 is there, too, is seen at the end.
    way.lost = lost or maybe_twice and {} or nil
    return
  end
  -- A 503 says no, but so does a proxy that lost the server: no reason to look
  -- now, but one to look before it is created again.
  if e.maybe_done or e.status == 503 then way.lost = e end
  if not e.maybe_done then error(e, 0) end
  way.id = adopt.find(tenant, f, e).id
  way.lost = lost
end

--- Removes what has not become active; says so in the err.
local function clean_up(self, e)
  local ok, why = pcall(self.delete, self, e.id)
  e.deleted = ok
  if not ok then
    e.hint = string.format("it is still there, since deleting it failed: %s",
      err.is(why) and why.message or tostring(why))
  end
end

local function walk(self, f, definition, opts, way)
  create_once(self, f, definition, way)
  local record
  repeat
    local waited_for = way.id
    way.waiting = true
    self:wait_active(way.id, {
      interval = opts.interval, timeout = opts.timeout, on_look = opts.on_look,
    })
    way.waiting = false
    record = self:get(way.id)
    if way.lost then
      record = adopt.settle(self.tenant, f, way.lost, record, way.ours)
      way.ours = way.ours and record.id == way.id
      way.id = record.id
    end
  until way.id == waited_for
  way.lost = nil
  return record
end

local deploy_options = {
  interval = "number", timeout = "number", on_look = "function",
  on_failure = "string", resume = "any",
}

--- The whole road in one call: checks, validates, creates, waits until it is
-- active. Returns the record as it then is. If the activation fails the err
-- carries the filter's `id`, and `on_failure = "delete"` removes it again.
--
-- The filter is created at most once. If the answer to the create is lost, it
-- is looked for by its name and adopted (see cxone/adopt.lua); where that
-- cannot be decided, the err is "ambiguous" with `name` and `ids`.
--
-- `resume = e` goes on with the deployment that ended in the err `e`, wherever
-- it stood: it waits for the filter whose id is known, looks for the one that
-- may have been created and creates it if there is none, or starts anew.
-- `resume = true` does so without an err: an earlier run may have created it.
function Filters:deploy(definition, opts)
  opts = options.check("filters:deploy", opts, deploy_options)
  if opts.on_failure and opts.on_failure ~= "delete" then
    misuse(string.format("filters:deploy: on_failure must be \"delete\", got %q", opts.on_failure))
  end
  local f = filter.new(definition, self.tenant.schema)
  local way = past_of(f, opts.resume)
  local ok, result = xpcall(walk, note_trace, self, f, definition, opts, way)
  if ok then return result end
  if not err.is(result) or result.code == "cancelled" then error(result, 0) end
  tell(result, f, way)
  if opts.on_failure == "delete" and way.waiting
    and (result.code == "failed" or result.code == "timeout") then
    clean_up(self, result)
  end
  error(result, 0)
end

-- Looking at it -------------------------------------------------------------------

--- The filter's state as YAML, the same bytes for the same definition: keys
-- sorted, numbers as the server wrote them, without what the server changes
-- by itself unless `volatile = true`.
function Filters:export(what, opts)
  opts = options.check("filters:export", opts, { volatile = "boolean" })
  local d, id = self.tenant.dialect, id_of(what)
  local record = would_be(self, id)
  local body = record and must(json.encode(record))
    or must(self.tenant.client:get(call_path(self, "filter", id),
      { query = { export_state = true } })).body
  local text, e = yaml.from_json(body, {
    without = not opts.volatile and d.filter.volatile_fields or nil,
  })
  return (must(text, e))
end

--- Hit rates of the last `window` seconds: hit_count, throughput_rate,
-- match_ratio, and the series by interval where the server gives one.
function Filters:metrics(what, opts)
  opts = options.check("filters:metrics", opts,
    { window = "number", interval = "string" })
  local d = self.tenant.dialect
  local overlay = rawget(self.tenant, "overlay")
  if overlay and overlay:has_created(id_of(what)) then return overlay:metrics() end
  local window = math.floor(opts.window or d.metrics.window)
  local now = os.time()
  local instant = function(t) return os.date("!%Y-%m-%dT%H:%M:%SZ", t) end
  local answer = must(must(self.tenant.client:get(d.paths.metrics, {
    query = {
      filter_id = id_of(what),
      interval = opts.interval or d.metrics.interval,
      metrics = table.concat(d.metrics.names, ","),
      start_time = d.switches.metrics_start == "instant"
        and instant(now - window) or string.format("-PT%dS", window),
      end_time = instant(now),
    },
  })):json())
  local out = type(answer.metrics) == "table" and answer.metrics or {}
  out.series = answer.series
  return out
end

--- Iterates over the records of all filters.
function Filters:list(opts)
  opts = options.check("filters:list", opts,
    { page_size = "number", max_pages = "number", max_items = "number" })
  local d, overlay = self.tenant.dialect, rawget(self.tenant, "overlay")
  local function listing()
    return page.each(self.tenant.client, d.paths.filters, {
      items = d.page.filters.items,
      size = opts.page_size or d.page.filters.size,
      size_param = d.page.size_param,
      max_pages = opts.max_pages, max_items = opts.max_items,
      cursor_param = d.page.cursor_param,
      next = d.page.next,
    })
  end
  if overlay then return notice.each("filter", overlay:list(listing())) end
  return notice.each("filter", listing())
end

return filters

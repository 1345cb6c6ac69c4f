--- The calls on filters: validate, create, get, update, delete, status, list.

local activation = require "sim.activation"
local answer = require "sim.answer"
local dialect = require "cxone.dialect"
local filter = require "weir.filter"
local json = require "weir.json"
local router = require "sim.router"
local store = require "sim.store"
local time = require "sim.time"
local weir = require "weir"

local filters = {}
filters.__index = filters

---@param sim table
function filters.new(sim)
  return setmetatable({ sim = sim, store = store.new(sim), timed = {} }, filters)
end

-- ---- activations that time ends ----

-- Remembers the record, if it is one of those.
local function watch(self, record)
  local due = activation.due(record)
  if due then
    self.timed[record.number] = record
    self.next_due = math.min(self.next_due or due, due)
  end
end

local function end_activation(self, context, record)
  local failed = record.reason ~= nil
  self.sim:count(failed and "activations_failed" or "activations")
  self.store:keep(record)
  self.sim.audit:add(context, failed and "fail" or "activate",
    { filter_id = record.id, version = record.version, actor = "system" })
end

---Ends the activations whose time has come, each at its own time.
---@param now number
function filters:settle(now)
  if not self.next_due or now < self.next_due then
    return
  end
  local over = {}
  for number, record in pairs(self.timed) do
    local due = activation.due(record)
    if not due or self.store:get(record.id) ~= record then
      self.timed[number] = nil
    elseif due <= now then
      over[#over + 1] = { due = due, record = record }
      self.timed[number] = nil
    end
  end
  table.sort(over, function(a, b)
    return a.due < b.due or (a.due == b.due and a.record.number < b.record.number)
  end)
  for _, one in ipairs(over) do
    activation.finish(one.record)
    end_activation(self, { now = one.due, params = {} }, one.record)
  end
  self.next_due = nil
  for _, record in pairs(self.timed) do
    watch(self, record)
  end
end

---Takes over what was in the file.
---@param items table<integer, sim.Record>
---@param last integer
function filters:restore(items, last)
  self.store.last = last
  for _, record in pairs(items) do
    self.store:keep(record)
    watch(self, record)
  end
end

-- ---- bodies ----

local function read_body(context)
  local request = context.request
  local kind = (request.headers["content-type"] or ""):lower()
  if not kind:find("^application/json%f[%A]") then
    return nil, answer.problem(415, "expected Content-Type: application/json")
  end
  local value, err = json.decode(request.body)
  if value == nil then
    return nil, answer.problem(400, "the body is not JSON: " .. err.message)
  elseif type(value) ~= "table" or answer.is_array(value) then
    return nil, answer.problem(400, "expected a JSON object")
  end
  return value
end
filters.read_body = read_body

local function is_extra(self, field)
  return self.sim.config.extra_fields[field] ~= nil
end

-- Checks a definition with the core's own check; the answer to a bad one.
local function refuse(self, definition)
  local plain = {}
  for field, value in pairs(definition) do
    if not is_extra(self, field) then
      plain[field] = value
    end
  end
  local ok, problems = filter.check(plain)
  if ok then
    return nil
  end
  local errors = {}
  for i, problem in ipairs(problems) do
    local hint = problem.hint
    errors[i] = {
      path = problem.path,
      message = hint and hint ~= "" and problem.message .. "; " .. hint
        or problem.message,
    }
  end
  if self.sim.config.errors == "absent" then
    errors = nil
  end
  return answer.problem(400, "the filter is not valid", errors)
end

local function without_server_fields(self, definition)
  if self.sim.config.read_only == "refused" then
    return definition
  end
  for _, field in ipairs(dialect.filter.server_fields) do
    definition[field] = nil
  end
  return definition
end

-- ---- ETags ----

local function show(self, status, record, is_read)
  local how = self.sim.config.etag
  local headers = {}
  if how == "quoted" or how == "header" or (how == "weak" and is_read) then
    headers.ETag = '"' .. record.etag .. '"'
  elseif how == "weak" then
    headers.ETag = 'W/"' .. record.etag .. '"'
  elseif how == "unquoted" then
    headers.ETag = record.etag
  end
  local in_body = how ~= "header" and (how ~= "weak" or is_read)
  return answer.json(status, store.view(record, in_body), headers)
end

-- RFC 9110 section 13.1.1: strong comparison, so a weak one never matches.
-- Quotes may be absent, since the value in the body has none.
local function matches(if_match, etag)
  for candidate in if_match:gmatch("[^,%s]+") do
    if candidate == "*" or candidate == etag or candidate == '"' .. etag .. '"' then
      return true
    end
  end
  return false
end

-- The record that a conditional call is about, or the answer.
local function conditional(self, context)
  local record = self.store:get(context.params.id)
  if not record then
    return nil, self.missing(context.params.id)
  end
  local if_match = context.request.headers["if-match"]
  if not if_match then
    return nil, answer.problem(428, "If-Match is missing: send the ETag that you have seen")
  elseif not matches(if_match, record.etag) then
    self.sim:count("conflicts")
    if if_match:find("^%s*W/") then
      self.sim:count("weak_etags")
    end
    return nil, answer.problem(self.sim.config.conflict,
      "the filter has changed since; read it again")
  end
  return record
end

---@param id string
---@return sim.Answer
function filters.missing(id)
  return answer.problem(404, ("no filter '%s'"):format(id))
end

-- ---- the calls ----

function filters:validate(context)
  local definition, problem = read_body(context)
  return problem or refuse(self, definition) or answer.json(200, { valid = true })
end

function filters:create(context)
  local definition, problem = read_body(context)
  if definition then
    definition = without_server_fields(self, definition)
    problem = refuse(self, definition)
  end
  if problem then
    return problem
  end
  for field, value in pairs(self.sim.config.extra_fields) do
    if definition[field] == nil then
      definition[field] = value
    end
  end
  local record = self.store:add(definition, context.now)
  watch(self, record)
  self.sim:count("creates")
  self.sim.audit:add(context, "create", { filter_id = record.id, version = 1 })
  local a = show(self, self.sim.config.create_status, record, false)
  a.headers.Location = router.path("get", { id = record.id })
  return a
end

function filters:get(context)
  local record = self.store:get(context.params.id)
  if not record then
    return self.missing(context.params.id)
  end
  local a = show(self, 200, record, true)
  local export = context.target.query.export_state
  if export == "true" then
    a.value.exported_at = time.iso(context.now)
  elseif export and export ~= "false" then
    return answer.problem(400, "export_state: expected true or false")
  end
  return a
end

local function merge(old, change)
  local merged = {}
  for field, value in pairs(old) do
    merged[field] = value
  end
  for field, value in pairs(change) do
    merged[field] = value
    if value == weir.null then
      merged[field] = nil
    end
  end
  return merged
end

function filters:update(context)
  local record, problem = conditional(self, context)
  local definition
  if record then
    definition, problem = read_body(context)
  end
  if definition then
    definition = without_server_fields(self, definition)
    if self.sim.config.put == "merges" then
      definition = merge(record.definition, definition)
    end
    problem = refuse(self, definition)
  end
  if problem then
    return problem
  end
  local changed = self.store:change(record, definition, context.now)
  self.sim:count("updates")
  if #changed > 0 then
    self.sim.audit:add(context, "update",
      { filter_id = record.id, version = record.version, changed = changed })
  end
  return show(self, 200, record, false)
end

function filters:delete(context)
  local record, problem = conditional(self, context)
  if not record then
    return problem
  end
  self.store:remove(record)
  self.sim.groups:forget(record.id)
  self.sim:count("deletes")
  self.sim.audit:add(context, "delete",
    { filter_id = record.id, version = record.version })
  return answer.json(204, nil)
end

function filters:status(context)
  local record = self.store:get(context.params.id)
  if not record then
    return self.missing(context.params.id)
  end
  local over, changed = activation.look(record)
  if over then
    end_activation(self, context, record)
  elseif changed then
    self.store:keep(record)
  end
  return answer.json(200, {
    [dialect.status.field] = record.status,
    [dialect.status.reason] = record.reason,
  })
end

function filters:list(context)
  local in_body = self.sim.config.etag ~= "header"
  local function following(position)
    local number, record = self.store:following(position)
    return number, record and store.view(record, in_body)
  end
  return self.sim.paging:answer(context, "filters", dialect.page.filters, following)
end

-- ---- somebody else ----

---The fault "concurrent_edit": somebody changes a field just before the PUT
-- of this request is done.
---@param context table
---@param edit {field: string?, value: any, actor: string?}
---@return sim.Answer? # only when the edit itself is impossible
function filters:edit_by_other(context, edit)
  local record = self.store:get(context.params.id or "")
  if not record then
    return nil
  end
  local definition = merge(record.definition, {})
  local field = edit.field or "description"
  local value = edit.value
  if value == nil then
    value = ("changed by somebody else (version %d)"):format(record.version + 1)
  end
  definition[field] = value
  local problem = refuse(self, definition)
  if problem then
    problem.status = 500
    problem.value.message = "fault concurrent_edit: it would make the filter invalid"
    return problem
  end
  local changed = self.store:change(record, definition, context.now)
  if #changed > 0 then
    self.sim.audit:add(context, "update", {
      filter_id = record.id,
      version = record.version,
      changed = changed,
      actor = edit.actor or "somebody.else",
    })
  end
end

return filters

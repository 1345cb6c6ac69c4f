--- What the tenant would look like, had the calls been sent that a dry run keeps
-- back: enough of it for a script to go on. What is created here has an id that
-- says so; reads of it are answered from here, all others by the server.

local err = require "weir.err"
local json = require "weir.json"

local Overlay = {}
Overlay.__index = Overlay
Overlay.__name = "cxone.overlay"

local dry = {}

--- What a script does to a record is no change of the tenant.
local function copy(value)
  return assert(json.decode(assert(json.encode(value))))
end

--- Whether the call that ended in `e` was kept back, as all that change
-- something are.
function dry.kept(e)
  return err.is(e, "denied") and type(e.detail) == "table" and e.detail.permission == "mutate"
end

--- The tenant's overlay, which begins with the first call that is kept back.
function dry.of(tenant)
  local overlay = rawget(tenant, "overlay")
  if not overlay then
    overlay = setmetatable({
      dialect = tenant.dialect, -- for its words
      records = {},             -- by id: as they would be; false: deleted
      created = {},             -- ids, in order
      members = {},             -- by group: ids, in order
    }, Overlay)
    rawset(tenant, "overlay", overlay)
  end
  return overlay
end

-- Filters --------------------------------------------------------------------

--- The record of a filter that would have been created.
function Overlay:create(definition)
  local d, record = self.dialect, copy(definition)
  record.id = string.format(d.dry_run.id, #self.created + 1)
  record.etag = d.dry_run.etag
  record[d.status.field] = d.status.done[1]
  self.created[#self.created + 1] = record.id
  self.records[record.id] = record
  return copy(record)
end

--- Whether it is there only because nothing was sent.
function Overlay:has_created(id)
  for _, each in ipairs(self.created) do
    if each == id then return true end
  end
  return false
end

--- What the filter would be now: its record, or nil where the server knows.
-- Raises where it would have been deleted.
function Overlay:get(id)
  local record = self.records[id]
  if record == nil then return nil end
  if not record then
    error(err.new {
      code = "not_found", message = string.format("filter %s would have been deleted", id),
    }, 0)
  end
  return copy(record)
end

--- Keeps the state that an update would have left.
function Overlay:update(id, state)
  self.records[id] = copy(state)
  return state
end

function Overlay:delete(id)
  self.records[id] = false
end

--- The hit rates of a filter that nobody has asked anything.
function Overlay:metrics()
  local out = { series = {} }
  for _, name in ipairs(self.dialect.metrics.names) do out[name] = 0 end
  return out
end

--- A listing of the server's, as it would be: with what would have changed, and
-- at its end what would have been created.
function Overlay:list(step, state, control, closing)
  local i = 0
  local function next_record(s, c)
    while i == 0 do
      local record = step(s, c)
      if record == nil then break end
      local mine = self.records[record.id]
      if mine ~= false then return mine and copy(mine) or record end
    end
    repeat
      i = i + 1
      local mine = self.records[self.created[i]]
      if mine then return copy(mine) end
    until not self.created[i]
    return nil
  end
  return next_record, state, control, closing
end

-- Groups ---------------------------------------------------------------------

function Overlay:join(gid, ids)
  local members = self.members[gid] or {}
  self.members[gid] = members
  for _, id in ipairs(ids) do members[#members + 1] = id end
end

--- The ids of a group's listing, and those that would have joined.
function Overlay:ids(gid, step, state, control, closing)
  local more, seen, i, at_end = self.members[gid] or {}, {}, 0, false
  local function next_id(s, c)
    if not at_end then
      local id = step(s, c)
      if id ~= nil then
        seen[id] = true
        return id
      end
      at_end = true
    end
    repeat i = i + 1 until more[i] == nil or not seen[more[i]]
    if more[i] ~= nil then seen[more[i]] = true end
    return more[i]
  end
  return next_id, state, control, closing
end

return dry

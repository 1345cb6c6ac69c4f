--- The filters that there are: records with a definition, a version and an
-- ETag that changes with it.

local activation = require "sim.activation"
local dialect = require "cxone.dialect"
local random = require "sim.random"
local time = require "sim.time"

local store = {}
store.__index = store

---@class sim.Record
---@field id string
---@field number integer order of creation
---@field definition table as it was sent, with what the server added
---@field version integer
---@field etag string opaque, without quotes
---@field created number
---@field updated number
---@field status string
---@field reason string?

---@param sim table
function store.new(sim)
  return setmetatable({
    sim = sim,
    by_id = {},
    by_number = {},
    last = 0,
    ids = random.stream(sim.seed, "filters"),
    etags = random.stream(sim.seed, "etags"),
  }, store)
end

local function new_etag(self, version)
  return ("%d-%s"):format(version, self.etags.hex(12))
end

local function new_id(self)
  if self.sim.config.id_format == "nasty" then
    return ("flt %s/é?#%%"):format(self.ids.hex(4))
  end
  return "flt_" .. self.ids.hex(12)
end

---@param definition table becomes the record's own
---@param now number
---@return sim.Record
function store:add(definition, now)
  local id
  repeat
    id = new_id(self)
  until not self.by_id[id]
  self.last = self.last + 1
  local record = {
    id = id,
    number = self.last,
    definition = definition,
    version = 1,
    etag = new_etag(self, 1),
    created = now,
    updated = now,
  }
  activation.start(record, self.sim.config.activation, now)
  self:keep(record)
  return record
end

---@param id string
---@return sim.Record?
function store:get(id)
  return self.by_id[id]
end

---Keeps a record: a new one, one that has changed, one from the file.
---@param record sim.Record
function store:keep(record)
  self.by_id[record.id] = record
  self.by_number[record.number] = record
  self.sim.state:put("filter", record.number, record)
end

---@param record sim.Record
function store:remove(record)
  self.sim.state:drop("filter", record.number)
  self.by_id[record.id] = nil
  self.by_number[record.number] = nil
end

---@return integer
function store:size()
  local n = 0
  for _ in pairs(self.by_id) do
    n = n + 1
  end
  return n
end

---The record after a number, in the order of creation.
---@param number integer
---@return integer? number
---@return sim.Record?
function store:following(number)
  for i = number + 1, self.last do
    if self.by_number[i] then
      return i, self.by_number[i]
    end
  end
end

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b
  end
  for key, value in pairs(a) do
    if not same(value, b[key]) then
      return false
    end
  end
  for key in pairs(b) do
    if a[key] == nil then
      return false
    end
  end
  return true
end

---Replaces the definition. A change makes a new version and a new ETag; the
-- same definition again makes neither.
---@param record sim.Record
---@param definition table
---@param now number
---@return string[] changed the fields that differ, sorted
function store:change(record, definition, now)
  local old, changed = record.definition, {}
  for field, value in pairs(definition) do
    if not same(value, old[field]) then
      changed[#changed + 1] = field
    end
  end
  for field in pairs(old) do
    if definition[field] == nil then
      changed[#changed + 1] = field
    end
  end
  table.sort(changed)
  if #changed > 0 then
    record.definition = definition
    record.version = record.version + 1
    record.etag = new_etag(self, record.version)
    record.updated = now
    self:keep(record)
  end
  return changed
end

---What a client sees: the definition and the server's own fields.
---@param record sim.Record
---@param with_etag boolean
---@return table
function store.view(record, with_etag)
  local owned = {
    id = record.id,
    etag = with_etag and record.etag or nil,
    status = record.status,
    created_at = time.iso(record.created),
    updated_at = time.iso(record.updated),
    version = record.version,
  }
  local view = {}
  for field, value in pairs(record.definition) do
    view[field] = value
  end
  for _, field in ipairs(dialect.filter.server_fields) do
    view[field] = owned[field]
  end
  return view
end

return store

--- What is kept in a file: the parts of the simulator say what changed, and
-- all changes of a request go out as one transaction, before its answer.
--
-- Without a file it does nothing. Some things are no reason for a transaction
-- (that a request was read and counted, a chance drawn): they are written with
-- the next one, and at the end.

local json = require "weir.json"
local words = require "sim.words"

local state = {}
state.__index = state

---@param file table? what the C side offers: items, commit
function state.new(file)
  return setmetatable({ file = file, changes = {}, changed = false, cleared = false }, state)
end

---Keeps a value, in place of what was under that key. It is written as it is
-- at the end of the request.
---@param kind string
---@param key string|integer
---@param value any nil drops the item
function state:put(kind, key, value)
  if not self.file then
    return
  end
  local changes = self.changes[kind]
  if not changes then
    changes = {}
    self.changes[kind] = changes
  end
  changes[key] = value == nil and state or value
  self.changed = true
end

---Something is to be written although no item has changed.
function state:touch()
  self.changed = self.file ~= nil
end

---@param kind string
---@param key string|integer
function state:drop(kind, key)
  self:put(kind, key, nil)
end

---Forgets all there is, the file's items too.
function state:clear()
  self.changes = {}
  self.cleared, self.changed = true, self.file ~= nil
end

local function list_changes(self)
  local list = {}
  for _, kind in ipairs(words.sorted(self.changes)) do
    for key, value in pairs(self.changes[kind]) do
      list[#list + 1] = kind
      list[#list + 1] = key
      list[#list + 1] = value ~= state and assert(json.encode(value))
    end
  end
  return list
end

---Forgets what has changed since the last commit.
function state:undo()
  self.changes, self.changed, self.cleared = {}, false, false
end

---Writes what has changed, with the bookkeeping.
---@param book table kept under "book"
---@return boolean? ok
---@return string? message
function state:commit(book)
  self:put("book", 1, book)
  local ok, message = self.file.commit(self.cleared, list_changes(self))
  self:undo()
  return ok, message
end

---All items, decoded: their values by kind and key.
---@return table<string, table<string|integer, any>>? nil: one cannot be read
---@return string? message
function state:items()
  local list, message = self.file.items()
  if not list then
    return nil, message
  end
  local items = {}
  for i = 1, #list, 3 do
    local kind, key = list[i], list[i + 1]
    local value = json.decode(list[i + 2])
    if value == nil then
      return nil, ("state file: the item %s %s is damaged"):format(kind, key)
    end
    items[kind] = items[kind] or {}
    items[kind][key] = value
  end
  return items
end

return state

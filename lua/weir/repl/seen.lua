--- What a session has met of the tenant: filters and groups, for completion.

local seen = {}

local Seen = {}
Seen.__index = Seen

-- More than anybody completes; the oldest are forgotten as a whole.
local MOST = 50000

function seen.new()
  return setmetatable({ filters = {}, names = {}, groups = {}, count = 0 }, Seen)
end

--- Notes what passed: a kind ("filters", "names", "groups") and its text.
function Seen:note(kind, text)
  if type(text) ~= "string" or text == "" or #text > 256 then return end
  local known = self[kind]
  if known[text] then return end
  if self.count >= MOST then
    self.filters, self.names, self.groups, self.count = {}, {}, {}, 0
    known = self[kind]
  end
  known[text] = true
  self.count = self.count + 1
end

--- A record of a filter: its id, its name, its group.
function Seen:record(record)
  if type(record) ~= "table" then return end
  self:note("filters", record.id)
  self:note("names", record.name)
  self:note("groups", record.target_group_id)
end

--- Puts `text` into the sorted list of at most `most`.
local function insert(list, text, most)
  local n = #list
  if n >= most then
    if text >= list[n] then return end
    list[n] = nil
    n = n - 1
  end
  local at = n + 1
  while at > 1 and text < list[at - 1] do at = at - 1 end
  table.insert(list, at, text)
end

--- Of those that begin so: the first `most` in order, how many there are, and
-- what they all begin with. Never sorts them all: there may be very many.
function Seen:matching(kinds, prefix, most)
  local found, total, n = {}, 0, #prefix
  local first, last
  for _, kind in ipairs(kinds) do
    for text in next, self[kind] do
      if n == 0 or string.sub(text, 1, n) == prefix then
        total = total + 1
        if not first or text < first then first = text end
        if not last or text > last then last = text end
        insert(found, text, most)
      end
    end
  end
  local same = 0
  while first and same < #first and string.byte(first, same + 1) == string.byte(last, same + 1) do
    same = same + 1
  end
  return found, total, first and string.sub(first, 1, same) or ""
end

return seen

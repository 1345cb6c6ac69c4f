--- The one order of keys: numbers, then strings by bytes, then the rest; and
-- what kind of table a table is.

local order = {}

local rank = { number = 1, string = 2, boolean = 3 }

local function before(a, b)
  local ra, rb = rank[type(a)] or 4, rank[type(b)] or 4
  if ra ~= rb then return ra < rb end
  if ra <= 2 then return a < b end
  return tostring(a) < tostring(b)
end

--- The keys of a table, without asking its metamethods, sorted.
function order.keys(t)
  local keys = {}
  for key in next, t do keys[#keys + 1] = key end
  table.sort(keys, before)
  return keys
end

--- The length of a list; nil if the table is none. An empty table is an empty
-- list to look at.
function order.list_length(t)
  local n = rawlen(t)
  local count = 0
  for key in next, t do
    count = count + 1
    if math.type(key) ~= "integer" or key < 1 or key > n then return nil end
  end
  return count == n and n or nil
end

--- Whether a list's elements are records: tables with names as keys.
function order.is_records(list, n)
  if n == 0 then return false end
  for i = 1, n do
    local row = rawget(list, i)
    if type(row) ~= "table" or next(row) == nil then return false end
    local meta = debug.getmetatable(row)
    if type(meta) == "table" and rawget(meta, "__tostring") then return false end
    for key in next, row do
      if type(key) ~= "string" then return false end
    end
  end
  return true
end

return order

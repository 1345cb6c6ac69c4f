--- Types as LuaLS writes them: "string|integer", "T[]", "{a: T, b?: U}",
-- "fun(x: T): U", "table<K, V>", "\"word\"".
--
-- A type is `{kind =, …}`: "name" (name), "literal" (value), "array" (of),
-- "record" (fields: name, optional, type), "map" (key, value), "fun" (params,
-- returns), "union" (list).

local types = {}

types.any = { kind = "name", name = "any" }

--- Either of two; nil counts as nothing.
function types.union(a, b)
  if not a then return b end
  if not b then return a end
  local list = {}
  for _, each in ipairs { a, b } do
    local parts = each.kind == "union" and each.list or { each }
    table.move(parts, 1, #parts, #list + 1, list)
  end
  return { kind = "union", list = list }
end

local nothing = { kind = "name", name = "nil" }

local read_union

local function skip(text, at)
  return string.find(text, "%S", at) or #text + 1
end

--- "name: type, …" up to `closing`.
local function read_members(text, at, closing)
  local list = {}
  at = skip(text, at)
  while at <= #text and string.sub(text, at, at) ~= closing do
    local name, optional, after = string.match(text, "^([%w_.]+)(%??)%s*()", at)
    if not name then break end
    local member = { name = name, optional = optional == "?", type = types.any }
    at = after
    if string.sub(text, at, at) == ":" then
      member.type, at = read_union(text, skip(text, at + 1))
    end
    list[#list + 1] = member
    at = skip(text, at)
    if string.sub(text, at, at) == "," then at = skip(text, at + 1) end
  end
  return list, at + 1
end

local function read_fun(text, at)
  local params, returns = {}, {}
  if string.sub(text, at, at) == "(" then params, at = read_members(text, at + 1, ")") end
  local colon = string.match(text, "^%s*:%s*()", at)
  while colon do
    local type
    type, at = read_union(text, colon)
    returns[#returns + 1] = type
    colon = string.match(text, "^,%s*()", at)
  end
  return { kind = "fun", params = params, returns = returns }, at
end

local function read_map(text, at)
  local key, value
  key, at = read_union(text, skip(text, at))
  at = string.match(text, "^%s*,%s*()", at) or at
  value, at = read_union(text, at)
  return { kind = "map", key = key, value = value }, (string.match(text, "^%s*>()", at) or at)
end

local function read_atom(text, at)
  local c = string.sub(text, at, at)
  if c == "{" then
    local fields, after = read_members(text, at + 1, "}")
    return { kind = "record", fields = fields }, after
  elseif c == "(" then
    local type, after = read_union(text, at + 1)
    return type, (string.match(text, "^%s*%)()", after) or after)
  elseif c == '"' or c == "'" then
    local value, after = string.match(text, "^" .. c .. "(.-)" .. c .. "()", at)
    return { kind = "literal", value = value or string.sub(text, at + 1) }, after or #text + 1
  elseif string.match(text, "^fun%f[%W]", at) then
    return read_fun(text, at + 3)
  elseif string.match(text, "^table%s*<", at) then
    return read_map(text, string.match(text, "^table%s*<()", at))
  end
  local number, stop = string.match(text, "^(%-?%d[%w.]*)()", at)
  if number then return { kind = "literal", value = tonumber(number) }, stop end
  local name, after = string.match(text, "^([%a_][%w_.]*)()", at)
  if name then
    if name == "true" or name == "false" then
      return { kind = "literal", value = name == "true" }, after
    end
    return { kind = "name", name = name }, after
  end
  return types.any, string.match(text, "^%.%.%.()", at) or at
end

local function read_suffixed(text, at)
  local type
  type, at = read_atom(text, at)
  while true do
    if string.sub(text, at, at + 1) == "[]" then
      type, at = { kind = "array", of = type }, at + 2
    elseif string.sub(text, at, at) == "?" then
      type, at = types.union(type, nothing), at + 1
    else
      return type, at
    end
  end
end

function read_union(text, at)
  local type
  type, at = read_suffixed(text, at)
  while true do
    local after = string.match(text, "^%s*|%s*()", at)
    if not after then return type, at end
    local other
    other, at = read_suffixed(text, after)
    type = types.union(type, other)
  end
end

--- The type that `text` begins with, and the byte after it.
function types.read(text)
  return read_union(text, skip(text, 1))
end

return types

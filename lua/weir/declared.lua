--- What a script declares with constants, read from its text without running it:
-- `weir.args { … }` and `weir.needs { … }`.

local json = require "weir.json"

local declared = {}

local constants = { ["true"] = true, ["false"] = true, ["nil"] = true }
local closing = { ["{"] = "}", ["("] = ")", ["["] = "]" }

--- The first of tokens `from` to `to` that is no part of a table of constants;
-- nil if nothing in it can call, so that evaluating it does nothing but make
-- the table.
local function not_constant(tokens, from, to)
  for i = from, to do
    local t, after = tokens[i], tokens[i + 1]
    if t.kind == "name" then
      local is_key = after and after.kind == "=" and (tokens[i + 2] or {}).kind ~= "="
      if not constants[t.value] and not is_key then return t end
    elseif t.kind == "string" then
      if t.value == nil then return t end
    elseif t.kind ~= "number" and not string.match(t.kind, "^[{}%[%],;=.+*/-]$") then
      return t
    elseif t.kind == "." and after.kind == "." and tokens[i + 2].kind == "." then
      return t
    end
  end
  return nil
end

--- The index of the token that closes the bracket at `i`, or nil.
local function closes(tokens, i)
  local expected = {}
  for at = i, #tokens do
    local kind = tokens[at].kind
    if closing[kind] then
      expected[#expected + 1] = closing[kind]
    elseif kind == expected[#expected] then
      expected[#expected] = nil
      if #expected == 0 then return at end
    end
  end
end

--- Whether `weir.<name>` begins at token `i`.
function declared.is_at(tokens, i, name)
  local a, b, c = tokens[i], tokens[i + 1], tokens[i + 2]
  return c ~= nil and a.kind == "name" and a.value == "weir" and b.kind == "."
    and c.kind == "name" and c.value == name
end

--- The index of the first `weir.<name>` from token `from` on, or nil.
function declared.find(tokens, name, from)
  for i = from or 1, #tokens - 2 do
    if declared.is_at(tokens, i, name) then return i end
  end
end

--- The table that the call at token `i` is given: the indices of its brackets;
-- and the token that is no constant, if there is one. nil if it is given
-- something else.
function declared.table_at(tokens, i)
  local first = i + 3
  if tokens[first] and tokens[first].kind == "(" then first = first + 1 end
  local last = tokens[first] and tokens[first].kind == "{" and closes(tokens, first)
  if not last then return nil end
  return first, last, not_constant(tokens, first, last)
end

--- The value of tokens `first` to `last`, a table of constants; nil if Lua does
-- not take it.
function declared.value(script, tokens, first, last)
  local chunk = load("return " .. string.sub(script, tokens[first].from, tokens[last].to),
    "=declaration", "t", {})
  local ok, value = pcall(chunk or error)
  return ok and value or nil
end

--- A table of lists as JSON has it: empty braces are an empty list.
function declared.as_json(value)
  local out = {}
  for key, item in pairs(value) do
    out[key] = type(item) == "table" and next(item) == nil and json.array() or item
  end
  return out
end

return declared

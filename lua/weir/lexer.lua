--- Lua text as tokens: for those who look at a script without running it.
-- Never raises; text that is no Lua gives the tokens that can be told.

local lexer = {}

local simple_escapes = {
  a = "\a", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", v = "\v",
  ["\\"] = "\\", ['"'] = '"', ["'"] = "'", ["\n"] = "\n",
}

--- One escape at `at` (after the backslash): its text and where it ends.
local function read_escape(text, at)
  local c = text:sub(at, at)
  if simple_escapes[c] then return simple_escapes[c], at + 1 end
  local hex = text:match("^x(%x%x)", at)
  if hex then return string.char(tonumber(hex, 16)), at + 3 end
  local decimal = text:match("^%d%d?%d?", at)
  if decimal and tonumber(decimal) < 256 then
    return string.char(tonumber(decimal)), at + #decimal
  end
  local code = text:match("^u{(%x+)}", at)
  if code and #code <= 8 and tonumber(code, 16) < 2 ^ 31 then
    return utf8.char(tonumber(code, 16)), at + #code + 3
  end
  local space = text:match("^z%s*", at)
  if space then return "", at + #space end
  return c, at + 1
end

--- A quoted string from its quote on: its value and where it ends.
local function read_quoted(text, at)
  local quote, parts = text:sub(at, at), {}
  at = at + 1
  while true do
    local stop = text:find("[\\\n" .. quote .. "]", at)
    if not stop then return nil, #text + 1 end
    parts[#parts + 1] = text:sub(at, stop - 1)
    local c = text:sub(stop, stop)
    if c == quote then return table.concat(parts), stop + 1 end
    if c == "\n" then return nil, stop end -- no Lua: the string is not closed
    parts[#parts + 1], at = read_escape(text, stop + 1)
  end
end

--- A long bracket at `at`: its value and where it ends; nil if there is none.
local function read_long(text, at)
  local equals = text:match("^%[(=*)%[", at)
  if not equals then return nil end
  local first = at + #equals + 2
  if text:sub(first, first) == "\n" then first = first + 1 end
  local stop, last = text:find("]" .. equals .. "]", first, true)
  if not stop then return "", #text + 1 end
  return text:sub(first, stop - 1), last + 1
end

--- The tokens of Lua text, without comments: `{kind, value, line, from, to}`,
-- where kind is "name" (keywords too), "string", "number" or the symbol
-- itself, one character each; `from` and `to` are its first and last byte.
-- The value of a string that Lua would refuse is nil.
function lexer.tokens(text)
  local list, at, line, counted = {}, 1, 1, 1
  if text:sub(1, 1) == "#" then at = text:find("\n", 1, true) or #text + 1 end
  local function line_at(position)
    for _ in text:sub(counted, position - 1):gmatch("\n") do line = line + 1 end
    counted = position
    return line
  end
  local function add(kind, value, stop)
    list[#list + 1] = {
      kind = kind, value = value, line = line_at(at), from = at, to = stop - 1,
    }
    at = stop
  end
  while true do
    at = text:find("%S", at)
    if not at then return list end
    local c = text:sub(at, at)
    local long, after = read_long(text, at)
    local name = text:match("^[%a_][%w_]*", at)
    local number = text:match("^%.?%d[%w_.]*[eEpP][+-]%w*", at)
      or text:match("^%.?%d[%w_.]*", at)
    if text:sub(at, at + 1) == "--" then
      long, after = read_long(text, at + 2)
      at = long and after or text:find("\n", at, true) or #text + 1
    elseif long then
      add("string", long, after)
    elseif c == '"' or c == "'" then
      local value, stop = read_quoted(text, at)
      add("string", value, stop)
    elseif name then
      add("name", name, at + #name)
    elseif number then
      add("number", number, at + #number)
    else
      add(c, nil, at + 1)
    end
  end
end

return lexer

--- Lua text as tokens: for those who look at a script without running it.
-- Never raises; text that is no Lua gives the tokens that can be told.

local lexer = {}

local simple_escapes = {
  a = "\a", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", v = "\v",
  ["\\"] = "\\", ['"'] = '"', ["'"] = "'", ["\n"] = "\n",
}

--- One escape at `at` (after the backslash): its text and where it ends.
local function read_escape(text, at)
  local c = string.sub(text, at, at)
  if simple_escapes[c] then return simple_escapes[c], at + 1 end
  local hex = string.match(text, "^x(%x%x)", at)
  if hex then return string.char(tonumber(hex, 16)), at + 3 end
  local decimal = string.match(text, "^%d%d?%d?", at)
  if decimal and tonumber(decimal) < 256 then
    return string.char(tonumber(decimal)), at + #decimal
  end
  local code = string.match(text, "^u{(%x+)}", at)
  if code and #code <= 8 and tonumber(code, 16) < 2 ^ 31 then
    return utf8.char(tonumber(code, 16)), at + #code + 3
  end
  local space = string.match(text, "^z%s*", at)
  if space then return "", at + #space end
  return c, at + 1
end

--- A quoted string from its quote on: its value and where it ends; nil where
-- it does not, and then what there is of it.
local function read_quoted(text, at)
  local quote, parts = string.sub(text, at, at), {}
  at = at + 1
  while true do
    local stop = string.find(text, "[\\\n" .. quote .. "]", at)
    parts[#parts + 1] = string.sub(text, at, (stop or #text + 1) - 1)
    if not stop then return nil, #text + 1, table.concat(parts) end
    local c = string.sub(text, stop, stop)
    if c == quote then return table.concat(parts), stop + 1 end
    if c == "\n" then return nil, stop end -- no Lua: the string is not closed
    parts[#parts + 1], at = read_escape(text, stop + 1)
  end
end

--- A long bracket at `at`: its value, where it ends, and whether it does; nil
-- if there is none.
local function read_long(text, at)
  local equals = string.match(text, "^%[(=*)%[", at)
  if not equals then return nil end
  local first = at + #equals + 2
  if string.sub(text, first, first) == "\n" then first = first + 1 end
  local stop, last = string.find(text, "]" .. equals .. "]", first, true)
  if not stop then return string.sub(text, first), #text + 1, false end
  return string.sub(text, first, stop - 1), last + 1, true
end

--- The tokens of Lua text, without comments: `{kind, value, line, from, to}`,
-- where kind is "name" (keywords too), "string", "number" or the symbol
-- itself, one character each; `from` and `to` are its first and last byte.
-- The value of a string that Lua would refuse is nil; one that the text's end
-- cuts off has its beginning in `open`. The second result is true if the text
-- ends inside a comment. A first line that begins with '#' is skipped as Lua
-- does in a file, unless `at` says where to begin.
function lexer.tokens(text, at)
  local list, line, counted = {}, 1, 1
  if not at then
    at = string.sub(text, 1, 1) == "#" and (string.find(text, "\n", 1, true) or #text + 1) or 1
  end
  local function line_at(position)
    for _ in string.gmatch(string.sub(text, counted, position - 1), "\n") do line = line + 1 end
    counted = position
    return line
  end
  local function add(kind, value, stop, open)
    list[#list + 1] = {
      kind = kind, value = value, line = line_at(at), from = at, to = stop - 1, open = open,
    }
    at = stop
  end
  while true do
    at = string.find(text, "%S", at)
    if not at then return list, false end
    local c = string.sub(text, at, at)
    local long, after, ended = read_long(text, at)
    local name = string.match(text, "^[%a_][%w_]*", at)
    local number = string.match(text, "^%.?%d[%w_.]*[eEpP][+-]%w*", at)
      or string.match(text, "^%.?%d[%w_.]*", at)
    if string.sub(text, at, at + 1) == "--" then
      long, after, ended = read_long(text, at + 2)
      if not long then
        after = string.find(text, "\n", at, true)
        ended = after ~= nil
      end
      if not ended then return list, true end
      at = after
    elseif long then
      add("string", long, after, not ended and long or nil)
    elseif c == '"' or c == "'" then
      add("string", read_quoted(text, at))
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

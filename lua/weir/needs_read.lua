--- What a script needs, as its first statement declares it, read from the text
-- before anything runs.

local declared = require "weir.declared"
local lexer = require "weir.lexer"
local core = require "weir.core.needs"
local source = require "weir.source"

local needs_read = {}

-- More than a person writes; what is longer declares nothing.
local MAX_SCRIPT = 4 * 1024 * 1024

local form = "weir.needs { net = {\"api.example.com\"}, mutate = true }"

local function fault(token, message, hint)
  return nil, {
    line = token.line, from = token.from, to = token.to, message = message, hint = hint,
  }
end

--- The index at which the first statement's `weir.needs` would stand: behind
-- `local granted =`, if that is there.
local function first_statement(tokens)
  local i = 1
  while tokens[i] and tokens[i].kind == ";" do i = i + 1 end
  local t = tokens[i]
  if not (t and t.kind == "name" and t.value == "local") then return i end
  local at = i + 2
  if tokens[at] and tokens[at].kind == "<" then at = at + 3 end -- <const>
  return tokens[at] and tokens[at].kind == "=" and at + 1 or i
end

--- The first declaration from token `from` on: not `weir.needs.granted()`.
local function find(tokens, from)
  local at = declared.find(tokens, "needs", from)
  while at and tokens[at + 3] and tokens[at + 3].kind == "." do
    at = declared.find(tokens, "needs", at + 1)
  end
  return at
end

--- The name of a field that is written twice, and its token.
local function twice(tokens, first, last)
  local seen, depth = {}, 0
  for i = first, last do
    local t = tokens[i]
    if t.kind == "{" then depth = depth + 1 end
    if t.kind == "}" then depth = depth - 1 end
    local name
    if depth == 1 and t.kind == "name" and tokens[i + 1].kind == "=" then name = t.value end
    if depth == 1 and t.kind == "[" and tokens[i + 2].kind == "]" then
      name = tokens[i + 1].value
    end
    if name and seen[name] then return name, t end
    if name then seen[name] = true end
  end
end

--- A fault that the permissions have, at the line of the value it is of.
local function bad_value(tokens, first, last, e)
  local pointer = type(e.detail) == "table" and e.detail.path or ""
  local line = source.line_of(tokens, first, pointer) or tokens[first].line
  for i = first, last do
    if tokens[i].line == line then
      return fault(tokens[i], "weir.needs: " .. e.message, e.hint)
    end
  end
  return fault(tokens[first], "weir.needs: " .. e.message, e.hint)
end

--- What the script's text declares: its table, and the token that it begins
-- with; nil where it declares nothing; or nil and the fault {line, from, to,
-- message, hint} for which it cannot run, `misplaced` if it is not the first
-- statement: of a text that is no Lua that means nothing.
function needs_read.read(script)
  -- What does not say the word is not looked at: most scripts.
  if not string.find(script, "needs", 1, true) then return nil end
  if #script > MAX_SCRIPT then
    if not string.find(script, "weir%s*%.%s*needs") then return nil end
    return fault({ line = 1, from = 1, to = 1 },
      string.format("weir.needs: a script of over %d bytes is not read for it", MAX_SCRIPT))
  end
  local tokens = lexer.tokens(script)
  local at = find(tokens)
  if not at then return nil end
  if at ~= first_statement(tokens) then
    local nothing, misplaced = fault(tokens[at],
      "weir.needs must be the first statement of the script",
      "it says what the script needs before anything of it runs")
    misplaced.misplaced = true
    return nothing, misplaced
  end
  local first, last, odd = declared.table_at(tokens, at)
  if not first then
    return fault(tokens[at], "weir.needs takes a table that is written down right there", form)
  end
  if odd then
    return fault(odd, string.format("weir.needs: '%s' is no constant",
      odd.value and string.sub(odd.value, 1, 40) or odd.kind),
      "it is read before the script runs, so it holds strings, true and false alone")
  end
  local again = find(tokens, at + 1)
  if again then
    return fault(tokens[again], "weir.needs stands twice", "all of it goes into one table")
  end
  local name, token = twice(tokens, first, last)
  if name then
    return fault(token, string.format("weir.needs: '%s' stands twice", name),
      "put its items into one list")
  end
  local value = declared.value(script, tokens, first, last)
  if not value then return fault(tokens[at], "weir.needs: its table is no Lua", form) end
  value = declared.as_json(value)
  local ok, e = core.check(value)
  if not ok then return bad_value(tokens, first, last, e) end
  return value, tokens[at]
end

return needs_read

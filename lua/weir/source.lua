--- Where in a script a table was built: for showing a problem of a definition,
-- whoever found it, at the line that has it.
--
-- Lua keeps no positions of table constructors. They are read from the script's
-- text, and only after something went wrong: the constructor that begins in
-- the call's statement, or else the only one whose literal `name` is the
-- definition's. Where neither says for certain, there is no line.

local core = require "weir.core"
local lexer = require "weir.lexer"

local source = {}

local MAX_BYTES = 1024 * 1024
local MAX_LINE = 160

-- Constructors ---------------------------------------------------------------

local open = { ["("] = true, ["["] = true, ["{"] = true }
local close = { [")"] = true, ["]"] = true, ["}"] = true }
local blocks = { ["function"] = true, ["do"] = true, ["then"] = true, ["repeat"] = true }
local unblocks = { ["end"] = true, ["until"] = true, ["elseif"] = true }

--- The key that a field at token `i` begins with, and where its value begins;
-- nil for a positional field, false for a key that is computed.
local function field_key(tokens, i)
  local a, b, c, d = tokens[i], tokens[i + 1], tokens[i + 2], tokens[i + 3]
  if a.kind == "name" and b and b.kind == "=" and not (c and c.kind == "=") then
    return a.value, i + 2
  end
  if a.kind ~= "[" then return nil, i end
  if b and c and d and c.kind == "]" and d.kind == "=" then
    if b.kind == "string" then return b.value, i + 4 end
    if b.kind == "number" then return math.tointeger(tonumber(b.value)) or false, i + 4 end
  end
  return false, i
end

--- Past the field's value: the next `,` `;` or `}` of its own constructor.
-- Functions hold commas and semicolons too; they end where their `end` is.
local function skip_value(tokens, i, found)
  local depth, ends = 0, 0
  while tokens[i] do
    local t = tokens[i]
    if t.kind == "{" then
      i = found(i)
    else
      if depth == 0 and ends == 0 and (t.kind == "," or t.kind == ";" or t.kind == "}") then
        return i
      end
      if t.kind == "name" then
        if blocks[t.value] then ends = ends + 1 end
        if unblocks[t.value] then ends = ends - 1 end
      elseif open[t.kind] then
        depth = depth + 1
      elseif close[t.kind] then
        depth = depth - 1
      end
      i = i + 1
    end
  end
  return i
end

--- Reads the constructor whose `{` is token `i` into `all`; returns the index
-- after its `}`. A field's `value` is a constructor only if it is all of it.
local function read_constructor(tokens, i, all)
  local this = { line = tokens[i].line, first = i, fields = {} }
  all[#all + 1] = this
  i = i + 1
  local position = 0
  while tokens[i] and tokens[i].kind ~= "}" do
    local key, from = field_key(tokens, i)
    local field = { line = tokens[i].line }
    if key == nil then
      position = position + 1
      key = position
    end
    local inner
    local stop = skip_value(tokens, from, function(at)
      local index = #all + 1
      local after = read_constructor(tokens, at, all)
      if at == from then inner = { all[index], after } end
      return after
    end)
    if inner and inner[2] == stop then field.value = inner[1] end
    local only = tokens[from]
    if only and only.kind == "string" and stop == from + 1 then field.text = only.value end
    if key ~= false then this.fields[key] = field end
    i = stop
    if tokens[i] and tokens[i].kind ~= "}" then i = i + 1 end
  end
  this.last = i
  return i + 1
end

--- Every table constructor of the text, in the order of their beginnings.
local function constructors_of(tokens)
  local all, i = {}, 1
  while tokens[i] do
    if tokens[i].kind == "{" then
      i = read_constructor(tokens, i, all)
    else
      i = i + 1
    end
  end
  return all
end

-- Choosing -------------------------------------------------------------------

--- Whether the definition can be what this constructor built: it has every
-- field that is written there, and the same text where that is a literal.
local function fits(constructor, definition)
  if type(definition) == "string" then -- only the name is known
    local name = constructor.fields.name
    return name ~= nil and name.text == definition
  end
  if next(constructor.fields) == nil then return false end
  for key, field in pairs(constructor.fields) do
    local value = definition[key]
    if value == nil or field.text and field.text ~= value then return false end
  end
  return true
end

--- Of the constructors that fit: the only one that carries the definition's
-- name as a literal, else the only one that begins on the call's line and is
-- no part of another.
local function choose(all, line, definition)
  local named, names, here, count = nil, 0, nil, 0
  for _, c in ipairs(all) do
    if fits(c, definition) then
      local name = c.fields.name
      if name and name.text then
        if c.line == line then return c end
        named, names = c, names + 1
      elseif c.line == line and not (here and c.first < here.last) then
        here, count = c, count + 1
      end
    end
  end
  if names > 0 then return names == 1 and named or nil end
  return count == 1 and here or nil
end

--- A JSON pointer's steps.
local function steps_of(pointer)
  local steps = {}
  for step in string.gmatch(pointer, "/([^/]*)") do
    steps[#steps + 1] = string.gsub(string.gsub(step, "~1", "/"), "~0", "~")
  end
  return steps
end

--- The line of the element that the pointer names; where the script did not
-- write it (a required field that is missing, say) the nearest one around it.
local function line_in(constructor, pointer)
  local line, here = constructor.line, constructor
  for _, step in ipairs(steps_of(pointer)) do
    if not here then break end
    local index = math.tointeger(tonumber(step))
    local field = here.fields[step] or index and here.fields[index + 1]
    if not field then break end
    line, here = field.line, field.value
  end
  return line
end

-- For callers ----------------------------------------------------------------

local function read_file(path)
  local kept = core.chunk(path) -- of a bundle, or typed
  if kept then return #kept <= MAX_BYTES and kept or nil end
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read(MAX_BYTES + 1)
  file:close()
  return text and #text <= MAX_BYTES and text or nil
end

local function no_line() return nil end

--- A function from JSON pointer to line, for a definition (its table, or only
-- its name) that a call on `call_line` of the script at `path` was given. The
-- function returns nil where the line cannot be known.
function source.lines(path, call_line, definition)
  local text = read_file(path)
  if not text then return no_line end
  local ok, chosen = pcall(function()
    return choose(constructors_of(lexer.tokens(text)), call_line, definition)
  end)
  if not ok or not chosen then return no_line end
  return function(pointer) return line_in(chosen, pointer) end
end

--- The line of what `pointer` names in the constructor whose `{` is token `i`.
function source.line_of(tokens, i, pointer)
  local all = {}
  read_constructor(tokens, i, all)
  return line_in(all[1], pointer)
end

--- That line of the file, without what surrounds it; nil if there is none.
function source.excerpt(path, line)
  local text = read_file(path)
  if not text then return nil end
  local n = 0
  for each in string.gmatch(text .. "\n", "(.-)\r?\n") do
    n = n + 1
    if n == line then
      each = string.match(each, "^%s*(.-)%s*$")
      if #each > MAX_LINE then
        each = string.sub(each, 1, utf8.offset(each, 0, MAX_LINE + 1) - 1) .. "…"
      end
      return each
    end
  end
  return nil
end

--- The nearest frames, inside out, that are a script's own: a file's path and
-- the line it is at.
local function script_frames()
  local level = 2
  return function()
    while true do
      local info = debug.getinfo(level, "Sl")
      if not info then return nil end
      level = level + 1
      if string.sub(info.source, 1, 1) == "@" and info.currentline > 0 then
        return string.sub(info.source, 2), info.currentline
      end
    end
  end
end

--- A function from JSON pointer to `path, line`, for a definition (a table, a
-- filter, or its name) that one of the calls now running was given.
function source.lines_of(definition)
  if type(definition) == "userdata" then definition = definition.name end
  local seen = {}
  for path, call_line in script_frames() do
    local place = path .. ":" .. call_line
    local lines = not seen[place] and source.lines(path, call_line, definition) or no_line
    seen[place] = true
    if lines ~= no_line then
      return function(pointer) return path, lines(pointer) end
    end
  end
  return no_line
end

--- Where the element at `pointer` of the definition was written: `path, line`,
-- or nil.
function source.locate(definition, pointer)
  return source.lines_of(definition)(pointer)
end

return source

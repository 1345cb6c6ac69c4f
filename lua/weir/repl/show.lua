--- Values as people want to see them: sorted, within limits, in the form that
-- would make them again; records as a table.

local err = require "weir.err"
local filter = require "weir.filter"
local grid = require "weir.repl.grid"
local null = require "weir.core".null
local order = require "weir.repl.order"
local quote = require "weir.repl.quote"
local text = require "weir.text"

local show = {}

local MAX_LINE = 100

-- What is shown of a value before `:all` is asked for.
show.limits = { rows = 40, items = 50, inner = 12, depth = 4, string = 2000, block = 20000 }
-- With `:all`: a value that refers to itself still ends.
show.all = {
  rows = math.huge, items = math.huge, inner = math.huge, depth = 64, string = math.huge,
  block = math.huge,
}

-- A definition is shown in the order in which it is written.
local definition_order = {
  "name", "description", "channel", "matchers", "pattern_rules", "target_group_id",
}
local element_order = {
  attribute = 1, type = 1, field = 2, operator = 2, value = 3, pattern = 3,
}

local Shower = {}
Shower.__index = Shower

--- Shows values. `opts`: style, width (columns), limits, redact (a function on
-- strings), report (a function on err objects), describe (on functions; may
-- return nil), previous and leaves (for repl.watch: path → text).
function show.new(opts)
  return setmetatable({
    style = opts.style, width = opts.width,
    line = math.min(opts.width, MAX_LINE), -- of what has a form with many lines, too
    limits = opts.limits or show.limits,
    redact = opts.redact or function(s) return s end,
    report = opts.report or tostring,
    describe = opts.describe,
    previous = opts.previous, leaves = opts.leaves,
    cut = false, -- whether something was left out
  }, Shower)
end

-- Scalars ------------------------------------------------------------------------

--- A number as Lua reads it back.
local function number_text(value)
  if value ~= value then return "nan" end
  if value == math.huge then return "inf" end
  if value == -math.huge then return "-inf" end
  if math.type(value) == "integer" then return string.format("%d", value) end
  local short = string.format("%.14g", value)
  if tonumber(short) ~= value then short = string.format("%.17g", value) end
  if not string.find(short, "[.eEn]") then short = short .. ".0" end
  return short
end

function Shower:more(n)
  self.cut = true
  return self.style:paint("dim", string.format("… %d more", n))
end

--- A string as it would be written, cut on a character's border. Secrets are
-- taken out before: a part of one would not be recognised any more.
function Shower:string(value)
  local limit = self.limits.string
  value = self.redact(value)
  if #value <= limit then return quote.string(value) end
  local stop = utf8.offset(value, 0, limit + 1) or limit + 1
  self.cut = true
  return quote.string(string.sub(value, 1, stop - 1))
    .. string.format(" … %d more bytes", #value - stop + 1)
end

local function protected_tostring(value)
  local ok, result = pcall(tostring, value)
  if ok and type(result) == "string" then return result end
  return nil
end

--- What a value that has no other form says of itself: no address, which tells
-- nobody anything and differs from run to run.
function Shower:opaque(value)
  local kind = type(value)
  if kind == "function" then return self:func(value) end
  local meta = debug.getmetatable(value)
  local name = type(meta) == "table" and rawget(meta, "__name")
  local said = type(meta) == "table" and rawget(meta, "__tostring") and protected_tostring(value)
  if said then
    return "<" .. quote.line(self.redact((string.gsub(said, ":? ?%(?0x%x+%)?", "")))) .. ">"
  end
  return "<" .. (type(name) == "string" and name or kind) .. ">"
end

function Shower:func(value)
  local described = self.describe and self.describe(value)
  if described then return described end
  local info = debug.getinfo(value, "Su")
  if info.what == "C" then return "<function, built in>" end
  local names = {}
  for i = 1, info.nparams do names[i] = debug.getlocal(value, i) end
  if info.isvararg then names[#names + 1] = "..." end
  return string.format("<function(%s), %s:%d>", table.concat(names, ", "), info.short_src,
    info.linedefined)
end

--- The text of what needs one line in any case, and its kind; nil for others.
function Shower:scalar(value)
  local kind = type(value)
  if value == nil or value == null or kind == "boolean" then
    return value == null and "null" or tostring(value), "word"
  elseif kind == "number" then
    return number_text(value), "number"
  elseif kind == "string" then
    return self:string(value), "string"
  elseif kind ~= "table" and not filter.is(value) then
    return self:opaque(value), "type"
  end
  return nil
end

-- Changes, for :watch --------------------------------------------------------------

function Shower:changed(path, content)
  if not self.leaves then return false end
  self.leaves[path] = content
  return self.previous ~= nil and self.previous[path] ~= content
end

function Shower:paint(kind, content, path)
  if path and self:changed(path, content) then
    return self.style.color and self.style:paint("changed", content) or content .. "*"
  end
  return self.style:paint(kind, content)
end

-- Cells ----------------------------------------------------------------------------

--- What a table says in a cell.
function Shower:inline(value, depth)
  local content, kind = self:scalar(value)
  if content then return content, kind end
  if err.is(value) or filter.is(value) then
    return quote.line(self.redact(tostring(value))), "type"
  end
  local n = order.list_length(value)
  if depth > 2 then return n and string.format("[%d]", n) or "{…}", "dim" end
  local parts = {}
  if n then
    for i = 1, math.min(n, 4) do parts[i] = self:inline(rawget(value, i), depth + 1) end
    if n > 4 then parts[5] = string.format("… %d more", n - 4) end
    return "{" .. table.concat(parts, ", ") .. "}", "dim"
  end
  local keys = self:keys(value)
  for i = 1, math.min(#keys, 4) do
    parts[i] = quote.key(keys[i]) .. "=" .. self:inline(rawget(value, keys[i]), depth + 1)
  end
  if #keys > 4 then parts[5] = "…" end
  return "{" .. table.concat(parts, ", ") .. "}", "dim"
end

--- A cell: strings stand there without quotes.
function Shower:cell(value, path)
  local content, kind
  if value == nil then
    content, kind = "", "word"
  elseif type(value) == "string" then
    content, kind = quote.line(self.redact(value)), "string"
  else
    content, kind = self:inline(value, 1)
  end
  return { content = content, kind = kind, changed = path and self:changed(path, content) }
end

function Shower:paint_cell(cell, content)
  if cell.changed then
    return self.style.color and self.style:paint("changed", content) or content
  end
  if cell.kind == "string" then return content end -- most cells are; colour would be noise
  return self.style:paint(cell.kind, content)
end

-- Tables -----------------------------------------------------------------------------

--- The keys in the order they are shown.
function Shower:keys(t) -- luacheck: ignore self
  local keys = order.keys(t)
  local all = #keys > 0
  for _, key in ipairs(keys) do all = all and element_order[key] ~= nil end
  if all then
    table.sort(keys, function(a, b) return element_order[a] < element_order[b] end)
  end
  return keys
end

--- The entries of a table as {key =, value =}, within the limit; how many more
-- there are.
function Shower:entries(t, limit)
  local entries = {}
  local n = order.list_length(t)
  if n then
    for i = 1, math.min(n, limit) do entries[i] = { value = rawget(t, i), path = i } end
    return entries, n - #entries
  end
  local keys = self:keys(t)
  for i = 1, math.min(#keys, limit) do
    entries[i] = { key = quote.key(keys[i]), value = rawget(t, keys[i]), path = keys[i] }
  end
  return entries, #keys - #entries
end

--- The one-line form of a table's entries, or nil where it does not fit.
function Shower:one_line(parts, width) -- luacheck: ignore self
  if #parts == 0 then return "{}" end
  local sum = 4
  for _, part in ipairs(parts) do
    if string.find(part, "\n", 1, true) then return nil end
    sum = sum + text.width((string.gsub(part, "\27%[[%d;]*m", ""))) + 2
  end
  if sum > width then return nil end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

--- A list of short scalars, as many to a line as fit.
local function wrapped(parts, width, indent)
  local lines, line, used = {}, {}, 0
  for _, part in ipairs(parts) do
    local w = text.width((string.gsub(part, "\27%[[%d;]*m", ""))) + 2
    if used + w > width and #line > 0 then
      lines[#lines + 1] = indent .. table.concat(line, ", ") .. ","
      line, used = {}, 0
    end
    line[#line + 1] = part
    used = used + w
  end
  if #line > 0 then lines[#lines + 1] = indent .. table.concat(line, ", ") .. "," end
  return lines
end

--- `lead`: columns that stand before it on its first line, beside the indent.
function Shower:table(t, depth, indent, seen, path, lead)
  if seen[t] then return self.style:paint("dim", "<a table that holds this one>") end
  local meta = debug.getmetatable(t)
  if err.is(t) then return quote.line(self.redact(tostring(t))) end
  if type(meta) == "table" and rawget(meta, "__tostring") then
    return self.style:paint("type", self:opaque(t))
  end
  if depth > self.limits.depth and next(t) ~= nil then
    self.cut = true
    local n = order.list_length(t)
    return self.style:paint("dim", n and string.format("{ … %d items }", n) or "{ … }")
  end
  seen[t] = true
  local limit = depth == 1 and self.limits.items or self.limits.inner
  local entries, more = self:entries(t, limit)
  local inner = indent .. "  "
  local parts, scalars = {}, true
  for i, entry in ipairs(entries) do
    local shown = self:value(entry.value, depth + 1, inner, seen,
      path .. "." .. tostring(entry.path), entry.key and text.width(entry.key) + 4 or 1)
    scalars = scalars and not entry.key and self:scalar(entry.value) ~= nil
    parts[i] = entry.key and self.style:paint("key", entry.key) .. " = " .. shown or shown
  end
  seen[t] = nil
  local rest = more > 0 and self:more(more)
  if rest and not scalars then parts[#parts + 1] = rest end
  local line = not (rest and scalars) and self:one_line(parts, self.line - #indent - lead)
  if line then return line end
  local lines
  if scalars then
    lines = wrapped(parts, self.line - #inner, inner)
    if rest then lines[#lines + 1] = inner .. rest end
  else
    lines = {}
    for i, part in ipairs(parts) do
      lines[i] = inner .. part .. ((rest and i == #parts) and "" or ",")
    end
  end
  return "{\n" .. table.concat(lines, "\n") .. "\n" .. indent .. "}"
end

--- A filter, in the form that defines it.
function Shower:filter(value, depth, indent, seen, path)
  local definition = value:table()
  local inner, lines = indent .. "  ", {}
  for _, key in ipairs(definition_order) do
    if definition[key] ~= nil then
      lines[#lines + 1] = inner .. self.style:paint("key", key) .. " = "
        .. self:value(definition[key], depth + 1, inner, seen, path .. "." .. key, #key + 4)
        .. ","
    end
  end
  return self.style:paint("type", "filter.new") .. " {\n" .. table.concat(lines, "\n") .. "\n"
    .. indent .. "}"
end

function Shower:value(value, depth, indent, seen, path, lead)
  local content, kind = self:scalar(value)
  if content then return self:paint(kind, content, path) end
  if filter.is(value) then return self:filter(value, depth, indent, seen, path) end
  return self:table(value, depth, indent, seen, path, lead or 0)
end

-- The whole ---------------------------------------------------------------------------

function Shower:records(list, n)
  local rows = {}
  local limit = math.min(n, self.limits.rows)
  for i = 1, limit do rows[i] = rawget(list, i) end
  local lines = grid.lines(self, rows, self.width)
  if n > limit then lines[#lines + 1] = self:more(n - limit) end
  return table.concat(lines, "\n")
end

--- The text of one value, without a newline at its end.
function Shower:show(value)
  if err.is(value) then return (string.gsub(self.report(value), "\n$", "")) end
  if type(value) == "string" and string.find(value, "\n.") then
    local limit = self.limits.block
    value = self.redact(value)
    if #value <= limit then return (string.gsub(quote.block(value), "\n$", "")) end
    local stop = utf8.offset(value, 0, limit + 1) or limit + 1
    return quote.block(string.sub(value, 1, stop - 1)) .. "\n"
      .. self:more(#value - stop + 1) .. " bytes"
  end
  if type(value) == "table" then
    local n = order.list_length(value)
    if n and order.is_records(value, n) then return self:records(value, n) end
  end
  return self:value(value, 1, "", {}, "")
end

return show

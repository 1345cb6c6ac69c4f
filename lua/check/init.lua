--- weir check: what is wrong with a script, or with a definition in a file of its
-- own, that can be known without running anything. All faults of a file in one
-- go, each with its line, column and text.

local definitions = require "check.definitions"
local document = require "check.document"
local globals = require "check.globals"
local needs_read = require "weir.needs_read"
local parser = require "check.parser"
local report = require "check.report"
local types = require "check.types"

local check = {}

local MAX_BYTES = 4 * 1024 * 1024

-- Places -----------------------------------------------------------------------

--- The byte at which each line begins.
local function line_starts(text)
  local starts = { 1 }
  for at in text:gmatch("\n()") do starts[#starts + 1] = at end
  return starts
end

--- Line and column (in characters) of a byte, the line's text, and what of it
-- stands before.
local function place(text, starts, byte)
  local low, high = 1, #starts
  while low < high do
    local middle = (low + high + 1) // 2
    if starts[middle] <= byte then low = middle else high = middle - 1 end
  end
  local line = text:sub(starts[low], (starts[low + 1] or #text + 2) - 2):gsub("\r$", "")
  local before = text:sub(starts[low], byte - 1)
  return low, (utf8.len(before, 1, -1, true) or #before) + 1, line, before
end

--- The byte of a line's column (in characters, from 1), within the line.
local function byte_of(text, starts, line, column)
  local first = starts[line] or #text + 1
  local last = (starts[line + 1] or #text + 2) - 2
  local part = text:sub(first, last)
  local offset = utf8.len(part) and utf8.offset(part, column) or column
  return math.max(first, math.min(first + offset - 1, last))
end

-- Syntax -----------------------------------------------------------------------

--- Lua's own message, and the byte that it means: where it names a token, that
-- token's last place on the line.
local function syntax_fault(message, text, starts)
  local line, what = message:match("^[^\n]*:(%d+): (.*)$")
  line, what = tonumber(line) or 1, what or message
  -- What has no token has the line of its statement.
  line = tonumber(what:match(" at line (%d+)$")) or line
  local first = starts[line] or #text + 1
  local last = (starts[line + 1] or #text + 2) - 2
  local near = what:match(" near '(.*)'$") or what:match(" near (<eof>)$")
  local from, to
  if near == "<eof>" then
    local at = text:find("%S%s*$") or 1
    return at, at, what
  end
  local at = first
  while near do
    local found, stop = text:find(near, at, true)
    if not found or found > last then break end
    from, to, at = found, stop, found + 1
  end
  from = from or text:find("%S", first) or first
  return from, to or from, what
end

-- One file -----------------------------------------------------------------------

--- A list of findings, and a function that adds one: bytes from and to, code,
-- message, hint, severity.
local function new_findings(path, text, starts)
  local findings = {}
  return findings, function(from, to, code, message, hint, severity)
    local line, column, excerpt, before = place(text, starts, from)
    local end_line, end_column = place(text, starts, math.max(from, to))
    findings[#findings + 1] = {
      file = path, line = line, column = column, code = code, message = message,
      end_column = end_line == line and end_column or nil, hint = hint, excerpt = excerpt,
      before = before,
      severity = severity or "error", from = from,
    }
  end
end

local function in_order(findings)
  table.sort(findings, function(a, b)
    if a.from ~= b.from then return a.from < b.from end
    return a.message < b.message
  end)
  for _, finding in ipairs(findings) do finding.from = nil end
  return findings
end

--- Findings of one script's text, in the order of the text: {file, line, column,
-- end_column, code, severity, message, hint, excerpt, before}.
function check.script(path, text)
  local starts = line_starts(text)
  local findings, add_bytes = new_findings(path, text, starts)
  -- Lua's loader of files skips a first line that begins with '#'.
  local code = text:gsub("^#[^\n]*", function(line) return (" "):rep(#line) end)
  local chunk, message = load(code, "=script", "t")
  if not chunk then
    local from, to, what = syntax_fault(message, text, starts)
    add_bytes(from, to, "syntax", what)
    return findings
  end
  local ok, tree = pcall(parser.parse, text)
  if not ok then
    add_bytes(1, 1, "unread", "only the syntax was checked: " .. tree, nil, "note")
    return findings
  end
  local function add(node, ...)
    add_bytes(node.from, node.to, ...)
  end
  local needs, fault = needs_read.read(code)
  if not needs and fault then
    add_bytes(fault.from, fault.to, "needs", fault.message, fault.hint)
  end
  globals.check(tree, add)
  types.check(tree, definitions.check(tree, add), add)
  return in_order(findings)
end

--- The same of a file with definitions, `form` "yaml" or "json".
function check.document(path, text, form)
  local starts = line_starts(text)
  local findings, add_bytes = new_findings(path, text, starts)
  document.check(text, form, function(line, column, length, ...)
    local from = byte_of(text, starts, line, column)
    -- What has no length of its own is marked to the end of its word.
    local to = length > 0 and from + length - 1 or text:find("[%s,%]}]", from + 1)
    add_bytes(from, (to or #text + 1) - (length > 0 and 0 or 1), ...)
  end)
  return in_order(findings)
end

local forms = { yaml = "yaml", yml = "yaml", json = "json" }

--- Findings of a file; nil and a message where it cannot be read.
function check.file(path)
  local file, why = io.open(path, "rb")
  if not file then return nil, why end
  local text, e = file:read(MAX_BYTES + 1)
  file:close()
  if e then return nil, ("%s: %s"):format(path, e) end
  text = text or ""
  if #text > MAX_BYTES then
    return nil, ("%s: over %d bytes, which is more than a script"):format(path, MAX_BYTES)
  end
  local form = forms[(path:match("%.(%a+)$") or ""):lower()]
  if form then return check.document(path, text, form) end
  return check.script(path, text)
end

--- Checks files, and says what it found. Returns the text, the line for stderr,
-- how many errors there are, and { path, message } of each file that cannot be
-- read. Where none could be, there is no line.
function check.run(paths, form)
  local findings, unread, files, errors = {}, {}, 0, 0
  for _, path in ipairs(paths) do
    local list, why = check.file(path)
    if list then
      files = files + 1
      table.move(list, 1, #list, #findings + 1, findings)
    else
      unread[#unread + 1] = {
        path = path, message = why:find(path, 1, true) and why or path .. ": " .. why }
    end
  end
  for _, finding in ipairs(findings) do
    if finding.severity == "error" then errors = errors + 1 end
  end
  local text = form == "json" and report.json(findings, files, errors)
    or report.text(findings, form == "colour")
  return text, files > 0 and report.summary(findings, files, errors), errors, unread
end

return check

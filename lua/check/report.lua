--- What weir check says of its findings: for people, with the line and a mark
-- below it, or as JSON.

local json = require "weir.json"
local text = require "weir.text"

local report = {}

-- Bytes of a source line that are shown.
local MAX_LINE = 200

--- One line of text from outside, without what a terminal would obey and
-- without bytes that are no UTF-8; as long as it was.
local function plain(line)
  if not utf8.len(line) then line = line:gsub("[\x80-\xff]", "?") end
  return (line:gsub("[%c\x7f]", function(c) return c == "\t" and c or " " end))
end

--- At most MAX_LINE bytes of a line, around byte `at`; and the byte they begin
-- with. Characters stay whole.
local function window(line, at)
  if #line <= MAX_LINE then return line, 1 end
  local from = math.max(1, at - MAX_LINE // 2)
  from = utf8.offset(line, 0, from)
  local shown = line:sub(from, from + MAX_LINE - 1)
  while not utf8.len(shown) do shown = shown:sub(1, -2) end
  return shown, from
end

--- The line and the mark below the finding's place.
local function excerpt(finding, paint)
  local line = plain(finding.excerpt)
  local shown, from = window(line, #finding.before)
  local before = line:sub(from, #finding.before)
  local cut = from > 1 and "…" or ""
  local pad = (cut .. before):gsub("[^\t]+", function(part) return (" "):rep(text.width(part)) end)
  -- The mark is as wide as what it stands under.
  local count = (finding.end_column or finding.column) - finding.column + 1
  local under = shown:sub(#before + 1)
  under = under:sub(1, (utf8.offset(under, count + 1) or #under + 1) - 1)
  local length = math.max(1, text.width(under))
  return ("%6d | %s%s\n       | %s%s\n"):format(finding.line, cut, shown, pad,
    paint("1;31", ("^"):rep(length)))
end

--- The text for people; `colour` true paints it.
function report.text(findings, colour)
  local function paint(code, part)
    return colour and ("\27[%sm%s\27[0m"):format(code, part) or part
  end
  local parts = {}
  for _, finding in ipairs(findings) do
    local severity = paint(finding.severity == "note" and "1;36" or "1;31", finding.severity)
    parts[#parts + 1] = ("%s: %s: %s%s [%s]\n"):format(
      paint("1", ("%s:%d:%d"):format(plain(finding.file), finding.line, finding.column)), severity,
      plain(finding.message), finding.hint and (" (%s)"):format(plain(finding.hint)) or "",
      finding.code)
    parts[#parts + 1] = excerpt(finding, paint)
  end
  return table.concat(parts)
end

local shown = { "file", "line", "column", "end_column", "code", "severity", "message", "hint" }

--- The findings as JSON: `{"findings": […], "files": n, "errors": n}`.
function report.json(findings, files, errors)
  local list = json.array {}
  for i, finding in ipairs(findings) do
    list[i] = {}
    for _, key in ipairs(shown) do list[i][key] = finding[key] end
  end
  return assert(json.encode({ findings = list, files = files, errors = errors }, { indent = 2 }))
    .. "\n"
end

local function counted(n, noun)
  return ("%d %s%s"):format(n, noun, n == 1 and "" or "s")
end

--- One line for all: "2 errors and 1 note in 3 files".
function report.summary(findings, files, errors)
  local notes = #findings - errors
  if #findings == 0 then return counted(files, "file") .. ", no fault found" end
  return ("%s%s in %s"):format(counted(errors, "error"),
    notes > 0 and " and " .. counted(notes, "note") or "", counted(files, "file"))
end

return report

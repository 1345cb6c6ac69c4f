--- weir doctor: what a run stands on, looked at one thing after another. Each is
-- well, or says what to do. Nothing is changed anywhere.

local err = require "weir.err"
local json = require "weir.json"
local local_checks = require "doctor.machine"
local tenant_checks = require "doctor.tenant"

local doctor = {}

local Report = {}
Report.__index = Report

--- Adds a finding: "ok", "warn", "fail" or "skip". `why` is the err behind a
-- failure; its code decides the exit code.
function Report:add(name, status, detail, hint, why)
  local check = { name = name, status = status, detail = detail, hint = hint }
  self.checks[#self.checks + 1] = check
  if status == "fail" and not self.failure then
    self.failure = err.is(why) and why.code or why or "failed"
  end
  if self.on_check then self.on_check(check) end
end

function Report:fail(name, why, hint)
  self:add(name, "fail", err.is(why) and why.message or tostring(why),
    hint or err.is(why) and why.hint or nil, why)
end

local exit_codes = { config = 5, auth = 5, permission = 5, timeout = 6, rate = 6 }

--- The first failure decides: those after it mostly follow from it.
local function exit_code(report)
  return report.failure and (exit_codes[report.failure] or 1) or 0
end

local colours = { ok = "32", warn = "33", fail = "1;31", skip = "2" }

--- One line, whatever servers put into their messages.
local function plain(text)
  if not utf8.len(text) then text = text:gsub("[\x80-\xff]", "?") end
  return (text:gsub("%c+", " "))
end

local function line(check, colour)
  local word = ("%-4s"):format(check.status)
  if colour then word = ("\27[%sm%s\27[0m"):format(colours[check.status], word) end
  local text = ("%s  %-18s %s\n"):format(word, check.name:gsub("_", " "), plain(check.detail))
  if check.hint then text = text .. ("      %-18s → %s\n"):format("", plain(check.hint)) end
  return text
end

local function counts(checks)
  local n = { ok = 0, warn = 0, fail = 0, skip = 0 }
  for _, check in ipairs(checks) do n[check.status] = n[check.status] + 1 end
  return n
end

--- Runs all checks. `facts` is what the program knows of itself, `write` takes
-- text for stdout, `finish` the exit code.
function doctor.run(facts, write, finish)
  local report = setmetatable({ checks = json.array {} }, Report)
  if not facts.json then
    report.on_check = function(check) write(line(check, facts.colour)) end
  end
  local_checks.run(report, facts)
  tenant_checks.run(report, facts)
  local code = exit_code(report)
  if facts.json then
    write(assert(json.encode({ checks = report.checks, exit_code = code }, { indent = 2 })) .. "\n")
  else
    local n = counts(report.checks)
    write(("%d ok, %d to look at, %d failed, %d not looked at\n"):format(n.ok, n.warn, n.fail,
      n.skip))
  end
  finish(code)
end

return doctor

--- The interactive session: what an input means and what is shown of it. The
-- program (src/host/repl.c) reads inputs, runs each as a task, and asks here
-- for everything that is not a matter of the terminal.

local chunk = require "weir.repl.chunk"
local commands = require "weir.repl.commands"
local complete = require "weir.repl.complete"
local core = require "weir.core"
local cxone = require "cxone"
local env = require "weir.repl.env"
local frame = require "weir.repl.frame"
local err = require "weir.err"
local help = require "weir.repl.help"
local listing = require "weir.repl.listing"
local notice = require "cxone.notice"
local quote = require "weir.repl.quote"
local resolve = require "weir.repl.resolve"
local seen = require "weir.repl.seen"
local show = require "weir.repl.show"
local style = require "weir.repl.style"
local weir = require "weir"

local repl = {}

local KEPT_CHUNKS = 100 -- inputs whose lines a report can still show
local NO_LIMIT = 1 << 20 -- columns, where output goes to no terminal

local Session = {}
Session.__index = Session

-- The tenant -------------------------------------------------------------------

local function connect()
  local ok, tenant = pcall(cxone.connect)
  if ok then return tenant end
  if err.is(tenant, "config") then
    tenant.hint = "set what is missing, or explore without an account: weir --sim"
  end
  error(tenant, 0)
end

--- Where the session is: a word, and whether that is a real tenant.
function Session:place()
  local tenant = rawget(self.env, "tenant")
  if type(tenant) == "table" and type(tenant.name) == "string" then
    return tenant.simulated and "sim" or tenant.context or tenant.name, not tenant.simulated
  end
  if weir.sim_url then return "sim", false end
  if core.context then return core.context, true end
  local ok, name = pcall(core.setting, "CXONE_TENANT")
  if ok and name then return name, true end
  return "weir", false
end

-- Showing ------------------------------------------------------------------------

--- A shower of values for the terminal as it now is.
function Session:shower(limits)
  local width = NO_LIMIT
  if self.host.fits then width = math.max(20, (self.host.size())) end
  return show.new {
    style = self.style, width = width, limits = limits,
    redact = self.host.redact, report = self.host.report,
    describe = function(fn) return self:describe(fn) end,
  }
end

--- A function of the API says how it is called.
function Session:describe(fn)
  return self.help:describe(fn)
end

function Session:print(text)
  self.host.write(text .. "\n")
end

--- Forgets the last value; a listing that was not read to its end is closed.
function Session:forget()
  if self.rest then self.rest:close() end
  self.last, self.rest = nil, nil
end

--- Shows the results of an expression; they are a listing, or values.
function Session:show_results(results)
  self:forget()
  if listing.is(results) then
    local open = listing.open(results)
    local rows, rest = open:take(show.limits.rows)
    self.env._ = rows
    self.last, self.rest = { n = 1, rows }, rest and open or nil
    local shower = self:shower()
    self:print(shower:show(rows))
    if rest then
      self:print(self.style:paint("dim", "… more; :all shows every one"))
    end
    return
  end
  self.env._ = results[1]
  self.last = results
  -- What io.write returns is for chaining, and nobody's answer.
  if results.n == 1 and results[1] == io.stdout then return end
  self:show_values(results)
end

function Session:show_values(results, limits)
  local shower = self:shower(limits)
  local parts, short = {}, true
  for i = 1, results.n do
    parts[i] = shower:show(results[i])
    short = short and not string.find(parts[i], "\n", 1, true) and not err.is(results[i])
  end
  if #parts > 0 then self:print(table.concat(parts, short and ", " or "\n")) end
  if shower.cut then self:print(self.style:paint("dim", "(:all shows everything)")) end
end

-- Running --------------------------------------------------------------------------

--- A name for the next chunk, and its text so that lines are counted from
-- where it was typed, or from the start of what is read.
function Session:name_chunk(text)
  if not self.host.interactive then
    local padded = string.rep("\n", self.lines) .. text
    self.lines = self.lines + select(2, string.gsub(text, "\n", "")) + 1
    self.host.keep("stdin", padded)
    return "=stdin", padded
  end
  -- One line needs no place: it stands right above.
  if not string.find(text, "\n", 1, true) then return "=[input]", text end
  self.count = self.count + 1
  local name = string.format("input:%d", self.count)
  self.host.keep(name, text)
  if self.count > KEPT_CHUNKS then
    self.host.keep(string.format("input:%d", self.count - KEPT_CHUNKS), "")
  end
  return "=" .. name, text
end

--- A syntax error as an err: where and what, without the chunk's name.
local function syntax_error(message)
  local line, what = string.match(message, "^[^\n]-:(%d+): (.*)$")
  local place = line and line ~= "1" and string.format("line %s: ", line) or ""
  error(err.new { code = "syntax", message = place .. (what or message) }, 0)
end

--- The function that a text is; raises what is wrong with it.
function Session:compile(text)
  local name, padded = self:name_chunk(text)
  local compiled, message = chunk.compile(padded, name, self.env)
  if not compiled then syntax_error(message) end
  return compiled.fn, compiled
end

--- The names that were assigned since `known` was taken, sorted.
local function new_names(declared, known)
  local new = {}
  for name in next, declared do
    if type(name) == "string" and name ~= "_" and not known[name] then new[#new + 1] = name end
  end
  table.sort(new)
  return new
end

local function copy(set)
  local out = {}
  for key in next, set do out[key] = true end
  return out
end

--- Compiles and runs a text; its results, packed, and what it was.
function Session:run(text)
  local fn, compiled = self:compile(text)
  local known = copy(self.declared)
  local results = table.pack(fn())
  self.inputs[#self.inputs + 1] = {
    text = text, new = new_names(self.declared, known),
    compiled = { text = compiled.text, names = compiled.names, expression = compiled.expression },
    listing = listing.is(results),
  }
  return results, compiled
end

--- Runs one input. The program acts on what this returns: nil, or a word
-- ("quit", "edit") and a text or number that goes with it.
function Session:eval(text)
  if string.find(text, "^%s*:[^:]") or string.find(text, "^%s*:$") then
    self.lines = self.lines + 1
    return commands.run(self, (string.match(text, "^%s*:(.-)%s*$")))
  end
  if chunk.is_empty(text) then
    self.lines = self.lines + select(2, string.gsub(text, "\n", "")) + 1
    return nil
  end
  self.typed = text
  local results, compiled = self:run(text)
  if compiled.silent then
    self.env._ = results[1]
    self:forget()
    self.last = results
  elseif results.n > 0 then
    self:show_results(results)
  end
  return nil
end

--- Runs a file; its globals and outermost locals are the session's afterwards.
function Session:load(path)
  local file, reason = io.open(path, "rb")
  if not file then
    error(err.new { code = "io", message = string.format("cannot load %s: %s", path,
      (string.gsub(reason, "^" .. string.gsub(path, "%p", "%%%0") .. ": ", ""))) }, 0)
  end
  local text = file:read("a")
  file:close()
  text = string.gsub(text, "^#[^\n]*", "", 1)
  local kept, names = chunk.keep_locals(text)
  local fn, message = load(kept, "@" .. path, "t", self.env)
  if not fn then syntax_error(message) end
  local known = copy(self.declared)
  fn()
  self.inputs[#self.inputs + 1] = {
    text = text, compiled = { text = kept, names = names },
    new = new_names(self.declared, known),
  }
end

-- For the program ------------------------------------------------------------------

local function config_path()
  local base = os.getenv("XDG_CONFIG_HOME")
  if not base or string.sub(base, 1, 1) ~= "/" then
    local home = os.getenv("HOME")
    if not home or home == "" then return nil end
    base = home .. "/.config"
  end
  return base .. "/weir/repl.lua"
end

function Session:run_rc()
  local path = config_path()
  local file = path and io.open(path, "rb")
  if not file then return end
  file:close()
  self:load(path)
  self.inputs = {} -- what every session begins with is not this one's work
end

--- The line of the script that it has stopped at.
local function excerpt(at)
  local file = at.path and io.open(at.path, "rb")
  if not file then return nil end
  local n, found = 0, nil
  for line in file:lines() do
    n = n + 1
    if n == at.line then found = line break end
  end
  file:close()
  return found
end

function Session:greet_stopped()
  local at = self.frame
  self:print(string.format("stopped at %s:%d", at.source, at.line))
  local line = excerpt(at)
  if line then
    self:print(string.format("%6d | %s", at.line, quote.line(string.sub(line, 1, 160))))
  end
  self:print(self.style:paint("dim", ":locals, :where; :continue or Ctrl-D goes on, :quit ends"))
end

function Session:greet()
  if self.frame then return self:greet_stopped() end
  local place, is_real = self:place()
  local kind = core.context == place and "context " or "tenant "
  local where = is_real and self.style:paint("real", kind .. place)
    or weir.sim_url and "the simulator"
    or "no tenant configured; weir --sim needs none"
  self:print(string.format("weir %s, %s, %s", weir.version, _VERSION, where))
  self:print(self.style:paint("dim", ":help lists what there is, Tab completes, Ctrl-D leaves"))
end

function Session:prompt()
  if self.frame then
    local file = string.gsub(string.match(self.frame.source, "[^/]*$"), "[^%w%-_.]", "?")
    return self.style:paint("sim", string.format("%s:%d", file, self.frame.line)) .. "> "
  end
  local place, is_real = self:place()
  place = string.sub(string.gsub(place, "[^%w%-_.]", "?"), 1, 30)
  return self.style:paint(is_real and "real" or "sim", place) .. "> "
end

function Session:wants_more(text) -- luacheck: ignore self
  local command, rest = string.match(text, "^%s*:(%a+)(.*)$")
  if command then return commands.wants_more(command, rest), 0, 0 end
  local more = chunk.wants_more(text)
  return more, more and chunk.indent(text) or 0, chunk.outdent(text)
end

--- For an error that reads like a misspelt name of the API: what was meant.
function Session:suggest(e)
  local name = type(e) == "string"
    and string.match(e, "attempt to call a nil value %(%w+ '([%w_]+)'%)")
  if not name then return nil end
  local found, near = self.help:lookup(name)
  if found or not near then return nil end
  return string.format("did you mean %s?", near)
end

function Session:complete(text, columns)
  return complete.offer(self, text, columns)
end

--- Begins a session. `host` is what the program gives: see src/host/repl_lib.c.
function repl.start(host)
  local session = setmetatable({
    host = host,
    style = style.new(host.color),
    help = help.new { tenant = "cxone.tenant", weir = "weir", cxone = "cxone" },
    seen = seen.new(),
    inputs = {},  -- those that succeeded
    count = 0,    -- those of many lines
    lines = 0,    -- of a pipe's text so far
  }, Session)
  session.frame = host.thread and frame.of(host.thread)
  session.env, session.declared = env.new(connect, session.frame)
  session.resolver = resolve.new(session.env, session.help, session.frame)
  notice.listen(function(kind, what)
    if kind == "filter" then session.seen:record(what) else session.seen:note(kind, what) end
  end)
  local own_print = print
  _G.print = host.print
  local given = {}
  for _, name in ipairs { "eval", "load", "greet", "run_rc", "prompt", "wants_more", "complete",
                         "suggest" } do
    given[name] = function(...) return session[name](session, ...) end
  end
  given.finish = function() _G.print = own_print end
  return given
end

return repl

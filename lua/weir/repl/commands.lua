--- What begins with a colon. Each command stands in one table, from which
-- running, `:help`, suggestions and completion are made.

local chunk = require "weir.repl.chunk"
local err = require "weir.err"
local save = require "weir.repl.save"
local show = require "weir.repl.show"
local text = require "weir.text"
local watch = require "weir.repl.watch"

local commands = {}

--- {name =, arg =, help =, run = function(session, rest), takes = "lua" |
-- "file" | "name" | nil}
commands.list = {}
local by_name = {}

function commands.add(command)
  commands.list[#commands.list + 1] = command
  by_name[command.name] = command
end

local function usage(command, why)
  error(err.new {
    code = "invalid",
    message = string.format(":%s: %s", command.name, why),
    hint = string.format(":%s%s", command.name, command.arg and " " .. command.arg or ""),
  }, 0)
end
commands.usage = usage

--- The command that a word names, also by the start of its name.
function commands.find(word)
  if by_name[word] then return by_name[word] end
  local found
  for _, command in ipairs(commands.list) do
    if word ~= "" and string.sub(command.name, 1, #word) == word then
      if found then return nil end
      found = command
    end
  end
  return found
end

local function unknown(word)
  local names = {}
  for i, command in ipairs(commands.list) do names[i] = command.name end
  local near = text.nearest(word, names)
  error(err.new {
    code = "invalid",
    message = string.format("no command :%s%s", word,
      near and string.format(" (did you mean :%s?)", near) or ""),
    hint = ":help lists the commands",
  }, 0)
end

--- Runs what stands after the colon.
function commands.run(session, line)
  local word, rest = string.match(line, "^(%S*)%s*(.*)$")
  local command = commands.find(word)
  if not command or command.stopped and not session.frame then unknown(word) end
  if rest ~= "" and not command.arg then usage(command, "takes nothing after it") end
  if rest == "" and command.arg and string.sub(command.arg, 1, 1) ~= "[" then
    usage(command, "needs " .. command.arg)
  end
  return command.run(session, rest, command)
end

--- Whether the Lua after a command needs more lines.
function commands.wants_more(word, rest)
  local command = commands.find(word)
  if not command or command.takes ~= "lua" then return false end
  return chunk.wants_more((string.gsub(rest, "^%s*[%d.]+%s", "", 1)))
end

-- Looking ------------------------------------------------------------------------

commands.add {
  name = "all", help = "the last value, without limits",
  run = function(session)
    if not session.last then session:print("nothing was shown yet") return end
    if session.rest then
      local rows = session.last[1]
      local more = session.rest:take(math.huge)
      session.rest = nil
      for _, row in ipairs(more) do rows[#rows + 1] = row end
    end
    session:show_values(session.last, show.all)
  end,
}

--- Runs Lua as an input would be, and shows its results.
local function run_shown(session, rest)
  local results, compiled = session:run(rest)
  if results.n > 0 and not compiled.silent then session:show_results(results) end
end

--- What the session's tenant has sent so far.
local function requests(session)
  local tenant = rawget(session.env, "tenant")
  local ok, stats = pcall(function() return tenant.client:stats() end)
  return ok and stats or { requests = 0, retries = 0 }
end

commands.add {
  name = "time", arg = "LUA", takes = "lua", help = "how long it takes, and what it sends",
  run = function(session, rest)
    local before, began, cpu = requests(session), session.host.now(), os.clock()
    run_shown(session, rest)
    local took, used, after = session.host.now() - began, os.clock() - cpu, requests(session)
    local sent = after.requests - before.requests
    local repeated = after.retries > before.retries
      and string.format(" (%d repeated)", after.retries - before.retries) or ""
    session:print(session.style:paint("dim",
      string.format("%.1f ms, %.1f ms of it computing, %d request%s%s", took * 1000, used * 1000,
        sent, sent == 1 and "" or "s", repeated)))
  end,
}

-- The session -----------------------------------------------------------------------

commands.add {
  name = "edit", arg = "[LUA]", takes = "lua",
  help = "the last input, or this one, in $EDITOR (also Ctrl-X Ctrl-E)",
  run = function(session, rest)
    return "edit", rest ~= "" and rest or session.typed or ""
  end,
}

commands.add {
  name = "load", arg = "FILE", takes = "file",
  help = "run a file; its names are the session's then",
  run = function(session, rest) session:load(rest) end,
}

commands.add {
  name = "quit", help = "leave (also Ctrl-D)",
  -- At a breakpoint it is the script that is left.
  run = function(session) return "quit", session.frame and 1 or 0 end,
}

commands.add {
  name = "continue", stopped = true, help = "let the script go on (also Ctrl-D)",
  run = function() return "quit", 0 end,
}

commands.add {
  name = "locals", stopped = true, help = "the script's variables where it has stopped",
  run = function(session)
    local shower = session:shower()
    for _, name in ipairs(session.frame:names()) do
      local _, value = session.frame:get(name)
      session:print(session.style:paint("key", name) .. " = "
        .. shower:value(value, 2, "", {}, ""))
    end
  end,
}

commands.add {
  name = "where", stopped = true, help = "the calls that led to where it has stopped",
  run = function(session) session:print(session.frame:traceback()) end,
}


-- Help -----------------------------------------------------------------------------

local function overview(session)
  local rows, widest = {}, 0
  for _, command in ipairs(commands.list) do
    if not command.stopped or session.frame then
      local left = ":" .. command.name .. (command.arg and " " .. command.arg or "")
      rows[#rows + 1] = { left, command.help }
      widest = math.max(widest, #left)
    end
  end
  table.sort(rows, function(a, b) return a[1] < b[1] end)
  local lines = {
    "Type Lua. Expressions are shown without return; _ is the last value; a ; at the end",
    "shows nothing. Locals live on. `tenant` connects when it is first used.", "",
  }
  for _, row in ipairs(rows) do
    lines[#lines + 1] = "  " .. session.style:paint("key", row[1])
      .. string.rep(" ", widest - #row[1] + 2) .. row[2]
  end
  lines[#lines + 1] = ""
  lines[#lines + 1] = "  :help tenant.filters   what a tenant's filters can do"
  lines[#lines + 1] = "  :help deploy           one function, with an example that runs"
  lines[#lines + 1] = "  :help weir             the modules"
  lines[#lines + 1] = ""
  lines[#lines + 1] = "Tab completes (after a '(' it shows what comes next), Up and Ctrl-R search"
  lines[#lines + 1] = "older inputs, Alt-Enter adds a line, Ctrl-C stops what runs, Ctrl-D leaves."
  return table.concat(lines, "\n")
end

local function show_help(session, name, whole)
  if name == "" then return session:print(overview(session)) end
  local command = string.sub(name, 1, 1) == ":" and commands.find(string.sub(name, 2))
  if command then
    return session:print(string.format(":%s%s: %s", command.name,
      command.arg and " " .. command.arg or "", command.help))
  end
  local width = session.host.fits and session.host.size() or 80
  local said, near = session.help:text(name, session.style, width, whole)
  if not said then
    error(err.new {
      code = "not_found",
      message = string.format("there is no help for '%s'%s", name,
        near and string.format(" (did you mean '%s'?)", near) or ""),
      hint = ":help lists the commands, :help weir the modules",
    }, 0)
  end
  session:print(said)
end

commands.add {
  name = "help", arg = "[NAME]", takes = "name", help = "what there is, or what NAME does",
  run = function(session, rest) return show_help(session, rest, false) end,
}

commands.add {
  name = "doc", arg = "NAME", takes = "name",
  help = "all that is known of NAME: options, errors, examples",
  run = function(session, rest) return show_help(session, rest, true) end,
}

-- Again and again -------------------------------------------------------------------

commands.add {
  name = "watch", arg = "SECONDS LUA", takes = "lua",
  help = "show it every so often until Ctrl-C, changes marked",
  run = function(session, rest, command)
    local seconds, code = string.match(rest, "^(%S+)%s+(.+)$")
    seconds = tonumber(seconds)
    if not seconds or seconds < 0.1 or seconds ~= seconds or seconds == math.huge then
      commands.usage(command, "needs a number of seconds, 0.1 or more, and an expression")
    end
    local fn = session:compile(code)
    watch.run(session, fn, seconds, code)
  end,
}

-- Keeping -----------------------------------------------------------------------------

commands.add {
  name = "save", arg = "[-f] FILE", takes = "file",
  help = "the inputs that succeeded, as a script that runs",
  run = function(session, rest, command)
    local force, path = string.match(rest, "^(%-f)%s+(.+)$")
    path = path or rest
    if path == "" or path == "-f" then commands.usage(command, "needs a file's name") end
    if #session.inputs == 0 then commands.usage(command, "nothing has succeeded yet") end
    local existing = not force and io.open(path, "rb")
    if existing then
      existing:close()
      commands.usage(command, path .. " exists; :save -f overwrites it")
    end
    local script = save.script(session.inputs)
    local shown = session.host.redact(script)
    local file, reason = io.open(path, "wb")
    local ok = file and file:write(shown)
    if file and not file:close() then ok = nil end
    if not ok then
      error(err.new { code = "io", message = string.format("cannot write %s", reason or path) }, 0)
    end
    local n = #session.inputs
    session:print(string.format("%d input%s in %s%s", n, n == 1 and "" or "s", path,
      shown ~= script and "; secrets are left out of it" or ""))
  end,
}

commands.add {
  name = "trace", arg = "[on|off]", takes = "switch", help = "show requests and answers, redacted",
  run = function(session, rest, command)
    if rest ~= "" and rest ~= "on" and rest ~= "off" then
      commands.usage(command, "takes on or off, not '" .. rest .. "'")
    end
    local on = rest == "on" or rest == "" and not session.host.trace()
    session.host.trace(on)
    session:print("trace is " .. (on and "on" or "off"))
  end,
}

return commands

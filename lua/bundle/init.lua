--- weir bundle: what goes into a bundle, and how one is shown. Found in texts and
-- tables; nothing of a script runs.

local args_help = require "weir.args_help"
local args_spec = require "weir.args_spec"
local collect = require "bundle.collect"
local complete = require "weir.args_complete"
local json = require "weir.json"
local needs_read = require "weir.needs_read"

local bundle = {}

-- Making ------------------------------------------------------------------------------

--- A declaration of weir.args as the manifest has it; JSON text, or nil.
local function args_text(declaration)
  local out = { params = setmetatable({}, getmetatable(json.decode "[]")) }
  for key, value in pairs(declaration) do
    if type(key) == "string" then out[key] = value end
  end
  for i, param in ipairs(declaration) do
    local copy = {}
    for key, value in pairs(param) do
      -- An empty list says no more than its absence.
      if type(value) ~= "table" or #value > 0 then copy[key] = value end
    end
    out.params[i] = copy
  end
  return json.encode(out)
end

--- The declared arguments as JSON; a warning in its place where they are more than
-- constants, or not what weir.args takes.
local function declared_args(job, text)
  local declaration = complete.declared_in(text)
  if not declaration then
    if text:find("weir%.args") then
      job.warnings[#job.warnings + 1] = ("%s: what weir.args is given is more than constants; "
        .. "weir bundle inspect will not show the arguments"):format(job.main)
    end
    return nil
  end
  local ok, why = pcall(args_spec.read, declaration)
  if not ok then return nil, tostring(why) end
  return args_text(declaration)
end

--- Whether one of the granted paths is the path, or a folder that it is in.
local function is_granted(path, granted, normal)
  path = normal(path)
  for _, each in ipairs(granted) do
    local root = normal(each)
    if path == root or root == "/" or path:sub(1, #root + 1) == root .. "/" then return true end
  end
  return false
end

--- Warns of files that the script reads, and that neither the bundle has nor
-- the declaration grants.
local function warn_outside(job, needs, files)
  for _, it in ipairs(job.outside) do
    if not is_granted(it.name, needs and needs.read or {}, files.normal) then
      job.warnings[#job.warnings + 1] = ("%s: reads '%s', which is no file below the main script's "
        .. "folder, and which weir.needs does not grant"):format(it.place, it.name)
    end
  end
end

--- The declared needs as JSON; nil and a message for a declaration with a fault.
local function declared_needs(job, text, files)
  local needs, fault = needs_read.read(text)
  warn_outside(job, needs, files)
  if needs then return json.encode(needs) end
  if fault and fault.message then
    return nil, ("%s:%d: %s%s"):format(job.main, fault.line, fault.message,
      fault.hint and "; " .. fault.hint or "")
  end
  job.warnings[#job.warnings + 1] = ("%s: declares no weir.needs, so the bundle may do nothing: "
    .. "no network, no files but its own, no environment"):format(job.main)
  return nil
end

--- What `weir bundle create` needs of the main script at `path`: {main, list,
-- warnings, args (JSON text), needs (JSON text)}; nil and a message.
function bundle.prepare(path, includes, files)
  local job, message = collect.files(path, includes, files)
  if not job then return nil, message end
  local text = job.taken[job.main].text
  local args, fault = declared_args(job, text)
  if fault then return nil, ("%s: %s"):format(job.main, fault) end
  job.args = args
  job.needs, fault = declared_needs(job, text, files)
  if fault then return nil, fault end
  return job
end

-- Showing -----------------------------------------------------------------------------

local function add(lines, format, ...)
  lines[#lines + 1] = format:format(...)
end

local function with_commas(number)
  local text = ("%d"):format(number)
  repeat
    local again, n = text:gsub("^(%d+)(%d%d%d)", "%1,%2")
    text = again
  until n == 0
  return text
end

--- Texts without line ends: a line of an author's must not look like one of ours.
local function in_one_line(value)
  if type(value) == "string" then return (value:gsub("%s*\n%s*", " ")) end
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, item in pairs(value) do copy[key] = in_one_line(item) end
  return copy
end

--- A declaration of weir.args from the manifest's form of it.
local function declaration_of(args)
  local declaration = {}
  for i, param in ipairs(args.params) do declaration[i] = in_one_line(param) end
  return declaration
end

--- As weir.args_complete.words, for the arguments of a bundle, JSON text.
function bundle.words(args, before, word)
  return complete.words(declaration_of(assert(json.decode(args))), before, word)
end

--- The part of a --help text that tells of the arguments.
local function arguments(about)
  local declaration = declaration_of(about.args)
  local ok, text = pcall(function()
    return args_help.text(args_spec.read(declaration), about.name)
  end)
  -- Somebody else's weir may know types that this one does not.
  return ok and text:match("^[^\n]*\n(.*)$") or "\n(declared in a way that this weir cannot read)\n"
end

local function summary(about)
  local lines = {}
  add(lines, "%s %s", about.name, about.version)
  local told = about.args and about.args.about
  if told then
    add(lines, "  about     %s", (told:gsub("%s+$", ""):gsub("\n", "\n            ")))
  end
  add(lines, "  file      %s, %s bytes, %s", about.path, with_commas(about.size),
    ({ archive = "an archive", script = "run by its #! line", program = "a program of its own" })
    [about.form])
  add(lines, "  sha256    %s", about.sha256)
  add(lines, "  signature %s", about.signature.words)
  if about.signature.comment then
    add(lines, "            %s", (about.signature.comment:gsub("\t", ", ")))
  end
  add(lines, "  main      %s", about.main)
  add(lines, "  needs     weir %s or newer", about.weir)
  if about.expires then add(lines, "  expires   %s", about.expires) end
  if about.problem then add(lines, "  problem   %s", about.problem) end
  return lines
end

--- The text of `weir bundle inspect` from what is known of the bundle, JSON text.
function bundle.show(known)
  local about = assert(json.decode(known))
  local lines = summary(about)
  add(lines, "")
  add(lines, "will be able to do this, and no more:")
  for _, line in ipairs(about.can) do add(lines, "  %s", line) end
  if about.args then
    lines[#lines + 1] = (arguments(about):gsub("\n$", ""))
  else
    add(lines, "")
    add(lines, "arguments: none are declared")
  end
  add(lines, "")
  add(lines, "files:")
  for _, file in ipairs(about.files) do
    add(lines, "  %s  %10s  %s", file.sha256:sub(1, 16), with_commas(file.size), file.path)
  end
  return table.concat(lines, "\n") .. "\n"
end

return bundle

--- The files of a bundle: the main script, what it requires, what it names, and
-- what was asked for.
--
-- A file's path in the bundle is its path below the main script's folder, or
-- what `require` asked for where a module was found elsewhere.

local names = require "bundle.names"

local collect = {}

-- Modules -----------------------------------------------------------------------------

local standard = {
  _G = true, coroutine = true, debug = true, io = true, math = true, os = true,
  package = true, string = true, table = true, utf8 = true,
}

--- What every weir has, and a bundle need not carry.
local function is_built_in(name)
  return standard[name] or name == "weir" or name == "cxone"
    or (name:find("^weir%.") or name:find("^cxone%.")) and package.preload[name] ~= nil
end

--- Where a module is: its path in the bundle, and that of its file; or nil and
-- why it cannot be had.
local function find_module(job, name)
  local slashed = name:gsub("%.", "/")
  for _, path in ipairs { slashed .. ".lua", slashed .. "/init.lua" } do
    if job.files.is_file(job.root .. path) then return path, job.root .. path end
  end
  local elsewhere = package.searchpath(name, package.path)
  if elsewhere then
    local tail = elsewhere:find("/init%.lua$") and "/init.lua" or ".lua"
    return slashed .. tail, elsewhere
  end
  local library = package.searchpath(name, package.cpath)
  if library then
    return nil, ("module '%s' is a library in C (%s), which a bundle cannot carry")
      :format(name, library)
  end
  return nil, ("module '%s' is not found: there is no %s%s.lua, no %s%s/init.lua, and none "
    .. "in LUA_PATH"):format(name, job.root, slashed, job.root, slashed)
end

-- Files -------------------------------------------------------------------------------

--- Ends the whole with a message.
local function fail(message, ...)
  error({ bundle = message:format(...) }, 0)
end

local function warn(job, message, ...)
  job.warnings[#job.warnings + 1] = message:format(...)
end

--- Whether it comes from elsewhere than its path in the bundle says.
local function is_elsewhere(job, path, disk)
  return job.files.normal(disk) ~= job.files.normal(job.root .. path)
end

--- Warns of a file that only seems to be below the main script's folder: a link
-- in what somebody else wrote could send anything of ours along.
local function warn_of_link(job, path, disk)
  local root = job.files.real(job.root == "" and "." or job.root)
  local real = job.files.real(disk)
  if not root or not real or is_elsewhere(job, path, disk) then return end
  root = root:gsub("/$", "") .. "/"
  if real:sub(1, #root) ~= root then
    warn(job, "%s: is a link to %s, which is not below the main script's folder", path, real)
  end
end

--- Takes a file once. `place` says who asked.
local function take(job, path, disk, place)
  if job.taken[path] then return end
  local text, why = job.files.read(disk)
  if not text then fail("%s%s", place and place .. ": " or "", why) end
  if path ~= job.main then warn_of_link(job, path, disk) end
  local file = { path = path, disk = disk, text = text }
  job.taken[path] = file
  job.list[#job.list + 1] = file
  if path:find("%.lua$") or path == job.main then job.todo[#job.todo + 1] = file end
end

--- A path as the script writes it → its path in the bundle; nil for one that
-- cannot be in a bundle.
local function inner_path(job, path)
  if path == "" or path:sub(1, 1) == "/" then return nil end
  local normal = job.files.normal(path)
  if normal == "." or normal:find("^%.%./") or normal == ".." then return nil end
  return normal
end

local found = {}

function found.module(job, it, place)
  if is_built_in(it.name) or job.modules[it.name] then return end
  local path, disk = find_module(job, it.name)
  if path then
    job.modules[it.name] = true
    take(job, path, disk, place)
  elseif it.optional then
    warn(job, "%s: %s; the bundle goes without", place, disk)
  else
    fail("%s: %s", place, disk)
  end
end

function found.script(job, it, place)
  local path = inner_path(job, it.name)
  if path and job.files.is_file(job.root .. path) then
    take(job, path, job.root .. path, place)
    if not path:find("%.lua$") then job.todo[#job.todo + 1] = job.taken[path] end
  else
    warn(job, "%s: '%s' is not below the main script's folder, and so not in the bundle",
      place, it.name)
  end
end

function found.file(job, it, place)
  local path = inner_path(job, it.name)
  if path and job.files.is_file(job.root .. path) then
    -- A name that only looks like a file's may be anything: what begins with a
    -- dot (.env, .netrc) goes in by --include alone.
    if it.read or not ("/" .. path):find("/%.") then
      take(job, path, job.root .. path, place)
    else
      warn(job, "%s: '%s' is a hidden file, and is left out; --include takes it in", place,
        it.name)
    end
  elseif it.read and it.name ~= "" then
    job.outside[#job.outside + 1] = { place = place, name = it.name }
  end
end

function found.computed(job, _, place)
  warn(job, "%s: what is loaded here is computed when the script runs, and cannot be followed; "
    .. "--include FILE takes it in", place)
end

--- Lua's own message for text that is no Lua.
local function check_syntax(file)
  local code = file.text:gsub("^#[^\n]*", function(line) return (" "):rep(#line) end)
  local _, message = load(code, "=" .. file.path, "t")
  return message
end

local function follow(job, file)
  local message = check_syntax(file)
  if message then fail("%s", message) end
  local ok, list = pcall(names.of, file.text)
  if not ok then
    warn(job, "%s: cannot be followed (%s); --include takes in what it loads", file.path, list)
    return
  end
  for _, it in ipairs(list) do
    found[it.kind](job, it, ("%s:%d"):format(file.path, names.line(file.text, it.from)))
  end
end

-- What was asked for ----------------------------------------------------------------

--- The path below the root of a path of the command line; nil if it is not below.
local function below_root(job, path)
  local root = job.files.normal(job.root == "" and "." or job.root)
  local normal = job.files.normal(path)
  if root == "." then return normal:sub(1, 1) ~= "/" and inner_path(job, normal) or nil end
  if normal:sub(1, #root + 1) == root .. "/" then return normal:sub(#root + 2) end
  return nil
end

local function include(job, path, depth)
  local place = "--include " .. path
  local inside = below_root(job, path)
  if not inside then
    fail("%s: is not below %s, the folder of the main script", place,
      job.root == "" and "the current folder" or job.root)
  end
  local entries, why = job.files.list(path)
  if not entries then
    if not job.files.is_file(path) then fail("%s: %s", place, why) end
    return take(job, inside, path, place)
  end
  if depth > 32 then fail("%s: folders are nested too deeply", place) end
  for _, name in ipairs(entries) do
    if name:sub(1, 1) ~= "." then include(job, path:gsub("/*$", "/") .. name, depth + 1) end
  end
end

-- For callers -----------------------------------------------------------------------

--- Collects for the main script at `path`, with --include's `includes`. `files`
-- are the functions is_file, read, list, normal and real. Returns {main, list of {path,
-- disk, text} sorted by path, lines that tell of them, warnings, outside: {place,
-- name} of what is read and not below the main script's folder}; nil and a message
-- where the bundle cannot be made.
function collect.files(path, includes, files)
  local root, main = path:match("^(.*/)([^/]+)$")
  local job = {
    root = root or "", main = main or path, files = files, taken = {}, list = {}, todo = {},
    modules = {}, warnings = {}, outside = {}, lines = {},
  }
  local ok, problem = pcall(function()
    take(job, job.main, path)
    for _, each in ipairs(includes) do include(job, each, 0) end
    while job.todo[1] do follow(job, table.remove(job.todo, 1)) end
  end)
  if not ok then
    if type(problem) == "table" and problem.bundle then return nil, problem.bundle end
    error(problem, 0)
  end
  table.sort(job.list, function(a, b) return a.path < b.path end)
  for i, file in ipairs(job.list) do
    -- What comes from elsewhere is to be seen: nobody looks for it here.
    job.lines[i] = file.path
      .. (is_elsewhere(job, file.path, file.disk) and (" (from %s)"):format(file.disk) or "")
  end
  return job
end

return collect

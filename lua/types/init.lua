--- weir types: the type stubs as files, and the settings that point the Lua
-- language server to them.

local core = require "weir.core"
local luarc = require "types.luarc"

local types = {}

-- What of the folder was written by an earlier run, one path a line.
local MANIFEST = "weir-types.txt"
local SETTINGS = ".luarc.json"
local MAX_BYTES = 1024 * 1024

--- The bytes of a file; nil where there is none; nil and why where it cannot
-- be read.
local function read(path)
  local file, why, number = io.open(path, "rb")
  if not file then
    if number == 2 then return nil end -- ENOENT
    return nil, why
  end
  local text, e = file:read(MAX_BYTES + 1)
  file:close()
  if e then return nil, ("%s: %s"):format(path, e) end
  if text and #text > MAX_BYTES then
    return nil, ("%s: over %d bytes"):format(path, MAX_BYTES)
  end
  return text or ""
end

-- Stubs --------------------------------------------------------------------------

--- Where the stub of a module goes: "weir/page.lua"; "weir/init.lua" where
-- there are modules below it.
local function path_of(module, texts)
  local path = module:gsub("%.", "/")
  for other in pairs(texts) do
    if other:sub(1, #module + 1) == module .. "." then return path .. "/init.lua" end
  end
  return path .. ".lua"
end

--- The texts by path, and the paths in order.
local function wanted()
  local texts, by_path, order = core.stubs(), {}, {}
  for module, text in pairs(texts) do
    local path = path_of(module, texts)
    by_path[path], order[#order + 1] = text, path
  end
  table.sort(order)
  return by_path, order
end

--- The paths that an earlier run has written: plain ones below the folder.
local function written_before(dir)
  local list = {}
  for line in (read(dir .. "/" .. MANIFEST) or ""):gmatch("[^\n]+") do
    if line:find("^[%w_/]+%.lua$") and line:sub(1, 1) ~= "/" then list[#list + 1] = line end
  end
  return list
end

--- True for a text that a program may replace: types only, never run.
local function is_stub(text)
  return text:find("^%-%-%-@meta") ~= nil
end

local function write_stub(files, dir, path, text)
  local at = dir .. "/" .. path
  local old, why = read(at)
  if why then return nil, why end
  if old == text then return false end
  if old and not is_stub(old) then
    return nil, at .. ": is in the way; it is no type stub, and was not written by weir"
  end
  local made
  made, why = files.folder(at:match("^(.*)/"))
  if not made then return nil, why end
  made, why = files.replace(at, text)
  if not made then return nil, why end
  return true
end

--- Removes what an earlier run wrote and this one did not.
local function remove_gone(dir, by_path)
  local n = 0
  for _, path in ipairs(written_before(dir)) do
    local at = dir .. "/" .. path
    local old = not by_path[path] and read(at)
    if old and is_stub(old) then
      local ok, why = os.remove(at)
      if not ok then return nil, why end
      os.remove(at:match("^(.*)/")) -- the folder, if nothing is left in it
      n = n + 1
    end
  end
  return n
end

local function write_manifest(files, dir, order)
  local text = ("stubs written by weir types, weir %s\n%s\n"):format(core.version,
    table.concat(order, "\n"))
  if read(dir .. "/" .. MANIFEST) == text then return true end
  return files.replace(dir .. "/" .. MANIFEST, text)
end

--- How many are there, how many of them changed, how many went; or nil and why.
local function write_stubs(files, dir)
  local by_path, order = wanted()
  local ok, why = files.folder(dir)
  if not ok then return nil, why end
  local changed = 0
  for _, path in ipairs(order) do
    local new
    new, why = write_stub(files, dir, path, by_path[path])
    if new == nil then return nil, why end
    changed = changed + (new and 1 or 0)
  end
  local gone
  gone, why = remove_gone(dir, by_path)
  if not gone then return nil, why end
  ok, why = write_manifest(files, dir, order)
  if not ok then return nil, why end
  return #order, changed, gone
end

-- Settings -----------------------------------------------------------------------

--- What is said of the settings as done, what as left to do, and whether all is.
local function write_settings(files, dir)
  local old, why = read(SETTINGS)
  if why then return nil, { why } end
  local text, notes, complete = luarc.merge(old, dir)
  for i, note in ipairs(notes) do notes[i] = ("%s: %s"):format(SETTINGS, note) end
  if not text then return complete and SETTINGS .. ": nothing to add" or nil, notes, complete end
  local ok
  ok, why = files.replace(SETTINGS, text)
  if not ok then
    notes[#notes + 1] = why
    return nil, notes, false
  end
  return SETTINGS .. (old and ": added what was missing" or ": written"), notes, complete
end

--- Writes both. Returns lists of what was done and of what is left to do, and
-- whether that is nothing.
function types.write(dir, files)
  dir = #dir > 1 and dir:gsub("/+$", "") or dir
  if dir == "" then dir = "/" end
  local n, changed, gone = write_stubs(files, dir)
  if not n then return {}, { changed }, false end
  local done = { ("%s: %d stubs, %d written%s"):format(dir, n, changed,
    gone > 0 and (", %d removed"):format(gone) or "") }
  local said, notes, complete = write_settings(files, dir)
  done[#done + 1] = said
  return done, notes, complete or false
end

return types

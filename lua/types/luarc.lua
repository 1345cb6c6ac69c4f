--- .luarc.json: the settings of the Lua language server that scripts of weir
-- need, added to what is there. (https://luals.github.io/wiki/configuration/)

local json = require "weir.json"

local luarc = {}

local GLOBALS = { "arg", "cxone", "weir" }
local VERSION = "Lua 5.4"

--- Where a setting stands: its table and key. The file may write
-- "workspace.library" in one word or in tables, each with "Lua" before it; one
-- that is missing goes where its section is.
local function find(doc, section, key)
  local flat = section .. "." .. key
  for _, name in ipairs { flat, "Lua." .. flat } do
    if doc[name] ~= nil then return doc, name end
  end
  local outer = type(doc.Lua) == "table" and doc.Lua or {}
  for _, holder in ipairs { doc, outer } do
    if type(holder[section]) == "table" then return holder[section], key end
  end
  if doc.Lua == outer then
    return outer, flat
  end
  return doc, flat
end

--- A path as it is compared.
local function plain(path)
  return (path:gsub("^%./", ""):gsub("/+$", ""))
end

local function has(list, value)
  if list[value] ~= nil then return true end -- {"path": true}
  for _, each in ipairs(list) do
    if type(each) == "string" and plain(each) == value then return true end
  end
  return false
end

--- Adds values to a list; true if there was one to add, nil if it is no list.
local function add(doc, section, key, values)
  local holder, name = find(doc, section, key)
  local list = holder[name]
  if list == nil or list == json.null then list = json.array {} end
  if type(list) ~= "table" then return nil end
  local is_map = next(list) ~= nil and #list == 0
  local added = false
  for _, value in ipairs(values) do
    if not has(list, plain(value)) then
      added = true
      if is_map then list[value] = true else list[#list + 1] = value end
    end
  end
  if added then holder[name] = list end
  return added
end

local function words(list)
  local quoted = {}
  for i, each in ipairs(list) do quoted[i] = assert(json.encode(each)) end
  return "[" .. table.concat(quoted, ", ") .. "]"
end

--- The settings as a text to be added by hand.
local function by_hand(dir)
  return ('add "runtime.version": %s, "workspace.library": %s and "diagnostics.globals": %s')
    :format(assert(json.encode(VERSION)), words { dir }, words(GLOBALS))
end

local function encode(doc)
  return assert(json.encode(doc, { indent = 2 })) .. "\n"
end

local function fresh(dir)
  return encode {
    ["runtime.version"] = VERSION,
    ["workspace.library"] = json.array { dir },
    ["workspace.checkThirdParty"] = false,
    ["diagnostics.globals"] = json.array { table.unpack(GLOBALS) },
  }
end

--- Adds what is missing. `old` is the file's text, nil if there is none. Returns
-- the new text (nil if it stays as it is), notes, and whether all is in it.
function luarc.merge(old, dir)
  if not old or not old:find("%S") then return fresh(dir), {}, true end
  local doc, e = json.decode(old)
  if type(doc) ~= "table" or #doc > 0 or old:find("^%s*%[") then
    -- A file with comments, which the server takes, is left to its owner.
    if old:find('"' .. dir .. '"', 1, true) then
      return nil, { "is not plain JSON, and names " .. dir .. " already: left as it is" }, true
    end
    return nil, { ("is not changed, since it is no plain JSON object (%s); %s"):format(
      e and e.message or "it is another value", by_hand(dir)) }, false
  end
  local notes, changed, complete = {}, false, true
  local holder, name = find(doc, "runtime", "version")
  if holder[name] == nil or holder[name] == json.null then
    holder[name], changed = VERSION, true
  elseif holder[name] ~= VERSION then
    notes[#notes + 1] = ("%s is %s, and scripts of weir are %s; left as it is"):format(name,
      json.encode(holder[name]) or "another value", VERSION)
  end
  for _, each in ipairs { { "workspace", "library", { dir } },
    { "diagnostics", "globals", GLOBALS } } do
    local added = add(doc, each[1], each[2], each[3])
    if added == nil then
      notes[#notes + 1] = ("%s.%s is no list; make it one with %s"):format(each[1], each[2],
        words(each[3]))
      complete = false
    end
    changed = changed or added == true
  end
  return changed and encode(doc) or nil, notes, complete
end

return luarc

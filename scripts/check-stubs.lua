-- check-stubs: what scripts can call and what lua/meta says they can must be
-- the same, both ways. Run by lint, inside weir: `weir run --sim …`.

local stubs = require "weir.stubs"

local db = stubs.load()
local faults = {}

local function fault(...)
  faults[#faults + 1] = (...):format(select(2, ...))
end

-- Types that need no declaration.
local plain = {}
for name in ([[any nil string number integer boolean table function userdata T R K V]])
  :gmatch("%S+") do
  plain[name] = true
end

-- Things of each class to look at --------------------------------------------------

local weir = require "weir"
local tenant = require "cxone".connect()
local definition = {
  name = "stub", channel = "chat", target_group_id = "grp_1",
}

local function response()
  return assert(weir.http.get(weir.sim_url .. "/_sim"))
end

-- How each class with methods comes to be. A class that is not here and has
-- methods is a fault of this list.
local instances = {
  ["weir.auth.Auth"] = function() return tenant.auth end,
  ["weir.client.Client"] = function() return tenant.client end,
  ["weir.filter.filter"] = function() return weir.filter.new(definition) end,
  ["weir.http.response"] = response,
  ["weir.regex.re"] = function() return assert(weir.regex.compile("x")) end,
  ["weir.task.Task"] = function()
    local task = weir.task.spawn(function() end)
    task:join()
    return task
  end,
  ["cxone.tenant"] = function() return tenant end,
  ["cxone.filters"] = function() return tenant.filters end,
  ["cxone.groups"] = function() return tenant.groups end,
  ["cxone.audit"] = function() return tenant.audit end,
}

--- What of a module is data: it needs a stub too.
local function check_data(class_name, module)
  for name, each in pairs(type(module) == "table" and module or {}) do
    if type(name) == "string" and type(each) ~= "function" and not name:find("^_")
      and not stubs.member(db, class_name, name) then
      fault("%s: field '%s' has no stub", class_name, name)
    end
  end
end

--- The functions that a value offers by name: its own, or its metatable's. A
-- metatable that is hidden from scripts is not hidden from debug.
local function functions_of(value)
  local found = {}
  local function add(from)
    for name, each in pairs(type(from) == "table" and from or {}) do
      if type(name) == "string" and type(each) == "function" and not name:find("^_") then
        found[name] = true
      end
    end
  end
  add(value)
  local meta = debug.getmetatable(value)
  add(meta and meta.__index)
  return found
end

-- Both ways --------------------------------------------------------------------------

local function compare(class_name, value)
  local class, found = db.classes[class_name], functions_of(value)
  local has = function(name)
    local ok, member = pcall(function() return value[name] end)
    return ok and type(member) == "function"
  end
  for name in pairs(found) do
    local member = stubs.member(db, class_name, name)
    if not member then fault("%s: '%s' can be called, and has no stub", class_name, name) end
  end
  for name, field in pairs(class.fields) do
    if field.kind == "function" and not has(name) then
      fault("%s: the stub '%s' names a function that is not there", class_name, name)
    end
  end
end

--- Every type that a stub mentions must be one.
local function check_types(class_name)
  local function walk(it, where)
    if type(it) ~= "table" then return end
    if it.kind == "name" and type(it.name) == "string" and it.params == nil and it.doc == nil
      and not plain[it.name] and not db.classes[it.name] and not db.aliases[it.name] then
      fault("%s: no type '%s'", where, it.name)
    end
    for _, inner in pairs(it) do walk(inner, where) end
  end
  local class = db.classes[class_name]
  for name, field in pairs(class.fields) do
    local where = class_name .. "." .. name
    walk(field.type, where)
    for _, part in ipairs { field.params or {}, field.returns or {} } do
      for _, each in ipairs(part) do walk(each.type, where) end
    end
    walk(field.overloads, where)
    if field.kind == "function" and field.doc == "" and #field.returns == 0 then
      fault("%s: says neither what it does nor what it returns", where)
    end
    for _, param in ipairs(field.params or {}) do
      if not param.described then
        fault("%s: parameter '%s' has no @param", where, param.name)
      end
    end
  end
  for _, parent in ipairs(class.parents) do
    if not db.classes[parent] then fault("%s: no class '%s' to inherit", class_name, parent) end
  end
end

--- The module of a public name must have a stub, and the other way round.
local function check_modules()
  for _, name in ipairs(require "weir.modules") do
    if not db.modules["weir." .. name] then fault("module weir.%s has no stub", name) end
    if not stubs.member(db, "weir", name) then fault("weir: field '%s' has no stub", name) end
  end
  for module, class_name in pairs(db.modules) do
    local ok, value = pcall(require, module)
    if ok then
      compare(class_name, value)
      check_data(class_name, value)
    else
      fault("a stub for module %s, which is not there", module)
    end
  end
end

check_modules()
local is_module = {}
for _, class_name in pairs(db.modules) do is_module[class_name] = true end
for class_name, class in pairs(db.classes) do
  check_types(class_name)
  local has_methods = false
  for _, field in pairs(class.fields) do has_methods = has_methods or field.kind == "function" end
  if instances[class_name] then
    compare(class_name, instances[class_name]())
  elseif has_methods and not is_module[class_name] then
    fault("%s: has methods; say in scripts/check-stubs.lua how one comes to be", class_name)
  end
end
for _, alias in pairs(db.aliases) do
  if not alias.type then fault("alias %s: no type", alias.name) end
end

table.sort(faults)
for _, each in ipairs(faults) do print(each) end
os.exit(#faults == 0 and 0 or 1)

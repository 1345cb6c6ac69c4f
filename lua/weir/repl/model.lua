--- Questions to the type stubs (weir.stubs): what a class has, where a type
-- leads, how a function is called.

local stubs = require "weir.stubs"

local model = {}

local Model = {}
Model.__index = Model

--- `roots` maps names that are there without `require` to their classes.
function model.new(roots)
  local db = stubs.load()
  local self = setmetatable({
    db = db, classes = db.classes, modules = db.modules, aliases = db.aliases, roots = roots,
    functions = {},
  }, Model)
  local names = {}
  for name in pairs(db.classes) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local class = db.classes[name]
    for _, member in ipairs(class.order) do
      local it = class.fields[member]
      if it.kind == "function" then self.functions[#self.functions + 1] = it end
    end
  end
  return self
end

--- Whether it may be left out: a field, parameter or result.
function model.is_optional(it)
  if it.optional then return true end
  for _, each in ipairs(it.type and it.type.kind == "union" and it.type.list or {}) do
    if each.kind == "name" and each.name == "nil" then return true end
  end
  return false
end

-- Types ------------------------------------------------------------------------------

--- The classes behind a type, as a list: through aliases and unions; for a list,
-- none. A record that is written out counts as a class without a name.
function Model:classes_of(tree, out, depth)
  out, depth = out or {}, depth or 0
  if not tree or depth > 16 then return out end
  if tree.class then
    out[#out + 1] = tree.class
  elseif tree.kind == "name" then
    if self.classes[tree.name] then
      out[#out + 1] = self.classes[tree.name]
    elseif self.aliases[tree.name] then
      self:classes_of(self.aliases[tree.name].type, out, depth + 1)
    end
  elseif tree.kind == "union" then
    for _, one in ipairs(tree.list) do self:classes_of(one, out, depth + 1) end
  elseif tree.kind == "record" then
    local class = { name = "", fields = {}, order = {}, parents = {} }
    for i, field in ipairs(tree.fields) do
      class.order[i] = field.name
      class.fields[field.name] = {
        kind = "field", name = field.name, optional = field.optional, type = field.type,
        text = "", doc = "",
      }
    end
    out[#out + 1] = class
  end
  return out
end

--- The type of a list's elements, or nil.
function Model:element_of(tree, depth)
  depth = depth or 0
  if not tree or depth > 16 then return nil end
  if tree.kind == "array" then return tree.of end
  if tree.kind == "union" then
    for _, one in ipairs(tree.list) do
      local of = self:element_of(one, depth + 1)
      if of then return of end
    end
  elseif tree.kind == "name" and self.aliases[tree.name] then
    return self:element_of(self.aliases[tree.name].type, depth + 1)
  end
  return nil
end

--- The strings that a type allows, as {text, doc}, in their order.
function Model:literals_of(tree, out, depth)
  out, depth = out or {}, depth or 0
  if not tree or depth > 16 then return out end
  if tree.kind == "literal" and type(tree.value) == "string" then
    out[#out + 1] = { text = tree.value, doc = "" }
  elseif tree.kind == "union" then
    for _, one in ipairs(tree.list) do self:literals_of(one, out, depth + 1) end
  elseif tree.kind == "name" and self.aliases[tree.name] then
    local alias = self.aliases[tree.name]
    if #alias.values == 0 then return self:literals_of(alias.type, out, depth + 1) end
    for _, value in ipairs(alias.values) do
      local before = #out
      self:literals_of(value.type, out, depth + 1)
      if #out == before + 1 then out[#out].doc = value.doc end
    end
  end
  return out
end

-- Members ----------------------------------------------------------------------------

--- A class and what it inherits from, nearest first.
function Model:line_of(class, out)
  out = out or {}
  for _, known in ipairs(out) do
    if known == class then return out end
  end
  out[#out + 1] = class
  for _, parent in ipairs(class.parents) do
    if self.classes[parent] then self:line_of(self.classes[parent], out) end
  end
  return out
end

--- All members of a class, sorted by name: fields and functions as weir.stubs
-- has them.
function Model:members(class)
  local members, seen = {}, {}
  for _, c in ipairs(self:line_of(class)) do
    for _, name in ipairs(c.order) do
      if not seen[name] then
        seen[name] = true
        members[#members + 1] = c.fields[name]
      end
    end
  end
  table.sort(members, function(a, b) return a.name < b.name end)
  return members
end

--- The member of that name and the class that it is of, or nil.
function Model:member(class, name)
  for _, c in ipairs(self:line_of(class)) do
    if c.fields[name] then return c.fields[name], c end
  end
  return nil
end

-- Names -----------------------------------------------------------------------------

--- The module whose class this is, or nil.
function Model:module_of(class_name)
  for module, name in pairs(self.modules) do
    if name == class_name then return module end
  end
  return nil
end

--- How the objects of a class are written: a module by its name; a root, or
-- what a root holds, by the way to it ("tenant.filters"); else the last word of
-- the class's name, in small letters.
function Model:path_of(class_name)
  for root, root_class in pairs(self.roots) do
    if root_class == class_name then return root end
    local class = self.classes[root_class]
    for _, name in ipairs(class and not self:module_of(root_class) and class.order or {}) do
      local it = class.fields[name]
      if it.kind == "field" and it.type.kind == "name" and it.type.name == class_name then
        return root .. "." .. name
      end
    end
  end
  local module = self:module_of(class_name)
  return module or string.lower(string.match(class_name, "[%w_]+$") or class_name)
end

--- The name under which a function is called: "tenant.filters:deploy".
function Model:name_of(fn)
  local path = self:path_of(fn.owner)
  -- An object of a module that is named like it: client:get, not weir.client:get.
  if fn.method and self:module_of(fn.owner) then path = string.match(path, "[%w_]+$") end
  return path .. (fn.method and ":" or ".") .. fn.name
end

--- `tenant.filters:deploy(definition, opts?) → cxone.record`.
function Model:signature(fn)
  local returns = {}
  for i, returned in ipairs(fn.returns) do returns[i] = returned.text end
  local name = self:name_of(fn)
  return stubs.signature(fn, string.match(name, "^(.*)[.:][%w_]+$"))
    .. (#returns > 0 and " → " .. table.concat(returns, ", ") or "")
end

return model

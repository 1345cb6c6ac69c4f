--- What a chain of names leads to: a value where that can be seen without
-- running anything, and else the type that the stubs tell.

local resolve = {}

local Resolver = {}
Resolver.__index = Resolver

-- Objects whose metatable is called like the module that makes them.
local object_classes = {
  ["weir.filter"] = "weir.filter.filter", ["weir.task"] = "weir.task.Task",
  ["weir.err"] = "weir.err.Err", ["weir.regex"] = "weir.regex.re",
  ["weir.auth"] = "weir.auth.Auth", ["weir.client"] = "weir.client.Client",
}

--- `vars`: the session's names; `help`: a repl.help; `frame`: where a script has
-- stopped, or nil.
function resolve.new(vars, help, frame)
  return setmetatable({
    vars = vars, model = help.model, roots = help.roots, frame = frame,
  }, Resolver)
end

--- The class of a value, or nil.
function Resolver:class_of_value(value)
  local meta = debug.getmetatable(value)
  if type(value) == "string" then return nil end
  local name = type(meta) == "table" and rawget(meta, "__name")
  if type(value) == "table" then
    for module, class in pairs(self.model.modules) do
      if package.loaded[module] == value then return self.model.classes[class] end
    end
  end
  if type(name) ~= "string" then
    name = type(meta) == "table" and rawget(meta, "__metatable")
  end
  if type(name) ~= "string" then return nil end
  return self.model.classes[object_classes[name] or name]
end

--- A field of a value without running code: through tables of __index only.
local function peek(value, key)
  for _ = 1, 10 do
    if type(value) ~= "table" then break end
    local found = rawget(value, key)
    if found ~= nil then return found end
    local meta = debug.getmetatable(value)
    local index = type(meta) == "table" and rawget(meta, "__index")
    if type(index) ~= "table" then return nil end
    value = index
  end
  local meta = type(value) ~= "table" and debug.getmetatable(value)
  local index = type(meta) == "table" and rawget(meta, "__index")
  if type(index) == "table" and type(value) ~= "nil" then return rawget(index, key) end
  return nil
end

local function as_type(class)
  return class and { kind = "name", name = class.name, class = class }
end

--- The classes of a type.
function Resolver:classes(tree)
  return self.model:classes_of(tree)
end

--- One step by types: the member's type, or its function.
function Resolver:step_type(tree, name)
  for _, class in ipairs(self:classes(tree)) do
    local member = self.model:member(class, name)
    if member then
      local is_function = member.kind == "function"
      return not is_function and member.type or nil, is_function and member or nil
    end
  end
  return nil
end

--- {value =, type =, fn =} of what the chain leads to; any may be absent.
function Resolver:chain(chain)
  local here = {}
  local name = chain.root
  here.value = rawget(self.vars, name)
  if here.value == nil and self.frame then here.value = select(2, self.frame:get(name)) end
  if here.value == nil then here.value = rawget(_G, name) end
  if here.value == nil and self.roots[name] then
    here.type = as_type(self.model.classes[self.roots[name]])
  end
  for _, step in ipairs(chain) do
    here = self:step(here, step)
    if not here then return {} end
  end
  return here
end

function Resolver:type_of(here)
  if here.type then return here.type end
  return here.value ~= nil and as_type(self:class_of_value(here.value)) or nil
end

function Resolver:step(here, step)
  local name = step.field or step.method
  if step.call then
    local fn = here.fn
    local returned = fn and fn.returns[1] and fn.returns[1].type
    -- What is made for a loop gives rows.
    return { type = returned }
  end
  local value
  if name ~= nil and here.value ~= nil then value = peek(here.value, name) end
  local tree, fn = nil, nil
  local type_here = self:type_of(here)
  if type_here and type(name) == "string" then tree, fn = self:step_type(type_here, name) end
  if step.index and type_here then tree = self.model:element_of(type_here) or tree end
  return { value = value, type = tree, fn = fn }
end

--- The function that a chain calls, from the stubs, and whether it is called
-- with ':'.
function Resolver:callee(chain)
  local here = self:chain(chain)
  local last = chain[#chain]
  return here.fn, last ~= nil and last.method ~= nil
end

-- Members --------------------------------------------------------------------------

--- The names that a value or type has: {name, kind = "function" | "method" |
-- "field", doc, fn, field}.
function Resolver:members(here)
  local found, seen = {}, {}
  local function add(name, kind, more)
    if type(name) ~= "string" or seen[name] or string.sub(name, 1, 2) == "__" then return end
    seen[name] = true
    more = more or {}
    more.name, more.kind = name, kind
    found[#found + 1] = more
  end
  for _, class in ipairs(self:classes(self:type_of(here))) do
    for _, member in ipairs(self.model:members(class)) do
      if member.kind == "function" then
        add(member.name, member.method and "method" or "function", { fn = member })
      else
        add(member.name, "field", { field = member })
      end
    end
  end
  local value = here.value
  local function add_table(t)
    for key, held in next, t do add(key, type(held) == "function" and "function" or "field") end
  end
  for _ = 1, 10 do
    if type(value) == "table" then add_table(value) end
    local meta = debug.getmetatable(value)
    local index = type(meta) == "table" and rawget(meta, "__index")
    if type(index) ~= "table" then break end
    value = index
    if type(here.value) ~= "table" then -- of a string, a file: its methods
      for key, held in next, index do
        add(key, type(held) == "function" and "method" or "field")
      end
    end
  end
  table.sort(found, function(a, b) return a.name < b.name end)
  return found
end

-- Expected types ----------------------------------------------------------------------

--- The parameter that the argument at `index` of a call fills.
function Resolver:param(opener)
  local fn, colon = nil, false
  if opener.callee then fn, colon = self:callee(opener.callee) end
  if not fn then return nil end
  local index = opener.index
  if fn.method and not colon then index = index - 1 end
  local params = fn.params
  return params[index] or (params[#params] and params[#params].name == "..." and params[#params]),
    fn
end

--- The type of the table that the opener `k` of the stack begins, or nil.
function Resolver:table_type(stack, k)
  local opener = stack[k]
  if opener.called then
    local param = self:param { callee = opener.callee, index = 1 }
    return param and param.type
  end
  return k > 1 and self:expected(stack, k - 1) or nil
end

--- The type of the value that stands next in opener `k`; its name and function
-- where that is a parameter.
function Resolver:expected(stack, k)
  local opener = stack[k]
  if not opener or opener.kind == "[" then return nil end
  if opener.kind == "(" then
    local param, fn = self:param(opener)
    return param and param.type, param and param.name, fn
  end
  local own = self:table_type(stack, k)
  if not own then return nil end
  if opener.key then
    local tree = self:step_type(own, opener.key)
    return tree, opener.key
  end
  return self.model:element_of(own)
end

return resolve

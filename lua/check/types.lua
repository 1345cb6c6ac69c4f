--- Misspelt members and option keys, by what the stubs say: what a module or an
-- object has, and what the options of a function may hold. Only what is certain
-- is followed: modules, results of known functions, locals that are set once.

local parser = require "check.parser"
local stubs = require "weir.stubs"
local text = require "weir.text"

local types = {}

-- Following types ----------------------------------------------------------------

local function class_type(name)
  return name and { kind = "name", name = name }
end

--- What a type is beside nil; the alias behind a name.
local function settled(db, type, depth)
  depth = depth or 0
  if not type or depth > 8 then return nil end
  if type.kind == "union" then
    local rest = {}
    for _, each in ipairs(type.list) do
      if not (each.kind == "name" and each.name == "nil") then rest[#rest + 1] = each end
    end
    return #rest == 1 and settled(db, rest[1], depth + 1) or { kind = "union", list = rest }
  end
  local alias = type.kind == "name" and db.aliases[type.name]
  if alias then return settled(db, alias.type, depth + 1) end
  return type
end

local function class_of(db, type)
  type = settled(db, type)
  return type and type.kind == "name" and db.classes[type.name] or nil
end

local infer

--- The module's class behind `require "x"`, and behind the globals that stand
-- for modules.
local function module_type(db, it)
  if it.tag == "Name" and not it.decl then return class_type(db.modules[it.name]) end
  if it.tag ~= "Call" or it.fn.tag ~= "Name" or it.fn.decl or it.fn.name ~= "require" then
    return nil
  end
  local name = it.args[1]
  return #it.args == 1 and name.tag == "String" and class_type(db.modules[name.value]) or nil
end

--- The stub of what a call calls; nil if it is not known.
local function callee(db, it)
  local object = it.tag == "Method" and it.object
    or it.tag == "Call" and it.fn.tag == "Index" and it.fn.dotted and it.fn.object
  local key = it.tag == "Method" and it.key or it.tag == "Call" and it.fn.key
  local class = object and class_of(db, infer(db, object))
  local member = class and stubs.member(db, class.name, key.value)
  return member and member.kind == "function" and member or nil
end

--- The type of an expression's n-th result, or nil.
function infer(db, it, n)
  n = n or 1
  local module = module_type(db, it)
  if module then return n == 1 and module or nil end
  if it.tag == "Paren" then return infer(db, it.value) end
  if it.tag == "Name" and it.decl and it.decl.constant and not it.decl.busy then
    local decl = it.decl
    local value = decl.value or decl.last
    if not value or value.tag == "Function" then return nil end
    decl.busy = true
    local type
    if decl.value then
      type = infer(db, value)
    else
      type = infer(db, value, decl.position - decl.first_of_last + 1)
    end
    decl.busy = nil
    return type
  elseif it.tag == "Index" and it.dotted then
    local class = class_of(db, infer(db, it.object))
    local member = class and stubs.member(db, class.name, it.key.value)
    return member and member.kind == "field" and member.type or nil
  elseif it.tag == "Call" or it.tag == "Method" then
    local member = callee(db, it)
    if member then return member.returns[n] and member.returns[n].type end
    -- assert(f()) is f()'s first result.
    if it.tag == "Call" and it.fn.tag == "Name" and not it.fn.decl and it.fn.name == "assert" then
      return n == 1 and it.args[1] and infer(db, it.args[1]) or nil
    end
  end
  return nil
end

-- Members ------------------------------------------------------------------------

--- Whether all that a value of the class can have is in its stub: a module, or
-- an object with methods. A record may hold more than we know of.
local function is_closed(db, class)
  if class.index then return false end
  if class.exact then return true end
  for _, name in ipairs(stubs.member_names(db, class.name)) do
    if stubs.member(db, class.name, name).kind == "function" then return true end
  end
  for module, name in pairs(db.modules) do
    if name == class.name and module then return true end
  end
  return false
end

local function suggest(word, names, otherwise)
  local near = text.nearest(word, names)
  if near then return ("did you mean '%s'?"):format(near) end
  return otherwise
end

--- "weir.json", or "an object of cxone.filters".
local function described(db, class)
  for module, name in pairs(db.modules) do
    if name == class.name then return "module " .. module end
  end
  return class.name
end

local function check_member(db, object, key, add)
  local class = class_of(db, infer(db, object))
  if not class or not key.value or not is_closed(db, class) then return end
  if stubs.member(db, class.name, key.value) then return end
  local names = stubs.member_names(db, class.name)
  add(key, "unknown-member", ("%s has no '%s'"):format(described(db, class), key.value),
    suggest(key.value, names, "it has: " .. table.concat(names, ", ")))
end

-- Options ------------------------------------------------------------------------

--- The keys that a table given for this type may have: a list of {name, type}
-- by name; nil where any key may stand.
local function keys_of(db, type)
  type = settled(db, type)
  if not type then return nil end
  if type.kind == "record" then
    local keys = {}
    for _, field in ipairs(type.fields) do keys[field.name] = field.type end
    return keys
  end
  local class = class_of(db, type)
  if not class or class.index and class.index.index.name ~= "integer" then return nil end
  local keys, any = {}, false
  for _, name in ipairs(stubs.member_names(db, class.name)) do
    local member = stubs.member(db, class.name, name)
    if member.kind == "function" then return nil end
    keys[name], any = member.type, true
  end
  return any and keys or nil
end

-- Named types that a string is never of.
local no_strings = { number = true, integer = true, boolean = true, table = true }

--- The words that a string of this type must be one of; nil where others fit.
local function words_of(db, type)
  type = settled(db, type)
  if not type then return nil end
  local words = {}
  for _, each in ipairs(type.kind == "union" and type.list or { type }) do
    if each.kind == "literal" and _G.type(each.value) == "string" then
      words[#words + 1] = each.value
    elseif each.kind == "name" and not no_strings[each.name] then
      return nil
    end
  end
  return #words > 0 and words or nil
end

local check_value

local function check_table(db, it, type, handled, add)
  if handled[it] then return end
  type = settled(db, type)
  if type and type.kind == "union" then
    -- Of several shapes: the only one that is a table of known keys.
    local only
    for _, each in ipairs(type.list) do
      local shape = settled(db, each)
      if shape and (shape.kind == "array" or shape.kind == "map" or shape.name == "table"
          or shape.name == "any") then
        return
      end
      if keys_of(db, each) then
        if only then return end
        only = each
      end
    end
    type = only
  end
  if type and type.kind == "array" then
    for _, field in ipairs(it.fields) do
      if not field.key then check_value(db, field.value, type.of, handled, add) end
    end
    return
  end
  local keys, class = keys_of(db, type), class_of(db, type)
  if not keys then return end
  local names = {}
  for name in pairs(keys) do names[#names + 1] = name end
  table.sort(names)
  for _, field in ipairs(it.fields) do
    local key = field.key and field.key.tag == "String" and field.key.value
    if not field.key and class and class.index then
      check_value(db, field.value, class.index.type, handled, add)
    elseif key and keys[key] then
      check_value(db, field.value, keys[key], handled, add)
    elseif key then
      add(field.key, "unknown-option", ("no option '%s' here"):format(key),
        suggest(key, names, "there are: " .. table.concat(names, ", ")))
    end
  end
end

--- What a literal says where a value of `type` is expected.
function check_value(db, it, type, handled, add)
  if it.tag == "Table" then return check_table(db, it, type, handled, add) end
  if it.tag == "Name" and it.decl and it.decl.constant and not it.decl.changed
    and it.decl.value and it.decl.value.tag == "Table" and not it.decl.seen then
    it.decl.seen = true
    return check_table(db, it.decl.value, type, handled, add)
  end
  local words = it.tag == "String" and it.value and words_of(db, type)
  if not words then return end
  for _, word in ipairs(words) do
    if word == it.value then return end
  end
  add(it, "unknown-word", ("'%s' is none of the words that are taken here"):format(it.value),
    suggest(it.value, words, "there are: " .. table.concat(words, ", ")))
end

local function check_call(db, it, handled, add)
  local member = callee(db, it)
  if not member then
    -- weir.args { … }: a module that is called.
    local class = it.tag == "Call" and class_of(db, infer(db, it.fn))
    local shape = class and class.overloads[1]
    if shape and shape.kind == "fun" and shape.params[1] and it.args[1] then
      check_value(db, it.args[1], shape.params[1].type, handled, add)
    end
    return
  end
  if #member.overloads > 0 then return end
  -- A method called with a dot takes the object first; of a plain function
  -- called with a colon the object is the first parameter.
  local shift = 0
  if member.method and it.tag == "Call" then shift = 1 end
  if not member.method and it.tag == "Method" then shift = -1 end
  for i, argument in ipairs(it.args) do
    local param = member.params[i - shift]
    if param and param.name ~= "..." then
      check_value(db, argument, param.type, handled, add)
    end
  end
end

--- Adds a finding for every misspelt member and option of the chunk. `handled`
-- are tables that were checked as definitions of filters.
function types.check(chunk, handled, add)
  local db = stubs.load()
  local targets = {}
  parser.walk(chunk, function(it)
    for _, target in ipairs(it.targets or {}) do targets[target] = true end
  end)
  parser.walk(chunk, function(it)
    if it.tag == "Index" and it.dotted and not targets[it] then
      check_member(db, it.object, it.key, add)
    elseif it.tag == "Method" then
      check_member(db, it.object, it.key, add)
    end
    if it.args then check_call(db, it, handled, add) end
  end)
end

return types

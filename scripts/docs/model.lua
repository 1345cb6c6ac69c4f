-- What the pages of the reference are made of: the stubs, by module, in an
-- order that is the same every time.

local stubs = require "weir.stubs"

local model = {}

-- Types as text --------------------------------------------------------------------

local show

local function show_list(list)
  local parts = {}
  for i, each in ipairs(list) do parts[i] = show(each) end
  return table.concat(parts, ", ")
end

local function show_members(members)
  local parts = {}
  for i, each in ipairs(members) do
    parts[i] = ("%s%s: %s"):format(each.name, each.optional and "?" or "", show(each.type))
  end
  return table.concat(parts, ", ")
end

local shown = {
  name = function(it) return it.name end,
  literal = function(it)
    return type(it.value) == "string" and ('"%s"'):format(it.value) or tostring(it.value)
  end,
  array = function(it)
    local of = show(it.of)
    return (it.of.kind == "union" or it.of.kind == "fun") and ("(%s)[]"):format(of) or of .. "[]"
  end,
  record = function(it) return ("{%s}"):format(show_members(it.fields)) end,
  map = function(it) return ("table<%s, %s>"):format(show(it.key), show(it.value)) end,
  fun = function(it)
    local returns = #it.returns > 0 and ": " .. show_list(it.returns) or ""
    return ("fun(%s)%s"):format(show_members(it.params), returns)
  end,
  union = function(it)
    local parts, optional = {}, false
    for _, each in ipairs(it.list) do
      if each.kind == "name" and each.name == "nil" then
        optional = true
      else
        parts[#parts + 1] = each.kind == "fun" and #it.list > 1 and ("(%s)"):format(show(each))
          or show(each)
      end
    end
    local text = table.concat(parts, "|")
    if not optional then return text end
    return (#parts > 1 and text .. "|nil") or text .. "?"
  end,
}

function show(it)
  return shown[it.kind](it)
end

--- A type as LuaLS writes it.
model.show = show

-- Modules --------------------------------------------------------------------------

local function sorted_keys(of)
  local keys = {}
  for key in pairs(of) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

--- The module in whose page a class or an alias stands: the longest name that
-- it begins with.
local function module_of(db, name)
  local module = name
  while module and not db.modules[module] do module = module:match("^(.*)%.[^.]*$") end
  return module
end

--- How a member's owner is called in a signature: the last word, small.
local function owner_of(name)
  return name:match("[^.]*$"):lower()
end

local function class_of(db, name)
  local class = db.classes[name]
  local it = { name = name, doc = class.doc, examples = class.examples, parents = class.parents,
    index = class.index, operators = class.operators, fields = {}, functions = {}, calls = {} }
  for _, key in ipairs(class.order) do
    local member = class.fields[key]
    if member.kind == "function" then
      it.functions[#it.functions + 1] = { it = member, name = key, id = "f:" .. name .. "." .. key,
        signature = stubs.signature(member, owner_of(name)) }
    else
      it.fields[#it.fields + 1] = member
    end
  end
  for i, each in ipairs(class.overloads) do
    local names = {}
    for j, param in ipairs(each.params) do
      names[j] = param.name .. (param.optional and "?" or "")
    end
    it.calls[i] = { signature = ("%s(%s)"):format(name, table.concat(names, ", ")), type = each }
  end
  return it
end

--- `{modules, ids}`: each module has its own class first, then its others, and
-- its aliases. `ids` has every name that can be linked to, with its module; a
-- function's begins with "f:", since a type may have the same name.
function model.read()
  local db = stubs.load()
  local pages, by_name, ids = {}, {}, {}
  for _, name in ipairs(sorted_keys(db.modules)) do
    local page = { name = name, classes = {}, aliases = {},
      class = class_of(db, db.modules[name]) }
    pages[#pages + 1], by_name[name] = page, page
    ids[name] = name
  end
  for _, name in ipairs(sorted_keys(db.classes)) do
    local module = module_of(db, name)
    local page = assert(by_name[module], name)
    local class = name == page.class.name and page.class or class_of(db, name)
    if class ~= page.class then page.classes[#page.classes + 1] = class end
    ids[name] = module
    for _, each in ipairs(class.functions) do ids[each.id] = module end
  end
  for _, name in ipairs(sorted_keys(db.aliases)) do
    local module = module_of(db, name)
    local page = assert(by_name[module], name)
    page.aliases[#page.aliases + 1] = db.aliases[name]
    ids[name] = module
  end
  return { modules = pages, ids = ids }
end

--- A type's text, taken apart: calls `plain(text)` and `name(text, module)` for
-- what it consists of, and returns their results, joined.
function model.type_parts(text, ids, plain, name)
  local parts, at = {}, 1
  for from, word, after in text:gmatch("()([%a_][%w_.]*)()") do
    if ids[word] then
      if from > at then parts[#parts + 1] = plain(text:sub(at, from - 1)) end
      parts[#parts + 1] = name(word, ids[word])
      at = after
    end
  end
  if at <= #text then parts[#parts + 1] = plain(text:sub(at)) end
  return table.concat(parts)
end

--- The first sentence of a text, in one line.
function model.summary(doc)
  local text = (doc:match("^(.-)\n%s*\n") or doc):gsub("%s*\n%s*", " ")
  return text:match("^(.-%.)%s") or text
end

return model

--- The LuaLS stubs of lua/meta as data: which modules and classes there are,
-- their fields and functions, types, documentation and examples. The one
-- source of :help, of completion, of weir check and of the API reference.
-- (https://luals.github.io/wiki/annotations/)

local types = require "weir.stub_types"

local stubs = {}

-- Documentation ------------------------------------------------------------------

--- A block of comment lines: its text, the examples in it, its annotations.
local function new_block()
  return { doc = {}, examples = {}, tags = {} }
end

local function add_doc(block, line)
  if block.example then
    if string.match(line, "^%s*```") then
      block.examples[#block.examples + 1] = table.concat(block.example, "\n")
      block.example = nil
    else
      block.example[#block.example + 1] = (string.gsub(line, "^" .. block.pad, ""))
    end
  elseif string.match(line, "^%s*```lua") then
    -- Some stubs have a space after the dashes, some have not; inside an
    -- example every other space counts.
    block.example, block.pad = {}, string.match(line, "^ ?")
  else
    block.doc[#block.doc + 1] = (string.gsub(line, "^ ", ""))
  end
end

--- The text without the blank lines around it.
local function doc_of(block)
  return (string.gsub(string.gsub(table.concat(block.doc, "\n"), "^%s+", ""), "%s+$", ""))
end

-- Annotations --------------------------------------------------------------------

--- "name? type description": a type may hold spaces; what follows it is said
-- about it.
local function named_type(text)
  local name, optional, rest = string.match(text, "^([%w_.]+)(%??)%s+(.*)$")
  if not name then return nil end
  local type, after = types.read(rest)
  return { name = name, optional = optional == "?", type = type,
    text = string.sub(rest, 1, after - 1),
    doc = string.gsub(string.sub(rest, after), "^%s*#?%s*", "") }
end

local function return_of(text)
  local type, after = types.read(text)
  local rest = string.sub(text, after)
  local name, doc = string.match(rest, "^%s*([%a_][%w_.]*)%s*(.*)$")
  if not name then name, doc = string.match(rest, "^%s*(%.%.%.)%s*(.*)$") end
  return { type = type, text = string.sub(text, 1, after - 1), name = name or "", doc = doc or "" }
end

local function field_of(text)
  local key, rest = string.match(text, "^%[([^%]]+)%]%s+(.*)$")
  if not key then return named_type(text) end
  local type, after = types.read(rest)
  return { index = types.read(key), type = type, text = string.sub(rest, 1, after - 1),
    doc = string.gsub(string.sub(rest, after), "^%s*", "") }
end

-- One file -----------------------------------------------------------------------

local Reader = {}
Reader.__index = Reader

function Reader:class(name, parents, block)
  local class = self.db.classes[name] or {
    name = name, fields = {}, order = {}, parents = {}, examples = {}, doc = "", overloads = {},
    operators = {},
  }
  self.db.classes[name] = class
  for parent in string.gmatch(parents, "[%w_.]+") do class.parents[#class.parents + 1] = parent end
  if block then
    class.doc, class.examples = doc_of(block), block.examples
  end
  return class
end

local function add_field(class, field)
  if field.index then
    class.index = field
  else
    if not class.fields[field.name] then class.order[#class.order + 1] = field.name end
    class.fields[field.name] = field
  end
end

--- Annotations that describe the class they stand below.
local class_tags = {
  field = function(class, text)
    local field = field_of(text)
    if field then
      field.kind = "field"
      add_field(class, field)
    end
  end,
  overload = function(class, text) class.overloads[#class.overloads + 1] = types.read(text) end,
  operator = function(class, text) class.operators[#class.operators + 1] = text end,
}

function Reader:alias(text, block)
  local name, rest = string.match(text, "^([%w_.]+)%s*(.*)$")
  if not name then return end
  local alias = { name = name, doc = doc_of(block), values = {} }
  if rest ~= "" then alias.type = types.read(rest) end
  self.db.aliases[name] = alias
  self.open_alias = alias
end

--- `---| "value" # what it means`
function Reader:alias_value(text)
  local type, after = types.read(text)
  local alias = self.open_alias
  local doc = string.gsub(string.sub(text, after), "^%s*#?%s*", "")
  alias.values[#alias.values + 1] = { type = type, doc = doc }
  alias.type = types.union(alias.type, type)
end

function Reader:annotation(tag, text)
  local rest = text
  local block = self.block
  if tag == "meta" then
    self.module = rest
    self.block = new_block()
  elseif tag == "class" then
    local exact
    exact, rest = string.match(rest, "^(%(exact%)%s*)(.*)$")
    rest = rest or text
    local name, parents = string.match(rest, "^([%w_.]+)%s*:%s*([%w_., ]+)")
    name = name or string.match(rest, "^[%w_.]+")
    if not name then return end
    self.open_class = self:class(name, parents or "", block)
    self.open_class.exact = exact ~= nil
    self.block = new_block()
    self.block.class = self.open_class
  elseif tag == "alias" then
    self:alias(rest, block)
    self.block = new_block()
  elseif block.class and class_tags[tag] then
    class_tags[tag](block.class, rest)
  else
    block.tags[#block.tags + 1] = { tag = tag, text = rest }
  end
end

--- The class that a name of the file's code stands for.
function Reader:variable(name, class)
  self.variables[name] = class
end

local function read_function(block, names)
  local it = { kind = "function", doc = doc_of(block), examples = block.examples, params = {},
    returns = {}, overloads = {} }
  local described = {}
  for _, each in ipairs(block.tags) do
    if each.tag == "param" then
      local name, rest = string.match(each.text, "^(%.%.%.)%s+(.*)$")
      local param = name and named_type("varargs " .. rest) or named_type(each.text)
      if param then
        param.name, param.described = name or param.name, true
        described[param.name] = param
      end
    elseif each.tag == "return" then
      it.returns[#it.returns + 1] = return_of(each.text)
    elseif each.tag == "overload" then
      it.overloads[#it.overloads + 1] = types.read(each.text)
    elseif each.tag == "deprecated" then
      it.deprecated = true
    end
  end
  for name in string.gmatch(names, "[%w_.]+") do
    it.params[#it.params + 1] = described[name]
      or { name = name, optional = false, type = types.any, text = "any", doc = "" }
  end
  return it
end

function Reader:code(line)
  local owner, separator, name, names =
    string.match(line, "^function%s+([%w_]+)([.:])([%w_]+)%s*%((.-)%)")
  local block = self.block
  if owner and self.variables[owner] then
    local it = read_function(block, names)
    it.name, it.method, it.owner = name, separator == ":", self.variables[owner].name
    add_field(self.variables[owner], it)
  end
  local variable = string.match(line, "^local%s+([%w_]+)%s*=")
    or string.match(line, "^([%w_]+)%s*=")
  if variable and block.class then self:variable(variable, block.class) end
  local returned = string.match(line, "^return%s+([%w_]+)")
  if returned and self.variables[returned] then
    self.db.modules[self.module or returned] = self.variables[returned].name
  end
  self.block = new_block()
  self.open_alias = nil
end

function Reader:line(line)
  local value = string.match(line, "^%-%-%-|%s*(.*)$")
  local tag, rest = string.match(line, "^%-%-%-%s*@(%a+)%s*(.*)$")
  local doc = string.match(line, "^%-%-%-(.*)$")
  if value and self.open_alias then
    self:alias_value(value)
  elseif tag then
    self:annotation(tag, rest)
  elseif doc then
    add_doc(self.block, doc)
  elseif not string.match(line, "^%s*$") then
    self:code(line)
  else
    self.open_alias = nil
    if not self.block.class then self.block = new_block() end
  end
end

-- For callers --------------------------------------------------------------------

--- Reads stubs: a table from module name to text. Returns `{modules, classes,
-- aliases}`: `modules` maps a module to its class's name; a class has `doc`,
-- `examples`, `parents`, `order` (names as written) and `fields` by name, each
-- with `kind` "field" or "function".
function stubs.read(texts)
  local db = { modules = {}, classes = {}, aliases = {} }
  local names = {}
  for module in pairs(texts) do names[#names + 1] = module end
  table.sort(names)
  for _, module in ipairs(names) do
    local reader = setmetatable({ db = db, variables = {}, block = new_block() }, Reader)
    for line in string.gmatch(texts[module] .. "\n", "(.-)\r?\n") do reader:line(line) end
  end
  return db
end

local loaded

--- The program's own stubs.
function stubs.load()
  loaded = loaded or stubs.read(require "weir.core".stubs())
  return loaded
end

--- A field or function of a class, its own or inherited; nil if it has none of
-- that name. `seen` is for the recursion.
function stubs.member(db, class_name, name, seen)
  local class = db.classes[class_name]
  seen = seen or {}
  if not class or seen[class_name] then return nil end
  seen[class_name] = true
  if class.fields[name] then return class.fields[name] end
  for _, parent in ipairs(class.parents) do
    local found = stubs.member(db, parent, name, seen)
    if found then return found end
  end
end

--- The names of all members of a class, inherited ones after its own.
function stubs.member_names(db, class_name)
  local names, have, seen = {}, {}, {}
  local function add(each)
    local class = db.classes[each]
    if not class or seen[each] then return end
    seen[each] = true
    for _, name in ipairs(class.order) do
      if not have[name] then
        have[name] = true
        names[#names + 1] = name
      end
    end
    for _, parent in ipairs(class.parents) do add(parent) end
  end
  add(class_name)
  return names
end

--- "tenant.filters:deploy(definition, opts?)", called by `owner`.
function stubs.signature(it, owner)
  local names = {}
  for i, param in ipairs(it.params) do names[i] = param.name .. (param.optional and "?" or "") end
  return string.format("%s%s%s(%s)", owner, it.method and ":" or ".", it.name,
    table.concat(names, ", "))
end

return stubs

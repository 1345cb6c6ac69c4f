--- What `:help` and `:doc` say, from the type stubs.

local model = require "weir.repl.model"
local text = require "weir.text"

local help = {}

local Help = {}
Help.__index = Help

local SUGGESTED = 8 -- so many of several that were meant

--- `roots` maps names that are there without `require` to their classes.
function help.new(roots)
  return setmetatable({ model = model.new(roots), roots = roots }, Help)
end

-- Finding ------------------------------------------------------------------------

--- The class that a type stands for, if it is one.
local function class_of(self, tree)
  return self.model:classes_of(tree)[1]
end

--- What the words lead to from a class: {fn =}, {field =} or {class =}.
local function walk(self, class, words, from)
  for i = from, #words do
    local member, owner = self.model:member(class, words[i])
    if not member then return nil end
    local inner = member.kind == "field" and class_of(self, member.type)
    if i == #words then
      if inner and inner.name ~= "" and string.find(self.model:path_of(inner.name), "%.") then
        return { class = inner }
      end
      return member.kind == "function" and { fn = member } or { field = member, class = owner }
    end
    class = inner
    if not class then return nil end
  end
  return { class = class }
end

--- Where a name may begin: a root, a module, a class.
local function exact(self, name)
  local asked = self.model
  local function class_called(called)
    return asked.classes[asked.modules[called]] or asked.classes[called]
  end
  local whole = class_called(name) or asked.classes[self.roots[name]]
    or class_called("weir." .. name)
  if whole then return { class = whole } end
  if asked.aliases[name] then return { alias = asked.aliases[name] } end
  local words = {}
  for word in string.gmatch(name, "[%w_]+") do words[#words + 1] = word end
  for stop = #words - 1, 1, -1 do
    local start = table.concat(words, ".", 1, stop)
    for _, class_name in ipairs { start, self.roots[start] or "", "weir." .. start,
                                  "cxone." .. start } do
      local class = class_called(class_name)
      local found = class and walk(self, class, words, stop + 1)
      if found then return found end
    end
  end
  return nil
end

--- All functions whose name ends so.
local function by_ending(self, name)
  local found = {}
  local word = string.match(name, "[%w_]+$")
  for _, fn in ipairs(self.model.functions) do
    local full = self.model:name_of(fn)
    if fn.name == word and (name == word
      or string.sub(string.gsub(full, ":", "."), -#name) == string.gsub(name, ":", ".")) then
      found[#found + 1] = fn
    end
  end
  return found
end

--- All names that can be asked for.
function Help:names()
  local names, seen = {}, {}
  local function add(name)
    if not seen[name] then
      seen[name] = true
      names[#names + 1] = name
    end
  end
  for root in pairs(self.roots) do add(root) end
  for module in pairs(self.model.modules) do add(module) end
  for _, fn in ipairs(self.model.functions) do add(self.model:name_of(fn)) end
  for class in pairs(self.model.classes) do add(class) end
  table.sort(names)
  return names
end

--- What a name means: {fn =}, {class =}, {field =}, {alias =} or {several =};
-- nil and the nearest name otherwise.
function Help:lookup(name)
  name = string.gsub(name, "[%s()]+$", "")
  local found = exact(self, name)
  if found then return found end
  local functions = by_ending(self, name)
  if #functions == 1 then return { fn = functions[1] } end
  if #functions > 1 then return { several = functions } end
  local words, last = {}, string.match(name, "[%w_]+$") or name
  local full = {}
  for _, candidate in ipairs(self:names()) do
    local word = string.match(candidate, "[%w_]+$")
    if not full[word] then
      full[word] = candidate
      words[#words + 1] = word
    end
  end
  -- The list of words to choose from is bounded: those with the same start.
  local near = {}
  for _, word in ipairs(words) do
    if string.byte(word) == string.byte(last) and #near < 60 then near[#near + 1] = word end
  end
  local word = text.nearest(last, near)
  return nil, word and full[word]
end

-- Writing ----------------------------------------------------------------------------

local function indent(block, by)
  return (string.gsub(block, "[^\n]+", by .. "%0"))
end

--- The first sentence, on one line.
local function first_sentence(doc)
  local line = string.gsub(doc, "%s+", " ")
  return string.match(line, "^(.-[.:])%s") or line
end

local function paragraph(doc)
  return string.match(doc, "^(.-)\n\n") or doc
end

--- Names in a column and what is said of each.
local function columns(style, rows, width)
  local widest = 0
  for _, row in ipairs(rows) do widest = math.max(widest, text.width(row[1])) end
  widest = math.min(widest, 44)
  local lines = {}
  for _, row in ipairs(rows) do
    local left = "  " .. style:paint("key", row[1])
    local used = math.max(text.width(row[1]), widest)
    left = left .. string.rep(" ", widest - text.width(row[1]) + 2)
    local said = string.gsub(row[2], "%s+", " ")
    local room = width - used - 4
    if room < 20 or text.width(said) <= room then
      lines[#lines + 1] = string.gsub(left .. said, "%s+$", "")
    else
      local line = {}
      for word in string.gmatch(said, "%S+") do
        local so_far = table.concat(line, " ")
        if #line > 0 and text.width(so_far) + text.width(word) + 1 > room then
          lines[#lines + 1] = left .. so_far
          left, line = string.rep(" ", used + 4), {}
        end
        line[#line + 1] = word
      end
      lines[#lines + 1] = left .. table.concat(line, " ")
    end
  end
  return table.concat(lines, "\n")
end

local function named_rows(list)
  local rows = {}
  for i, one in ipairs(list) do
    rows[i] = { one.name .. (one.optional and "?" or ""),
      one.text .. (one.doc ~= "" and "  " .. one.doc or "") }
  end
  return rows
end

local function example_of(self, fn)
  if fn.examples[1] then return fn.examples end
  local class = self.model.classes[fn.owner]
  return class and class.examples or {}
end

local function add(parts, title, body)
  if body ~= "" then parts[#parts + 1] = (title and title .. "\n" or "") .. body end
end

--- The option tables and words that a function's parameters allow.
local function details(self, style, fn, width)
  local parts, seen = {}, {}
  local function explain(tree)
    for _, class in ipairs(self.model:classes_of(tree)) do
      local fields = {}
      for _, c in ipairs(self.model:line_of(class)) do
        for _, name in ipairs(c.order) do
          if c.fields[name].kind == "field" then fields[#fields + 1] = c.fields[name] end
        end
      end
      if class.name ~= "" and not seen[class.name] and #fields > 0
        and not self.model:module_of(class.name) then
        seen[class.name] = true
        add(parts, style:paint("head", class.name), columns(style, named_rows(fields), width))
        for _, field in ipairs(fields) do
          explain(field.type)
          explain(self.model:element_of(field.type))
        end
      end
    end
    if tree and tree.kind == "name" and self.model.aliases[tree.name] and not seen[tree.name] then
      seen[tree.name] = true
      local rows = {}
      for _, literal in ipairs(self.model:literals_of(tree)) do
        rows[#rows + 1] = { '"' .. literal.text .. '"', literal.doc }
      end
      if #rows > 0 then add(parts, style:paint("head", tree.name), columns(style, rows, width)) end
    end
  end
  for _, param in ipairs(fn.params) do explain(param.type) end
  return parts
end

local function function_text(self, fn, style, width, whole)
  local parts = { style:paint("name", self.model:signature(fn)) }
  add(parts, nil, indent(whole and fn.doc or paragraph(fn.doc), "  "))
  add(parts, nil, columns(style, named_rows(fn.params), width))
  if whole then
    local rows = {}
    for i, returned in ipairs(fn.returns) do
      local named = returned.name ~= ""
      rows[i] = { named and returned.name or returned.text,
        (named and returned.text .. "  " or "") .. returned.doc }
    end
    add(parts, style:paint("head", "returns"), columns(style, rows, width))
    for _, part in ipairs(details(self, style, fn, width)) do parts[#parts + 1] = part end
  end
  local examples = example_of(self, fn)
  for i = 1, whole and #examples or math.min(1, #examples) do
    add(parts, style:paint("head", "example"), indent(examples[i], "  "))
  end
  return table.concat(parts, "\n\n")
end

local function class_text(self, class, style, width, whole)
  local path = self.model:path_of(class.name)
  local parts = { style:paint("name", path ~= class.name and path .. ": " .. class.name or path) }
  add(parts, nil, indent(whole and class.doc or paragraph(class.doc), "  "))
  local fields, rows = {}, {}
  for _, member in ipairs(self.model:members(class)) do
    if member.kind == "function" then
      local signature = self.model:signature(member)
      rows[#rows + 1] = { (string.gsub(signature, " → .*$", "")), first_sentence(member.doc) }
    else
      fields[#fields + 1] = member
    end
  end
  add(parts, nil, columns(style, named_rows(fields), width))
  add(parts, nil, columns(style, rows, width))
  for i = 1, whole and #class.examples or math.min(1, #class.examples) do
    add(parts, style:paint("head", "example"), indent(class.examples[i], "  "))
  end
  return table.concat(parts, "\n\n")
end

local function alias_text(self, alias, style, width)
  local rows = {}
  for _, literal in ipairs(self.model:literals_of({ kind = "name", name = alias.name })) do
    rows[#rows + 1] = { '"' .. literal.text .. '"', literal.doc }
  end
  local parts = { style:paint("name", alias.name) }
  add(parts, nil, indent(alias.doc, "  "))
  add(parts, nil, columns(style, rows, width))
  return table.concat(parts, "\n\n")
end

--- The help of a name; `whole`: all that is known. nil and the nearest name
-- where there is none.
function Help:text(name, style, width, whole)
  width = math.min(width, 100)
  local found, near = self:lookup(name)
  if not found then return nil, near end
  if found.fn then return function_text(self, found.fn, style, width, whole) end
  if found.alias then return alias_text(self, found.alias, style, width) end
  if found.field then
    local field = found.field
    return style:paint("name", self.model:path_of(found.class.name) .. "." .. field.name)
      .. "\n\n" .. columns(style, named_rows { field }, width)
  end
  if found.several then
    local rows = {}
    for i, fn in ipairs(found.several) do
      if i > SUGGESTED then break end
      rows[i] = { (string.gsub(self.model:signature(fn), " → .*$", "")), first_sentence(fn.doc) }
    end
    return columns(style, rows, width)
  end
  return class_text(self, found.class, style, width, whole)
end

-- Functions that are shown --------------------------------------------------------------

--- The stub of a function value, found by where the API holds it.
function Help:stub_of(fn)
  if not self.by_value then
    self.by_value = setmetatable({}, { __mode = "k" })
    for _, stub in ipairs(self.model.functions) do
      local module = package.loaded[self.model:module_of(stub.owner)]
      local value = not stub.method and type(module) == "table" and rawget(module, stub.name)
      if type(value) == "function" then self.by_value[value] = stub end
    end
  end
  return self.by_value[fn]
end

--- One line for a function of the API, or nil.
function Help:describe(fn)
  local stub = self:stub_of(fn)
  return stub and "<" .. self.model:signature(stub) .. ">"
end

return help

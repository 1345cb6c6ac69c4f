-- The reference as Markdown: a page for each module, and one that lists them.

local model = require "model"

local markdown = {}

local Page = {}
Page.__index = Page

function Page:add(...)
  self[#self + 1] = (...):format(select(2, ...))
end

--- Lines as they are, and an empty one.
function Page:text(text)
  self[#self + 1] = text
  self[#self + 1] = ""
end

local function file_of(module)
  return module .. ".md"
end

function Page:link(id, module)
  local file = module == self.module and "" or file_of(module)
  local fragment = id ~= module and "#" .. id or file == "" and "#" .. id or ""
  return ("[`%s`](%s%s)"):format(id, file, fragment)
end

local function code(text)
  return "`" .. text .. "`"
end

--- A type with its names as links; code spans that touch would be one.
function Page:type(text)
  text = text:gsub("%s+$", "")
  return (model.type_parts(text, self.ids, function(plain)
    return (plain:gsub("^(%s*)(.-)(%s*)$", function(before, inner, after)
      return before .. (inner ~= "" and code(inner) or "") .. after
    end))
  end, function(name, module) return self:link(name, module) end))
end

--- Names of modules, classes and functions in the text become links.
function Page:doc(text)
  if text == "" then return end
  self:text((text:gsub("`([%a_][%w_.:]*)`", function(name)
    local id = name:gsub(":", ".")
    for _, full in ipairs { id, self.module .. "." .. id, "weir." .. id } do
      for _, each in ipairs { "f:" .. full, full } do
        local module = self.ids[each]
        if module and each ~= self.module then
          return ("[`%s`](%s#%s)"):format(name, module == self.module and "" or file_of(module),
            each)
        end
      end
    end
  end)))
end

function Page:examples(list)
  for _, example in ipairs(list) do self:text("```lua\n" .. example .. "\n```") end
end

local function described(doc)
  return doc ~= "" and ": " .. doc or ""
end

--- A heading that can be linked to by the name, whatever the reader makes of
-- headings.
function Page:heading(level, id, text)
  self:text(('<a id="%s"></a>\n\n%s %s'):format(id, ("#"):rep(level), text))
end

function Page:fields(class)
  for _, field in ipairs(class.fields) do
    self:add("- `%s%s` %s%s", field.name, field.optional and "?" or "", self:type(field.text),
      described(field.doc))
  end
  if class.index then
    self:add("- `[%s]` %s%s", model.show(class.index.index), self:type(class.index.text),
      described(class.index.doc))
  end
  if #class.fields > 0 or class.index then self:text("") end
end

function Page:returns(list)
  for _, each in ipairs(list) do
    self:add("- returns %s%s%s", each.name ~= "" and code(each.name) .. " " or "",
      self:type(each.text), described(each.doc))
  end
end

function Page:func(it, level)
  self:heading(level, it.id, code(it.signature))
  if it.it.deprecated then self:text("**Deprecated.**") end
  self:doc(it.it.doc)
  for _, param in ipairs(it.it.params) do
    self:add("- `%s%s` %s%s", param.name, param.optional and "?" or "", self:type(param.text),
      described(param.doc))
  end
  self:returns(it.it.returns)
  for _, each in ipairs(it.it.overloads) do self:add("- also %s", self:type(model.show(each))) end
  if #it.it.params + #it.it.returns + #it.it.overloads > 0 then self:text("") end
  self:examples(it.it.examples)
end

function Page:class(class, level)
  self:doc(class.doc)
  for _, call in ipairs(class.calls) do
    self:text(("Called as `%s`: %s."):format(call.signature, self:type(model.show(call.type))))
  end
  for _, parent in ipairs(class.parents) do
    self:text(("Has all that %s has."):format(
      self.ids[parent] and self:link(parent, self.ids[parent]) or code(parent)))
  end
  self:examples(class.examples)
  self:fields(class)
  for _, each in ipairs(class.functions) do self:func(each, level + 1) end
end

function Page:alias(alias)
  self:heading(2, alias.name, code(alias.name))
  self:doc(alias.doc)
  if #alias.values == 0 then self:text(self:type(model.show(alias.type))) return end
  for _, each in ipairs(alias.values) do
    self:add("- `%s`%s", model.show(each.type), described(each.doc))
  end
  self:text("")
end

local function new_page(reference, module)
  return setmetatable({ ids = reference.ids, module = module }, Page)
end

local function render(page)
  return (table.concat(page, "\n"):gsub("\n\n\n+", "\n\n"):gsub("%s*$", "\n"))
end

local function module_page(reference, module)
  local page = new_page(reference, module.name)
  page:heading(1, module.name, module.name)
  page:text("[All modules](README.md)")
  page:class(module.class, 1)
  for _, class in ipairs(module.classes) do
    page:heading(2, class.name, code(class.name))
    page:class(class, 2)
  end
  for _, alias in ipairs(module.aliases) do page:alias(alias) end
  return render(page)
end

local function index_page(reference, version)
  local page = new_page(reference, "")
  page:text("# What a script of weir can call")
  page:text(("Made from the type stubs of weir %s. `weir check` holds scripts against the\n"
    .. "same stubs, and `weir types` gives them to editors."):format(version))
  page:text("| module | what it is for |\n|---|---|")
  page[#page] = nil
  for _, module in ipairs(reference.modules) do
    page:add("| %s | %s |", page:link(module.name, module.name),
      (model.summary(module.class.doc):gsub("|", "\\|")))
  end
  page:text("")
  for _, module in ipairs(reference.modules) do
    page:text("## " .. module.name)
    for _, class in ipairs { module.class, table.unpack(module.classes) } do
      for _, each in ipairs(class.functions) do
        page:add("- [`%s`](%s#%s)", each.signature, file_of(module.name), each.id)
      end
    end
    page:text("")
  end
  return render(page)
end

--- The pages by file name.
function markdown.render(reference, version)
  local files = { ["README.md"] = index_page(reference, version) }
  for _, module in ipairs(reference.modules) do
    files[file_of(module.name)] = module_page(reference, module)
  end
  return files
end

return markdown

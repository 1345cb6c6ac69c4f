-- The reference as one manual page, weir-lua(7), in the macros of man(7).

local model = require "model"

local man = {}

local glyphs = {
  ["\\"] = "\\e", ["-"] = "\\-", ["…"] = "...", ["–"] = "\\(en", ["→"] = "\\(->",
  ["×"] = "\\(mu", ["≤"] = "\\(<=", ["≥"] = "\\(>=", ["^"] = "\\(ha", ["~"] = "\\(ti",
}

--- Text as it is: what roff would obey, and what is no ASCII, is spelt out.
local function plain(text)
  return (text:gsub(utf8.charpattern, function(c)
    if glyphs[c] then return glyphs[c] end
    return #c > 1 and ("\\[u%04X]"):format(utf8.codepoint(c)) or nil
  end))
end

--- A line must not begin with what makes it a request.
local function guard(line)
  return (line:gsub("^([.'])", "\\&%1"))
end

local function bold(text)
  return "\\fB" .. plain(text) .. "\\fR"
end

--- Prose: code spans are bold.
local function prose(text)
  local parts, at = {}, 1
  for from, span, after in text:gmatch("()`([^`]+)`()") do
    parts[#parts + 1] = plain(text:sub(at, from - 1)) .. bold(span)
    at = after
  end
  return table.concat(parts) .. plain(text:sub(at))
end

local Page = {}
Page.__index = Page

function Page:line(...)
  self[#self + 1] = (...):format(select(2, ...))
end

function Page:laid_out(lines, show)
  self:line(".RS 4\n.nf")
  for _, line in ipairs(lines) do self[#self + 1] = line == "" and "\\&" or guard(show(line)) end
  self:line(".fi\n.RE")
end

local function lines_of(text)
  local lines = {}
  for line in (text .. "\n"):gmatch("(.-)\n") do lines[#lines + 1] = line end
  return lines
end

--- Paragraphs; tables and lists keep their lines.
function Page:doc(text)
  for paragraph in (text .. "\n\n"):gmatch("(.-)\n%s*\n") do
    if paragraph:find("%S") then
      self:line(".PP")
      local lines = lines_of(paragraph)
      if paragraph:find("^%s*[|*-] ?") then
        self:laid_out(lines, prose)
      else
        for _, line in ipairs(lines) do self[#self + 1] = guard(prose((line:gsub("^%s+", "")))) end
      end
    end
  end
end

function Page:examples(list)
  for _, example in ipairs(list) do
    self:line(".PP")
    self:laid_out(lines_of(example), plain)
  end
end

--- A tagged paragraph: what it is, its type, and what is said of it.
function Page:tagged(tag, type, doc)
  self:line(".TP")
  self[#self + 1] = guard(tag .. "  " .. plain(type))
  self[#self + 1] = doc ~= "" and guard(prose(doc)) or "\\&"
end

local function optional(it)
  return bold(it.name .. (it.optional and "?" or ""))
end

function Page:fields(class)
  for _, field in ipairs(class.fields) do self:tagged(optional(field), field.text, field.doc) end
  if class.index then
    self:tagged(bold(("[%s]"):format(model.show(class.index.index))), class.index.text,
      class.index.doc)
  end
end

function Page:func(it)
  self:line(".PP")
  self[#self + 1] = guard(bold(it.signature))
  self:line(".RS 4")
  self:doc(it.it.doc)
  for _, param in ipairs(it.it.params) do self:tagged(optional(param), param.text, param.doc) end
  for _, each in ipairs(it.it.returns) do
    self:tagged("returns " .. (each.name ~= "" and bold(each.name) or ""), each.text, each.doc)
  end
  for _, each in ipairs(it.it.overloads) do self:tagged("also", model.show(each), "") end
  self:examples(it.it.examples)
  self:line(".RE")
end

function Page:class(class)
  self:doc(class.doc)
  for _, call in ipairs(class.calls) do
    self:tagged(bold(call.signature), model.show(call.type), "")
  end
  if #class.parents > 0 then
    self:line(".PP")
    self[#self + 1] = "Has all that " .. bold(table.concat(class.parents, ", ")) .. " has."
  end
  self:examples(class.examples)
  self:fields(class)
  for _, each in ipairs(class.functions) do self:func(each) end
end

function Page:alias(alias)
  self:line(".SS %s", plain(alias.name))
  self:doc(alias.doc)
  if #alias.values == 0 then
    self:line(".PP")
    self[#self + 1] = guard(plain(model.show(alias.type)))
  end
  for _, each in ipairs(alias.values) do
    self:line(".TP")
    self[#self + 1] = guard(bold(model.show(each.type)))
    self[#self + 1] = each.doc ~= "" and guard(prose(each.doc)) or "\\&"
  end
end

--- The page.
function man.render(reference, version)
  local page = setmetatable({}, Page)
  page:line('.TH WEIR\\-LUA 7 "" "weir %s" "Scripts of weir"', version)
  page:line(".nh\n.ad l")
  page:line(".SH NAME\nweir\\-lua \\- what a script of weir can call")
  page:line(".SH DESCRIPTION")
  page:line("A script has the globals of Lua 5.4,\n.B weir\nand\n.BR cxone .")
  page:line("A name with a question mark may be left out, or be nil.")
  for _, module in ipairs(reference.modules) do
    page:line(".SH %s", plain(module.name:upper()))
    page:class(module.class)
    for _, class in ipairs(module.classes) do
      page:line(".SS %s", plain(class.name))
      page:class(class)
    end
    for _, alias in ipairs(module.aliases) do page:alias(alias) end
  end
  page:line(".SH SEE ALSO\n.BR weir (1)")
  return table.concat(page, "\n") .. "\n"
end

return man

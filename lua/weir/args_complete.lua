--- What is known of a script's parameters without running it: its declaration,
-- and what a half-typed word can become.

local args_spec = require "weir.args_spec"
local declared = require "weir.declared"
local lexer = require "weir.lexer"

local complete = {}

local MAX_SCRIPT = 1024 * 1024

--- The declaration that a script's text holds as `weir.args { … }`, read
-- without running the script; nil where there is none, or where it is more
-- than constants.
function complete.declared_in(script)
  if #script > MAX_SCRIPT then return nil end
  local tokens = lexer.tokens(script)
  local at = declared.find(tokens, "args")
  while at do
    local first, last, odd = declared.table_at(tokens, at)
    if first and not odd then return declared.value(script, tokens, first, last) end
    at = declared.find(tokens, "args", at + 1)
  end
  return nil
end

--- What `word` can be completed to after the words `before`: a list of {value, help}, and
-- whether file names fit too; nil where the declaration has a fault.
function complete.words(declaration, before, word)
  local ok, spec = pcall(args_spec.read, declaration)
  if not ok then return nil end
  local position, pending, only_operands = 0, nil, false
  for _, each in ipairs(before) do
    local param = spec.by_word[each]
    if pending then
      pending = nil
    elseif only_operands or string.sub(each, 1, 1) ~= "-" then
      position = position + 1
    elseif each == "--" then
      only_operands = true
    elseif param and param.type ~= "flag" then
      pending = param
    end
  end
  local found = {}
  local function add(value, help)
    if string.sub(value, 1, #word) == word then found[#found + 1] = { value, help or "" } end
  end
  local function add_values(param, prefix)
    if not param then return false end
    for _, choice in ipairs(param.choices or {}) do add(prefix .. tostring(choice)) end
    return param.type == "file" or param.type == "path"
  end
  if pending then return found, add_values(pending, "") end
  local name = string.match(word, "^(%-%-[^=]+)=")
  if name then return found, add_values(spec.by_word[name], name .. "=") end
  if string.sub(word, 1, 1) == "-" and not only_operands then
    for _, param in ipairs(spec.params) do
      if param.option then add(param.name, param.help) end
    end
    add("--help", "this text")
    return found, false
  end
  local operand = spec.operands[position + 1] or spec.operands[#spec.operands]
  if position >= #spec.operands and not (operand and operand.many) then return found, false end
  return found, add_values(operand, "")
end

--- The same for a script file, read and not run; nil where it declares nothing
-- that can be read.
function complete.in_script(path, before, word)
  local file = io.open(path, "rb")
  local script = file and file:read(MAX_SCRIPT + 1)
  if file then file:close() end
  local declaration = script and complete.declared_in(script)
  if not declaration then return nil end
  return complete.words(declaration, before, word)
end

return complete

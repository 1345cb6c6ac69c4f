--- What is known of a script's parameters without running it: its declaration,
-- and what a half-typed word can become.

local args_spec = require "weir.args_spec"
local lexer = require "weir.lexer"

local complete = {}

local MAX_SCRIPT = 1024 * 1024

local constants = { ["true"] = true, ["false"] = true, ["nil"] = true }
local closing = { ["{"] = "}", ["("] = ")", ["["] = "]" }

--- True if tokens `from` to `to` are a table of constants: nothing in it can
-- call, so that evaluating it does nothing but make the table.
local function is_constant(tokens, from, to)
  for i = from, to do
    local t, after = tokens[i], tokens[i + 1]
    if t.kind == "name" then
      local is_key = after and after.kind == "=" and (tokens[i + 2] or {}).kind ~= "="
      if not constants[t.value] and not is_key then return false end
    elseif t.kind == "string" then
      if t.value == nil then return false end
    elseif t.kind ~= "number" and not string.match(t.kind, "^[{}%[%],;=.+*/-]$") then
      return false
    elseif t.kind == "." and after.kind == "." and tokens[i + 2].kind == "." then
      return false
    end
  end
  return true
end

--- The index of the token that closes the bracket at `i`, or nil.
local function closes(tokens, i)
  local expected = {}
  for at = i, #tokens do
    local kind = tokens[at].kind
    if closing[kind] then
      expected[#expected + 1] = closing[kind]
    elseif kind == expected[#expected] then
      expected[#expected] = nil
      if #expected == 0 then return at end
    end
  end
end

--- The declaration that a script's text holds as `weir.args { … }`, read
-- without running the script; nil where there is none, or where it is more
-- than constants.
function complete.declared_in(script)
  if #script > MAX_SCRIPT then return nil end
  local tokens = lexer.tokens(script)
  for i = 1, #tokens - 3 do
    local a, b, c = tokens[i], tokens[i + 1], tokens[i + 2]
    if a.value == "weir" and a.kind == "name" and b.kind == "." and c.kind == "name"
      and c.value == "args" then
      local first = tokens[i + 3].kind == "(" and i + 4 or i + 3
      local last = tokens[first] and tokens[first].kind == "{" and closes(tokens, first)
      if last and is_constant(tokens, first, last) then
        local chunk = load("return " .. string.sub(script, tokens[first].from, tokens[last].to),
          "=weir.args", "t", {})
        local ok, declaration = pcall(chunk or error)
        return ok and declaration or nil
      end
    end
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

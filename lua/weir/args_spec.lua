--- What a script declares with `weir.args`: its parameters, checked and filled
-- in. Every fault of a declaration is the script's own mistake and raises.

local misuse = require "weir.core".misuse
local options = require "weir.options"
local text = require "weir.text"

local spec = {}

-- Types ------------------------------------------------------------------------

local units = { ms = 0.001, s = 1, m = 60, h = 3600 }

--- Each takes the word and returns its value, or nil and what was expected.
spec.types = {
  string = function(word) return word end,
  path = function(word)
    if word == "" then return nil, "a path" end
    return word
  end,
  file = function(word)
    local file, why = io.open(word, "rb")
    if not file then return nil, "a file that can be read", why end
    local _, reason, number = file:read(0)
    file:close()
    if number then return nil, "a file that can be read", reason end
    return word
  end,
  integer = function(word)
    local value = string.match(word, "^[+-]?%d+$") and math.tointeger(tonumber(word))
    if not value then return nil, "a whole number" end
    return value
  end,
  number = function(word)
    local value = string.match(word, "^[+-]?[%d.]") and not string.find(word, "[xX]")
      and tonumber(word)
    if not value or value ~= value or math.abs(value) == math.huge then return nil, "a number" end
    return value
  end,
  seconds = function(word)
    local number, unit = string.match(word, "^(%d*%.?%d+)(%a*)$")
    local value = number and units[unit == "" and "s" or unit]
    if not value then return nil, "a time such as 90, 1.5s, 500ms, 2m or 1h" end
    return tonumber(number) * value
  end,
}

--- What a default or a choice of each type must be.
local lua_types = {
  string = "string", path = "string", file = "string", flag = "boolean",
  integer = "number", number = "number", seconds = "number",
}

-- Reading the declaration ------------------------------------------------------

local spec_keys = { about = "string", name = "string", examples = "string" }
local param_keys = {
  name = "string", short = "string", type = "string", help = "string",
  value = "string", default = "any", choices = "table", required = "boolean",
  env = "string", many = "boolean", min = "number", max = "number",
}

local function fault(param, message, ...)
  misuse(string.format("weir.args: %s: %s", param.name, string.format(message, ...)))
end

local function sorted_keys(map)
  local list = {}
  for key in pairs(map) do list[#list + 1] = key end
  table.sort(list)
  return list
end

--- Raises unless `value` is what the parameter's type can hold.
local function check_value(param, what, value)
  local want = lua_types[param.type]
  if type(value) ~= want or param.type == "integer" and math.type(value) ~= "integer" then
    fault(param, "its %s must be a %s, got %s", what,
      param.type == "integer" and "whole number" or want, type(value))
  end
end

local function check_choices(param)
  if #param.choices == 0 then fault(param, "choices must be a list of values") end
  local seen = {}
  for _, choice in ipairs(param.choices) do
    check_value(param, "choice", choice)
    if seen[choice] then fault(param, "the choice %s stands twice", tostring(choice)) end
    seen[choice] = true
  end
  if param.default ~= nil and not param.many and not seen[param.default] then
    fault(param, "its default, %s, is none of its choices", tostring(param.default))
  end
end

local function check_default(param)
  if not param.many then return check_value(param, "default", param.default) end
  if type(param.default) ~= "table" then fault(param, "its default must be a list") end
  for _, value in ipairs(param.default) do check_value(param, "default", value) end
end

--- A copy of one parameter, with everything filled in.
local function read_param(given, index)
  if type(given) ~= "table" then
    misuse(string.format("weir.args: parameter %d must be a table, got %s", index, type(given)))
  end
  if type(given.name) ~= "string" then
    misuse(string.format("weir.args: parameter %d needs a name: \"--region\" for an option, "
      .. "\"region\" for an argument", index))
  end
  options.check("weir.args: " .. given.name, given, param_keys)
  local param = {}
  for key, value in pairs(given) do param[key] = value end
  local dashes, word = string.match(param.name, "^(%-*)([%a_][%w_-]*)$")
  if not word or #dashes == 1 or #dashes > 2 then
    fault(param, "a name is a word, with two dashes before it for an option")
  end
  param.option = dashes == "--"
  param.key = string.gsub(word, "-", "_")
  param.type = param.type or "string"
  if not lua_types[param.type] then
    local known = sorted_keys(lua_types)
    local near = text.nearest(param.type, known)
    fault(param, "no type '%s'%s", param.type, near and string.format(" (did you mean '%s'?)", near)
      or "; there are: " .. table.concat(known, ", "))
  end
  if param.type == "flag" and (not param.option or param.many or param.choices) then
    fault(param, "a flag is an option without choices, given once")
  end
  if word == "help" and param.option then fault(param, "--help is there already") end
  if param.short and not (param.option and string.match(param.short, "^%-%a$")
      and param.short ~= "-h") then
    fault(param, "short must be a dash and a letter (not -h), of an option")
  end
  if (param.min or param.max) and lua_types[param.type] ~= "number" then
    fault(param, "min and max are for numbers")
  end
  if param.default ~= nil then check_default(param) end
  if param.choices then check_choices(param) end
  if param.required == nil then
    param.required = not param.option and param.default == nil
  elseif param.required and param.default ~= nil then
    fault(param, "it is required, so its default is never used")
  end
  return param
end

--- The declaration, checked: every fault of it is the script's own and raises.
function spec.read(declaration)
  if type(declaration) ~= "table" then
    misuse("weir.args: expected a table of parameters, got " .. type(declaration))
  end
  local out = { params = {}, by_word = {}, operands = {}, named = {} }
  for key, value in pairs(declaration) do
    if math.type(key) ~= "integer" then
      out.named[key] = value
    end
  end
  options.check("weir.args", out.named, spec_keys)
  for i, given in ipairs(declaration) do
    local param = read_param(given, i)
    if out.params[param.key] then fault(param, "it stands twice") end
    out.params[i], out.params[param.key] = param, param
    if param.option then
      for _, word in pairs { param.name, param.short } do
        if out.by_word[word] then fault(param, "%s stands twice", word) end
        out.by_word[word] = param
      end
    else
      local last = out.operands[#out.operands]
      if last and last.many then fault(last, "only the last argument can be many") end
      if last and not last.required and param.required then
        fault(param, "it is required, but %s before it is not", last.name)
      end
      out.operands[#out.operands + 1] = param
    end
  end
  return out
end

--- What stands for the value in usage lines: "REGION".
function spec.value_name(param)
  return param.value or string.upper(param.key)
end

return spec

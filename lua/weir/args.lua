--- weir.args: a script declares its parameters once, and gets parsing, --help,
-- errors with exit code 64 and shell completion.

local args_spec = require "weir.args_spec"
local err = require "weir.err"
local help = require "weir.args_help"
local misuse = require "weir.core".misuse
local require_env = require "weir.core.needs".env
local options = require "weir.options"
local text = require "weir.text"

local value_name = args_spec.value_name

local args = {}

--- A mistake of whoever typed the words, not of the script.
local function refuse(message, ...)
  error({ usage = string.format(message, ...) }, 0)
end

--- The value that a word means for a parameter. `label` says what it came as:
-- the option, the argument or the variable.
local function convert(param, word, label)
  local value, expected, why = args_spec.types[param.type](word)
  if value == nil then
    refuse("%s: expected %s, got '%s'%s", label, expected, word,
      why and string.format(" (%s)", (string.gsub(why, "^.*: ", ""))) or "")
  end
  if param.min and value < param.min or param.max and value > param.max then
    refuse("%s: %s is out of range %s", label, word,
      help.notes { min = param.min, max = param.max })
  end
  if not param.choices then return value end
  local words = {}
  for i, choice in ipairs(param.choices) do
    if choice == value then return value end
    words[i] = tostring(choice)
  end
  local near = text.nearest(word, words)
  refuse("%s: expected one of %s, got '%s'%s", label, table.concat(words, ", "), word,
    near and string.format(" (did you mean '%s'?)", near) or "")
end

local function store(values, param, value, label)
  if param.many then
    values[param.key] = values[param.key] or {}
    table.insert(values[param.key], value)
  elseif values[param.key] ~= nil then
    refuse("%s is given twice", label)
  else
    values[param.key] = value
  end
end

--- The parameter that an option's word means, and whether it is "--no-x".
local function find_option(spec, word)
  local param = spec.by_word[word]
  if param then return param, false end
  local positive = string.match(word, "^%-%-no(%-[%w_-]+)$")
  param = positive and spec.by_word["-" .. positive]
  if param and param.type == "flag" then return param, true end
  local names = { "--help" }
  for name, each in pairs(spec.by_word) do
    if string.sub(name, 1, 2) == "--" then
      names[#names + 1] = name
      if each.type == "flag" then names[#names + 1] = "--no-" .. string.sub(name, 3) end
    end
  end
  table.sort(names)
  local near = text.nearest(word, names)
  refuse("unknown option %s%s", word, near and string.format(" (did you mean %s?)", near) or "")
end

--- Words one by one, so that options can take the next.
local function reader(words)
  local at = 0
  return function()
    at = at + 1
    return words[at]
  end
end

local function take_long(spec, values, word, next_word)
  local name, attached = string.match(word, "^(%-%-[^=]*)=(.*)$")
  local param, negated = find_option(spec, name or word)
  local label = negated and word or param.name
  if param.type == "flag" then
    if attached then refuse("%s takes no value", name) end
    return store(values, param, not negated, label)
  end
  attached = attached or next_word()
  if not attached then refuse("%s needs a value, %s", label, value_name(param)) end
  store(values, param, convert(param, attached, label), label)
end

--- "-c VALUE", "-cVALUE", or flags in one word: "-xv".
local function take_short(spec, values, word, next_word)
  local at = 2
  while at <= #word do
    local name = "-" .. string.sub(word, at, at)
    local param = find_option(spec, name)
    at = at + 1
    if param.type == "flag" then
      store(values, param, true, name)
    else
      local rest = at <= #word and string.sub(word, at) or next_word()
      if not rest then refuse("%s needs a value, %s", name, value_name(param)) end
      return store(values, param, convert(param, rest, name), name)
    end
  end
end

local function take_operand(spec, values, position, word)
  local param = spec.operands[math.min(position, #spec.operands)]
  if not param or position > #spec.operands and not param.many then
    refuse("unexpected argument '%s'", word)
  end
  store(values, param, convert(param, word, value_name(param)), value_name(param))
end

local flag_words = {
  ["1"] = true, ["true"] = true, yes = true, on = true,
  ["0"] = false, ["false"] = false, no = false, off = false,
}

local function from_variable(values, param, word)
  if param.type == "flag" then
    values[param.key] = flag_words[string.lower(word)]
    if values[param.key] == nil then
      refuse("%s: expected true or false, got '%s'", param.env, word)
    end
  elseif param.many then
    for each in string.gmatch(word, "[^%s,]+") do
      store(values, param, convert(param, each, param.env), param.env)
    end
  else
    store(values, param, convert(param, word, param.env), param.env)
  end
end

local function default_of(param)
  local default = param.default
  if type(default) == "table" then return { table.unpack(default) } end
  if default == nil and param.type == "flag" then return false end
  if default == nil and param.many then return {} end
  return default
end

--- What was not given comes from the environment, then from the default.
local function fill_in(spec, values, getenv)
  for _, param in ipairs(spec.params) do
    local word = values[param.key] == nil and param.env and getenv(param.env)
    if word and word ~= "" then from_variable(values, param, word) end
    if values[param.key] == nil and param.required then
      refuse("%s is missing%s", param.option and param.name or value_name(param),
        param.env and string.format(" (or set %s)", param.env) or "")
    end
    if values[param.key] == nil then values[param.key] = default_of(param) end
  end
end

--- Whoever asks for help gets it, whatever else is wrong.
local function wants_help(words)
  for _, word in ipairs(words) do
    if word == "--" then return false end
    if word == "--help" or word == "-h" then return true end
  end
  return false
end

local function parse_words(spec, words, getenv)
  if wants_help(words) then return nil end
  local values, position, only_operands = {}, 0, false
  local next_word = reader(words)
  for word in next_word do
    if only_operands or word == "-" or string.sub(word, 1, 1) ~= "-"
      or string.match(word, "^%-[%d.]") and not spec.by_word[string.sub(word, 1, 2)] then
      position = position + 1
      take_operand(spec, values, position, word)
    elseif word == "--" then
      only_operands = true
    elseif string.sub(word, 1, 2) == "--" then
      take_long(spec, values, word, next_word)
    else
      take_short(spec, values, word, next_word)
    end
  end
  fill_in(spec, values, getenv)
  return values
end

--- A variable that the script names, if it may see it.
local function granted_env(name)
  require_env(name)
  return os.getenv(name)
end

--- Values that tell a misspelt name from one that was not given.
local function guarded(spec, values)
  local function unknown(_, key)
    if spec.params[key] and type(key) == "string" then return nil end
    local names = {}
    for i, param in ipairs(spec.params) do names[i] = param.key end
    local near = type(key) == "string" and text.nearest(key, names)
    misuse(string.format("no parameter '%s' was declared%s", tostring(key),
      near and string.format(" (did you mean '%s'?)", near) or ""))
  end
  return setmetatable(values, { __name = "weir.args", __index = unknown })
end

--- Reads `words` by the declaration. Returns the values; nil and the text of
-- --help where that was asked for; or nil and an err ("usage"). `opts.program`
-- is how the script is called, `opts.getenv` stands for os.getenv.
function args.parse(declaration, words, opts)
  opts = options.check("weir.args.parse", opts, { program = "string", getenv = "function" })
  local spec = args_spec.read(declaration)
  local program = opts.program or spec.named.name or "weir run SCRIPT"
  local ok, values = pcall(parse_words, spec, words, opts.getenv or granted_env)
  if ok and values then return guarded(spec, values) end
  if ok then return nil, help.text(spec, program) end
  if type(values) ~= "table" or not values.usage then error(values, 0) end
  return nil, err.new {
    code = "usage", message = values.usage, hint = program .. " --help shows what there is",
  }
end

--- Reads the running script's own arguments: prints --help and ends there, or
-- raises the err ("usage"), which ends the run with exit code 64.
local function run(_, declaration)
  local script = arg and arg[0] or "SCRIPT"
  local words = table.move(arg or {}, 1, arg and #arg or 0, 1, {})
  local named = type(declaration) == "table" and rawget(declaration, "name")
  local values, other = args.parse(declaration, words, {
    program = type(named) == "string" and named or "weir run " .. script,
  })
  if values then return values end
  if type(other) == "string" then
    io.stdout:write(other)
    os.exit(0)
  end
  other.message = (string.match(script, "[^/]*$")) .. ": " .. other.message
  error(other, 0)
end

return setmetatable(args, { __call = run })

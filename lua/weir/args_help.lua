--- The text of a script's --help, made of what it declared.

local value_name = require "weir.args_spec".value_name

local help = {}

local function usage_line(spec, program)
  local parts = { "usage: " .. program .. " [options]" }
  for _, param in ipairs(spec.operands) do
    local name = value_name(param) .. (param.many and "..." or "")
    parts[#parts + 1] = param.required and name or "[" .. name .. "]"
  end
  return table.concat(parts, " ")
end

local function shown(value)
  if type(value) ~= "table" then return tostring(value) end
  local list = {}
  for i, item in ipairs(value) do list[i] = tostring(item) end
  return table.concat(list, " ")
end

--- "chat or voice; default chat; or from DEPLOY_CHANNEL"
function help.notes(param)
  local list = {}
  if param.choices then list[#list + 1] = table.concat(param.choices, ", ") end
  if param.min and param.max then
    list[#list + 1] = string.format("%s to %s", param.min, param.max)
  elseif param.min then
    list[#list + 1] = string.format("%s or more", param.min)
  elseif param.max then
    list[#list + 1] = string.format("at most %s", param.max)
  end
  if param.default ~= nil and param.default ~= false then
    list[#list + 1] = param.type == "flag"
      and string.format("on by default; --no-%s", string.sub(param.name, 3))
      or "default " .. shown(param.default)
  end
  if param.option and param.required then list[#list + 1] = "required" end
  if param.option and param.many then list[#list + 1] = "may be given many times" end
  if param.env then list[#list + 1] = "or from " .. param.env end
  return #list > 0 and "(" .. table.concat(list, "; ") .. ")" or nil
end

local function add_section(lines, title, params, left)
  if #params == 0 then return end
  lines[#lines + 1] = ""
  lines[#lines + 1] = title .. ":"
  for _, param in ipairs(params) do
    local right = {}
    right[#right + 1] = param.help
    right[#right + 1] = help.notes(param)
    local label = left(param)
    if #label > 22 and #right > 0 then
      lines[#lines + 1] = "  " .. label
      label = ""
    end
    local line = string.format("  %-22s %s", label, table.concat(right, " "))
    lines[#lines + 1] = (string.gsub(line, "%s+$", ""))
  end
end

local function option_label(param)
  local label = param.name .. (param.short and ", " .. param.short or "")
  return param.type == "flag" and label or label .. " " .. value_name(param)
end

--- The text of --help; `spec` as args_spec.read returns it.
function help.text(spec, program)
  local lines = { usage_line(spec, program) }
  if spec.named.about then
    lines[#lines + 1] = ""
    lines[#lines + 1] = (string.gsub(spec.named.about, "%s+$", ""))
  end
  add_section(lines, "arguments", spec.operands, function(param)
    return value_name(param) .. (param.many and "..." or "")
  end)
  local list = {}
  for _, param in ipairs(spec.params) do
    if param.option then list[#list + 1] = param end
  end
  list[#list + 1] = { name = "--help", short = "-h", type = "flag", help = "this text" }
  add_section(lines, "options", list, option_label)
  if spec.named.examples then
    lines[#lines + 1] = ""
    lines[#lines + 1] = "examples:"
    local examples = string.gsub(spec.named.examples, "%s+$", "")
    for line in string.gmatch(examples, "[^\n]+") do
      lines[#lines + 1] = "  " .. string.gsub(line, "^%s+", "")
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

return help

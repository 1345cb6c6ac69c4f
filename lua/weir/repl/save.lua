--- The inputs of a session that succeeded, as a script that does the same.

local lexer = require "weir.lexer"

local save = {}

-- Lua allows 200 locals in a function; beyond these the script's names are
-- fields of an environment of its own.
local MAX_LOCALS = 150

local function mentions(text, name)
  for _, token in ipairs((lexer.tokens(text, 1))) do
    if token.kind == "name" and token.value == name then return true end
  end
  return false
end

--- Whether `_` is read by an input before another value takes its place.
local function is_used_later(inputs, from)
  for i = from + 1, #inputs do
    if mentions(inputs[i].text, "_") then return true end
    if inputs[i].compiled.expression then return false end
  end
  return false
end

local function expression_lines(input, keep)
  local text = string.gsub(string.gsub(input.compiled.text, "^%s+", ""), "[%s;]+$", "")
  if keep and input.listing then
    return string.format("_ = {}\nfor row in %s do _[#_ + 1] = row end", text)
  elseif keep then
    return string.format("_ = %s", text)
  elseif load(text, "=", "t") then
    return text -- a call stands alone
  end
  return string.format("print(%s)", text)
end

local function count_names(inputs)
  local seen, n = {}, 0
  for _, input in ipairs(inputs) do
    for _, name in ipairs(input.new) do
      if not seen[name] then seen[name], n = true, n + 1 end
    end
  end
  return n
end

--- The lines of one input. `declared` are the names that are locals already.
local function input_lines(input, declared, keep, use_locals)
  if input.compiled.expression then return expression_lines(input, keep), {} end
  local kept = string.gsub(input.compiled.text, "^\n+", "")
  if not use_locals then return kept, {} end
  local own, again = {}, false
  for _, name in ipairs(input.compiled.names or {}) do
    own[name] = true
    again = again or declared[name] ~= nil
  end
  local missing = {}
  for _, name in ipairs(input.new) do
    if not declared[name] and (again or not own[name]) then missing[#missing + 1] = name end
    declared[name] = true
  end
  for name in pairs(own) do declared[name] = true end
  table.sort(missing)
  return again and kept or input.text, missing
end

--- The script, as text.
function save.script(inputs)
  local use_locals = count_names(inputs) <= MAX_LOCALS
  local lines = { "-- Saved from a weir session on " .. os.date("%Y-%m-%d %H:%M") .. "." }
  local declared = {}
  local needs_tenant, needs_last = false, false
  for i, input in ipairs(inputs) do
    needs_tenant = needs_tenant or mentions(input.text, "tenant")
    for _, name in ipairs(input.new) do
      if name == "tenant" then needs_tenant = false end
    end
    input.keep = input.compiled.expression and is_used_later(inputs, i) or nil
    needs_last = needs_last or input.keep
  end
  if not use_locals then
    lines[#lines + 1] = "local _ENV = setmetatable({}, { __index = _ENV }) -- many names"
  end
  if needs_tenant then
    lines[#lines + 1] = 'local tenant = require "cxone".connect()'
    declared.tenant = true
  end
  if needs_last then lines[#lines + 1] = "local _ -- the last value" end
  lines[#lines + 1] = ""
  for _, input in ipairs(inputs) do
    local body, missing = input_lines(input, declared, input.keep, use_locals)
    if #missing > 0 then lines[#lines + 1] = "local " .. table.concat(missing, ", ") end
    lines[#lines + 1] = body
  end
  return table.concat(lines, "\n") .. "\n"
end

return save

--- The filters that a script builds, as far as its text tells: every one whose
-- definition is written down as a table is checked as `filter.new` would, and
-- nothing of the script runs. What only a run can know (a name out of a
-- variable) is left out, and so is what is said of it.

local filter = require "weir.filter"
local null = require "weir".null
local parser = require "check.parser"
local regex = require "weir.regex"

local definitions = {}

-- Calls whose first argument is a definition.
local builders = {
  new = true, check = true, validate = true, create = true, deploy = true,
}
-- A table with a channel and one of these is a definition wherever it stands.
local telling = { "matchers", "pattern_rules", "target_group_id" }

-- Values -----------------------------------------------------------------------

local unknown = {}

--- A table under construction: its value, what of it is not known, and which
-- node each JSON pointer was written as.
local function new_reading()
  return { nodes = {}, unknown = {}, open = {} }
end

local evaluate

local function is_null(it)
  return it.tag == "Index" and it.object.tag == "Name" and not it.object.decl
    and it.object.name == "weir" and it.key.value == "null"
end

local function escaped(key)
  return (tostring(key):gsub("~", "~0"):gsub("/", "~1"))
end

local function read_table(it, reading, path)
  local value, position = {}, 0
  reading.nodes[path] = it
  for _, field in ipairs(it.fields) do
    local key
    if not field.key then
      position = position + 1
      key = position
    else
      key = evaluate(field.key, reading, nil)
    end
    if key == unknown or key == nil then
      reading.open[path] = true
    else
      local at = path .. "/" .. escaped(math.type(key) == "integer" and key - 1 or key)
      local inner = evaluate(field.value, reading, at)
      reading.nodes[at] = reading.nodes[at] or field
      if inner == unknown then
        reading.unknown[at] = true
        -- Keeps the places of the elements after it.
        inner = math.type(key) == "integer" and {} or nil
      end
      value[key] = inner
    end
  end
  return value
end

local function read_binary(it, reading)
  local left = evaluate(it.left, reading, nil)
  local right = evaluate(it.right, reading, nil)
  if left == unknown or right == unknown or it.operator ~= ".." then return unknown end
  local ok, joined = pcall(function() return left .. right end)
  return ok and joined or unknown
end

--- The value of an expression that is a constant, else `unknown`. A table needs
-- the pointer `path` that it is at.
function evaluate(it, reading, path)
  if it.tag == "String" or it.tag == "Number" then
    local value = it.value
    if it.tag == "Number" then value = tonumber(value) end
    if value == nil then return unknown end
    return value
  elseif it.tag == "True" or it.tag == "False" then
    return it.tag == "True"
  elseif it.tag == "Nil" then
    return nil
  elseif is_null(it) then
    return null
  elseif it.tag == "Paren" then
    return evaluate(it.value, reading, path)
  elseif it.tag == "Binary" then
    return read_binary(it, reading)
  elseif it.tag == "Unary" and it.operator == "-" and it.value.tag == "Number" then
    local value = tonumber(it.value.value)
    return value and -value or unknown
  elseif it.tag == "Table" then
    return path and read_table(it, reading, path) or unknown
  elseif it.tag == "Name" and it.decl and it.decl.constant and it.decl.value
    and not it.decl.changed and not it.decl.busy then
    it.decl.busy = true -- local x = { x = x } means an outer x, but is no reason to hang
    local value = evaluate(it.decl.value, reading, path)
    it.decl.busy = nil
    return value
  end
  return unknown
end

-- Which tables are definitions ---------------------------------------------------

local function field_names(it)
  local names = {}
  for _, field in ipairs(it.fields) do
    if field.key and field.key.tag == "String" and field.key.value then
      names[field.key.value] = true
    end
  end
  return names
end

local function looks_like_one(it)
  local names = field_names(it)
  if not names.channel then return false end
  for _, name in ipairs(telling) do
    if names[name] then return true end
  end
  return names.name ~= nil and names.description ~= nil
end

--- The table that an argument is, and whether it is all that is known of it.
local function table_of(it)
  if it and it.tag == "Table" then return it, true end
  if it and it.tag == "Name" and it.decl and it.decl.constant and it.decl.value
    and it.decl.value.tag == "Table" then
    return it.decl.value, not it.decl.changed
  end
end

--- The name under which a call's function is called: "deploy".
local function called_name(it)
  if it.tag == "Method" then return it.key.value end
  if it.tag == "Call" and it.fn.tag == "Index" and it.fn.dotted then return it.fn.key.value end
end

--- Tables whose fields a script goes on to set are not whole where they stand.
local function mark_changed(chunk)
  parser.walk(chunk, function(it)
    if it.tag ~= "Assign" then return end
    for _, target in ipairs(it.targets) do
      local at = target
      while at.tag == "Index" do at = at.object end
      if at ~= target and at.tag == "Name" and at.decl then at.decl.changed = true end
    end
  end)
end

--- Each definition of the chunk: its table, and whether what it lacks is
-- missing.
local function find(chunk)
  local found, whole = {}, {}
  parser.walk(chunk, function(it)
    if it.args and builders[called_name(it) or ""] then
      local constructor, complete = table_of(it.args[1])
      if constructor then
        local names = field_names(constructor)
        if names.channel or names.matchers or names.pattern_rules then
          if whole[constructor] == nil then found[#found + 1] = constructor end
          whole[constructor] = whole[constructor] or complete
        end
      end
    end
  end)
  parser.walk(chunk, function(it)
    if it.tag == "Table" and whole[it] == nil and looks_like_one(it) then
      found[#found + 1] = it
      whole[it] = false
    end
  end)
  return found, whole
end

-- Problems -------------------------------------------------------------------------

--- The node that a pointer was written as, or the nearest one around it; and
-- whether it is the pointer's own.
local function node_at(reading, pointer)
  local at = pointer
  while not reading.nodes[at] and at ~= "" do at = at:match("^(.*)/[^/]*$") end
  return reading.nodes[at], at == pointer, at
end

local function is_unknown(reading, pointer)
  local at = pointer
  while true do
    if reading.unknown[at] then return true end
    if at == "" then return false end
    at = at:match("^(.*)/[^/]*$")
  end
end

--- The value of a field, for the place of a problem with it.
local function place_of(it)
  return it.tag == "Field" and it.value or it
end

--- Calls note(pointer, message) for what works in a definition and may be slow.
function definitions.slow(definition, note)
  local rules = definition.pattern_rules
  for i, rule in ipairs(type(rules) == "table" and rules or {}) do
    if type(rule) == "table" and rule.type == "regex" and type(rule.pattern) == "string" then
      local portable, differences = regex.portable(rule.pattern)
      for _, difference in ipairs(portable and differences or {}) do
        note(("/pattern_rules/%d/pattern"):format(i - 1), difference.message)
      end
    end
  end
end

--- Adds a finding for every problem of every definition in the chunk. Returns
-- the set of the tables that it took for definitions, inner ones too.
function definitions.check(chunk, add)
  mark_changed(chunk)
  local found, whole = find(chunk)
  local handled = {}
  for _, constructor in ipairs(found) do
    local reading = new_reading()
    local definition = read_table(constructor, reading, "")
    for _, it in pairs(reading.nodes) do handled[it] = true end
    local ok, problems = filter.check(definition)
    for _, problem in ipairs(ok and {} or problems) do
      local it, own, at = node_at(reading, problem.path)
      local missing = not own
      local skip = is_unknown(reading, problem.path)
        or missing and (reading.open[at] or at == "" and not whole[constructor])
      if not skip then
        add(place_of(it), "filter",
          (problem.path ~= "" and problem.path .. ": " or "") .. problem.message, problem.hint)
      end
    end
    definitions.slow(definition, function(pointer, message)
      add(place_of(node_at(reading, pointer)), "regex", message, nil, "note")
    end)
  end
  return handled
end

return definitions

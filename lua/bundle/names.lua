--- What a script's text says that it needs: modules, files, and what cannot be
-- known before it runs. Nothing of it runs.

local parser = require "check.parser"

local names = {}

-- What an expression is -----------------------------------------------------------

--- The text of an expression that is the same whenever it is evaluated; nil
-- where that cannot be known.
local function constant(it)
  if not it then return nil end
  if it.tag == "String" then return it.value end
  if it.tag == "Paren" then return constant(it.value) end
  if it.tag == "Name" and it.decl and it.decl.constant then return constant(it.decl.value) end
  if it.tag == "Binary" and it.operator == ".." then
    local left, right = constant(it.left), constant(it.right)
    return left and right and left .. right
  end
  return nil
end

--- "io.open" for the expression that says so, "require" for that global.
local function global_name(it)
  if not it then return nil end
  if it.tag == "Name" and not it.decl then return it.name end
  if it.tag == "Index" and it.dotted and it.object.tag == "Name" and not it.object.decl then
    local prefix = it.object.name == "_G" and "" or it.object.name .. "."
    return prefix .. it.key.value
  end
  return nil
end

--- `weir.needs`, however the script came to weir.
local function is_needs(it)
  return it.tag == "Index" and it.dotted and it.key.value == "needs"
    and it.object.tag == "Name" and it.object.name == "weir"
end

-- Calls -----------------------------------------------------------------------------

local calls = {}

--- `optional`: the script goes on without the module.
local function module_of(state, it, argument, optional)
  local name = constant(argument)
  if not argument then return end
  state.used[argument] = true
  if name then
    state.add { kind = "module", name = name, optional = optional, from = it.from }
  else
    state.add { kind = "computed", from = it.from }
  end
end

function calls.require(state, it)
  state.used[it.fn] = true
  module_of(state, it, it.args[1], false)
end

function calls.pcall(state, it)
  if global_name(it.args[1]) ~= "require" then return end
  state.used[it.args[1]] = true
  module_of(state, it, it.args[2], true)
end

calls.xpcall = function(state, it)
  if global_name(it.args[1]) ~= "require" then return end
  state.used[it.args[1]] = true
  module_of(state, it, it.args[3], true)
end

--- A file of Lua text that is run.
local function script_of(state, it)
  local path = constant(it.args[1])
  if not it.args[1] then return end
  state.used[it.args[1]] = true
  if path then
    state.add { kind = "script", name = path, from = it.from }
  else
    state.add { kind = "computed", from = it.from }
  end
end

calls.dofile, calls.loadfile = script_of, script_of

calls["io.open"] = function(state, it)
  local path, mode = constant(it.args[1]), constant(it.args[2]) or "r"
  if not path then return end
  state.used[it.args[1]] = true
  if not mode:find("[wa+]") then
    state.add { kind = "file", name = path, from = it.from, read = true }
  end
end

calls["io.lines"] = function(state, it)
  local path = constant(it.args[1])
  if not path then return end
  state.used[it.args[1]] = true
  state.add { kind = "file", name = path, from = it.from, read = true }
end

--- What a declaration of needs names is of the machine that it runs on.
local function skip_all(state, it)
  parser.walk(it.args, function(inner) state.used[inner] = true end)
end

-- For callers -----------------------------------------------------------------------

--- Every name of the text, in its order: {kind, name, from (a byte)} with kind
-- "module" (optional: asked for in a pcall), "script" (dofile), "file" (`read`: given
-- to a function that reads files; else any constant with a '.' or '/') and
-- "computed" (a module or script whose name is not known). Raises a string for
-- text that the parser cannot read.
function names.of(text)
  local tree = parser.parse(text)
  local found, state = {}, { used = {} }
  function state.add(it) found[#found + 1] = it end
  parser.walk(tree, function(it)
    if it.tag == "Call" then
      local call = calls[global_name(it.fn)]
      if is_needs(it.fn) then skip_all(state, it) elseif call then call(state, it) end
    elseif global_name(it) == "require" and not state.used[it] then
      state.add { kind = "computed", from = it.from }
    elseif it.tag == "String" and it.value and not state.used[it] and it.value:find("[./]") then
      state.add { kind = "file", name = it.value, from = it.from }
    end
  end)
  return found
end

--- The line of a byte of the text.
function names.line(text, byte)
  local _, breaks = text:sub(1, byte - 1):gsub("\n", "")
  return breaks + 1
end

return names

--- Checks of an options table in a Lua face, as bind_options does for the
-- bindings: an unknown key is an error that suggests the nearest right one.

local secret = require "weir.secret"
local text = require "weir.text"
local misuse = require "weir.core".misuse

local options = {}

local function refuse(what, key, value, known)
  local want = known[key] == "secret" and "string or a weir.secret" or known[key]
  if want then
    misuse(string.format("%s: option '%s' must be a %s, got %s", what, key, want, type(value)))
  end
  local names = {}
  for name in pairs(known) do names[#names + 1] = name end
  table.sort(names)
  local near = text.nearest(key, names)
  misuse(string.format("%s: unknown option '%s'%s", what, key,
    near and string.format(" (did you mean '%s'?)", near)
      or "; there are: " .. table.concat(names, ", ")))
end

--- Returns `given`, or an empty table for nil. `known` maps each key to the
-- type it takes ("any": no check; "secret": a string or a weir.secret). Raises
-- at the caller's caller: the script.
function options.check(what, given, known)
  if given == nil then return {} end
  if type(given) ~= "table" then
    misuse(string.format("%s: expected a table of options, got %s", what, type(given)))
  end
  -- Of several mistakes the first by name is told, whatever pairs begins with.
  local wrong
  for key, value in pairs(given) do
    if type(key) ~= "string" then
      misuse(string.format("%s: options have names; found a key of type %s", what, type(key)))
    end
    local want = known[key]
    if want == "secret" then want = secret.is(value) and "userdata" or "string" end
    if (not want or want ~= "any" and type(value) ~= want) and (not wrong or key < wrong) then
      wrong = key
    end
  end
  if wrong then refuse(what, wrong, given[wrong], known) end
  return given
end

return options

--- Checks of an options table in a Lua face, as bind_options does for the
-- bindings: an unknown key is an error that suggests the nearest right one.

local text = require "weir.text"
local misuse = require "weir.core".misuse

local options = {}

--- Returns `given`, or an empty table for nil. `known` maps each key to the
-- type it takes ("any": no check). Raises at the caller's caller: the script.
function options.check(what, given, known)
  if given == nil then return {} end
  if type(given) ~= "table" then
    misuse(("%s: expected a table of options, got %s"):format(what, type(given)))
  end
  for key, value in pairs(given) do
    local want = known[key]
    if not want then
      local names = {}
      for name in pairs(known) do names[#names + 1] = name end
      table.sort(names)
      local near = type(key) == "string" and text.nearest(key, names)
      misuse(("%s: unknown option '%s'%s"):format(what, tostring(key),
        near and (" (did you mean '%s'?)"):format(near)
          or "; there are: " .. table.concat(names, ", ")))
    end
    if want ~= "any" and type(value) ~= want then
      misuse(("%s: option '%s' must be a %s, got %s")
        :format(what, key, want, type(value)))
    end
  end
  return given
end

return options

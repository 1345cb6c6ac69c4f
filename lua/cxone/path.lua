--- Fills the dialect's path templates; ids are percent-encoded whole, since
-- `/ ? # %` and non-ASCII do occur in them.

local text = require "weir.text"
local misuse = require "weir.core".misuse

local path = {}

local function segment(name, id)
  if type(id) ~= "string" or id == "" or id == "." or id == ".." then
    misuse(string.format("expected an id for {%s}, got %s", name,
      type(id) == "string" and string.format("%q", id) or type(id)))
  end
  return text.url_encode(id)
end

--- path.fill("/filters/{id}", {id = "flt 1"}) → "/filters/flt%201".
-- Raises for an id that cannot be a path segment.
function path.fill(template, values)
  local filled, from = "", 1
  local first = string.find(template, "{", 1, true)
  while first do
    local last = string.find(template, "}", first, true)
    if not last then break end
    local name = string.sub(template, first + 1, last - 1)
    filled = filled .. string.sub(template, from, first - 1) .. segment(name, values[name])
    from = last + 1
    first = string.find(template, "{", from, true)
  end
  return filled .. string.sub(template, from)
end

return path

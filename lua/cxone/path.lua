--- Fills the dialect's path templates; ids are percent-encoded whole, since
-- `/ ? # %` and non-ASCII do occur in them.

local text = require "weir.text"
local misuse = require "weir.core".misuse

local path = {}

--- path.fill("/filters/{id}", {id = "flt 1"}) → "/filters/flt%201".
-- Raises for an id that cannot be a path segment.
function path.fill(template, values)
  return (string.gsub(template, "{(%w+)}", function(name)
    local id = values[name]
    if type(id) ~= "string" or id == "" or id == "." or id == ".." then
      misuse(string.format("expected an id for {%s}, got %s", name,
        type(id) == "string" and string.format("%q", id) or type(id)))
    end
    return text.url_encode(id)
  end))
end

return path

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

--- "/filters/{id}/status" → {"/filters/", "id", "/status"}.
local function split(template)
  local parts, from = {}, 1
  local first = string.find(template, "{", 1, true)
  while first do
    local last = string.find(template, "}", first, true)
    if not last then break end
    parts[#parts + 1] = string.sub(template, from, first - 1)
    parts[#parts + 1] = string.sub(template, first + 1, last - 1)
    from = last + 1
    first = string.find(template, "{", from, true)
  end
  parts[#parts + 1] = string.sub(template, from)
  return parts
end

-- By template: a dialect has a handful of them.
local parts_of = {}

--- path.fill("/filters/{id}", {id = "flt 1"}) → "/filters/flt%201".
-- Raises for an id that cannot be a path segment.
function path.fill(template, values)
  local parts = parts_of[template]
  if not parts then
    parts = split(template)
    parts_of[template] = parts
  end
  local filled = parts[1]
  for i = 2, #parts, 2 do
    local name = parts[i]
    filled = filled .. segment(name, values[name]) .. parts[i + 1]
  end
  return filled
end

return path

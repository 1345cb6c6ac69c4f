--- The target of a request: path segments and query, decoded safely.

local target = {}

---Percent-decoding that refuses what is broken: a "%" without two hex digits,
-- and text that is not UTF-8.
---@param text string
---@return string?
function target.decode(text)
  if text:gsub("%%%x%x", ""):find("%", 1, true) then
    return nil
  end
  local decoded = text:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end)
  return utf8.len(decoded) and decoded or nil
end

---Reads "a=1&b=2", a query or a form.
---@param text string
---@return table<string, string>? pairs
---@return string? message
function target.form(text)
  local form = {}
  for pair in text:gmatch("[^&]+") do
    local name, value = pair:match("^([^=]*)=?(.*)$")
    name = target.decode((name:gsub("+", " ")))
    value = target.decode((value:gsub("+", " ")))
    if not name or not value then
      return nil, "broken percent-encoding, or not UTF-8"
    elseif form[name] then
      return nil, ("'%s' is given twice"):format(name)
    end
    form[name] = value
  end
  return form
end

---@class sim.Target
---@field path string as it was sent, without the query
---@field segments string[] decoded
---@field query table<string, string>

---@param text string
---@return sim.Target?
---@return string? message
function target.parse(text)
  -- A client that believes it speaks to a proxy sends the whole URL.
  text = text:gsub("^[Hh][Tt][Tt][Pp][Ss]?://[^/?]*", "", 1)
  local path, query_text = text:match("^([^?]*)%??(.*)$")
  local segments = {}
  for segment in path:gmatch("/([^/]*)") do
    local decoded = target.decode(segment)
    if not decoded then
      return nil, "path: broken percent-encoding, or not UTF-8"
    end
    segments[#segments + 1] = decoded
  end
  local query, message = target.form(query_text)
  if not query then
    return nil, "query: " .. message
  end
  return { path = path, segments = segments, query = query }
end

---A text as one path segment.
---@param text string
---@return string
function target.encode(text)
  return (text:gsub("[^%w%-._~]", function(c)
    return string.format("%%%02X", c:byte())
  end))
end

return target

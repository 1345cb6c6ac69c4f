--- Strings as Lua would write them, safe for a terminal: what could move its
-- cursor, or hide text from the reader, is written as an escape.

local quote = {}

local named = { ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r", ["\\"] = "\\\\", ['"'] = '\\"' }

--- Code points that show as something else than what they are.
local function is_hidden(code)
  return code >= 0x80 and code <= 0x9f           -- C1 controls
    or code >= 0x200b and code <= 0x200f         -- no width; direction marks
    or code >= 0x202a and code <= 0x202e         -- direction overrides
    or code >= 0x2066 and code <= 0x2069 or code == 0xfeff
    or code > 0x10ffff or code >= 0xd800 and code <= 0xdfff
end

local function escape_control(c)
  return named[c] or string.format("\\x%02x", string.byte(c))
end

local function escape_wide(text)
  return (string.gsub(text, utf8.charpattern, function(c)
    if #c == 1 then return nil end
    local code = utf8.codepoint(c, 1, 1, true)
    return is_hidden(code) and string.format("\\u{%x}", code) or nil
  end))
end

local function escape_bytes(text)
  return (string.gsub(text, "[\x80-\xff]", function(c)
    return string.format("\\x%02x", string.byte(c))
  end))
end

local function escape_beyond_ascii(text)
  if not string.find(text, "[\x80-\xff]") then return text end
  local parts, at = {}, 1
  while at <= #text do
    local ok, bad = utf8.len(text, at)
    local stop = ok and #text or bad - 1
    parts[#parts + 1] = escape_wide(string.sub(text, at, stop))
    if not ok then parts[#parts + 1] = escape_bytes(string.sub(text, bad, bad)) end
    at = stop + (ok and 1 or 2)
  end
  return table.concat(parts)
end

--- `"text"`, with escapes.
function quote.string(text)
  return '"' .. escape_beyond_ascii((string.gsub(text, '[%c\\"]', escape_control))) .. '"'
end

--- The text without quotes for one line, such as a cell.
function quote.line(text)
  return escape_beyond_ascii((string.gsub(text, "%c", escape_control)))
end

--- The text with its own lines and tabs.
function quote.block(text)
  return escape_beyond_ascii((string.gsub(text, "[^\n\t]", function(c)
    if string.find(c, "%c") then return escape_control(c) end
    return nil
  end)))
end

local reserved = {}
for word in string.gmatch([[and break do else elseif end false for function goto if in local nil
  not or repeat return then true until while]], "%a+") do reserved[word] = true end

--- Whether a string can be a name in Lua.
function quote.is_name(text)
  return string.find(text, "^[%a_][%w_]*$") ~= nil and not reserved[text]
end

--- A key as it stands in a constructor.
function quote.key(key)
  if type(key) == "string" then
    return quote.is_name(key) and key or "[" .. quote.string(key) .. "]"
  end
  return "[" .. tostring(key) .. "]"
end

return quote

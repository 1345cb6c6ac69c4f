--- Colours by what a piece of text is, so that one table says what they are.

local style = {}

local codes = {
  key = "34", string = "32", number = "36", word = "35", dim = "2",
  head = "1", name = "1", bad = "31", good = "32", real = "1;31", sim = "32",
  changed = "7", type = "36",
}

local Style = {}
Style.__index = Style

--- A style; without colours every piece stays as it is.
function style.new(color)
  return setmetatable({ color = color }, Style)
end

--- The text as a piece of that kind.
function Style:paint(kind, text)
  if not self.color or text == "" then return text end
  return string.format("\27[%sm%s\27[0m", codes[kind], text)
end

return style

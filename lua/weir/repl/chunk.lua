--- What a typed text is: an expression to show, statements to run, or not
-- complete yet; and how its locals live on.
--
-- A `local` at the top of an input would be gone with the input. So it is
-- taken out: `local x = 1` becomes an assignment to `x` in the session's
-- environment, in the same columns. Inner blocks keep theirs.

local lexer = require "weir.lexer"

local chunk = {}

local opens = { ["function"] = true, ["do"] = true, ["then"] = true, ["repeat"] = true }
local closes = { ["end"] = true, ["until"] = true, ["elseif"] = true }
-- A line that begins with one of these belongs to what stands around it.
local outdents = {
  ["end"] = true, ["until"] = true, ["elseif"] = true, ["else"] = true,
}
local brackets = { ["("] = 1, ["["] = 1, ["{"] = 1, [")"] = -1, ["]"] = -1, ["}"] = -1 }

-- Locals -----------------------------------------------------------------------

local function blank(text, first, last)
  return string.sub(text, 1, first - 1) .. string.rep(" ", last - first + 1)
    .. string.sub(text, last + 1)
end

--- The names of a `local` statement whose first name is token `i`; the token
-- after them; the attribs' positions; whether one is to be closed.
local function read_names(tokens, i)
  local names, attribs, closing = {}, {}, false
  while tokens[i] and tokens[i].kind == "name" do
    names[#names + 1] = tokens[i].value
    local last = tokens[i]
    i = i + 1
    if tokens[i] and tokens[i].kind == "<" and tokens[i + 2] and tokens[i + 2].kind == ">" then
      closing = closing or tokens[i + 1].value == "close"
      attribs[#attribs + 1] = { tokens[i].from, tokens[i + 2].to }
      last = tokens[i + 2]
      i = i + 3
    end
    names.last = last.to
    if not tokens[i] or tokens[i].kind ~= "," then break end
    i = i + 1
  end
  return names, i, attribs, closing
end

--- The text with its outermost locals made assignments, and the list of their
-- names. A `local x <close>` stays: it is closed when the input has run.
function chunk.keep_locals(text)
  local tokens = lexer.tokens(text, 1)
  local depth, names, additions = 0, {}, {}
  local i = 1
  while tokens[i] do
    local t = tokens[i]
    if t.kind == "name" and opens[t.value] then
      depth = depth + 1
    elseif t.kind == "name" and closes[t.value] then
      depth = depth - 1
    elseif t.kind == "name" and t.value == "local" and depth == 0 and tokens[i + 1] then
      local after = tokens[i + 1]
      if after.value == "function" and after.kind == "name" then
        text = blank(text, t.from, t.to)
        if tokens[i + 2] then names[#names + 1] = tokens[i + 2].value end
      else
        local declared, next_token, attribs, closing = read_names(tokens, i + 1)
        if not closing and #declared > 0 then
          text = blank(text, t.from, t.to)
          for _, attrib in ipairs(attribs) do text = blank(text, attrib[1], attrib[2]) end
          if not tokens[next_token] or tokens[next_token].kind ~= "=" then
            additions[#additions + 1] = declared.last
          end
          table.move(declared, 1, #declared, #names + 1, names)
        end
        i = next_token - 1
      end
    end
    i = i + 1
  end
  for n = #additions, 1, -1 do
    local at = additions[n]
    text = string.sub(text, 1, at) .. " = nil" .. string.sub(text, at + 1)
  end
  return text, names
end

-- Compiling ----------------------------------------------------------------------

local function is_cut_off(message)
  return string.find(message, "near <eof>", 1, true) ~= nil
    and not string.find(message, "unfinished string near", 1, true) -- no line can end that
end

--- Whether the text is nothing but space and comments.
function chunk.is_empty(text)
  local tokens, in_comment = lexer.tokens(text, 1)
  return #tokens == 0 and not (in_comment and string.find(text, "%-%-%[=*%[") ~= nil)
end

--- Reads a typed text. Returns {fn =, expression = bool, silent = bool, names =
-- {locals}, text = what runs}; or nil, the message, and whether more lines may
-- make it complete.
function chunk.compile(text, name, env)
  local expression = string.gsub(text, "^%s*=", "", 1)
  local fn, e = load("return " .. expression, name, "t", env)
  if fn then
    return { fn = fn, expression = true, silent = string.find(text, ";%s*$") ~= nil, names = {},
             text = expression }
  end
  local kept, names = chunk.keep_locals(text)
  local statement, message = load(kept, name, "t", env)
  if statement then
    return { fn = statement, expression = false, names = names, text = kept }
  end
  return nil, message, is_cut_off(message) or is_cut_off(e)
end

--- Whether the text needs more lines.
function chunk.wants_more(text)
  if chunk.is_empty(text) then return false end
  local compiled, _, more = chunk.compile(text, "=typed", nil)
  return not compiled and more
end

-- Indentation ----------------------------------------------------------------------

--- Columns that a line after this text is indented by: two for each block or
-- bracket that is open; nothing inside a long string or a comment.
function chunk.indent(text)
  local tokens, in_comment = lexer.tokens(text, 1)
  local last = tokens[#tokens]
  if in_comment or last and last.open then return 0 end
  local depth = 0
  for _, t in ipairs(tokens) do
    if t.kind == "name" then
      if opens[t.value] then depth = depth + 1 end
      if closes[t.value] then depth = depth - 1 end
    else
      depth = depth + (brackets[t.kind] or 0)
    end
  end
  return math.max(0, depth) * 2
end

--- How many columns too far the last line of the text is indented, now that
-- it turned out to end a block.
function chunk.outdent(text)
  local before, line = string.match(text, "^(.*\n)([^\n]*)$")
  if not before then return 0 end
  local space, word = string.match(line, "^( *)(%a+)")
  if not (word and outdents[word]) then
    space, word = string.match(line, "^( *)([%)%]}])")
  end
  if not word then return 0 end
  return math.max(0, math.min(#space, #space - chunk.indent(before) + 2))
end

return chunk

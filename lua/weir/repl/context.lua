--- Where in a typed text its end stands: in a string, in a call, in a table that
-- a parameter describes; and what is to the left of the word there.

local lexer = require "weir.lexer"

local context = {}

local keywords = {}
for word in string.gmatch([[and break do else elseif end false for function goto if in local nil
  not or repeat return then true until while]], "%a+") do keywords[word] = true end
context.keywords = keywords

local pairs_of = { [")"] = "(", ["]"] = "[", ["}"] = "{" }

local function is_value_end(token)
  return token and (token.kind == "name" and not keywords[token.value]
    or token.kind == "string" or token.kind == ")" or token.kind == "]" or token.kind == "}")
end

-- Chains: `a.b:c(…)["d"].` ------------------------------------------------------------

--- The index of the bracket that token `i` closes, or nil.
local function opening(tokens, i)
  local depth = 0
  for k = i, 1, -1 do
    local kind = tokens[k].kind
    if kind == ")" or kind == "]" or kind == "}" then depth = depth + 1 end
    if kind == "(" or kind == "[" or kind == "{" then
      depth = depth - 1
      if depth == 0 then return pairs_of[tokens[i].kind] == kind and k or nil end
    end
  end
  return nil
end

--- What ends at token `i`, as {root = name, steps…}: {field =}, {method =},
-- {call = true} or {index = true}. nil where it is no such chain.
function context.chain(tokens, i)
  local steps = {}
  while true do
    local t = tokens[i]
    if not t then return nil end
    if t.kind == ")" or t.kind == "}" or t.kind == "string" then
      local from = t.kind == "string" and i or opening(tokens, i)
      if not from or not is_value_end(tokens[from - 1]) then
        if t.kind == ")" and from and from < i - 1 then return nil end
        return nil
      end
      table.insert(steps, 1, { call = true })
      i = from - 1
    elseif t.kind == "]" then
      local from = opening(tokens, i)
      if not from or not is_value_end(tokens[from - 1]) then return nil end
      local key = tokens[from + 1]
      local only = key and from + 2 == i
      if only and key.kind == "string" then
        table.insert(steps, 1, { field = key.value })
      elseif only and key.kind == "number" then
        table.insert(steps, 1, { field = math.tointeger(tonumber(key.value)) or 0, index = true })
      else
        table.insert(steps, 1, { index = true })
      end
      i = from - 1
    elseif t.kind == "name" and not keywords[t.value] then
      local before = tokens[i - 1]
      if before and (before.kind == "." or before.kind == ":") and is_value_end(tokens[i - 2]) then
        table.insert(steps, 1, before.kind == ":" and { method = t.value } or { field = t.value })
        i = i - 2
      else
        steps.root = t.value
        return steps
      end
    else
      return nil
    end
  end
end

-- What is open around the end -----------------------------------------------------------

--- The brackets that are open, outermost first: {kind = "(" or "{" or "[",
-- callee = the chain that is called, index = the argument's or element's,
-- key = the field's name, used = {names}, at_start = whether an item begins}.
local function open_brackets(tokens, stop)
  local stack = {}
  for i = 1, stop do
    local t, top = tokens[i], stack[#stack]
    if t.kind == "(" or t.kind == "{" or t.kind == "[" then
      local opener = { kind = t.kind, index = 1, used = {}, at_start = true }
      if t.kind ~= "[" and is_value_end(tokens[i - 1]) and not (top and top.kind == "{"
          and top.at_start) then
        opener.callee = context.chain(tokens, i - 1)
        opener.called = true
      end
      if top then top.at_start = false end
      stack[#stack + 1] = opener
    elseif t.kind == ")" or t.kind == "}" or t.kind == "]" then
      stack[#stack] = nil
    elseif top and (t.kind == "," or t.kind == ";") then
      top.index, top.key, top.at_start = top.index + 1, nil, true
    elseif top and top.kind == "{" and t.kind == "=" and tokens[i - 1].kind == "name"
      and not (tokens[i + 1] and tokens[i + 1].kind == "=") and not top.key then
      top.key = tokens[i - 1].value
      top.used[top.key] = true
      top.at_start = false
    elseif top and not (top.kind == "{" and t.kind == "name" and top.at_start
        and tokens[i + 1] and tokens[i + 1].kind == "=") then
      top.at_start = false
    end
  end
  return stack
end

--- Reads the text up to the cursor. Returns nil inside a comment, else
-- {word = what is being typed, from = bytes before it, string = in a string,
-- chain = what stands before `separator`, stack = open brackets, compared =
-- the chain on the other side of a `==`}.
function context.read(text)
  local tokens, in_comment = lexer.tokens(text, 1)
  if in_comment then return nil end
  local n = #tokens
  local last = tokens[n]
  local here = { word = "", from = #text }
  local stop = n
  if last and last.open then
    here.string, here.word = true, last.open
    -- Escapes make the text longer than its value; then nothing is replaced.
    if #text - #last.open < last.from then return nil end
    here.from = #text - #last.open
    here.quote = string.sub(text, last.from, here.from)
    stop = n - 1
  elseif last and last.kind == "name" and last.to == #text then
    here.word, here.from = last.value, last.from - 1
    stop = n - 1
  elseif last and last.kind == "number" and last.to == #text then
    return nil
  end
  local before = tokens[stop]
  if not here.string and before and (before.kind == "." or before.kind == ":")
    and not (tokens[stop - 1] and tokens[stop - 1].kind == ".") then
    here.separator = before.kind
    here.separator_at = before.from
    here.chain = context.chain(tokens, stop - 1)
  elseif here.string and before and before.kind == "=" and tokens[stop - 1]
    and (tokens[stop - 1].kind == "=" or tokens[stop - 1].kind == "~") then
    here.compared = context.chain(tokens, stop - 2)
  elseif here.string and is_value_end(before) then
    here.callee = context.chain(tokens, stop) -- f "text"
  end
  here.stack = open_brackets(tokens, stop)
  return here
end

return context

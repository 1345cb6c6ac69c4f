--- Lua text that Lua itself has accepted, as a tree: for finding what is wrong
-- with a script before it runs. (https://www.lua.org/manual/5.4/manual.html#9)
--
-- Every node has `tag`, and `from` and `to`, the bytes it spans. A name has
-- `decl`, the local that it means, or nothing: then it is a global. A local is
-- a table {name =, node =, value =, constant =}: `value` is the expression that it was
-- declared with, `constant` is false once it was assigned to.

local lexer = require "weir.lexer"

local parser = {}

-- What the parser cannot go on from; the text was compiled before, so this
-- tells of a fault of ours, and the file is then looked at no further.
local function give_up(p, wanted)
  local t = p.tokens[p.at]
  error(("cannot read line %d: expected %s"):format(t and t.line or 0, wanted), 0)
end

local keywords = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or
  repeat return then true until while]]):gmatch("%a+") do
  keywords[word] = true
end

-- Longest first.
local operators = { "...", "..", "==", "~=", "<=", ">=", "<<", ">>", "//", "::" }

--- Tokens as the grammar has them: words apart from names, operators whole.
local function read_tokens(text)
  local out, raw = {}, lexer.tokens(text)
  local i = 1
  while raw[i] do
    local t = raw[i]
    local whole = t.kind
    if t.kind == "name" and keywords[t.value] then whole = t.value end
    if #t.kind == 1 then
      for _, operator in ipairs(operators) do
        if text:sub(t.from, t.from + #operator - 1) == operator then
          whole = operator
          break
        end
      end
      i = i + #whole - 1
    end
    out[#out + 1] = {
      kind = whole, value = t.value, line = t.line, from = t.from,
      to = t.kind == "name" and t.to or #t.kind == 1 and t.from + #whole - 1 or t.to,
    }
    i = i + 1
  end
  return out
end

-- The cursor -------------------------------------------------------------------

local function peek(p, ahead)
  local t = p.tokens[p.at + (ahead or 0)]
  return t and t.kind
end

local function take(p, kind)
  local t = p.tokens[p.at]
  if not t or kind and t.kind ~= kind then give_up(p, kind or "more") end
  p.at = p.at + 1
  return t
end

local function accept(p, kind)
  if peek(p) == kind then return take(p) end
end

local function node(tag, first, fields)
  fields.tag, fields.from, fields.to = tag, first.from, fields.to or first.to
  return fields
end

local function ended(p, it)
  it.to = p.tokens[p.at - 1].to
  return it
end

-- Scopes -----------------------------------------------------------------------

local function open_scope(p)
  p.scope = { outer = p.scope, locals = {} }
end

local function close_scope(p)
  p.scope = p.scope.outer
end

local function declare(p, token, value)
  local decl = { name = token.value, node = token, value = value, constant = true }
  p.scope.locals[token.value] = decl
  return decl
end

local function resolve(p, name)
  local scope = p.scope
  while scope do
    if scope.locals[name] then return scope.locals[name] end
    scope = scope.outer
  end
end

-- Expressions --------------------------------------------------------------------

local expression, block

local function name_node(p, token)
  return node("Name", token, { name = token.value, decl = resolve(p, token.value) })
end

local function expression_list(p)
  local list = { expression(p) }
  while accept(p, ",") do list[#list + 1] = expression(p) end
  return list
end

local function table_field(p)
  local first = p.tokens[p.at]
  if accept(p, "[") then
    local key = expression(p)
    take(p, "]")
    take(p, "=")
    return ended(p, node("Field", first, { key = key, value = expression(p) }))
  end
  if peek(p) == "name" and peek(p, 1) == "=" then
    local word = take(p)
    take(p, "=")
    local key = node("String", word, { value = word.value })
    return ended(p, node("Field", first, { key = key, value = expression(p) }))
  end
  return ended(p, node("Field", first, { value = expression(p) }))
end

local function table_constructor(p)
  local it = node("Table", take(p, "{"), { fields = {} })
  while peek(p) ~= "}" do
    it.fields[#it.fields + 1] = table_field(p)
    if not accept(p, ",") and not accept(p, ";") then break end
  end
  take(p, "}")
  return ended(p, it)
end

local function function_body(p, first, with_self)
  local it = node("Function", first, { params = {} })
  open_scope(p)
  if with_self then declare(p, { value = "self", from = first.from, to = first.to }) end
  take(p, "(")
  while peek(p) ~= ")" do
    if peek(p) == "..." then
      take(p)
    else
      it.params[#it.params + 1] = declare(p, take(p, "name"))
    end
    if not accept(p, ",") then break end
  end
  take(p, ")")
  it.body = block(p)
  take(p, "end")
  close_scope(p)
  return ended(p, it)
end

local function call_arguments(p)
  local t = p.tokens[p.at]
  if peek(p) == "string" then
    take(p)
    return { node("String", t, { value = t.value }) }
  end
  if peek(p) == "{" then return { table_constructor(p) } end
  take(p, "(")
  local list = peek(p) == ")" and {} or expression_list(p)
  take(p, ")")
  return list
end

local function starts_arguments(kind)
  return kind == "(" or kind == "{" or kind == "string"
end

local function suffixed(p)
  local first = p.tokens[p.at]
  local it
  if accept(p, "(") then
    it = node("Paren", first, { value = expression(p) })
    take(p, ")")
    ended(p, it)
  else
    it = name_node(p, take(p, "name"))
  end
  while true do
    local kind = peek(p)
    if kind == "." then
      take(p)
      local word = take(p, "name")
      it = ended(p, node("Index", first, {
        object = it, key = node("String", word, { value = word.value }), dotted = true,
      }))
    elseif kind == "[" then
      take(p)
      local key = expression(p)
      take(p, "]")
      it = ended(p, node("Index", first, { object = it, key = key }))
    elseif kind == ":" then
      take(p)
      local word = take(p, "name")
      local key = node("String", word, { value = word.value })
      it = ended(p, node("Method", first, { object = it, key = key, args = call_arguments(p) }))
    elseif starts_arguments(kind) then
      it = ended(p, node("Call", first, { fn = it, args = call_arguments(p) }))
    else
      return it
    end
  end
end

local atoms = {
  ["nil"] = "Nil", ["true"] = "True", ["false"] = "False", ["..."] = "Vararg",
  number = "Number", string = "String",
}

local function simple(p)
  local t = p.tokens[p.at]
  local atom = atoms[peek(p)]
  if atom then
    take(p)
    return node(atom, t, { value = t.value })
  end
  if peek(p) == "{" then return table_constructor(p) end
  if peek(p) == "function" then return function_body(p, take(p)) end
  return suffixed(p)
end

-- Left and right binding power, as in Lua's own parser.
local binary = {
  ["or"] = { 1, 1 }, ["and"] = { 2, 2 },
  ["<"] = { 3, 3 }, [">"] = { 3, 3 }, ["<="] = { 3, 3 }, [">="] = { 3, 3 },
  ["~="] = { 3, 3 }, ["=="] = { 3, 3 },
  ["|"] = { 4, 4 }, ["~"] = { 5, 5 }, ["&"] = { 6, 6 }, ["<<"] = { 7, 7 }, [">>"] = { 7, 7 },
  [".."] = { 9, 8 }, ["+"] = { 10, 10 }, ["-"] = { 10, 10 },
  ["*"] = { 11, 11 }, ["/"] = { 11, 11 }, ["//"] = { 11, 11 }, ["%"] = { 11, 11 },
  ["^"] = { 14, 13 },
}
local unary = { ["not"] = true, ["-"] = true, ["#"] = true, ["~"] = true }
local UNARY_POWER = 12

function expression(p, limit)
  local first = p.tokens[p.at]
  local left
  if unary[peek(p)] then
    local operator = take(p).kind
    local value = expression(p, UNARY_POWER)
    left = ended(p, node("Unary", first, { operator = operator, value = value }))
  else
    left = simple(p)
  end
  while true do
    local power = binary[peek(p)]
    if not power or power[1] <= (limit or 0) then return left end
    local operator = take(p).kind
    local right = expression(p, power[2])
    left = ended(p, node("Binary", first, { operator = operator, left = left, right = right }))
  end
end

-- Statements ---------------------------------------------------------------------

local statements = {}

local function block_in_scope(p)
  open_scope(p)
  local list = block(p)
  close_scope(p)
  return list
end

statements["do"] = function(p, first)
  local body = block_in_scope(p)
  take(p, "end")
  return node("Do", first, { body = body })
end

statements["while"] = function(p, first)
  local condition = expression(p)
  take(p, "do")
  local body = block_in_scope(p)
  take(p, "end")
  return node("While", first, { values = { condition }, body = body })
end

statements["repeat"] = function(p, first)
  open_scope(p)
  local body = block(p)
  take(p, "until")
  local condition = expression(p) -- sees the body's locals
  close_scope(p)
  return node("Repeat", first, { body = body, after = { condition } })
end

statements["if"] = function(p, first)
  local it = node("If", first, { values = {}, bodies = {} })
  repeat
    it.values[#it.values + 1] = expression(p)
    take(p, "then")
    it.bodies[#it.bodies + 1] = block_in_scope(p)
  until not accept(p, "elseif")
  if accept(p, "else") then it.bodies[#it.bodies + 1] = block_in_scope(p) end
  take(p, "end")
  return it
end

statements["for"] = function(p, first)
  local names = { take(p, "name") }
  while accept(p, ",") do names[#names + 1] = take(p, "name") end
  if not accept(p, "=") then take(p, "in") end
  local values = expression_list(p)
  take(p, "do")
  open_scope(p)
  for _, name in ipairs(names) do declare(p, name) end
  local body = block(p)
  close_scope(p)
  take(p, "end")
  return node("For", first, { values = values, body = body })
end

statements["function"] = function(p, first)
  local target = name_node(p, take(p, "name"))
  local method = false
  while peek(p) == "." or peek(p) == ":" do
    method = take(p).kind == ":"
    local word = take(p, "name")
    target = node("Index", target, {
      object = target, key = node("String", word, { value = word.value }), dotted = true,
      to = word.to,
    })
  end
  if target.decl then target.decl.constant = false end
  return node("Assign", first, {
    targets = { target }, values = { function_body(p, first, method) },
  })
end

statements["local"] = function(p, first)
  if accept(p, "function") then
    local decl = declare(p, take(p, "name"))
    decl.value = function_body(p, first)
    return node("Local", first, { decls = { decl }, values = { decl.value } })
  end
  local names = {}
  repeat
    names[#names + 1] = take(p, "name")
    if accept(p, "<") then
      take(p, "name")
      take(p, ">")
    end
  until not accept(p, ",")
  local values = accept(p, "=") and expression_list(p) or {}
  local decls = {}
  for i, name in ipairs(names) do
    decls[i] = declare(p, name, values[i])
    -- The last value may be a call with several results.
    decls[i].position, decls[i].first_of_last = i, #values
    decls[i].last = i > #values and values[#values] or nil
  end
  return node("Local", first, { decls = decls, values = values })
end

statements["return"] = function(p, first)
  local kind = peek(p)
  local values = {}
  if kind and kind ~= "end" and kind ~= "else" and kind ~= "elseif" and kind ~= "until"
    and kind ~= ";" then
    values = expression_list(p)
  end
  accept(p, ";")
  return node("Return", first, { values = values })
end

statements["goto"] = function(p, first)
  take(p, "name")
  return node("Goto", first, {})
end

statements["::"] = function(p, first)
  take(p, "name")
  take(p, "::")
  return node("Label", first, {})
end

statements["break"] = function(_, first) return node("Break", first, {}) end

local function expression_statement(p)
  local first = p.tokens[p.at]
  local it = suffixed(p)
  if peek(p) ~= "=" and peek(p) ~= "," then
    return node("Do", first, { values = { it }, body = {} })
  end
  local targets = { it }
  while accept(p, ",") do targets[#targets + 1] = suffixed(p) end
  take(p, "=")
  for _, target in ipairs(targets) do
    if target.decl then target.decl.constant = false end
  end
  return node("Assign", first, { targets = targets, values = expression_list(p) })
end

local ends = { ["end"] = true, ["else"] = true, ["elseif"] = true, ["until"] = true }

function block(p)
  local list = {}
  while p.tokens[p.at] and not ends[peek(p)] do
    local first = p.tokens[p.at]
    if not accept(p, ";") then
      local statement = statements[first.kind]
      if statement then p.at = p.at + 1 end
      local it = (statement or expression_statement)(p, first)
      list[#list + 1] = ended(p, it)
    end
  end
  return list
end

-- For callers --------------------------------------------------------------------

--- The statements of a chunk. Raises a string for text that is no Lua, and for
-- what is nested too deeply to be read.
function parser.parse(text)
  local p = { tokens = read_tokens(text), at = 1 }
  open_scope(p)
  local list = block(p)
  if p.tokens[p.at] then give_up(p, "a statement") end
  return list
end

--- Calls `visit(node)` for every node below `list`, outer ones first, in the
-- order of the text.
function parser.walk(list, visit)
  local function go(it)
    if it.tag then visit(it) end
    for _, key in ipairs {
      "object", "fn", "left", "right", "targets", "values", "key", "value", "args", "fields",
      "body", "bodies", "after",
    } do
      local child = it[key]
      if type(child) == "table" then go(child) end
    end
    if not it.tag then
      for _, child in ipairs(it) do go(child) end
    end
  end
  go(list)
end

return parser

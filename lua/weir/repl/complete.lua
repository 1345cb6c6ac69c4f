--- What Tab offers for the text before the cursor.

local commands = require "weir.repl.commands"
local context = require "weir.repl.context"
local model = require "weir.repl.model"
local quote = require "weir.repl.quote"
local text = require "weir.text"

local complete = {}

local MOST_SHOWN = 60  -- candidates in the list below the line
local EXPLAINED = 14   -- as many are shown one a line, with what they are

-- Candidates: {text =, show =, after = text behind it, doc =, kind =} ----------------

local function starts(word, prefix)
  return string.sub(word, 1, #prefix) == prefix
end

--- What is said of a field or parameter.
local function described(it)
  return it.text .. (it.doc ~= "" and "  " .. it.doc or "")
end

local function member_candidate(asked, member)
  if member.fn then
    return {
      text = member.name, kind = member.kind, after = "(",
      doc = string.match(asked:signature(member.fn), "%b().*$"),
    }
  end
  if member.field then
    return { text = member.name, kind = member.kind, doc = described(member.field) }
  end
  return { text = member.name, kind = member.kind, after = member.kind ~= "field" and "(" or nil }
end

--- Members after `.` or `:`. A method after a `.` is offered with its `:`.
local function members(session, here)
  local found, resolved = {}, session.resolver:chain(here.chain)
  for _, member in ipairs(session.resolver:members(resolved)) do
    local wanted = here.separator == "." or member.kind ~= "field"
    if wanted and starts(member.name, here.word) then
      local candidate = member_candidate(session.help.model, member)
      candidate.member = true
      candidate.separator = member.kind == "method" and ":" or member.kind == "field" and "."
        or here.separator
      found[#found + 1] = candidate
    end
  end
  return found
end

--- Names that are there: the session's, Lua's, weir's, keywords.
local function names(session, word)
  local found, seen = {}, {}
  local function add(name, value)
    if type(name) == "string" and not seen[name] and starts(name, word)
      and quote.is_name(name) then
      seen[name] = true
      found[#found + 1] = {
        text = name, after = type(value) == "function" and "(" or nil, kind = type(value),
      }
    end
  end
  for name, value in next, session.env do add(name, value) end
  for _, name in ipairs(session.frame and session.frame:names() or {}) do
    add(name, select(2, session.frame:get(name)))
  end
  for name, value in next, _G do add(name, value) end
  for name in next, session.help.roots do add(name, {}) end
  if #word > 1 then
    for keyword in next, context.keywords do
      if starts(keyword, word) and not seen[keyword] then
        found[#found + 1] = { text = keyword, kind = "keyword" }
      end
    end
  end
  table.sort(found, function(a, b) return a.text < b.text end)
  return found
end

--- Whether a table that is written out can be of the class: what has methods
-- is made by a function.
local function is_written(list)
  for _, member in ipairs(list) do
    if member.kind == "function" then return false end
  end
  return true
end

--- Keys of the table that is being written, if a stub describes it.
local function keys(session, here)
  local top = here.stack[#here.stack]
  if not top or top.kind ~= "{" or not top.at_start then return {} end
  local tree = session.resolver:table_type(here.stack, #here.stack)
  local found = {}
  for _, class in ipairs(tree and session.resolver:classes(tree) or {}) do
    local all = session.help.model:members(class)
    for _, member in ipairs(is_written(all) and all or {}) do
      if member.kind == "field" and not top.used[member.name] and starts(member.name, here.word)
        and quote.is_name(member.name) then
        found[#found + 1] = {
          text = member.name, after = " = ", kind = "key",
          required = not model.is_optional(member), doc = described(member),
        }
      end
    end
  end
  table.sort(found, function(a, b)
    if a.required ~= b.required then return a.required end
    return a.text < b.text
  end)
  return found
end

-- In strings ---------------------------------------------------------------------------

--- Files that begin so; folders end with a slash.
local function files(session, prefix)
  local folder, start = string.match(prefix, "^(.*/)([^/]*)$")
  folder, start = folder or "", start or prefix
  local found = {}
  for _, entry in ipairs(session.host.files(folder == "" and "." or folder) or {}) do
    if starts(entry.name, start) and (start ~= "" or string.sub(entry.name, 1, 1) ~= ".") then
      found[#found + 1] = {
        text = folder .. entry.name .. (entry.folder and "/" or ""), kind = "file",
        open = entry.folder or nil, -- more may follow, so the string stays open
        show = entry.name .. (entry.folder and "/" or ""),
      }
    end
  end
  table.sort(found, function(a, b) return a.text < b.text end)
  return found
end

local function modules(session, prefix)
  local found, seen = {}, {}
  local function add(name)
    if starts(name, prefix) and not seen[name] then
      seen[name] = true
      found[#found + 1] = { text = name, kind = "module" }
    end
  end
  for name in next, session.help.model.modules do add(name) end
  local folder = string.match(prefix, "^(.*)%.[^.]*$")
  local place = folder and (string.gsub(folder, "%.", "/")) or "."
  for _, entry in ipairs(session.host.files(place) or {}) do
    local stem = string.match(entry.name, "^(.+)%.lua$") or entry.folder and entry.name
    if stem and quote.is_name(stem) and not entry.folder then
      add((folder and folder .. "." or "") .. stem)
    end
  end
  table.sort(found, function(a, b) return a.text < b.text end)
  return found
end

local file_functions = {
  dofile = true, loadfile = true, open = true, lines = true, input = true, output = true,
  remove = true, rename = true,
}

--- The name of the function whose argument the string is, or nil.
local function called_name(here, top)
  local callee = here.callee or top and top.kind == "(" and top.callee
  if not callee then return nil end
  local last = callee[#callee]
  if not last then return callee.root end
  return last.field or last.method
end

--- Which ids a parameter of that name takes.
local function kinds_for(name)
  if name == "gid" or name == "target_group_id" then return { "groups" } end
  if name == "what" or name == "filter_id" then return { "filters" } end
  return { "filters", "names", "groups" }
end

local function literals(session, tree, prefix)
  local found = {}
  for _, literal in ipairs(tree and session.help.model:literals_of(tree) or {}) do
    if starts(literal.text, prefix) then
      found[#found + 1] = { text = literal.text, kind = "word", doc = literal.doc }
    end
  end
  return found
end

local function strings(session, here)
  local top = here.stack[#here.stack]
  local called = called_name(here, top)
  if called == "require" then return modules(session, here.word) end
  local tree, name
  if here.compared then
    tree = session.resolver:type_of(session.resolver:chain(here.compared))
  elseif here.callee then
    local param = session.resolver:param { callee = here.callee, index = 1 }
    tree, name = param and param.type, param and param.name
  elseif top then
    tree, name = session.resolver:expected(here.stack, #here.stack)
  end
  local found = literals(session, tree, here.word)
  if #found > 0 then return found end
  if file_functions[called] or string.find(here.word, "/", 1, true) then
    return files(session, here.word)
  end
  local ids, total, same = session.seen:matching(kinds_for(name), here.word, MOST_SHOWN)
  for i, id in ipairs(ids) do found[i] = { text = id, kind = "id" } end
  found.total, found.same = total, same
  if #found > 0 or name == "gid" or name == "what" then return found end
  return files(session, here.word)
end

-- Commands --------------------------------------------------------------------------------

local function help_names(session, word)
  local found = {}
  for _, name in ipairs(session.help:names()) do
    if starts(name, word) then found[#found + 1] = { text = name, kind = "help" } end
  end
  return found
end

local function on_off(word)
  local found = {}
  for _, choice in ipairs { "off", "on" } do
    if starts(choice, word) then found[#found + 1] = { text = choice, kind = "word" } end
  end
  return found
end

-- Choosing ---------------------------------------------------------------------------------

--- How a call goes on: its signature, and what its next argument is.
local function call_help(session, here)
  local top = here.stack[#here.stack]
  if not top or top.kind ~= "(" or not top.callee or not top.at_start then return nil end
  local fn = session.resolver:callee(top.callee)
  if not fn then return nil end
  local param = session.resolver:param(top)
  local lines = { session.help.model:signature(fn) }
  if param then
    lines[2] = "  " .. param.name .. ": " .. described(param)
  end
  return table.concat(lines, "\n") .. "\n"
end

--- Candidates for Lua: the list, bytes before what they replace, and lines to
-- show where there are none.
local function for_lua(session, code)
  local here = context.read(code)
  if not here then return {}, #code end
  if here.string then return strings(session, here), here.from, nil, here end
  if here.separator then
    if not here.chain then return {}, here.from end
    return members(session, here), here.from, nil, here
  end
  local found = keys(session, here)
  if #found > 0 then return found, here.from, nil, here end
  if here.word == "" then return {}, here.from, call_help(session, here) end
  return names(session, here.word), here.from, nil, here
end

--- The same for any typed text.
local function candidates(session, typed)
  local colon, word = string.match(typed, "^(%s*:)(%a*)$")
  if colon then
    local found = {}
    for _, command in ipairs(commands.list) do
      if starts(command.name, word) and not (command.stopped and not session.frame) then
        found[#found + 1] = {
          text = command.name, kind = "command", after = command.arg and " " or nil,
          doc = (command.arg and command.arg .. "  " or "") .. command.help,
        }
      end
    end
    table.sort(found, function(a, b) return a.text < b.text end)
    return found, #colon
  end
  local before, name, rest = string.match(typed, "^(%s*:(%a+)%s+)(.*)$")
  if not before then return for_lua(session, typed) end
  local command = commands.find(name)
  local takes = command and command.takes
  if takes == "name" then return help_names(session, rest), #before end
  if takes == "file" then return files(session, rest), #before end
  if takes == "switch" then return on_off(rest), #before end
  if takes == "lua" then
    local found, from, hint, here = for_lua(session, rest)
    return found, #before + from, hint, here
  end
  return {}, #typed
end

local function common_prefix(found)
  local prefix = found.same or found[1].text
  for i = 2, found.same and 0 or #found do
    local other, n = found[i].text, 0
    while n < #prefix and string.byte(prefix, n + 1) == string.byte(other, n + 1) do n = n + 1 end
    prefix = string.sub(prefix, 1, n)
    if n == 0 then break end
  end
  -- Never half a character.
  while prefix ~= "" and not utf8.len(prefix) do prefix = string.sub(prefix, 1, -2) end
  return prefix
end

local function explained(style, found, columns)
  local widest, lines = 0, {}
  for _, candidate in ipairs(found) do
    widest = math.max(widest, text.width(candidate.show or candidate.text))
  end
  widest = math.min(widest, 40)
  for i, candidate in ipairs(found) do
    local shown = quote.line(candidate.show or candidate.text)
    local doc = string.gsub(candidate.doc or "", "%s+", " ")
    local room = columns - math.max(widest, text.width(shown)) - 3
    if text.width(doc) > room then doc = text.cut(doc, math.max(0, room - 1)) .. "…" end
    lines[i] = string.gsub(shown .. string.rep(" ", widest - text.width(shown) + 2)
      .. style:paint("dim", doc), "%s+$", "")
  end
  return lines
end

local function in_columns(found, columns)
  local widest = 0
  local n = math.min(#found, MOST_SHOWN)
  for i = 1, n do widest = math.max(widest, text.width(found[i].show or found[i].text)) end
  widest = math.min(widest + 2, columns)
  local across = math.max(1, columns // widest)
  local down = (n + across - 1) // across
  local lines = {}
  for row = 1, down do
    local line = {}
    for column = 0, across - 1 do
      local candidate = found[column * down + row]
      if candidate and column * down + row <= n then
        local shown = quote.line(candidate.show or candidate.text)
        line[#line + 1] = shown .. string.rep(" ", widest - text.width(shown))
      end
    end
    lines[row] = (string.gsub(table.concat(line), "%s+$", ""))
  end
  local total = found.total or #found
  if total > n then lines[#lines + 1] = string.format("… %d more", total - n) end
  return lines
end

local function list_of(style, found, columns)
  local has_doc = false
  for _, candidate in ipairs(found) do has_doc = has_doc or (candidate.doc or "") ~= "" end
  local lines = has_doc and #found <= EXPLAINED and explained(style, found, columns)
    or in_columns(found, columns)
  return table.concat(lines, "\n") .. "\n"
end

--- What is offered: bytes before the replaced part, what takes its place, and
-- lines to show; nil for nothing.
function complete.offer(session, typed, columns)
  local found, from, hint, here = candidates(session, typed)
  if #found == 0 then
    if hint then return #typed, "", hint end
    return nil
  end
  local prefix = common_prefix(found)
  local one = #found == 1 and found[1] or nil
  -- `tenant.filters.get` becomes `tenant.filters:get`.
  local separator = found[1].separator
  for _, candidate in ipairs(found) do
    if candidate.separator ~= separator then separator = nil end
  end
  if here and here.separator and separator and separator ~= here.separator
    and (one or #prefix > #here.word) then
    from = here.separator_at - 1
    prefix = separator .. prefix
  end
  if one and here and here.string and not one.open and #here.quote == 1 then
    prefix = prefix .. here.quote
  elseif one and one.after then
    prefix = prefix .. one.after
  end
  if one then return from, prefix, nil end
  return from, prefix, list_of(session.style, found, columns)
end

return complete

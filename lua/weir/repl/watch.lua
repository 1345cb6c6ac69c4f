--- :watch: an expression again and again, its changes marked.

local listing = require "weir.repl.listing"
local show = require "weir.repl.show"
local task = require "weir.task"
local text = require "weir.text"

local watch = {}

--- Lines on the screen that a text takes.
local function height(block, columns)
  local n = 0
  for line in string.gmatch(block .. "\n", "(.-)\n") do
    local width = text.width((string.gsub(line, "\27%[[%d;]*m", "")))
    n = n + math.max(1, (width + columns - 1) // columns)
  end
  return n
end

--- The block, cut so that it and its heading stay on the screen.
local function cut(block, columns, rows)
  if height(block, columns) <= rows then return block end
  local lines, used, left = {}, 0, 0
  for line in string.gmatch(block .. "\n", "(.-)\n") do
    local h = height(line, columns)
    if left == 0 and used + h < rows then
      lines[#lines + 1] = line
      used = used + h
    else
      left = left + 1
    end
  end
  lines[#lines + 1] = string.format("… %d more lines", left)
  return table.concat(lines, "\n")
end

local function evaluate(session, fn, previous)
  local results = table.pack(fn())
  if listing.is(results) then
    local open = listing.open(results)
    local rows = open:take(show.limits.rows)
    open:close()
    results = { n = 1, rows }
  end
  local shower = session:shower()
  shower.leaves, shower.previous = {}, previous
  local parts = {}
  for i = 1, results.n do parts[i] = shower:show(results[i]) end
  session.env._ = results[1]
  return table.concat(parts, "\n"), shower.leaves
end

--- Shows what `fn` gives every `seconds`, until the task is cancelled. On a
-- terminal in one place; elsewhere one block below the other.
function watch.run(session, fn, seconds, title)
  local previous, drawn, times = nil, nil, 0
  repeat
    local block
    block, previous = evaluate(session, fn, previous)
    times = times + 1
    local head = session.style:paint("dim", string.format("every %g s: %s  %s", seconds,
      (text.cut(string.gsub(title, "%s+", " "), 50)), os.date("%H:%M:%S")))
    if session.host.interactive and session.host.fits then
      local columns, rows = session.host.size()
      block = cut(block, columns, rows - 3)
      local back = drawn and string.format("\27[%dA\r\27[J", drawn) or ""
      session.host.raw(back)
      session:print(head .. "\n" .. block)
      drawn = height(head .. "\n" .. block, columns)
    else
      session:print(head .. "\n" .. block)
    end
  until not pcall(task.sleep, seconds) -- Ctrl-C is how it ends
end

return watch

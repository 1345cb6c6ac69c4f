--- weir.task: doing several things at once, in code that reads as if it did
-- one. A call that waits (an HTTP request, a sleep, a join) lets the other
-- tasks go on. A task that starts others here does not end before they have.

local core = require "weir.core.task"
local err = require "weir.err"
local options = require "weir.options"
local misuse = require "weir.core".misuse

local task = {
  spawn = core.spawn,
  sleep = core.sleep,
  shield = core.shield,
}

-- Tasks that end with the block they were made in, whatever way it ends.
local Group = {}
Group.__index = Group

function Group:spawn(...)
  local t = core.spawn(...)
  self[#self + 1] = t
  return t
end

function Group:cancel()
  for _, t in ipairs(self) do t:cancel() end
end

-- Shielded: a block that is itself being cancelled still waits until what it
-- started has let go of what it holds. What fails meanwhile is not news: the
-- block has an outcome already.
function Group:__close()
  self:cancel()
  core.shield(function()
    for _, t in ipairs(self) do pcall(t.join, t) end
  end)
end

local function group()
  return setmetatable({}, Group)
end

--- Calls `fn(item, index)` for every item of `list`, at most `limit` of them
-- (default 10) at a time, and returns the results in the order of the list.
-- The first failure cancels the rest and is raised; with `keep_going` the
-- rest goes on, and a second result maps each failed index to its error.
function task.map(list, opts, fn)
  if fn == nil then opts, fn = nil, opts end
  if type(list) ~= "table" then
    misuse(string.format("task.map: expected a list, got %s", type(list)))
  elseif type(fn) ~= "function" then
    misuse(string.format("task.map: expected a function, got %s", type(fn)))
  end
  opts = options.check("task.map", opts, { limit = "number", keep_going = "boolean" })
  local limit = opts.limit or 10
  if math.type(limit) ~= "integer" or limit < 1 then
    misuse(string.format("task.map: 'limit' must be a whole number, 1 or more, not %s", limit))
  end

  local n, next_index = #list, 1
  local results, failures = {}, {}
  local first
  local workers <close> = group()

  local function work()
    while next_index <= n and not first do
      local index = next_index
      next_index = index + 1
      local ok, result = xpcall(fn, core.note_trace, list[index], index)
      if ok then
        results[index] = result
      elseif core.cancelled() then
        error(result, 0)
      elseif opts.keep_going then
        failures[index] = result
      else
        first = first or { error = result }
        workers:cancel()
      end
    end
  end

  for _ = 1, math.min(limit, n) do workers:spawn(work) end
  for _, worker in ipairs(workers) do worker:wait() end
  if first then error(first.error, 0) end
  for _, worker in ipairs(workers) do worker:join() end
  return results, opts.keep_going and failures or nil
end

--- Runs all functions of `list` at once and returns the first result of each,
-- in order. The first failure cancels the others and is raised.
function task.all(list)
  if type(list) ~= "table" then
    misuse(string.format("task.all: expected a list of functions, got %s", type(list)))
  end
  for index, fn in ipairs(list) do
    if type(fn) ~= "function" then
      misuse(string.format("task.all: element %d is a %s, not a function", index, type(fn)))
    end
  end
  local n = #list
  if n == 0 then return end
  local results = task.map(list, { limit = n }, function(fn) return fn() end)
  return table.unpack(results, 1, n)
end

--- Runs `fn(...)` and returns its results, or cancels it after `seconds` and
-- raises the err "timeout". It ends in any case before this returns.
function task.timeout(seconds, fn, ...)
  local scope <close> = group()
  local t = scope:spawn(fn, ...)
  if t:wait(seconds) then return t:join() end
  error(err.new {
    code = "timeout",
    message = string.format("not done within %g s", seconds),
  }, 0)
end

return task

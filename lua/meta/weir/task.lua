---@meta weir.task

---Doing several things at once, in code that reads as if it did one.
---
---Every script runs as a task. A call that waits (an HTTP request, `sleep`,
---`join`) lets the other tasks go on; nothing else does, so between two waits
---no other task can interfere. Waiting works everywhere but inside functions
---that Lua cannot pause: a `table.sort` comparator, a `string.gsub` callback, a
---`__gc` or `__tostring` metamethod. There the call raises and says so.
---
---A task that fails and that nobody joins is reported when the script ends,
---which then ends with exit code 1. When the main script ends well, the tasks
---that still run are waited for; when it fails, they are cancelled.
---
---```lua
---local task = require "weir.task"
---local records = task.map({ "gold", "silver" }, { limit = 8 }, function(tier)
---  return tenant.filters:create {
---    name = tier .. "_chat", channel = "chat", target_group_id = "grp_" .. tier,
---  }
---end)
---print(#records, records[1].id)
---```
---@class weir.task
local task = {}

---A running task.
---@class weir.task.Task
local Task = {}

---@class weir.task.MapOptions
---@field limit? integer      how many at a time; default 10
---@field keep_going? boolean go on after failures and return them

---Starts `fn(...)` as a task; it begins at the caller's next wait.
---@param fn fun(...): ...
---@param ... any
---@return weir.task.Task
function task.spawn(fn, ...) end

---Waits. Raises the err `cancelled` if the task is cancelled meanwhile.
---@param seconds number 0 or more; 0 lets the other tasks run
function task.sleep(seconds) end

---Calls `fn(item, index)` for every item, at most `limit` at a time, and
---returns the first result of each in the order of the list. The first failure
---cancels the rest and is raised. With `keep_going` nothing is cancelled, and a
---second result maps the index of each failed item to its error.
---
---```lua
---local ids = { "flt_1", "flt_2" }
---local done, failed = weir.task.map(ids, { limit = 4, keep_going = true }, function(id)
---  return tenant.filters:get(id)
---end)
---for i, e in pairs(failed) do print(ids[i], e) end
---```
---@generic T, R
---@param list T[]
---@param options weir.task.MapOptions
---@param fn fun(item: T, index: integer): R
---@return R[] results
---@return table<integer, any>? failures only with `keep_going`
---@overload fun(list: any[], fn: fun(item: any, index: integer): any): any[]
function task.map(list, options, fn) end

---Runs all functions at once; returns the first result of each, in order. The
---first failure cancels the others and is raised.
---
---```lua
---local filters, entries = weir.task.all {
---  function() local n = 0 for _ in tenant.filters:list() do n = n + 1 end return n end,
---  function() local n = 0 for _ in tenant.audit:entries() do n = n + 1 end return n end,
---}
---```
---@param functions (fun(): any)[]
---@return any ...
function task.all(functions) end

---Runs `fn(...)` and returns its results. After `seconds` it is cancelled, and
---when it has let go of what it held, the err `timeout` is raised.
---@param seconds number
---@param fn fun(...): ...
---@param ... any
---@return any ...
function task.timeout(seconds, fn, ...) end

---Runs `fn(...)` to its end even if the task is cancelled meanwhile, and
---returns its results: for what must not be left half done, such as giving a
---lock back in a `__close` handler.
---@param fn fun(...): ...
---@param ... any
---@return any ...
function task.shield(fn, ...) end

---Waits until the task has ended. Returns its results, or raises its error.
---@return any ...
function Task:join() end

---Waits until the task has ended, or for `seconds` at most.
---@param seconds? number no limit if absent
---@return boolean ended
function Task:wait(seconds) end

---Ends the task: the wait it is in raises the err `cancelled`, and so does
---every later one, outside of `task.shield`. Does not wait for it; join it.
function Task:cancel() end

---@return "ready"|"running"|"waiting"|"done"|"failed"|"cancelled"
function Task:status() end

return task

-- The scheduler, as scripts see it.

local lu = require "luaunit"
local err = require "weir.err"
local task = require "weir.task"
local core = require "weir.core.task"

local function closer(fn)
  return setmetatable({}, { __close = fn })
end

-- Joins and returns the error that comes.
local function failure(t)
  local ok, e = pcall(t.join, t)
  lu.assertFalse(ok)
  return e
end

local T = {}

-- ---- spawn and join -------------------------------------------------------

function T.test_join_gives_all_results()
  local t = task.spawn(function(...)
    task.sleep(0.001)
    return select("#", ...), nil, ...
  end, 1, nil)
  local results = table.pack(t:join())
  lu.assertEquals(results, { 2, nil, 1, nil, n = 4 })
  lu.assertEquals(table.pack(t:join()).n, 4)
  lu.assertEquals(table.pack(task.spawn(function() end):join()).n, 0)
end

function T.test_join_raises_the_tasks_own_error()
  local value = {}
  local t = task.spawn(function() task.sleep(0) error(value) end)
  lu.assertIs(failure(t), value)
  lu.assertEquals(t:status(), "failed")
  lu.assertIs(failure(t), value)
end

function T.test_many_can_join_one()
  local t = task.spawn(function() task.sleep(0.002) return 7 end)
  local joiners = {}
  for i = 1, 5 do joiners[i] = task.spawn(function() return t:join() end) end
  for i = 1, 5 do lu.assertEquals(joiners[i]:join(), 7) end
end

function T.test_a_spawned_task_begins_later()
  local began = false
  local t = task.spawn(function() began = true end)
  lu.assertFalse(began)
  lu.assertEquals(t:status(), "ready")
  t:join()
  lu.assertTrue(began)
  lu.assertEquals(t:status(), "done")
end

function T.test_tasks_run_in_the_order_of_their_spawning()
  local order, tasks = {}, {}
  for i = 1, 20 do tasks[i] = task.spawn(function() order[#order + 1] = i end) end
  for _, t in ipairs(tasks) do t:join() end
  for i = 1, 20 do lu.assertEquals(order[i], i) end
end

function T.test_status_words()
  local t
  t = task.spawn(function() lu.assertEquals(t:status(), "running") task.sleep(0.002) end)
  task.sleep(0)
  lu.assertEquals(t:status(), "waiting")
  lu.assertEquals(tostring(t), "task (waiting)")
  t:join()
end

function T.test_a_callable_table_can_be_spawned()
  local callable = setmetatable({}, { __call = function(_, x) return x end })
  lu.assertEquals(task.spawn(callable, 3):join(), 3)
end

function T.test_mistakes_are_named()
  lu.assertErrorMsgContains("task.spawn: a function was expected, not a nil", task.spawn, nil)
  lu.assertErrorMsgContains("seconds must be a number", task.sleep, "1")
  lu.assertErrorMsgContains("seconds must be 0 or more", task.sleep, -1)
  lu.assertErrorMsgContains("seconds must be 0 or more", task.sleep, 0 / 0)
  lu.assertErrorMsgContains("seconds must be 0 or more", task.sleep, math.huge)
  local t = task.spawn(function() end)
  lu.assertErrorMsgContains("with a colon", t.join)
  lu.assertErrorMsgContains("a task was expected, not a userdata", t.join, io.stdout)
  t:join()
end

function T.test_a_task_cannot_wait_for_itself()
  local t
  t = task.spawn(function() t:join() end)
  lu.assertStrContains(failure(t), "cannot wait for itself")
end

-- ---- sleep ----------------------------------------------------------------

function T.test_sleepers_wake_in_order_of_time()
  local order, tasks = {}, {}
  for i, seconds in ipairs { 0.03, 0.01, 0.02 } do
    tasks[i] = task.spawn(function() task.sleep(seconds) order[#order + 1] = i end)
  end
  for _, t in ipairs(tasks) do t:join() end
  lu.assertEquals(order, { 2, 3, 1 })
end

function T.test_10000_sleepers()
  local tasks, woken = {}, 0
  for i = 1, 10000 do
    tasks[i] = task.spawn(function() task.sleep(i % 10 / 1000) woken = woken + 1 end)
  end
  for _, t in ipairs(tasks) do t:join() end
  lu.assertEquals(woken, 10000)
end

-- ---- cancel ---------------------------------------------------------------

function T.test_cancel_ends_a_wait_with_the_err_cancelled()
  local t = task.spawn(function() task.sleep(100) end)
  task.sleep(0)
  t:cancel()
  lu.assertTrue(err.is(failure(t), "cancelled"))
  lu.assertEquals(t:status(), "cancelled")
end

function T.test_cancelled_before_it_began_it_never_begins()
  local began = false
  local t = task.spawn(function() began = true end)
  t:cancel()
  lu.assertTrue(err.is(failure(t), "cancelled"))
  lu.assertFalse(began)
end

function T.test_cancelling_is_level_triggered()
  local raised = 0
  local t = task.spawn(function()
    for _ = 1, 3 do
      if not pcall(task.sleep, 100) then raised = raised + 1 end
    end
    return "went on"
  end)
  task.sleep(0)
  t:cancel()
  lu.assertEquals(t:join(), "went on")
  lu.assertEquals(raised, 3)
end

function T.test_a_task_that_swallows_its_cancelling_does_not_stop_the_others()
  local stop = false
  local t = task.spawn(function()
    repeat pcall(task.sleep, 1) until stop
  end)
  task.sleep(0)
  t:cancel()
  task.sleep(0.01)
  stop = true
  t:join()
end

function T.test_close_handlers_run_and_can_wait_in_a_shield()
  local order = {}
  local t = task.spawn(function()
    local _ <close> = closer(function()
      lu.assertFalse(pcall(task.sleep, 0))
      task.shield(function() task.sleep(0.002) end)
      order[#order + 1] = "released"
    end)
    task.sleep(100)
  end)
  task.sleep(0)
  t:cancel()
  failure(t)
  lu.assertEquals(order, { "released" })
end

function T.test_a_shield_finishes_what_it_began()
  local done = false
  local t = task.spawn(function()
    local a, b = task.shield(function(x) task.sleep(0.005) return x, 2 end, 1)
    done = a == 1 and b == 2
    task.sleep(0)
    done = "not reached"
  end)
  task.sleep(0)
  t:cancel()
  lu.assertTrue(err.is(failure(t), "cancelled"))
  lu.assertTrue(done)
end

function T.test_a_shield_passes_errors_on_and_ends_with_them()
  local value = {}
  local t = task.spawn(function()
    local ok, e = pcall(task.shield, function() task.sleep(0) error(value) end)
    lu.assertFalse(ok)
    lu.assertIs(e, value)
    task.sleep(100)
  end)
  task.sleep(0.002)
  t:cancel()
  lu.assertTrue(err.is(failure(t), "cancelled"))
end

-- It would cover whoever resumed the coroutine, and for ever if nobody
-- resumed it again.
function T.test_a_shield_cannot_be_left_by_a_yield()
  local left = coroutine.wrap(function()
    task.shield(function()
      lu.assertFalse(coroutine.isyieldable())
      coroutine.yield()
    end)
  end)
  local t = task.spawn(function()
    lu.assertErrorMsgContains("yield out of task.shield", left)
    task.sleep(100)
  end)
  task.sleep(0)
  t:cancel()
  lu.assertTrue(err.is(failure(t), "cancelled"))
end

function T.test_inside_a_shield_coroutines_yield_and_have_shields_of_their_own()
  local t = task.spawn(function()
    return task.shield(function()
      local sum = 0
      for i in coroutine.wrap(function()
        for i = 1, 3 do
          task.shield(task.sleep, 0)
          coroutine.yield(i)
        end
      end) do
        task.sleep(0)
        sum = sum + i
      end
      return sum
    end)
  end)
  task.sleep(0)
  t:cancel()
  lu.assertEquals(t:join(), 6)
end

function T.test_what_a_cancelled_task_spawns_is_cancelled()
  local began = false
  local t = task.spawn(function()
    pcall(task.sleep, 100)
    local child = task.spawn(function() began = true end)
    task.shield(function() pcall(child.join, child) end)
  end)
  task.sleep(0)
  t:cancel()
  t:join()
  lu.assertFalse(began)
end

function T.test_cancelling_twice_and_after_the_end_is_nothing()
  local t = task.spawn(function() return 1 end)
  t:join()
  t:cancel()
  lu.assertEquals(t:status(), "done")
  lu.assertEquals(t:join(), 1)
end

function T.test_cancelling_a_joiner_leaves_the_joined_alone()
  local slow = task.spawn(function() task.sleep(0.005) return "slow" end)
  local joiner = task.spawn(function() slow:join() end)
  task.sleep(0)
  joiner:cancel()
  lu.assertTrue(err.is(failure(joiner), "cancelled"))
  lu.assertEquals(slow:join(), "slow")
end

-- ---- wait -----------------------------------------------------------------

function T.test_wait_with_a_deadline()
  local t = task.spawn(function() task.sleep(0.02) error("late") end)
  lu.assertFalse(t:wait(0.001))
  lu.assertTrue(t:wait())
  lu.assertTrue(t:wait(0))
  lu.assertStrContains(failure(t), "late")
end

-- Of a timer and an end that come in one turn, the later finds its wait over
-- and must not end the next one: a join that ends too soon has no result.
function T.test_a_wake_that_comes_too_late_wakes_nobody()
  local tasks = {}
  for n = 1, 20 do
    tasks[n] = task.spawn(function()
      for i = 1, 50 do
        local racing = task.spawn(function() for _ = 1, i % 4 do task.sleep(0) end end)
        local ended = racing:wait(i % 3 / 1000)
        if i % 5 == 0 then racing:cancel() end
        local next_one = task.spawn(function()
          for _ = 1, 3 do task.sleep(0) end
          return i
        end)
        lu.assertEquals(next_one:join(), i)
        lu.assertEquals(next_one:status(), "done")
        if ended then lu.assertEquals(racing:status(), "done") end
        racing:wait()
      end
    end)
  end
  for _, t in ipairs(tasks) do t:join() end
end

-- ---- map ------------------------------------------------------------------

function T.test_map_keeps_the_order()
  local results = task.map({ 3, 1, 2 }, { limit = 3 }, function(x, i)
    task.sleep(x / 1000)
    return x * 10 + i
  end)
  lu.assertEquals(results, { 31, 12, 23 })
  lu.assertEquals(task.map({}, function() end), {})
  lu.assertEquals(task.map({ 1, 2 }, function(x) return x end), { 1, 2 })
end

function T.test_map_runs_no_more_than_its_limit()
  local now, most, list = 0, 0, {}
  for i = 1, 40 do list[i] = i end
  task.map(list, { limit = 4 }, function()
    now = now + 1
    most = math.max(most, now)
    task.sleep(0.001)
    now = now - 1
  end)
  lu.assertEquals(most, 4)
end

function T.test_the_first_failure_cancels_the_rest()
  local ended, begun = 0, 0
  local ok, e = pcall(task.map, { 1, 2, 3, 4, 5, 6 }, { limit = 3 }, function(x)
    begun = begun + 1
    local _ <close> = closer(function() ended = ended + 1 end)
    if x == 2 then error("two failed") end
    task.sleep(100)
  end)
  lu.assertFalse(ok)
  lu.assertStrContains(e, "two failed")
  lu.assertEquals(begun, ended)
  lu.assertTrue(begun <= 3)
end

function T.test_keep_going_gives_results_and_failures()
  local results, failures = task.map({ 1, 2, 3 }, { keep_going = true }, function(x)
    task.sleep(0)
    if x == 2 then error(err.new { code = "conflict", message = "m" }) end
    return x
  end)
  lu.assertEquals(results[1], 1)
  lu.assertNil(results[2])
  lu.assertEquals(results[3], 3)
  lu.assertTrue(err.is(failures[2], "conflict"))
  lu.assertNil(failures[1])
end

function T.test_cancelling_a_map_ends_all_it_started()
  local ended = 0
  local t = task.spawn(function()
    task.map({ 1, 2, 3 }, { keep_going = true }, function()
      local _ <close> = closer(function() ended = ended + 1 end)
      task.sleep(100)
    end)
  end)
  task.sleep(0.002)
  t:cancel()
  lu.assertTrue(err.is(failure(t), "cancelled"))
  lu.assertEquals(ended, 3)
end

function T.test_map_names_its_mistakes()
  local function f() end
  lu.assertErrorMsgContains("did you mean 'limit'?", task.map, {}, { limt = 1 }, f)
  lu.assertErrorMsgContains("1 or more", task.map, {}, { limit = 0 }, f)
  lu.assertErrorMsgContains("1 or more", task.map, {}, { limit = 1.5 }, f)
  lu.assertErrorMsgContains("expected a function", task.map, {}, { limit = 1 })
  lu.assertErrorMsgContains("expected a list", task.map, 5, f)
end

-- ---- all and timeout ------------------------------------------------------

function T.test_all()
  local a, b = task.all { function() task.sleep(0.002) return 1 end, function() return 2 end }
  lu.assertEquals({ a, b }, { 1, 2 })
  lu.assertEquals(select("#", task.all { function() end, function() end }), 2)
  lu.assertEquals(select("#", task.all {}), 0)
  lu.assertErrorMsgContains("element 1 is a number", task.all, { 1 })
  local ok, e = pcall(task.all, {
    function() task.sleep(100) end, function() error("b") end,
  })
  lu.assertFalse(ok)
  lu.assertStrContains(e, "b")
end

function T.test_timeout()
  lu.assertEquals({ task.timeout(1, function(...) task.sleep(0) return ... end, 1, 2) }, { 1, 2 })
  local released = false
  local ok, e = pcall(task.timeout, 0.005, function()
    local _ <close> = closer(function() released = true end)
    task.sleep(100)
  end)
  lu.assertFalse(ok)
  lu.assertTrue(err.is(e, "timeout"))
  lu.assertStrContains(tostring(e), "0.005 s")
  lu.assertTrue(released)
  ok, e = pcall(task.timeout, 1, function() error("own", 0) end)
  lu.assertFalse(ok)
  lu.assertEquals(e, "own")
end

function T.test_timeouts_nest()
  local ok, e = pcall(task.timeout, 1, function()
    task.timeout(0.002, task.sleep, 100)
  end)
  lu.assertFalse(ok)
  lu.assertStrContains(tostring(e), "0.002 s")
  ok, e = pcall(task.timeout, 0.002, function()
    task.timeout(1, task.sleep, 100)
  end)
  lu.assertFalse(ok)
  lu.assertStrContains(tostring(e), "0.002 s")
end

function T.test_nothing_is_left_behind()
  task.map({ 1, 2, 3 }, function() end)
  pcall(task.timeout, 0.001, task.sleep, 100)
  lu.assertEquals((core.count()), 1)
end

-- Odd but allowed: what __gc does must not upset the scheduler.
function T.test_a_task_nobody_holds_still_runs()
  local ran = false
  do
    task.spawn(function() task.sleep(0.002) ran = true end)
  end
  collectgarbage()
  collectgarbage()
  -- A slow machine needs more turns, never more than these.
  for _ = 1, 1000 do
    if ran then break end
    task.sleep(0.002)
  end
  lu.assertTrue(ran)
end

return T

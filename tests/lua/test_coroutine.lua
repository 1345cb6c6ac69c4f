-- Waiting inside coroutines, and that they are otherwise as Lua's own.

local lu = require "luaunit"
local task = require "weir.task"

local function closer(fn)
  return setmetatable({}, { __close = fn })
end

local T = {}

function T.test_await_inside_wrap_reaches_the_task()
  local seen = {}
  local each = coroutine.wrap(function()
    for i = 1, 3 do
      task.sleep(0.001)
      coroutine.yield(i)
    end
  end)
  for i in each do seen[#seen + 1] = i end
  lu.assertEquals(seen, { 1, 2, 3 })
end

function T.test_await_inside_resume_is_not_a_yield()
  local co = coroutine.create(function(a)
    task.sleep(0.001)
    local b = coroutine.yield(a + 1)
    task.sleep(0.001)
    return a + b
  end)
  lu.assertEquals({ coroutine.resume(co, 1) }, { true, 2 })
  lu.assertEquals(coroutine.status(co), "suspended")
  lu.assertEquals({ coroutine.resume(co, 10) }, { true, 11 })
  lu.assertEquals(coroutine.status(co), "dead")
  lu.assertEquals({ coroutine.resume(co) }, { false, "cannot resume dead coroutine" })
end

function T.test_any_nesting()
  local function nest(depth)
    if depth == 0 then
      task.sleep(0)
      return "bottom"
    end
    if depth % 2 == 0 then return coroutine.wrap(nest)(depth - 1) end
    return select(2, coroutine.resume(coroutine.create(nest), depth - 1))
  end
  lu.assertEquals(nest(60), "bottom")
end

function T.test_other_tasks_go_on_meanwhile()
  local order = {}
  local other = task.spawn(function()
    order[#order + 1] = "other"
  end)
  coroutine.wrap(function() task.sleep(0.01) end)()
  order[#order + 1] = "main"
  other:join()
  lu.assertEquals(order, { "other", "main" })
end

function T.test_a_refused_wait_leaves_the_task_usable()
  pcall(string.gsub, "x", "x", coroutine.wrap(function() task.sleep(0.001) end))
  task.sleep(0.005)
  local t = task.spawn(function() return "fine" end)
  lu.assertEquals(t:join(), "fine")
end

function T.test_a_waiting_coroutine_is_nobody_elses_to_resume()
  local co = coroutine.create(function() task.sleep(0.01) return "done" end)
  local first = task.spawn(function() return select(2, coroutine.resume(co)) end)
  task.sleep(0)
  lu.assertEquals(coroutine.status(co), "normal")
  lu.assertEquals({ coroutine.resume(co) }, { false, "cannot resume non-suspended coroutine" })
  lu.assertErrorMsgContains("cannot close a normal coroutine", coroutine.close, co)
  lu.assertEquals(first:join(), "done")
end

function T.test_a_tasks_own_coroutine_looks_like_the_main_program()
  local co, is_main = coroutine.running()
  lu.assertTrue(is_main)
  lu.assertFalse(coroutine.isyieldable())
  lu.assertEquals(coroutine.status(co), "running")
  lu.assertErrorMsgContains("attempt to yield from outside a coroutine", coroutine.yield, 1)
  local t = task.spawn(function()
    lu.assertEquals(coroutine.status(co), "normal")
    return coroutine.resume(co)
  end)
  lu.assertEquals({ t:join() }, { false, "cannot resume non-suspended coroutine" })
end

function T.test_wrap_raises_with_its_position_and_closes()
  local closed = false
  local failing = coroutine.wrap(function()
    local _ <close> = closer(function() closed = true end)
    error("inner")
  end)
  local ok, message = pcall(failing)
  lu.assertFalse(ok)
  lu.assertStrContains(message, "inner")
  lu.assertTrue(closed)
  lu.assertErrorMsgContains("cannot resume dead coroutine", failing)
  local passes = {}
  local raising = coroutine.wrap(function() error(passes) end)
  local _, same = pcall(raising)
  lu.assertIs(same, passes)
end

function T.test_a_close_handler_inside_wrap_may_wait_while_an_error_unwinds()
  local order = {}
  local failing = coroutine.wrap(function()
    local _ <close> = closer(function()
      task.sleep(0.002)
      order[#order + 1] = "closed"
    end)
    error({})
  end)
  pcall(failing)
  order[#order + 1] = "after"
  lu.assertEquals(order, { "closed", "after" })
end

function T.test_close()
  local closed = 0
  local co = coroutine.create(function()
    local _ <close> = closer(function() closed = closed + 1 end)
    coroutine.yield()
  end)
  coroutine.resume(co)
  lu.assertEquals({ coroutine.close(co) }, { true })
  lu.assertEquals(closed, 1)
  lu.assertEquals(coroutine.status(co), "dead")
  lu.assertEquals({ coroutine.close(co) }, { true })
  local bad = coroutine.create(function()
    local _ <close> = closer(function() error("handler", 0) end)
    coroutine.yield()
  end)
  coroutine.resume(bad)
  lu.assertEquals({ coroutine.close(bad) }, { false, "handler" })
end

function T.test_close_refuses_waits_and_yields_of_its_handlers()
  local function close_with(fn)
    local co = coroutine.create(function()
      local _ <close> = closer(fn)
      coroutine.yield()
    end)
    coroutine.resume(co)
    return coroutine.close(co)
  end
  local ok, message = close_with(function() task.sleep(0) end)
  lu.assertFalse(ok)
  lu.assertStrContains(message, "coroutine.close runs")
  ok, message = close_with(function() coroutine.yield() end)
  lu.assertFalse(ok)
  lu.assertStrContains(message, "coroutine.close runs")
end

-- Plain Lua 5.4.4 dies of this with a broken C stack.
function T.test_close_nested_20000_deep_is_an_error_not_a_crash()
  local co
  for _ = 1, 20000 do
    local inner = co
    co = coroutine.create(function()
      local _ <close> = closer(function()
        if inner then assert(coroutine.close(inner)) end
      end)
      coroutine.yield()
    end)
    coroutine.resume(co)
  end
  local ok, message = coroutine.close(co)
  lu.assertFalse(ok)
  lu.assertStrContains(message, "stack overflow")
end

function T.test_endless_nesting_of_resumes_is_an_error()
  local function deeper() return coroutine.wrap(deeper)() end
  local ok, message = pcall(deeper)
  lu.assertFalse(ok)
  lu.assertStrContains(tostring(message), "overflow")
end

function T.test_many_values_pass()
  local co = coroutine.wrap(function(...)
    task.sleep(0)
    return select("#", coroutine.yield(...))
  end)
  local values = table.pack(co(table.unpack({}, 1, 200)))
  lu.assertEquals(values.n, 200)
  lu.assertEquals(co(nil, nil, nil), 3)
end

function T.test_cancelling_unwinds_through_coroutines()
  local order = {}
  local t = task.spawn(function()
    local _ <close> = closer(function() order[#order + 1] = "outer" end)
    coroutine.wrap(function()
      local _ <close> = closer(function() order[#order + 1] = "inner" end)
      task.sleep(100)
    end)()
  end)
  task.sleep(0)
  t:cancel()
  lu.assertFalse(pcall(t.join, t))
  lu.assertEquals(order, { "inner", "outer" })
end

-- A hook would make each instruction cost more than twice as much.
function T.test_nothing_is_hooked_until_a_signal_comes()
  lu.assertNil(debug.gethook())
  coroutine.wrap(function() lu.assertNil(debug.gethook()) end)()
  task.spawn(function() lu.assertNil(debug.gethook()) end):join()
end

return T

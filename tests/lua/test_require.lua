-- require: a module is loaded once, also when its loading waits.

local lu = require "luaunit"
local task = require "weir.task"

local T = {}

-- Makes a module of the function for the time of a test.
local function preload(modules)
  for name, load in pairs(modules) do package.preload[name] = load end
  return setmetatable({}, { __close = function()
    for name in pairs(modules) do
      package.preload[name], package.loaded[name] = nil, nil
    end
  end })
end

function T.test_tasks_that_require_a_module_while_it_loads_get_the_same()
  local loads = 0
  local _ <close> = preload { slow = function()
    loads = loads + 1
    task.sleep(0.002)
    return {}
  end }
  local got = task.map({ 1, 2, 3 }, function() return require "slow" end)
  lu.assertEquals(loads, 1)
  lu.assertIs(got[1], got[2])
  lu.assertIs(got[1], got[3])
end

function T.test_after_a_failure_the_next_one_tries()
  local loads = 0
  local _ <close> = preload { flaky = function()
    loads = loads + 1
    task.sleep(0.001)
    if loads == 1 then error("not yet", 0) end
    return "there"
  end }
  local results, failures = task.map({ 1, 2 }, { keep_going = true }, function()
    return require "flaky"
  end)
  lu.assertEquals(failures[1], "not yet")
  lu.assertEquals(results[2], "there")
  lu.assertEquals(loads, 2)
end

function T.test_cancelling_the_loader_lets_the_next_one_load()
  local loads = 0
  local _ <close> = preload { long = function()
    loads = loads + 1
    if loads == 1 then task.sleep(100) end
    return loads
  end }
  local first = task.spawn(require, "long")
  local second = task.spawn(require, "long")
  task.sleep(0.001)
  first:cancel()
  lu.assertEquals(second:join(), 2)
  lu.assertFalse(pcall(first.join, first))
end

function T.test_cancelling_who_waits_leaves_the_loading_alone()
  local _ <close> = preload { calm = function() task.sleep(0.002) return "calm" end }
  local first = task.spawn(require, "calm")
  local second = task.spawn(require, "calm")
  task.sleep(0)
  second:cancel()
  lu.assertFalse(pcall(second.join, second))
  lu.assertEquals(first:join(), "calm")
end

function T.test_a_loop_is_named()
  local _ <close> = preload {
    loop_a = function() return require "loop_b" end,
    loop_b = function() task.sleep(0) return require "loop_a" end,
  }
  lu.assertErrorMsgContains("'loop_a' requires 'loop_b' requires 'loop_a'", require, "loop_a")
  -- And nothing is left of it.
  package.preload.loop_b = function() return "b" end
  lu.assertEquals(require "loop_a", "b")
end

function T.test_a_loop_across_tasks_is_an_error_not_a_standstill()
  local _ <close> = preload {
    cross_a = function() task.sleep(0.001) return require "cross_b" end,
    cross_b = function() task.sleep(0.001) return require "cross_a" end,
  }
  local a, b = task.spawn(require, "cross_a"), task.spawn(require, "cross_b")
  local a_loads, b_loads = pcall(a.join, a), pcall(b.join, b)
  lu.assertFalse(a_loads)
  lu.assertFalse(b_loads)
end

function T.test_where_nothing_can_wait_it_says_so()
  local _ <close> = preload { busy = function() task.sleep(0.002) return 1 end }
  local loader = task.spawn(require, "busy")
  task.sleep(0)
  lu.assertErrorMsgContains("require cannot wait here: it was called from inside table.sort",
    table.sort, { 2, 1 }, function() return require "busy" end)
  lu.assertEquals(loader:join(), 1)
end

-- The message of where it was sought grows beyond what a luaL_Buffer keeps
-- on the stack before the loader is found.
function T.test_a_module_found_late()
  local path = package.path
  local _ <close> = setmetatable({}, { __close = function() package.path = path end })
  package.path = ("/nowhere/%s/?.lua;"):format(("x"):rep(200)):rep(20)
  package.loaded.lpeg = nil
  lu.assertEquals(type(require "lpeg"), "table")
end

return T

-- Ten thousand of everything, and memory that does not grow.

local auth = require "weir.auth"
local client = require "weir.client"
local core = require "weir.core.task"
local err = require "weir.err"
local lu = require "luaunit"
local sim = require "weir.sim"
local task = require "weir.task"

-- Under memcheck, where all is fifty times as slow, TEST_SHARE=50.
local MANY = 10000 // (tonumber(os.getenv("TEST_SHARE")) or 1)

-- ---- memory ---------------------------------------------------------------

local function text_of(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

-- AddressSanitizer and memcheck keep what was freed for a while.
local maps = text_of("/proc/self/maps")
local keeps_freed = maps:find("libasan", 1, true) or maps:find("vgpreload_memcheck", 1, true)

-- Kilobytes: Lua's own, and what the process has in memory.
local function memory()
  collectgarbage()
  collectgarbage()
  local pages = text_of("/proc/self/statm"):match("^%d+ (%d+)")
  return collectgarbage("count"), pages * 4
end

-- What runs many times over takes no more than when it ran a tenth as often.
-- The allocator keeps what it was given; it is given no more.
local function assert_flat(times, fn)
  for _ = 1, times // 10 do fn() end
  local lua_before, process_before = memory()
  for _ = 1, times do fn() end
  local lua_after, process_after = memory()
  lu.assertTrue(lua_after < lua_before + 64, lua_after - lua_before)
  if not keeps_freed then
    lu.assertTrue(process_after < process_before + 4096, process_after - process_before)
  end
end

local T = {}

function T.test_100000_spawns_and_joins_take_constant_memory()
  local function nothing() end
  assert_flat(10 * MANY, function() task.spawn(nothing):join() end)
end

function T.test_tasks_that_fail_take_constant_memory()
  local function fail() error({}) end
  assert_flat(MANY, function()
    local t = task.spawn(fail)
    pcall(t.join, t)
  end)
end

function T.test_tasks_that_are_cancelled_take_constant_memory()
  local function wait() coroutine.wrap(function() task.sleep(1000) end)() end
  assert_flat(MANY, function()
    local t = task.spawn(wait)
    task.sleep(0)
    t:cancel()
    pcall(t.join, t)
  end)
end

function T.test_timeouts_take_constant_memory()
  assert_flat(MANY, function()
    pcall(task.timeout, 0, task.sleep, 1000)
  end)
end

-- ---- waiting for one thing ------------------------------------------------

local function spawn_many(fn)
  local tasks = {}
  for i = 1, MANY do tasks[i] = task.spawn(fn, i) end
  return tasks
end

-- Cancels them all and says how many ended so.
local function cancel_all(tasks)
  for _, t in ipairs(tasks) do t:cancel() end
  local n = 0
  for _, t in ipairs(tasks) do
    local ok, e = pcall(t.join, t)
    if not ok and err.is(e, "cancelled") then n = n + 1 end
  end
  return n
end

local function assert_nothing_is_left()
  local tasks, operations, timers, requests = core.count()
  lu.assertEquals({ tasks, operations, requests }, { 1, 0, 0 })
  lu.assertTrue(timers <= 1, timers) -- the progress line's own
end

function T.test_10000_wait_for_one_task()
  local slow = task.spawn(function() task.sleep(1000) return "slow" end)
  local joiners = spawn_many(function() return slow:join() end)
  task.sleep(0)
  lu.assertEquals(cancel_all(joiners), MANY)
  lu.assertEquals(slow:status(), "waiting")
  joiners = spawn_many(function() return pcall(slow.join, slow) end)
  task.sleep(0)
  slow:cancel()
  for _, t in ipairs(joiners) do lu.assertFalse((t:join())) end
  assert_nothing_is_left()
end

function T.test_10000_sleep_and_are_cancelled()
  local tasks = spawn_many(function(i) task.sleep(1000 + i % 7) end)
  task.sleep(0)
  lu.assertEquals(select(3, core.count()) // MANY, 1)
  lu.assertEquals(cancel_all(tasks), MANY)
  assert_nothing_is_left()
end

local function client_of(options)
  options.base_url = sim.url
  options.auth = auth.client_credentials {
    token_url = sim.url .. "/as/token.oauth2",
    client_id = "sim-client", client_secret = "sim-secret", scope = "",
    fields = { tenant = "sim" },
  }
  return client.new(options)
end

local function calls_of(name)
  local n = 0
  for _, seen in ipairs(sim.log()) do
    if seen.call == name then n = n + 1 end
  end
  return n
end

function T.test_10000_wait_for_one_token()
  local path = "/api/v2/event-processing/filters"
  sim.reset()
  sim.fault { kind = "slow", call = "token", seconds = 1000 }
  local c = client_of { limit = false }
  local tasks = spawn_many(function() return c:get(path) end)
  while calls_of("token") == 0 do task.sleep(0.001) end
  lu.assertEquals(cancel_all(tasks), MANY)
  assert_nothing_is_left()
  -- And all hear of its failure.
  sim.reset()
  sim.fault { kind = "status", call = "token", status = 401 }
  c = client_of { limit = false, retry = { attempts = 1 } }
  local refused = 0
  for _, t in ipairs(spawn_many(function() return c:get(path) end)) do
    local answer, e = t:join()
    if not answer and err.is(e, "auth") then refused = refused + 1 end
  end
  lu.assertEquals(refused, MANY)
  lu.assertEquals({ calls_of("token"), calls_of("list") }, { 1, 0 })
  sim.reset()
  assert_nothing_is_left()
end

function T.test_10000_wait_for_one_limit()
  sim.reset()
  local c = client_of { limit = { rate = 0.001, burst = 2 } }
  local path = "/api/v2/event-processing/filters"
  local tasks = spawn_many(function() return c:get(path) end)
  lu.assertTrue(tasks[1]:wait() and tasks[2]:wait())
  lu.assertEquals(cancel_all(tasks), MANY - 2)
  lu.assertEquals(calls_of("list"), 2)
  assert_nothing_is_left()
end

-- ---- deep -----------------------------------------------------------------

function T.test_tasks_inside_tasks_10000_deep()
  local function deeper(n)
    if n == 0 then
      task.sleep(0)
      return "bottom"
    end
    return task.spawn(deeper, n - 1):join()
  end
  lu.assertEquals(deeper(MANY), "bottom")
  local function fail(n)
    if n == 0 then error("from below", 0) end
    task.spawn(fail, n - 1):join()
  end
  lu.assertErrorMsgEquals("from below", fail, MANY)
end

function T.test_maps_inside_maps_1000_deep_and_cancelled_from_above()
  local ended = 0
  local function deeper(n)
    local _ <close> = setmetatable({}, { __close = function() ended = ended + 1 end })
    if n == 0 then task.sleep(1000) end
    task.map({ n - 1 }, deeper)
  end
  local t = task.spawn(deeper, 1000)
  while core.count() < 1002 do task.sleep(0) end
  t:cancel()
  pcall(t.join, t)
  lu.assertEquals(t:status(), "cancelled")
  lu.assertEquals(ended, 1001)
  assert_nothing_is_left()
end

-- ---- fair -----------------------------------------------------------------

-- One that is always ready lets timers, requests and others have each turn.
function T.test_a_busy_task_starves_nobody()
  local turns, stop = 0, false
  local busy = task.spawn(function()
    repeat
      turns = turns + 1
      task.spawn(function() end):join()
    until stop
  end)
  for _ = 1, 50 do
    local before = turns
    task.sleep(0)
    -- Each join of the busy one takes a turn to wake it and one to run it.
    lu.assertTrue(turns - before <= 3, turns - before)
  end
  stop = true
  busy:join()
end

function T.test_a_task_that_spawns_without_end_starves_nobody()
  local generations, stop = 0, false
  local function again()
    generations = generations + 1
    if not stop then task.spawn(again) end
  end
  task.spawn(again)
  for _ = 1, 50 do
    local before = generations
    task.sleep(0)
    lu.assertTrue(generations - before <= 3, generations - before)
  end
  stop = true
  task.sleep(0)
  task.sleep(0)
end

return T

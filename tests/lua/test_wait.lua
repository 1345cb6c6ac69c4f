-- Where a script can wait, and what it hears where it cannot.

local lu = require "luaunit"
local client = require "weir.client"
local core_page = require "weir.core.page"
local sim = require "weir.sim"
local task = require "weir.task"

local T = {}

local function with(name, fn)
  return setmetatable({}, { [name] = fn })
end

local function wait(...)
  task.sleep(0)
  return ...
end

-- ---- where it works -------------------------------------------------------

local works = {
  __index = function() return with("__index", function(_, key) return wait(key) end).yes end,
  __newindex = function()
    local got
    with("__newindex", function(_, key) got = wait(key) end).yes = true
    return got
  end,
  __call = function() return with("__call", function() return wait("yes") end)() end,
  __add = function() return with("__add", function() return wait("yes") end) + 1 end,
  __unm = function() return -with("__unm", function() return wait("yes") end) end,
  __concat = function() return 1 .. with("__concat", function() return wait("yes") end) end,
  __len = function() return #with("__len", function() return wait("yes") end) end,
  __eq = function()
    local meta = { __eq = function() return wait(true) end }
    return setmetatable({}, meta) == setmetatable({}, meta) and "yes"
  end,
  __lt = function()
    return with("__lt", function() return wait(true) end) < {} and "yes"
  end,
  __le = function()
    return with("__le", function() return wait(true) end) <= {} and "yes"
  end,
  __close = function()
    local closed
    do local _ <close> = with("__close", function() closed = wait("yes") end) end
    return closed
  end,
  __pairs = function()
    local got
    for key in pairs(with("__pairs", function() return wait(next, { yes = 1 }) end)) do
      got = key
    end
    return got
  end,
  iterator = function()
    local got
    for item in function(_, last) return wait(not last and "yes" or nil) end do got = item end
    return got
  end,
  pcall = function() return select(2, pcall(wait, "yes")) end,
  xpcall = function() return select(2, xpcall(wait, print, "yes")) end,
  ["a generic for over a coroutine that waits in a metamethod"] = function()
    local got
    local source = with("__index", function(_, key) return wait(key) end)
    for item in coroutine.wrap(function() coroutine.yield(source.yes) end) do got = item end
    return got
  end,
  ["the __close of a for loop's fourth value"] = function()
    local closed
    for _ in function(_, last) return not last or nil end, nil, nil,
      with("__close", function() closed = wait("yes") end) do end
    return closed
  end,
  ["a __close after an error"] = function()
    local ok, e = pcall(function()
      local _ <close> = with("__close", function() wait() end)
      error("yes", 0)
    end)
    return not ok and e
  end,
  dofile = function()
    local name <close> = with("__close", function(self) os.remove(self.path) end)
    name.path = os.tmpname()
    local file = assert(io.open(name.path, "w"))
    file:write('require "weir.task".sleep(0) return "yes"')
    file:close()
    return dofile(name.path)
  end,
  ["50 coroutines deep"] = function()
    local fn = function() return wait("yes") end
    for _ = 1, 50 do
      local inner = fn
      fn = function() return coroutine.wrap(function() return select(2, pcall(inner)) end)() end
    end
    return fn()
  end,
}

for what, fn in pairs(works) do
  T["test_works_in " .. what] = function() lu.assertEquals(fn(), "yes") end
end

-- ---- where it cannot ------------------------------------------------------

local refused = {
  ["table.sort"] = function() table.sort({ 2, 1 }, function() return wait(false) end) end,
  ["string.gsub"] = function() return (("x"):gsub(".", wait)) end,
  ["table.concat"] = function()
    return table.concat(with("__index", function(_, i) return wait(i) end), ",", 1, 2)
  end,
  ["table.unpack"] = function()
    return table.unpack(with("__index", function(_, i) return wait(i) end), 1, 2)
  end,
  ["table.insert"] = function() table.insert(with("__newindex", wait), 1) end,
  ["table.move"] = function() table.move({ 1 }, 1, 1, 1, with("__newindex", wait)) end,
  ["math.max"] = function() return math.max(1, with("__lt", function() return wait(true) end)) end,
  ["string.format"] = function()
    return ("%s"):format(with("__tostring", function() return wait("x") end))
  end,
  print = function() print(with("__tostring", function() return wait("x") end)) end,
  ["an iterator written in C, such as that of ipairs"] = function()
    for _ in ipairs(with("__index", function(_, i) return wait(i < 3 and i or nil) end)) do end
  end,
  -- In a coroutine of its own: the task's keeps the hook that Ctrl-C needs.
  ["a debug hook"] = function()
    coroutine.wrap(function()
      debug.sethook(wait, "l")
      return lu
    end)()
  end,
  tostring = function() return tostring(with("__tostring", function() return wait("x") end)) end,
  load = function() assert(load(function() return wait(nil) end)) end,
  ["a __gc metamethod"] = function()
    local ok, e
    with("__gc", function() ok, e = pcall(wait) end)
    collectgarbage()
    collectgarbage()
    lu.assertFalse(ok)
    error(e, 0)
  end,
  ["a message handler"] = function()
    local ok, e = xpcall(error, function(m) return wait(m) end, "x")
    lu.assertFalse(ok)
    error(e, 0)
  end,
}

for what, fn in pairs(refused) do
  T["test_refused_in " .. what] = function()
    lu.assertErrorMsgContains(("called from inside %s, which cannot pause"):format(what), fn)
    wait() -- the task is none the worse
  end
  T["test_refused_in a coroutine in " .. what] = function()
    lu.assertErrorMsgContains("which cannot pause", coroutine.wrap(fn))
  end
end

function T.test_refused_in_a_coroutine_whose_resume_cannot_pause()
  lu.assertErrorMsgContains("called from inside table.sort, which cannot pause", table.sort,
    { 2, 1 }, function() return coroutine.wrap(wait)(false) end)
end

-- ---- xpcall is otherwise Lua's own ----------------------------------------

function T.test_xpcall()
  lu.assertEquals({ xpcall(function(...) return wait(...) end, print, 1, nil, 3) },
    { true, 1, nil, 3 })
  lu.assertEquals({ xpcall(error, function(m) return m .. "!" end, "x") }, { false, "x!" })
  lu.assertStrContains(select(2, xpcall(error, debug.traceback, "x")), "stack traceback")
  lu.assertEquals({ xpcall(error, function() error("again", 0) end) },
    { false, "error in error handling" })
  lu.assertErrorMsgContains("#2 to 'xpcall'", xpcall, print)
  local function overflow() return overflow() + 1 end
  lu.assertStrContains(select(2, xpcall(overflow, function(m) return m end)), "overflow")
end

-- ---- what is waited for goes away -----------------------------------------

function T.test_whoever_waits_for_a_listing_that_another_closes_is_told()
  sim.reset()
  sim.fault { kind = "slow", seconds = 30, call = "any" }
  local c = client.new { base_url = sim.url, limit = false }
  local listing = core_page.open("page.each", c, "/api/v2/event-processing/filters",
    { items = "filters" })
  local t = task.spawn(core_page.next, listing)
  task.sleep(0)
  do local _ <close> = listing end
  collectgarbage()
  lu.assertErrorMsgContains("has been closed", t.join, t)
  lu.assertErrorMsgContains("has been closed", core_page.next, listing)
  sim.reset()
end

return T

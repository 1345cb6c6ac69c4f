-- Runs every tests/lua/test_*.lua, each of which returns a table of test
-- functions. `weir run tests/lua/run.lua task json` runs only those two.
-- A test fails on what it leaves behind, too: tasks and operations.

local lu = require "luaunit"
local core = require "weir.core.task"

local folder = arg[0]:match("^(.*)/") or "."

local function names()
  local list = {}
  if #arg > 0 then
    for i, name in ipairs(arg) do list[i] = "test_" .. name end
    return list
  end
  local files <close> = assert(io.popen(("ls '%s'"):format(folder)))
  for file in files:lines() do
    list[#list + 1] = file:match("^(test_[%w_]+)%.lua$")
  end
  return list
end

-- An iterator that a test dropped half-way lets go of its operation when it
-- is collected.
local function left_behind()
  local tasks, ops = core.count()
  if ops > 0 then
    collectgarbage()
    collectgarbage()
    tasks, ops = core.count()
  end
  return tasks - 1, ops -- the runner itself is a task
end

-- A test of a class table is called with the table.
local function guarded(test)
  return function(...)
    test(...)
    local tasks, ops = left_behind()
    lu.assertEquals(tasks, 0, "tasks left behind")
    lu.assertEquals(ops, 0, "operations left behind")
  end
end

local suite = {}
for _, name in ipairs(names()) do
  local class = {}
  local loads, tests = pcall(require, name)
  if not loads then
    local why = tests
    tests = { test_file_loads = function() error(why, 0) end }
  elseif type(tests) ~= "table" then
    tests = { test_file_loads = function() error("it returns no table of tests") end }
  end
  for key, value in pairs(tests) do
    class[key] = key:find("^test") and guarded(value) or value
  end
  suite[#suite + 1] = { name, class }
end

local runner = lu.LuaUnit.new()
runner:setOutputType("text")
os.exit(runner:runSuiteByInstances(suite) == 0)

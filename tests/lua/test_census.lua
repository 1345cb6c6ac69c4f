-- cxone.census: one reading of the list for all who ask at once.

local census = require "cxone.census"
local err = require "weir.err"
local lu = require "luaunit"
local task = require "weir.task"

local tests = {}

--- Filters whose list is read in two steps, and what there is to read.
local function listing(names)
  local l = { readings = 0, names = names }
  function l.list()
    l.readings = l.readings + 1
    local seen = table.move(l.names, 1, #l.names, 1, {}) -- as it was at first
    local i = 0
    return function()
      task.sleep(0)
      i = i + 1
      if l.trouble then error(l.trouble, 0) end
      return seen[i] and { id = seen[i] .. i, name = seen[i] }
    end
  end
  return l
end

function tests.test_many_askers_share_a_reading()
  local l = listing { "a", "b", "a" }
  local c = census.new(l)
  local names, want = {}, { a = { "a1", "a3" }, b = { "b2" }, c = {} }
  for i = 1, 60 do names[i] = ({ "a", "b", "c" })[i % 3 + 1] end
  local found = task.map(names, { limit = 60 }, function(name) return c:ids(name) end)
  for i, ids in ipairs(found) do lu.assertEquals(ids, want[names[i]]) end
  lu.assertEquals(l.readings, 1)
  lu.assertEquals(c:ids "b", { "b2" })
  lu.assertEquals(l.readings, 2)
end

function tests.test_a_reading_that_began_before_the_question_is_no_answer()
  local l = listing { "a" }
  local c = census.new(l)
  local first = task.spawn(c.ids, c, "b")
  while l.readings == 0 do task.sleep(0) end
  l.names = { "a", "b" }
  local late = { task.spawn(c.ids, c, "b"), task.spawn(c.ids, c, "b") }
  lu.assertEquals(first:join(), {})
  for _, t in ipairs(late) do lu.assertEquals(t:join(), { "b2" }) end
  lu.assertEquals(l.readings, 2)
end

function tests.test_what_goes_wrong_is_told_to_all_and_not_kept()
  local l = listing { "a" }
  local c = census.new(l)
  l.trouble = err.new { code = "server", message = "no list today" }
  local seen = {}
  for _, e in ipairs(task.map({ 1, 2, 3 }, function()
    return select(2, pcall(c.ids, c, "a"))
  end)) do
    lu.assertTrue(err.is(e, "server"))
    lu.assertEquals(e.message, "no list today")
    lu.assertNil(seen[e]) -- each has an err of its own
    seen[e] = true
  end
  lu.assertEquals(l.readings, 1)
  l.trouble = nil
  lu.assertEquals(c:ids "a", { "a1" })
end

function tests.test_an_asker_who_is_cancelled_leaves_the_others_their_answer()
  local l = listing { "a", "b", "c", "d" }
  local c = census.new(l)
  local first = task.spawn(c.ids, c, "a")
  local other = task.spawn(c.ids, c, "d")
  while l.readings == 0 do task.sleep(0) end
  first:cancel()
  lu.assertEquals(other:join(), { "d4" })
  lu.assertTrue(err.is(select(2, pcall(first.join, first)), "cancelled"))
  lu.assertEquals(l.readings, 1)
end

function tests.test_nobody_reads_for_nobody()
  local l = listing { "a", "b", "c", "d" }
  local c = census.new(l)
  local asker = task.spawn(c.ids, c, "a")
  while l.readings == 0 do task.sleep(0) end
  local late = task.spawn(c.ids, c, "b") -- it waits for the next reading
  task.sleep(0)
  asker:cancel()
  asker:wait()
  lu.assertEquals(late:join(), { "b2" })
  lu.assertEquals(l.readings, 2)
  asker = task.spawn(c.ids, c, "a")
  while l.readings == 2 do task.sleep(0) end
  asker:cancel()
  asker:wait()
  lu.assertEquals((require "weir.core.task".count()), 1) -- this one
  lu.assertEquals(c:ids "a", { "a1" })
end

return tests

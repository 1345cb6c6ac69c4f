-- weir.etag: the merge alone, and updates against the embedded simulator.
-- Run with --sim.

local cxone = require "cxone"
local etag = require "weir.etag"
local json = require "weir.json"
local lu = require "luaunit"
local sim = require "weir.sim"
local task = require "weir.task"
local weir = require "weir"

local tests = {}
local tenant = cxone.connect()
local client, dialect = tenant.client, tenant.dialect
local rules = dialect.filter

local function matcher(attribute, value)
  return { attribute = attribute, operator = "equals", value = value }
end

--- A fresh filter: its record and its path.
local function fresh()
  sim.clear_faults()
  local record = assert(assert(client:post(dialect.paths.filters, { json = {
    name = "n", description = "d", channel = "voice", target_group_id = "g",
    matchers = { matcher("a", 1), matcher("b", 1) },
    pattern_rules = json.array {},
  } })):json())
  return record, dialect.paths.filters .. "/" .. record.id
end

local function current(path)
  return assert(assert(client:get(path)):json())
end

-- Alone -----------------------------------------------------------------------

function tests.test_merge_takes_what_only_one_side_changed()
  local merged, report = etag.merge(
    { a = 1, b = 1, c = { x = 1, y = 1 }, gone = 1 },
    { a = 2, b = 1, c = { x = 1, y = 2 } },
    { a = 1, b = 3, c = { x = 3, y = 1 }, gone = 1, new = weir.null })
  lu.assertEquals(merged, { a = 2, b = 3, c = { x = 3, y = 2 }, new = weir.null })
  lu.assertEquals(report.mine, { "/a", "/c/y", "/gone" })
  lu.assertEquals(report.theirs, { "/b", "/c/x", "/new" })
  lu.assertEquals(#report.conflicts, 0)
end

function tests.test_merge_returns_the_conflicts()
  local merged, e = etag.merge({ a = 1, b = 1 }, { a = 2, b = 1 }, { a = 3 })
  lu.assertNil(merged)
  lu.assertEquals(e.code, "conflict")
  lu.assertEquals(#e.conflicts, 1)
  lu.assertEquals(e.conflicts[1].path, "/a")
  lu.assertEquals({ e.conflicts[1].base, e.conflicts[1].mine, e.conflicts[1].theirs }, { 1, 2, 3 })
end

function tests.test_merge_decides_as_it_is_told()
  local function decided(on_conflict)
    return (etag.merge({ a = 1, b = 1 }, { a = 2 }, { a = 3, b = 2 },
      { on_conflict = on_conflict }))
  end
  lu.assertEquals(decided "mine", { a = 2 })
  lu.assertEquals(decided "theirs", { a = 3, b = 2 })
  -- A function that gives back mine does what "mine" does; b is absent there.
  lu.assertEquals(decided(function(c) return c.mine end), { a = 2 })
  lu.assertEquals(decided(function(c) return c.path end), { a = "/a", b = "/b" })
  lu.assertErrorMsgContains("returned nothing for /a", decided, function() end)
  lu.assertErrorMsgContains("on_conflict must be", decided, "ours")
end

function tests.test_merge_of_lists_by_the_dialects_rules()
  local merged = assert(etag.merge(
    { matchers = { matcher("a", 1), matcher("b", 1) } },
    { matchers = { matcher("a", 2), matcher("b", 1), matcher("m", 1) } },
    { matchers = { matcher("a", 1), matcher("b", 3), matcher("t", 1) } },
    { rules = rules }))
  lu.assertEquals(merged.matchers,
    { matcher("a", 2), matcher("b", 3), matcher("t", 1), matcher("m", 1) })
end

function tests.test_merge_refuses_what_is_no_object()
  lu.assertErrorMsgContains("mine", etag.merge, {}, { 1, 2 }, {})
  lu.assertErrorMsgContains("rules", etag.merge, {}, {}, {}, { rules = { lists = { {} } } })
end

-- Against a server ------------------------------------------------------------

function tests.test_update_of_the_record_last_seen()
  local record, path = fresh()
  local state, info = etag.update(client, path, { description = "new" },
    { base = record, rules = rules })
  lu.assertEquals(state.description, "new")
  lu.assertEquals(state.name, "n")
  lu.assertEquals(info.attempts, 1)
  lu.assertEquals(#info.merged, 0)
  lu.assertIsString(info.etag)
  lu.assertEquals(current(path).description, "new")
end

function tests.test_update_by_a_function()
  local _, path = fresh()
  local state = assert(etag.update(client, path, function(filter)
    filter.matchers[1].value = 7
    return filter
  end, { rules = rules }))
  lu.assertEquals(state.matchers[1].value, 7)
  lu.assertEquals(state.description, "d")
  -- Without a return, the changed copy counts.
  state = assert(etag.update(client, path, function(filter) filter.name = "m" end,
    { rules = rules }))
  lu.assertEquals(state.name, "m")
end

function tests.test_nothing_to_change_sends_nothing()
  local record, path = fresh()
  local before = sim.state().updates or 0
  local _, info = etag.update(client, path, { name = "n", etag = "zzz" },
    { base = record, rules = rules })
  lu.assertEquals(info.attempts, 0)
  lu.assertEquals(sim.state().updates or 0, before)
end

function tests.test_what_others_changed_is_merged_and_said()
  local record, path = fresh()
  sim.fault { kind = "concurrent_edit", field = "description", value = "theirs" }
  local state, info = etag.update(client, path, { name = "mine" },
    { base = record, rules = rules })
  lu.assertEquals({ state.name, state.description }, { "mine", "theirs" })
  lu.assertEquals(info.attempts, 2)
  lu.assertItemsEquals(info.merged, { "/description" })
end

function tests.test_a_conflict_is_an_err_with_every_field()
  local record, path = fresh()
  sim.fault { kind = "concurrent_edit", field = "description", value = "theirs" }
  local state, e = etag.update(client, path, { description = "mine" },
    { base = record, rules = rules })
  lu.assertNil(state)
  lu.assertEquals(e.code, "conflict")
  lu.assertEquals(e.conflicts[1],
    { path = "/description", base = "d", mine = "mine", theirs = "theirs" })
  lu.assertEquals(current(path).description, "theirs")
end

function tests.test_a_policy_decides()
  for policy, expected in pairs { mine = "mine", theirs = "theirs" } do
    local record, path = fresh()
    sim.fault { kind = "concurrent_edit", field = "description", value = "theirs" }
    local state, info = etag.update(client, path, { description = "mine" },
      { base = record, rules = rules, on_conflict = policy })
    lu.assertEquals(state.description, expected)
    lu.assertEquals(info.decided[1].path, "/description")
  end
end

function tests.test_a_function_decides_in_the_scripts_own_task()
  local record, path = fresh()
  sim.fault { kind = "concurrent_edit", field = "description", value = "theirs" }
  local asked = {}
  local state, info = etag.update(client, path, { description = "mine", name = "m" }, {
    base = record, rules = rules,
    on_conflict = function(conflict)
      task.sleep(0.01) -- it may wait
      asked[#asked + 1] = conflict.path
      return conflict.mine .. " and " .. conflict.theirs
    end,
  })
  lu.assertEquals(asked, { "/description" })
  lu.assertEquals(state.description, "mine and theirs")
  lu.assertEquals(state.name, "m")
  lu.assertEquals(info.decided[1].path, "/description")
  lu.assertEquals(info.attempts, 2)
end

function tests.test_a_function_that_raises_ends_the_update()
  local record, path = fresh()
  sim.fault { kind = "concurrent_edit", field = "description", value = "theirs" }
  lu.assertErrorMsgContains("no way", etag.update, client, path, { description = "mine" },
    { base = record, rules = rules, on_conflict = function() error("no way") end })
  lu.assertEquals(current(path).description, "theirs")
end

function tests.test_attempts_are_bounded_for_functions_too()
  local record, path = fresh()
  local n = 0
  local function another_edit()
    n = n + 1
    sim.fault { kind = "concurrent_edit", field = "description", value = "theirs " .. n }
  end
  another_edit()
  local state, e = etag.update(client, path, { description = "mine" }, {
    base = record, rules = rules, attempts = 3,
    on_conflict = function(conflict)
      lu.assertEquals(conflict.theirs, "theirs " .. n)
      another_edit()
      return conflict.mine .. n
    end,
  })
  lu.assertNil(state)
  lu.assertEquals(e.code, "conflict")
  lu.assertStrContains(e.message, "others were faster each time")
  lu.assertEquals(n, 3)
end

function tests.test_a_put_whose_answer_is_lost_is_done_once()
  local record, path = fresh()
  sim.fault { kind = "lost", call = "update" }
  local state, info = etag.update(client, path, { description = "mine" },
    { base = record, rules = rules })
  lu.assertEquals(state.description, "mine")
  lu.assertEquals(#info.merged, 0)
  lu.assertEquals(state.version, record.version + 1)
end

function tests.test_two_writers_lose_nothing()
  local _, path = fresh()
  local function writer(field)
    return function()
      for i = 1, 20 do
        assert(etag.update(client, path, function(filter)
          filter[field] = field .. i
        end, { rules = rules, attempts = 50 }))
      end
    end
  end
  task.all { writer "name", writer "description" }
  local state = current(path)
  lu.assertEquals({ state.name, state.description }, { "name20", "description20" })
end

function tests.test_what_is_not_there_is_not_found()
  local state, e = etag.update(client, dialect.paths.filters .. "/flt_none", { name = "x" })
  lu.assertNil(state)
  lu.assertEquals(e.code, "not_found")
end

function tests.test_mistakes_are_told()
  local record, path = fresh()
  lu.assertErrorMsgContains("a table of fields or a function", etag.update, client, path, 7)
  lu.assertErrorMsgContains("did you mean 'base'", etag.update, client, path, {}, { bse = record })
  lu.assertErrorMsgContains("attempts must be a whole number", etag.update, client, path, {},
    { attempts = 0 })
  lu.assertErrorMsgContains("must return the new state", etag.update, client, path,
    function() return 7 end)
end

return tests

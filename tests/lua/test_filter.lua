-- weir.filter: every problem of a definition, at its path and its line; then
-- what a filter is.

local err = require "weir.err"
local filter = require "weir.filter"
local json = require "weir.json"
local lu = require "luaunit"
local weir = require "weir"

local tests = {}

local function definition(over)
  local t = {
    name = "gold_voice",
    channel = "voice",
    matchers = { { attribute = "customer.tier", operator = "equals", value = "gold" } },
    target_group_id = "grp_1",
  }
  for k, v in pairs(over or {}) do t[k] = v end
  return t
end

local function line_here() return debug.getinfo(2, "l").currentline end

function tests.test_a_wrong_argument_raises()
  lu.assertErrorMsgContains("expected a table or a filter, got string", filter.new, "{}")
  lu.assertErrorMsgContains("got nil", filter.check)
  local f = filter.new(definition())
  lu.assertErrorMsgContains("got number", f.with, f, 7)
end

function tests.test_a_finalizer_may_make_a_filter_while_one_is_made()
  -- Many names take memory while the table is read: the collector may come by.
  local many, inside, nested, wrong = {}, false, 0, {}
  for i = 1, 40 do many["field_" .. i] = { name = i } end
  local function leave_garbage()
    return setmetatable({}, { __gc = function()
      -- What is raised in here is a warning, and would fail no test.
      local ok, f = pcall(filter.new, definition { description = "made by a finalizer" })
      if not ok or f.description ~= "made by a finalizer" then wrong[#wrong + 1] = f end
      if inside then nested = nested + 1 end
    end })
  end
  for _ = 1, 12 do
    for _ = 1, 50 do leave_garbage() end
    inside = true
    local ok, problems = filter.check(many)
    inside = false
    lu.assertNil(ok)
    lu.assertEquals(#problems, 43) -- all unknown, and three that are missing
  end
  lu.assertTrue(nested > 0)
  lu.assertEquals(wrong, {})
end

function tests.test_check_lists_every_problem_with_its_line()
  local first = line_here()
  local ok, problems = filter.check {
    name = "every_problem",
    channel = "vocie",
    matchers = {
      { attribute = "a", operator = "equal", value = 1 },
      { attribute = "b", operator = "in",
        value = {} },
    },
    pattern_rules = { { type = "cidr", field = "ip", pattern = "10.1.0.0/8" } },
  }
  lu.assertNil(ok)
  local seen = {}
  for i, p in ipairs(problems) do
    lu.assertStrContains(p.source, "test_filter.lua")
    seen[i] = ("%s %d %s"):format(p.path, p.line - first, p.hint or "-")
  end
  lu.assertEquals(seen, {
    "/channel 3 did you mean 'voice'?",
    "/matchers/0/operator 5 did you mean 'equals'?",
    "/matchers/1/value 7 -",
    "/pattern_rules/0/pattern 9 did you mean '10.0.0.0/8'?",
    "/target_group_id 1 -",
  })
end

function tests.test_new_raises_an_err_with_the_list()
  local bad = definition { name = "new_raises", channel = "fax", colour = 1 }
  local ok, e = pcall(filter.new, bad)
  lu.assertFalse(ok)
  lu.assertTrue(err.is(e))
  lu.assertEquals(e.code, "validation")
  lu.assertEquals(#e.errors, 2)
  lu.assertEquals(e.errors[1].path, "/channel")
  lu.assertStrContains(e.message, "/channel: unknown channel 'fax'")
  lu.assertStrContains(e.message, "(and 1 more)")
end

function tests.test_what_json_cannot_hold_is_a_problem()
  local ok, problems = filter.check(definition {
    matchers = { { attribute = "a", operator = "equals", value = 0 / 0 } },
  })
  lu.assertNil(ok)
  lu.assertEquals(problems[1].path, "/matchers/0/value")
  lu.assertStrContains(problems[1].message, "NaN")
  ok, problems = filter.check(definition { name = print })
  lu.assertNil(ok)
  lu.assertEquals(problems[1].path, "/name")
end

function tests.test_fields_of_the_server_are_refused()
  local _, problems = filter.check(definition { etag = "x" })
  lu.assertEquals(problems[1].path, "/etag")
  lu.assertStrContains(problems[1].message, "the server sets it")
end

function tests.test_a_filter_is_immutable()
  local f = filter.new(definition())
  lu.assertErrorMsgContains("immutable", function() f.name = "x" end)
  f.matchers[1].value = "other"
  lu.assertEquals(f.matchers[1].value, "gold")
  local source = definition()
  f = filter.new(source)
  source.matchers[1].value = "other"
  lu.assertEquals(f.matchers[1].value, "gold")
end

function tests.test_fields_are_read_and_unknown_ones_named()
  local f = filter.new(definition())
  lu.assertEquals(f.name, "gold_voice")
  lu.assertEquals(f.channel, "voice")
  lu.assertNil(f.description)
  lu.assertEquals(#f.pattern_rules, 0)
  lu.assertErrorMsgContains("did you mean 'channel'", function() return f.chanel end)
end

function tests.test_with_makes_another()
  local f = filter.new(definition { description = "d" })
  local g = f:with { channel = "chat", description = weir.null }
  lu.assertEquals(g.channel, "chat")
  lu.assertNil(g.description)
  lu.assertEquals(f.channel, "voice")
  local ok, e = pcall(f.with, f, { channel = "fax" })
  lu.assertFalse(ok)
  lu.assertEquals(e.code, "validation")
end

function tests.test_equality_is_of_the_definition()
  local f = filter.new(definition())
  lu.assertTrue(f == filter.new(definition()))
  lu.assertTrue(f == filter.new(definition { pattern_rules = {} }))
  lu.assertFalse(f == f:with { channel = "chat" })
  lu.assertTrue(rawequal(filter.new(f), f))
  lu.assertTrue(filter.check(f))
end

function tests.test_table_and_json_say_the_same()
  local f = filter.new(definition {
    matchers = { { attribute = "n", operator = "equals", value = 9007199254740993 } },
    pattern_rules = {},
  })
  lu.assertEquals(f:table().matchers[1].value, 9007199254740993)
  lu.assertEquals(json.decode(f:json()), f:table())
  lu.assertStrContains(f:json(), '"pattern_rules":[]')
  lu.assertTrue(filter.new(f:table()) == f)
  lu.assertStrContains(f:json(2), '\n  "name"')
end

function tests.test_tostring_reads_as_one_line()
  lu.assertEquals(tostring(filter.new(definition())),
    'filter gold_voice (voice): customer.tier equals "gold" → grp_1')
end

function tests.test_a_closed_filter_or_another_userdata_is_refused()
  local f = filter.new(definition())
  lu.assertErrorMsgContains("weir.filter expected", f.table, io.stdout)
  lu.assertTrue(filter.is(f))
  lu.assertFalse(filter.is(io.stdout))
  lu.assertFalse(filter.is({}))
  do
    local closed <close> = f -- luacheck: ignore
  end
  lu.assertErrorMsgContains("the filter is closed", tostring, f)
end

function tests.test_the_same_definition_twice_is_the_same_filter()
  local first, second = filter.new(definition()), filter.new(definition())
  lu.assertEquals(second:json(), first:json())
  lu.assertTrue(first == second)
  lu.assertEquals(second.name, "gold_voice")
  lu.assertEquals(second:table(), definition())
  lu.assertEquals(second:json(2), first:json(2))
  lu.assertEquals(tostring(second), tostring(first))
end

function tests.test_what_one_schema_takes_another_still_refuses()
  local dialect = require "cxone.dialect"
  local of = setmetatable({ channels = { "fax" } }, { __index = dialect.filter })
  local copy = {}
  for k, v in pairs(dialect.filter) do copy[k] = of[k] or v end
  local fax = filter.schema(copy)
  lu.assertTrue(filter.check(definition()))
  lu.assertNil(filter.check(definition(), fax))
  lu.assertTrue(filter.check(definition { channel = "fax" }, fax))
  lu.assertNil(filter.check(definition { channel = "fax" }))
end

function tests.test_an_empty_list_is_one_each_time()
  for _ = 1, 2 do
    local f = filter.new(definition { pattern_rules = {} })
    lu.assertStrContains(f:json(), '"pattern_rules":[]')
    lu.assertEquals(#f.pattern_rules, 0)
  end
end

return tests

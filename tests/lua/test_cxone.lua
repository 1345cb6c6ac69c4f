-- cxone against the embedded simulator: what each method promises, and what
-- it raises. Run with --sim.

local cxone = require "cxone"
local err = require "weir.err"
local json = require "weir.json"
local lu = require "luaunit"
local sim = require "weir.sim"
local task = require "weir.task"
local weir = require "weir"

local tests = {}
local fast = { interval = 0.05 }
local serial = 0

local function definition(over)
  serial = serial + 1
  local t = {
    name = "test_filter_" .. serial,
    description = "made by test_cxone",
    channel = "voice",
    matchers = {
      { attribute = "customer.tier", operator = "equals", value = "platinum" },
      { attribute = "interaction.duration_seconds", operator = "greater_than", value = 300 },
    },
    pattern_rules = {
      { type = "regex", field = "agent.skill_id", pattern = "^skill_premium_.*$" },
    },
    target_group_id = "grp_test",
  }
  for k, v in pairs(over or {}) do t[k] = v end
  return t
end

--- The err that `fn` raises; fails the test if it raises none.
local function raised(code, fn, ...)
  local ok, e = pcall(fn, ...)
  lu.assertFalse(ok, "nothing was raised")
  lu.assertTrue(err.is(e), "not an err: " .. tostring(e))
  lu.assertEquals(e.code, code, tostring(e))
  return e
end

local function collect(iterator, state, first, closing)
  local list = {}
  for item in iterator, state, first, closing do list[#list + 1] = item end
  return list
end

local tenant = cxone.connect()
local filters = tenant.filters

-- A number that Lua cannot hold is no reason to call a create that was done
-- lost, nor to change a digit of it.
function tests.test_numbers_beyond_lua_travel_the_whole_road()
  local big = json.decode "18446744073709551617"
  local record = filters:create(definition {
    matchers = {
      { attribute = "call.serial", operator = "equals", value = big },
      { attribute = "call.serial", operator = "in", value = { big, 1, json.decode "1e400" } },
    },
  })
  lu.assertEquals(tostring(record.matchers[1].value), "18446744073709551617")
  local updated = filters:update(record, function(copy)
    copy.description = "changed beside it"
  end)
  lu.assertTrue(updated.matchers[1].value == big)
  lu.assertEquals(tostring(updated.matchers[2].value[3]), "1e400")
  local deployed = filters:deploy(definition { matchers = record.matchers }, fast)
  lu.assertTrue(deployed.matchers[1].value == big)
  lu.assertStrContains(filters:export(deployed), "value: 18446744073709551617\n")
  for listed in filters:list() do
    if listed.id == record.id then lu.assertTrue(listed.matchers[1].value == big) end
  end
end

function tests.test_connect_refuses_an_unknown_option_and_suggests()
  lu.assertErrorMsgContains("did you mean 'client_id'", cxone.connect, { cleint_id = "x" })
end

function tests.test_connect_goes_to_the_simulator_whatever_the_options_say()
  local t = cxone.connect { base_url = "https://elsewhere.example" }
  lu.assertEquals(t.base_url, weir.sim_url)
  lu.assertTrue(t.simulated)
end

function tests.test_a_mistake_is_shown_at_the_scripts_own_line()
  local mistakes = {
    function() filters:get("") end,
    function() filters:get(".") end,
    function() filters:deploy(nil) end,
    function() filters:deploy({}, { intervall = 1 }) end,
    function() filters:update("flt_1", 5) end,
    function() tenant.groups:assign(nil, {}) end,
    function() cxone.connect { tenannt = "x" } end,
  }
  for _, mistake in ipairs(mistakes) do
    local ok, message = pcall(mistake)
    local line = debug.getinfo(mistake, "S").linedefined
    lu.assertFalse(ok)
    lu.assertStrContains(message, ("test_cxone.lua:%d: "):format(line))
  end
end

function tests.test_check_raises_every_problem_at_once()
  local e = raised("validation", filters.check, filters,
    definition {
      channel = "voise",
      matchers = { { attribute = "a", operator = "equal", value = 1 } },
    })
  lu.assertEquals(#e.errors, 2)
  lu.assertEquals(e.errors[1].path, "/channel")
  lu.assertEquals(e.errors[2].path, "/matchers/0/operator")
end

function tests.test_deploy_returns_a_fresh_active_record()
  local record = filters:deploy(definition(), fast)
  lu.assertEquals(record.status, "ACTIVE")
  lu.assertIsString(record.id)
  lu.assertIsString(record.etag)
  lu.assertEquals(filters:get(record.id).etag, record.etag)
end

function tests.test_deploy_ends_at_once_when_the_activation_fails()
  sim.config { activation = { fail = "FAILED", reason = "no capacity in region" } }
  local e = raised("failed", filters.deploy, filters, definition(), { interval = 5, timeout = 60 })
  sim.config { activation = { looks = 1 } }
  lu.assertStrContains(e.message, "no capacity in region")
  lu.assertIsString(e.id)
  lu.assertEquals(filters:get(e.id).id, e.id)
end

function tests.test_deploy_removes_what_failed_when_asked_to()
  sim.config { activation = { fail = "REJECTED", reason = "not this one" } }
  local e = raised("failed", filters.deploy, filters, definition(),
    { interval = 0.05, on_failure = "delete" })
  sim.config { activation = { looks = 1 } }
  lu.assertTrue(e.deleted)
  raised("not_found", filters.get, filters, e.id)
end

function tests.test_deploy_times_out_with_the_last_status()
  sim.config { activation = { never = true } }
  local e = raised("timeout", filters.deploy, filters, definition(),
    { interval = 0.05, timeout = 0.3 })
  sim.config { activation = { looks = 1 } }
  lu.assertStrContains(e.message, "PENDING_ACTIVATION")
  lu.assertIsString(e.id)
end

function tests.test_update_merges_what_another_changed()
  local record = filters:deploy(definition(), fast)
  filters:update(record.id, { description = "by a colleague" })
  local new, info = filters:update(record, function(f) f.matchers[2].value = 240 end)
  lu.assertEquals(new.description, "by a colleague")
  lu.assertEquals(new.matchers[2].value, 240)
  lu.assertEquals(info.merged, { "/description" })
  lu.assertEquals(info.attempts, 2)
end

function tests.test_update_of_the_same_field_is_a_conflict()
  local record = filters:deploy(definition(), fast)
  filters:update(record.id, { description = "theirs" })
  local e = raised("conflict", filters.update, filters, record, { description = "mine" })
  lu.assertEquals(#e.conflicts, 1)
  lu.assertEquals(e.conflicts[1].path, "/description")
  lu.assertEquals(e.conflicts[1].base, "made by test_cxone")
  lu.assertEquals(e.conflicts[1].mine, "mine")
  lu.assertEquals(e.conflicts[1].theirs, "theirs")
  lu.assertEquals(filters:get(record.id).description, "theirs")
end

function tests.test_update_policies_decide()
  local record = filters:deploy(definition(), fast)
  filters:update(record.id, { description = "theirs" })
  local by = function(policy)
    return filters:update(record, { description = "mine" }, { on_conflict = policy }).description
  end
  lu.assertEquals(by "theirs", "theirs")
  lu.assertEquals(by(function(c) return c.mine .. "+" .. c.theirs end), "mine+theirs")
  lu.assertEquals(by "mine", "mine")
end

function tests.test_update_that_changes_nothing_sends_nothing()
  local record = filters:deploy(definition(), fast)
  local new, info = filters:update(record, { description = record.description })
  lu.assertEquals(info.attempts, 0)
  lu.assertEquals(new.etag, record.etag)
end

function tests.test_delete_needs_the_state_that_was_seen()
  local record = filters:deploy(definition(), fast)
  filters:update(record.id, { description = "changed since" })
  raised("conflict", filters.delete, filters, record)
  filters:delete(record.id)
  raised("not_found", filters.get, filters, record.id)
end

function tests.test_groups_assign_and_list_across_pages()
  local ids = {}
  for i = 1, 5 do ids[i] = filters:create(definition()).id end
  local group = "grp members/é?#%"
  tenant.groups:assign(group, ids)
  tenant.groups:assign(group, ids[1])
  local members = collect(tenant.groups:members(group, { page_size = 2 }))
  table.sort(members)
  table.sort(ids)
  lu.assertEquals(members, ids)
end

function tests.test_export_is_the_same_bytes_for_the_same_definition()
  local record = filters:deploy(definition(), fast)
  local first = filters:export(record)
  local changed = filters:update(record, { description = "for a moment" })
  lu.assertNotEquals(filters:export(record), first)
  filters:update(changed, { description = record.description })
  lu.assertEquals(filters:export(record), first)
  for _, field in ipairs(tenant.dialect.filter.volatile_fields) do
    lu.assertNotStrContains(first, "\n" .. field .. ":")
  end
  lu.assertStrContains(filters:export(record, { volatile = true }), "\netag:")
end

function tests.test_audit_tells_what_was_done()
  local record = filters:deploy(definition(), fast)
  filters:update(record, { description = "second" })
  local actions = {}
  for entry in tenant.audit:entries { filter_id = record.id, page_size = 1 } do
    actions[entry.action] = true
  end
  lu.assertTrue(actions.create)
  lu.assertTrue(actions.update)
end

function tests.test_metrics_have_the_three_rates()
  local rates = filters:metrics(filters:create(definition()))
  lu.assertIsNumber(rates.hit_count)
  lu.assertIsNumber(rates.match_ratio)
  lu.assertIsNumber(rates.throughput_rate)
end

function tests.test_a_servers_complaint_shows_the_line_that_built_it()
  sim.fault { kind = "invalid", call = "validate", count = 1, path = "/matchers/0/value",
    message = "no such tier" }
  local e = raised("validation", filters.validate, filters, {
    name = "line_test",
    channel = "voice",
    matchers = {
      { attribute = "customer.tier", operator = "equals",
        value = "unobtainium" },
    },
    target_group_id = "grp_test",
  })
  lu.assertEquals(e.errors[1].message, "no such tier")
  local here = debug.getinfo(1, "l").currentline
  lu.assertEquals(e.errors[1].line, here - 5)
end

function tests.test_fifty_tasks_make_one_token_call()
  local t = cxone.connect { client_id = "fifty" }
  local before = sim.state().tokens
  local work = {}
  for i = 1, 50 do work[i] = i end
  task.map(work, { limit = 50 }, function() return collect(t.filters:list())[1] end)
  lu.assertEquals(sim.state().tokens - before, 1)
end

function tests.test_a_dialect_of_its_own_is_what_definitions_are_checked_by()
  local filter = require "weir.filter"
  local other = cxone.connect {
    dialect = { filter = { channels = { "fax", "voice" }, limits = { name = 5 } } },
  }
  lu.assertTrue(other.filters:check(definition { name = "short", channel = "fax" }))
  local e = raised("validation", filters.check, filters, definition { channel = "fax" })
  lu.assertStrContains(e.message, "/channel")
  -- A filter of one dialect is checked again where another holds, and keeps
  -- its own through every change.
  local made = filter.new(definition { name = "longer" })
  e = raised("validation", other.filters.check, other.filters, made)
  lu.assertStrContains(e.message, "/name")
  local fax = filter.new(definition { name = "short", channel = "fax" }, other.schema)
  lu.assertTrue(other.filters:check(fax))
  raised("validation", filters.check, filters, fax)
  raised("validation", fax.with, fax, { name = "longer" })
  lu.assertEquals(fax:with({ name = "fax" }).channel, "fax")
  lu.assertEquals(cxone.connect().schema, tenant.schema)
end

function tests.test_ids_that_need_encoding_work()
  sim.config { id_format = "nasty" }
  local record = filters:deploy(definition(), fast)
  sim.config { id_format = "plain" }
  lu.assertStrContains(record.id, "/")
  lu.assertEquals(filters:get(record.id).name, record.name)
  lu.assertEquals(filters:status(record.id), "ACTIVE")
  filters:update(record, { description = "found by its id" })
  filters:delete(record.id)
  raised("not_found", filters.get, filters, record.id)
end

return tests

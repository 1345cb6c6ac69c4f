-- weir.sim against the embedded simulator. Run with --sim.

local err = require "weir.err"
local http = require "weir.http"
local lu = require "luaunit"
local sim = require "weir.sim"

local tests = {}

local function get(path)
  return assert(http.request { url = sim.url .. path }).status
end

local function raised(fn, ...)
  local ok, e = pcall(fn, ...)
  lu.assertFalse(ok)
  lu.assertTrue(err.is(e), tostring(e))
  return e
end

function tests.test_there_is_a_url()
  lu.assertStrMatches(sim.url, "http://127%.0%.0%.1:%d+")
end

function tests.test_a_fault_is_kept_with_its_defaults_until_cleared()
  local added = sim.fault { kind = "rate", call = "token", retry_after = 2 }
  lu.assertEquals(added[1].count, 1)
  lu.assertEquals(sim.faults()[#sim.faults()].kind, "rate")
  sim.clear_faults()
  lu.assertEquals(#sim.faults(), 0)
end

function tests.test_faults_come_as_lists_and_texts()
  local added = sim.fault { "drop:call=token", { kind = "slow", call = "token" } }
  lu.assertEquals({ added[1].kind, added[2].kind }, { "drop", "slow" })
  sim.clear_faults()
end

function tests.test_what_makes_no_sense_is_raised_with_a_suggestion()
  local e = raised(sim.fault, { kind = "rat" })
  lu.assertEquals(e.code, "invalid")
  lu.assertStrContains(e.message, "did you mean 'rate'")
  e = raised(sim.config, { conflcit = 412 })
  lu.assertStrContains(e.message, "did you mean 'conflict'")
  lu.assertEquals(#sim.faults(), 0)
end

function tests.test_settings_change_and_come_back()
  local before = sim.config()
  lu.assertEquals(sim.config { conflict = 412 }.conflict, 412)
  lu.assertEquals(sim.config().conflict, 412)
  sim.config { conflict = before.conflict }
  lu.assertEquals(sim.config(), before)
end

function tests.test_events_are_counted()
  local before = sim.state().events
  lu.assertEquals(sim.events({ { channel = "sms" }, { channel = "sms" } }, 60),
    { accepted = 2, bad = 0 })
  sim.events { channel = "sms" }
  lu.assertEquals(sim.state().events - before, 3)
end

function tests.test_the_log_shows_what_was_asked()
  lu.assertEquals(get "/nowhere?token=hush", 404)
  local log = sim.log()
  local last = log[#log]
  lu.assertEquals(last.path, "/nowhere")
  lu.assertEquals(last.status, 404)
  lu.assertEquals(last.query.token, "[redacted]")
end

return tests

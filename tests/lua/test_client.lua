-- weir.client against the embedded simulator (--sim), and what it refuses.

local auth = require "weir.auth"
local client = require "weir.client"
local dialect = require "cxone.dialect"
local err = require "weir.err"
local lu = require "luaunit"
local sim = require "weir.sim"
local task = require "weir.task"

local filters = dialect.paths.filters
local serial = 0

local function credentials()
  return auth.client_credentials {
    token_url = sim.url .. dialect.token_url:match("^%a+://[^/]+(/.*)$"),
    client_id = "the-client",
    client_secret = "sesame-open",
    scope = dialect.scope,
    fields = { tenant = "acme" },
  }
end

local function connect(over)
  local t = {
    base_url = sim.url,
    auth = credentials(),
    retry = { base = 0.01, cap = 2 },
  }
  for k, v in pairs(over or {}) do t[k] = v end
  return client.new(t)
end

local function definition()
  serial = serial + 1
  return {
    name = "client_test_" .. serial,
    description = "made by test_client",
    channel = "voice",
    matchers = { { attribute = "a", operator = "equals", value = "b" } },
    pattern_rules = { { type = "prefix", field = "c", pattern = "d" } },
    target_group_id = "grp_test",
  }
end

--- nil and an err of that code, from a call's results.
local function failed(code, response, e)
  lu.assertNil(response)
  lu.assertTrue(err.is(e), tostring(e))
  lu.assertEquals(e.code, code, tostring(e))
  return e
end

local tests = {}

function tests.setUp() sim.reset() end
tests.tearDown = tests.setUp

function tests.test_the_road_of_a_resource()
  local c = connect()
  local created = assert(c:post(filters, { json = definition() }))
  lu.assertEquals(created.status, 201)
  local filter = created:json()
  local path = filters .. "/" .. filter.id
  local read = assert(c:get(path))
  lu.assertEquals(read:json().name, filter.name)
  local changed = definition()
  changed.name = filter.name
  changed.description = "changed"
  local updated = assert(c:put(path, { json = changed, if_match = read.headers.etag }))
  lu.assertEquals(updated:json().description, "changed")
  -- The ETag that was read is stale now.
  local e = failed("conflict", c:put(path, { json = changed, if_match = read.headers.etag }))
  lu.assertTrue(e.status == 409 or e.status == 412)
  lu.assertEquals(assert(c:delete(path, { if_match = updated.headers.etag })).status, 204)
  e = failed("not_found", c:get(path))
  lu.assertEquals(e.status, 404)
  lu.assertEquals(e.method, "GET")
  lu.assertStrContains(e.url, filter.id)
  lu.assertEquals(c:stats().retries, 0)
end

function tests.test_query_and_base_path()
  local c = connect { base_url = sim.url .. filters:match("^/%w+") .. "/" }
  local path = filters:match("^/%w+(/.*)$")
  local response = assert(c:request("GET", path, { query = { page_size = 5 } }))
  lu.assertStrContains(response.url, filters .. "?page_size=5")
end

function tests.test_a_refused_definition_carries_each_problem()
  local bad = definition()
  bad.matchers[1].operator = "equal"
  local e = failed("validation", connect():post(dialect.paths.validate,
    { json = bad, safe = true }))
  lu.assertEquals(e.status, 400)
  lu.assertEquals(e.detail[1].path, "/matchers/0/operator")
end

function tests.test_429_is_waited_out_as_the_server_asks()
  local c = connect()
  sim.fault { kind = "rate", call = "list", retry_after = 1 }
  sim.fault { kind = "rate", call = "list", retry_after = 1, date = true }
  assert(c:get(filters))
  local stats = c:stats()
  lu.assertEquals(stats.rate_limited, 2)
  lu.assertEquals(stats.retries, 2)
end

function tests.test_5xx_and_broken_connections_are_repeated_for_a_read()
  local c = connect { retry = { attempts = 5, base = 0.01, cap = 0.05 } }
  sim.fault { kind = "status", call = "list", status = 502 }
  sim.fault { kind = "drop", call = "list" }
  sim.fault { kind = "truncate", call = "list" }
  assert(c:get(filters))
  lu.assertEquals(sim.state().faults, 3)
  -- libcurl sends a read again by itself when a kept connection is dead.
  lu.assertTrue(c:stats().retries >= 2)
end

function tests.test_a_create_that_may_have_been_done_is_not_repeated()
  for _, fault in ipairs { { kind = "lost" }, { kind = "status", status = 502 } } do
    local c = connect()
    fault.call = "create"
    sim.fault(fault)
    local before = sim.state().creates or 0
    local e = failed("ambiguous", c:post(filters, { json = definition() }))
    lu.assertStrContains(e.message, "may have been done")
    lu.assertStrContains(e.hint, "look whether it was done")
    lu.assertEquals(e.attempts, 1)
    -- The lost one was done; nobody did it twice.
    lu.assertEquals((sim.state().creates or 0) - before, fault.kind == "lost" and 1 or 0)
  end
end

function tests.test_an_expired_token_is_renewed_once()
  local c = connect()
  assert(c:get(filters))
  sim.fault { kind = "expired", call = "list" }
  assert(c:get(filters))
  lu.assertEquals(sim.state().tokens, 2)
  sim.fault { kind = "expired", call = "list", count = 2 }
  local e = failed("auth", c:get(filters))
  lu.assertEquals(e.status, 401)
end

function tests.test_a_token_of_short_life_never_goes_out_stale()
  sim.config { token_life = 0.4 }
  local c = connect { retry = { attempts = 1 } }
  for _ = 1, 12 do
    assert(c:get(filters))
    task.sleep(0.1)
  end
  lu.assertTrue(sim.state().tokens >= 4)
  for _, request in ipairs(sim.log()) do lu.assertNotEquals(request.status, 401) end
end

function tests.test_many_tasks_share_one_token_and_the_rate()
  local c = connect { limit = { rate = 100, burst = 10 } }
  local names = {}
  for i = 1, 50 do names[i] = i end
  local started = os.time()
  task.map(names, { limit = 50 }, function() return assert(c:get(filters)) end)
  lu.assertEquals(sim.state().tokens, 1)
  lu.assertEquals(c:stats().requests, 50)
  lu.assertTrue(os.time() - started <= 5)
end

function tests.test_a_deadline_ends_the_call()
  local c = connect { timeout = 0.3 }
  sim.fault { kind = "slow", call = "list", seconds = 2, count = 9 }
  local e = failed("timeout", c:get(filters))
  lu.assertEquals(e.method, "GET")
  lu.assertEquals(e.attempts, 1)
end

function tests.test_a_cancelled_call_is_gone()
  local c = connect()
  sim.fault { kind = "slow", call = "list", seconds = 2 }
  local t = task.spawn(function() return c:get(filters) end)
  task.sleep(0.05)
  t:cancel()
  task.sleep(0) -- it ends in the next turn; the runner counts what is left
end

function tests.test_a_redirect_elsewhere_takes_no_token_along()
  sim.fault { kind = "redirect", call = "list", location = "http://127.0.0.1:1/x" }
  local response, e = connect():get(filters)
  lu.assertNil(response)
  lu.assertNotEquals(e.code, "transport", tostring(e)) -- nobody went there
end

function tests.test_nobody_there()
  local c = client.new { base_url = "http://127.0.0.1:1", retry = { base = 0.01 } }
  local e = failed("transport", c:post("/x", { json = {} }))
  lu.assertEquals(e.attempts, 4) -- nothing was sent, so it may be repeated
  lu.assertStrContains(e.message, "gave up after 4 attempts")
end

function tests.test_mistakes_say_what_was_wrong()
  local c = connect()
  local function says(text, fn, ...)
    lu.assertErrorMsgContains(text, fn, ...)
  end
  says("'base_url' is missing", client.new, {})
  says("did you mean 'timeout'", client.new, { base_url = sim.url, timeut = 1 })
  says("base_url:", client.new, { base_url = "http://api.example" })
  says("must be an auth", client.new, { base_url = sim.url, auth = "token" })
  says("retry: ", client.new, { base_url = sim.url, retry = { tries = 1 } })
  says("limit = false", client.new, { base_url = sim.url, limit = { rate = -1 } })
  says("begin with '/'", c.get, c, "x")
  says("'..' is no name", c.get, c, filters .. "/../x")
  says("NUL", c.get, c, "/a\0b")
  says("method", c.request, c, "get", "/x")
  says("weak ETag", c.put, c, "/x", { json = {}, if_match = 'W/"1"' })
  says("'Authorization' comes from", c.get, c, "/x", { headers = { authorization = "x" } })
  says("control character", c.get, c, "/x", { headers = { ["X-A"] = "b\r\nc: d" } })
  says("did you mean 'if_match'", c.put, c, "/x", { if_mach = "1" })
  says("expected a client", c.get, {}, "/x")
  lu.assertEquals(c:stats().requests, 0)
end

function tests.test_tostring_shows_where_and_no_secret()
  local text = tostring(connect())
  lu.assertEquals(text, "client of " .. sim.url)
  lu.assertFalse(getmetatable(connect()))
end

return tests

-- weir.auth against the embedded simulator (--sim), and what it refuses.

local auth = require "weir.auth"
local dialect = require "cxone.dialect"
local err = require "weir.err"
local lu = require "luaunit"
local sim = require "weir.sim"
local task = require "weir.task"

local token_url = sim.url .. dialect.token_url:match("^%a+://[^/]+(/.*)$")

local function options(over)
  local t = {
    token_url = token_url,
    client_id = "the-client",
    client_secret = "sesame-open",
    scope = dialect.scope,
    fields = { tenant = "acme" },
  }
  for k, v in pairs(over or {}) do t[k] = v end
  return t
end

local function access_key(over)
  local t = options { access_key_id = "KEY:1", access_key_secret = "key sesame+" }
  for k, v in pairs(over or {}) do t[k] = v end
  return t
end

local tests = {}

function tests.setUp() sim.reset() end
tests.tearDown = tests.setUp

function tests.test_a_token_is_kept_and_renewed_when_invalidated()
  local a = auth.client_credentials(options())
  local first = assert(a:token())
  lu.assertEquals(a:token(), first)
  lu.assertEquals(a:fetches(), 1)
  a:invalidate()
  lu.assertNotEquals(assert(a:token()), first)
  lu.assertEquals(a:fetches(), 2)
end

function tests.test_an_access_key_gets_a_token()
  -- Names that a plain "id:secret" or a plain form would break.
  local a = auth.access_key(access_key { client_id = "a:b c", client_secret = "s%3A&x=1" })
  lu.assertIsString(assert(a:token()))
end

function tests.test_fifty_tasks_make_one_token_call()
  local a = auth.client_credentials(options())
  sim.fault { kind = "slow", call = "token", seconds = 0.1 }
  local names = {}
  for i = 1, 50 do names[i] = i end
  local tokens = task.map(names, { limit = 50 }, function() return assert(a:token()) end)
  lu.assertEquals(#tokens, 50)
  for _, token in ipairs(tokens) do lu.assertEquals(token, tokens[1]) end
  lu.assertEquals(sim.state().tokens, 1)
end

function tests.test_a_cancelled_task_leaves_the_token_to_the_others()
  local a = auth.client_credentials(options())
  sim.fault { kind = "slow", call = "token", seconds = 0.1 }
  local dropped = task.spawn(function() return a:token() end)
  local kept = task.spawn(function() return assert(a:token()) end)
  task.sleep(0.02)
  dropped:cancel()
  lu.assertIsString(kept:join())
  lu.assertEquals(a:fetches(), 1)
end

function tests.test_refused_credentials_say_why_and_hide_the_secret()
  local a = auth.client_credentials(options { fields = { tenant = "" } })
  local token, e = a:token()
  lu.assertNil(token)
  lu.assertTrue(err.is(e))
  lu.assertEquals(e.code, "auth")
  lu.assertEquals(e.status, 400)
  lu.assertEquals(e.attempts, 1)
  lu.assertStrContains(e.message, "invalid_request: tenant is missing")
  lu.assertNotStrContains(tostring(e), "sesame")
end

function tests.test_passing_trouble_is_waited_out()
  local a = auth.client_credentials(options())
  sim.fault { kind = "status", call = "token", status = 503, retry_after = 0 }
  lu.assertIsString(assert(a:token()))
  lu.assertEquals(a:fetches(), 2)
end

function tests.test_expires_in_may_be_text_or_absent()
  for _, how in ipairs { "number", "string", "absent" } do
    sim.config { expires_in = how }
    lu.assertIsString(assert(auth.client_credentials(options()):token()))
  end
end

function tests.test_nobody_there_is_a_transport_error()
  local a = auth.client_credentials(options { token_url = "http://127.0.0.1:1/token" })
  local token, e = task.timeout(20, function() return a:token() end)
  lu.assertNil(token)
  lu.assertEquals(e.code, "transport")
  lu.assertEquals(e.attempts, 4)
end

function tests.test_a_bearer_token_is_given_as_it_is()
  local a = auth.bearer "a-given-token"
  lu.assertEquals(a:token(), "a-given-token")
  a:invalidate()
  lu.assertEquals(a:token(), "a-given-token")
end

function tests.test_tostring_shows_no_secret()
  for _, a in ipairs {
    auth.client_credentials(options()), auth.access_key(access_key()),
    auth.bearer "sesame-token",
  } do
    local text = tostring(a)
    lu.assertStrMatches(text, "auth .*")
    lu.assertNotStrContains(text, "sesame")
    lu.assertNotStrContains(text, "the-client")
    lu.assertFalse(getmetatable(a))
  end
end

function tests.test_mistakes_name_the_option()
  local function says(text, fn, ...)
    lu.assertErrorMsgContains(text, fn, ...)
  end
  says("'client_id' is missing", auth.client_credentials, { token_url = token_url })
  says("did you mean 'client_secret'", auth.client_credentials, options { client_sekret = "x" })
  says("'access_key_id' is missing", auth.access_key, options())
  says("token_url:", auth.client_credentials, options { token_url = "http://login.example/" })
  says("fields.tenant", auth.client_credentials, options { fields = { tenant = {{}} } })
  says("'scope' has a setting", auth.client_credentials, options { fields = { scope = "x" } })
  says("too short", auth.client_credentials, options { client_secret = "abc" })
  says("must be a string", auth.bearer, 7)
  says("token", auth.bearer, "two words")
  says("NUL", auth.bearer, "to\0ken")
  says("before the ':'", auth.bearer("some-token").token, {})
end

return tests

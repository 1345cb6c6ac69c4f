--- weir.secret: handed on, never read.

local lu = require "luaunit"
local auth = require "weir.auth"
local secret = require "weir.secret"

local tests = {}

function tests.test_a_secret_shows_its_name_only()
  local s = secret.new("Hunter-2-of-Spades", "the password")
  lu.assertEquals(tostring(s), "secret the password")
  lu.assertEquals(tostring(secret.new "Hunter-2-of-Spades"), "secret")
  lu.assertTrue(secret.is(s))
  lu.assertFalse(secret.is("Hunter-2-of-Spades"))
  lu.assertFalse(secret.is(auth.bearer "Some-token-or-other"))
  lu.assertEquals(getmetatable(s), false)
  lu.assertFalse((pcall(function() return s.text end)))
  lu.assertFalse((pcall(function() return s .. "" end)))
  lu.assertFalse((pcall(function() return #s end)))
end

function tests.test_a_message_with_it_is_redacted()
  secret.new("Hunter-3-of-Spades")
  local e = require "weir.err".new { code = "failed", message = "not Hunter-3-of-Spades" }
  lu.assertEquals(e.message, "not [redacted]")
end

function tests.test_what_is_no_secret_is_refused()
  for _, bad in ipairs { "abc", "a\0bcdef", 12345, {} } do
    local ok, message = pcall(secret.new, bad)
    lu.assertFalse(ok)
    lu.assertStrContains(message, "secret.new")
  end
  lu.assertFalse((pcall(secret.find)))
end

function tests.test_a_variable_that_is_not_set_is_nil()
  lu.assertNil(secret.find "CXONE_NO_SUCH_SECRET")
  lu.assertNil(secret.find "PATH")
end

function tests.test_auth_takes_it_for_a_string()
  local given = {
    token_url = "https://127.0.0.1:1/token", client_id = "id",
    client_secret = secret.new "Hunter-4-of-Spades",
  }
  lu.assertStrContains(tostring(auth.client_credentials(given)), "auth")
  lu.assertStrContains(tostring(auth.bearer(secret.new "Hunter-5-of-Spades")), "bearer")
  given.client_secret = {}
  local ok, message = pcall(auth.client_credentials, given)
  lu.assertFalse(ok)
  lu.assertStrContains(message, "'client_secret' must be a string or a weir.secret")
end

return tests

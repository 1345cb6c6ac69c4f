-- weir.log: what a script can see of it; the lines are tested from outside.

local http = require "weir.http"
local log = require "weir.log"
local lu = require "luaunit"

local tests = {}

local function refused(says, fn, ...)
  local ok, message = pcall(fn, ...)
  lu.assertFalse(ok, "nothing was raised")
  lu.assertStrContains(tostring(message), says)
  lu.assertStrContains(tostring(message), "test_log.lua:")
end

function tests.test_the_level_is_given_back()
  local before = log.level("off")
  lu.assertEquals(log.level(), "off")
  log.error("not written", { a = 1 })
  lu.assertEquals(log.level(before), "off")
  lu.assertEquals(log.level(), before)
  refused("must be 'debug'", log.level, "loud")
  refused("must be 'debug'", log.level, 3)
end

function tests.test_mistakes_are_raised()
  local before = log.level("error")
  refused("must be a string", log.error, {})
  refused("must be a table", log.error, "x", 1)
  refused("need names", log.error, "x", { 1, 2 })
  refused("/f", log.error, "x", { f = print })
  log.level(before)
end

function tests.test_a_secret_is_in_no_error()
  refused("too short", log.secret, "abc")
  refused("must be a string", log.secret, nil)
  log.secret("s3cret-of-test-log")
  log.secret("s3cret-of-test-log")
  local _, e = http.get("http://127.0.0.1:1/a/s3cret-of-test-log")
  lu.assertEquals(e.url, "http://127.0.0.1:1/a/[redacted]")
  lu.assertNotStrContains(tostring(e), "s3cret")
end

return tests

-- err objects made and read in Lua.

local lu = require "luaunit"
local err = require "weir.err"

local T = {}

local full = {
  code = "conflict", message = "someone else was faster", hint = "read it again",
  status = 412, method = "PUT", url = "https://t.example/filters/flt_1",
  request_id = "req-1", attempts = 2,
}

function T.test_prints_as_one_readable_line()
  lu.assertEquals(tostring(err.new(full)),
    "conflict: PUT https://t.example/filters/flt_1: 412 someone else was faster; read it again")
  lu.assertEquals(tostring(err.new { code = "config", message = "no tenant" }),
    "config: no tenant")
end

function T.test_what_the_message_says_is_not_said_twice()
  local e = err.new {
    code = "server", status = 503, method = "GET", url = "https://t.example/x",
    message = "GET https://t.example/x: 503 Service Unavailable",
  }
  lu.assertEquals(tostring(e), "server: GET https://t.example/x: 503 Service Unavailable")
end

function T.test_stays_on_one_line_and_drives_no_terminal()
  local e = err.new { code = "protocol", message = "a\nb\r\27[2Jc" }
  lu.assertNil(tostring(e):find("%c"))
end

function T.test_fields_are_readable()
  local cause = err.new { code = "transport", message = "connection reset" }
  local e = err.new {
    code = "ambiguous", message = "m", cause = cause, detail = { 1, 2 }, status = 502,
  }
  lu.assertIs(e.cause, cause)
  lu.assertEquals(e.detail, { 1, 2 })
  lu.assertEquals(e.status, 502)
  lu.assertNil(e.hint)
end

function T.test_is()
  local e = err.new(full)
  lu.assertTrue(err.is(e))
  lu.assertTrue(err.is(e, "conflict"))
  lu.assertFalse(err.is(e, "timeout"))
  lu.assertFalse(err.is({ code = "conflict", message = "m" }))
  lu.assertFalse(err.is("conflict"))
  lu.assertFalse(err.is(nil))
end

function T.test_mistakes_are_named()
  lu.assertErrorMsgContains("'code' and 'message' are required", err.new, { code = "x" })
  lu.assertErrorMsgContains("there is no field 'massage'", err.new,
    { code = "x", massage = "m" })
  lu.assertErrorMsgContains("'message' must be a string", err.new,
    { code = "x", message = {} })
  lu.assertErrorMsgContains("'status' must be a whole number", err.new,
    { code = "x", message = "m", status = "412" })
  lu.assertErrorMsgContains("table expected", err.new, "text")
  for _, code in ipairs { 0, 126, -1, 1.5, "10", true } do
    lu.assertErrorMsgContains("'exit_code' must be a whole number from 1 to 125", err.new,
      { code = "x", message = "m", exit_code = code })
  end
end

function T.test_a_spoilt_err_still_prints()
  local e = err.new(full)
  e.code, e.message, e.url, e.status = {}, nil, false, {}
  lu.assertStrContains(tostring(e), "read it again")
end

function T.test_goes_through_error_and_pcall_unchanged()
  local e = err.new(full)
  local ok, same = pcall(error, e)
  lu.assertFalse(ok)
  lu.assertIs(same, e)
end

function T.test_secrets_do_not_show()
  local log = require "weir.log"
  log.secret("hunter2-hunter2")
  local e = err.new { code = "auth", message = "refused hunter2-hunter2" }
  lu.assertNotStrContains(e.message, "hunter2")
  lu.assertNotStrContains(tostring(e), "hunter2")
end

return T

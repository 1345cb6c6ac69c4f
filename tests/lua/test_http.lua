-- weir.http against the embedded simulator. Run with --sim.

local err = require "weir.err"
local http = require "weir.http"
local json = require "weir.json"
local lu = require "luaunit"
local sim = require "weir.sim"
local task = require "weir.task"

local tests = {}

local function last_request()
  local log = sim.log()
  return log[#log]
end

local function refused(says, fn, ...)
  local ok, message = pcall(fn, ...)
  lu.assertFalse(ok, "nothing was raised")
  lu.assertStrContains(tostring(message), says)
  -- the script's own line, not ours
  lu.assertStrContains(tostring(message), "test_http.lua:")
end

function tests.test_any_status_is_a_response()
  local response = assert(http.get(sim.url .. "/nope"))
  lu.assertEquals(response.status, 404)
  lu.assertEquals(response.url, sim.url .. "/nope")
  lu.assertEquals(response:json(), { message = "no such path" })
  lu.assertTrue(response.elapsed >= 0)
  lu.assertEquals(tostring(response), "404 " .. sim.url .. "/nope (26 bytes)")
end

function tests.test_headers_are_found_in_any_case()
  local headers = assert(http.get(sim.url .. "/nope")).headers
  lu.assertEquals(headers["content-type"], "application/json")
  lu.assertEquals(headers["Content-Type"], "application/json")
  lu.assertEquals(headers["CONTENT-TYPE"], "application/json")
  lu.assertNil(headers["X-None"])
  lu.assertNil(headers[1])
end

function tests.test_a_query_is_encoded()
  assert(http.get(sim.url .. "/nope?first=1", { query = {
    ["a b"] = "é&=/", n = 3, f = 1.5, yes = true, none = {},
  } }))
  lu.assertEquals(last_request().query,
    { first = "1", ["a b"] = "é&=/", n = "3", f = "1.5", yes = "true" })
  assert(http.get(sim.url .. "/nope#part", { query = "x=%20y" }))
  lu.assertEquals(last_request().query, { x = " y" })
end

function tests.test_a_failed_transport_is_nil_and_the_err()
  local response, e = http.get("http://127.0.0.1:1/a?token=x")
  lu.assertNil(response)
  lu.assertTrue(err.is(e))
  lu.assertEquals(e.code, "transport")
  lu.assertEquals(e.method, "GET")
  lu.assertEquals(e.url, "http://127.0.0.1:1/a")
  lu.assertStrContains(e.message, "cannot connect to 127.0.0.1:1")
end

function tests.test_a_ceiling_is_named()
  local response, e = http.get(sim.url .. "/nope", { max_bytes = 25 })
  lu.assertNil(response)
  lu.assertEquals(e.code, "limit")
  lu.assertStrContains(e.message, "larger than 25 bytes (max_bytes)")
end

function tests.test_a_body_that_is_no_json()
  local response = assert(http.request { method = "HEAD", url = sim.url .. "/nope" })
  local value, e = response:json()
  lu.assertNil(value)
  lu.assertEquals(e.code, "syntax")
  lu.assertStrContains(e.message, sim.url)
end

function tests.test_mistakes_are_raised_where_they_are_made()
  local url = sim.url .. "/nope"
  refused("'url' is missing", http.request, {})
  refused("must begin with https://", http.get, "ftp://x.test")
  refused("allow_plain_http", http.get, "http://x.test/")
  refused("'headers'", http.get, url, { header = {} })
  refused("a line break", http.get, url, { headers = { ["If-Match"] = "1\r\nX: y" } })
  refused("holds a NUL", http.get, url, { headers = { A = "a\0b" } })
  refused("holds a NUL", http.get, url .. "\0")
  refused("headers.A must be", http.get, url, { headers = { A = {{}} } })
  refused("query.a must be", http.get, url, { query = { a = print } })
  refused("finite", http.get, url, { query = { a = 1 / 0 } })
  refused("must be strings", http.get, url, { query = { "a" } })
  refused("two bodies", http.post, url, { body = "a", json = {} })
  refused("json", http.post, url, { json = print })
  refused("'body' must be a string", http.post, url, { body = {} })
  refused("'timeout' must be", http.get, url, { timeout = -1 })
  refused("HEAD request cannot have a body", http.head, url, { body = "x" })
end

function tests.test_many_at_once()
  local list = {}
  for i = 1, 40 do list[i] = i end
  local statuses = task.map(list, { limit = 20 }, function(i)
    return assert(http.get(sim.url .. "/nope", { query = { i = i } })).status
  end)
  lu.assertEquals(#statuses, 40)
  for i = 1, 40 do lu.assertEquals(statuses[i], 404) end
end

function tests.test_a_json_body_arrives_as_it_was()
  local credentials = { grant_type = "none", n = 9007199254740993, list = json.array {} }
  local response = assert(http.post(sim.url .. "/nope", { json = credentials }))
  lu.assertEquals(response.status, 404)
  lu.assertEquals(last_request().method, "POST")
end

-- What a metamethod returns is nobody's but ours: collected while its bytes are
-- still in use, it is whatever came in its place.
function tests.test_options_that_a_metamethod_makes_are_kept()
  local url, later = "http://127.0.0.1:1/" .. string.rep("y", 200), {}
  local options = setmetatable({}, { __index = function(_, key)
    if key == "url" then return table.concat { url } end
    collectgarbage()
    for i = 1, 100 do
      later[#later + 1] = string.rep("z", #url - 4) .. string.format("%04d", i)
    end
  end })
  local response, e = http.request(options)
  lu.assertNil(response)
  lu.assertEquals(e.url, url)
end

return tests

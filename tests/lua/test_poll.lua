-- weir.poll: by a path (the simulator's) and by a function. Run with --sim.

local cxone = require "cxone"
local err = require "weir.err"
local json = require "weir.json"
local lu = require "luaunit"
local poll = require "weir.poll"
local sim = require "weir.sim"
local task = require "weir.task"

local tests = {}
local tenant = cxone.connect()
local client, dialect = tenant.client, tenant.dialect

local function status_path(activation)
  sim.config { activation = activation }
  local record = assert(assert(client:post(dialect.paths.filters, { json = {
    name = "n", channel = "voice", target_group_id = "g",
    matchers = { { attribute = "a", operator = "equals", value = 1 } },
    pattern_rules = json.array {},
  } })):json())
  return dialect.paths.filters .. "/" .. record.id .. "/status"
end

local function wait(over)
  local opts = {
    client = client, done = { "ACTIVE" }, failed = { "FAILED", "REJECTED" },
    interval = 0.02, timeout = 5,
  }
  for k, v in pairs(over) do opts[k] = v end
  return poll.wait(opts)
end

--- A look that goes through the given words, and stays at the last.
local function words(...)
  local list, i = { ... }, 0
  return function()
    i = math.min(i + 1, #list)
    return list[i]
  end
end

function tests.test_waits_until_active_and_shows_each_look()
  local seen = {}
  local document, info = wait {
    look = status_path { looks = 2 },
    on_look = function(word, at)
      task.sleep(0.001) -- it may wait
      seen[#seen + 1] = word
      lu.assertEquals(at.looks, #seen)
    end,
  }
  lu.assertEquals(document.status, "ACTIVE")
  lu.assertEquals(seen[#seen], "ACTIVE")
  lu.assertEquals(info.looks, #seen)
  lu.assertTrue(info.waited < 5)
end

function tests.test_a_failure_ends_it_with_the_servers_reason()
  local document, e = wait {
    look = status_path { fail = "FAILED", reason = "no room" }, what = "filter x",
  }
  sim.config { activation = { looks = 2 } }
  lu.assertNil(document)
  lu.assertEquals(e.code, "failed")
  lu.assertStrContains(e.message, "filter x: FAILED: no room")
end

function tests.test_the_deadline_says_what_was_last()
  local document, e = wait {
    look = words("A", "B"), timeout = 0.1, interval = 0.03, what = "it",
  }
  lu.assertNil(document)
  lu.assertEquals(e.code, "timeout")
  lu.assertStrContains(e.message, "it: still 'B' after 0.1 s")
end

function tests.test_a_function_may_look()
  local seen = {}
  local word, info = wait {
    look = words("A", "B", "ACTIVE"),
    on_look = function(word) seen[#seen + 1] = word end,
  }
  lu.assertEquals(word, "ACTIVE")
  lu.assertEquals(info.looks, 3)
  lu.assertEquals(seen, { "A", "B", "ACTIVE" })
end

function tests.test_a_function_may_give_a_document_or_an_err()
  local document = wait {
    look = function() return { state = "ACTIVE", n = 1 } end, field = "state",
  }
  lu.assertEquals(document, { state = "ACTIVE", n = 1 })
  local nothing, e = wait {
    look = function() return { status = "REJECTED", reason = "because" } end,
  }
  lu.assertNil(nothing)
  lu.assertStrContains(e.message, "REJECTED: because")
  local mine = err.new { code = "io", message = "gone" }
  nothing, e = wait { look = function() return nil, mine end }
  lu.assertNil(nothing)
  lu.assertIs(e, mine)
end

function tests.test_errors_of_the_scripts_functions_pass_through()
  lu.assertErrorMsgContains("oops", wait, { look = function() error("oops") end })
  lu.assertErrorMsgContains("oops", wait, {
    look = words("A"), on_look = function() error("oops") end,
  })
  lu.assertErrorMsgContains("look must return a word", wait, { look = function() end })
  lu.assertErrorMsgContains("look must return a word", wait, { look = function() return {} end })
end

function tests.test_no_time_is_one_look_and_its_end()
  local document, e = wait { look = words "A", timeout = 0 }
  lu.assertNil(document)
  lu.assertEquals(e.code, "timeout")
end

function tests.test_a_wait_can_be_cancelled()
  local t = task.spawn(function() return wait { look = words "A", interval = 10, timeout = 60 } end)
  task.sleep(0.01)
  t:cancel()
  lu.assertFalse((pcall(t.join, t)))
end

function tests.test_mistakes_are_told()
  lu.assertErrorMsgContains("did you mean 'interval'", wait, { look = words "A", intervall = 1 })
  lu.assertErrorMsgContains("'look' must be a path or a function", wait, { look = 7 })
  lu.assertErrorMsgContains("ends it well", wait, { look = words "A", done = {} })
  lu.assertErrorMsgContains("list of words", wait, { look = words "A", done = { 1 } })
end

function tests.test_a_look_of_ones_own_is_cut_off_when_the_time_is_up()
  local closed, looks = false, 0
  local document, e = wait {
    interval = 0.01, timeout = 0.05, what = "the thing",
    look = function(info)
      looks = looks + 1
      lu.assertTrue(info.left > 0 and info.left <= 0.05)
      if looks == 1 then return "PENDING" end
      local _ <close> = setmetatable({}, { __close = function() closed = true end })
      task.sleep(3600)
    end,
  }
  lu.assertNil(document)
  lu.assertEquals(e.code, "timeout")
  lu.assertStrContains(e.message, "the thing: still 'PENDING' after")
  lu.assertStrContains(e.message, "2 looks; the last look failed: it was not done in time")
  lu.assertTrue(closed)
end

function tests.test_what_a_look_of_ones_own_raises_is_raised()
  local own = err.new { code = "timeout", message = "of the look" }
  local ok, e = pcall(wait, { look = function() task.sleep(0) error(own, 0) end })
  lu.assertFalse(ok)
  lu.assertIs(e, own)
  -- A wait that is cancelled cancels its look.
  local cancelled
  local t = task.spawn(wait, { look = function()
    local _ <close> = setmetatable({}, { __close = function() cancelled = true end })
    task.sleep(3600)
  end })
  task.sleep(0.01)
  t:cancel()
  ok, e = pcall(t.join, t)
  lu.assertFalse(ok)
  lu.assertTrue(err.is(e, "cancelled"))
  lu.assertTrue(cancelled)
end

return tests

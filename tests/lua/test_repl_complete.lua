-- What Tab offers, for texts whose end is the cursor.

local lu = require "luaunit"
local repl = require "weir.repl"
local weir = require "weir"

local tests = {}

local function host(over)
  local h = {
    interactive = true, color = false, fits = true,
    redact = function(s) return s end, report = tostring, print = print,
    write = function() end, raw = function() end, keep = function() end,
    size = function() return 80, 24 end, now = os.time, trace = function() end,
    files = function() return { { name = "one.lua" }, { name = "other", folder = true } } end,
  }
  for k, v in pairs(over or {}) do h[k] = v end
  return h
end

--- The text after Tab, and the list below it.
local function tab(text, before)
  local session = repl.start(host())
  session.finish()
  if before then session.eval(before) end
  local from, replacement, list = session.complete(text, 80)
  if not from then return nil end
  return text:sub(1, from) .. replacement, list
end

local function completes(text, to, before)
  lu.assertEquals((tab(text, before)), to)
end

local function lists(text, ...)
  local _, list = tab(text)
  lu.assertNotNil(list, text)
  for _, word in ipairs { ... } do lu.assertStrContains(list, word) end
end

function tests.test_names()
  completes("ten", "tenant")
  completes("x = coro", "x = coroutine")
  completes("my_lo", "my_long_name", "my_long_name = 1")
  completes("my_f", "my_function(", "function my_function() end")
  completes("funct", "function")
  lu.assertNil(tab("nothing_begins_so"))
end

function tests.test_nothing_in_comments_and_numbers()
  lu.assertNil(tab("x = 1 -- ten"))
  lu.assertNil(tab("x = 12"))
  lu.assertNil(tab("--[[ ten"))
end

function tests.test_members_of_values()
  completes("t.al", "t.alpha", "t = { alpha = 1, beta = 2 }")
  completes("t.inner.de", "t.inner.deep", "t = { inner = { deep = 1 } }")
  completes("string.rep", "string.rep(")
  completes("s:rep", "s:rep(", "s = 'x'")
  completes("t['inner'].de", "t['inner'].deep", "t = { inner = { deep = 1 } }")
  completes("o:sa", "o:say(", "o = setmetatable({}, { __index = { say = function() end } })")
end

function tests.test_completion_runs_nothing()
  completes("t.x", nil, "t = setmetatable({}, { __index = function() error 'called' end })")
  completes("tenant.cl", "tenant.client")
  lu.assertNil(tab("f().x", "function f() error 'called' end"))
end

function tests.test_members_of_the_tenant()
  completes("tenant.filters:dep", "tenant.filters:deploy(")
  completes("tenant.filters.dep", "tenant.filters:deploy(")
  completes("tenant.gro", "tenant.groups")
  lists("tenant.filters:", "deploy", "wait_active", "export")
end

function tests.test_what_calls_return()
  completes("tenant.filters:get('x').stat", "tenant.filters:get('x').status")
  completes("weir.http.get('x'):js", "weir.http.get('x'):json(")
  completes("f:js", "f:json(", [[f = weir.filter.new { name = "n", channel = "chat",
    target_group_id = "g" }]])
end

function tests.test_modules()
  completes("require 'weir.fil", "require 'weir.filter'")
  completes('require("cxo', 'require("cxone"')
  completes("require 'on", "require 'one'")
  completes("weir.js", "weir.json")
  completes("weir.json.enc", "weir.json.encode(")
end

function tests.test_option_keys()
  completes("tenant.filters:deploy({}, { on_f", "tenant.filters:deploy({}, { on_failure = ")
  completes("tenant.filters:deploy { chan", "tenant.filters:deploy { channel = ")
  completes("weir.filter.new { chan", "weir.filter.new { channel = ")
  completes("weir.poll.wait { look = 'x', inter", "weir.poll.wait { look = 'x', interval = ")
  lists("tenant.filters:check { ", "channel", "matchers", "target_group_id")
  lists("weir.http.get('u', {", "timeout", "max_bytes")
end

function tests.test_used_keys_are_not_offered_again()
  local _, list = tab("tenant.filters:check { name = 'x', ")
  lu.assertNotStrContains(list, "name ")
  lu.assertStrContains(list, "channel")
end

function tests.test_keys_of_nested_tables()
  completes("tenant.filters:check { matchers = { { attr",
    "tenant.filters:check { matchers = { { attribute = ")
  completes("weir.filter.new { matchers = { { attribute = 'a', op",
    "weir.filter.new { matchers = { { attribute = 'a', operator = ")
end

function tests.test_words_in_strings()
  completes("tenant.filters:check { channel = 'vo", "tenant.filters:check { channel = 'voice'")
  completes('weir.filter.new { matchers = { { operator = "greater',
    'weir.filter.new { matchers = { { operator = "greater_than"')
  lists("weir.filter.new { matchers = { { operator = '", "equals", "contains", "not_equals")
  completes("tenant.filters:deploy(d, { on_failure = 'd",
    "tenant.filters:deploy(d, { on_failure = 'delete'")
  completes("weir.log.level 'deb", "weir.log.level 'debug'")
end

function tests.test_ids_that_were_seen()
  local before = [[
    local made = tenant.filters:create { name = "seen_by_name", channel = "chat",
      target_group_id = "grp_seen_here" }
    made_id = made.id]]
  local session = repl.start(host())
  session.finish()
  session.eval(before)
  local text = "tenant.filters:get('flt"
  local from, replacement = session.complete(text, 80)
  lu.assertStrMatches(text:sub(1, from) .. replacement, "tenant%.filters:get%('flt_%x+'")
  text = "tenant.groups:members 'grp_se"
  from, replacement = session.complete(text, 80)
  lu.assertEquals(text:sub(1, from) .. replacement, "tenant.groups:members 'grp_seen_here'")
  text = "x = 'seen_b"
  from, replacement = session.complete(text, 80)
  lu.assertEquals(text:sub(1, from) .. replacement, "x = 'seen_by_name'")
  session.eval("tenant.filters:delete(made_id)")
end

function tests.test_files_in_strings()
  completes("dofile 'one", "dofile 'one.lua'")
  completes("io.open('./oth", "io.open('./other/")
end

function tests.test_a_call_says_how_it_goes_on()
  local text, hint = tab("tenant.filters:get(")
  lu.assertEquals(text, "tenant.filters:get(")
  lu.assertStrContains(hint, "tenant.filters:get(what) → cxone.record")
  lu.assertStrContains(hint, "what: string|cxone.record")
end

function tests.test_commands()
  completes(":he", ":help ")
  completes(":qu", ":quit")
  completes(":help tenant.filters:dep", ":help tenant.filters:deploy")
  completes(":load one", ":load one.lua")
  completes(":trace o", ":trace o")
  completes(":time tenant.filters:dep", ":time tenant.filters:deploy(")
  lists(":", "watch", "SECONDS LUA", "save")
end

function tests.test_common_beginnings_and_lists()
  local text, list = tab("t.", "t = { alpha_one = 1, alpha_two = 2 }")
  lu.assertEquals(text, "t.alpha_")
  lu.assertStrContains(list, "alpha_one")
  local many = "t = {} for i = 1, 200 do t['k' .. i] = i end"
  text, list = tab("t.", many)
  lu.assertEquals(text, "t.k")
  lu.assertStrContains(list, "… 140 more")
end

function tests.test_a_candidate_cannot_drive_the_terminal()
  local _, list = tab("t.", "t = { a1 = 1, ['a\\27[2J'] = 2, a2 = 3 }")
  lu.assertNotStrContains(list or "", "\27")
end

function tests.test_utf8_before_the_cursor()
  completes("s = 'añ漢' .. ten", "s = 'añ漢' .. tenant")
end

function tests.test_wants_more()
  local session = repl.start(host())
  session.finish()
  for text, more in pairs {
    ["for i = 1, 2 do"] = true, ["1 +"] = true, ["x ="] = true, ["f("] = true,
    ["x = [[a"] = true, ["--[[ a"] = true, ["-- a"] = false, ["1 + 1"] = false,
    ["x = 'abc"] = false, ["a b"] = false, [""] = false, [":help x("] = false,
    [":time f("] = true, [":watch 5 {"] = true,
  } do
    lu.assertEquals(session.wants_more(text), more, text)
  end
  local _, indent = session.wants_more("if x then\n  f {")
  lu.assertEquals(indent, 4)
  local _, _, outdent = session.wants_more("if x then\n  end")
  lu.assertEquals(outdent, 2)
end

lu.assertNotNil(weir.sim_url, "these tests need --sim")

return tests

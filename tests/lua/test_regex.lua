-- weir.regex: unhappy paths first.

local err = require "weir.err"
local lu = require "luaunit"
local regex = require "weir.regex"

local tests = {}

function tests.test_a_faulty_pattern_is_a_value()
  local re, e = regex.compile("a(b")
  lu.assertNil(re)
  lu.assertTrue(err.is(e))
  lu.assertEquals(e.code, "syntax")
  lu.assertStrContains(e.message, "at byte 3")
end

function tests.test_a_wrong_call_raises()
  lu.assertErrorMsgContains("unknown flag 'g'", regex.compile, "a", "ig")
  lu.assertErrorMsgContains("string expected", regex.compile)
  lu.assertErrorMsgContains("string expected", regex.compile("a").test, regex.compile("a"))
  lu.assertErrorMsgContains("weir.regex expected", regex.compile("a").test, "a", "a")
end

function tests.test_a_search_that_takes_too_long_is_a_value()
  local re = regex.compile "\\w+\\s*[yz]"
  local found, e = re:test(("a"):rep(50000))
  lu.assertNil(found)
  lu.assertEquals(e.code, "limit")
  lu.assertTrue(re:test("a z"))
end

function tests.test_text_that_is_not_utf8_is_told_apart()
  local found, e = regex.compile("a"):test("\xff")
  lu.assertNil(found)
  lu.assertEquals(e.code, "invalid")
  found, e = regex.compile("a"):match("\xff")
  lu.assertNil(found)
  lu.assertEquals(e.code, "invalid")
end

function tests.test_test()
  local re = regex.compile("^skill_premium_.*$")
  lu.assertIs(re:test("skill_premium_voice"), true)
  lu.assertIs(re:test("skill_standard"), false)
  lu.assertIs(regex.compile("A.b", "is"):test("a\nB"), true)
end

function tests.test_match_has_numbers_and_names_and_no_holes()
  local m = regex.compile("(?P<year>\\d+)-(x)?(\\d+)"):match("in 2026-11.")
  lu.assertEquals(m, { [0] = "2026-11", "2026", false, "11", year = "2026" })
  lu.assertEquals(#m, 3)
  lu.assertNil(regex.compile("b"):match("a"))
end

function tests.test_find_is_as_string_find()
  for _, case in ipairs {
    { "b", "abcb", nil }, { "b", "abcb", 3 }, { "b", "abcb", -1 }, { "b", "abcb", -100 },
    { "b", "abcb", 5 }, { "b", "abcb", 6 }, { "b*", "abcb", 1 }, { "b*", "abcb", 5 },
    { "b*", "abcb", 6 }, { "a", "abcb", 0 }, { "a", "", 1 }, { "", "", 1 },
  } do
    local pattern, text, init = table.unpack(case, 1, 3)
    lu.assertEquals({ regex.compile(pattern):find(text, init) },
      { text:find(pattern, init) }, pattern .. " " .. text .. " " .. tostring(init))
  end
  lu.assertEquals({ regex.compile("é"):find("aé") }, { 2, 3 })
end

function tests.test_nul_is_a_character()
  lu.assertEquals(regex.compile("b\0?c"):match("ab\0cd")[0], "b\0c")
end

function tests.test_tostring_shows_the_pattern()
  lu.assertEquals(tostring(regex.compile("a+")), "regex a+")
end

function tests.test_portable()
  lu.assertEquals({ regex.portable("^skill_premium_.*$") }, { true })
  local ok, list = regex.portable([[a\Kb\h]])
  lu.assertFalse(ok)
  lu.assertEquals(#list, 2)
  lu.assertEquals(list[2].offset, 4)
  lu.assertStrContains(list[2].message, "[ \\t]")
  lu.assertFalse(list[2].warning)
  ok, list = regex.portable("(a+)+")
  lu.assertTrue(ok)
  lu.assertTrue(list[1].warning)
end

return tests

-- How values are shown.

local err = require "weir.err"
local filter = require "weir.filter"
local grid = require "weir.repl.grid"
local lu = require "luaunit"
local quote = require "weir.repl.quote"
local show = require "weir.repl.show"
local style = require "weir.repl.style"
local text = require "weir.text"
local weir = require "weir"

local tests = {}

local function shower(opts)
  opts = opts or {}
  return show.new {
    style = style.new(opts.color or false), width = opts.width or 80,
    limits = opts.limits, redact = opts.redact, report = opts.report,
  }
end

local function shows(value, expected, opts)
  lu.assertEquals(shower(opts):show(value), expected)
end

function tests.test_scalars()
  shows(nil, "nil")
  shows(true, "true")
  shows(weir.null, "null")
  shows(42, "42")
  shows(9007199254740993, "9007199254740993")
  shows(1.0, "1.0")
  shows(0.1, "0.1")
  shows(1 / 3, "0.33333333333333331")
  shows(1e300, "1e+300")
  shows(0 / 0, "nan")
  shows(-math.huge, "-inf")
  shows("a\"b\\", '"a\\"b\\\\"')
end

function tests.test_strings_are_safe_for_a_terminal()
  shows("\27[2J\0", '"\\x1b[2J\\x00"')
  shows("añ漢", '"añ漢"')
  shows("\xff\xc3", '"\\xff\\xc3"')
  shows("a\u{202e}b\u{85}", '"a\\u{202e}b\\u{85}"')
  lu.assertEquals(quote.line("a\nb\tc"), "a\\nb\\tc")
end

function tests.test_a_text_of_lines_is_shown_as_such()
  shows("name: x\nchannel: chat\n", "name: x\nchannel: chat")
  shows("a\n\27[31mred", "a\n\\x1b[31mred")
  shows("line\n", '"line\\n"')
end

function tests.test_what_is_shown_reads_back()
  local value = { a = 1, list = { 1, 2.5, "x\n" }, ["odd key"] = true, [7] = { {} }, ["end"] = 1 }
  local back = assert(load("return " .. shower():show(value)))()
  lu.assertEquals(back, value)
end

function tests.test_keys_are_sorted_and_short_tables_stay_on_a_line()
  shows({ b = 2, a = 1, [3] = "x", [true] = 0 }, '{ [3] = "x", a = 1, b = 2, [true] = 0 }')
  shows({}, "{}")
  shows({ { attribute = "a", operator = "in", value = { 1 } } }, [[
attribute  operator  value
a          in        {1}]])
end

function tests.test_long_tables_take_lines()
  local long = { description = ("x"):rep(60), name = "n", inner = { 1, 2 } }
  shows(long, '{\n  description = "' .. ("x"):rep(60)
    .. '",\n  inner = { 1, 2 },\n  name = "n",\n}')
end

function tests.test_limits_and_all()
  local list = {}
  for i = 1, 862 do list[i] = i end
  local s = shower()
  lu.assertStrContains(s:show(list), "… 812 more")
  lu.assertTrue(s.cut)
  lu.assertNotStrContains(shower { limits = show.all }:show(list), "more")
  local deep = {}
  local here = deep
  for _ = 1, 10 do here.next = { 1 } here = here.next end
  lu.assertStrContains(shower():show(deep), "{ … }")
  local rows = {}
  for i = 1, 45 do rows[i] = { id = i } end
  lu.assertStrContains(shower():show(rows), "… 5 more")
  lu.assertStrContains(shower():show(("x"):rep(3000)), "… 1000 more bytes")
end

function tests.test_cycles_and_hostile_metatables()
  local loop = { name = "loop" }
  loop.self = loop
  lu.assertStrContains(shower():show(loop), "<a table that holds this one>")
  local bad = setmetatable({}, { __tostring = function() error "no" end, __index = error,
    __pairs = error, __len = error })
  shows(bad, "<table>")
  shows({ bad }, "{ <table> }")
  local odd = setmetatable({}, { __tostring = function() return {} end })
  shows(odd, "<table>")
end

function tests.test_objects_and_functions_show_no_address()
  local tenant = require "cxone".connect()
  lu.assertStrMatches(shower():show(tenant), "<tenant %S+ at http.*>")
  local function named(a, b, ...) return a, b, ... end
  lu.assertStrMatches(shower():show(named), "<function%(a, b, %.%.%.%), .*:%d+>")
  shows(print, "<function, built in>")
  lu.assertNotStrContains(shower():show(coroutine.create(print)), "0x")
  lu.assertNotStrContains(shower():show({ io.stdout, tenant.client, tenant.filters }), "0x")
end

function tests.test_filters_in_the_form_that_defines_them()
  local f = filter.new {
    name = "gold", channel = "chat", target_group_id = "g",
    matchers = { { attribute = "a", operator = "equals", value = "x" } },
  }
  local shown = shower():show(f)
  lu.assertEquals(shown, [[
filter.new {
  name = "gold",
  channel = "chat",
  matchers = { { attribute = "a", operator = "equals", value = "x" } },
  target_group_id = "g",
}]])
  lu.assertEquals(load("local filter = ... return " .. shown)(filter), f)
end

function tests.test_errs_as_the_report_shows_them()
  local e = err.new { code = "conflict", message = "both" }
  shows(e, "the report", { report = function(value)
    lu.assertEquals(value, e)
    return "the report\n"
  end })
end

-- Tables --------------------------------------------------------------------------------

function tests.test_records_as_a_table()
  shows({ { id = "flt_1", name = "gold", version = 2 }, { id = "flt_22", status = "ACTIVE" } }, [[
id      name  status  version
flt_1   gold                2
flt_22        ACTIVE]])
end

function tests.test_wide_characters_keep_columns_straight()
  local lines = {}
  local rows = {
    { id = "漢字", name = "a" }, { id = "x", name = "é" }, { id = "e\u{301}", name = "b" },
  }
  for line in shower():show(rows):gmatch("[^\n]+") do lines[#lines + 1] = line end
  for i = 2, 4 do
    local before = lines[i]:match("^(.-)" .. utf8.charpattern .. "$")
    lu.assertEquals(text.width(before), 6, lines[i])
  end
end

function tests.test_a_table_fits_or_turns()
  local row = { id = "flt_1", description = ("long "):rep(40), etag = ("e"):rep(30) }
  for _, width in ipairs { 40, 60, 80, 200 } do
    for line in shower { width = width }:show({ row, row }):gmatch("[^\n]+") do
      lu.assertTrue(text.width(line) <= width, width .. ": " .. line)
    end
  end
  local wide = {}
  for i = 1, 30 do wide["field" .. i] = i end
  local shown = shower():show({ wide })
  lu.assertStrContains(shown, "── 1 ")
  lu.assertStrMatches(shown, ".*field7 +7\n.*")
end

function tests.test_cells_are_cut_on_characters()
  lu.assertEquals(grid.fit("漢字漢字", 5), "漢字…")
  lu.assertEquals(grid.fit("abc", 3), "abc")
  lu.assertEquals(grid.fit("abcd", 3), "ab…")
  lu.assertEquals(text.width("漢e\u{301}x"), 4)
  lu.assertEquals({ text.cut("漢字", 3) }, { "漢", 2 })
  lu.assertEquals(text.width("\xff\xfe"), 2)
end

function tests.test_secrets_are_taken_out_before_anything_is_cut()
  local redact = function(s) return (s:gsub("hunter2%-long%-secret", "[redacted]")) end
  local rows = { { id = "hunter2-long-secret" .. ("x"):rep(100), b = ("y"):rep(100) } }
  lu.assertNotStrContains(shower { width = 30, redact = redact }:show(rows), "hunter2")
  lu.assertNotStrContains(shower { redact = redact, limits = { string = 10, depth = 4, items = 9,
    inner = 9, rows = 9, block = 9 } }:show("hunter2-long-secret"), "hunter2")
end

function tests.test_colours_only_where_they_are_wanted()
  lu.assertStrContains(shower { color = true }:show { a = "x" }, "\27[32m")
  lu.assertNotStrContains(shower():show { a = "x" }, "\27")
end

function tests.test_changes_are_marked()
  local s = shower()
  s.leaves = {}
  s:show { a = 1, b = { 2, 3 } }
  local again = shower()
  again.previous, again.leaves = s.leaves, {}
  lu.assertEquals(again:show { a = 1, b = { 2, 4 } }, "{ a = 1, b = { 2, 4* } }")
  s.leaves = {}
  s:show { { id = 1, n = 1 }, { id = 2, n = 1 } }
  again.previous, again.leaves, again.style = s.leaves, {}, style.new(true)
  local shown = again:show { { id = 1, n = 1 }, { id = 2, n = 5 } }
  lu.assertStrContains(shown, "\27[7m5\27[0m")
  lu.assertEquals(select(2, shown:gsub("\27%[7m", "")), 1)
end

return tests

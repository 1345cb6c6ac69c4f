-- weir.yaml: Lua values out of text and back.

local json = require "weir.json"
local lu = require "luaunit"
local yaml = require "weir.yaml"

local T = {}

local function refused(code, pattern, value, e)
  lu.assertNil(value)
  lu.assertEquals(e.code, code)
  lu.assertStrContains(e.message, pattern)
end

function T.test_what_is_not_ours_is_refused_with_its_place()
  refused("syntax", "line 2, column 1: the key \"a\" came before", yaml.decode "a: 1\na: 2\n")
  refused("syntax", "line 1, column 5: the alias", yaml.decode "&a [*a]")
  refused("syntax", "unknown tag", yaml.decode "!!python/none x")
  refused("syntax", "a key must be a string; this is a number", yaml.decode "1: x")
  refused("syntax", "a second document", yaml.decode "a: 1\n---\nb: 1\n")
  refused("syntax", "no YAML document", yaml.decode "")
  refused("limit", "/a/1: an integer beyond 64 bits",
    yaml.decode("a: [1, 9223372036854775808]", { big_numbers = "error" }))
  refused("limit", "nested deeper than 64 levels", yaml.decode(("["):rep(65)))
  refused("limit", "nested deeper than 2 levels", yaml.decode("[[[]]]", { max_depth = 2 }))
  refused("limit", "aliases expand", yaml.decode("[&a [], *a, *a]", { max_expansions = 1 }))
end

function T.test_places()
  local places = yaml.places "on: 0777\nb: [\"x\"]\n"
  lu.assertEquals(places[2], { path = "/on", key = true, line = 1, column = 1, length = 2,
    yaml11 = "a boolean (true)" })
  lu.assertEquals(places[3], { path = "/on", key = false, line = 1, column = 5, length = 4,
    yaml11 = "an octal number" })
  lu.assertEquals(places[6], { path = "/b/0", key = false, line = 2, column = 5, length = 0 })
  refused("syntax", "line 1", yaml.places "a: ]")
end

function T.test_what_yaml_has_no_form_for_is_refused_with_its_path()
  refused("invalid", "/a/0: a function", yaml.encode { a = { print } })
  refused("invalid", "/a: NaN", yaml.encode { a = 0 / 0 })
  refused("invalid", "nil has no", yaml.encode(nil))
  refused("invalid", "not UTF-8", yaml.encode "\xff")
end

function T.test_reading_follows_the_core_schema()
  local value = yaml.decode [[
answer: no
when: 2001-01-01
octal: 0777
float: 1e3
int: 0x1F
none: ~
list: [true, "true", 12:30]
text: |
  two
  lines
]]
  lu.assertTrue(value.none == yaml.null)
  lu.assertTrue(yaml.null == json.null)
  value.none = nil
  lu.assertEquals(math.type(value.float), "float")
  lu.assertEquals(value, {
    answer = "no",
    when = "2001-01-01",
    octal = "0777",
    float = 1000.0,
    int = 31,
    list = { true, "true", "12:30" },
    text = "two\nlines\n",
  })
end

function T.test_written_text_is_exact()
  lu.assertEquals(
    yaml.encode {
      name = "production_platinum_voice",
      no = "no",
      matchers = { { attribute = "customer.tier", value = 300 } },
      empty = json.array(),
      nothing = {},
      null = json.null,
      float = 1e300,
      one = 1.0,
    },
    [[
empty: []
float: 1.0e+300
matchers:
- attribute: customer.tier
  value: 300
name: production_platinum_voice
"no": "no"
nothing: {}
"null": null
one: 1.0
]])
end

function T.test_strings_come_back_whatever_they_look_like()
  local strings = {
    "", "~", "null", "yes", "No", "ON", "y", "1", "1e3", "0x10", "0o7", "0777", "12:30",
    "2001-01-01", ".inf", ".nan", "=", "<<", "-", "- a", "a: b", "a #b", "&a", "*a", "!a", "|",
    "%a", "@", "`", "---", "...", " a", "a ", "a\nb", "\n", "\ta", "a\0b", "\u{85}", "\u{2028}",
    "\u{FEFF}", "é", "😀", "\\", "\"", "'", "a\r\nb", ("long words "):rep(50),
  }
  for _, s in ipairs(strings) do
    lu.assertEquals(yaml.decode(assert(yaml.encode(s))), s)
    lu.assertEquals(yaml.decode(assert(yaml.encode { [s] = { s } })), { [s] = { s } })
  end
end

function T.test_numbers_come_back_exactly()
  math.randomseed(11)
  for _ = 1, 1000 do
    local value = string.unpack("d", string.pack("j", math.random(0)))
    if value == value and math.abs(value) < math.huge then
      local back = yaml.decode(yaml.encode(value))
      lu.assertEquals(string.pack("d", back), string.pack("d", value))
    end
    local integer = math.random(0)
    lu.assertTrue(math.type(yaml.decode(yaml.encode(integer))) == "integer")
    lu.assertEquals(yaml.decode(yaml.encode(integer)), integer)
  end
end

function T.test_numbers_beyond_lua_keep_their_text()
  for _, text in ipairs { "9223372036854775808", "-9223372036854775809", "1.0e+400" } do
    local n = yaml.decode("a: " .. text).a
    lu.assertEquals(tostring(n), text)
    lu.assertEquals(yaml.encode { a = n }, "a: " .. text .. "\n")
  end
end

function T.test_arrays_stay_arrays()
  for _, text in ipairs { "[]", "{}", '{"a":[],"o":{}}', "[[[]],[{}]]" } do
    lu.assertEquals(json.encode(yaml.decode(yaml.encode(json.decode(text)))), text)
  end
end

function T.test_a_callers_mistake_raises()
  lu.assertErrorMsgContains("string expected", yaml.decode, nil)
  lu.assertErrorMsgContains("value expected", yaml.encode)
  lu.assertErrorMsgContains("max_deep", yaml.decode, "a", { max_deep = 1 })
end

function T.test_members_to_leave_out_are_a_list()
  lu.assertEquals(yaml.from_json('{"a": 1, "b": 2}', { without = { "b" } }), "a: 1\n")
  -- A list without an end, in C alone, where nothing could stop it.
  local endless = setmetatable({}, { __index = tostring })
  lu.assertEquals(yaml.from_json('{"a": 1}', { without = endless }), "a: 1\n")
end

return T

-- weir.json: Lua values out of text and back, and what has no JSON form.

local json = require "weir.json"
local lu = require "luaunit"

local T = {}

local function refused(code, pattern, value, e)
  lu.assertNil(value)
  lu.assertEquals(e.code, code)
  lu.assertStrContains(e.message, pattern)
end

function T.test_what_has_no_json_form_is_refused_with_its_path()
  local cycle = { a = { {} } }
  cycle.a[1].back = cycle
  local cases = {
    { { a = { { b = print } } }, "/a/0/b: a function has no JSON form" },
    { { io.stdout }, "/0: a userdata has no JSON form" },
    { coroutine.create(print), "value: a thread has no JSON form" },
    { { x = 0 / 0 }, "/x: NaN has no JSON form" },
    { { 1, 1 / 0 }, "/1: infinity has no JSON form" },
    { { 1, -1 / 0 }, "/1: infinity" },
    { { 1, nil, 3 }, "value: an array with a hole: [2] is nil, [3] is there" },
    { { a = { [2] = 1 } }, "/a: an array with a hole: [1] is nil" },
    { { [0] = 1 }, "value: a table key 0: an array begins at 1" },
    { { [-3] = 1 }, "a table key -3" },
    { { 1, a = 2 }, "value: a table with both names and numbers as keys" },
    { { [1.5] = 1 }, "a table key that is a number, not a string" },
    { { [true] = 1 }, "a table key that is a boolean, not a string" },
    { { [json.null] = 1 }, "a table key that is a userdata, not a string" },
    { json.array { a = 1 }, "value: an array with a name as key" },
    { cycle, "/a/0/back: a table that contains itself" },
    { { a = "\xff" }, "/a: a string that is not UTF-8 (its byte 1 is 0xFF)" },
    { { ["a/b~c"] = { ["\xed\xa0\x80"] = 1 } }, "/a~1b~0c/???: a table key that is not UTF-8" },
    { { x = { ["new\nline"] = print } }, "/x/new?line: a function" },
  }
  for _, case in ipairs(cases) do
    refused("invalid", case[2], json.encode(case[1]))
  end
  refused("invalid", "value: nil has no JSON form", json.encode(nil))
end

function T.test_text_that_is_not_json_is_refused_with_its_place()
  refused("syntax", "line 2, column 8: expected a value", json.decode('{\n  "a": x}'))
  refused("syntax", "the end of text", json.decode(""))
  refused("syntax", 'the key "a" came before', json.decode('{"a":1,"a":2}'))
  refused("syntax", "invalid UTF-8", json.decode('"\xff"'))
end

function T.test_numbers_beyond_lua_keep_their_text()
  for _, text in ipairs {
    "9223372036854775808", "-9223372036854775809", "1e400", "-1E-400", "1" .. ("0"):rep(400),
  } do
    local n = json.decode(text)
    lu.assertEquals(tostring(n), text)
    lu.assertEquals("n is " .. n, "n is " .. text)
    lu.assertEquals(json.encode(n), text)
    lu.assertEquals(json.encode(json.decode('{"a":[' .. text .. ']}')), '{"a":[' .. text .. ']}')
  end
end

function T.test_numbers_beyond_lua_compare_exactly()
  local big, bigger = json.decode "9223372036854775808", json.decode "9223372036854775809"
  local low = json.decode "-9223372036854775809"
  local huge, tiny = json.decode "1e400", json.decode "1e-400"
  lu.assertTrue(big == json.decode "9223372036854775808")
  lu.assertTrue(big == json.decode "[9223372036854775808]"[1])
  lu.assertTrue(huge == json.decode "10e399")
  lu.assertFalse(big == bigger)
  lu.assertTrue(big < bigger and big <= bigger and bigger > big)
  lu.assertTrue(math.maxinteger < big and big > 1.5 and low < math.mininteger)
  lu.assertTrue(big < huge and tiny > 0 and tiny < 5e-324 and low < tiny)
  lu.assertTrue(big < math.huge and low > -math.huge and math.huge > huge)
  lu.assertFalse(big < 0 / 0 or big > 0 / 0 or 0 / 0 <= big)
  lu.assertFalse(big == 2 ^ 63)
  lu.assertTrue(big <= 2.0 ^ 63 and big >= 2.0 ^ 63)
end

-- A float would be counted with, and be wrong.
function T.test_numbers_beyond_lua_are_not_counted_with_by_accident()
  local big = json.decode "9223372036854775808"
  local ok, message = pcall(function() return big + 1 end)
  lu.assertFalse(ok)
  lu.assertStrContains(message, "number beyond 64 bits")
  lu.assertFalse((pcall(function() return big < "1" end)))
  lu.assertFalse((pcall(function() return big .. {} end)))
  lu.assertFalse((pcall(function() big.x = 1 end)))
  lu.assertFalse(getmetatable(big))
  lu.assertEquals(big:float(), 2.0 ^ 63)
  lu.assertEquals(math.type(big:float()), "float")
  lu.assertEquals(json.decode("-1e400"):float(), -math.huge)
  lu.assertEquals(1 / json.decode("-1e-400"):float(), -math.huge)
  lu.assertFalse((pcall(big.float, io.stdout)))
  lu.assertFalse((pcall(big.float, 1)))
end

function T.test_numbers_beyond_lua_can_be_refused_with_their_path()
  local opts = { big_numbers = "error" }
  refused("limit", "/a/1: an integer beyond 64 bits",
    json.decode('{"a":[1,9223372036854775808]}', opts))
  refused("limit", "/a~1b/0: an integer",
    json.decode('{"x":[{}],"a/b":[-9223372036854775809]}', opts))
  refused("limit", "/2/n: a number beyond the range",
    json.decode('[[],[1,2],{"m":1,"n":1e400}]', opts))
  refused("limit", "value: a number beyond", json.decode("1e-400", opts))
  refused("limit", "value: an integer", json.decode("1" .. ("0"):rep(400), opts))
end

function T.test_big_numbers_can_be_asked_for()
  local text = "[9223372036854775808,1e400]"
  lu.assertEquals(json.decode(text, { big_numbers = "string" }), { "9223372036854775808", "1e400" })
  refused("limit", "/1: a number beyond", json.decode(text, { big_numbers = "float" }))
  local float = json.decode("9223372036854775808", { big_numbers = "float" })
  lu.assertEquals(math.type(float), "float")
  lu.assertEquals(float, 2.0 ^ 63)
end

function T.test_numbers_keep_type_and_value()
  for _, text in ipairs {
    "0", "-1", "9007199254740993", "9223372036854775807", "-9223372036854775808",
  } do
    local value = json.decode(text)
    lu.assertEquals(math.type(value), "integer")
    lu.assertEquals(json.encode(value), text)
  end
  for _, text in ipairs {
    "0.0", "-0.0", "1.0", "0.1", "1e+300", "5e-324", "1.7976931348623157e+308",
  } do
    local value = json.decode(text)
    lu.assertEquals(math.type(value), "float")
    lu.assertEquals(json.encode(value), text)
  end
  lu.assertEquals(1 / json.decode "-0", -1 / 0)
end

function T.test_random_floats_come_back_bit_by_bit()
  math.randomseed(7)
  for _ = 1, 5000 do
    local value = string.unpack("d", string.pack("j", math.random(0)))
    if value == value and math.abs(value) < math.huge then
      local back = json.decode(json.encode(value))
      lu.assertEquals(string.pack("d", back), string.pack("d", value))
    end
  end
end

function T.test_null_is_one_value()
  lu.assertEquals(tostring(json.null), "null")
  lu.assertTrue(json.decode "null" == json.null)
  lu.assertTrue(json.decode('{"a":[null]}').a[1] == json.null)
  lu.assertEquals(json.encode { json.null, json.null }, "[null,null]")
  lu.assertEquals(json.decode "false", false)
end

function T.test_arrays_stay_arrays()
  for _, text in ipairs { "[]", "{}", "[[],{}]", '{"a":[],"o":{}}', "[[[]]]" } do
    lu.assertEquals(json.encode(json.decode(text)), text)
  end
  lu.assertEquals(
    json.encode { {}, json.array(), json.array {}, json.array { 1 } }, "[{},[],[],[1]]")
  local t = { 1 }
  lu.assertTrue(json.array(t) == t)
  lu.assertTrue(json.array(t) == t)
  table.remove(t)
  lu.assertEquals(json.encode(t), "[]")
end

function T.test_keys_are_sorted_by_bytes()
  lu.assertEquals(
    json.encode { b = 1, a = 2, B = 3, ["é"] = 4, ab = 5, [""] = 6, ["a\0"] = 7 },
    '{"":6,"B":3,"a":2,"a\\u0000":7,"ab":5,"b":1,"é":4}')
end

function T.test_nul_and_every_character_survive()
  local all = {}
  for c = 0, 0x2FF do all[#all + 1] = utf8.char(c) end
  all[#all + 1] = utf8.char(0x20AC, 0xFFFF, 0x1F600, 0x10FFFF)
  local text = table.concat(all)
  lu.assertEquals(json.decode(json.encode(text)), text)
  lu.assertEquals(json.decode(json.encode { [text] = 1 }), { [text] = 1 })
  lu.assertEquals(json.decode [["\ud83d\ude00\u0000"]], "😀\0")
end

function T.test_depth_128_and_no_more()
  local function nested(depth)
    local t = {}
    for _ = 2, depth do t = { t } end
    return t
  end
  lu.assertEquals(#json.encode(nested(128)), 256)
  refused("invalid", "nested deeper than 128 levels", json.encode(nested(129)))
  local text = ("["):rep(128) .. ("]"):rep(128)
  lu.assertEquals(json.encode(json.decode(text)), text)
  refused("limit", "nested deeper than 128 levels", json.decode("[" .. text .. "]"))
  refused("limit", "nested deeper than 2 levels", json.decode("[[[]]]", { max_depth = 2 }))
  refused("limit", "more than 3 values", json.decode("[1,2,3]", { max_nodes = 3 }))
end

function T.test_a_shared_table_is_no_cycle()
  local shared = { 1 }
  lu.assertEquals(json.encode { shared, shared, { shared } }, "[[1],[1],[[1]]]")
end

function T.test_duplicate_keys_the_last_counts_when_asked()
  lu.assertEquals(json.decode('{"a":1,"a":2}', { duplicate_keys = true }), { a = 2 })
end

function T.test_metamethods_are_not_asked()
  local t = setmetatable({ a = 1 }, {
    __index = function() error "asked" end,
    __pairs = function() error "asked" end,
    __len = function() error "asked" end,
  })
  lu.assertEquals(json.encode(t), '{"a":1}')
end

function T.test_indent()
  lu.assertEquals(json.encode({ a = { 1, {} } }, { indent = 2 }),
    '{\n  "a": [\n    1,\n    {}\n  ]\n}')
end

function T.test_a_callers_mistake_raises()
  local function raises(pattern, fn, ...)
    local ok, message = pcall(fn, ...)
    lu.assertFalse(ok)
    lu.assertStrContains(tostring(message), pattern)
  end
  raises("string expected", json.decode)
  raises("string expected", json.decode, {})
  raises("value expected", json.encode)
  raises("indent is at most 16", json.encode, 1, { indent = 17 })
  raises("ident", json.encode, 1, { ident = 2 })
  raises("big_numbers must be", json.decode, "1", { big_numbers = "big" })
  raises("table expected", json.array, 1)
  raises("has a metatable already", json.array, setmetatable({}, {}))
end

function T.test_it_works_inside_coroutines()
  local co = coroutine.wrap(function(text)
    while true do text = coroutine.yield(json.encode(json.decode(text))) end
  end)
  lu.assertEquals(co "[1]", "[1]")
  lu.assertEquals(co '{"a":null}', '{"a":null}')
end

function T.test_members_of_every_number_are_in_the_order_of_their_bytes()
  for n = 0, 70 do
    local object, names = {}, {}
    for i = 1, n do
      -- Alike for longer than a machine word, and of several lengths.
      local name = "same_prefix" .. ("_"):rep(i % 3) .. (i * 7919 % 101)
      object[name], names[i] = { [name] = i }, name
    end
    table.sort(names)
    local parts = {}
    for i, name in ipairs(names) do
      parts[i] = ('"%s":{"%s":%d}'):format(name, name, object[name][name])
    end
    lu.assertEquals(json.encode(object), "{" .. table.concat(parts, ",") .. "}")
  end
  lu.assertEquals(json.encode { ["a\0"] = 1, a = 2, [""] = 3, ["\0"] = 4 },
    '{"":3,"\\u0000":4,"a":2,"a\\u0000":1}')
end

return T

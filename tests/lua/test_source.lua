-- weir.source: the line of an element, or none where it cannot be known.

local lu = require "luaunit"
local source = require "weir.source"

local tests = {}

--- Runs `fn` on a file with this text.
local function with_file(text, fn)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  local ok, e = pcall(fn, path)
  os.remove(path)
  if not ok then error(e, 0) end
end

--- The lines of these pointers, false for none.
local function lines(text, call_line, definition, pointers)
  local found = {}
  with_file(text, function(path)
    local line_of = source.lines(path, call_line, definition)
    for i, pointer in ipairs(pointers) do found[i] = line_of(pointer) or false end
  end)
  return found
end

function tests.test_no_file_no_line()
  lu.assertNil(source.lines("/nonexistent/x.lua", 1, "n")(""))
  lu.assertNil(source.excerpt("/nonexistent/x.lua", 1))
end

function tests.test_two_of_one_name_are_no_answer()
  local text = 'a = { name = "n" }\nb = { name = "n" }\nnew(a)\n'
  lu.assertEquals(lines(text, 3, "n", { "" }), { false })
  lu.assertEquals(lines(text, 2, "n", { "" }), { 2 })
end

function tests.test_options_of_the_call_are_not_the_definition()
  local text = 'local t = make()\nfilters:deploy(t, { timeout = 5 })\n'
  lu.assertEquals(lines(text, 2, { name = "n", channel = "voice" }, { "" }), { false })
  lu.assertEquals(lines(text, 2, "n", { "" }), { false })
end

function tests.test_a_constructor_that_says_otherwise_is_another()
  local text = 'new { channel = "chat", name = which }\n'
  lu.assertEquals(lines(text, 1, { name = "n", channel = "voice" }, { "" }), { false })
  lu.assertEquals(lines(text, 1, { name = "n", channel = "chat" }, { "/name" }), { 1 })
end

function tests.test_elements_are_found_through_all_of_luas_syntax()
  local text = [==[
#!/usr/bin/env weir
-- { name = "n" } is a comment, and so is
--[[ { name = "n",
} ]]
local text = "{ name = 'n'" .. [=[
{ name = "n" } ]] ]=]
new {
  ["name"] = "\110";
  change = function(a, b) if a then return { b, name = 1 } else return a end end,
  list = {
    { x = 1,
      y = { 2, 3 } }, -- } {
    more { 1 }, "b",
    [5] = "five",
    (function() for i = 1, 2 do f(i, 3) end while x do y() end repeat until z end)(),
    { z = 0x1p-4, w = 1e-3,
      v = 2 },
  },
  ["a/b"] = 1,
  [key()] = {
    2 },
  last = 3 }
]==]
  lu.assertEquals(lines(text, 1, "n", {
    "", "/name", "/change", "/list", "/list/0/y", "/list/0/y/1", "/list/1", "/list/1/0",
    "/list/2", "/list/4", "/list/4/v", "/a~1b", "/last", "/missing", "/list/0/missing",
  }), { 7, 8, 9, 10, 12, 12, 13, 13, 13, 16, 17, 19, 22, 7, 11 })
end

function tests.test_text_that_is_no_lua_is_survived()
  for _, text in ipairs {
    "{", "{{{{", "}", '"', "[[", "--[[", "{ name = ", '{ name = "n', "{ name = \"\\",
    "{ [", "{ a = function", ("{"):rep(100000), "\xff\0{",
  } do
    lines(text, 1, "n", { "", "/0/0" })
  end
end

function tests.test_excerpt()
  with_file("one\r\n  two  \n" .. ("é"):rep(200), function(path)
    lu.assertEquals(source.excerpt(path, 1), "one")
    lu.assertEquals(source.excerpt(path, 2), "two")
    lu.assertEquals(source.excerpt(path, 3), ("é"):rep(80) .. "…")
    lu.assertNil(source.excerpt(path, 4))
    lu.assertNil(source.excerpt(path, 0))
  end)
end

function tests.test_locate_finds_the_script_that_is_running()
  local here = debug.getinfo(1, "l").currentline
  local built = {
    name = "located by its name",
    matchers = {
      { attribute = "a" },
    },
  }
  local path, line = source.locate(built, "/matchers/0/attribute")
  lu.assertStrContains(path, "test_source.lua")
  lu.assertEquals(line - here, 4)
  path, line = source.locate("located by its name", "/name")
  lu.assertStrContains(path, "test_source.lua")
  lu.assertEquals(line - here, 2)
  lu.assertNil((source.locate("nowhere" .. "at all", "")))
end

return tests

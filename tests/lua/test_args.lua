-- weir.args: declarations, words, variables, help; and what is read of a
-- script without running it.

local args = require "weir.args"
local complete = require "weir.args_complete"
local lexer = require "weir.lexer"
local lu = require "luaunit"

local tests = {}

local declaration = {
  about = "Deploys.",
  { name = "region", many = true, choices = { "emea", "apac" } },
  { name = "--channel", short = "-c", default = "chat", choices = { "chat", "voice" },
    env = "CHANNEL", help = "where" },
  { name = "--page-size", type = "integer", min = 1, max = 100, env = "SIZE" },
  { name = "--ratio", type = "number", default = 0.5 },
  { name = "--wait", type = "seconds", default = 60 },
  { name = "--tag", many = true, env = "TAGS" },
  { name = "--loud", short = "-l", type = "flag", default = true, env = "LOUD" },
  { name = "--dry", short = "-d", type = "flag" },
}

local function parse(words, env)
  return args.parse(declaration, words, { getenv = function(name) return env and env[name] end })
end

local function refused(words, env)
  local values, e = parse(words, env)
  lu.assertNil(values)
  lu.assertEquals(e.code, "usage")
  return e.message
end

function tests.test_words_and_defaults()
  local v = parse { "emea" }
  lu.assertEquals({ v.region, v.channel, v.page_size, v.ratio, v.wait, v.tag, v.loud, v.dry },
    { { "emea" }, "chat", nil, 0.5, 60, {}, true, false })
  v = parse { "--tag", "a", "emea", "--tag=b=c", "-dcvoice", "--no-loud", "--wait", "1.5m", "--",
    "apac" }
  lu.assertEquals({ v.region, v.tag, v.channel, v.dry, v.loud, v.wait },
    { { "emea", "apac" }, { "a", "b=c" }, "voice", true, false, 90 })
end

function tests.test_numbers_keep_their_kind()
  lu.assertEquals(math.type(parse { "emea", "--page-size", "7" }.page_size), "integer")
  lu.assertEquals(parse { "emea", "--ratio", "-2e-1" }.ratio, -0.2)
  lu.assertEquals(parse { "emea", "--ratio=.5" }.ratio, 0.5)
  for _, word in ipairs { "0x10", "nan", "inf", "1e999", "", "1 2", "--" } do
    lu.assertStrContains(refused { "emea", "--ratio=" .. word }, "--ratio: expected a number")
  end
  for _, word in ipairs { "1.0", "1e2", "0x1", "99999999999999999999", "" } do
    lu.assertStrContains(refused { "emea", "--page-size=" .. word }, "whole number")
  end
  for word, seconds in pairs { ["90"] = 90, ["500ms"] = 0.5, ["2h"] = 7200, [".5s"] = 0.5 } do
    lu.assertEquals(parse { "emea", "--wait", word }.wait, seconds)
  end
  for _, word in ipairs { "-1", "1d", "s", "1.2.3", "" } do
    lu.assertStrContains(refused { "emea", "--wait=" .. word }, "expected a time")
  end
end

function tests.test_mistakes_are_named()
  local cases = {
    { {}, "REGION is missing" },
    { { "mars" }, "REGION: expected one of emea, apac, got 'mars'" },
    { { "emea", "--chanel", "x" }, "unknown option --chanel (did you mean --channel?)" },
    { { "emea", "-x" }, "unknown option -x" },
    { { "emea", "--channel" }, "--channel needs a value, CHANNEL" },
    { { "emea", "-c" }, "-c needs a value" },
    { { "emea", "--channel=chta" }, "(did you mean 'chat'?)" },
    { { "emea", "--channel=chat", "-cvoice" }, "-c is given twice" },
    { { "emea", "--dry=1" }, "--dry takes no value" },
    { { "emea", "--no-channel" }, "unknown option --no-channel" },
    { { "emea", "--page-size", "0" }, "0 is out of range (1 to 100)" },
    { { "emea", "--page-size", "101" }, "101 is out of range" },
  }
  for _, case in ipairs(cases) do lu.assertStrContains(refused(case[1]), case[2]) end
  local _, e = args.parse({ { name = "one" } }, { "a", "b" })
  lu.assertStrContains(e.message, "unexpected argument 'b'")
  _, e = args.parse({ { name = "--in", type = "file" } }, { "--in", "/nonexistent" })
  lu.assertStrContains(e.message, "got '/nonexistent' (No such file or directory)")
  _, e = args.parse({ { name = "--in", type = "file" } }, { "--in", "/" })
  lu.assertStrContains(e.message, "(Is a directory)")
end

function tests.test_variables_count_where_the_words_say_nothing()
  local v = parse({ "emea" }, { CHANNEL = "voice", SIZE = "9", TAGS = "a, b", LOUD = "no" })
  lu.assertEquals({ v.channel, v.page_size, v.tag, v.loud }, { "voice", 9, { "a", "b" }, false })
  lu.assertEquals(parse({ "emea", "-cchat" }, { CHANNEL = "voice" }).channel, "chat")
  lu.assertEquals(parse({ "emea" }, { CHANNEL = "" }).channel, "chat")
  lu.assertStrContains(refused({ "emea" }, { CHANNEL = "smoke" }), "CHANNEL: expected one of")
  lu.assertStrContains(refused({ "emea" }, { LOUD = "maybe" }), "LOUD: expected true or false")
  local _, e = args.parse({ { name = "--key", required = true, env = "KEY" } }, {},
    { getenv = function() end })
  lu.assertStrContains(e.message, "--key is missing (or set KEY)")
end

function tests.test_a_misspelt_value_is_the_scripts_mistake()
  local v = parse { "emea" }
  lu.assertErrorMsgContains("no parameter 'page_siz' was declared (did you mean 'page_size'?)",
    function() return v.page_siz end)
  lu.assertErrorMsgContains("no parameter '1' was declared", function() return v[1] end)
end

function tests.test_lists_are_the_callers_own()
  local with_list = { { name = "--x", many = true, default = { "a" } } }
  table.insert(args.parse(with_list, {}).x, "b")
  lu.assertEquals(args.parse(with_list, {}).x, { "a" })
end

function tests.test_help()
  local values, help = parse { "mars", "--help" } -- whatever else is wrong
  lu.assertNil(values)
  lu.assertEquals({ parse { "-h" } }, { nil, help })
  lu.assertStrContains(refused { "--", "-h" }, "expected one of")
  for _, part in ipairs {
    "[options] REGION...\n", "Deploys.", "(emea, apac)",
    "--channel, -c CHANNEL  where (chat, voice; default chat; or from CHANNEL)",
    "(1 to 100; or from SIZE)", "(on by default; --no-loud; or from LOUD)", "--help, -h",
  } do lu.assertStrContains(help, part) end
end

function tests.test_faults_of_a_declaration()
  local cases = {
    { "x", "expected a table of parameters, got string" },
    { { "x" }, "parameter 1 must be a table, got string" },
    { { {} }, "parameter 1 needs a name" },
    { { { name = "-x" } }, "two dashes" },
    { { { name = "a b" } }, "a name is a word" },
    { { { name = "--x", typ = "flag" } }, "unknown option 'typ' (did you mean 'type'?)" },
    { { { name = "--x", type = "intger" } }, "no type 'intger' (did you mean 'integer'?)" },
    { { { name = "--x", type = "integer", default = 1.5 } }, "must be a whole number" },
    { { { name = "--x", default = 1 } }, "its default must be a string, got number" },
    { { { name = "--x", choices = {} } }, "choices must be a list" },
    { { { name = "--x", choices = { "a", "a" } } }, "the choice a stands twice" },
    { { { name = "--x", choices = { "a" }, default = "b" } }, "is none of its choices" },
    { { { name = "--x", required = true, default = "b" } }, "its default is never used" },
    { { { name = "x", type = "flag" } }, "a flag is an option" },
    { { { name = "--help" } }, "--help is there already" },
    { { { name = "--x", short = "-h" } }, "not -h" },
    { { { name = "--x", min = 1 } }, "min and max are for numbers" },
    { { { name = "--x" }, { name = "x" } }, "it stands twice" },
    { { { name = "--x", short = "-a" }, { name = "--y", short = "-a" } }, "-a stands twice" },
    { { { name = "x", many = true }, { name = "y" } }, "only the last argument can be many" },
    { { { name = "x", default = "" }, { name = "y" } }, "it is required, but x before it" },
    { { abuot = "?" }, "unknown option 'abuot' (did you mean 'about'?)" },
  }
  for _, case in ipairs(cases) do
    lu.assertErrorMsgContains(case[2], args.parse, case[1], {})
  end
end

-- Without running the script -------------------------------------------------------

function tests.test_a_declaration_is_read_and_not_run()
  local declared = complete.declared_in [=[
    #!/usr/bin/env weir
    os.exit(1) -- weir.args { { name = "--comment" } }
    local text = "weir.args { { name = '--text' } }"
    local args = weir.args { -- the one
      about = [[A long
      text]]; { name = "--x", default = -1.5, type = 'number', ["help"] = "a" .. "b" },
    }
  ]=]
  lu.assertEquals(declared[1].default, -1.5)
  lu.assertEquals(declared[1].help, "ab")
  lu.assertNotNil(complete.declared_in 'weir.args({ { name = "x" } })')
end

function tests.test_what_could_do_something_is_not_evaluated()
  _G.touched = nil
  for _, body in ipairs {
    "(function() touched = true end)()", "touch()", "('x'):rep(1 << 40)", "('x'):rep(9)",
    "a.b", "x", "f'x'", "f{}", "f[[x]]", "name = touch", "name == touch", "#arg", "not x",
    "function() end", "[touch] = 1", "name = 'a' .. b", "...", "~1", "2^9", '"\\400"',
  } do
    lu.assertNil(complete.declared_in("weir.args { " .. body .. " }"), body)
  end
  lu.assertNil(_G.touched)
  for _, script in ipairs {
    "", "weir.args", "weir.args {", "weir.args { { }", "weir.args { ( }", "weir.args[[x]]",
    "weir", ("{"):rep(100000), "weir.args " .. ("{"):rep(100000), "\0\xff", 'weir.args { "',
  } do
    lu.assertNil(complete.declared_in(script))
  end
end

local function completed(before, word)
  local found, files = complete.words(declaration, before, word)
  local values = {}
  for i, each in ipairs(found) do values[i] = each[1] end
  return values, files
end

function tests.test_completion()
  lu.assertEquals(completed({}, "e"), { "emea" })
  lu.assertEquals(completed({ "emea" }, ""), { "emea", "apac" })
  lu.assertEquals(completed({}, "--pa"), { "--page-size" })
  lu.assertEquals(completed({ "--channel" }, "v"), { "voice" })
  lu.assertEquals(completed({ "-c" }, ""), { "chat", "voice" })
  lu.assertEquals(completed({}, "--channel=v"), { "--channel=voice" })
  lu.assertEquals(completed({ "--" }, "--"), {})
  local found, files = complete.words({ { name = "f", type = "file" } }, {}, "")
  lu.assertEquals({ found, files }, { {}, true })
  found, files = complete.words({ { name = "f", type = "file" } }, { "a" }, "")
  lu.assertEquals({ found, files }, { {}, false })
  lu.assertNil(complete.words({ { name = "--x", typ = 1 } }, {}, ""))
end

function tests.test_tokens_know_their_bytes()
  local text = 'local a = [==[x]==] -- c\n"\\x41" 1e5 ..'
  local seen = {}
  for _, t in ipairs(lexer.tokens(text)) do seen[#seen + 1] = text:sub(t.from, t.to) end
  lu.assertEquals(seen, { "local", "a", "=", "[==[x]==]", '"\\x41"', "1e5", ".", "." })
end

return tests

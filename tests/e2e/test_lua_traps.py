"""What a script can do to Lua itself, and what must still hold then."""

import re

import pytest

WORKFLOW = """
    local assert, ipairs, pcall, print = assert, ipairs, pcall, print
    local require = require
    DEED
    local cxone = require "cxone"
    local err = require "weir.err"
    local task = require "weir.task"

    local function workflow()
      local tenant = cxone.connect()
      local record = tenant.filters:deploy({
        name = "n", description = "d", channel = "voice",
        matchers = { { attribute = "a", operator = "equals", value = 1 } },
        pattern_rules = { { type = "regex", field = "f", pattern = "^a.*$" } },
        target_group_id = "grp_1",
      }, { interval = 0.01 })
      tenant.groups:assign("grp_1", record)
      local n = 0
      for _ in tenant.filters:list { page_size = 1 } do n = n + 1 end
      tenant.filters:update(record, { name = "m" })
      task.timeout(10, task.all, { function() task.sleep(0) end })
      assert(#tenant.filters:export(record) > 0)
      local problems = 0
      for _, wrong in ipairs {
        function() tenant.filters:deploy({ name = "x" }) end,
        function() tenant.filters:deploy({}, { intervall = 1 }) end,
        function() tenant.filters:get("flt_none") end,
        function() task.map(1) end,
      } do
        problems = problems + (pcall(wrong) and 0 or 1)
      end
      return n + problems
    end
"""


DEEDS = {
    "no string library": "for name in pairs(string) do string[name] = nil end",
    "a wrong string library":
        "for name in pairs(string) do string[name] = error end",
    "no string methods": "getmetatable('').__index = nil",
    "own string methods":
        "getmetatable('').__index = function(s) return s end",
    "no string metatable": "debug.setmetatable('', nil)",
    "a hostile string metatable":
        "debug.setmetatable('', { __index = function() while true do end end,"
        " __concat = error, __call = error, __len = error, __add = error })",
    "no table library": "for name in pairs(table) do table[name] = nil end",
    "no base functions":
        "for _, name in ipairs { 'pcall', 'error', 'type', 'pairs', 'ipairs',"
        " 'setmetatable', 'getmetatable', 'rawget', 'next', 'select',"
        " 'tostring', 'xpcall', 'assert' } do _G[name] = nil end",
    "no coroutines":
        "for name in pairs(coroutine) do coroutine[name] = nil end",
    "another require": "_G.require = error",
}


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS.keys())
def test_what_a_script_does_to_the_libraries_is_its_own_affair(
        run_weir, deed, first):
    """Before our modules are loaded, or after."""
    text = WORKFLOW.replace("DEED", f"do {deed} end" if first else "")
    result = run_weir("run", "--sim", "-", timeout=30, input=text + f"""
        do {deed} end
        print(workflow())
    """)
    assert (result.returncode, result.stdout) == (0, "5\n"), result.stderr


def test_no_order_of_pairs_reaches_what_is_written(run_weir):
    """Lua's order of keys differs from run to run; ours does not."""
    text = """
        local err = require "weir.err"
        local http = require "weir.http"
        local json, yaml = require "weir.json", require "weir.yaml"
        local log = require "weir.log"
        local many = {}
        for i = 1, 60 do many["key" .. i * 7919 % 1000] = i end
        print(json.encode(many))
        print(yaml.encode(many))
        log.info("fields", many)
        local wrong = {}
        for i = 1, 9 do wrong["wrong" .. i] = i end
        for _, fn in ipairs {
          function() http.get("https://x.test/", wrong) end,
          function() err.new(wrong) end,
          function() require "weir.page".each(nil, "/", wrong) end,
          function() require "weir.task".map({}, wrong, print) end,
          function() require "cxone".connect(wrong) end,
          function() require "weir.filter".new(wrong) end,
          function() return aaab end,
        } do print(pcall(fn)) end
        for i = 1, 9 do _G["aaa" .. i] = i end
        print(pcall(function() return aaa end))
        print(pcall(function() return aaaaaa end))
        local response = http.get(require "weir.sim".url .. "/_sim", {
          query = many, headers = many,
        })
        print(response.url)
        for _, name in ipairs { "definition", 1 } do
          error(require "weir.err".new { code = "own", message = "m", detail = many })
        end
    """
    runs = [run_weir("run", "--sim", "--log-format", "json", "-", input=text)
            for _ in range(5)]
    assert runs[0].stdout.count("\n") > 70, runs[0].stderr

    def written(run):
        text = run.stdout + re.sub(r'"time":"[^"]*"', "", run.stderr)
        return re.sub(r"127\.0\.0\.1:\d+", "SERVER", text)

    assert {written(run) for run in runs} == {written(runs[0])}


LOOPS = {
    "a loop": "while true do end",
    "a loop in pcall": "while true do pcall(function() while true do end end) end",
    "a loop of coroutines":
        "while true do pcall(coroutine.wrap(function() while true do end end)) end",
    "recursion": "local function f() return 1 + f() end return f()",
    "an error": "error(setmetatable({}, getmetatable(self)))",
    "no string": "return {}",
    "a wait": "require 'weir.task'.sleep(100)",
    "a yield": "coroutine.yield()",
}


@pytest.mark.parametrize("where", ["", "in a task"])
@pytest.mark.parametrize("body", LOOPS.values(), ids=LOOPS.keys())
def test_an_error_that_cannot_be_shown_does_not_hold_the_end_up(
        run_weir, body, where):
    raising = f"error(setmetatable({{}}, {{ __tostring = function(self) {body} end }}))"
    if where:
        raising = f"require 'weir.task'.spawn(function() {raising} end)"
    result = run_weir("run", "-", timeout=60, input=raising)
    assert result.returncode == 1
    assert "an error whose __tostring failed" in result.stderr


def test_no_address_is_written(run_weir):
    result = run_weir("run", "--sim", "--log-format", "json", "-", input="""
        local things = {
          require "weir.client".new { base_url = "https://x.test" },
          require "weir.auth".bearer "a-token-of-ours",
          require "weir.regex".compile "a",
          require "weir.task".spawn(function() end),
          require "weir.err".new { code = "own", message = "m" },
          require "weir.filter".new { name = "n", description = "d", channel = "voice",
            matchers = { { attribute = "a", operator = "equals", value = 1 } },
            target_group_id = "g" },
          require "weir.null" or require "weir".null,
          require "cxone".connect(),
        }
        for _, thing in ipairs(things) do print(tostring(thing)) end
        local task = require "weir.task"
        for _, raised in ipairs { {}, print, coroutine.create(print), 1.5 } do
          task.spawn(function() error(raised) end)
        end
        for _, fn in ipairs {
          function() task.map({}, { [{}] = 1 }, print) end,
          function() task.sleep({}) end,
          function() return _ENV[{}] end,
          function() return require "weir.json".encode({ print }) end,
          function() return require "weir.json".encode({ [{}] = 1 }) end,
          function() require "weir.http".get({}) end,
        } do print(pcall(fn)) end
    """.replace('require "weir.null" or ', ""))
    assert result.returncode == 1
    text = result.stdout + result.stderr
    assert text.count("\n") > 15, text
    assert not re.search(r"0x[0-9a-f]{6,}", text), text


BINARY = """
    local code = string.dump(function() return "ran" end)
    local name = os.tmpname()
    local file = assert(io.open(name, "wb"))
    file:write(code)
    file:close()
    package.path = name:gsub("[^/]*$", "?")
    local module = name:match("[^/]*$")
    local sent
    for what, fn in pairs {
      ["load text"] = function() return load(code) end,
      ["load mode b"] = function() return load(code, "x", "b") end,
      ["load mode bt"] = function() return load(code, "x", "bt") end,
      ["load in pieces"] = function()
        local at = 0
        return load(function()
          at = at + 1
          return at <= #code and code:sub(at, at) or nil
        end, "x", "bt")
      end,
      ["loadfile"] = function() return loadfile(name) end,
      ["loadfile mode b"] = function() return loadfile(name, "b") end,
      ["dofile"] = function() return dofile(name) end,
      ["require"] = function() return require(module) end,
      ["searcher"] = function() return package.searchers[2](module) end,
    } do
      local ok, first, second = pcall(fn)
      print(what, ok and first and true or false)
    end
    os.remove(name)
"""


def test_bytecode_comes_in_by_no_door(run_weir, tmp_path):
    result = run_weir("run", "-", input=BINARY)
    lines = result.stdout.splitlines()
    assert len(lines) == 9, result.stderr
    assert [line for line in lines if not line.endswith("\tfalse")] == []
    path = tmp_path / "script.lua"
    path.write_bytes(b"\x1bLua\x54\x00\x19\x93\r\n\x1a\n")
    assert run_weir("run", path).returncode == 1
    assert run_weir("run", "-", input="\x1bLua").returncode == 1


def test_every_end_of_a_task_closes_what_is_open_once(run_weir):
    """Also where the host has to do it: a task that swallows its
    cancellation, one that waits in a shield for itself, the main task."""
    result = run_weir("run", "-", timeout=60, input="""
        local task = require "weir.task"
        local function open(name)
          local n = 0
          return setmetatable({}, { __close = function()
            n = n + 1
            print(name, n)
            io.stdout:flush()
          end })
        end
        local function ending(name, fn)
          return task.spawn(function()
            local outer <close> = open(name .. " outer")
            coroutine.wrap(function()
              local inner <close> = open(name .. " inner")
              fn()
            end)()
          end)
        end
        ending("return", function() end)
        local failed = ending("error", function() error "x" end)
        local cancelled = ending("cancel", function() task.sleep(100) end)
        ending("swallow", function() while true do pcall(task.sleep, 100) end end)
        local stuck
        stuck = ending("shield", function()
          task.shield(function() task.spawn(function() task.shield(stuck.join, stuck) end):join() end)
        end)
        ending("close", function()
          local co = coroutine.create(function()
            local deep <close> = open "deep"
            coroutine.yield()
          end)
          coroutine.resume(co)
          coroutine.close(co)
        end)
        pcall(failed.join, failed)
        cancelled:cancel()
        pcall(cancelled.join, cancelled)
        task.sleep(0)
        local main <close> = open "main"
        os.exit(3, true)
    """)
    assert result.returncode == 3, result.stderr
    closed = sorted(result.stdout.splitlines())
    names = [f"{name} {where}" for name in
             ("return", "error", "cancel", "swallow", "shield", "close")
             for where in ("outer", "inner")] + ["deep", "main"]
    assert closed == sorted(f"{name}\t1" for name in names)


def test_finalizers_that_use_what_is_already_gone(run_weir):
    """At the end they run in reverse order: what a script made later, and
    what it used, has gone before its own."""
    result = run_weir("run", "--sim", "-", input="""
        local things = {}
        _G.kept = setmetatable({}, { __gc = function()
          for name, use in pairs(things) do
            local ok, e = pcall(use)
            print(name, ok)
          end
        end })
        local task = require "weir.task"
        local client = require "weir.client".new { base_url = require "weir.sim".url }
        local regex = require "weir.regex".compile "a+"
        local auth = require "weir.auth".client_credentials {
          token_url = require "weir.sim".url .. "/as/token.oauth2",
          client_id = "x", client_secret = "a-secret-of-ours" }
        local listing = { require "weir.page".each(client, "/x", { items = "y" }) }
        local t = task.spawn(function() task.sleep(0) end)
        things.request = function() return client:get("/x") end
        things.regex = function() return regex:match("a") end
        things.listing = function() return listing[1]() end
        things.token = function() return auth:token() end
        things.spawn = function() return task.spawn(print):join() end
        things.status = function() t:cancel() return t:status() end
        things.json = function() return require "weir.json".decode("[1]") end
        things.log = function() require "weir.log".info("from beyond") end
        things.sleep = function() task.sleep(0) end
    """)
    assert result.returncode == 0, result.stderr
    outcome = dict(line.split("\t") for line in result.stdout.splitlines())
    assert len(outcome) == 9
    assert outcome["sleep"] == outcome["request"] == outcome["spawn"] == "false"
    assert outcome["json"] == "true"

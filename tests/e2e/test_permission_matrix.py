"""Every function that a confined script can call, and every permission: without
it the function is denied, by a message that names the permission and how it is
declared.

What there is to call is asked of a confined run and of the type stubs, so that
a function without a line here fails the test."""

import json
import re

import pytest

KINDS = ("net", "read", "write", "env", "mutate")

# What each function asks for, and a call of it that does.  `kept` calls are
# answered without being sent: they are not denied, but told of.
NEEDS = {
    # files
    "io.open": {"read": "io.open(IN)", "write": "io.open(OUT, 'w')"},
    "io.lines": {"read": "io.lines(IN)"},
    "io.input": {"read": "io.input(IN)"},
    "io.output": {"write": "io.output(OUT)"},
    "dofile": {"read": "dofile(IN)"},
    "loadfile": {"read": "loadfile(IN)"},
    "os.remove": {"write": "os.remove(OUT)"},
    "os.rename": {"write": "os.rename(OUT, OUT .. 2)"},
    "os.tmpname": {"write": "os.tmpname()"},
    # the environment
    "os.getenv": {"env": "os.getenv 'PROBE'"},
    "weir.secret.find": {"env": "weir.secret.find 'PROBE'"},
    "weir.args": {
        "env": "weir.args { { name = '--x', env = 'PROBE' }, { name = 'y' } }",
        "read": "weir.args { { name = 'y', type = 'file' } }"},
    "weir.args.parse": {
        "env": "weir.args.parse({ { name = '--x', env = 'PROBE' } }, {})",
        "read": "weir.args.parse({ { name = 'x', type = 'file' } }, { IN })"},
    # requests
    "weir.http.get": {"net": "weir.http.get(URL)"},
    "weir.http.head": {"net": "weir.http.head(URL)"},
    "weir.http.post": {"net": "weir.http.post(URL, {})", "mutate": "weir.http.post(URL, {})"},
    "weir.http.put": {"net": "weir.http.put(URL, {})", "mutate": "weir.http.put(URL, {})"},
    "weir.http.delete": {"net": "weir.http.delete(URL)", "mutate": "weir.http.delete(URL)"},
    "weir.http.request": {
        "net": "weir.http.request { url = URL }",
        "mutate": "weir.http.request { url = URL, method = 'PATCH' }"},
    "tenant.client:get": {"net": "tenant.client:get '/x'"},
    "tenant.client:head": {"net": "tenant.client:head '/x'"},
    "tenant.client:post": {"net": "tenant.client:post '/x'", "mutate": "tenant.client:post '/x'"},
    "tenant.client:put": {"net": "tenant.client:put '/x'", "mutate": "tenant.client:put '/x'"},
    "tenant.client:delete": {
        "net": "tenant.client:delete '/x'", "mutate": "tenant.client:delete '/x'"},
    "tenant.client:request": {
        "net": "tenant.client:request('GET', '/x')",
        "mutate": "tenant.client:request('PATCH', '/x')"},
    "tenant.auth:token": {"net": "tenant.auth:token()"},
    "weir.page.each": {"net": "weir.page.each(tenant.client, '/x', { items = 'x' })()"},
    "weir.page.collect": {"net": "weir.page.collect(tenant.client, '/x', { items = 'x' })"},
    "weir.poll.wait": {
        "net": "weir.poll.wait { client = tenant.client, look = '/x', field = 'x', done = { 'y' },"
               " timeout = 1 }"},
    "weir.etag.update": {
        "net": "weir.etag.update(tenant.client, '/x', {})",
        "mutate": "weir.etag.update(tenant.client, '/x', { a = 1 }, { base = {}, etag = '\"1\"' })"},
    # the tenant
    "tenant.filters:validate": {"net": "tenant.filters:validate(FILTER)"},
    "tenant.filters:create": {
        "net": "tenant.filters:create(FILTER)", "kept": "tenant.filters:create(FILTER)"},
    "tenant.filters:deploy": {
        "net": "tenant.filters:deploy(FILTER)", "kept": "tenant.filters:deploy(FILTER)"},
    "tenant.filters:update": {
        "net": "tenant.filters:update('x', {})",
        "kept": "tenant.filters:update({ id = 'x', etag = '1' }, { name = 'y' })"},
    "tenant.filters:delete": {
        "net": "tenant.filters:delete 'x'", "kept": "tenant.filters:delete { id = 'x', etag = '1' }"},
    "tenant.filters:get": {"net": "tenant.filters:get 'x'"},
    "tenant.filters:status": {"net": "tenant.filters:status 'x'"},
    "tenant.filters:wait_active": {"net": "tenant.filters:wait_active('x', { timeout = 1 })"},
    "tenant.filters:export": {"net": "tenant.filters:export 'x'"},
    "tenant.filters:metrics": {"net": "tenant.filters:metrics 'x'"},
    "tenant.filters:list": {"net": "tenant.filters:list()()"},
    "tenant.groups:assign": {
        "net": "tenant.groups:assign('g', 'x')", "kept": "tenant.groups:assign('g', 'x')"},
    "tenant.groups:members": {"net": "tenant.groups:members('g')()"},
    "tenant.audit:entries": {"net": "tenant.audit:entries()()"},
    # the simulator, which is the tenant here; its own handles change no tenant
    **{f"weir.sim.{name}": {"net": f"weir.sim.{name}({args})"} for name, args in {
        "clear_faults": "", "clock": "", "config": "", "events": "{}", "fault": "'drop'",
        "faults": "", "log": "", "reset": "", "state": ""}.items()},
}

# What asks for nothing: it computes, waits, or works on what was opened or
# connected before.
FREE = """
    assert collectgarbage error getmetatable ipairs load next pairs pcall print rawequal rawget
    rawlen rawset select setmetatable tonumber tostring type warn xpcall debug.traceback
    coroutine.close coroutine.create coroutine.isyieldable coroutine.resume coroutine.running
    coroutine.status coroutine.wrap coroutine.yield
    math.abs math.acos math.asin math.atan math.ceil math.cos math.deg math.exp math.floor
    math.fmod math.log math.max math.min math.modf math.rad math.random math.randomseed math.sin
    math.sqrt math.tan math.tointeger math.type math.ult
    string.byte string.char string.find string.format string.gmatch string.gsub string.len
    string.lower string.match string.pack string.packsize string.rep string.reverse string.sub
    string.unpack string.upper utf8.char utf8.codepoint utf8.codes utf8.len utf8.offset
    table.concat table.insert table.move table.pack table.remove table.sort table.unpack
    os.clock os.date os.difftime os.exit os.time io.close io.read io.type io.write
    require
    weir.auth.access_key weir.auth.bearer weir.auth.client_credentials weir.breakpoint
    weir.client.new weir.err.is weir.err.new weir.etag.merge weir.filter.check weir.filter.is
    weir.filter.new weir.filter.schema weir.json.array weir.json.decode weir.json.encode
    weir.log.debug weir.log.error weir.log.info weir.log.level weir.log.secret weir.log.warn
    weir.needs weir.needs.granted weir.regex.compile weir.regex.portable weir.secret.is
    weir.secret.new weir.task.all weir.task.map weir.task.shield weir.task.sleep weir.task.spawn
    weir.task.timeout weir.yaml.decode weir.yaml.encode weir.yaml.from_json weir.yaml.places
    cxone.connect filter:json filter:table filter:with re:find re:match re:test response:json
    task:cancel task:join task:status task:wait tenant.auth:fetches tenant.auth:invalidate
    tenant.auth:life tenant.auth:scope tenant.client:stats tenant.filters:check
""".split()

ENUMERATE = """\
    local seen, found = {}, {}
    local function walk(path, value)
      if type(value) == "function" then found[#found + 1] = path end
      if type(value) ~= "table" or seen[value] then return end
      seen[value] = true
      for key, inner in pairs(value) do
        walk((path == "" and "" or path .. ".") .. tostring(key), inner)
      end
    end
    seen[package.loaded] = true
    for name in string.gmatch(arg[1], "%S+") do
      local module = weir[name]
      local _, why = pcall(module)
      if not string.find(tostring(why), "attempt to call", 1, true) then
        found[#found + 1] = "weir." .. name
      end
      walk("weir." .. name, module)
    end
    local _ = cxone
    walk("", _G)
    print(table.concat(found, "\\n"))
"""

MODULES = 'print(table.concat(require "weir.modules", " "))'

METHODS = """\
    local m = require "weir.repl.model".new { tenant = "cxone.tenant" }
    for _, fn in ipairs(m.functions) do print(m:name_of(fn)) end
"""


@pytest.fixture
def run(run_weir, script):
    def run(text, *args, options=(), name="script.lua"):
        result = run_weir("run", "--sim", *options, script(text, name), *args,
                          env={"PROBE": "here"})
        assert result.returncode == 0, result.stderr
        return result

    return run


def test_every_function_has_a_line(run):
    modules = run(MODULES).stdout.strip()
    confined = set(run(ENUMERATE, modules, options=["--sandbox"]).stdout.split())
    there = confined | set(run(METHODS).stdout.split())
    assert {"io.open", "weir.http.get", "weir.args", "tenant.filters:create"} <= there
    lines = set(NEEDS) | set(FREE)
    assert not set(NEEDS) & set(FREE)
    assert there - lines == set(), "functions of confined scripts without a line"
    assert lines - there == set(), "lines of functions that are not there"


def declaration(tmp_path, without=None):
    """weir.needs with everything but one permission."""
    here = str(tmp_path.resolve())
    lists = {"net": ["tenant"], "read": [here], "write": [here, "/tmp"], "env": ["PROBE"]}
    parts = [f"{kind} = {{ {', '.join(json.dumps(item) for item in items)} }}"
             for kind, items in lists.items() if kind != without]
    if without != "mutate":
        parts.append("mutate = true")
    return "weir.needs { " + ", ".join(parts) + " }\n"


PRELUDE = """\
local IN, OUT, URL = {dir} .. "/in.lua", {dir} .. "/out.txt", weir.sim_url .. "/x"
local FILTER = {{ name = "a", channel = "chat", target_group_id = "g",
  matchers = {{ {{ attribute = "a", operator = "equals", value = 1 }} }} }}
local tenant = require "cxone".connect {{ retry = {{ attempts = 1 }} }}
-- io.input and io.output change where these lead.
local stdout = io.stdout
local function probe(name, call)
  local ok, first, second = pcall(call)
  local e = not ok and first or first == nil and second or nil
  local is_err = weir.err.is(e)
  stdout:write(weir.json.encode {{
    name = name, code = is_err and e.code or nil, message = is_err and e.message or nil,
    hint = is_err and e.hint or nil, ok = ok, other = not is_err and e ~= nil and tostring(e) or nil,
  }}, "\\n")
end
"""


def probes(run, tmp_path, kinds, without=None):
    """What became of the calls that need one of `kinds`, by name and kind."""
    (tmp_path / "in.lua").write_text("return 1\n")
    (tmp_path / "out.txt").write_text("")
    text = declaration(tmp_path, without) + PRELUDE.format(dir=json.dumps(str(tmp_path.resolve())))
    for name, calls in NEEDS.items():
        for kind, call in calls.items():
            if kind in kinds:
                text += f'probe("{name} {kind}", function() return {call} end)\n'
    result = run(text, tmp_path.resolve() / "in.lua")
    found = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    assert len(found) == sum(kind in kinds for calls in NEEDS.values() for kind in calls)
    return found, result.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_permission_it_is_denied(run, tmp_path, kind):
    found, _ = probes(run, tmp_path, [kind], without=kind)
    declared = "mutate = true" if kind == "mutate" else f"{kind} = {{"
    for probe in found:
        assert probe.get("code") == "denied", probe
        assert f"{kind}: " in probe["message"] and "is not granted" in probe["message"], probe
        assert f"weir.needs {{ {declared}" in probe["hint"], probe
    assert len(found) >= 4


def test_what_is_answered_without_being_sent_is_told(run, tmp_path):
    found, stderr = probes(run, tmp_path, ["kept"], without="mutate")
    assert [probe for probe in found if "code" in probe or not probe["ok"]] == []
    assert len(re.findall("^weir: would send ", stderr, re.M)) == len(found) >= 5


def test_with_all_permissions_nothing_is_denied(run, tmp_path):
    found, stderr = probes(run, tmp_path, [*KINDS, "kept"])
    assert [probe for probe in found if probe.get("code") == "denied"] == []
    assert "would send" not in stderr

"""weir.needs: declared in the first statement, read before anything runs,
narrowed by flags and never widened."""

import json

import pytest

LIST = """\
    for filter in require "cxone".connect().filters:list() do print(filter.id) end
"""


def last_line(result):
    return result.stderr.strip().splitlines()[-1]


@pytest.fixture
def run(run_weir, script):
    """run(text, *options) → the finished run of a script under --sim."""

    def run(text, *options, **more):
        return run_weir("run", "--sim", *options, script(text), **more)

    return run


# ---- what is declared ----

def test_a_script_gets_what_it_declares_and_is_told(run, tmp_path):
    result = run("""\
        local granted = weir.needs {
          net = { "tenant", "API.example.com" }, read = { "data" }, env = { "B", "A" },
        }
        print(weir.json.encode(granted))
        print(weir.json.encode(weir.needs.granted()))
        """)
    assert result.returncode == 0, result.stderr
    expected = {"net": ["api.example.com", "tenant"], "read": [str(tmp_path.resolve() / "data")],
                "write": [], "env": ["A", "B"], "mutate": False}
    assert [json.loads(line) for line in result.stdout.splitlines()] == [expected, expected]


@pytest.mark.parametrize("form", [
    'weir.needs { net = { "tenant" } }',
    'weir.needs({ net = { "tenant" } })',
    'local granted = weir.needs { net = { "tenant" }; }',
    'local granted <const> = weir.needs { ["net"] = { [1] = "tenant" }, read = {} }',
    '#!/usr/bin/env weir\n-- a comment\n;; weir.needs { net = { [[tenant]] } } -- and more',
])
def test_each_way_to_write_it(run, form):
    result = run(form + "\n" + LIST)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("text, line, message", [
    ("print(1)\nweir.needs {}", 2, "weir.needs must be the first statement of the script"),
    ("local weir = require 'weir'\nweir.needs {}", 2, "must be the first statement"),
    ("local t = {}\nweir.needs(t)", 2, "must be the first statement"),
    ("weir.needs(x)", 1, "weir.needs takes a table that is written down right there"),
    ("weir.needs", 1, "takes a table"),
    ('weir.needs {\n  net = { "a.test" },\n  read = { os.getenv "HOME" },\n}', 3,
     "weir.needs: 'os' is no constant"),
    ('weir.needs {\n  net = { "a.test" .. x },\n}', 2, "'x' is no constant"),
    ('weir.needs {\n  net = (function() end)(),\n}', 2, "'(' is no constant"),
    ("weir.needs {}\nweir.needs {}", 2, "weir.needs stands twice"),
    ('weir.needs {\n  net = { "a.test" },\n  net = { "b.test" },\n}', 3, "'net' stands twice"),
    ('weir.needs {\n  net = { "a.test" },\n  ["net"] = { "b.test" },\n}', 3, "'net' stands twice"),
    ('weir.needs {\n  nett = { "a.test" },\n}', 1, "there is no permission 'nett'"),
    ('weir.needs {\n  nett = {},\n}', 1, "there is no permission 'nett'"),
    ('weir.needs {\n  mutate = {},\n}', 2, "mutate is true or false, not array"),
    ('weir.needs {\n  net = {\n    "a.test",\n    "https://b.test",\n  },\n}', 4,
     "net[2]: 'https://b.test' is not a host: name the host alone"),
    ('weir.needs {\n  env = { "A" },\n  read = { "~/x" },\n}', 3, "read[1]: '~' is the shell's"),
    ('weir.needs {\n  mutate = "yes",\n}', 2, "mutate is true or false, not string"),
    ('weir.needs {\n  net = "a.test",\n}', 2, "net is a list, not string"),
    ('weir.needs {\n  net = { "a.test", x = "b.test" },\n}', 1, "weir.needs: "),
])
def test_a_fault_ends_the_run_before_it_begins(run, text, line, message):
    result = run(text + '\nio.stderr:write("ran")')
    assert result.returncode == 1
    assert f"script.lua:{line}: " in last_line(result), result.stderr
    assert message in last_line(result)
    assert "ran" not in result.stderr and result.stdout == ""


@pytest.mark.parametrize("list", ['{ "a.test" }', "{}"])
def test_a_suggestion_is_made(run, list):
    result = run("weir.needs { nett = " + list + " }")
    assert "did you mean 'net'?" in result.stderr


def test_what_was_not_read_before_the_run_is_no_declaration(run):
    aliased = run("local w = weir\nw.needs { mutate = true }\nprint 'ran on'")
    assert aliased.returncode == 1 and "ran on" not in aliased.stdout
    assert "nothing was declared" in aliased.stderr and "script.lua:2" in aliased.stderr
    other = run("""\
        local granted = weir.needs { net = { "tenant" } }
        local w = weir
        print(pcall(w.needs, { net = { "tenant" } }))
        print(pcall(w.needs, { net = { "tenant" }, mutate = true }))
        print(pcall(w.needs, { net = 7 }))
        print(pcall(w.needs, { net = { "tenant" }, nett = {} }))
        """)
    lines = other.stdout.splitlines()
    assert lines[0].startswith("true\ttable")
    assert "this is not what the script's first statement declares" in lines[1]
    assert "net is a list, not number" in lines[2]
    assert "there is no permission 'nett'" in lines[3]


def test_from_standard_input_too(run_weir):
    result = run_weir("run", "--sim", "-", input="print(1)\nweir.needs {}")
    assert result.returncode == 1 and "stdin:2: weir.needs must be" in result.stderr


def test_a_fault_is_an_object_where_a_program_reads(run):
    result = run("print(1)\nweir.needs {}", "--log-format", "json")
    objects = [json.loads(line) for line in result.stderr.splitlines()]
    assert "script.lua:2: weir.needs must be" in objects[-1]["message"]


# ---- net ----

def test_only_the_declared_hosts_are_reached(run, sim):
    result = run(f"""\
        weir.needs {{ net = {{ "127.0.0.1:{sim.port}" }} }}
        local http = weir.http
        print(http.get("{sim.url}/_sim").status)
        local _, e = http.get "https://example.com/x?y=1"
        print(e.code, e.message, e.hint)
        print(e.detail.permission, e.detail.asked)
        print(select(2, http.get("http://localhost:{sim.port}/")).code)
        print(select(2, http.get("http://127.0.0.1:1/")).code)
        """)
    lines = result.stdout.splitlines()
    assert lines == [
        "200",
        f"denied\tnet: connecting to example.com:443 is not granted; granted: 127.0.0.1:{sim.port}"
        '\tthe script declares it in its first statement: weir.needs { net = {"example.com"} }',
        "net\texample.com:443", "denied", "denied",
    ], result.stderr


def test_where_a_name_leads_counts(run, sim):
    result = run(f"""\
        weir.needs {{ net = {{ "*.localhost" }} }}
        local _, e = weir.http.get("http://metadata.localhost:{sim.port}/_sim",
          {{ allow_plain_http = true }})
        print(e.code, e.message)
        """)
    assert result.stdout.startswith(
        f"denied\tnet: connecting to metadata.localhost:{sim.port} at "), result.stderr
    assert "(loopback) is not granted by the host's name alone" in result.stdout
    assert sim.log() == []


def test_the_tenant_and_its_token_endpoint_are_granted_as_tenant(run):
    assert run('weir.needs { net = { "tenant" } }\n' + LIST).returncode == 0
    result = run('weir.needs { net = { "example.com" } }\n' + LIST)
    assert result.returncode == 5
    assert "denied: " in result.stderr and "net: connecting to 127.0.0.1:" in result.stderr
    assert "oauth" in result.stderr  # the token's own endpoint is asked for


def test_a_token_endpoint_that_the_script_names_is_asked_for(run):
    result = run("""\
        weir.needs { net = { "tenant" }, mutate = true }
        local auth = weir.auth.client_credentials {
          token_url = "https://tokens.example.com/t", client_id = "a", client_secret = "hunter22" }
        local client = weir.client.new { base_url = weir.sim_url, auth = auth }
        local _, e = client:get "/x"
        print(e.code, e.message)
        """)
    assert "connecting to tokens.example.com:443 is not granted" in result.stdout, result.stderr


# ---- env ----

def test_only_declared_variables_are_seen(run):
    result = run("""\
        weir.needs { env = { "CXONE_CLIENT_SECRET", "REGION" } }
        print(weir.secret.find "CXONE_CLIENT_SECRET")
        print(select(2, pcall(weir.secret.find, "CXONE_ACCESS_KEY_SECRET")).message)
        print(weir.args { { name = "--region", env = "REGION" } }.region)
        print(select(2, pcall(function()
          return weir.args { { name = "--path", env = "PATH" } }
        end)).message)
        """, env={"CXONE_CLIENT_SECRET": "hunter22", "REGION": "emea"})
    assert result.stdout.splitlines() == [
        "secret CXONE_CLIENT_SECRET",
        "env: the variable CXONE_ACCESS_KEY_SECRET is not granted; granted: CXONE_CLIENT_SECRET, "
        "REGION", "emea",
        "env: the variable PATH is not granted; granted: CXONE_CLIENT_SECRET, REGION",
    ], result.stderr


SECRET = {"CXONE_TENANT": "acme", "CXONE_CLIENT_ID": "id", "CXONE_CLIENT_SECRET": "hunter22"}


def test_the_hosts_secrets_go_where_the_host_says(run_weir, script, sim):
    """A script that may connect elsewhere may not take the tenant's secret
    there, unless that was granted by its name."""
    text = """\
        weir.needs { net = { "127.0.0.1" }, env = { %s } }
        local ok, e = pcall(function()
          local tenant = require "cxone".connect { token_url = "%s/as/token.oauth2" }
          return tenant.auth
        end)
        print(ok, ok or e.message)
        """
    refused = run_weir("run", script(text % ("", sim.url)), env=SECRET)
    assert refused.stdout == ("false\tenv: the variable CXONE_CLIENT_SECRET is not granted; "
                              "no variable is\n"), refused.stderr
    granted = run_weir("run", script(text % ('"CXONE_CLIENT_SECRET"', sim.url)), env=SECRET)
    assert granted.stdout == "true\ttrue\n", granted.stderr


# ---- flags ----

def granted_with(run, *flags, **more):
    result = run("""\
        local granted = weir.needs {
          net = { "tenant", "*.example.com" }, read = { "." }, write = { "out" },
          env = { "A", "B" }, mutate = true,
        }
        print(weir.json.encode(granted))
        """, *flags, **more)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_flags_narrow(run, tmp_path):
    here = str(tmp_path.resolve())
    assert granted_with(run)["mutate"] is True
    assert granted_with(run, "--net=a.example.com,x.test", "--net", "tenant")["net"] == [
        "a.example.com", "tenant"]
    assert granted_with(run, "--net=acme.test")["net"] == ["tenant=acme.test"]
    assert granted_with(run, "--deny-net")["net"] == []
    assert granted_with(run, f"--read={here}/a", "--read=b", cwd=here)["read"] == [
        here + "/a", here + "/b"]
    assert granted_with(run, "--deny-read")["read"] == []
    assert granted_with(run, "--write=/")["write"] == [here + "/out"]
    assert granted_with(run, "--deny-write")["write"] == []
    assert granted_with(run, "--env=B,C")["env"] == ["B"]
    assert granted_with(run, "--deny-env")["env"] == []
    assert granted_with(run, "--deny-mutate")["mutate"] is False
    assert granted_with(run, "--dry-run")["mutate"] is False
    assert granted_with(run, "--sandbox")["mutate"] is True


def test_flags_never_widen(run):
    result = run("""\
        local granted = weir.needs { net = { "a.example.com" } }
        print(weir.json.encode(granted))
        """, "--net=*.example.com", "--net=other.test", "--read=/", "--write=/", "--env=PATH")
    assert json.loads(result.stdout) == {
        "net": ["a.example.com"], "read": [], "write": [], "env": [], "mutate": False}


def test_a_denial_names_the_flag(run):
    text = 'weir.needs { net = { "example.com" } }\n' \
           'local _, e = weir.http.get "https://example.com/" print(e.message, e.hint)'
    result = run(text, "--net=example.org")
    assert result.stdout == (
        "net: connecting to example.com:443 is taken away by --net=example.org\t"
        "the run would have it without: leave --net=example.org out, or let it name this too, "
        "if it may\n")
    assert "is taken away by --deny-net" in run(text, "--deny-net").stdout


def test_a_sandbox_without_a_declaration_has_what_flags_name(run):
    text = 'print(weir.json.encode(weir.needs.granted()))\n' \
           'print(select(2, weir.http.get "https://example.com/").hint)'
    result = run(text, "--sandbox", "--net=a.test", "--env=A,B", "--read=/srv")
    first, second = result.stdout.splitlines()
    assert json.loads(first) == {
        "net": ["a.test"], "read": ["/srv"], "write": [], "env": ["A", "B"], "mutate": False}
    assert second == "grant it with --net=example.com"


@pytest.mark.parametrize("flag, word", [
    ("--net=a.test", "--net"), ("--deny-read", "--deny-read"), ("--env=A", "--env"),
])
def test_flags_without_anything_to_narrow_are_a_mistake(run, flag, word):
    result = run("print(1)", flag)
    assert (result.returncode, result.stdout) == (64, "")
    assert f"{word} narrows what a script declares" in result.stderr
    assert "add --sandbox" in result.stderr


def test_a_flag_that_cannot_be_read_is_a_mistake(run):
    result = run('weir.needs { net = { "a.test" } }', "--net=https://a.test")
    assert result.returncode == 64
    assert "--net: 'https://a.test' is not a host: name the host alone" in result.stderr


def test_a_script_that_declares_nothing_runs_as_ever(run):
    result = run('print(weir.needs.granted(), os.getenv "A", io.popen ~= nil)', env={"A": "b"})
    assert (result.returncode, result.stdout) == (0, "nil\tb\ttrue\n")


# ---- in a session ----

def test_a_session_can_be_confined_too(run_weir):
    def repl(line, *flags):
        return run_weir("repl", "--sim", *flags, input=line + "\n")

    inputs = 'print(select(2, weir.http.get "https://a.test/").hint, os.getenv "A")'
    assert "grant it with --net=a.test" in repl(inputs, "--sandbox", "--env=A").stdout
    denied = repl("tenant.filters:list()()", "--sandbox")
    assert denied.returncode == 5 and "grant it with --net=tenant" in denied.stderr
    assert repl("print(tenant.filters:list()())", "--sandbox", "--net=tenant").stdout == "nil\n"
    dry = repl('print(tenant.client:delete("/x"))', "--dry-run")
    assert "weir: would send DELETE /x (no body; kept back by --dry-run)" in dry.stderr


def test_the_shell_completes_paths(run_weir):
    def complete(*words):
        return run_weir("completion", "--complete", "--", "weir", "run", *words).stdout

    assert ":files" in complete("--read", "") and ":files" in complete("--write=")
    assert ":files" not in complete("--net", "")


def test_what_is_no_lua_is_told_as_that(run_weir, tmp_path):
    """Not as a declaration in the wrong place; nothing of it runs."""
    for name, text in {
            "README.md": "# A readme\n\nBegin with weir.needs { net = {} }.\n",
            "typo.lua": "print 'ran'\nweir.needs { mutate = true }\nx y = 1\n"}.items():
        (tmp_path / name).write_text(text)
        result = run_weir("run", "--sim", tmp_path / name)
        assert result.returncode == 1 and result.stdout == ""
        assert f"{name}:3\n" in result.stderr and "syntax error" in result.stderr
        assert "first statement" not in result.stderr
    (tmp_path / "late.lua").write_text("#!/usr/bin/weir\nx = 1\nweir.needs { mutate = true }\n")
    result = run_weir("run", "--sim", tmp_path / "late.lua")
    assert "late.lua:3: weir.needs must be the first statement" in result.stderr

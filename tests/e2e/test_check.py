"""weir check: what is found in a script without running it, and where."""

import json
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def check(run_weir, script):
    """check(text) → exit code and the findings as (line, column, code, message, hint)."""

    def run(text):
        result = run_weir("check", "--json", script(text))
        report = json.loads(result.stdout)
        return result.returncode, [
            (f["line"], f["column"], f["code"], f["message"], f.get("hint"))
            for f in report["findings"]]

    return run


def test_a_clean_script_is_quiet(run_weir, script):
    result = run_weir("check", script("print(1)\n"))
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr == "weir check: 1 file, no fault found\n"


@pytest.mark.parametrize("text,line,column,message", [
    ("local x = = 3\n", 1, 11, "unexpected symbol near '='"),
    ("if x then\n  print(1)\n", 2, 10, "'end' expected (to close 'if' at line 1) near <eof>"),
    ("print('a)\n", 1, 7, "unfinished string near ''a)'"),
    ("goto nowhere\n", 1, 1, "no visible label 'nowhere' for <goto> at line 1"),
    ("#!weir\nlocal x <const> = 1\nx = 2\n", 3, 1, "attempt to assign to const variable 'x'"),
])
def test_syntax(check, text, line, column, message):
    code, findings = check(text)
    assert code == 4
    assert findings == [(line, column, "syntax", message, None)]


def test_undeclared_globals_both_ways(check):
    code, findings = check("""\
        local count = 1
        colour = "red"
        prnt(coun)
        _G.meant = 1
        print(meant, weir.version, cxone, arg[1], ...)
        local function f() return self end
        """)
    assert code == 4
    assert findings == [
        (2, 1, "undeclared-global", "assignment to undeclared global 'colour'",
         "write 'local colour', or '_G.colour' if it must be global"),
        (3, 1, "undeclared-global", "undeclared global 'prnt'", "did you mean 'print'?"),
        (3, 6, "undeclared-global", "undeclared global 'coun'", "did you mean 'count'?"),
        (6, 27, "undeclared-global", "undeclared global 'self'", None),
    ]


@pytest.mark.parametrize("text,code,message,hint", [
    ("weir.jsno.encode {}", "unknown-member", "module weir has no 'jsno'", "'json'"),
    ("require('weir.page').eech()", "unknown-member", "module weir.page has no 'eech'", "'each'"),
    ("local t = require 'cxone'.connect() t.filter:get('x')", "unknown-member",
     "cxone.tenant has no 'filter'", "'filters'"),
    ("local t = cxone.connect() t.filters:delpoy {}", "unknown-member",
     "cxone.filters has no 'delpoy'", "'deploy'"),
    ("local r = assert(weir.http.get 'http://x') print(r.satus)", "unknown-member",
     "weir.http.response has no 'satus'", "'status'"),
    ("local t = weir.task.spawn(print) t:jion()", "unknown-member",
     "weir.task.Task has no 'jion'", "'join'"),
    ("cxone.connect { tennant = 'x' }", "unknown-option", "no option 'tennant' here", "'tenant'"),
    ("cxone.connect { limit = { rat = 1 } }", "unknown-option", "no option 'rat' here", "'rate'"),
    ("cxone.connect().filters:update('f', {}, { on_conflit = 'mine' })", "unknown-option",
     "no option 'on_conflit' here", "'on_conflict'"),
    ("local o = { attempt = 1 } cxone.connect().filters:update('f', {}, o)", "unknown-option",
     "no option 'attempt' here", "'attempts'"),
    ("cxone.connect().filters:update('f', {}, { on_conflict = 'mne' })", "unknown-word",
     "'mne' is none of the words", "'mine'"),
    ("weir.args { { name = '--x', type = 'flg' } }", "unknown-word",
     "'flg' is none of the words", "'flag'"),
    ("weir.args { abuot = 'x' }", "unknown-option", "no option 'abuot' here", "'about'"),
])
def test_misspelt_members_and_options(check, text, code, message, hint):
    status, findings = check(text + "\n")
    assert status == 4 and len(findings) == 1
    assert findings[0][2] == code and findings[0][3].startswith(message)
    assert hint in findings[0][4]


@pytest.mark.parametrize("text", [
    "local t = cxone.connect() t.extra = 1 print(rawget(t, 'extra'))",
    "local record = cxone.connect().filters:get('x') print(record.custom_field)",
    "local weir = { jsno = 1 } print(weir.jsno)",
    "local page = weir.page page = { eech = print } page.eech()",
    "local opts = {} opts.anything = 1 cxone.connect().filters:update('x', {}, opts)",
    "local k = 'x' cxone.connect { [k] = 1 }",
    "weir.log.info('x', { anything = 1 })",
    "local function f(weir) return weir.anything end print(f)",
    "for i = 1, 2 do goto continue ::continue:: end",
    "local a <const>, b <close> = 1, nil print(a // 2, a ~ 1, a << 1, ~a, a ~= b, 'x' .. a)",
])
def test_what_cannot_be_known_is_not_a_fault(check, text):
    assert check(text + "\n") == (0, [])


def test_definitions_wherever_they_are_written(check):
    code, findings = check("""\
        local cxone = require "cxone"
        local group = arg[1]
        local tiers = { "gold", 'x' }
        cxone.connect().filters:deploy {
          name = "x_" .. group,
          channel = "voyce",
          matchers = {
            { attribute = "customer.tier", operator = "equal", value = "gold" },
            { attribute = group, operator = "in", value = tiers },
            group,
            { attribute = "a", operator = "less_than", value = "x" .. "y" },
          },
          pattern_rules = { { type = "cidr", field = "a", pattern = "10.0.0.1/8" } },
        }
        local base = { name = "b", channel = "chat", description = "completed later" }
        base.target_group_id = group
        cxone.connect().filters:create(base)
        return { { name = "listed", channel = "fax", target_group_id = "g" } }
        """)
    assert code == 4
    assert [(f[0], f[1]) for f in findings] == [(4, 32), (6, 13), (8, 47), (11, 56), (13, 61), (18, 39)]
    assert [f[3].split(":")[0] for f in findings] == [
        "/target_group_id", "/channel", "/matchers/0/operator", "/matchers/3/value",
        "/pattern_rules/0/pattern", "/channel"]
    assert findings[1][4] == "did you mean 'voice'?"


def test_a_slow_pattern_is_a_note_and_no_fault(run_weir, script):
    result = run_weir("check", script("""\
        return { channel = "chat", target_group_id = "g", name = "n",
          pattern_rules = { { type = "regex", field = "a", pattern = "(a+)+$" } } }
        """))
    assert result.returncode == 0
    assert "script.lua:2:62: note: can be slow" in result.stdout
    assert "0 errors and 1 note in 1 file" in result.stderr


def test_the_report_shows_line_and_mark(run_weir, script):
    path = script("print();\tlocal x = 'ü'; prnt(x)\n")
    result = run_weir("check", path)
    assert result.stdout == (
        f"{path}:1:25: error: undeclared global 'prnt' (did you mean 'print'?) "
        "[undeclared-global]\n"
        "     1 | print();\tlocal x = 'ü'; prnt(x)\n"
        "       |         \t               ^^^^\n")
    coloured = run_weir("check", "--color", "always", path).stdout
    assert "\x1b[1;31m^^^^\x1b[0m" in coloured
    forced = run_weir("check", path, env={"CLICOLOR_FORCE": "1"}).stdout
    assert forced == coloured
    assert run_weir("check", path, env={"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}).stdout \
        == result.stdout


def test_the_mark_stands_under_wide_characters(run_weir, script):
    shown = run_weir("check", script("local x = '日本語'; prnt('日本')\n")).stdout.splitlines()
    assert shown[1] == "     1 | local x = '日本語'; prnt('日本')"
    assert shown[2] == "       | " + " " * 20 + "^^^^"
    wide = "return { name = 'n', channel = '日本', target_group_id = 'g' }\n"
    shown = run_weir("check", script(wide)).stdout.splitlines()
    assert shown[2] == "       | " + " " * 31 + "^" * 6


def test_what_a_terminal_would_obey_is_not_shown(run_weir, tmp_path):
    path = tmp_path / "evil.lua"
    path.write_bytes(b"print(x) -- \x1b]0;title\x07 \x1b[2J\n")
    out = run_weir("check", path).stdout
    assert "\x1b" not in out and "\x07" not in out


def test_a_long_line_is_shown_around_the_place(run_weir, script):
    result = run_weir("check", script("local x = '" + "a" * 5000 + "' prnt(x)\n"))
    shown = result.stdout.splitlines()
    assert len(shown[1]) < 300 and "prnt(x)" in shown[1]
    assert shown[1].index("prnt") == shown[2].index("^")


def test_nothing_runs(run_weir, script, tmp_path):
    trap = tmp_path / "trap"
    path = script(f'io.open("{trap}", "w") os.exit(9)\n')
    assert run_weir("check", path).returncode == 0
    assert not trap.exists()


def test_files_that_cannot_be_read(run_weir, script, tmp_path):
    good = script("prnt()\n")
    result = run_weir("check", tmp_path / "none.lua", good, tmp_path)
    assert result.returncode == 1
    assert "undeclared global 'prnt'" in result.stdout
    assert "none.lua: No such file or directory" in result.stderr
    assert "Is a directory" in result.stderr
    alone = run_weir("check", str(good)[:-5] + "x.lua")
    assert "no fault found" not in alone.stderr
    assert alone.stderr.endswith(f"; did you mean '{good}'?\n")
    (tmp_path / "big.lua").write_bytes(b"-" * (4 * 1024 * 1024 + 1))
    assert "more than a script" in run_weir("check", tmp_path / "big.lua").stderr
    assert run_weir("check").returncode == 64


@pytest.mark.parametrize("text", [
    b"", b"\n", b"#", b"\xff\xfe", b"return " + b"(" * 150 + b"1" + b")" * 150,
    b"return " + b"1+" * 20000 + b"1", b"x = [[", b"--[==[", b"\x1bLua", b"return {" + b"{}," * 20000 + b"}",
    b"local a = {} " * 150, b"a.b.c.d.e:f().g[1]{}'x'()",
])
def test_odd_texts_are_no_trouble(run_weir, tmp_path, text):
    path = tmp_path / "odd.lua"
    path.write_bytes(text)
    result = run_weir("check", path)
    assert result.returncode in (0, 4)
    assert "weir check: 1 file" in result.stderr or " in 1 file" in result.stderr


def test_what_a_server_complains_of_is_shown_at_its_line(run_weir, script):
    path = script("""\
        require "weir.sim".fault { kind = "invalid", call = "validate",
          path = "/matchers/1/value", message = "no such tier here" }
        cxone.connect().filters:deploy {
          name = "gold", channel = "chat", target_group_id = "g",
          matchers = {
            { attribute = "a", operator = "equals", value = "x" },
            { attribute = "customer.tier", operator = "equals",
              value = "golden" },
          },
        }
        """)
    result = run_weir("run", "--sim", path)
    assert result.returncode == 4
    assert f"{path}:8: /matchers/1/value: no such tier here\n" in result.stderr
    assert '     8 |       value = "golden" },\n' in result.stderr


def test_our_own_scripts_are_clean(run_weir):
    files = sorted((ROOT / "examples").glob("*.lua"))
    wrong_on_purpose = {"define_filter.lua"}
    result = run_weir("check", *[f for f in files if f.name not in wrong_on_purpose])
    assert (result.returncode, result.stdout) == (0, "")
    shown = run_weir("check", ROOT / "examples/define_filter.lua")
    assert shown.returncode == 4 and shown.stdout.count("error:") == 3


# ---- weir.needs ----

def test_faults_of_weir_needs_are_findings(run_weir, script):
    path = script("""\
        local granted = weir.needs {
          net = { "api.example.com", "https://api.example.com" },
        }
        print(granted.net)
        """)
    result = run_weir("check", path)
    assert result.returncode == 4
    assert (f"{path}:2:3: error: weir.needs: net[2]: 'https://api.example.com' is not a host: "
            "name the host alone") in result.stdout
    late = run_weir("check", script("print(1)\nweir.needs { mutate = true }\n"))
    assert ":2:1: error: weir.needs must be the first statement" in late.stdout


def test_a_good_declaration_is_no_finding(run_weir, script):
    result = run_weir("check", script("""\
        local granted = weir.needs { net = { "tenant" }, mutate = true }
        print(granted.mutate, weir.needs.granted())
        """))
    assert (result.returncode, result.stdout) == (0, "")

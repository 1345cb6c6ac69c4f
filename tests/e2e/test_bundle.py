"""weir bundle: making one, looking at it, running it, and being asked first."""

import json
import os
import shutil
import stat
import subprocess
import zipfile

import pytest

from bundle_fixture import MANIFEST, bundle_of

TWO = {
    "main.lua": """\
        local util = require "lib.util"
        print(util.greet(...))
        """,
    "lib/util.lua": "return { greet = function(name) return 'hello ' .. name end }\n",
}


def names_in(path):
    with zipfile.ZipFile(path) as zipped:
        assert zipped.testzip() is None
        return zipped.namelist()


# Making ------------------------------------------------------------------------


def test_create_takes_what_is_required(make_bundle, run_bundle):
    path = make_bundle(TWO, "--version", "1.4.0", "--name", "greet")
    assert names_in(path) == [MANIFEST, "lib/util.lua", "main.lua"]
    assert make_bundle.made.stdout == (
        f"{path}: greet 1.4.0, 2 files, {path.stat().st_size} bytes\n  lib/util.lua\n  main.lua\n")
    assert make_bundle.warnings == []
    assert path.stat().st_mode & stat.S_IXUSR
    result = run_bundle(path, "you")
    assert (result.returncode, result.stdout, result.stderr) == (0, "hello you\n", "")


def test_the_same_files_are_the_same_bytes(make_bundle, run_weir, tmp_path):
    first = make_bundle(TWO).read_bytes()
    os.utime(tmp_path / "main.lua", (1, 1))
    (tmp_path / "main.lua").chmod(0o600)
    other = tmp_path / "other"
    other.mkdir()
    shutil.move(tmp_path / "main.lua", other)
    shutil.move(tmp_path / "lib", other)
    for env in ({"TZ": "Asia/Tokyo", "LC_ALL": "C"}, {"TZ": "America/Lima", "LANG": "de_DE.UTF-8"}):
        made = run_weir("bundle", "create", "other/main.lua", "-o", "b.weir", cwd=tmp_path, env=env)
        assert made.returncode == 0, made.stderr
        assert (tmp_path / "b.weir").read_bytes() == first


@pytest.mark.parametrize("text,taken", [
    ("require 'a.b'", ["a/b.lua"]),
    ("require('pack')", ["pack/init.lua"]),
    ("_G.require('pack')", ["pack/init.lua"]),
    ("local n <const> = 'a.b'\nrequire(n)", ["a/b.lua"]),
    ("local n = 'a'\nrequire(n .. '.b')", ["a/b.lua"]),
    ("print(pcall(require, 'a.b'))", ["a/b.lua"]),
    ("dofile 'a/b.lua'", ["a/b.lua"]),
    ("loadfile('./a/../a/b.lua')", ["a/b.lua"]),
    ("require 'chain'", ["a/b.lua", "chain.lua"]),
    ("io.open('data.csv')", ["data.csv"]),
    ("for l in io.lines [[data.csv]] do end", ["data.csv"]),
    ("local path = 'rules/one.yaml' print(path)", ["rules/one.yaml"]),
    ("weir.args { { name = '--rules', default = 'rules/one.yaml' } }", ["rules/one.yaml"]),
    ("io.open('data.csv', 'w')", []),
    ("-- require 'a.b'", []),
    ("local function require() end\nrequire 'a.b'", []),
    ("require 'weir.json' require 'cxone' require 'string'", []),
    ("print 'data'", []),
])
def test_what_is_followed(make_bundle, script, text, taken):
    for name in ("a/b.lua", "pack/init.lua", "data.csv", "rules/one.yaml"):
        script("return 1\n", name)
    script("require 'a.b'\nrequire 'chain'\n", "chain.lua")
    path = make_bundle({"main.lua": text + "\n"})
    assert names_in(path) == [MANIFEST, *sorted([*taken, "main.lua"], key=str.encode)]
    assert make_bundle.warnings == []


def test_a_module_from_elsewhere_is_told(make_bundle, run_weir, script, tmp_path):
    script("return 'far'\n", "elsewhere/far/away.lua")
    script("print((require 'far.away'))\n", "main.lua")
    made = run_weir("bundle", "create", "main.lua", "-o", "x.weir", cwd=tmp_path,
                    env={"LUA_PATH": "./elsewhere/?.lua"})
    assert "  far/away.lua (from ./elsewhere/far/away.lua)\n  main.lua\n" in made.stdout
    assert run_weir("bundle", "run", "--accept", tmp_path / "x.weir").stdout == "far\n"


@pytest.mark.parametrize("text,warning", [
    ("local n = ...\n\nrequire(n)", "main.lua:3: what is loaded here is computed"),
    ("local r = require\nr 'a'", "main.lua:1: what is loaded here is computed"),
    ("local r = _G.require\nr 'a'", "main.lua:1: what is loaded here is computed"),
    ("dofile(...)", "main.lua:1: what is loaded here is computed"),
    ("pcall(require, 'nothing.here')", "main.lua:1: module 'nothing.here' is not found"),
    ("io.open('/etc/hosts')", "main.lua:1: reads '/etc/hosts'"),
    ("io.open('../x')", "main.lua:1: reads '../x'"),
    ("print('.hidden/key')", "'.hidden/key' is a hidden file, and is left out; --include"),
    ("weir.args(make())", "what weir.args is given is more than constants"),
])
def test_what_cannot_be_followed_is_a_warning(make_bundle, script, text, warning):
    script("secret\n", ".hidden/key")
    make_bundle({"main.lua": text + "\n"})
    assert make_bundle.warnings[0].startswith("weir bundle create: warning: ")
    assert warning in make_bundle.warnings[0]


@pytest.mark.parametrize("text,fault", [
    ("require 'nothing.here'", "main.lua:1: module 'nothing.here' is not found: there is no nothing/here.lua"),
    ("local x = = 1", "main.lua:1: unexpected symbol near '='"),
    ("require 'broken'", "broken.lua:1: "),
    ("weir.args { { name = 3 } }", "main.lua: weir.args: parameter 1 needs a name"),
    ("weir.needs { nett = {'x'} }", "main.lua:1: weir.needs: "),
    ("print(1)\nweir.needs { net = {} }", "main.lua:2: weir.needs must be the first statement"),
])
def test_what_cannot_be_bundled(run_weir, script, tmp_path, text, fault):
    script("return }", "broken.lua")
    result = run_weir("bundle", "create", script(text, "main.lua").name, "-o", "x.weir", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith(f"weir bundle create: {fault}")
    assert not (tmp_path / "x.weir").exists()


def test_include(make_bundle, run_bundle, script, tmp_path):
    script("return 'late'\n", "plugins/late.lua")
    script("a,b\n", "plugins/deep/data.csv")
    script("no\n", "plugins/.git/config")
    path = make_bundle({"main.lua": "print((require('plugins.' .. ...)))\n"}, "--include", "plugins")
    assert names_in(path) == [MANIFEST, "main.lua", "plugins/deep/data.csv", "plugins/late.lua"]
    assert run_bundle(path, "late").stdout == "late\n"


@pytest.mark.parametrize("what,fault", [
    ("nothing", "--include nothing: nothing: No such file or directory"),
    ("/etc/hosts", "--include /etc/hosts: is not below the current folder"),
    ("../x", "--include ../x: is not below the current folder"),
])
def test_include_of_what_cannot_be(run_weir, script, tmp_path, what, fault):
    script("print(1)\n", "main.lua")
    result = run_weir("bundle", "create", "main.lua", "-o", "x.weir", "--include", what, cwd=tmp_path)
    assert result.returncode == 1
    assert fault in result.stderr


@pytest.mark.parametrize("arguments,code,fault", [
    ([], 64, "no script given"),
    (["a.lua", "b.lua"], 64, "one script at a time, not 'b.lua' too"),
    (["main.lua", "--version", "1"], 4, '/version: version "1" must be three numbers'),
    (["main.lua", "--name", "a b"], 4, "/name: must be letters"),
    (["main.lua", "--expires", "soon"], 64, "--expires: expected a day such as 2027-01-31"),
    (["main.lua", "--verison", "1.0.0"], 64, "unknown option --verison (did you mean --version?)"),
    (["main.lua", "-o", "none/x.weir"], 1, "none/x.weir: there is no folder none"),
    (["nothing.lua"], 1, "nothing.lua: No such file or directory"),
    (["."], 1, ".: Is a directory"),
])
def test_create_says_what_is_wrong(run_weir, script, tmp_path, arguments, code, fault):
    script("print(1)\n", "main.lua")
    result = run_weir("bundle", "create", *arguments, cwd=tmp_path)
    assert result.returncode == code, result.stderr
    assert fault in result.stderr


@pytest.mark.parametrize("main", ["main.lua", "./main.lua", "{}/main.lua"])
def test_a_link_that_leads_out_is_told(make_bundle, script, run_weir, tmp_path, main):
    """Whoever bundles what somebody else wrote sends a file of theirs along."""
    (tmp_path / "secret").write_text("hunter2")
    folder = tmp_path / "repository"
    script("print(io.open('data/a'):read())\n", "repository/main.lua")
    (folder / "data").mkdir()
    (folder / "data/a").symlink_to("../../secret")
    (folder / "data/b").symlink_to("a.txt")
    (folder / "data/a.txt").write_text("x")
    made = run_weir("bundle", "create", main.format(folder), "-o", "x.weir", "--include",
                    main.format(folder).replace("main.lua", "data"), cwd=folder)
    assert made.returncode == 0, made.stderr
    assert [line for line in made.stderr.split("\n") if "link" in line] == [
        f"weir bundle create: warning: data/a: is a link to {tmp_path}/secret, which is not "
        "below the main script's folder"]


@pytest.mark.parametrize("words", [["--exe"], ["-o", "tool"], ["-o", "./lib/a"],
                                   ["-o", "same", "--sign", "none"]])
def test_the_source_is_not_written_over(script, run_weir, tmp_path, words):
    script("print('mine')\n", "tool")
    script("return 1\n", "lib/a")
    (tmp_path / "same").hardlink_to(tmp_path / "tool")
    made = run_weir("bundle", "create", "tool", "--include", "lib", *words, cwd=tmp_path)
    assert made.returncode == 64, made
    assert "is a file that goes into the bundle; name another with -o" in made.stderr
    assert (tmp_path / "tool").read_text() == "print('mine')\n"
    assert (tmp_path / "lib/a").read_text() == "return 1\n"


# Looking ---------------------------------------------------------------------------


DECLARED = """\
    local args = weir.args {
      about = "Rotates a tier.",
      { name = "group", help = "where to" },
      { name = "--tier", choices = { "gold", "silver" }, default = "gold" },
    }
    """


def test_inspect(make_bundle, run_weir):
    path = make_bundle({"main.lua": DECLARED}, "--version", "2.0.0-rc.1", "--expires", "2099-12-31")
    text = run_weir("bundle", "inspect", path).stdout
    assert text.startswith("main 2.0.0-rc.1\n  about     Rotates a tier.\n  file      ")
    assert "  signature not signed\n" in text
    assert "  expires   2099-12-31T23:59:59Z\n" in text
    assert "will be able to do this, and no more:\n" in text
    assert "  GROUP                  where to\n" in text
    assert "  --tier TIER            (gold, silver; default gold)\n" in text
    assert text.splitlines()[-1].endswith("  main.lua")


def test_inspect_json(make_bundle, run_weir):
    path = make_bundle({"main.lua": DECLARED}, "--version", "2.0.0")
    known = json.loads(run_weir("bundle", "inspect", "--json", path).stdout)
    assert (known["name"], known["version"]) == ("main", "2.0.0")
    assert known["form"] == "script"
    assert known["signature"] == {"status": "unsigned", "words": "not signed"}
    assert known["args"]["params"][1]["choices"] == ["gold", "silver"]
    assert [file["path"] for file in known["files"]] == ["main.lua"]
    assert known["needs"] == {"net": [], "read": [], "write": [], "env": [], "mutate": False}
    assert "problem" not in known
    assert len(known["can"]) == 5


def test_inspect_shows_what_cannot_run_here(run_weir, tmp_path):
    path = tmp_path / "old.weir"
    path.write_bytes(bundle_of({"main.lua": "print(1)\n"}, expires="2020-01-31T23:59:59Z"))
    result = run_weir("bundle", "inspect", path)
    assert result.returncode == 0
    assert '"test" 1.0.0 expired on 2020-01-31T23:59:59Z' in result.stdout


@pytest.mark.parametrize("command", ["inspect", "verify", "run"])
def test_what_is_no_bundle(run_weir, script, command, tmp_path):
    path = script("print 'it has run'\n")
    result = run_weir("bundle", command, path)
    assert (result.returncode, result.stdout) == (4, "")
    assert "is no bundle; weir bundle create makes one of a script" in result.stderr
    result = run_weir("bundle", command, tmp_path / "nothing.weir")
    assert result.returncode == 1
    assert "nothing.weir: No such file or directory" in result.stderr
    assert run_weir("bundle", command).returncode == 64


def test_verify_wants_a_signature(make_bundle, run_weir):
    result = run_weir("bundle", "verify", make_bundle(TWO))
    assert result.returncode == 5
    assert "not signed" in result.stderr


# Running ---------------------------------------------------------------------------


def test_three_ways_to_run(make_bundle, run_weir, weir, clean_env, tmp_path):
    path = make_bundle({"main.lua": "print(arg[0]:match('[^/]*$'), #arg, ...)\n"})
    path.chmod(0o755)
    expected = "test.weir\t2\ta\t--b\n"
    for words in (["bundle", "run", "--accept", path], ["run", "--accept", path]):
        assert run_weir(*words, "a", "--b").stdout == expected
    os.symlink(weir, tmp_path / "weir")
    env = {**clean_env, "PATH": f"{tmp_path}:{clean_env['PATH']}"}
    result = subprocess.run([path, "a", "--b"], env=env, capture_output=True, text=True,
                            stdin=subprocess.DEVNULL, timeout=60)
    # Nobody agreed, and nobody can be asked.
    assert result.returncode == 5
    assert "run it with --accept" in result.stderr


def test_require_finds_the_bundle_alone(make_bundle, run_bundle, script, tmp_path):
    path = make_bundle({"main.lua": """\
        print(pcall(require, "beside"))
        print(pcall(dofile, "beside.lua"))
        print(loadfile("beside.lua"))
        """})
    script("print 'from beside'\n", "beside.lua")
    env = {"LUA_PATH": f"{tmp_path}/?.lua", "LUA_PATH_5_4": f"{tmp_path}/?.lua"}
    result = run_bundle(path, cwd=tmp_path, env=env)
    assert "from beside" not in result.stdout
    assert "no file 'beside.lua' and no file 'beside/init.lua' in the bundle" in result.stdout
    assert result.stdout.count("there is no such file in the bundle") == 2


def test_data_comes_from_the_bundle(make_bundle, run_bundle, script, tmp_path):
    path = make_bundle({
        "main.lua": """\
            local f = assert(io.open("data/rules.csv"))
            print(f:read("l"), f:seek("set", 0), f:read("a"))
            f:close()
            for line in io.lines("./data//rules.csv") do print(line) end
            print(io.open("data/rules.csv", "w"))
            print(#assert(io.open("data/empty.csv")):read("a"))
            """,
        "data/rules.csv": "one\ntwo\n", "data/empty.csv": ""})
    script("changed\n", "data/rules.csv")
    result = run_bundle(path, cwd=tmp_path)
    assert result.stderr == ""
    assert result.stdout == (
        "one\t0\tone\ntwo\n\none\ntwo\n"
        "nil\tdata/rules.csv: is a file of the bundle, which nothing changes\t30\n0\n")
    assert (tmp_path / "data/rules.csv").read_text() == "changed\n"


def test_no_more_formats_than_there_is_room_for(make_bundle, run_bundle):
    """Each is pushed on Lua's stack, behind whose end lies other memory."""
    result = run_bundle(make_bundle({
        "main.lua": """\
            local formats = {}
            for i = 1, 600000 do formats[i] = "l" end
            print(select(2, pcall(io.lines, "data.txt", table.unpack(formats))))
            """,
        "data.txt": "one\n"}))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "stack overflow (too many formats)\n"


def test_an_error_names_the_file_inside(make_bundle, run_bundle):
    path = make_bundle({
        "main.lua": "#!/usr/bin/env weir\nlocal util = require 'lib.util'\nutil.fail(nil)\n",
        "lib/util.lua": "return {\n  fail = function(x)\n    return x.field\n  end,\n}\n"})
    result = run_bundle(path)
    assert result.returncode == 1
    assert "attempt to index a nil value (local 'x')" in result.stderr
    assert "at test.weir/lib/util.lua:3\n     3 |     return x.field\n" in result.stderr


def test_a_definition_s_fault_is_shown_at_its_line(make_bundle, run_bundle):
    path = make_bundle({"main.lua": """\
        local filter = require "weir.filter"
        assert(filter.new {
          name = "a", channel = "voice", target_group_id = "grp_1",
          matchers = {
            { attribute = "customer.tier", operator = "equalz", value = 1 },
          },
        })
        """})
    result = run_bundle(path)
    assert result.returncode == 4, result.stderr
    assert "test.weir/main.lua:5: /matchers/0/operator" in result.stderr
    assert '     5 |     { attribute = "customer.tier"' in result.stderr


def test_what_is_declared_is_what_it_may_do(make_bundle, run_bundle, run_weir, tmp_path):
    granted = tmp_path / "granted"
    granted.mkdir()
    (granted / "in.txt").write_text("in")
    path = make_bundle({"main.lua": f"""\
        local can = weir.needs {{ net = {{ "tenant" }}, read = {{ "granted" }}, env = {{ "REGION" }} }}
        print(can.read[1], can.mutate, os.getenv("REGION"))
        print(io.open("{granted}/in.txt"):read("a"))
        print(pcall(io.open, "{granted}/../main.lua"))
        """})
    assert make_bundle.made.stderr.count("\n") == 1  # main.lua is read and not granted
    known = json.loads(run_weir("bundle", "inspect", "--json", path).stdout)
    assert known["needs"] == {
        "net": ["tenant"], "read": ["granted"], "write": [], "env": ["REGION"], "mutate": False}
    result = run_bundle(path, env={"REGION": "emea"})
    assert result.stdout.startswith(f"{granted}\tfalse\temea\nin\nfalse\tdenied: read: "), result.stderr
    result = run_weir("bundle", "run", "--accept", "--deny-env", path, env={"REGION": "emea"})
    assert "is taken away by --deny-env" in result.stderr


def test_a_bundle_is_confined(make_bundle, run_bundle, tmp_path):
    path = make_bundle({"main.lua": """\
        print(os.execute, io.popen, package.loadlib, debug.getregistry)
        print(pcall(io.open, "/etc/hostname"))
        print(pcall(io.open, "out.txt", "w"))
        print(pcall(os.getenv, "HOME"))
        """})
    result = run_bundle(path, cwd=tmp_path)
    assert result.stdout.startswith("nil\tnil\tnil\tnil\nfalse\t"), result.stderr
    assert result.stdout.count("false\t") >= 2
    assert not (tmp_path / "out.txt").exists()


def test_a_program_of_its_own(make_bundle, run_weir, clean_env, tmp_path):
    path = make_bundle(TWO, "--exe", output="greet")
    known = json.loads(run_weir("bundle", "inspect", "--json", path).stdout)
    assert known["form"] == "program"

    def run(*words):
        return subprocess.run([path, *words], env=clean_env, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60)

    asked = run("you")
    assert asked.returncode == 5 and "run it with --accept" in asked.stderr
    accepted = run("--weir", "bundle", "run", "--accept", path, "you")
    assert (accepted.returncode, accepted.stdout) == (0, "hello you\n")
    assert run("--weir", "--version").stdout.startswith("weir ")
    # Of a program with a bundle, the program alone goes into the next one.
    again = tmp_path / "again"
    made = run("--weir", "bundle", "create", str(tmp_path / "main.lua"), "-o", str(again), "--exe")
    assert made.returncode == 0, made.stderr
    assert again.stat().st_size == path.stat().st_size
    data = bytearray(path.read_bytes())
    data[data.rindex(b"hello ")] ^= 1
    path.unlink()
    path.write_bytes(data)
    path.chmod(0o755)
    broken = run("you")
    assert broken.returncode == 4
    assert "hello" not in broken.stdout


def test_what_was_read_is_what_runs(weir, clean_env, make_bundle):
    """The file is replaced while it runs: nothing is read again."""
    path = make_bundle({
        "main.lua": """\
            print "begun"
            io.stdout:flush()
            io.read("l")
            print((require("late")))
            """,
        "late.lua": "return 'as it was verified'\n"})
    with subprocess.Popen([weir, "bundle", "run", "--accept", path], env=clean_env, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as running:
        assert running.stdout.readline() == "begun\n"
        path.write_bytes(bundle_of({"main.lua": "print 'other'\n", "late.lua": "return 'other'\n"}))
        assert running.communicate("go on\n", timeout=60) == ("as it was verified\n", "")


# Being asked ------------------------------------------------------------------------


def accepted_file(tmp_path):
    return tmp_path / ".local/state/weir/accepted.json"


def test_a_terminal_is_asked_once(terminal, make_bundle, tmp_path):
    path = make_bundle({"main.lua": "print('it has run')\n"}, "--version", "1.0.0")
    asked = terminal("bundle", "run", path)
    asked.see(r"main 1\.0\.0 \(")
    asked.see("It will be able to do this, and no more:")
    asked.see(r"Run it\? \[y/N\]")
    asked.type("y\r")
    asked.see("it has run")
    assert stat.S_IMODE(accepted_file(tmp_path).stat().st_mode) == 0o600
    again = terminal("bundle", "run", path)
    again.see("it has run")
    assert "Run it?" not in again.text()
    other = make_bundle({"main.lua": "print('another has run')\n"}, "--version", "1.0.0")
    terminal("bundle", "run", other).see(r"Run it\? \[y/N\]")


@pytest.mark.parametrize("answer", ["n\r", "\r", "yo\r", "\x04"])
def test_no_is_no(terminal, make_bundle, tmp_path, answer):
    path = make_bundle({"main.lua": "print('it has ' .. 'run')\n"})
    asked = terminal("run", path)
    asked.see(r"Run it\? \[y/N\]")
    asked.type(answer)
    asked.see("not run, as you said")
    assert "it has run" not in asked.text()
    assert not accepted_file(tmp_path).exists()


@pytest.mark.parametrize("spoil", ["{", "[]", '{"accepted": 3}'])
def test_an_answer_that_cannot_be_read_is_asked_again(terminal, make_bundle, tmp_path, spoil):
    path = make_bundle({"main.lua": "print('it has run')\n"})
    accepted_file(tmp_path).parent.mkdir(parents=True, exist_ok=True)
    accepted_file(tmp_path).write_text(spoil)
    asked = terminal("run", path)
    asked.see(r"Run it\? \[y/N\]")
    asked.type("yes\r")
    asked.see("it has run")
    assert len(json.loads(accepted_file(tmp_path).read_text())["accepted"]) == 1


def test_what_was_typed_before_the_question_is_no_answer(terminal, weir, make_bundle, tmp_path):
    path = make_bundle({"main.lua": "print('it has run')\n"})
    os.mkfifo(tmp_path / "go")
    asked = terminal("-c", f"cat go && exec {weir} run {path}", program="/bin/sh")
    asked.child.setecho(True)
    asked.type("y\r").see("^y$")
    (tmp_path / "go").write_text("now\n")
    asked.see(r"Run it\? \[y/N\]")
    asked.type("n\r")
    assert asked.ended() == 5
    assert "it has run" not in asked.text()


def move_behind_a_link(path):
    path.rename(path.with_name("theirs.json"))
    path.symlink_to("theirs.json")


@pytest.mark.parametrize("spoil", [
    lambda path: path.chmod(0o666),
    pytest.param(lambda path: os.chown(path, 65534, 65534),
                 marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")),
    move_behind_a_link,
])
def test_an_answer_that_others_could_have_written_counts_for_nothing(
        terminal, make_bundle, tmp_path, spoil):
    path = make_bundle({"main.lua": "print('it has run')\n"})
    asked = terminal("run", path)
    asked.see(r"Run it\? \[y/N\]")
    asked.type("y\r")
    asked.see("it has run")
    spoil(accepted_file(tmp_path))
    terminal("run", path).see(r"Run it\? \[y/N\]")


def test_require_signature(make_bundle, run_weir, script):
    path = make_bundle({"main.lua": "print('it has run')\n"})
    for words in (["run", "--require-signature", "--accept", path],
                  ["bundle", "run", "--require-signature", "--accept", path]):
        result = run_weir(*words)
        assert (result.returncode, result.stdout) == (5, "")
        assert "not signed" in result.stderr
    result = run_weir("run", "--require-signature", script("print('it has run')\n"))
    assert (result.returncode, result.stdout) == (4, "")
    assert "a script has no signature; weir bundle create makes a bundle of it" in result.stderr


def test_no_script_pays_for_bundles(make_bundle, run_weir, script):
    """libarchive is loaded for a bundle, and for nothing else."""
    path = make_bundle({"main.lua": "print(1)\n"})
    env = {"LD_DEBUG": "files"}
    assert "libarchive" not in run_weir("run", script("print(1)\n"), env=env).stderr
    assert "libarchive" in run_weir("run", "--accept", path, env=env).stderr


# Around it -------------------------------------------------------------------------


def test_help_completion_and_manual(run_weir):
    overview = run_weir("bundle", "--help").stdout
    for part in ("create", "inspect", "verify", "run"):
        assert f"bundle {part}" in overview
        text = run_weir("bundle", part, "--help").stdout
        assert text.startswith(f"usage: weir bundle {part}")
        assert run_weir("help", "bundle", part).stdout == text
        assert f"weir bundle {part}" in run_weir("help", "--man").stdout.replace("\\-", "-")
    offered = run_weir("completion", "--complete", "--", "weir", "bundle", "").stdout
    assert {line.split("\t")[0] for line in offered.splitlines()} >= {"create", "inspect", "verify", "run"}
    offered = run_weir("completion", "--complete", "--", "weir", "bundle", "create", "--").stdout
    assert "--include\t" in offered
    assert ":files" in run_weir("completion", "--complete", "--", "weir", "bundle", "run", "x").stdout


def test_arguments_are_completed(make_bundle, run_weir):
    path = make_bundle({"main.lua": DECLARED})
    for words in (["run"], ["bundle", "run"]):
        offered = run_weir("completion", "--complete", "--", "weir", *words, path, "--").stdout
        assert offered.splitlines() == ["--tier\t", "--help\tthis text"]
        offered = run_weir("completion", "--complete", "--", "weir", *words, path, "--tier", "g").stdout
        assert offered.split() == ["gold"]


def test_no_such_part(run_weir):
    result = run_weir("bundle", "creat")
    assert result.returncode == 64
    assert "no command 'creat' (did you mean 'create'?)" in result.stderr
    assert "create, inspect, verify or run" in run_weir("bundle").stderr


def test_the_report_names_the_bundle(make_bundle, run_weir, tmp_path):
    path = make_bundle({"main.lua": "print(1)\n"}, "--name", "one", "--version", "3.0.0")
    report = tmp_path / "report.json"
    run_weir("bundle", "run", "--accept", "--report", report, path)
    ran = json.loads(report.read_text())
    assert "3.0.0" in json.dumps(ran) and '"bundle"' in json.dumps(ran)

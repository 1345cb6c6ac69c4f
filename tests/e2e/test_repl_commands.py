"""The commands of the session, with good input and bad."""

import os
import re
import stat
import time

import pytest

DEPLOY = ("tenant.filters:deploy { name = 'gold', channel = 'chat', target_group_id = 'grp_1', "
          "matchers = { { attribute = 'customer.tier', operator = 'equals', value = 'gold' } } }")


@pytest.fixture
def session(run_weir):
    """session(*inputs) → CompletedProcess of these lines against the simulator."""

    def run(*inputs, **more):
        return run_weir("repl", "--sim", input="\n".join(inputs) + "\n", **more)

    return run


# Showing -----------------------------------------------------------------------


def test_a_listing_shows_its_first_rows_and_all_the_rest(session):
    create = ("for i = 1, 60 do tenant.filters:create { name = ('f%02d'):format(i), "
              "channel = 'chat', target_group_id = 'g' } end")
    result = session(create, "tenant.filters:list { page_size = 7 }", ":all", "#_")
    lines = result.stdout.splitlines()
    assert re.match(r"id +name +status +channel", lines[0])
    assert "… more; :all shows every one" in lines
    assert lines.index("… more; :all shows every one") == 41
    assert sum("f60" in line for line in lines) == 1
    assert lines[-1] == "60"


def test_other_things_made_for_a_loop(session):
    result = session("pairs { a = 1 }", "io.lines('/dev/null')", "ipairs { 'x', 'y' }")
    assert result.stdout == '{ { "a", 1 } }\n{}\n{ { 1, "x" }, { 2, "y" } }\n'


def test_a_listing_that_fails_is_reported(session):
    result = session("weir.sim.fault { kind = 'status', status = 403, call = 'list' };",
                     "tenant.filters:list()")
    assert result.returncode == 5 and "403" in result.stderr


def test_err_values_are_shown_as_the_report_shows_them(session):
    result = session("local ok, e = pcall(weir.filter.new, { name = 'x', channel = 'vocie' })", "e")
    assert "weir: validation: 2 problems in the definition" in result.stdout
    assert "did you mean 'voice'?" in result.stdout
    assert result.returncode == 0


def test_nil_and_err(session):
    result = session("weir.json.decode '{'")
    assert result.stdout.startswith("nil\nweir: syntax: line 1")


def test_a_listing_is_let_go_of_by_the_next_value(session):
    create = ("for i = 1, 60 do tenant.filters:create { name = ('f%02d'):format(i), "
              "channel = 'chat', target_group_id = 'g' } end")
    count = "local _, ops = require 'weir.core.task'.count()"
    result = session(create, "tenant.filters:list { page_size = 41 }", "1", count, "ops")
    assert result.stdout.endswith("\n1\n0\n")


def test_all_without_anything(session):
    assert session(":all").stdout == "nothing was shown yet\n"


def test_items_beyond_the_limit(session):
    result = session("local t = {} for i = 1, 862 do t[i] = i end", "t", ":all")
    assert "… 812 more" in result.stdout and "(:all shows everything)" in result.stdout
    assert "861, 862," in result.stdout


# Help ------------------------------------------------------------------------------


@pytest.mark.parametrize("name, parts", [
    ("deploy", ["tenant.filters:deploy(definition, opts?) → cxone.record", "example"]),
    ("tenant.filters", ["tenant.filters:wait_active(what, opts?)", "example"]),
    ("tenant", ["filters", "groups", "cxone.tenant"]),
    ("weir.json.encode", ["weir.json.encode(value, options?)", "example"]),
    ("json.encode", ["weir.json.encode(value, options?)"]),
    ("weir", ["breakpoint()", "sim_url?"]),
    ("weir.err.Code", ['"conflict"', "409"]),
    (":watch", ["SECONDS LUA"]),
    ("", [":save", ":trace", "Ctrl-D leaves"]),
])
def test_help(session, name, parts):
    result = session(f":help {name}")
    assert result.returncode == 0, result.stderr
    for part in parts:
        assert part in result.stdout


def test_doc_has_the_options_too(session):
    result = session(":doc tenant.filters:deploy")
    for part in ["on_failure?", '"delete"', "interval?", "matchers?", "returns"]:
        assert part in result.stdout


def test_help_that_is_not_there_suggests(session):
    result = session(":help tenant.filters:deplyo")
    assert "(did you mean 'tenant.filters:deploy'?)" in result.stderr
    assert result.returncode == 1


@pytest.mark.parametrize("line, said", [
    (":hlep", "no command :hlep (did you mean :help?)"),
    (":zzz", "no command :zzz"),
    (":", "no command :"),
    (":quit now", ":quit: takes nothing after it"),
    (":load", ":load: needs FILE"),
    (":time", ":time: needs LUA"),
    (":watch often x", ":watch: needs a number of seconds"),
    (":watch 0 x", ":watch: needs a number of seconds"),
    (":doc", ":doc: needs NAME"),
    (":continue", "no command :continue"),
    (":save x.lua", ":save: nothing has succeeded yet"),
    (":load /nowhere.lua", "cannot load /nowhere.lua: No such file"),
    (":time 1 +", "syntax:"),
])
def test_bad_commands(session, line, said):
    result = session(line)
    assert said in result.stderr and result.stdout == ""
    assert result.returncode == 1


# Time, load, save ---------------------------------------------------------------------


def test_time(session):
    result = session("tenant.filters:list();", ":time tenant.filters:list { page_size = 5 }", "_")
    assert re.search(r"^[\d.]+ ms, [\d.]+ ms of it computing, 1 request$", result.stdout, re.M)


def test_load_gives_the_session_its_names(session, script):
    path = script("#!/usr/bin/env weir\nlocal a, b = 1, 2\nfunction sum() return a + b end")
    result = session(f":load {path}", "sum()", "a = 10", "sum()")
    assert result.stdout == "3\n12\n"


def test_an_error_in_a_loaded_file_has_its_line(session, script):
    path = script("local x = nil\nlocal y = x.field")
    result = session(f":load {path}")
    assert f"{path}:2" in result.stderr and "local y = x.field" in result.stderr


def test_save_writes_a_script_that_runs(session, run_weir, tmp_path):
    path = tmp_path / "saved.lua"
    result = session(
        "local count = 0", "function up() count = count + 1 return count end", "up()",
        "local count = 10", "up()", DEPLOY, "id = _.id", "tenant.filters:list()",
        "local rows = _", "#rows", "1 + 1", "s = 'two\\nlines'", "print(id == rows[1].id, count)",
        f":save {path}")
    assert result.returncode == 0, result.stderr
    assert f"13 inputs in {path}" in result.stdout
    saved = run_weir("run", "--sim", path)
    assert saved.returncode == 0, saved.stderr + path.read_text()
    assert saved.stdout == "1\n2\ntrue\t11\n"
    assert "local count = 0" in path.read_text()


def test_failures_are_not_saved_and_secrets_neither(terminal, tmp_path):
    t = terminal("--sim").prompt()
    t.enter("nothing.there()")
    t.enter("x = 'hunter2-is-secret'")
    t.enter("weir.log.secret(x)")
    assert "secrets are left out of it" in " ".join(t.output_of(":save kept.lua"))
    text = (tmp_path / "kept.lua").read_text()
    assert "hunter2" not in text and "nothing.there" not in text
    t.type(":save kept.lua\r").see("exists; :save -f overwrites it").prompt()
    assert "2 inputs" in " ".join(t.output_of(":save -f kept.lua"))
    t.end()


def test_many_names_are_saved_too(session, run_weir, tmp_path):
    path = tmp_path / "many.lua"
    inputs = [f"local v{i} = {i}" for i in range(210)]
    session(*inputs, "print(v0 + v209)", f":save {path}")
    assert run_weir("run", path).stdout == "209\n"


# At a terminal ----------------------------------------------------------------------------


def test_watch_marks_changes_until_ctrl_c(terminal):
    t = terminal("--sim").prompt()
    t.enter("n = 0")
    t.type(":watch 0.2 (function() n = n + 1 return { same = 'x', n = n } end)()\r")
    t.see("every 0.2 s").wait(lambda t: re.search("n = [4-9]", t.text()), "goes on")
    assert t.text().count("every 0.2 s") == 1  # in one place
    t.type("\x03").prompt()
    assert b"\x1b[7m" in t.raw
    assert not re.search(rb"\x1b\[7m\"x\"", t.raw)
    assert t.output_of("'alive'") == ['"alive"']
    t.end()


def test_a_failing_watch_is_reported(session):
    assert "undeclared name 'nope'" in session(":watch 1 nope").stderr


def editor(tmp_path, line):
    path = tmp_path / "editor.sh"
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"EDITOR": str(path)}


def test_edit_brings_back_what_was_written(terminal, tmp_path):
    env = editor(tmp_path, "cp \"$1\" seen.lua; printf 'print(40 +\\n  2)\\n' > \"$1\"")
    t = terminal("--sim", env=env).prompt()
    t.enter("print('first')")
    t.type(":edit\r").see(r"^  2\)$")
    assert (tmp_path / "seen.lua").read_text() == "print('first')\n"
    t.type("\r").see("^42$").prompt()
    t.type("x = 'typed").see("typed")
    t.type("\x18\x05").wait(lambda t: (tmp_path / "seen.lua").read_text() == "x = 'typed\n", "seen")
    t.see(r"^  2\)$").type("\x03").prompt()
    t.end()


def test_an_editor_that_fails_changes_nothing(terminal, tmp_path):
    t = terminal("--sim", env=editor(tmp_path, "exit 3")).prompt()
    t.type(":edit\r").see("the editor failed; nothing is taken from it").prompt()
    t.end()


def test_tab_completes_and_lists(terminal):
    t = terminal("--sim").prompt()
    t.type("tenant.fil\t").wait(lambda t: t.cursor_line() == "sim> tenant.filters", "completed")
    t.type(":dep\t").wait(lambda t: t.cursor_line() == "sim> tenant.filters:deploy(", "completed")
    t.type("{ channel = 'v\t").wait(lambda t: t.cursor_line().endswith("'voice'"), "a word")
    t.type("\x03").prompt()
    t.type("tenant.filters:\t").see("wait_active").wait(
        lambda t: t.cursor_line() == "sim> tenant.filters:", "typed again below")
    t.type("\x03").prompt()
    t.enter(DEPLOY + ";")
    t.type("tenant.filters:get('f\t").wait(
        lambda t: re.search(r"get\('flt_\w+'$", t.cursor_line()), "an id")
    t.type(").name\r").see('^"gold"$').prompt()
    t.end()


def test_trace_shows_requests_above_the_prompt(terminal):
    t = terminal("--sim").prompt()
    t.enter(":trace on")
    t.type("tenant.filters:list()\r").see("→ GET http").see("← 200").prompt()
    assert "sim-client-secret" not in t.text()
    t.end()


def test_a_record_too_wide_for_the_terminal_is_shown_upright(terminal):
    t = terminal("--sim", columns=40).prompt()
    t.type("x = {} for i = 1, 9 do x['field' .. i] = ('v'):rep(12) end {x, x}\x01\x0b").prompt()
    t.enter("x = {} for i=1,9 do x['k'..i] = i^9 end")
    lines = t.output_of("{ x, x }")
    assert any(line.startswith("── 2 ") for line in lines)
    assert all(len(line) <= 40 for line in lines)
    t.end()


def test_the_real_tenants_name_is_in_the_prompt(terminal):
    t = terminal(env={"CXONE_TENANT": "acme", "CXONE_CLIENT_ID": "id",
                      "CXONE_CLIENT_SECRET": "not-shown-anywhere"}).prompt("acme")
    assert b"\x1b[1;31macme" in t.raw
    t.type("tenant\r").see("<tenant acme at https://acme").prompt("acme")
    assert "not-shown-anywhere" not in t.text()
    t.end()

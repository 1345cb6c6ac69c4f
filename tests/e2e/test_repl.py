"""The interactive session, typed at a terminal and fed from a pipe."""

import os
import re
import signal
import stat
import time

import pytest


# From a pipe -----------------------------------------------------------------


def test_a_pipe_is_silent_but_for_output(run_weir):
    result = run_weir("repl", input="print(1)\n")
    assert (result.returncode, result.stdout, result.stderr) == (0, "1\n", "")


def test_expressions_are_shown_without_return(run_weir):
    result = run_weir("repl", input="1 + 1\n'a\\tb'\n= 3\nnil\n1, 'x', nil\nx = 1;\n")
    assert result.stdout == '2\n"a\\tb"\n3\nnil\n1, "x", nil\n'
    assert result.returncode == 0


def test_the_first_failure_ends_a_pipe(run_weir):
    result = run_weir("repl", input="print(1)\nlocal t = nil\nprint(t.x)\nprint(2)\n")
    assert (result.returncode, result.stdout) == (1, "1\n")
    assert "stdin:3" in result.stderr
    assert "print(t.x)" in result.stderr
    assert "print(2)" not in result.stderr


@pytest.mark.parametrize("text, code", [
    ("error(weir.err.new{code='conflict', message='m'})\n", 3),
    ("weir.filter.new{}\n", 4),
    ("tenant.filters:get('x')\n", 5),
    ("os.exit(9)\n", 9),
    ("x = \n", 1),
    ("for i = 1, 2 do\n", 1),
    ("x = 'abc\n", 1),
    (":nothing\n", 1),
])
def test_the_exit_code_tells(run_weir, text, code):
    result = run_weir("repl", input=text)
    assert (result.returncode, result.stdout) == (code, "")


def test_without_configuration_the_tenant_says_what_is_missing(run_weir):
    result = run_weir("repl", input="print('starts')\ntenant\n")
    assert result.stdout == "starts\n"
    assert "CXONE_TENANT" in result.stderr and "weir --sim" in result.stderr


def test_an_input_has_as_many_lines_as_it_needs(run_weir):
    result = run_weir("repl", input="for i = 1, 2 do\n\n  print(i)\nend\nx = [[a\nb]]\n#x\n")
    assert result.stdout == "1\n2\n3\n"


def test_locals_live_on(run_weir):
    result = run_weir("repl", input="""\
local n = 0
local function up() n = n + 1 return n end
up() up()
n
local a <const>, b = 1
a, b
do local n = 7 end
n
""")
    assert result.stdout.split("\n") == ["2", "1, nil", "2", ""]
    assert result.returncode == 0


def test_an_undeclared_name_suggests(run_weir):
    result = run_weir("repl", input="counter = 1\nprint(conuter)\n")
    assert "undeclared name 'conuter' (did you mean 'counter'?)" in result.stderr


def test_output_of_a_pipe_is_exact(run_weir):
    result = run_weir("repl", input="io.write('a')\nio.write('b')\n;\n-- nothing\n")
    assert (result.stdout, result.returncode) == ("ab", 0)


def test_io_read_takes_the_next_line_of_a_pipe(run_weir):
    result = run_weir("repl", input="x = io.read()\nfrom the pipe\nx\n")
    assert result.stdout == '"from the pipe"\n'


def test_tasks_of_a_pipe_are_waited_for(run_weir):
    result = run_weir("repl", input="""\
weir.task.spawn(function() weir.task.sleep(0.05) print('late') end);
weir.task.spawn(function() weir.task.sleep(0.01) error('lost') end);
print('first')
""")
    assert result.stdout == "first\nlate\n"
    assert "lost" in result.stderr and result.returncode == 1


def test_files_run_first(run_weir, script):
    path = script("local helper = function() return 'helped' end")
    result = run_weir("repl", path, input="helper()\n")
    assert result.stdout == '"helped"\n'


def test_a_missing_file_to_load(run_weir):
    result = run_weir("repl", "/nowhere.lua", input="print(1)\n")
    assert (result.returncode, result.stdout) == (1, "")
    assert "/nowhere.lua" in result.stderr


# At a terminal ---------------------------------------------------------------


def test_typing_and_leaving(terminal):
    t = terminal("--sim").prompt()
    assert t.output_of("1 + 1") == ["2"]
    assert t.output_of("_ * 21") == ["42"]
    assert t.output_of("nonsense")[0] == "weir: undeclared name 'nonsense'"
    assert t.end() == 0


def test_the_program_alone_is_a_session(terminal):
    t = terminal().prompt("weir")
    assert t.end() == 0


def test_an_input_of_many_lines(terminal):
    t = terminal("--sim").prompt()
    t.type("for i = 1, 2 do\r").wait(lambda t: t.screen.cursor.x == 2, "indented")
    t.type("print('n' .. i)").see("print").type("\r")
    t.wait(lambda t: t.screen.cursor.x == 2 and t.cursor_line() == "", "indented")
    t.type("end\r").see("^n2$").prompt()
    lines = [line for line in t.lines() if line]
    assert lines[-6:] == ["sim> for i = 1, 2 do", "  print('n' .. i)", "end", "n1", "n2", "sim>"]


def test_ctrl_c_stops_the_line_and_not_the_session(terminal):
    t = terminal("--sim").prompt()
    t.type("weir.task.sleep(600)\r").see(r"sleep\(600\)\n\n*$")
    time.sleep(0.2)
    t.type("\x03").see("weir: interrupted").prompt()
    t.type("while true do end\r")
    time.sleep(0.3)
    t.type("\x03").wait(lambda t: t.text().count("interrupted") == 2, "second").prompt()
    assert t.output_of("'alive'") == ['"alive"']
    assert t.end() == 0


def test_ctrl_c_twice_stops_what_swallows_it(terminal):
    t = terminal("--sim").prompt()
    t.type("while true do pcall(function() while true do end end) end\r")
    time.sleep(0.3)
    t.type("\x03")
    time.sleep(0.3)
    t.type("\x03").see("weir: interrupted").prompt()
    t.type("while true do pcall(weir.task.sleep, 60) end\r")
    time.sleep(0.3)
    t.type("\x03")
    time.sleep(0.3)
    t.type("\x03").wait(lambda t: t.text().count("weir: interrupted") == 2, "twice").prompt()
    assert t.end() == 0


def test_what_a_task_prints_makes_the_typed_line_step_aside(terminal):
    t = terminal("--sim").prompt()
    t.enter("weir.task.spawn(function() weir.task.sleep(0.3) print('from below') end);")
    t.type("x = 'typed").see("^from below$").see("^sim> x = 'typed$")
    t.type("'\r").prompt()
    assert t.output_of("x") == ['"typed"']
    t.end()


def test_a_paste_runs_nothing_by_itself(terminal):
    t = terminal("--sim").prompt()
    t.type("\x1b[200~print('one')\nprint('two')\n\x1b[201~").see(r"^print\('two'\)$")
    time.sleep(0.2)
    t.read()
    assert "\none\n" not in t.text()
    t.type("\r").see("^two$").prompt()
    t.end()


def test_utf8_is_edited_by_characters(terminal):
    t = terminal("--sim").prompt()
    t.type("s = 'añ漢字e'").see("字e'")
    t.type("\x1b[D\x1b[D\x7f").see("漢e'").type("\r").prompt()
    assert t.output_of("s") == ['"añ漢e"']
    assert t.output_of("utf8.len(s)") == ["4"]
    t.end()


@pytest.mark.parametrize("rows, columns", [(24, 80), (50, 200)])
def test_long_lines_wrap_and_come_back(terminal, rows, columns):
    t = terminal("--sim", rows=rows, columns=columns).prompt()
    long = "#('" + "x" * 300 + "')"
    t.type(long).wait(lambda t: t.is_typed(long), "typed")
    t.type("\r").see("^300$").prompt()
    t.type("\x1b[A").wait(lambda t: t.cursor_line().endswith("x')"), "recalled")
    t.type("\x03").prompt()
    t.end()


def test_the_window_changes_its_size(terminal):
    t = terminal("--sim").prompt()
    t.type("abc = 'before'").see("before'")
    t.resize(50, 200)
    time.sleep(0.3)
    t.type(" .. '" + "y" * 120 + "'").wait(
        lambda t: t.cursor_line() == "sim> abc = 'before' .. '" + "y" * 120 + "'", "one line")
    t.type("\r").prompt()
    assert t.output_of("#abc") == ["126"]
    t.end()


def test_a_narrower_window_keeps_what_stands_above(terminal):
    t = terminal("--sim").prompt()
    t.enter("'stays'")
    t.type("x = '" + "y" * 100 + "'").wait(lambda t: t.is_typed("y" * 100 + "'"), "typed")
    t.resize(24, 50)
    time.sleep(0.3)
    t.type(" -- z").wait(lambda t: t.cursor_line().endswith("-- z"), "drawn anew")
    assert '"stays"' in t.lines() and "sim> 'stays'" in t.lines()
    t.type("\r").prompt()
    assert t.output_of("#x") == ["100"]
    t.end()


def test_an_input_taller_than_the_window(terminal):
    t = terminal("--sim", rows=10).prompt()
    lines = "t = {\n" + "".join(f"  {i},\n" for i in range(30)) + "}"
    t.type(f"\x1b[200~{lines}\x1b[201~").wait(lambda t: t.cursor_line() == "}", "pasted")
    t.type("\r").prompt()
    assert t.output_of("#t") == ["30"]
    t.type("\x1b[A\x1b[A").wait(lambda t: t.cursor_line() == "}", "recalled")
    t.type("\x03").prompt().end()


def test_the_history_is_bounded(terminal, tmp_path):
    path = history_of(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text("".join(f"old{i} = '{'x' * 100}'\n" for i in range(11000)))
    os.chmod(path, 0o644)
    t = terminal("--sim").prompt()
    t.enter("newest = 1")
    t.end()
    lines = path.read_text().splitlines()
    assert path.stat().st_size < 1 << 20
    assert lines[-1] == "newest = 1" and lines[-2].startswith("old10999")
    assert len(lines) > 4000
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_history_that_cannot_be_kept_is_said(terminal, tmp_path):
    (tmp_path / ".local").write_text("in the way")
    t = terminal("--sim").prompt()
    t.type("x = 1\r").see("cannot keep the history").prompt()
    assert t.output_of("x") == ["1"]
    t.end()


def history_of(tmp_path):
    return tmp_path / ".local/state/weir/history"


def test_history_goes_from_session_to_session(terminal, tmp_path):
    t = terminal("--sim").prompt()
    t.enter("first = 1")
    t.type("\x1b[200~for i = 1, 1 do\rprint('multi')\rend\x1b[201~\r")
    t.see("^multi$").prompt().end()
    assert history_of(tmp_path).read_text() == \
        "first = 1\nfor i = 1, 1 do\\nprint('multi')\\nend\n"
    assert stat.S_IMODE(history_of(tmp_path).stat().st_mode) == 0o600
    assert stat.S_IMODE(history_of(tmp_path).parent.stat().st_mode) == 0o700
    t = terminal("--sim").prompt()
    t.type("\x1b[A").see("^end$").type("\r").see("^multi$").prompt()
    t.type("\x12first").see("first = 1").type("\r").prompt()
    t.end()


def test_arrows_bring_back_what_begins_as_typed(terminal):
    t = terminal("--sim").prompt()
    for line in ["aa = 1", "bb = 2", "ab = 3"]:
        t.enter(line)
    up, down = "\x1b[A", "\x1b[B"

    def line(text):
        t.wait(lambda t: t.cursor_line() == f"sim> {text}".rstrip(), text)

    for key, shown in [(up, "ab = 3"), (up, "bb = 2"), (up, "aa = 1"), (up, "aa = 1"),
                       (down, "bb = 2"), (down, "ab = 3"), (down, "")]:
        t.type(key)
        line(shown)
    t.type("a")
    line("a")
    for key, shown in [(up, "ab = 3"), ("\x10", "aa = 1"), ("\x0e", "ab = 3"), (down, "a")]:
        t.type(key)
        line(shown)
    t.type("\x03").prompt().end()


def test_sessions_at_once_keep_each_others_lines(terminal, tmp_path):
    a, b = terminal("--sim").prompt(), terminal("--sim").prompt()
    for i in range(3):
        a.enter(f"a{i} = {i}")
        b.enter(f"b{i} = {i}")
    a.end()
    b.end()
    assert sorted(history_of(tmp_path).read_text().splitlines()) == [
        f"{s}{i} = {i}" for s in "ab" for i in range(3)]


def test_secrets_are_not_in_the_history(terminal, tmp_path):
    t = terminal("--sim").prompt()
    t.enter("early = 'hunter2-was-here'")
    t.enter("weir.log.secret('hunter2-was-here')")
    t.enter("again = 'hunter2-was-here'")
    t.enter("c = { client_secret = 'never-told' }")
    t.enter("harmless = 1")
    assert t.output_of("early") == ['"[redacted]"']
    t.end()
    assert history_of(tmp_path).read_text() == "harmless = 1\nearly\n"


def test_the_rc_file_runs_and_a_broken_one_is_reported(terminal, tmp_path):
    rc = tmp_path / ".config/weir/repl.lua"
    rc.parent.mkdir(parents=True)
    rc.write_text("local answer = 42\n")
    t = terminal("--sim").prompt()
    assert t.output_of("answer") == ["42"]
    t.end()
    rc.write_text("answer = nil + 1\n")
    t = terminal("--sim").prompt().see("repl.lua:1")
    assert t.output_of("'starts'") == ['"starts"']
    t.end()
    t = terminal("--sim", "--no-rc").prompt()
    assert "repl.lua" not in t.text()
    t.end()


def test_ctrl_d_warns_of_running_tasks(terminal):
    t = terminal("--sim").prompt()
    t.enter("weir.task.spawn(weir.task.sleep, 600);")
    t.type("\x04").see("1 task still runs; once more ends it").prompt()
    assert t.end() == 0


def test_a_dumb_terminal_reads_plain_lines(terminal):
    t = terminal("--sim", env={"TERM": "dumb"}).see("^sim>$")
    t.type("for i = 1, 1 do\n").see(r"\.\.\.>$")
    t.type("print('dumb')\nend\n").see("dumb$")
    assert b"\x1b" not in t.raw
    assert t.end() == 0


def test_colours_are_forced_into_a_pipe(run_weir):
    forced = {"CLICOLOR_FORCE": "1"}
    assert run_weir("repl", input="1\n", env=forced).stdout == "\x1b[36m1\x1b[0m\n"
    assert run_weir("repl", input="1\n", env={**forced, "NO_COLOR": "1"}).stdout == "1\n"


@pytest.mark.parametrize("env, args, colored", [
    ({}, (), True), ({"NO_COLOR": "1"}, (), False), ({}, ("--color", "never"), False),
    ({"NO_COLOR": "1"}, ("--color", "always"), True),
])
def test_colours(terminal, env, args, colored):
    t = terminal("--sim", *args, env=env).prompt()
    t.enter("{ a = 1 }")
    assert (b"\x1b[36m1" in t.raw) == colored
    t.end()


def test_suspended_and_resumed(terminal, weir):
    # Only a shell with job control can be left and come back to.
    t = terminal("--norc", "--noprofile", "-i", program="/bin/bash", env={"PS1": "shell> "})
    t.prompt("shell").type(f"{weir} --sim\r").prompt()
    t.type("x = 'kept").see("kept")
    t.type("\x1a").see("Stopped").prompt("shell")
    t.type("stty -a\r").see("[^-]icanon").prompt("shell")
    t.type("fg\r").wait(lambda t: t.cursor_line() == "sim> x = 'kept", "back")
    t.type("'\r").prompt()
    assert t.output_of("x") == ['"kept"']
    t.type("\x04").prompt("shell").end()


def test_sigterm_ends_it_in_order(terminal, tmp_path):
    t = terminal("--sim").prompt()
    t.enter("x = 1")
    os.kill(t.child.pid, signal.SIGTERM)
    assert t.ended() == 143
    assert re.search("x = 1", history_of(tmp_path).read_text())

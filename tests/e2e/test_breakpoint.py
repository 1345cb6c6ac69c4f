"""weir.breakpoint(): a script stops, somebody looks around, it goes on."""

import time

import pytest

SCRIPT = """
    local outer = { deep = 'outer value' }
    local function work(n)
      local count = n * 2
      weir.breakpoint()
      return count
    end
    print('result', work(21), outer.deep)
"""


def test_locals_are_read_and_set_and_the_script_goes_on(terminal, script):
    path = script(SCRIPT, "stop.lua")
    t = terminal("run", "--sim", path).prompt("stop.lua:5")
    t.see(r"^ +5 \|   weir.breakpoint\(\)$")
    name = "stop.lua:5"
    assert t.output_of("count", name) == ["42"]
    assert t.output_of("n + 1", name) == ["22"]
    assert "undeclared name 'outer'" in t.output_of("outer", name)[0]  # not its upvalue
    assert t.output_of("conut", name)[0].endswith("(did you mean 'count'?)")
    assert t.output_of(":locals", name)[:2] == ["n = 21", "count = 42"]
    t.enter("count = 100", name)
    t.type("cou\t").wait(lambda t: t.cursor_line() == "stop.lua:5> count", "completed")
    t.type("\x03").prompt(name)
    t.type(":where\r").see("stop.lua:5: in ").prompt(name)
    t.type("\x04").see("^result\t*100|^result +100")
    assert t.ended() == 0


def test_continue_and_the_next_stop(terminal, script):
    path = script("for i = 1, 2 do weir.breakpoint() print('after', i) end", "loop.lua")
    t = terminal("run", path).prompt("loop.lua:1")
    assert t.output_of("i", "loop.lua:1") == ["1"]
    t.enter(":continue", "loop.lua:1")
    assert t.output_of("i", "loop.lua:1") == ["2"]
    t.type(":continue\r").see("^after +2$")
    assert t.ended() == 0


def test_quit_ends_the_script(terminal, script):
    path = script("local c <close> = setmetatable({}, { __close = function() print('closed') end })"
                  "\nweir.breakpoint()\nprint('not reached')", "quit.lua")
    t = terminal("run", path).prompt("quit.lua:2")
    t.type(":quit\r").see("^closed$")
    assert t.ended() == 1
    assert "not reached" not in t.text().replace("print('not reached')", "")


def test_other_tasks_go_on_and_a_timeout_ends_the_stop(terminal, script):
    path = script("""
        weir.task.spawn(function() weir.task.sleep(0.5) print('other task') end)
        print(pcall(weir.task.timeout, 1.5, function() weir.breakpoint() end))
    """, "time.lua")
    t = terminal("run", path).prompt("time.lua:3").see("^other task$")
    t.see("was cancelled").see("not done within 1.5 s")
    assert t.ended() == 0


def test_an_error_typed_there_is_not_the_scripts(terminal, script):
    path = script("weir.breakpoint()\nprint('went on')", "err.lua")
    t = terminal("run", path).prompt("err.lua:1")
    assert "typed" in t.output_of("error('typed')", "err.lua:1")[0]
    t.type("\x04").see("^went on$")
    assert t.ended() == 0


def test_ctrl_c_there_stops_the_line_and_afterwards_the_script(terminal, script):
    path = script("weir.breakpoint()\nweir.task.sleep(600)", "int.lua")
    t = terminal("run", path).prompt("int.lua:1")
    t.type("weir.task.sleep(600)\r").see(r"sleep\(600\)$")
    t.type("\x03").see("interrupted").prompt("int.lua:1")
    t.type("\x04").wait(lambda t: t.screen.cursor.x == 0, "left")
    time.sleep(0.5)
    t.type("\x03")
    assert t.ended() == 130


@pytest.mark.parametrize("command", [["run"], ["repl"]])
def test_without_a_terminal_it_warns_and_goes_on(run_weir, script, command):
    path = script("weir.breakpoint()\nprint('went on')")
    result = run_weir(*command, path, input="")
    assert result.stdout == "went on\n" and result.returncode == 0
    assert "script.lua:1: weir.breakpoint() does nothing: there is no terminal" in result.stderr

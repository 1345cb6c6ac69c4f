"""weir run from outside: arguments, exit codes, signals, errors, progress."""

import json
import http.server
import os
import signal
import subprocess
import threading
import time

import pexpect
import pytest

# Arguments and input -------------------------------------------------------


def test_arguments_reach_the_script(run_weir, script):
    path = script("""
        print(select("#", ...), ...)
        print(arg[0], #arg, arg[1], arg[2], arg[-1])
    """)
    result = run_weir("run", path, "a b", "--sim")
    assert result.stdout == f"2\ta b\t--sim\n{path}\t2\ta b\t--sim\trun\n"
    assert result.stderr == ""
    assert result.returncode == 0


def test_a_script_without_a_command(run_weir, script):
    result = run_weir(script("print(...)"), "x")
    assert (result.returncode, result.stdout) == (0, "x\n")


def test_a_script_with_options_but_no_command(run_weir, script):
    result = run_weir("--log-level", "debug", script("print(1)"))
    assert (result.returncode, result.stdout) == (0, "1\n")


def test_standard_input(run_weir):
    result = run_weir("run", "-", "x", input="#!/x\nprint(..., arg[0])\n")
    assert (result.returncode, result.stdout) == (0, "x\t-\n")


def test_a_script_reads_standard_input(run_weir, script):
    result = run_weir("run", script("print(io.read('n') + 1)"), input="41\n")
    assert result.stdout == "42\n"


def test_shebang(weir, clean_env, script):
    path = script(f"#!{weir}\nprint('ran', ...)\n")
    path.chmod(0o755)
    result = subprocess.run([path, "x"], env=clean_env, capture_output=True,
                            text=True, timeout=20)
    assert (result.returncode, result.stdout) == (0, "ran\tx\n")


@pytest.mark.parametrize("make", [
    lambda path: path.symlink_to("nothing"),
    lambda path: path.mkdir(),
])
def test_a_scenario_that_is_there_is_not_passed_over(run_weir, script, make):
    path = script("print('ran')")
    make(path.with_name(path.stem + ".sim.lua"))
    result = run_weir("run", "--sim", path)
    assert result.returncode == 1
    assert "scenario: cannot" in result.stderr
    assert result.stdout == ""


def test_a_missing_script(run_weir):
    result = run_weir("run", "/nowhere/x.lua")
    assert result.returncode == 1
    assert "/nowhere/x.lua" in result.stderr
    assert result.stdout == ""


def test_a_reader_that_goes_away_is_no_crash(weir, clean_env, script):
    path = script("for i = 1, 1e5 do print(i) end")
    line = f"'{weir}' run '{path}' | head -1"
    result = subprocess.run(["sh", "-c", line], env=clean_env, timeout=20,
                            capture_output=True, text=True)
    assert result.stdout == "1\n"
    assert "SIGPIPE" not in result.stderr


# Usage ---------------------------------------------------------------------


@pytest.mark.parametrize("args, words", [
    (["run", "--smi", "x.lua"], ["--smi", "--sim"]),
    (["--tracebakc", "x.lua"], ["--tracebakc", "--traceback"]),
    (["rnu"], ["rnu", "run"]),
    (["run"], ["no script"]),
    (["run", "--log-level", "loud", "x.lua"], ["--log-level", "loud"]),
    (["run", "--log-format", "jsno", "x.lua"], ["json"]),
    (["run", "--sim-seed", "-1", "x.lua"], ["--sim-seed", "-1"]),
    (["run", "--sim-seed"], ["--sim-seed"]),
    (["run", "-x", "x.lua"], ["-x"]),
])
def test_a_mistake_in_the_command_line_is_64(run_weir, args, words):
    result = run_weir(*args)
    assert result.returncode == 64
    assert result.stdout == ""
    for word in words:
        assert word in result.stderr


def test_help_and_version(run_weir):
    for args, words in [
        (["--help"], ["run", "sim", "weir run --help"]),
        (["help"], ["usage"]),
        (["run", "--help"], ["--sim", "CXONE_TENANT", "Exit codes", "standard input"]),
        (["help", "run"], ["--traceback"]),
        (["--version"], ["weir 0.", "Lua 5.4", "libcurl/"]),
        (["--version", "-v"], ["proxy"]),
    ]:
        result = run_weir(*args)
        assert result.returncode == 0, args
        assert result.stderr == ""
        for word in words:
            assert word.lower() in result.stdout.lower(), (args, word)


def test_the_version_names_proxy_and_trust(run_weir):
    result = run_weir("--version", "-v", env={
        "https_proxy": "http://user:pw-secret@proxy.example:3128",
        "NO_PROXY": ".internal", "SSL_CERT_FILE": "/etc/ours.pem"})
    assert "proxy.example:3128" in result.stdout
    assert "pw-secret" not in result.stdout
    assert ".internal" in result.stdout
    assert "/etc/ours.pem" in result.stdout


# Exit codes ----------------------------------------------------------------


@pytest.mark.parametrize("code, status", [
    ("conflict", 3), ("validation", 4), ("auth", 5), ("permission", 5),
    ("config", 5), ("timeout", 6), ("rate", 6), ("server", 1), ("own", 1),
])
def test_the_code_of_an_uncaught_err(run_weir, script, code, status):
    path = script(f"""
        local err = require "weir.err"
        error(err.new {{ code = "{code}", message = "because", hint = "do so" }})
    """)
    result = run_weir("run", path)
    assert result.returncode == status
    assert f"weir: {code}: because\n" in result.stderr
    assert "  what to do: do so\n" in result.stderr


def test_os_exit(run_weir, script):
    path = script("""
        local weir_task = require "weir.task"
        local function noted(word)
          return setmetatable({}, { __close = function() print(word) end })
        end
        weir_task.spawn(function()
          local _ <close> = noted("other closed")
          weir_task.sleep(100)
        end)
        weir_task.sleep(0)
        local _ <close> = noted("main closed")
        pcall(function() coroutine.wrap(function() os.exit(7) end)() end)
        print("not reached")
    """)
    result = run_weir("run", path)
    assert result.returncode == 7
    assert result.stdout == "other closed\nmain closed\n"
    assert result.stderr == ""


@pytest.mark.parametrize("call, status", [
    ("os.exit()", 0), ("os.exit(true)", 0), ("os.exit(false)", 1),
    ("os.exit(256)", 1), ("os.exit(1 << 32)", 1), ("os.exit(-1)", 255),
    ("os.exit(9)", 9), ("table.sort({1, 2}, function() os.exit(8) end)", 8),
])
def test_os_exit_codes(run_weir, call, status):
    result = run_weir("run", "-", input=f"io.write('kept') {call}")
    assert (result.returncode, result.stdout) == (status, "kept")


# Errors --------------------------------------------------------------------


def test_an_error_shows_the_scripts_line(run_weir, script):
    path = script("""\
        local function work(t)
          return t.name.first
        end
        work {}
    """)
    result = run_weir("run", path)
    assert result.returncode == 1
    assert result.stdout == ""
    assert "attempt to index a nil value (field 'name')" in result.stderr
    assert f"{path}:2" in result.stderr
    assert "return t.name.first" in result.stderr
    assert "stack traceback" not in result.stderr


def test_an_error_inside_our_modules_shows_the_scripts_line(run_weir, script):
    path = script("""\
        local task = require "weir.task"
        task.map({ 1 }, { limt = 2 }, print)
    """)
    result = run_weir("run", path)
    assert result.returncode == 1
    assert "did you mean 'limit'" in result.stderr
    assert "task.map({ 1 }, { limt = 2 }, print)" in result.stderr
    assert "[weir." not in result.stderr


def test_an_err_from_a_task_shows_where_it_was_raised(run_weir, script):
    path = script("""\
        local err, task = require "weir.err", require "weir.task"
        local cause = err.new { code = "transport", message = "cable out" }
        local function work()
          task.sleep(0)
          error(err.new { code = "server", message = "no", cause = cause })
        end
        task.map({ 1, 2 }, work)
    """)
    result = run_weir("run", path)
    assert f"{path}:5" in result.stderr
    assert "cable out" in result.stderr


def test_traceback_shows_all(run_weir, script):
    path = script("""\
        local function deep() error("x") end
        local function work() deep() end
        work()
    """)
    result = run_weir("run", "--traceback", path)
    assert "stack traceback" in result.stderr
    assert "in upvalue 'deep'" in result.stderr
    assert result.returncode == 1


def test_a_syntax_error(run_weir, script):
    path = script("local x = = 1\n")
    result = run_weir("run", path)
    assert result.returncode == 1
    assert f"{path}:1" in result.stderr
    assert "unexpected symbol near '='" in result.stderr


@pytest.mark.parametrize("raised, shown", [
    ("nil", "nil"), ("{}", "table"), ("42", "42"), ("false", "false"),
    ("setmetatable({}, {__tostring = function() error 'no' end})", "error"),
    ("setmetatable({}, {__tostring = function() return 'mine' end})", "mine"),
])
def test_whatever_is_raised_is_reported(run_weir, raised, shown):
    result = run_weir("run", "-", input=f"error({raised}, 0)")
    assert result.returncode == 1
    assert shown in result.stderr


def test_a_stack_overflow_is_an_error(run_weir):
    result = run_weir("run", "-", input="local function f() return 1 + f() end f()")
    assert result.returncode == 1
    assert "stack overflow" in result.stderr


def test_an_unjoined_tasks_error_is_reported(run_weir):
    result = run_weir("run", "-", input="""
        local t = require("weir.task")
        t.spawn(function() error("nobody saw me") end)
        local seen = t.spawn(function() error("seen") end)
        pcall(seen.join, seen)
        print("done")
    """)
    assert result.returncode == 1
    assert result.stdout == "done\n"
    assert "nobody saw me" in result.stderr
    assert "seen" not in result.stderr.replace("nobody saw me", "")


def test_the_end_waits_for_running_tasks(run_weir):
    result = run_weir("run", "-", input="""
        local t = require("weir.task")
        t.spawn(function() t.sleep(0.05) print("late") end)
        print("end")
    """)
    assert (result.returncode, result.stdout) == (0, "end\nlate\n")


def test_a_failure_cancels_running_tasks(run_weir):
    began = time.monotonic()
    result = run_weir("run", "-", input="""
        local t = require("weir.task")
        t.spawn(function()
          local _ <close> = setmetatable({}, {__close = function() print "let go" end})
          t.sleep(100)
        end)
        t.sleep(0)
        error("main failed")
    """)
    assert time.monotonic() - began < 10
    assert (result.returncode, result.stdout) == (1, "let go\n")
    assert "main failed" in result.stderr


def test_tasks_that_wait_for_each_other(run_weir):
    result = run_weir("run", "-", timeout=10, input="""
        local t = require("weir.task")
        local a, b
        a = t.spawn(function() b:join() end)
        b = t.spawn(function() a:join() end)
        a:join()
    """)
    assert result.returncode == 1
    assert "every task waits for another" in result.stderr


# Globals and modules -------------------------------------------------------


def test_globals_are_strict(run_weir):
    for text, words in [
        ("print(tabel)", ["tabel", "did you mean 'table'"]),
        ("counter = 1", ["counter", "local counter"]),
        ("function helper() end", ["helper", "local"]),
    ]:
        result = run_weir("run", "-", input=text)
        assert result.returncode == 1
        for word in words:
            assert word in result.stderr


def test_weir_and_cxone_are_there_without_require(run_weir):
    result = run_weir("run", "-", input="""
        print(weir.task == require "weir.task", weir == require "weir")
        print(cxone == require "cxone", weir.version)
    """)
    assert result.stdout.startswith("true\ttrue\ntrue\t0.")


def test_an_unknown_module_of_weir_is_suggested(run_weir):
    result = run_weir("run", "-", input="local _ = weir.tsak")
    assert "did you mean 'weir.task'" in result.stderr


def test_modules_beside_the_script(run_weir, script, tmp_path):
    script("return { name = 'mine', args = { ... } }", "own.lua")
    script("return require 'own'", "sub/init.lua")
    script("return undeclared_name", "bad.lua")
    path = script("""
        print(require("own").name, require("own").args[1], require("sub").name)
        print(pcall(require, "bad"))
        print(pcall(require, "nowhere.to.be.found"))
    """)
    result = run_weir("run", path, cwd="/")
    assert result.stdout.startswith("mine\town\tmine\n")
    assert "undeclared global 'undeclared_name'" in result.stdout
    assert "module 'nowhere.to.be.found' not found" in result.stdout
    assert str(tmp_path / "nowhere/to/be/found.lua") in result.stdout


def test_a_module_may_wait_while_it_loads(run_weir, script):
    script("require('weir.task').sleep(0.01) return 'waited'", "slow.lua")
    result = run_weir("run", script("print(require 'slow')"))
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("waited")


def test_installed_modules(run_weir):
    result = run_weir("run", "-", input="""
        local argparse, lpeg = require "argparse", require "lpeg"
        local parser = argparse("x")
        parser:option("-n"):convert(tonumber)
        print(parser:parse({ "-n", "3" }).n + 1)
        print(lpeg.match(lpeg.C(lpeg.R("az")^1) * "=", "key="))
    """)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "4\nkey\n"


# Signals -------------------------------------------------------------------

HANDLER = """
    local task = require "weir.task"
    local _ <close> = setmetatable({}, { __close = function()
      print("closed")
      io.stdout:flush()
    end })
    print("ready")
    io.stdout:flush()
"""

# Under ThreadSanitizer a handler runs at the next call of libc that it
# intercepts, and these loops never make one (the signal does not arrive: there
# is nothing to be tested). The same loops run in every other build.
computes = pytest.mark.skipif(
    os.environ.get("SANITIZE") == "thread",
    reason="ThreadSanitizer holds signals back from a loop that only computes")

WAITING = {
    "sleep": "task.sleep(100)",
    "in a coroutine": "coroutine.wrap(function() task.sleep(100) end)()",
    "in a task": "task.spawn(function() task.sleep(100) end):join()",
    "computing": "while true do end",
    "computing in a coroutine":
        "coroutine.wrap(function() while true do end end)()",
    "short coroutines":
        "while true do coroutine.wrap(function() return 1 end)() end",
    "pcall": "while true do local x = pcall(math.abs, 1) end",
    "swallowing": "while true do pcall(task.sleep, 100) end",
    "a shield that ends": "task.shield(task.sleep, 0.2) task.sleep(100)",
}


@pytest.mark.parametrize("number, status",
                         [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("waiting", [
    pytest.param(
        code, id=name,
        marks=[computes] if name.startswith("computing") or name == "pcall" else [])
    for name, code in WAITING.items()])
def test_the_first_signal_ends_in_good_order(start_weir, script, waiting,
                                             number, status):
    process = start_weir("run", script(HANDLER + waiting))
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.05)
    process.send_signal(number)
    out, errors = process.communicate(timeout=10)
    assert process.returncode == status
    assert out == "closed\n"
    assert "interrupted" in errors
    assert "stack traceback" not in errors


@pytest.mark.parametrize("stubborn", [
    "task.shield(task.sleep, 100)",
    pytest.param("while true do pcall(function() while true do end end) end",
                 marks=computes),
])
def test_the_second_signal_ends_at_once(start_weir, script, stubborn):
    process = start_weir("run", script(HANDLER + stubborn))
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.3)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=5)
    assert process.returncode == 130


def test_a_script_that_reads_notices_the_signal(weir, clean_env, script):
    path = script(HANDLER + "io.read() task.sleep(100)")
    process = subprocess.Popen([weir, "run", path], env=clean_env,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=10)
    assert process.returncode == 130
    process.communicate()


# Progress ------------------------------------------------------------------


@pytest.fixture
def slow_server():
    """Answers every GET after some seconds, or as soon as the test ends."""
    release = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            release.wait(float(self.path.rsplit("/", 1)[1]))
            try:
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")
            except OSError:
                pass

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    release.set()
    server.shutdown()
    server.server_close()


def waiting_script(script, url, seconds):
    return script(f"""
        local c = require("weir.client").new {{ base_url = "{url}" }}
        print("before")
        assert(c:get("/wait/{seconds}"))
        print("after")
    """)


def test_progress_on_a_terminal(weir, clean_env, script, slow_server):
    path = waiting_script(script, slow_server, 2)
    child = pexpect.spawn(weir, ["run", str(path)], env=clean_env, timeout=10,
                          encoding="utf-8")
    child.expect("before\r\n")
    began = time.monotonic()
    child.expect(r"GET \S*/wait/2")
    assert time.monotonic() - began > 0.5
    # The line is taken away before the script prints again.
    child.expect("\r\x1b\\[K(?:[^\r\n]*\r\x1b\\[K)*after\r\n")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_short_waits_show_nothing(run_weir, script, slow_server):
    result = run_weir("run", waiting_script(script, slow_server, 0.3))
    assert result.stdout == "before\nafter\n"
    assert result.stderr == ""


def test_progress_elsewhere_is_a_plain_line_now_and_then(run_weir, script,
                                                         slow_server):
    result = run_weir("run", waiting_script(script, slow_server, 6.5))
    assert result.stdout == "before\nafter\n"
    lines = result.stderr.splitlines()
    assert 1 <= len(lines) <= 2
    assert all("/wait/6.5" in line for line in lines)
    assert "\r" not in result.stderr and "\x1b" not in result.stderr


def test_with_json_every_line_of_stderr_is_an_object(run_weir, script):
    path = script("""
        weir.log.info("from the script", { n = 1 })
        error "the end"
    """)
    result = run_weir("run", "--sim", "--log-format", "json", path)
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert result.returncode == 1
    assert [line["level"] for line in lines] == ["info", "info", "error"]
    assert lines[0]["message"].startswith("simulator at http://127.0.0.1:")
    assert lines[1]["fields"] == {"n": 1}
    assert "the end" in lines[2]["message"]


def test_an_error_is_seen_even_with_the_log_off(run_weir, script):
    path = script("error 'the end'")
    for form in ("text", "json"):
        result = run_weir("run", "--log-level", "off", "--log-format", form,
                          path)
        assert "the end" in result.stderr


# Options of the other commands ----------------------------------------------


def test_options_stand_on_either_side_of_what_a_command_takes(run_weir, script):
    path = script("prnt(1)")
    for words in (["--json", path], [path, "--json"], ["--json", "--", path]):
        result = run_weir("check", *words)
        assert result.returncode == 4, words
        assert json.loads(result.stdout)["errors"] == 1
    result = run_weir("check", path, "--jsno")
    assert result.returncode == 64
    assert "did you mean --json?" in result.stderr
    result = run_weir("check", "--", path, "--json")
    assert "--json: No such file" in result.stderr


def test_what_stands_after_a_script_is_for_the_script(run_weir, script):
    result = run_weir("run", script("print(...)"), "--json", "--sim")
    assert (result.returncode, result.stdout) == (0, "--json\t--sim\n")


@pytest.mark.parametrize("words", [["run", "gol.lua"], ["gol.lua"], ["run", "./gol.lua"],
                                   ["run", "sub/gol.lua"], ["bundle", "run", "gol.lua"]])
def test_a_file_that_is_nearly_there_is_named(run_weir, tmp_path, words):
    for folder in tmp_path, tmp_path / "sub":
        folder.mkdir(exist_ok=True)
        # Of two that are as near, the first.
        for name in "gold.lua", "golf.lua", "holiday.lua", ".gol.lua":
            (folder / name).write_text("")
        (folder / "gol").mkdir()
    result = run_weir(*words, cwd=tmp_path)
    assert result.returncode != 0
    near = words[-1].replace("gol.lua", "gold.lua")
    assert f"did you mean '{near}'?" in result.stderr


@pytest.mark.parametrize("word", ["something.lua", "nowhere/gold.lua", "x" * 5000])
def test_a_file_that_is_near_to_none_is_not(run_weir, tmp_path, word):
    (tmp_path / "gold.lua").write_text("")
    result = run_weir("run", word, cwd=tmp_path)
    assert result.returncode == 1
    assert "cannot open" in result.stderr and "did you mean" not in result.stderr

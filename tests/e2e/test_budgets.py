"""Budgets of a run: memory, time, output, open requests; what is said when one
is spent, and how there is more of it.  Processor time: test_sandbox_runaways.
"""

import http.server
import json
import os
import subprocess
import threading

import pytest

MEMORY = {
    "a string": "local s = 'x' while true do s = s .. s end",
    "a table": "local t = {} for i = 1, math.huge do t[i] = i end",
    "tables": "local t = {} while true do t = { t, {} } end",
    "rep": "return ('x'):rep(1 << 40)",
    "rep of rep": "local s = ('x'):rep(1 << 20) return s:rep(1 << 20)",
    "concat": "return table.concat(setmetatable({}, {__index = tostring}),"
        " ('x'):rep(1000), 1, 1 << 60)",
    "gsub": "return (('x'):rep(1000000):gsub('.', ('y'):rep(10000)))",
    "format": "local s = ('x'):rep(60000000) return s:format() .. s .. s",
    "pack": "return string.pack(('c16000000'):rep(100), table.unpack({}, 1, 0))"
        " .. ('x'):rep(1 << 30)",
    "coroutines": "local t = {} while true do"
        " t[#t + 1] = coroutine.create(print) end",
    "closures": "local f = print while true do local g = f"
        " f = function() return g end end",
    "files": "io.read(1 << 40)",
    "filters kept, which are the host's memory":
        "local t = {} while true do t[#t + 1] = weir.filter.new {"
        " name = 'f' .. #t, channel = 'chat', target_group_id = 'g', description ="
        " ('d'):rep(900), matchers = { { attribute = 'a.b', operator = 'equals',"
        " value = 'v' } } } end",
    "a regex kept, again and again":
        "local t = {} while true do"
        " t[#t + 1] = weir.regex.compile('x{1,200}' .. #t) end",
}


@pytest.mark.parametrize("text", MEMORY.values(), ids=MEMORY.keys())
def test_memory_is_bounded(confined, text):
    result = confined(text, "--max-memory", "64M")
    assert result.returncode == 1, (result.returncode, result.stderr)
    assert re_any(result.stderr, "more than its 64 MiB of memory",
                  "string too large", "bad argument"), result.stderr
    if "64 MiB" in result.stderr:
        assert "--max-memory 128M" in result.stderr


def re_any(text, *words):
    return any(word in text for word in words)


def test_memory_that_was_let_go_of_is_there_again(confined):
    result = confined("""
        for _ = 1, 5 do
          print(pcall(function()
            local t = {}
            for i = 1, math.huge do t[i] = i end
          end))
        end
        local ok = {}
        for i = 1, 100000 do ok[i] = i end
        print(#ok)
    """, "--max-memory", "32M")
    assert result.returncode == 0, result.stderr
    assert result.stdout == "false\tnot enough memory\n" * 5 + "100000\n"


OUTPUT = {
    "print": "while true do print(('x'):rep(1000)) end",
    "io.write": "while true do pcall(io.write, ('x'):rep(1000)) end",
    "a file's write": "while true do io.stdout:write(('x'):rep(1000)) end",
    "stderr": "while true do io.stderr:write(('x'):rep(1000)) end",
    "numbers": "while true do io.write(1, 2, 3) end",
    "warnings": "warn('@on') while true do warn(('x'):rep(1000)) end",
    "what is kept back":
        "while true do pcall(weir.http.put, 'http://127.0.0.1:1/x', {}) end",
    "the log": "while true do pcall(weir.log.info, ('x'):rep(1000)) end",
}


@pytest.mark.parametrize("text", OUTPUT.values(), ids=OUTPUT.keys())
def test_output_is_bounded(confined, text):
    result = confined(text, "--max-output", "64K")
    assert result.returncode == 1, (result.returncode, result.stderr[-500:])
    assert "more than its 64 KiB of output" in result.stderr
    assert "--max-output 128K" in result.stderr
    assert len(result.stdout) + len(result.stderr) < 200_000


TIME = {
    "a sleep": "weir.task.sleep(1000)",
    "sleeps, one after the other": "while true do weir.task.sleep(0.01) end",
    "a loop": "while true do end",
    "tasks that wait and make tasks":
        "local function f() weir.task.sleep(0.01) weir.task.spawn(f) end"
        " f() while true do weir.task.sleep(0.1) end",
    "a sleep that is shielded":
        "pcall(weir.task.shield, function() weir.task.sleep(1000) end)",
}


@pytest.mark.parametrize("text", TIME.values(), ids=TIME.keys())
def test_time_is_bounded(confined, text):
    result = confined(text, "--max-time", "2")
    assert result.returncode == 6, (result.returncode, result.stderr)
    if "shield" in text:
        assert "ended at twice that" in result.stderr
    else:
        assert "was not done within 2 s" in result.stderr
        assert "--max-time 4" in result.stderr


def test_time_that_is_over_leaves_in_good_order(confined):
    result = confined("""
        local x <close> = setmetatable({}, { __close = function()
          weir.task.shield(weir.task.sleep, 0)
          print("closed")
        end })
        weir.task.sleep(1000)
        print("went on")
    """, "--max-time", "2")
    assert (result.returncode, result.stdout) == (6, "closed\n"), result.stderr


def test_a_handler_that_exits_hides_no_budget(confined, tmp_path):
    """What closes where Lua cannot wait ends the run at once: not as if all
    had gone well."""
    result = confined("""
        local x <close> = setmetatable({}, { __close = function() os.exit(0) end })
        weir.task.spawn(function() while true do end end)
        weir.task.sleep(100)
    """, "--max-cpu", "0.3", "--report", str(tmp_path / "report.json"))
    assert result.returncode == 6
    assert "used up its 0.3 s of processor time" in result.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["exit_code"], report["outcome"]) == (6, "failed")


def test_a_read_that_never_ends_is_ended_hard(weir, clean_env, tmp_path,
                                              start_weir):
    """What was printed before is not lost."""
    script = tmp_path / "script.lua"
    script.write_text("print('before') io.read('a')")
    process = subprocess.Popen(
        [weir, "run", "--sandbox", "--max-time", "0.3", str(script)],
        env=clean_env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    try:
        out, err = process.stdout.read(), process.stderr.read()
        assert process.wait(60) == 6
    finally:
        process.kill()
        process.communicate()
    assert out == "before\n"
    assert err == ("weir: timeout: the script did not stop after the 0.3 s "
                   "that it had; ended at twice that\n")


@pytest.mark.skipif(os.environ.get("SANITIZE") == "thread",
                    reason="ThreadSanitizer flushes stdout before it exits")
def test_nobody_who_reads_does_not_hold_up_the_end(weir, clean_env, tmp_path):
    """The script hangs while it prints, since the pipe is full."""
    script = tmp_path / "script.lua"
    script.write_text("print(('x'):rep(300000)) while true do end")
    process = subprocess.Popen(
        [weir, "run", "--sandbox", "--max-time", "0.5", str(script)],
        env=clean_env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    try:
        assert process.wait(60) == 6
    finally:
        process.kill()
        process.communicate()


def test_the_last_word_is_an_object_where_programs_read(confined):
    result = confined("io.read('a')", "--max-time", "0.3", "--log-format",
                      "json", input=None)
    assert result.returncode in (0, 6)
    result = confined("pcall(weir.task.shield, weir.task.sleep, 100)",
                      "--max-time", "0.3", "--log-format", "json")
    assert result.returncode == 6
    last = json.loads(result.stderr.splitlines()[-1])
    assert last["level"] == "error"
    assert last["message"].startswith("timeout: the script did not stop")


def test_the_report_says_how_it_ended(confined, tmp_path):
    report = tmp_path / "report.json"
    for text, option, outcome in [
        ("while true do end", "--max-cpu", "failed"),
        ("pcall(weir.task.shield, weir.task.sleep, 100)", "--max-time", "killed"),
    ]:
        result = confined(text, option, "0.3", "--report", str(report))
        told = json.loads(report.read_text())
        assert (result.returncode, told["outcome"]) == (6, outcome)
        assert told["exit_code"] == 6


def test_requests_that_are_open_at_once_are_bounded(confined, sim):
    result = confined("""
        local http = require "weir.http"
        local list = {}
        for i = 1, 20 do list[i] = i end
        local _, failures = weir.task.map(list, { limit = 20, keep_going = true },
          function() weir.task.sleep(0) return http.get("http://localhost:1/") end)
        local n, example = 0, nil
        for _, e in pairs(failures) do n = n + 1 example = e end
        print(n, example)
    """, "--max-requests", "5")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("15\tlimit: 5 requests are open at once")
    assert "--max-requests 10" in result.stdout


# ---- the options ----

def test_pages_that_are_fetched_ahead_are_open_requests_too(confined):
    """Of a listing whose first item was taken the next page is under way,
    though nobody waits for it."""
    held, release = [], threading.Event()

    class Pages(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if "cursor" in self.path:
                held.append(self.path)
                release.wait(60)
            body = b'{"items": [1, 2], "next_cursor": "c"}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever).start()
        result = confined(f"""
            local client = weir.client.new {{
              base_url = "http://127.0.0.1:{server.server_address[1]}" }}
            local kept = {{}}
            for i = 1, 6 do
              local step, state, control = weir.page.each(client, "/l" .. i,
                {{ items = "items" }})
              local ok, item = pcall(step, state, control)
              print(ok and item or item.code)
              kept[i] = {{ step, state, control }}
            end
        """, "--net=127.0.0.1", "--max-requests", "3")
        release.set()
        server.shutdown()
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["1"] * 3 + ["limit"] * 3
    assert len(held) <= 3


ANY_RUN = {
    "processor time": ("while true do end", "--max-cpu", "0.2", 6,
                       "used up its 0.2 s of processor time"),
    "time": ("weir.task.sleep(100)", "--max-time", "0.3", 6,
             "not done within 0.3 s"),
    "memory": ("local s = 'x' while true do s = s .. s end", "--max-memory",
               "32M", 1, "more than its 32 MiB of memory"),
    "print": ("while true do print(1, nil) end", "--max-output", "2K", 1,
              "written more than its 2 KiB of output"),
    "io.write": ("while true do io.write('x', 1) end", "--max-output", "2K", 1,
                 "written more than its 2 KiB of output"),
    "a file": ("while true do io.stdout:write('x') end", "--max-output", "2K",
               1, "written more than its 2 KiB of output"),
    "requests": ("local cxone = require 'cxone' local t = cxone.connect() "
                 "weir.task.map({1, 2, 3}, {limit = 3}, function() "
                 "t.filters:get 'flt_1' end)",
                 "--max-requests", "1", 1, "1 requests are open at once"),
}


@pytest.mark.parametrize("text,option,most,code,words", ANY_RUN.values(), ids=ANY_RUN)
def test_budgets_are_for_any_run(run_weir, script, text, option, most, code, words):
    result = run_weir("run", "--sim", option, most, script(text))
    assert result.returncode == code, result.stderr
    assert words in result.stderr
    assert len(result.stdout) <= 2048


def test_what_is_counted_is_written_as_ever(run_weir, script):
    path = script("io.write(1, 2.5, 'x') print(1, nil, {} ~= nil) print(io.write('')"
                  " == io.stdout) io.stdout:write('a'):write('b', 3) io.stdout:write({})")
    plain, counted = run_weir("run", path), run_weir("run", "--max-output", "1M", path)
    assert plain.stdout == "12.5x1\tnil\ttrue\ntrue\nab3"
    assert counted.stdout == plain.stdout
    assert "bad argument #1 to 'write'" in plain.stderr
    assert counted.stderr == plain.stderr


@pytest.mark.parametrize("option,wrong,wanted", [
    ("--max-memory", "12Q", "a number of bytes"),
    ("--max-memory", "0", "a number of bytes"),
    ("--max-memory", "-1", "a number of bytes"),
    ("--max-memory", "99999999999G", "a number of bytes"),
    ("--max-memory", "18446744073709551615", "a number of bytes"),
    ("--max-memory", "17179869183G", "a number of bytes"),
    ("--max-output", "", "a number of bytes"),
    ("--max-cpu", "0", "a number of seconds"),
    ("--max-cpu", "x", "a number"),
    ("--max-time", "nan", "a number"),
    ("--max-requests", "0", "a whole number"),
    ("--max-requests", "1.5", "a whole number"),
])
def test_what_is_no_budget_is_refused(run_weir, option, wrong, wanted):
    result = run_weir("run", f"{option}={wrong}", "-")
    assert result.returncode == 64
    assert f"{option} takes {wanted}" in result.stderr


def test_defaults_are_in_the_help(run_weir):
    text = run_weir("run", "--help").stdout
    for option, default in {"--max-memory SIZE": "256M", "--max-cpu": "60",
                            "--max-time": "3600", "--max-output": "64M",
                            "--max-requests N": "100"}.items():
        line = next(li for li in text.splitlines() if option in li)
        assert f"confined: {default}" in line

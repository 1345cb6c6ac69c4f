"""What does not end by itself is ended: softly, with an error that says which
budget was spent, wherever the script was at that moment."""

import json
import subprocess

import pytest

# What never ends, though it pcalls, hides in coroutines, handlers, finalizers
# or C functions.  Each must be stopped by the flag, not by the hard stop.
RUNAWAYS = {
    "a loop": "while true do end",
    "goto": "::top:: goto top",
    "a tail call": "local function f() return f() end f()",
    "a numeric loop": "for i = 1, math.huge do end",
    "repeat": "repeat until false",
    "a loop of pcalls":
        "while true do pcall(function() while true do end end) end",
    "pcall of pcall":
        "local function f() while true do pcall(f) end end f()",
    "xpcall, whose handler loops":
        "xpcall(function() while true do end end,"
        " function() while true do end end)",
    "xpcall, whose handler fails":
        "while true do xpcall(error, function(e) error(e) end, 'x') end",
    "handlers in handlers":
        "local function f() xpcall(error, f) end while true do f() end",
    "short coroutines":
        "while true do coroutine.wrap(function() end)() end",
    "short coroutines, resumed":
        "while true do coroutine.resume(coroutine.create(function() end)) end",
    "a yield each":
        "local co = coroutine.wrap(function()"
        " while true do coroutine.yield() end end)"
        " while true do co() end",
    "coroutines in coroutines":
        "local function f() coroutine.wrap(f)() end while true do pcall(f) end",
    "a coroutine that pcalls":
        "while true do pcall(coroutine.wrap(function()"
        " while true do pcall(error) end end)) end",
    "resume, which swallows":
        "while true do coroutine.resume(coroutine.create(function()"
        " while true do end end)) end",
    "close":
        "while true do local co = coroutine.create(function()"
        " local x <close> = setmetatable({}, {__close = function()"
        " while true do end end}) coroutine.yield() end)"
        " coroutine.resume(co) coroutine.close(co) end",
    "close, after the error of a hook":
        "local co = coroutine.create(function()"
        " local x <close> = setmetatable({}, {__close = function()"
        " while true do end end}) while true do end end)"
        " pcall(coroutine.resume, co) while true do"
        " pcall(coroutine.close, co) end",
    "__close":
        "local x <close> = setmetatable({}, {__close = function()"
        " while true do end end}) error('x')",
    "__close of a loop":
        "local x <close> = setmetatable({}, {__close = function()"
        " while true do end end}) while true do end",
    "__close that pcalls":
        "while true do pcall(function()"
        " local x <close> = setmetatable({}, {__close = function()"
        " while true do end end}) while true do end end) end",
    "__index": "local t = setmetatable({}, {__index = function(t, k)"
        " return t[k] end}) while true do pcall(function() return t.x end) end",
    "__index that loops": "return setmetatable({}, {__index = function()"
        " while true do end end}).x",
    "__eq": "local m = {__eq = function() while true do end end}"
        " return setmetatable({}, m) == setmetatable({}, m)",
    "__concat": "return setmetatable({}, {__concat = function()"
        " while true do end end}) .. 'x'",
    "__tostring": "print(setmetatable({}, {__tostring = function()"
        " while true do end end}))",
    "__pairs": "for _ in pairs(setmetatable({}, {__pairs = function()"
        " while true do end end})) do end",
    "an iterator": "for _ in function() return 1 end do end",
    "pcalls in coroutines in pcalls":
        "local function f() while true do pcall(coroutine.wrap(f)) end end"
        " f()",
    "a tail of pcalls":
        "local function f() return pcall(f) end while true do f() end",
    "xpcall of xpcall":
        "local function f() while true do xpcall(f, print) end end f()",
    "shields in shields":
        "local function f() while true do pcall(weir.task.shield, f) end end"
        " f()",
    "deep recursion":
        "local function f() return 1 + f() end while true do pcall(f) end",
    "load of ever more":
        "while true do load('local x = 1')() end",
    "a reader without an end":
        "load(function() return ' ' end)",
    "tasks": "while true do weir.task.spawn(function() end)"
        " weir.task.sleep(0) end",
    "a task that nobody waits for":
        "weir.task.spawn(function() while true do end end)"
        " weir.task.sleep(1000)",
    "task.map, whose failures are kept":
        "while true do pcall(weir.task.map, {1, 2}, {keep_going = true},"
        " function() while true do end end) end",
    "task.shield": "while true do pcall(weir.task.shield, function()"
        " while true do end end) end",
    "a sleeper that wakes":
        "weir.task.spawn(function() while true do weir.task.sleep(0) end end)"
        " while true do weir.task.sleep(0) end",

    # In C, where no hook runs.
    "find": "local s = ('a'):rep(50) s:find(('a*'):rep(30) .. 'b')",
    "match": "local s = ('a'):rep(5000) s:match('.-.-.-.-.-b')",
    "gmatch":
        "for _ in (('a'):rep(5000)):gmatch('.-.-.-.-b') do end",
    "gsub":
        "(('a'):rep(5000)):gsub('.-.-.-.-b', '')",
    "gsub with functions":
        "while true do (('a'):rep(10000)):gsub('.', string.upper) end",
    "a balance":
        "local s = ('('):rep(200000) s:gsub('%b()', '')",
    "a back reference":
        "local s = ('ab'):rep(20000) s:find('(.-)(.-)%1%2%1c')",
    "rep of nothing": "return (''):rep(1 << 60)",
    "rep of nothing, and nothing between":
        "return (''):rep(1 << 60, '') .. (function() while true do end end)()",
    "rep of much":
        "while true do local s = ('x'):rep(50000000) end",
    "concatenations of much":
        "local s = ('x'):rep(20000000) while true do local t = s .. 'y' end",
    "insert before a huge __len":
        "table.insert(setmetatable({}, {__len = function()"
        " return 1 << 60 end}), 1, 0)",
    "remove before a huge __len":
        "table.remove(setmetatable({}, {__len = function()"
        " return 1 << 60 end}), 1)",
    "move of ever so much": "table.move({}, 1, 1 << 60, 2)",
    "move backwards": "table.move({}, 1, 1 << 60, 2, {})",
    "move by metamethods":
        "table.move(setmetatable({}, {__index = tostring}), 1, 1 << 60, 1,"
        " setmetatable({}, {__newindex = rawequal}))",
    "concat of metamethods":
        "table.concat(setmetatable({}, {__index = math.type}), '', 1, 1 << 60)",
    "concat of nothing":
        "table.concat(setmetatable({}, {__index = function()"
        " return '' end}), '', 1, 1 << 60)",
    "sort of a huge __len":
        "table.sort(setmetatable({}, {__len = function() return 1 << 30 end,"
        " __index = tostring, __newindex = rawequal}))",
    "sort that cannot decide":
        "local t = {} for i = 1, 200000 do t[i] = i end"
        " while true do table.sort(t, function() return true end) end",
    "sort, by a function of C":
        "local t = {} for i = 1, 2000000 do t[i] = {} end"
        " while true do table.sort(t, rawequal) end",
    "unpack":
        "while true do select('#', table.unpack({}, 1, 200000)) end",
    "collectgarbage": "local t = {} for i = 1, 300000 do t[i] = {} end"
        " while true do collectgarbage() end",
    "next": "local t = {} for i = 1, 100000 do t[i] = i end"
        " while true do for _ in next, t do end end",
    "dates": "while true do os.date(('%c'):rep(2000)) end",
    "formats": "while true do string.format('%99.99f', 1e308) end",
    "json": "local t = {} for i = 1, 50000 do t[i] = i end"
        " while true do weir.json.decode(weir.json.encode(t)) end",
    "the error of an error":
        "while true do pcall(error, setmetatable({}, {__tostring = function()"
        " while true do end end})) end",
}


# Those that end for another reason: what they say, instead.
OTHERWISE = {
    "concat of metamethods": "invalid value",
    "rep of nothing": None,
    "a balance": None,
}


@pytest.mark.parametrize("text", RUNAWAYS.values(), ids=RUNAWAYS.keys())
def test_processor_time_is_bounded(confined, text, request):
    name = request.node.callspec.id
    result = confined(text, "--max-cpu", "0.3")
    if name in OTHERWISE:
        assert result.returncode in (0, 1, 6), result.stderr
        assert (OTHERWISE[name] or "") in result.stderr
    else:
        assert result.returncode == 6, (result.returncode, result.stderr)
        assert "used up its 0.3 s of processor time" in result.stderr
        assert "--max-cpu 0.6" in result.stderr
    assert "did not stop" not in result.stderr


def test_what_is_caught_is_raised_again(confined):
    """Nothing of the script runs after the budget is spent."""
    result = confined("""
        local x <close> = setmetatable({}, { __close = function()
          print("closed") end })
        pcall(function() while true do end end)
        print("went on")
    """, "--max-cpu", "0.2")
    assert (result.returncode, result.stdout) == (6, "")


def test_waiting_costs_no_processor_time(confined):
    result = confined("weir.task.sleep(1.5) print('slept')", "--max-cpu", "1")
    assert (result.returncode, result.stdout) == (0, "slept\n"), result.stderr


# ---- the other budgets ----

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
    "a sleep that is shielded":
        "pcall(weir.task.shield, function() weir.task.sleep(1000) end)",
}


@pytest.mark.parametrize("text", TIME.values(), ids=TIME.keys())
def test_time_is_bounded(confined, text):
    result = confined(text, "--max-time", "0.5")
    assert result.returncode == 6, (result.returncode, result.stderr)
    if "shield" in text:
        assert "ended at twice that" in result.stderr
    else:
        assert "was not done within 0.5 s" in result.stderr
        assert "--max-time 1" in result.stderr


def test_time_that_is_over_leaves_in_good_order(confined):
    result = confined("""
        local x <close> = setmetatable({}, { __close = function()
          weir.task.shield(weir.task.sleep, 0)
          print("closed")
        end })
        weir.task.sleep(1000)
        print("went on")
    """, "--max-time", "0.5")
    assert (result.returncode, result.stdout) == (6, "closed\n"), result.stderr


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
    for text, outcome in {
        "while true do end": "failed",
        "pcall(weir.task.shield, weir.task.sleep, 100)": "killed",
    }.items():
        result = confined(text, "--max-cpu", "0.2", "--max-time", "0.4",
                          "--report", str(report))
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

def test_budgets_are_for_any_run(run_weir, script):
    path = script("while true do end")
    result = run_weir("run", "--max-cpu", "0.2", path)
    assert result.returncode == 6
    assert "used up its 0.2 s of processor time" in result.stderr


@pytest.mark.parametrize("option,wrong,wanted", [
    ("--max-memory", "12Q", "a number of bytes"),
    ("--max-memory", "0", "a number of bytes"),
    ("--max-memory", "-1", "a number of bytes"),
    ("--max-memory", "99999999999G", "a number of bytes"),
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

"""What `weir run --report` says in the end: of this run and no other, the same
as the exit code, with no secret, and with all that was left out counted."""

import json
import random
import shutil
import signal
import subprocess
import time

import pytest

from report_fixture import read, wait_until_it_computes


@pytest.fixture
def report(tmp_path):
    return tmp_path / "run.json"


@pytest.fixture
def earlier(run_weir, script, report):
    """A report that says done stands there already."""
    result = run_weir("run", "--sim", "--report", report, script("", "earlier.lua"), "earlier")
    assert result.returncode == 0
    assert read(report)["outcome"] == "done"
    return report


# ---- nothing is run ----

@pytest.mark.parametrize("command, options, code, why", [
    (["run"], [], "permission", "is not signed"),
    (["bundle", "run"], [], "permission", "is not signed"),
    (["run"], ["--require-signature"], "auth", "is not signed"),
    (["bundle", "run"], ["--accept", "--require-signature"], "auth", "is not signed"),
])
def test_a_bundle_that_is_refused(run_weir, make_bundle, earlier, command, options, code, why):
    bundle = make_bundle({"main.lua": "print('ran')\n"})
    result = run_weir(*command, "--report", earlier, *options, bundle, "this")
    assert (result.returncode, result.stdout) == (5, "")
    told = read(earlier)
    assert (told["outcome"], told["exit_code"], told["arguments"]) == ("failed", 5, ["this"])
    assert told["program"]["path"] == str(bundle)
    assert told["error"]["code"] == code
    assert why in told["error"]["message"] and told["error"]["message"] in result.stderr


@pytest.mark.parametrize("what, exit_code", [
    ("no bundle", 4), ("none", 1), ("broken", 4), ("policy", 5), ("needs", 1), ("tenant", 5),
    ("script", 1), ("arguments", 64)])
def test_another_refusal(run_weir, script, tmp_path, make_bundle, earlier, what, exit_code):
    path, command = script("print 'ran'", "main.lua"), ["run"]
    if what == "no bundle":
        command = ["bundle", "run"]
    elif what == "none":
        command, path = ["bundle", "run"], tmp_path / "none.weir"
    elif what == "broken":
        command, path = ["bundle", "run", "--accept"], make_bundle({"main.lua": "print('ran')\n"})
        path.write_bytes(path.read_bytes()[:-40] + b"x" * 18 + path.read_bytes()[-22:])
    elif what == "policy":
        policy = tmp_path / ".config/weir/policy.json"
        policy.parent.mkdir(parents=True)
        policy.write_text('{"require_signature": true}')
    elif what == "needs":
        path = script("weir.needs { net = { 'no such:thing:' } }\nprint 'ran'", "main.lua")
    elif what == "tenant":
        path = script("cxone.connect()", "main.lua")
    elif what == "script":
        path = tmp_path / "none.lua"
    elif what == "arguments":
        path = script("weir.args { name = 'x', { name = '--n', type = 'integer' } }\nprint 'ran'",
                      "main.lua")
    result = run_weir(*command, "--report", earlier, path, *(
        ["--n", "many"] if what == "arguments" else ["this"]))
    assert (result.returncode, result.stdout) == (exit_code, ""), result.stderr
    told = read(earlier)
    assert told["exit_code"] == exit_code
    assert told["arguments"] != ["earlier"] and told["program"]["path"] == str(path)
    if told["outcome"] != "exit":
        assert told["outcome"] == "failed"
        assert told["error"]["message"] in result.stderr


def test_a_refusal_is_one_object_where_a_program_reads(run_weir, make_bundle, report):


    bundle = make_bundle({"main.lua": "print('ran')\n"})
    result = run_weir("run", "--log-format", "json", "--report", report, bundle)
    (line,) = result.stderr.splitlines()
    assert json.loads(line)["level"] == "error"
    assert read(report)["error"]["message"] in json.loads(line)["message"]


def test_a_command_line_that_is_not_understood_leaves_it_alone(run_weir, script, earlier):
    before = earlier.read_text()
    path = script("")
    for words in ["--sim-state", "x", path], ["--no-such-option", path], []:
        assert run_weir("run", "--report", earlier, *words).returncode == 64
    assert earlier.read_text() == before


def test_ctrl_c_at_the_question_of_a_bundle(terminal, make_bundle, report):
    bundle = make_bundle({"main.lua": "print('it ' .. 'ran')\n"})
    asked = terminal("bundle", "run", "--report", report, bundle).see(r"Run it\? \[y/N\]")
    assert read(report)["outcome"] == "running"
    asked.type("\x03")
    assert asked.ended() == 130
    assert "it ran" not in asked.text()
    told = read(report)
    assert (told["outcome"], told["exit_code"]) == ("interrupted", 130)


def test_ctrl_c_while_the_script_is_typed(start_weir, report):
    process = start_weir("run", "--report", report, "-", stdin=subprocess.PIPE)
    while not report.exists() or read(report)["outcome"] != "running":
        time.sleep(0.01)
    time.sleep(0.2)  # it reads by now
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and err == "weir: interrupted\n"
    assert read(report)["outcome"] == "interrupted"


def test_no_at_the_question_of_a_bundle(terminal, make_bundle, report):
    bundle = make_bundle({"main.lua": "print('it ' .. 'ran')\n"})
    asked = terminal("bundle", "run", "--report", report, bundle).see(r"Run it\? \[y/N\]")
    asked.type("n\r")
    assert asked.ended() == 5
    told = read(report)
    assert (told["outcome"], told["exit_code"]) == ("failed", 5)
    assert told["error"]["message"].endswith("not run, as you said")


# ---- outcome and exit code ----

SIGNAL = 'os.execute("kill -TERM $PPID")\n'


@pytest.mark.parametrize("text, outcome, code", [
    ("pcall(function() " + SIGNAL + "for _ = 1, 1e5 do end end) os.exit(0)", "exit", 0),
    ("pcall(function() " + SIGNAL + "for _ = 1, 1e5 do end end) os.exit(143)", "exit", 143),
    ("weir.task.spawn(function() weir.task.sleep(0)\n" + SIGNAL + "end) os.exit(3)", "exit", 3),
    # Too late to change anything.
    ("_G.x = setmetatable({}, {__gc = function() " + SIGNAL + "end})", "done", 0),
    ("_G.x = setmetatable({}, {__gc = function() " + SIGNAL + "end}) error 'it'", "failed", 1),
    ("pcall(function() " + SIGNAL + "weir.task.sleep(100) end)", "interrupted", 143),
])
def test_a_signal_counts_where_it_made_the_exit_code(run_weir, script, report, text, outcome, code):
    result = run_weir("run", "--report", report, script(text))
    assert result.returncode == code, result.stderr
    told = read(report)
    assert (told["outcome"], told["exit_code"]) == (outcome, code)


@pytest.mark.parametrize("text", [
    "", "os.exit(0)", "table.sort({2, 1}, function() os.exit(0) end)",
    "_G.x = setmetatable({}, {__gc = function() print 'late' end})"])
def test_output_that_is_lost_is_no_success(weir, clean_env, script, report, text):
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [weir, "run", "--report", report, script("print 'x'\n" + text)], env=clean_env,
            stdout=full, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=60)
    assert result.returncode == 1
    told = read(report)
    assert (told["outcome"], told["exit_code"]) == ("failed", 1)
    assert told["error"] == {"code": "io", "message": "standard output could not be written"}


@pytest.mark.parametrize("text", [
    "io.open('x', 'w'):write('data')", "cxone.connect().filters:list()()"])
def test_a_stream_that_is_closed_is_nobody_elses(weir, clean_env, script, report, text):
    """The next file that is opened would stand in its place."""
    path = script(text + "\nprint 'hello' io.stdout:flush()\nlocal x = io.read()")
    result = subprocess.run(
        ["sh", "-c", '"$1" run --sim --report "$2" "$3" <&- >&-', "sh", weir, report, path],
        env=clean_env, stderr=subprocess.PIPE, text=True, timeout=60, cwd=report.parent)
    assert result.returncode == 1
    assert "weir: standard output: Bad file descriptor" in result.stderr
    told = read(report)
    assert (told["outcome"], told["error"]["code"]) == ("failed", "io")
    if (report.parent / "x").exists():
        assert (report.parent / "x").read_text() == "data"


def test_a_run_killed_at_any_moment_claims_no_success(start_weir, script, earlier, tmp_path):
    path = script("""
        for i = 1, 30 do cxone.connect { tenant = "t" .. i } end
        io.open(arg[1], "w"):close()
        """)
    for i in range(25):
        marker = tmp_path / f"marker{i}"
        process = start_weir("run", "--sim", "--report", earlier, path, marker)
        time.sleep(random.uniform(0, 0.12))
        process.kill()
        process.wait(30)
        told = read(earlier)
        if told["arguments"] == [str(marker)] and told["outcome"] != "running":
            assert told["outcome"] == "done" and marker.exists()


FORKS = """
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

extern void lua_pushinteger(void *, long long);
extern long long luaL_checkinteger(void *, int);

/* A child: of one that ends itself the status, or 0 where it goes on. */
int forked(void *L)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0 && luaL_checkinteger(L, 1) == 0) {
        lua_pushinteger(L, 0);
        return 1;
    }
    if (pid == 0) {
        raise(SIGTERM);
        raise(SIGINT); /* the second ends it at once */
        _exit(9);
    }
    waitpid(pid, &status, 0);
    lua_pushinteger(L, status);
    return 1;
}
"""


@pytest.mark.parametrize("how, code", [("1", 130), ("0", 5)])
def test_a_child_that_a_script_made_writes_no_report(
        run_weir, script, report, tmp_path, how, code):
    """Neither one that is ended by a second signal nor one that ends well."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        pytest.skip("there is no C compiler")
    (tmp_path / "forks.c").write_text(FORKS)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", tmp_path / "forks.so",
                    tmp_path / "forks.c"], check=True)
    path = script(f"""
        local forked = assert(package.loadlib("{tmp_path}/forks.so", "forked"))
        local status = forked({how})
        if status == 0 then os.exit(5) end
        print(status // 256)
        print(io.open("{report}"):read("a"))
        """)
    result = run_weir("run", "--report", report, path)
    assert result.returncode == 0, result.stderr
    status, _, meanwhile = result.stdout.partition("\n")
    assert status == str(code)
    assert '"outcome": "running"' in meanwhile
    assert read(report)["outcome"] == "done"


# ---- what is left out ----

def test_arguments_for_which_there_is_no_room(run_weir, script, report):
    given = [f"argument-{i}" for i in range(20000)]
    result = run_weir("run", "--report", report, script("assert(select('#', ...) == 20000)"), *given)
    assert result.returncode == 0, result.stderr
    told = read(report)
    shown = told["arguments"]
    assert 1000 < len(shown) < 20000 and shown == given[:len(shown)]
    assert told["arguments_left_out"] == 20000 - len(shown)
    assert told["program"]["kind"] == "script" and len(told["program"]["sha256"]) == 64


@pytest.mark.parametrize("huge", ["x" * 120000, "\x01" * 60000, "\x01" * 120000])
def test_an_argument_for_which_there_is_no_room(run_weir, script, report, huge):
    result = run_weir("run", "--report", report, script(""), "first", *[huge] * 10, "last")
    assert result.returncode == 0, result.stderr
    told = read(report)
    assert (told["arguments"], told["arguments_left_out"]) == (["first"], 11)
    assert told["outcome"] == "done" and told["program"]["sha256"]


def test_all_arguments_are_shown_where_there_is_room(run_weir, script, report):
    given = [str(i) for i in range(3000)]
    run_weir("run", "--report", report, script(""), *given)
    told = read(report)
    assert (told["arguments"], told["arguments_left_out"]) == (given, 0)


def test_tenants_for_which_there_is_no_room(run_weir, script, report, sim):
    path = script("""
        for _ = 1, 2 do
          for i = 1, 20 do cxone.connect { tenant = "t" .. i } end
        end
        """)
    result = run_weir("run", "--report", report, path, env=sim.env)
    assert result.returncode == 0, result.stderr
    for i in range(1, 21):
        assert result.stderr.count(f"weir: tenant t{i} at {sim.url}") == 1
    told = read(report)
    assert [t["name"] for t in told["tenants"]] == [f"t{i}" for i in range(1, 17)]
    assert told["tenants_left_out"] == 4


@pytest.mark.parametrize("n", [100_000, 30_000_000])
def test_an_error_that_never_ends(run_weir, script, report, n):
    result = run_weir("run", "--report", report, script(f"error(('long '):rep({n} // 5), 0)"))
    assert result.returncode == 1
    told = read(report)
    assert told["outcome"] == "failed"
    message = told["error"]["message"]
    assert message.startswith("long long") and message.endswith("\N{HORIZONTAL ELLIPSIS}")
    assert len(message) < 50_000


def test_an_error_that_is_no_text(weir, clean_env, script, report):
    path = script(r'error("\xff and \xc3\xa9 \xed\xa0\x80 \0 end", 0)')
    subprocess.run([weir, "run", "--report", report, path], env=clean_env, timeout=60,
                   stderr=subprocess.DEVNULL)
    message = read(report)["error"]["message"]
    assert message.startswith("\ufffd and \xe9 \ufffd")


# ---- secrets ----

SECRET = 'local s = weir.secret.new("met-later-93", "one")\n'


def test_a_secret_that_is_met_later_is_taken_out(run_weir, script, report):
    path = script(SECRET)
    result = run_weir("run", "--report", report, path, "a", "--key=met-later-93")
    assert result.returncode == 0
    assert read(report)["arguments"] == ["a", "--key=[redacted]"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_is_taken_out_before_a_hard_end(start_weir, script, report, number):
    """Ended where nothing can be redacted any more."""
    path = script(SECRET + """
        io.stdout:write("met\\n")
        io.stdout:flush()
        -- Lua's own search does not look at any flag.
        string.find(string.rep("a", 5000), string.rep(".-", 4) .. "b")
        """)
    process = start_weir("run", "--report", report, path, "met-later-93")
    assert process.stdout.readline() == "met\n"
    wait_until_it_computes(process)
    process.send_signal(number)
    if number == signal.SIGTERM:
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
    process.wait(30)
    told = read(report)
    assert told["outcome"] == ("running" if number == signal.SIGKILL else "killed")
    assert told["arguments"] == ["[redacted]"]


def test_a_secret_where_an_error_is_cut(run_weir, script, report):
    """What is left of it before the cut is hidden like the whole."""
    secret = "".join(random.Random(1).choices("abcdefghijklmnop", k=2000))
    for shift in 0, 7, 500, 1500:
        path = script(f"""
            local secret = "{secret}"
            weir.secret.new(secret, "one")
            error(("x"):rep(32768 - 2000 + {shift}) .. secret, 0)
            """)
        assert run_weir("run", "--report", report, path).returncode == 1
        message = read(report)["error"]["message"]
        assert secret[:16] not in message

"""How a run ends when the script makes it hard: tasks that do not let go,
errors too large to show, no memory left."""

import os
import resource
import subprocess

import pytest


def test_a_task_that_swallows_its_cancelling_cannot_keep_the_run_alive(
        run_weir):
    result = run_weir("run", "-", timeout=20, input="""
        local task = require "weir.task"
        task.spawn(function()
          local _ <close> = setmetatable({}, { __close = function() print "closed" end })
          while true do pcall(task.sleep, 100) end
        end)
        task.sleep(0)
        error("the first failure")
    """)
    assert result.returncode == 1
    assert result.stdout == "closed\n"
    assert "the first failure" in result.stderr
    assert "1 task went on and on after being cancelled" in result.stderr


def test_os_exit_closes_what_is_open_in_coroutines_too(run_weir):
    result = run_weir("run", "-", input="""
        local function closer(name)
          return setmetatable({}, { __close = function() print(name) end })
        end
        local _ <close> = closer "outer"
        coroutine.wrap(function()
          local _ <close> = closer "middle"
          pcall(coroutine.wrap(function()
            local _ <close> = closer "inner"
            os.exit(7)
          end))
          print "not reached"
        end)()
    """)
    assert (result.returncode, result.stderr) == (7, "")
    assert result.stdout == "inner\nmiddle\nouter\n"


def test_a_coroutine_that_no_longer_waits_is_left_alone(run_weir):
    result = run_weir("run", "-", input="""
        local task = require "weir.task"
        local co = coroutine.create(function()
          local _ <close> = setmetatable({}, { __close = function() print "closed" end })
          task.sleep(0)
          coroutine.yield()
        end)
        coroutine.resume(co)
        os.exit(0)
    """)
    assert (result.returncode, result.stdout) == (0, "")


def test_os_exit_in_a_finalizer_at_the_end(run_weir):
    result = run_weir("run", "-", input="""
        _G.kept = setmetatable({}, { __gc = function() os.exit(9) end })
        print "end"
    """)
    assert (result.returncode, result.stdout) == (9, "end\n")


def test_waiting_for_a_task_is_not_looking_at_its_error(run_weir):
    result = run_weir("run", "-", input="""
        local task = require "weir.task"
        local t = task.spawn(function() task.sleep(0) error "unseen" end)
        t:wait()
        local seen = task.spawn(function() task.sleep(0) error "seen" end)
        seen:wait()
        pcall(seen.join, seen)
    """)
    assert result.returncode == 1
    assert result.stderr.count("nobody joined") == 1
    assert "unseen" in result.stderr


def test_the_errors_of_10000_tasks_are_told_within_bounds(run_weir):
    result = run_weir("run", "-", timeout=60, input="""
        local task = require "weir.task"
        for i = 1, 10000 do
          task.spawn(function() task.sleep(0) error("failure " .. i) end)
        end
        print "end"
    """)
    assert (result.returncode, result.stdout) == (1, "end\n")
    assert result.stderr.count("a task that nobody joined has failed") == 100
    assert "failure 1\n" in result.stderr
    assert "and 9900 more tasks failed that nobody joined" in result.stderr
    assert len(result.stderr) < 100_000


def test_a_huge_error_leaves_room_for_its_place(run_weir, script):
    path = script("error(('é'):rep(300000))")
    result = run_weir("run", path)
    assert result.returncode == 1
    message, place, excerpt, _ = result.stderr.split("\n", 3)
    assert message.startswith("weir: éé")
    # Before what is shown stands the place, whose length is not even.
    assert message.endswith("é… (600000 bytes)")
    assert place == f"  at {path}:1"
    assert "rep(300000)" in excerpt
    assert len(result.stderr) < 10000


@pytest.mark.skipif(bool(os.environ.get("SANITIZE")),
                    reason="a sanitizer needs all of the address space")
def test_no_memory_for_the_report(weir, clean_env, script):
    """The error is larger than what is left: whether it can be shown depends
    on the limit, but the run must end as every other that fails."""
    path = script("""
        local e = require "weir.err".new { code = "failed", message = "m" }
        e.message = ("x"):rep(60000000)
        error(e)
    """)
    for megabytes in range(120, 260, 20):
        size = megabytes << 20
        result = subprocess.run(
            [weir, "run", path], env=clean_env, capture_output=True,
            text=True, timeout=20, preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_AS, (size, size)))
        assert result.returncode == 1, result.stderr
        assert "PANIC" not in result.stderr
        assert result.stderr.startswith("weir: ")


@pytest.mark.parametrize("words, code", [
    ('code = "failed", exit_code = 10', 10),
    ('code = "validation", exit_code = 1', 1),
    ('code = "validation"', 4),
])
def test_an_err_may_say_what_the_run_ends_with(run_weir, words, code):
    result = run_weir("run", "-", input=f"""
        error(require "weir.err".new {{ message = "left half done", {words} }}, 0)""")
    assert result.returncode == code
    assert "left half done" in result.stderr


def test_what_an_err_says_counts_although_the_run_was_interrupted(start_weir, script):
    """But one that says nothing does not."""
    for words, code in (", exit_code = 10", 10), ("", 143):
        process = start_weir("run", script(f"""
            local err = require "weir.err"
            local _ <close> = setmetatable({{}}, {{ __close = function()
              error(err.new {{ code = "failed", message = "left half done" {words} }}, 0)
            end }})
            io.stdout:write "on\\n" io.stdout:flush()
            weir.task.sleep(300)"""))
        assert process.stdout.readline() == "on\n"
        process.terminate()
        _, err = process.communicate(timeout=60)
        assert process.returncode == code
        assert "left half done" in err and "weir: interrupted" in err


@pytest.mark.parametrize("words", [
    ["bundle", "inspect"], ["bundle", "inspect", "--json"], ["bundle", "verify"],
    ["key", "list"], ["context", "show", "prod"]])
def test_a_command_whose_output_is_lost_says_so(
        weir, run_weir, clean_env, make_bundle, words):
    bundle = make_bundle({"main.lua": "print('ran')\n"})
    assert run_weir("key", "new", "--no-password", "mine").returncode == 0
    assert run_weir("key", "sign", "--key", "mine", bundle).returncode == 0
    public = bundle.parent / ".config/weir/keys/mine.pub"
    assert run_weir("key", "trust", "mine", public).returncode == 0
    assert run_weir("context", "add", "prod", "--tenant", "acme", "--client-id", "ops",
                    "--secret", "env:ACME_SECRET").returncode == 0
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [weir, *words, *([bundle] if words[0] == "bundle" else [])], env=clean_env,
            stdout=full, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, timeout=60)
    assert result.returncode == 1
    command = " ".join(words[:2])
    assert result.stderr.splitlines()[-1] == f"weir {command}: standard output cannot be written"


@pytest.mark.parametrize("words, hint", [
    (["bundle", "inspect", "none.lua"], "weir bundle create makes one of a script"),
    (["key", "show", "none"], ""),
    (["context", "use", "none"], "")])
def test_a_command_says_what_to_do_in_one_line(run_weir, script, tmp_path, words, hint):
    script("print 'ran'", "none.lua")
    result = run_weir(*words, cwd=tmp_path)
    assert result.returncode != 0
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"weir {' '.join(words[:2])}: ") and line.endswith(hint)

"""A context's secret command that does not end by itself: whatever ends the run
ends it, and what it started; and one that asks at the terminal."""

import json
import os
import pathlib
import signal
import subprocess

import pexpect
import pytest

from test_context import CONNECT, SECRET, context, contexts, places  # noqa: F401
from until import until

def shell(text):
    """A secret command: `text` for the shell."""
    return "command:" + json.dumps(["sh", "-c", text])


@pytest.fixture
def family(tmp_path):
    """A secret command that starts another program and waits for it, and what
    tells whether they run: family.command, .begun(), .alive()."""

    class Family:
        own, other = tmp_path / "own.pid", tmp_path / "other.pid"
        command = shell(f"sleep 300 & echo $! >{other}.new; mv {other}.new {other}; "
                        f"echo $$ >{own}.new; mv {own}.new {own}; wait")

        def begun(self):
            until(self.own.exists)

        def alive(self):
            return [path.name for path in (self.own, self.other) if runs(int(path.read_text()))]

    family = Family()
    yield family
    for path in family.own, family.other:
        if path.exists() and runs(int(path.read_text())):
            os.kill(int(path.read_text()), signal.SIGKILL)


def runs(pid):
    """Whether that process is there, and no zombie."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] not in "ZX"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_secret_command_and_what_it_started(
        start_weir, script, context, sim, family, number):
    context("add", "x", *places(sim), "--secret", family.command)
    process = start_weir("run", "--context", "x", script(CONNECT))
    family.begun()
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    # Nothing is wrong with the context, or with the script.
    assert (out, err) == ("", "weir: interrupted\n")
    until(lambda: family.alive() == [])


def test_a_signal_is_no_fault_of_the_context(start_weir, context, sim, family):
    context("add", "x", *places(sim), "--secret", family.command)
    process = start_weir("doctor", "--context", "x")
    family.begun()
    process.terminate()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "fail  configuration      interrupted\n" in out
    assert "context show" not in out


def test_the_time_of_a_run_ends_a_secret_command(start_weir, script, context, sim, family):
    context("add", "x", *places(sim), "--secret", family.command)
    process = start_weir("run", "--context", "x", "--max-time", "10", script(CONNECT))
    family.begun()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 6
    assert "ended at twice that" not in err, err  # not by the last resort
    until(lambda: family.alive() == [])


def test_a_hard_end_leaves_nothing_of_a_secret_command(
        start_weir, script, context, sim, family):
    """A second signal, while the first is not yet seen: weir is stopped."""
    context("add", "x", *places(sim), "--secret", family.command)
    process = start_weir("run", "--context", "x", script(CONNECT))
    family.begun()
    for number in signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT:
        process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode in (130, 143)
    until(lambda: family.alive() == [])


def test_a_secret_command_ends_with_a_run_that_is_killed(
        start_weir, script, context, sim, family):
    context("add", "x", *places(sim), "--secret", family.command)
    process = start_weir("run", "--context", "x", script(CONNECT))
    family.begun()
    process.kill()
    process.communicate(timeout=60)
    until(lambda: "own.pid" not in family.alive())


# What the child calls before it looks whether its parent is still there.
ORPHAN = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int prctl(int option, ...)
{
    int (*real)(int, ...) = (int (*)(int, ...))dlsym(RTLD_NEXT, "prctl");
    va_list args;
    unsigned long argument;

    va_start(args, option);
    argument = va_arg(args, unsigned long);
    va_end(args);
    if (option == PR_SET_PDEATHSIG) {
        pid_t parent = getppid();
        FILE *file = fopen(getenv("ORPHAN_PID"), "w");

        fprintf(file, "%d\\n", (int)getpid());
        fclose(file);
        kill(parent, SIGKILL);
        while (getppid() == parent)
            usleep(1000);
    }
    return real(option, argument, 0UL, 0UL, 0UL);
}
"""


@pytest.mark.skipif(bool(os.environ.get("SANITIZE")),
                    reason="a sanitizer's library wants to be loaded first")
def test_a_secret_command_is_not_begun_for_a_run_that_is_gone(
        start_weir, script, context, sim, tmp_path):
    """Killed after the fork, before the child has asked to be told of it."""
    source, shim = tmp_path / "orphan.c", tmp_path / "orphan.so"
    source.write_text(ORPHAN)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    begun, pid = tmp_path / "begun", tmp_path / "pid"
    context("add", "x", *places(sim), "--secret", shell(f"touch {begun}; exec sleep 300"))
    process = start_weir("run", "--context", "x", script(CONNECT),
                         env={"LD_PRELOAD": str(shim), "ORPHAN_PID": str(pid)})
    assert process.wait(60) == -signal.SIGKILL
    child = int(pid.read_text())
    until(lambda: begun.exists() or not runs(child))
    if begun.exists():
        os.kill(child, signal.SIGKILL)
    assert not begun.exists()


# -- one that asks at the terminal


ASKS = shell("printf 'PIN for t1: ' >/dev/tty; stty -echo </dev/tty; read -r pin </dev/tty; "
             "stty echo </dev/tty; echo \"$pin\"")


@pytest.fixture
def typed(weir, clean_env):
    """typed(*words) → weir at a terminal."""
    running = []

    def start(*words, env=None):
        child = pexpect.spawn(weir, [str(word) for word in words], encoding="utf-8",
                              env={**clean_env, **(env or {})}, timeout=60)
        running.append(child)
        return child

    yield start
    for child in running:
        child.close(force=True)


def ended(child):
    """The exit code, when it has ended by itself."""
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def test_a_secret_command_may_ask_at_the_terminal(typed, script, context, sim):
    context("add", "x", *places(sim), "--secret", ASKS)
    child = typed("run", "--context", "x", script(CONNECT + """
        io.stdout:write "and now: " io.stdout:flush()
        print("read " .. io.read())"""))
    child.expect("PIN for t1: ")
    child.sendline(SECRET)
    child.expect("t1\tx")
    # The terminal is weir's again.
    child.expect("and now: ")
    child.sendline("a line")
    child.expect("read a line")
    assert ended(child) == 0


def test_ctrl_c_while_a_secret_command_asks(typed, script, context, sim):
    context("add", "x", *places(sim), "--secret", ASKS)
    path = script("""
        local _ <close> = setmetatable({}, { __close = function()
          io.stdout:write "and now: " io.stdout:flush()
          print("read " .. io.read())
        end })""" + CONNECT)
    child = typed("run", "--context", "x", path)
    child.expect("PIN for t1: ")
    child.waitnoecho()
    child.sendintr()
    # What the program has not come to: what is typed is shown again.
    child.expect("and now: ")
    assert child.getecho()
    child.sendline("a line")
    child.expect("read a line")
    child.expect("weir: interrupted")
    assert ended(child) == 130


def test_sigterm_while_a_secret_command_asks(typed, script, context, sim):
    context("add", "x", *places(sim), "--secret", ASKS)
    child = typed("run", "--context", "x", script(CONNECT))
    child.expect("PIN for t1: ")
    child.waitnoecho()
    os.kill(child.pid, signal.SIGTERM)
    child.expect("weir: interrupted")
    assert ended(child) == 143


def test_a_secret_command_that_asks_in_the_background(clean_env, weir, script, context, sim):
    """It has no terminal to give: that is said at once."""
    context("add", "x", *places(sim), "--secret", ASKS)
    child = pexpect.spawn("bash", ["--norc", "--noprofile", "-m"], encoding="utf-8",
                          env={**clean_env, "PS1": "$ "}, timeout=60, echo=False)
    child.sendline(f"{weir} run --context x {script(CONNECT)} & wait $!; echo code=$?")
    child.expect("sh asks at the terminal, which weir has not got while it runs in the "
                 "background")
    child.expect("what to do: run weir in the foreground")
    child.expect("code=5")
    child.sendline("exit")
    child.expect(pexpect.EOF)
    child.close()


def test_ctrl_z_while_a_secret_command_asks(clean_env, weir, script, context, sim):
    context("add", "x", *places(sim), "--secret", ASKS)
    child = pexpect.spawn("bash", ["--norc", "--noprofile", "-m"], encoding="utf-8",
                          env={**clean_env, "PS1": "$ "}, timeout=60, echo=False)
    child.sendline(f"{weir} run --context x {script(CONNECT)}")
    child.expect("PIN for t1: ")
    child.waitnoecho()
    child.send("\x1a")
    child.expect("Stopped")
    child.sendline("echo the shell again")
    child.expect("the shell again")
    child.sendline("fg; echo code=$?")
    child.sendline(SECRET)
    child.expect("t1\tx")
    child.expect("code=0")
    child.sendline("exit")
    child.expect(pexpect.EOF)
    child.close()

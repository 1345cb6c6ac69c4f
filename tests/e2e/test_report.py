"""`weir run --report`: what a run did, for whoever was not there, however it
ended."""

import hashlib
import json
import os
import re
import signal
import time

import pytest

from report_fixture import check, read, wait_until_it_computes

DEFINITION = """{
  name = "gold_chat", channel = "chat", target_group_id = "grp_1",
  matchers = { { attribute = "customer.tier", operator = "equals", value = "gold" } },
}"""
CREATE = f"local tenant = cxone.connect()\ntenant.filters:create {DEFINITION}\n"


@pytest.fixture
def report(tmp_path):
    return tmp_path / "run.json"


def test_a_run_that_is_done(run_weir, script, report):
    path = script(CREATE)
    before = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    result = run_weir("run", "--sim", "--report", report, path, "emea", "--x=1")
    after = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    assert result.returncode == 0, result.stderr
    told = read(report)
    assert told["program"] == {
        "kind": "script", "path": str(path), "name": None, "version": None,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "signer": None, "signer_name": None}
    assert told["arguments"] == ["emea", "--x=1"]
    assert told["machine"] == os.uname().nodename
    assert told["simulator"] is True
    assert [t["name"] for t in told["tenants"]] == ["simulator"]
    assert before <= told["start"] <= told["end"] <= after
    assert (told["outcome"], told["exit_code"], told["error"]) == ("done", 0, None)
    assert told["counts"]["done"] == 1 and told["more"] == 0
    (change,) = told["changes"]
    assert list(change) == [
        "time", "method", "url", "outcome", "status", "request_id", "tries"]
    assert change["method"] == "POST" and change["outcome"] == "done"
    assert change["url"].endswith("/event-processing/filters")
    assert change["status"] == 201 and change["tries"] == 1
    assert re.fullmatch("req_[0-9a-f]+", change["request_id"])


def test_what_only_reads_is_no_change(run_weir, script, report):
    path = script("""
        local tenant = cxone.connect()
        for _ in tenant.filters:list() do end
        tenant.filters:validate """ + DEFINITION)
    assert run_weir("run", "--sim", "--report", report, path).returncode == 0
    assert read(report)["changes"] == []


def test_a_run_that_fails(run_weir, script, report):
    path = script(CREATE + 'tenant.filters:get "flt_none"')
    result = run_weir("run", "--sim", "--report", report, path)
    told = read(report)
    assert told["outcome"] == "failed"
    assert told["exit_code"] == result.returncode == 1
    assert told["error"]["code"] == "not_found"
    assert told["error"]["message"] in result.stderr
    assert told["counts"]["done"] == 1


def test_what_the_server_refuses_and_what_nobody_knows(run_weir, script, report):
    path = script("""
        local tenant = cxone.connect { retry = { attempts = 1 } }
        local record = tenant.filters:create """ + DEFINITION + """
        weir.sim.fault { kind = "status", call = "update", status = 403 }
        pcall(tenant.filters.update, tenant.filters, record, { description = "a" })
        weir.sim.fault { kind = "lost", call = "update" }
        pcall(tenant.filters.update, tenant.filters, record, { description = "b" })
        """)
    result = run_weir("run", "--sim", "--report", report, path)
    assert result.returncode == 0, result.stderr
    told = read(report)
    assert [c["outcome"] for c in told["changes"]] == ["done", "refused", "ambiguous"]
    assert told["changes"][1]["code"] == "permission"
    assert told["changes"][1]["status"] == 403
    assert told["changes"][2]["code"] == "transport"
    assert "status" not in told["changes"][2]


def test_what_never_left_this_machine(run_weir, script, report):
    path = script("""
        local http = require "weir.http"
        http.post("http://127.0.0.1:1/x?token=abc", { body = "x" })
        """)
    assert run_weir("run", "--report", report, path).returncode == 0
    (change,) = read(report)["changes"]
    assert change["outcome"] == "not_sent" and change["code"] == "transport"
    assert change["url"] == "http://127.0.0.1:1/x"


def test_a_script_that_was_asked_what_it_takes(run_weir, script, report):
    """weir.args prints the help and ends the run."""
    path = script('weir.args { name = "x" } print("went on")')
    for confined in [], ["--sandbox"]:
        result = run_weir("run", *confined, "--report", report, path, "--help")
        told = read(report)
        assert (told["outcome"], told["exit_code"]) == ("exit", 0)
        assert result.returncode == 0 and "went on" not in result.stdout


@pytest.mark.parametrize("how", [
    "os.exit(7)",
    "table.sort({ 1, 2, 3 }, function() os.exit(7) end)",  # where Lua cannot wait
    "setmetatable({}, { __gc = function() os.exit(7) end })",  # at the very end
])
def test_os_exit(run_weir, script, report, how):
    result = run_weir("run", "--sim", "--report", report, script(CREATE + how))
    assert result.returncode == 7
    told = read(report)
    assert (told["outcome"], told["exit_code"]) == ("exit", 7)
    assert told["counts"]["done"] == 1


def wait_for(process, report, what):
    """The report says so; None if the run has ended before."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        if report.exists() and what in report.read_text():
            return True
        time.sleep(0.02)
    return None


STUCK = CREATE + """
io.stdout:write("created\\n")
io.stdout:flush()
"""


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_interrupted(start_weir, script, report, number, code):
    path = script(STUCK + "weir.task.sleep(100)")
    process = start_weir("run", "--sim", "--report", report, path)
    assert process.stdout.readline() == "created\n"
    assert read(report)["outcome"] == "running"
    process.send_signal(number)
    assert process.wait(30) == code
    told = read(report)
    assert (told["outcome"], told["exit_code"]) == ("interrupted", code)
    assert told["counts"]["done"] == 1


def test_a_run_that_is_ended_by_a_second_signal(start_weir, script, report):
    path = script(STUCK + "while true do pcall(function() while true do end end) end")
    process = start_weir("run", "--sim", "--report", report, path)
    assert process.stdout.readline() == "created\n"
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)  # two of the same that are not taken yet are one
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    code = process.wait(30)
    told = read(report)
    assert told["exit_code"] == code
    assert told["outcome"] in ("killed", "interrupted")
    assert told["counts"]["done"] == 1 and len(told["changes"]) == 1


def test_a_call_under_way_at_a_hard_end_is_counted(start_weir, script, report):
    path = script(CREATE + """
        weir.sim.fault { kind = "slow", call = "assign", seconds = 100 }
        weir.task.spawn(function()
          weir.task.sleep(0.3)
          io.stdout:write("away\\n")
          io.stdout:flush()
          -- Lua's own search does not look at any flag.
          string.find(string.rep("a", 5000), string.rep(".-", 4) .. "b")
        end)
        tenant.groups:assign("grp_1", { "flt_1" })
        """)
    process = start_weir("run", "--sim", "--report", report, path)
    assert process.stdout.readline() == "away\n"
    wait_until_it_computes(process)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    told = read(report)
    assert told["outcome"] == "killed" and told["killed_by"] == "a second signal"
    assert told["counts"]["done"] == 1 and told["counts"]["under_way"] == 1


def test_a_run_that_its_watchdog_ends(run_weir, script, report):
    path = script(CREATE + """
        -- Lua's own search does not look at any flag.
        string.find(string.rep("a", 5000), string.rep(".-", 4) .. "b")
        """)
    result = run_weir("run", "--sim", "--max-cpu", "1", "--report", report, path)
    assert result.returncode == 6
    told = read(report)
    assert (told["outcome"], told["exit_code"]) == ("killed", 6)
    assert told["killed_by"].startswith("timeout: the script did not stop after its 1 s")
    assert told["killed_by"] in result.stderr
    assert told["counts"]["done"] == 1


def test_kill_9_leaves_what_was_known(start_weir, script, report):
    path = script(STUCK + "weir.task.sleep(100)")
    process = start_weir("run", "--sim", "--report", report, path, "x")
    assert process.stdout.readline() == "created\n"
    process.kill()
    process.wait(30)
    told = read(report)
    assert (told["outcome"], told["exit_code"], told["end"]) == ("running", None, None)
    assert told["arguments"] == ["x"]
    assert told["program"]["path"] == str(path)
    assert [t["name"] for t in told["tenants"]] == ["simulator"]


@pytest.mark.parametrize("place, why", [
    ("nowhere/run.json", "there is no folder nowhere"),
    (".", "this is a folder"),
    ("/dev/null", "no ordinary file"),
    ("", "names no file"),
    ("dir/", "names no file"),
    ("/proc/run.json", ""),
    ("x" * 254, "too long"),
])
def test_a_place_that_cannot_be_written_is_told_before_anything_runs(
        run_weir, script, place, why):
    result = run_weir("run", "--sim", "--report", place, script("print 'ran'"))
    assert (result.returncode, result.stdout) == (5, "")
    assert "weir: --report: " in result.stderr and why in result.stderr


def test_the_script_is_not_overwritten(run_weir, script, tmp_path):
    path = script("print 'ran'")
    (tmp_path / "link.json").symlink_to(path)
    for place in path, tmp_path / "link.json":
        result = run_weir("run", "--sim", "--report", place, path)
        assert (result.returncode, result.stdout) == (5, "")
        assert "would be replaced" in result.stderr
    assert path.read_text() == "print 'ran'"


def test_a_folder_without_permission(run_weir, script, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    (tmp_path / "closed").mkdir(mode=0o500)
    result = run_weir("run", "--sim", "--report", tmp_path / "closed" / "run.json",
                      script("print 'ran'"))
    assert (result.returncode, result.stdout) == (5, "")
    assert "Permission denied" in result.stderr


def test_what_cannot_be_written_at_the_end_is_on_stderr(run_weir, script, tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    path = script(CREATE + f'os.execute("rm -r {folder}")')
    result = run_weir("run", "--sim", "--report", folder / "run.json", path)
    assert result.returncode == 1  # a run without its report does not count as done
    assert "report of this run could not be written" in result.stderr
    told = check(result.stderr[result.stderr.index("{\n"):])
    assert (told["outcome"], told["exit_code"]) == ("failed", 1)
    assert told["error"]["code"] == "io"
    assert told["counts"]["done"] == 1


def test_a_link_stays_a_link_and_old_bytes_never_remain(run_weir, script, tmp_path):
    target = tmp_path / "target.json"
    run_weir("run", "--sim", "--report", target, script("print 'ran'"))
    target.write_text(target.read_text() + " " * 100000)
    link = tmp_path / "link.json"
    link.symlink_to(target)
    run_weir("run", "--sim", "--report", link, script("print 'ran'"))
    assert link.is_symlink()
    assert read(target)["outcome"] == "done"
    assert sorted(p.name for p in tmp_path.glob("*.tmp")) == []


@pytest.mark.parametrize("text, code", [("error", "syntax"), (None, None)])
def test_a_script_that_cannot_be_loaded(run_weir, script, tmp_path, report, text, code):
    path = script("local = 1") if text else tmp_path / "none.lua"
    result = run_weir("run", "--sim", "--report", report, path)
    assert result.returncode == 1
    told = read(report)
    assert (told["outcome"], told["exit_code"]) == ("failed", 1)
    assert told["error"]["message"] in result.stderr
    assert told["changes"] == []


def test_a_run_whose_context_is_not_there(run_weir, script, report):
    path = script("print 'ran'")
    result = run_weir("run", "--context", "nope", "--report", report, path)
    assert (result.returncode, result.stdout) == (5, "")
    told = read(report)
    assert (told["outcome"], told["exit_code"]) == ("failed", 5)
    assert told["program"]["path"] == str(path)
    assert told["error"]["code"] == "config"


def test_secrets_are_in_no_report(run_weir, script, report):
    path = script("""
        local secret = weir.secret.new("met-later-93", "one of the script's")
        error("the server said met-later-93 and hidden-value-17")
        """)
    result = run_weir("run", "--sim", "--report", report, path, "--key=hidden-value-17",
                      "met-later-93", env={"CXONE_CLIENT_SECRET": "hidden-value-17"})
    assert result.returncode == 1
    text = report.read_text()
    assert "hidden-value-17" not in text and "met-later-93" not in text
    assert read(report)["arguments"] == ["--key=[redacted]", "[redacted]"]


def test_strange_arguments_are_still_json(run_weir, script, report):
    run_weir("run", "--sim", "--report", report, script(""),
             os.fsdecode(b"\xff\xfe and \xc3\xa9 \xc3"), 'quote " and \\ and \x1b[31m', "")
    assert read(report)["arguments"] == [
        "\ufffd\ufffd and \xe9 \ufffd", 'quote " and \\ and \x1b[31m', ""]


def test_the_tenant_is_told_once_and_reported(run_weir, script, report, sim):
    path = script("for _ = 1, 3 do cxone.connect() end")
    result = run_weir("run", "--report", report, path, env=sim.env)
    assert result.returncode == 0
    assert result.stderr.count(f"weir: tenant t1 at {sim.url}, from the environment\n") == 1
    told = read(report)
    assert told["simulator"] is False
    assert told["tenants"] == [{"name": "t1", "base_url": sim.url}]


def test_what_another_run_is_writing_beside_it_stays(run_weir, script, report):
    """Two runs may have one FILE: what each writes first is its own."""
    other = report.with_name("run.json.tmp")
    other.write_text("another's")
    last = report.with_name("run.json.last.tmp")
    last.write_text("another's")
    assert run_weir("run", "--sim", "--report", report, script("")).returncode == 0
    assert read(report)["outcome"] == "done"
    assert other.read_text() == last.read_text() == "another's"


def test_the_last_run_to_end_wins(start_weir, run_weir, script, report):
    path = script(STUCK + "weir.task.sleep(100)")
    first = start_weir("run", "--sim", "--report", report, path, "first")
    assert first.stdout.readline() == "created\n"
    run_weir("run", "--sim", "--report", report, script("", "other.lua"), "second")
    told = read(report)
    assert (told["arguments"], told["outcome"]) == (["second"], "done")
    first.send_signal(signal.SIGTERM)
    assert first.wait(30) == 143
    told = read(report)
    assert (told["arguments"], told["outcome"]) == (["first"], "interrupted")
    assert told["counts"]["done"] == 1


def test_many_runs_with_one_report_never_mix(start_weir, script, report):
    path = script("""
        local name = ...
        local http = require "weir.http"
        for _ = 1, 20 do
          http.post("http://127.0.0.1:1/" .. name, { body = "x" })
          cxone.connect { tenant = name .. _ }
        end
        """)
    runs = {name: start_weir("run", "--sim", "--report", report, path, name)
            for name in ("a", "b", "c", "d", "e", "f")}
    while any(process.poll() is None for process in runs.values()):
        if report.exists():
            told = read(report)
            name = (told["arguments"] or ["?"])[0]
            assert all(c["url"].endswith("/" + name) for c in told["changes"])
        time.sleep(0.01)
    assert {p.returncode for p in runs.values()} == {0}, runs["a"].stderr.read()
    assert read(report)["outcome"] == "done"
    assert list(report.parent.glob("*.tmp")) == []

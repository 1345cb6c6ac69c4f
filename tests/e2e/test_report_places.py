"""Where `weir run --report` writes, and where it does not: nothing that is not
a report is lost by it."""

import json
import os
import resource
import stat
import subprocess

import pytest

from report_fixture import check, read

CHANGE = """
local http = require "weir.http"
for _ = 1, %d do http.post("http://127.0.0.1:1/x", { body = "x" }) end
"""


@pytest.fixture
def report(tmp_path):
    return tmp_path / "run.json"


def refused(result, why):
    assert (result.returncode, result.stdout) == (5, "")
    assert result.stderr.startswith("weir: --report: ") and why in result.stderr
    return True


@pytest.mark.parametrize("name, text", [
    ("rehearsal.db", "SQLite format 3\0..."),
    ("script.sim.lua", "weir.sim.seed(1)"),
    ("contexts.json", '{\n  "format": 1,\n  "contexts": {}\n}\n'),
    ("other.json", '{"format": 1}'),
    ("module.lua", "return {}"),
    ("release.key", "untrusted comment: minisign encrypted secret key\n"),
    ("half", '{\n  "format": 1,\n  "program": {'),
    ("short", "{"),
    ("blank", "\n"),
])
def test_a_file_with_something_else_in_it_stays(run_weir, script, tmp_path, name, text):
    path = script("print 'ran'")
    place = tmp_path / name
    place.write_text(text)
    before = place.stat()
    assert refused(run_weir("run", "--sim", "--report", place, path),
                   f"{place}: something else is in this file")
    after = place.stat()
    assert place.read_text() == text
    assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (
        before.st_ino, before.st_mode, before.st_mtime_ns)
    assert list(tmp_path.glob("*.tmp")) == []


def test_the_state_of_the_simulator_stays(run_weir, script, tmp_path):
    path, state = script("cxone.connect().filters:list()()"), tmp_path / "sim.db"
    assert run_weir("run", "--sim", "--sim-state", state, path).returncode == 0
    before = state.read_bytes()
    assert refused(run_weir("run", "--sim", "--sim-state", state, "--report", state, path),
                   "something else is in this file")
    assert state.read_bytes() == before


def test_an_earlier_report_is_replaced_also_one_of_a_later_format(run_weir, script, report):
    path = script("")
    assert run_weir("run", "--sim", "--report", report, path, "first").returncode == 0
    report.write_text(report.read_text().replace('"format": 1,', '"format": 23,', 1))
    assert run_weir("run", "--sim", "--report", report, path, "second").returncode == 0
    assert read(report)["arguments"] == ["second"]


def test_an_empty_file_is_a_place_for_it(run_weir, script, report):
    report.touch(mode=0o644)
    assert run_weir("run", "--sim", "--report", report, script("")).returncode == 0
    assert read(report)["outcome"] == "done"


def test_a_file_that_cannot_be_read_stays(run_weir, script, report):
    report.write_text("x")
    report.chmod(0)
    if os.access(report, os.R_OK):
        pytest.skip("root may read anything")
    assert refused(run_weir("run", "--sim", "--report", report, script("")),
                   "Permission denied; what is in it cannot be seen")


@pytest.mark.parametrize("make, why", [
    (os.mkfifo, "no ordinary file"),
    (os.mkdir, "this is a folder"),
    (lambda path: os.symlink("/dev/full", path), "no ordinary file"),
    (lambda path: os.symlink(os.path.basename(path), path), "Too many levels of symbolic links"),
    (lambda path: os.symlink("none/run.json", path), "there is no folder"),
])
def test_what_is_no_file(run_weir, script, report, make, why):
    make(report)
    before = os.lstat(report)
    assert refused(run_weir("run", "--sim", "--report", report, script("print 'ran'")), why)
    assert os.lstat(report).st_ino == before.st_ino


def test_a_link_to_a_file_that_is_not_there_yet_stays_a_link(run_weir, script, tmp_path):
    (tmp_path / "reports").mkdir()
    (tmp_path / "today.json").symlink_to("run.json")
    (tmp_path / "run.json").symlink_to("reports/first.json")
    result = run_weir("run", "--sim", "--report", "today.json", script(""), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "today.json").is_symlink() and (tmp_path / "run.json").is_symlink()
    assert read(tmp_path / "reports" / "first.json")["outcome"] == "done"


@pytest.mark.parametrize("stream, words", [
    ("2", "where standard error goes"),
    ("1", "where standard output goes"),
    ("0", "what standard input is read from"),
])
def test_the_streams_are_no_place_for_it(weir, clean_env, script, tmp_path, stream, words):
    path, log = script("print 'ran'"), tmp_path / "log"
    log.touch()
    sign = "<" if stream == "0" else ">"
    error = "" if stream == "2" else f"2>{tmp_path / 'error'}"
    result = subprocess.run(
        ["sh", "-c", f'"$1" run --sim --report /dev/fd/{stream} "$2" {stream}{sign}"$3" {error}',
         "sh", weir, path, log], env=clean_env, timeout=60)
    assert result.returncode == 5
    said = (log if stream == "2" else tmp_path / "error").read_text()
    assert said == f"weir: --report: /dev/fd/{stream}: this is {words}, and would be replaced\n"


def limited(weir, env, most, *args):
    """Runs weir with files of at most that many bytes: a disk that is full."""
    return subprocess.run(
        [weir, *map(str, args)], env=env, capture_output=True, text=True, timeout=60,
        stdin=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)))


def test_a_disk_that_is_full_from_the_beginning(weir, clean_env, run_weir, script, report):
    assert run_weir("run", "--sim", "--report", report, script(""), "before").returncode == 0
    before = report.read_text()
    result = limited(weir, clean_env, 100, "run", "--sim", "--report", report,
                     script("print 'ran'"))
    assert refused(result, "File too large")
    assert report.read_text() == before
    assert list(report.parent.glob("*.tmp")) == []


@pytest.mark.parametrize("json_log", [False, True])
@pytest.mark.parametrize("end, code", [("", 1), ("os.exit(0)", 1), ("os.exit(7)", 7),
                                       ("table.sort({2, 1}, function() os.exit(0) end)", 1)])
def test_a_disk_that_is_full_in_the_end(weir, clean_env, script, report, json_log, end, code):
    path = script(CHANGE % 200 + end)
    options = ["--log-format", "json"] if json_log else []
    result = limited(weir, clean_env, 8000, "run", *options, "--report", report, path)
    assert result.returncode == code
    if json_log:
        lines = [json.loads(line) for line in result.stderr.splitlines()]
        assert lines[-1]["level"] == "error"
        assert lines[-1]["message"] == (
            "the report of this run could not be written: File too large")
        told = check(json.dumps(lines[-1]["report"]))
    else:
        reason, text = result.stderr.split("\n", 1)
        assert reason == ("weir: the report of this run could not be written: File too large; "
                          "here it is")
        told = check(text)
    assert told["exit_code"] == code
    assert told["outcome"] == ("exit" if code == 7 else "failed")
    assert told["error"]["code"] == "io"
    assert len(told["changes"]) == 200
    assert read(report)["outcome"] == "running"  # and never a success
    assert list(report.parent.glob("*.tmp")) == []


def test_a_mode_that_others_could_read_is_not_kept(run_weir, script, report):
    path = script("")
    run_weir("run", "--sim", "--report", report, path)
    report.chmod(0o666)
    run_weir("run", "--sim", "--report", report, path)
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


def test_only_a_run_has_a_report(run_weir, report):
    for command in ["repl"], ["doctor"], ["check"]:
        result = run_weir(*command, "--report", report)
        assert result.returncode == 64 and "unknown option --report" in result.stderr
    assert not report.exists()

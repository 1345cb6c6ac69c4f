"""Reads a run's report strictly: its form is what programs rely on."""

import json
import stat
import time

MEMBERS = [
    "format", "program", "arguments", "arguments_left_out", "machine", "weir",
    "context", "simulator", "dry_run", "error", "start", "tenants",
    "tenants_left_out", "end", "outcome", "exit_code", "killed_by", "spent",
    "counts", "more", "changes"]


def check(text):
    report = json.loads(text)
    assert list(report) == MEMBERS
    assert report["format"] == 1
    assert list(report["counts"]) == [
        "done", "refused", "ambiguous", "not_sent", "would_send", "under_way"]
    # Nothing claims success but what succeeded.
    outcome, code = report["outcome"], report["exit_code"]
    assert outcome in ("running", "done", "failed", "exit", "interrupted", "killed")
    assert (code is None) == (outcome == "running") == (report["end"] is None)
    if outcome == "done":
        assert code == 0 and report["error"] is None
    elif outcome in ("interrupted", "failed", "killed"):
        assert code != 0
    assert (report["killed_by"] is None) == (outcome != "killed")
    return report


def read(path):
    report = check(path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return report


def wait_until_it_computes(process):
    """The process has used up 0.3 s of its processor from now on."""

    def used():
        with open(f"/proc/{process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])  # ticks, a hundred a second

    begin, deadline = used(), time.monotonic() + 60
    while used() < begin + 30 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)

"""weir sim --state FILE: what was answered is there after a restart, however
the simulator ended; and no file is harmed that is not its own."""

import itertools
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
from pathlib import Path

import httpx
import pytest

from sim_fixture import API, METRICS, WEIR, Sim, definition

LIST = f"{API}/filters"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "tenant.db"


def go_on(sim, start_sim, *args):
    """Ends it, and starts another one that goes on from the file."""
    code, _, err = sim.stop()
    assert (code, err) == (0, "")
    again = start_sim("--quiet", *args)
    again.http = httpx.Client(base_url=again.url, trust_env=False, timeout=10,
                              headers={"Authorization": sim.http.headers["authorization"]})
    again.clients.append(again.http)
    return again


def listing(sim):
    items, cursor = [], ""
    while cursor is not None:
        page = sim.http.get(LIST, params={"cursor": cursor}).json()
        items += page["filters"]
        cursor = page["next_cursor"]
    return items


# ---- restarts


def test_everything_is_there_after_a_restart(start_sim, file):
    args = ("--state", str(file), "--clock", "manual")
    sim = start_sim("--quiet", *args)
    one, two = sim.create(name="one"), sim.create(name="two", matchers=[
        {"attribute": "n", "operator": "in", "value": [9007199254740993, 1.5, "a\0b", "é"]}])
    sim.put(one, description="changed")
    three = sim.create(name="three")
    group = f"{API}/filter-groups/g%2F%00é/filters"
    sim.http.put(group, json={"filter_ids": [three["id"], one["id"]]})
    sim.http.delete(f"{LIST}/{three['id']}", headers={"If-Match": three["etag"]})
    sim.http.get(f"{LIST}/{two['id']}/status")
    sim.anonymous.post("/_sim/events", json=[{"channel": "voice"}, {"channel": "chat"}])
    sim.config(activation={"seconds": 60})
    four = sim.create(name="four")
    sim.clock(advance=59)

    def look(sim):
        before = sim.state()
        seen = [listing(sim), sim.http.get(group).json(),
                sim.http.get(f"{API}/audit-logs").json(), sim.clock(),
                sim.http.get(METRICS, params={"filter_id": one["id"]}).json()]
        return before, seen

    before, seen = look(sim)
    assert (before["creates"], before["deletes"], before["members_removed"]) == (4, 1, 1)
    counters = sim.state()
    sim = go_on(sim, start_sim, *args)
    before, again = look(sim)
    assert again == seen
    assert before == counters
    # What was begun goes on: the second look of two, a timer's last second.
    assert sim.http.get(f"{LIST}/{two['id']}/status").json()["status"] == "PENDING_ACTIVATION"
    assert sim.http.get(f"{LIST}/{two['id']}/status").json()["status"] == "ACTIVE"
    sim.clock(advance=1)
    assert sim.http.get(f"{LIST}/{four['id']}").json()["status"] == "ACTIVE"
    assert sim.put(seen[0][0], if_match=one["etag"]).status_code == 409


def test_the_same_seed_goes_on_as_if_nothing_had_happened(start_sim, tmp_path):
    """Ids, ETags, tokens, request ids, chances and cursors of two halves are
    those of the whole."""
    def half(sim):
        seen = []
        for i in range(6):
            sim.http.post(LIST, json=definition(name=f"f{i}"))
            answer = sim.http.get(LIST, params={"page_size": 3})
            seen += [answer.status_code, answer.text, answer.headers["x-request-id"]]
        return seen + [sim.ask_token().json()["access_token"]]

    def args(name):
        return ("--state", str(tmp_path / name), "--clock", "manual", "--seed", "9",
                "--fault", "status:p=0.4,call=list")

    whole = start_sim("--quiet", *args("a"))
    expected = half(whole) + half(whole)
    assert 500 in expected and 200 in expected
    first = start_sim("--quiet", *args("b"))
    got = half(first)
    assert got + half(go_on(first, start_sim, *args("b"))) == expected


def test_a_token_outlives_the_simulator_and_is_not_in_the_file(start_sim, file):
    sim = start_sim("--quiet", "--state", str(file))
    sim.create()
    token = sim.http.headers["authorization"].split()[1]
    sim = go_on(sim, start_sim, "--state", str(file))
    assert sim.http.get(LIST).status_code == 200
    sim.fault("expired")
    assert sim.http.get(LIST).status_code == 401
    sim = go_on(sim, start_sim, "--state", str(file))
    assert sim.http.get(LIST).status_code == 401
    for path in file.parent.iterdir():
        content = path.read_bytes()
        assert token.encode() not in content
        assert b"s3cret-of-the-tests" not in content


def test_reset_empties_the_file_too(start_sim, file):
    sim = start_sim("--quiet", "--state", str(file))
    sim.create()
    sim.anonymous.post("/_sim/reset")
    sim.http = sim.login()
    sim = go_on(sim, start_sim, "--state", str(file))
    assert listing(sim) == []
    assert sim.state()["creates"] == 0


def test_events_of_a_scenario_come_once(start_sim, file, tmp_path):
    scenario = tmp_path / "s.lua"
    scenario.write_text("return { seed = 4, events = { { channel = 'chat' } } }")
    args = ("--state", str(file), "--scenario", str(scenario))
    sim = start_sim("--quiet", *args)
    sim.create()
    sim = go_on(sim, start_sim, *args)
    assert sim.state()["events"] == 1
    assert sim.anonymous.get("/_sim").json()["seed"] == 4


def test_a_script_finds_what_the_one_before_left(run_weir, script, file):
    make = script("""
        local tenant = require "cxone".connect()
        print(tenant.filters:deploy { name = "kept", channel = "chat", target_group_id = "g",
          matchers = { { attribute = "a", operator = "equals", value = 1 } } }.id)
    """, "make.lua")
    look = script("""
        local tenant = require "cxone".connect()
        for f in tenant.filters:list() do print(f.id) end
    """, "look.lua")
    made = run_weir("run", "--sim", "--sim-state", file, make)
    assert made.returncode == 0, made.stderr
    found = run_weir("run", "--sim", "--sim-state", file, look)
    assert (found.stdout, found.returncode) == (made.stdout, 0)
    for command in ("run", "repl"):
        for option, value in ("--sim-state", file), ("--sim-seed", 3):
            refused = run_weir(command, option, value, look)
            assert refused.returncode == 64
            assert f"{option} needs --sim" in refused.stderr


# ---- killed


def test_what_was_answered_outlives_kill_9(start_sim, file):
    """Writers at work, kill -9 in the middle, five times on one file."""
    known = {}  # id → version that was answered last
    for turn in range(5):
        sim = start_sim("--quiet", "--state", str(file))
        enough = threading.Event()

        def write(name, sim=sim, enough=enough):
            with sim.login(client_id=name) as client:
                for i in itertools.count():
                    try:
                        record = client.post(LIST, json=definition(name=f"{name}-{i}")).json()
                        known[record["id"]] = 1
                        answer = client.put(f"{LIST}/{record['id']}",
                                            json=definition(name="changed"),
                                            headers={"If-Match": record["etag"]})
                        known[record["id"]] = answer.json()["version"]
                    except httpx.TransportError:
                        return
                    if i == 6:
                        enough.set()

        writers = [threading.Thread(target=write, args=(f"w{turn}{n}",)) for n in range(3)]
        for writer in writers:
            writer.start()
        assert enough.wait(60)
        sim.process.send_signal(signal.SIGKILL)
        for writer in writers:
            writer.join()
        sim.process.wait()
        sim = start_sim("--quiet", "--state", str(file))
        found = {item["id"]: item["version"] for item in listing(sim)}
        lost = {i: v for i, v in known.items() if found.get(i, 0) < v}
        assert not lost
        counters = sim.state()
        # Each writer may have had one request under way.
        assert len(known) <= counters["creates"] == len(found) <= len(known) + 3 * (turn + 1)
        created = [e for e in audit(sim) if e["action"] == "create"]
        assert {e["filter_id"] for e in created} == set(found)
        assert sim.stop()[0] == 0


def audit(sim):
    entries, cursor = [], ""
    while cursor is not None:
        page = sim.http.get(f"{API}/audit-logs", params={"cursor": cursor}).json()
        entries += page["entries"]
        cursor = page["next_cursor"]
    return entries


# ---- one at a time


def refused(*args, **keys):
    done = subprocess.run([WEIR, "sim", *args], capture_output=True, text=True, timeout=30,
                          check=False, **keys)
    assert done.stdout == ""
    return done


def test_a_second_process_is_told_who_has_the_file(start_sim, file, run_weir, script):
    sim = start_sim("--quiet", "--state", str(file))
    sim.create()
    link = file.with_name("link.db")
    link.symlink_to(file)
    for path in (file, link):
        done = refused("--state", str(path))
        assert done.returncode == 7
        assert f"process {sim.process.pid} (weir)" in done.stderr
    done = run_weir("run", "--sim", "--sim-state", file, script("print 'not run'"))
    assert (done.returncode, done.stdout) == (7, "")
    assert str(sim.process.pid) in done.stderr
    assert sim.http.get(LIST).json()["filters"]
    # The lock ends with its holder.
    sim.process.kill()
    sim.process.wait()
    start_sim("--quiet", "--state", str(file))


def test_another_program_that_writes_is_named_too(start_sim, file):
    start_sim("--quiet", "--state", str(file)).stop()
    with sqlite3.connect(file) as other:
        other.execute("BEGIN IMMEDIATE")
        done = refused("--state", str(file))
        assert done.returncode == 7
        assert f"process {os.getpid()}" in done.stderr
    other.close()


# ---- files that are none of ours


def a_database(path, *statements):
    with sqlite3.connect(path) as other:
        for statement in statements:
            other.execute(statement)
    other.close()


def spoil_page(path):
    size = path.stat().st_size
    with open(path, "r+b") as f:
        f.seek(size // 4096 // 2 * 4096)
        f.write(b"\xff" * 4096)


@pytest.mark.parametrize("make, said", [
    (lambda p, s: p.write_text("hello, world\n" * 500), "not a state file"),
    (lambda p, s: p.write_bytes(b"SQLite format 3\0" + b"x" * 5000), "not a state file"),
    (lambda p, s: a_database(p, "CREATE TABLE t(a)"), "something else"),
    (lambda p, s: a_database(p, "PRAGMA application_id = 7"), "something else"),
    (lambda p, s: a_database(s(p), "PRAGMA user_version = 2"), "newer weir"),
    (lambda p, s: a_database(s(p), "UPDATE item SET value = '{' WHERE kind = 'filter'"),
     "filter 1 is damaged"),
    (lambda p, s: a_database(s(p), "DELETE FROM item WHERE kind = 'book'"), "no simulator's data"),
    (lambda p, s: a_database(s(p), "UPDATE item SET value = '{}' WHERE kind = 'book'"), "damaged"),
    (lambda p, s: spoil_page(s(p)), "damaged"),
    (lambda p, s: p.mkdir(), "not an ordinary file"),
    (lambda p, s: os.mkfifo(p), "not an ordinary file"),
    (lambda p, s: p.symlink_to(p.parent / "no" / "where"), "No such file"),
])
def test_what_is_no_state_file_is_refused_and_left_alone(start_sim, file, make, said):
    def state_file(path):
        sim = start_sim("--quiet", "--state", str(path))
        for i in range(40):
            sim.create(name=f"f{i}", description="x" * 1000)
        sim.stop()
        return path

    make(file, state_file)
    before = file.read_bytes() if file.is_file() else None
    names = sorted(p.name for p in file.parent.iterdir())
    done = refused("--state", str(file))
    assert done.returncode == 1
    assert said in done.stderr and str(file) in done.stderr or "state file:" in done.stderr
    if before is not None:
        assert file.read_bytes() == before
    assert sorted(p.name for p in file.parent.iterdir()) == names


def test_another_seed_is_refused_not_ignored(start_sim, file):
    start_sim("--quiet", "--state", str(file), "--seed", "2").stop()
    done = refused("--state", str(file), "--seed", "3")
    assert done.returncode == 64
    assert "seed 2" in done.stderr


@pytest.fixture
def nobody():
    """A folder of somebody without rights, and how to run as them."""
    folder = Path(tempfile.mkdtemp(prefix="weir-"))
    if os.getuid() == 0:
        os.chown(folder, 65534, 65534)
        yield folder, {"user": 65534, "group": 65534, "extra_groups": []}
    else:
        yield folder, {}
    folder.chmod(0o700)
    shutil.rmtree(folder)


@pytest.mark.parametrize("folder_mode, file_mode, said", [
    (0o700, 0o000, "Permission denied"),
    (0o700, 0o400, "cannot be written"),
    (0o500, 0o600, "folder, cannot be written"),
    (0o500, None, "Permission denied"),
])
def test_what_may_not_be_written_is_said(nobody, folder_mode, file_mode, said):
    folder, who = nobody
    path = folder / "tenant.db"
    if file_mode is not None:
        Sim("--port", "0", "--quiet", "--state", str(path)).stop()
        if who:
            os.chown(path, 65534, 65534)
        path.chmod(file_mode)
    before = path.read_bytes() if path.exists() else b""
    folder.chmod(folder_mode)
    done = refused("--state", str(path), **who)
    folder.chmod(0o700)
    assert done.returncode == 1
    assert str(path) in done.stderr
    assert said in done.stderr or "Permission denied" in done.stderr
    assert (path.read_bytes() if path.exists() else b"") == before


# ---- no room


def fill(sim):
    """Creates until it fails; the ids that were answered, and the failure."""
    made = []
    for i in range(2000):
        answer = sim.http.post(LIST, json=definition(name=f"f{i}", description="x" * 1000))
        if answer.status_code != 201:
            return made, answer
        made.append(answer.json()["id"])
    raise AssertionError("it was never full")


def check_full(sim, made, failure):
    assert failure.status_code == 500
    assert "state file could not be written" in failure.json()["message"]
    assert [item["id"] for item in listing(sim)] == made
    assert sim.state()["creates"] == len(made)


def test_a_write_that_fails_has_not_happened(file):
    sim = Sim("--port", "0", "--quiet", "--state", str(file))
    try:
        sim.http.get(LIST)
        resource.prlimit(sim.process.pid, resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
        made, failure = fill(sim)
        check_full(sim, made, failure)
        resource.prlimit(sim.process.pid, resource.RLIMIT_FSIZE,
                         (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        made.append(sim.create()["id"])
    finally:
        sim.close()
        code, _, err = sim.stop()
    assert code == 0
    assert "tenant.db: " in err
    again = Sim("--port", "0", "--quiet", "--state", str(file))
    try:
        assert [item["id"] for item in listing(again)] == made
    finally:
        again.close()
        assert again.stop()[0] == 0


def test_a_full_disk_is_said_and_harms_nothing(tmp_path):
    room = tmp_path / "room"
    room.mkdir()
    inside = f"mount -t tmpfs -o size=600k none {room} && exec \"$@\""
    command = ("unshare", "-rm", "sh", "-c", inside, "sh")
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no right to mount a small disk")
    sim = Sim("--port", "0", "--quiet", "--state", str(room / "tenant.db"),
              command=(*command, WEIR, "sim"))
    try:
        made, failure = fill(sim)
        check_full(sim, made, failure)
    finally:
        sim.close()
        code, _, err = sim.stop()
    assert code == 0
    assert "the disk is full" in err

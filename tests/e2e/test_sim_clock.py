"""The simulator's clock, and what can be told of a run afterwards: the same
script with the same seed leaves the same log."""

import json
import re

import pytest

from sim_fixture import API, METRICS, definition

LIST = f"{API}/filters"


def test_manual_stands_still_and_everything_goes_by_it(start_sim):
    sim = start_sim("--clock", "2024-02-29T23:59:59Z", "--quiet")
    assert sim.clock() == {"mode": "manual", "now": "2024-02-29T23:59:59.000Z",
                           "seconds": 1709251199}
    record = sim.create()
    assert record["created_at"] == "2024-02-29T23:59:59.000Z"
    sim.clock(advance=1)
    answer = sim.put(record, description="later")
    assert answer.json()["updated_at"] == "2024-03-01T00:00:00.000Z"
    assert answer.headers["date"] == "Fri, 01 Mar 2024 00:00:00 GMT"
    entries = sim.http.get(f"{API}/audit-logs").json()["entries"]
    assert [e["time"] for e in entries] == ["2024-03-01T00:00:00.000Z", "2024-02-29T23:59:59.000Z"]
    assert [e["time"] for e in sim.log() if e["call"] == "create"] == ["2024-02-29T23:59:59.000Z"]
    sim.anonymous.post("/_sim/events", json=[{"channel": "voice"}])
    sim.clock(advance="PT10M")
    query = {"filter_id": record["id"], "interval": "PT5M", "start_time": "-PT1200S"}
    series = sim.http.get(METRICS, params=query).json()["series"]
    assert [(p["time"][11:19], p["hit_count"]) for p in series] == [
        ("23:50:00", 0), ("23:55:00", 0), ("00:00:00", 1), ("00:05:00", 0)]
    sim.fault("rate", retry_after=30, date="imf")
    assert sim.http.get(LIST).headers["retry-after"] == "Fri, 01 Mar 2024 00:10:30 GMT"


def test_manual_starts_at_a_time_that_is_always_the_same(start_sim):
    assert start_sim("--clock", "manual", "--quiet").clock()["now"] == "2025-01-01T00:00:00.000Z"


def test_moving_the_clock_moves_activations_each_at_its_time(start_sim):
    sim = start_sim("--clock", "manual", "--activation", "seconds=30", "--quiet",
                    "--token-life", "100000")
    first = sim.create(name="first")
    sim.clock(advance=10)
    second = sim.create(name="second")
    assert sim.http.get(f"{LIST}/{second['id']}/status").json()["status"] == "PENDING_ACTIVATION"
    sim.config(activation={"seconds": 5, "fail": "REJECTED", "reason": "full"})
    third = sim.create(name="third")
    gone = sim.create(name="gone")
    sim.http.delete(f"{LIST}/{gone['id']}", headers={"If-Match": gone["etag"]})
    sim.clock(advance=20)

    def status(record):
        return sim.http.get(f"{LIST}/{record['id']}").json()["status"]

    # Nobody has looked at the status of any.
    assert (status(first), status(second), status(third)) == (
        "ACTIVE", "PENDING_ACTIVATION", "REJECTED")
    sim.clock(advance=3600)
    ended = [(e["time"][11:19], e["action"], e["filter_id"])
             for e in sim.http.get(f"{API}/audit-logs").json()["entries"]
             if e["actor"] == "system"]
    assert ended == [("00:00:40", "activate", second["id"]), ("00:00:30", "activate", first["id"]),
                     ("00:00:15", "fail", third["id"])]
    assert sim.state()["activations"] == 2
    assert sim.state()["activations_failed"] == 1


def test_the_real_clock_can_be_moved_stopped_and_started(sim):
    now = sim.clock()
    assert now["mode"] == "real"
    later = sim.clock(advance="P1D")
    assert 86400 <= later["seconds"] - now["seconds"] < 86400 + 300
    assert sim.clock(mode="manual")["mode"] == "manual"
    assert sim.clock() == sim.clock()
    assert sim.clock(set="2020-01-01T00:00:00Z", advance=5)["now"] == "2020-01-01T00:00:05.000Z"
    assert sim.clock(mode="real")["now"].startswith("2020-01-01T00:")


def test_reset_puts_the_clock_back(start_sim):
    sim = start_sim("--clock", "manual", "--quiet")
    sim.clock(advance=5)
    sim.anonymous.post("/_sim/reset")
    assert sim.clock()["now"] == "2025-01-01T00:00:00.000Z"


@pytest.mark.parametrize("change, said", [
    ({"advnce": 1}, "did you mean 'advance'"),
    ({"advance": -1}, "advance"),
    ({"advance": "soon"}, "PT90S"),
    ({"advance": 1e12}, "advance"),
    ({"set": "9999-12-31T23:59:59Z", "advance": 1}, "9999"),
    ({"set": "2024-02-30T00:00:00Z"}, "set"),
    ({"mode": "fast"}, "real or manual"),
    ({}, "expected mode"),
    ([1], "object"),
    (None, "object"),
])
def test_a_change_that_makes_no_sense_is_explained_and_not_made(start_sim, change, said):
    sim = start_sim("--clock", "manual", "--quiet")
    answer = sim.anonymous.post("/_sim/clock", content=json.dumps(change))
    assert answer.status_code == 400
    assert said in answer.json()["message"]
    assert sim.clock()["now"] == "2025-01-01T00:00:00.000Z"


def test_scripts_move_it_too(run_weir, script):
    done = run_weir("run", "--sim", script("""
        local sim = require "weir.sim"
        sim.clock { mode = "manual", set = "2024-05-01T00:00:00Z" }
        print(sim.clock { advance = 90 }.now, sim.clock().mode)
        local ok, e = pcall(sim.clock, { advanc = 1 })
        print(ok, e.code, e.message)
    """))
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first == "2024-05-01T00:01:30.000Z\tmanual"
    assert second.startswith("false\tinvalid\t") and "'advance'" in second


# ---- the log


def test_tokens_are_named_but_not_shown(sim):
    sim.http.get(LIST)
    with sim.login() as other:
        other.get(LIST)
        sim.fault("expired")
        other.get(LIST)
        other.get(LIST)
    seen = [(e["call"], e["status"], e.get("token")) for e in sim.log()]
    assert seen == [("token", 200, "tok_1"), ("list", 200, "tok_1"), ("token", 200, "tok_2"),
                    ("list", 200, "tok_2"), ("list", 401, "tok_2"), ("list", 401, None)]


SCRIPT = """
    local cxone, task = require "cxone", require "weir.task"
    local tenant = cxone.connect()
    local function make(name)
      return tenant.filters:deploy {
        name = name, channel = "chat", target_group_id = "grp_1",
        matchers = { { attribute = "a", operator = "equals", value = name } },
      }, { interval = 0 }
    end
    -- Three tasks at once, each of which goes on when the one before is done.
    local before
    for i = 1, 3 do
      local mine = before
      before = task.spawn(function()
        if mine then mine:join() end
        make("chained_" .. i)
      end)
    end
    before:join()
    local f = make "last"
    tenant.filters:update(f.id, function(d) d.description = "changed" end)
    for entry in tenant.audit:entries() do print(entry.action) end
"""


def test_the_same_script_and_seed_leave_the_same_log(start_sim, run_weir, script):
    """Byte for byte, with nothing taken out."""
    path = script(SCRIPT)
    turns = iter((0, 3, 1))

    def run(seed):
        sim = start_sim("--clock", "manual", "--seed", str(seed), "--activation", "looks=0",
                        "--fault", "rate:p=0.3,retry_after=0", "--fault", "slow:p=0.2,seconds=0.01",
                        "--fault", "concurrent_edit:value=theirs,field=description,actor=x,p=0.01",
                        "--quiet")
        for _ in range(next(turns)):  # who only watches changes nothing
            sim.state()
        done = run_weir("run", path, env=sim.env)
        assert done.returncode == 0, done.stderr
        counters = sim.state()
        assert counters["faults"] > 0
        return sim.anonymous.get("/_sim/log").content, done.stdout, counters

    one, again, other = run(3), run(3), run(4)
    assert one == again
    assert one[0] != other[0]
    assert len(json.loads(one[0])["requests"]) > 15
    assert not re.search(rb"127\.0\.0\.1|sim-[0-9a-f]{8}|s3cret", one[0])

"""Answers that are lost: what was done is found, and nothing is done twice.
The simulator counts what was really done."""

import textwrap

import pytest

from sim_fixture import API, definition

FILTER = """
local cxone = require "cxone"
local tenant = cxone.connect {
  retry = { base = 0.02, cap = 1 }, timeout = TIMEOUT,
  dialect = { lost = { looks = 3, interval = 0.05 } },
}
local definition = {
  name = "lost_one", channel = "voice",
  matchers = {
    { attribute = "customer.tier", operator = "equals", value = "gold" },
  },
  target_group_id = "grp_lost",
}
local function show(ok, r)
  if ok then return print("ok", r.id, r.status) end
  print(r.code, r.because, r.ids and #r.ids, r.attempts)
  print(r.message)
  print(r.hint)
end
"""
DEPLOY = """
show(pcall(tenant.filters.deploy, tenant.filters, definition, { interval = 0.02 }))
"""


@pytest.fixture
def run(run_weir, sim, tmp_path):
    """run(lua[, timeout]) → the lines it printed; the log is in run.log."""

    def call(text, timeout="nil"):
        path = tmp_path / "script.lua"
        path.write_text(FILTER.replace("TIMEOUT", timeout) + textwrap.dedent(text))
        done = run_weir("run", path, env=sim.env)
        assert done.returncode == 0, done.stderr
        call.log = done.stderr
        return done.stdout.splitlines()

    return call


def ids(sim):
    """Of the filters that are there, by the server's own word."""
    return [f["id"] for f in sim.http.get(f"{API}/filters?page_size=100").json()["filters"]]


# Create ----------------------------------------------------------------------


@pytest.mark.parametrize("place", ["before", "after_headers", "mid_body"])
def test_a_create_whose_answer_was_lost_is_adopted(run, sim, place):
    sim.fault("lost", call="create", at=place)
    out = run(DEPLOY)
    assert out == [f"ok\t{ids(sim)[0]}\tACTIVE"]
    assert sim.state()["creates"] == 1
    assert "is taken for it" in run.log


def test_a_success_that_cannot_be_read_is_as_good_as_lost(run, sim):
    sim.fault("invalid_json", call="create", body='{"id": ')
    out = run(DEPLOY)
    assert out == [f"ok\t{ids(sim)[0]}\tACTIVE"]
    sim.fault("invalid_json", call="create", body="{}")
    out = run("""
        definition.name = "other"
        show(pcall(tenant.filters.create, tenant.filters, definition))
    """)
    assert out[0] == "ambiguous\tprotocol\tnil\t1"
    assert "it has no id" in out[1]
    assert sim.state()["creates"] == 2


def test_create_alone_is_never_repeated(run, sim):
    for fault in ("drop", "lost"):
        sim.fault(fault, call="create")
        out = run("show(pcall(tenant.filters.create, tenant.filters, definition))")
        assert out[0] == "ambiguous\ttransport\tnil\t1"
        assert "may have been done" in out[1]
    assert sum(r["call"] == "create" for r in sim.log()) == 2


def test_a_create_that_did_not_arrive_is_made_once_more(run, sim):
    sim.fault("drop", call="create")
    out = run(DEPLOY)
    assert out == [f"ok\t{ids(sim)[0]}\tACTIVE"]
    assert sim.state()["creates"] == 1
    assert "creating it again" in run.log
    calls = [r["call"] for r in sim.log()]
    # Looked for three times before, and counted after.
    assert calls[calls.index("create") :].count("create") == 2
    again = len(calls) - 1 - calls[::-1].index("create")
    assert calls[:again].count("list") == 3 and calls[again:].count("list") >= 1


def test_a_second_try_that_is_lost_too_is_adopted(run, sim):
    sim.fault("drop", call="create")
    sim.fault("lost", call="create")
    assert run(DEPLOY) == [f"ok\t{ids(sim)[0]}\tACTIVE"]
    assert sim.state()["creates"] == 1


def test_two_tries_that_come_to_nothing_are_told(run, sim):
    sim.fault("drop", call="create", count=9)
    out = run(DEPLOY)
    assert out[0] == "ambiguous\ttransport\t0\t1"
    assert "second try" in out[1]
    assert sum(r["call"] == "create" for r in sim.log()) == 2
    assert ids(sim) == []


@pytest.mark.parametrize("status", [504, 500])
def test_a_gateway_that_gave_up_waiting_forbids_a_second_try(run, sim, status):
    sim.fault("status", call="create", status=status, count=9)
    out = run(DEPLOY)
    if status == 504:
        assert out[0] == "ambiguous\tserver\t0\t1"
        assert "no filter of that name" in out[1] and "may still arrive" in out[2]
    else:
        assert out[0].startswith("server")
    assert sum(r["call"] == "create" for r in sim.log()) == 1


def test_a_create_that_is_late_is_found(run, sim):
    sim.fault("slow", call="create", seconds=2)
    out = run(DEPLOY, timeout="0.5")
    assert out == [f"ok\t{ids(sim)[0]}\tACTIVE"]
    assert sim.state()["creates"] == 1


def test_several_of_that_name_are_for_a_person_to_judge(run, sim):
    mine = dict(name="lost_one", description=None, pattern_rules=[],
                target_group_id="grp_lost")
    old = definition(**mine)
    del old["description"]
    old_id = sim.http.post(f"{API}/filters", json=old).json()["id"]
    sim.fault("lost", call="create")
    out = run(DEPLOY)
    assert out[0] == "ambiguous\ttransport\t2\t1"
    assert "2 filters of that name" in out[1]
    assert all(i in out[1] for i in ids(sim)) and old_id in ids(sim)
    assert sim.state()["creates"] == 2


def test_one_of_another_definition_is_not_adopted(run, sim):
    other = sim.create(name="lost_one")["id"]
    sim.fault("drop", call="create")
    out = run(DEPLOY)
    assert out[0] == "ambiguous\ttransport\t1\t1"
    assert other in out[1] and "another definition" in out[1]
    assert sim.state()["creates"] == 1


def test_without_a_list_the_group_is_searched_and_none_is_no_proof(run, sim):
    sim.fault("status", call="list", status=405, count=99)
    sim.fault("drop", call="create")
    out = run(DEPLOY)
    assert out[0] == "ambiguous\ttransport\t0\t1"
    assert sum(r["call"] == "create" for r in sim.log()) == 1
    assert [r["call"] for r in sim.log()].count("members") == 3
    # One that has joined the group is found there.
    made = sim.http.post(f"{API}/filters", json={
        "name": "lost_one", "channel": "voice", "target_group_id": "grp_lost",
        "matchers": [{"attribute": "customer.tier", "operator": "equals",
                      "value": "gold"}]}).json()["id"]
    sim.http.put(f"{API}/filter-groups/grp_lost/filters",
                 json={"filter_ids": [made, sim.create(name="x")["id"]]})
    sim.fault("drop", call="create")
    assert run(DEPLOY) == [f"ok\t{made}\tACTIVE"]


def test_a_search_that_fails_is_told(run, sim):
    sim.fault("status", call="list", status=500, count=99)
    sim.fault("lost", call="create")
    out = run(DEPLOY)
    assert out[0] == "ambiguous\ttransport\t0\t1"
    assert "looking for it failed" in out[1] and "500" in out[1]


# Update and delete -----------------------------------------------------------


@pytest.mark.parametrize("place", ["before", "after_headers", "mid_body"])
def test_an_update_whose_answer_was_lost_meets_its_own_work(run, sim, place):
    record = sim.create()
    sim.fault("lost", call="update", at=place)
    out = run(f"""
        local record, info = tenant.filters:update("{record['id']}",
          {{ description = "new words" }})
        print(record.description, record.version, info.attempts, #info.merged)
    """)
    assert out == ["new words\t2\t1\t0"]
    assert sim.state()["updates"] == 1
    puts = [r for r in sim.log() if r["call"] == "update"]
    assert [p["status"] for p in puts][1:] == [409]


def test_a_lost_update_and_somebody_elses_are_merged(run, sim):
    """The first PUT is done and its answer lost; before the second arrives a
    colleague changes another field.  Neither is lost."""
    record = sim.create()
    sim.fault("lost", call="update")
    sim.fault("concurrent_edit", after=1, field="channel", value="chat")
    out = run(f"""
        local record, info = tenant.filters:update("{record['id']}",
          {{ description = "new words" }})
        print(record.description, record.channel, record.version)
    """)
    assert out == ["new words\tchat\t3"]


@pytest.mark.parametrize("attempts", [1, 8])
def test_a_lost_update_needs_no_further_attempt(run, sim, attempts):
    record = sim.create()
    sim.fault("lost", call="update")
    out = run(f"""
        print(tenant.filters:update("{record['id']}",
          {{ description = "new words" }}, {{ attempts = {attempts} }}).version)
    """)
    assert out == ["2"]


def test_a_lost_delete_is_done(run, sim):
    record = sim.create()
    sim.fault("lost", call="delete")
    out = run(f"""
        tenant.filters:delete("{record['id']}")
        show(pcall(tenant.filters.delete, tenant.filters,
          {{ id = "{record['id']}", etag = '"x"' }}))
    """)
    # What was never there is still an error.
    assert out[0].startswith("not_found")
    assert ids(sim) == []

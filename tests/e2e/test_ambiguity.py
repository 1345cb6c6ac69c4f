"""Answers that are lost: what was done is found, and nothing is done twice.
The simulator counts what was really done."""

import textwrap

import pytest

from sim_fixture import API, definition

FILTER = """
local cxone = require "cxone"
local tenant = cxone.connect {
  retry = { base = 0.02, cap = 1 }, timeout = TIMEOUT,
  dialect = { lost = { interval = 0.3, timeout = 3 } },
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


def creates(sim):
    """Creates that were sent, whatever became of them."""
    return sum(r["call"] == "create" for r in sim.log())


RESUME = """
local ok, e = pcall(tenant.filters.deploy, tenant.filters, definition, { interval = 0.02 })
show(ok, e)
show(pcall(tenant.filters.deploy, tenant.filters, definition,
  { interval = 0.02, resume = e }))
"""


def test_a_create_that_did_not_arrive_is_not_made_again(run, sim):
    """That it is not there is no proof: it may still be on its way."""
    sim.fault("drop", call="create")
    out = run(DEPLOY)
    assert out[0] == "ambiguous\ttransport\t0\t1"
    assert "within 3 s" in out[1] and "may still arrive" in out[2]
    assert creates(sim) == 1 and ids(sim) == []


def test_the_err_carries_what_is_known(run, sim):
    sim.fault("status", call="create", status=504)
    out = run("""
        local _, e = pcall(tenant.filters.deploy, tenant.filters, definition)
        print(e.code, e.because, e.attempts, e.sent, e.maybe_done, e.status)
        print(e.method, (e.url:gsub("^http://[^/]*", "")))
        print(e.name, #e.ids, e.id, e.cause.code, #e.request_id > 0)
    """)
    assert out == [
        "ambiguous\tserver\t1\ttrue\ttrue\t504",
        f"POST\t{API}/filters",
        "lost_one\t0\tnil\tambiguous\ttrue",
    ]


def test_the_script_decides_to_create_again(run, sim):
    sim.fault("drop", call="create")
    out = run(RESUME)
    assert out[0] == "ambiguous\ttransport\t0\t1"
    assert out[3:] == [f"ok\t{ids(sim)[0]}\tACTIVE"]
    assert sim.state()["creates"] == 1 and creates(sim) == 2
    # Looked for before the second create, and counted after it.
    calls = [r["call"] for r in sim.log()]
    second = len(calls) - 1 - calls[::-1].index("create")
    assert "list" in calls[calls.index("create"):second] and "list" in calls[second:]


def test_a_second_create_that_is_lost_too_is_adopted(run, sim):
    sim.fault("drop", call="create")
    sim.fault("lost", call="create")
    out = run(RESUME)
    assert out[3:] == [f"ok\t{ids(sim)[0]}\tACTIVE"]
    assert sim.state()["creates"] == 1


def test_what_is_not_known_stays_so_over_further_failures(run, sim):
    """A resumed deployment that fails for another reason still looks first
    the next time: here the first create arrives in between."""
    sim.fault("drop", call="create")
    sim.fault("invalid", call="validate", after=1)
    out = run("""
        local function deploy(e)
          return select(2, pcall(tenant.filters.deploy, tenant.filters, definition,
            { interval = 0.02, resume = e }))
        end
        local e = deploy()
        print(e.code, e.maybe_done)
        e = deploy(e)
        print(e.code, e.maybe_done, e.name)
        local late = tenant.filters:create(definition)
        print(deploy(e).id == late.id)
    """)
    assert out == ["ambiguous\ttrue", "validation\ttrue\tlost_one", "true"]
    assert len(ids(sim)) == 1


def test_a_first_create_that_comes_after_the_second_is_kept_alone(run, sim):
    sim.fault("drop", call="create")
    out = run("""
        local _, e = pcall(tenant.filters.deploy, tenant.filters, definition)
        local late
        local record = tenant.filters:deploy(definition, {
          interval = 0.02, resume = e,
          on_look = function() late = late or tenant.filters:create(definition) end,
        })
        print(record.id == late.id, record.status)
    """)
    assert out == ["true\tACTIVE"]
    assert len(ids(sim)) == 1
    assert sim.state()["creates"] == 2 and sim.state()["deletes"] == 1
    assert "has arrived after all" in run.log


def test_one_that_was_changed_meanwhile_is_not_taken_back(run, sim):
    sim.fault("drop", call="create")
    out = run("""
        local _, e = pcall(tenant.filters.deploy, tenant.filters, definition)
        local late
        show(pcall(tenant.filters.deploy, tenant.filters, definition, {
          interval = 0.02, resume = e,
          on_look = function()
            if late then return end
            late = tenant.filters:create(definition)
            for record in tenant.filters:list() do
              if record.id ~= late.id then
                tenant.filters:update(record, { description = "mine now" })
              end
            end
          end,
        }))
    """)
    assert out[0].startswith("ambiguous\ttransport\t2")
    assert "somebody has changed it" in out[1]
    assert len(ids(sim)) == 2


def test_an_earlier_run_may_have_created_it(run, sim):
    again = """
        show(pcall(tenant.filters.deploy, tenant.filters, definition,
          { interval = 0.02, resume = true }))
    """
    first = run(again)
    assert first == [f"ok\t{ids(sim)[0]}\tACTIVE"]
    assert run(again) == first
    assert sim.state()["creates"] == 1


def test_resume_goes_on_with_the_filter_whose_id_is_known(run, sim):
    sim.config(activation={"looks": 1000})
    out = run("""
        local function deploy(e, timeout)
          return select(2, pcall(tenant.filters.deploy, tenant.filters, definition,
            { interval = 0.02, timeout = timeout, resume = e }))
        end
        local e = deploy(nil, 0.05)
        print(e.code, e.id, e.name, e.maybe_done)
        e = deploy(e, 0.05)
        print(e.code, e.id, e.name, e.maybe_done)
        local other = definition
        other.name = "other"
        print(select(2, pcall(tenant.filters.deploy, tenant.filters, other, { resume = e })))
        print(select(2, pcall(tenant.filters.deploy, tenant.filters, other, { resume = 1 })))
    """)
    assert out[:2] == [f"timeout\t{ids(sim)[0]}\tlost_one\tnil"] * 2
    assert 'resume is an err of filter "lost_one", not of "other"' in out[2]
    assert "resume must be the err of an earlier deploy, or true; got number" in out[3]
    assert creates(sim) == 1


@pytest.mark.parametrize("status", [500, 502, 504, 524])
def test_an_answer_that_does_not_tell_is_looked_into(run, sim, status):
    sim.fault("status", call="create", status=status, message="oh")
    out = run(DEPLOY)
    if status == 500:
        assert out[0] == "server\tnil\tnil\t1"
        assert "oh" in out[1] and "no filter of that name" in out[2]
    else:
        assert out[0] == "ambiguous\tserver\t0\t1"
    assert creates(sim) == 1 and ids(sim) == []
    sim.fault("status", call="create", status=status, done=True)
    out = run(DEPLOY)
    assert out == [f"ok\t{ids(sim)[0]}\tACTIVE"]
    assert sim.state()["creates"] == 1


def test_a_503_after_the_work_was_done_leaves_one(run, sim):
    """A proxy that lost the server says what a busy server says, and the
    contract has both repeated: the second one goes again."""
    sim.fault("status", call="create", status=503, done=True, retry_after="0")
    out = run(DEPLOY)
    assert out == [f"ok\t{ids(sim)[0]}\tACTIVE"]
    assert len(ids(sim)) == 1
    state = sim.state()
    assert state["creates"] == 2 and state["deletes"] == 1


def test_which_one_is_ours_is_known_to_the_next_try(run, sim):
    """The count at the end fails; the err remembers what there is to count."""
    sim.fault("status", call="create", status=503, done=True, retry_after="0")
    sim.fault("status", call="list", status=400)
    out = run("""
        local _, e = pcall(tenant.filters.deploy, tenant.filters, definition, { interval = 0.02 })
        print(e.code, e.name, e.created, e.maybe_done, #e.id > 0)
        show(pcall(tenant.filters.deploy, tenant.filters, definition,
          { interval = 0.02, resume = e }))
    """)
    assert out == ["validation\tlost_one\ttrue\ttrue\ttrue", f"ok\t{ids(sim)[0]}\tACTIVE"]
    assert len(ids(sim)) == 1


def test_one_that_was_taken_back_unheard_is_not_waited_for(run, sim):
    """The second one is deleted, and the answer to that cannot be used."""
    sim.fault("status", call="create", status=503, done=True, retry_after="0")
    sim.fault("status", call="delete", status=400, done=True)
    out = run("""
        local _, e = pcall(tenant.filters.deploy, tenant.filters, definition, { interval = 0.02 })
        print(e.code, e.created, #e.ids, (e.message:gsub("flt_%x+", "ID")))
        show(pcall(tenant.filters.deploy, tenant.filters, definition,
          { interval = 0.02, resume = e }))
    """)
    assert out[0].startswith("ambiguous\ttrue\t2\t") and "deleting ID failed: 400" in out[0]
    assert out[1:] == [f"ok\t{ids(sim)[0]}\tACTIVE"]
    assert sim.state()["creates"] == 2 and sim.state()["deletes"] == 1


def test_a_create_that_ended_in_503_is_looked_for_before_the_next(run, sim):
    sim.fault("status", call="create", status=503, done=True, retry_after="0")
    sim.fault("status", call="create", status=503, retry_after="0", count=3, after=1)
    out = run(RESUME)
    assert out[0].startswith("server") and out[3:] == [f"ok\t{ids(sim)[0]}\tACTIVE"]
    assert sim.state()["creates"] == 1


def test_a_refusal_of_a_repeated_create_may_be_of_its_own_work(run, sim):
    """A proxy that lost the server says 503, and the create is done; the next
    one is told that the name is taken."""
    sim.fault("status", call="create", status=503, retry_after="0", done=True)
    sim.fault("status", call="create", status=409, message="the name is taken")
    assert run(DEPLOY) == [f"ok\t{ids(sim)[0]}\tACTIVE"]
    assert sim.state()["creates"] == 1
    # A first one that is refused so is what it says.
    sim.fault("status", call="create", status=409, message="the name is taken")
    assert run(DEPLOY)[0] == "conflict\tnil\tnil\t1"


def test_a_create_that_is_late_is_found(run, sim):
    sim.fault("slow", call="create", seconds=12)
    out = run(DEPLOY, timeout="4")
    assert out == [f"ok\t{ids(sim)[0]}\tACTIVE"]
    assert sim.state()["creates"] == 1


def test_a_list_that_takes_too_long_is_told(run, sim):
    sim.fault("slow", call="list", seconds=9, count=9)
    sim.fault("lost", call="create")
    out = run(DEPLOY)
    assert out[0] == "ambiguous\ttransport\t0\t1"
    assert "looking for it failed: reading the list took longer" in out[1]


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
    out = run(RESUME)
    assert out[0] == "ambiguous\ttransport\t0\t1"
    assert out[3].startswith("ambiguous\ttransport") and "none can be ruled out" in out[4]
    assert creates(sim) == 1
    assert [r["call"] for r in sim.log()].count("members") >= 3
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
    sim.fault("status", call="list", status=400, count=99)
    sim.fault("lost", call="create")
    out = run(DEPLOY)
    assert out[0] == "ambiguous\ttransport\t0\t1"
    assert "looking for it failed" in out[1] and "400" in out[1]


def test_a_search_that_fails_at_first_goes_on(run, sim):
    sim.fault("status", call="list", status=403)
    sim.fault("status", call="members", status=403)
    sim.fault("lost", call="create")
    assert run(DEPLOY) == [f"ok\t{ids(sim)[0]}\tACTIVE"]


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


# Groups ----------------------------------------------------------------------


@pytest.mark.parametrize("put", ["adds", "replaces"])
def test_members_whose_answer_was_lost_are_added_again(run, sim, put):
    sim.config(group_put=put)
    before, after = sim.create(name="a")["id"], sim.create(name="b")["id"]
    sim.http.put(f"{API}/filter-groups/g/filters", json={"filter_ids": [before]})
    sim.fault("lost", call="assign")
    sim.fault("status", call="assign", status=502, after=1)
    out = run(f"""
        local tenant = cxone.connect {{ retry = {{ base = 0.02 }},
          dialect = {{ switches = {{ group_put = "{put}" }} }} }}
        tenant.groups:assign("g", "{after}")
        for id in tenant.groups:members "g" do print(id) end
    """)
    assert out == [before, after]
    assert sum(r["call"] == "assign" for r in sim.log()) == 4

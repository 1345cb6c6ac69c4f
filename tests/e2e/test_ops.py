"""examples/ops: the workflow that operators run: a rotation that is checked,
undone when it must be, and harmless when it is run again."""

import json
import pathlib
import re
import signal
import threading

import httpx
import pytest

from sim_fixture import API
from until import until
from wire import answer, wire  # noqa: F401

ROOT = pathlib.Path(__file__).parents[2]
ROTATE = ROOT / "examples" / "ops" / "rotate_tier.lua"
A, B = "grp_premium_a", "grp_premium_b"


@pytest.fixture
def tenant(sim):
    """A tenant with a gold filter that feeds group A and has hits."""
    sim.config(activation={"looks": 0})
    sim.record = sim.create(
        name="gold_voice", target_group_id=A, pattern_rules=[],
        matchers=[{"attribute": "customer.tier", "operator": "equals", "value": "gold"}])
    events = [{"channel": "chat" if i % 4 == 0 else "voice"} for i in range(80)]
    assert sim.anonymous.post("/_sim/events", json=events).status_code < 300
    return sim


def group_of(sim):
    return sim.http.get(f"{API}/filters/{sim.record['id']}").json()["target_group_id"]


def members(sim, group):
    return sim.http.get(f"{API}/filter-groups/{group}/filters").json()["filter_ids"]


@pytest.fixture
def rotate(run_weir, tenant, tmp_path):
    """rotate(*words) → CompletedProcess, and the report in .report."""

    def run(*words, options=(), tier="gold"):
        path = tmp_path / "report.json"
        result = run_weir("run", "--report", path, *options, ROTATE, tier, "--settle", "0",
                          *words, env=tenant.env)
        result.report = json.loads(path.read_text())
        return result

    return run


class Gateway:
    """Stands between weir and a tenant, and keeps the first PUT of a filter back
    until it is let go; then that is sent, whether anybody waits for it or not."""

    def __init__(self, wire, tenant):
        self.tenant, self.looks = tenant, 0
        self.holds, self.let_go, self.sent = (threading.Event() for _ in range(3))
        self.env = {**tenant.env, "CXONE_BASE_URL": wire(self.pass_on).url}

    def pass_on(self, request):
        path = request.path.removeprefix(API)
        changes = request.method == "PUT" and re.match(r"/filters/", path)
        first = changes and not self.holds.is_set()
        if first:
            self.holds.set()
            self.let_go.wait(120)
        headers = {name: value for name, value in request.headers.items()
                   if name in ("authorization", "content-type", "if-match")}
        said = httpx.request(request.method, self.tenant.url + request.path,
                             headers=headers, content=request.body, trust_env=False)
        if first:
            self.sent.set()
        elif request.method == "GET" and re.match(r"/filters/[^/?]+$", path):
            self.looks += 1
        return answer(said.status_code, said.content, Content_Type="application/json")


@pytest.fixture
def gateway(wire, tenant):
    gateway = Gateway(wire, tenant)
    yield gateway
    gateway.let_go.set()


def outcomes(result):
    return [(c["method"], c["outcome"]) for c in result.report["changes"]]


def low_share(sim, share=0.1):
    """The second look at the hit rate is a bad one."""
    sim.fault("invalid_json", call="metrics", after=1, body=json.dumps(
        {"filter_id": "x", "metrics": {"hit_count": 50, "match_ratio": share,
                                       "throughput_rate": 1}}))


def test_it_rotates_and_a_second_run_changes_nothing(rotate, tenant):
    result = rotate()
    assert result.returncode == 0, result.stderr
    assert group_of(tenant) == B and tenant.record["id"] in members(tenant, B)
    assert outcomes(result) == [("PUT", "done"), ("PUT", "done")]
    again = rotate()
    assert again.returncode == 0 and outcomes(again) == []
    assert "nothing to rotate" in again.stdout


def test_and_back(rotate, tenant):
    assert rotate().returncode == 0
    assert rotate("--from", B, "--to", A).returncode == 0
    assert group_of(tenant) == A


def test_what_a_run_left_undone_the_next_one_does(rotate, tenant):
    """Killed between the change and the membership."""
    tenant.put(tenant.record, name="gold_voice", pattern_rules=[], target_group_id=B,
               matchers=tenant.record["matchers"])
    result = rotate()
    assert result.returncode == 0
    assert outcomes(result) == [("PUT", "done")]
    assert tenant.record["id"] in members(tenant, B)
    # The rate before the change died with the run that was killed.
    assert "nothing to rotate" in result.stdout
    assert "its rate was not compared" in result.stdout


def test_what_a_run_left_undone_is_not_done_without_hits(rotate, tenant):
    tenant.put(tenant.record, name="gold_voice", pattern_rules=[], target_group_id=B,
               matchers=tenant.record["matchers"])
    result = rotate("--min-hits", "1000")
    assert result.returncode == 4 and "only 60 hits" in result.stderr
    assert outcomes(result) == []


def test_a_rate_that_falls_is_undone(rotate, tenant):
    low_share(tenant)
    result = rotate()
    assert result.returncode == 4
    assert "fell from 75.0 % to 10.0 %" in result.stderr
    assert f"undone    it feeds {A} again" in result.stdout
    assert group_of(tenant) == A
    assert tenant.record["id"] not in members(tenant, B)
    assert outcomes(result) == [("PUT", "done"), ("PUT", "done")]
    assert result.report["error"]["code"] == "validation"


def test_a_rate_that_falls_a_little_is_not(rotate, tenant):
    low_share(tenant, share=0.7)
    assert rotate().returncode == 0
    assert group_of(tenant) == B


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_in_the_middle_it_is_undone(start_weir, tenant, tmp_path, number, code):
    path = tmp_path / "report.json"
    process = start_weir("run", "--report", path, ROTATE, "gold", "--settle", "100",
                         env=tenant.env)
    until(lambda: group_of(tenant) == B)
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == code
    assert f"undone    it feeds {A} again" in out
    assert group_of(tenant) == A
    report = json.loads(path.read_text())
    assert report["outcome"] == "interrupted" and report["counts"]["done"] == 2


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_change_that_arrives_after_ctrl_c_is_undone(
        start_weir, tenant, gateway, number, code):
    process = start_weir("run", ROTATE, "gold", "--settle", "0", env=gateway.env)
    until(gateway.holds.is_set)
    looks = gateway.looks
    process.send_signal(number)
    # It has been seen to be as before: that is no proof that it stays so.
    until(lambda: gateway.looks > looks)
    gateway.let_go.set()
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert "the change was not answered: looking for 10 s" in err
    assert out.splitlines()[-1] == f"undone    it feeds {A} again"
    assert gateway.sent.is_set() and group_of(tenant) == A


def test_a_change_that_may_arrive_later_still_is_said_loudly(
        start_weir, tenant, gateway, tmp_path):
    path = tmp_path / "report.json"
    process = start_weir("run", "--report", path, ROTATE, "gold", "--settle", "0",
                         env=gateway.env)
    until(gateway.holds.is_set)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert group_of(tenant) == A
    assert process.returncode == 10
    assert "undone" not in out
    assert "NOT UNDONE: filter gold_voice" in err and "it may still arrive" in err
    report = json.loads(path.read_text())
    assert report["exit_code"] == 10 and report["outcome"] == "interrupted"
    assert "it may still arrive" in report["error"]["message"]
    gateway.let_go.set()
    until(lambda: group_of(tenant) == B)  # as it was said


def test_an_undo_that_fails_after_ctrl_c_is_seen_in_the_exit_code(start_weir, tenant):
    tenant.fault("status", call="update", status=403, after=1, count=99)
    process = start_weir("run", ROTATE, "gold", "--settle", "100", env=tenant.env)
    until(lambda: group_of(tenant) == B)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 10
    assert "NOT UNDONE" in err and f"set its group to {A} by hand" in err
    assert "weir: interrupted" in err


def test_an_undo_that_fails_when_the_time_is_over(start_weir, tenant):
    tenant.fault("status", call="update", status=403, after=1, count=99)
    process = start_weir("run", "--max-time", "10", ROTATE, "gold", "--settle", "100",
                         env=tenant.env)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 10 and "NOT UNDONE" in err


def test_a_change_that_is_refused_is_no_undo(rotate, tenant):
    tenant.fault("status", call="update", status=403)
    result = rotate()
    assert result.returncode == 5
    assert f"unchanged it feeds {A} as before" in result.stdout
    assert "undone" not in result.stdout and "looking" not in result.stderr


def test_a_membership_that_may_have_come_about_is_named(rotate, tenant):
    """The dialect has no call that takes it back."""
    tenant.fault("lost", call="assign", count=99)
    result = rotate()
    assert result.returncode == 1
    assert group_of(tenant) == A and tenant.record["id"] in members(tenant, B)
    assert (f"undone    it feeds {A} again; it may have become a member of {B}, "
            "which is not taken back") in result.stdout


def test_a_membership_that_was_refused_is_not(rotate, tenant):
    tenant.fault("status", call="assign", status=403)
    result = rotate()
    assert result.stdout.splitlines()[-1] == f"undone    it feeds {A} again"
    assert tenant.record["id"] not in members(tenant, B)


def test_a_refusal_later_on_is_undone(rotate, tenant):
    tenant.fault("status", call="assign", status=403)
    result = rotate()
    assert result.returncode == 5
    assert group_of(tenant) == A
    assert outcomes(result) == [("PUT", "done"), ("PUT", "refused"), ("PUT", "done")]


def test_a_lost_answer_does_not_leave_it_between(rotate, tenant):
    tenant.fault("lost", call="update")
    result = rotate()
    assert group_of(tenant) == (B if result.returncode == 0 else A)


def test_an_undo_that_fails_is_said_loudly(rotate, tenant):
    low_share(tenant)
    tenant.fault("status", call="update", status=403, after=1, count=99)
    result = rotate()
    assert result.returncode == 10
    assert "NOT UNDONE: filter gold_voice" in result.stderr
    assert f"set its group to {A} by hand" in result.stderr
    assert group_of(tenant) == B


def test_what_somebody_else_did_meanwhile_is_left_alone(start_weir, tenant):
    low_share(tenant)
    process = start_weir("run", ROTATE, "gold", "--settle", "3", env=tenant.env)
    until(lambda: group_of(tenant) == B)
    others_group(tenant)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 4
    assert out.splitlines()[-1] == "left      it feeds grp_third, as somebody else wants it"
    assert group_of(tenant) == "grp_third"


def others_group(tenant):
    now = tenant.http.get(f"{API}/filters/{tenant.record['id']}").json()
    assert tenant.put(now, name="gold_voice", pattern_rules=[], matchers=now["matchers"],
                      target_group_id="grp_third").status_code == 200


def test_a_run_whose_change_was_changed_is_not_done(start_weir, tenant):
    """However good the rate is."""
    process = start_weir("run", ROTATE, "gold", "--settle", "3", env=tenant.env)
    until(lambda: group_of(tenant) == B)
    others_group(tenant)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "somebody else has made filter" in err and "feed grp_third" in err
    assert out.splitlines()[-1] == "left      it feeds grp_third, as somebody else wants it"
    assert tenant.record["id"] not in members(tenant, B)


def test_a_change_that_comes_after_somebody_elses_is_a_conflict(start_weir, tenant, gateway):
    process = start_weir("run", ROTATE, "gold", "--settle", "0", env=gateway.env)
    until(gateway.holds.is_set)
    others_group(tenant)
    gateway.let_go.set()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 3
    assert out.splitlines()[-1] == "left      it feeds grp_third, as somebody else wants it"


def test_a_filter_that_is_not_activated_again_is_undone(rotate, tenant):
    tenant.fault("invalid_json", call="status", body=json.dumps(
        {"status": "FAILED", "reason": "no capacity left"}))
    result = rotate()
    assert result.returncode == 1 and "no capacity left" in result.stderr
    assert result.stdout.splitlines()[-1] == f"undone    it feeds {A} again"
    assert group_of(tenant) == A


@pytest.mark.parametrize("words, tier, code, why", [
    (("--min-hits", "1000"), "gold", 4, "only 60 hits"),
    ((), "silver", 4, "no filter of the tier 'silver' feeds"),
    (("--to", A), "gold", 64, "the same group"),
    (("--max-drop", "101"), "gold", 64, "max-drop"),
])
def test_what_stops_it_before_anything_is_changed(rotate, tenant, words, tier, code, why):
    result = rotate(*words, tier=tier)
    assert result.returncode == code and why in result.stderr
    assert outcomes(result) == [] and group_of(tenant) == A


def test_two_filters_of_a_tier_are_no_guess(rotate, tenant):
    tenant.create(name="gold_second", target_group_id=B, pattern_rules=[],
                  matchers=tenant.record["matchers"])
    result = rotate()
    assert result.returncode == 4
    assert "2 filters of the tier 'gold'" in result.stderr
    assert outcomes(result) == []


def test_a_tenant_without_rates(rotate, tenant):
    tenant.fault("invalid_json", call="metrics", body="{}")
    result = rotate()
    assert result.returncode == 1 and "sent no hit rate" in result.stderr
    assert outcomes(result) == []


def test_a_dry_run_changes_nothing(rotate, tenant):
    result = rotate(options=["--dry-run"])
    assert result.returncode == 0, result.stderr
    assert group_of(tenant) == A and members(tenant, B) == []
    assert {o for _, o in outcomes(result)} == {"would_send"}
    assert result.report["dry_run"] is True and result.report["counts"]["done"] == 0
    assert "would send PUT" in result.stderr


def test_the_rehearsal(run_weir, tmp_path):
    """Against the simulator, with what its scenario does meanwhile."""
    state = ["run", "--sim", "--sim-state", tmp_path / "tenant.db"]
    assert run_weir(*state, ROOT / "examples/ops/prepare.lua").returncode == 0
    result = run_weir(*state, ROTATE, "gold", "--settle", "0")
    assert result.returncode == 0, result.stderr
    assert "feeds grp_premium_b" in result.stdout
    refused = run_weir("run", ROOT / "examples/ops/prepare.lua")
    assert refused.returncode == 1 and "for --sim alone" in refused.stderr

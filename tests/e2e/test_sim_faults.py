"""The simulator's faults, and its handles at /_sim."""

import email.utils
import json
import time

import httpx
import pytest

from sim_fixture import API, TOKEN, definition

LIST = f"{API}/filters"


def test_rate_tells_when_to_come_back_in_seconds_or_as_a_date(sim):
    sim.fault("rate", retry_after=3)
    sim.fault("rate", retry_after=60, date=True)
    first, second = sim.http.get(LIST), sim.http.get(LIST)
    assert (first.status_code, first.headers["retry-after"]) == (429, "3")
    wait = email.utils.parsedate_to_datetime(
        second.headers["retry-after"]
    ) - email.utils.parsedate_to_datetime(second.headers["date"])
    assert 58 <= wait.total_seconds() <= 61
    assert sim.http.get(LIST).status_code == 200


def test_a_status_of_any_kind(sim):
    sim.fault("status", status=503, retry_after=2, message="busy")
    answer = sim.http.get(LIST)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert answer.json()["message"] == "busy"


def test_invalid_looks_like_a_validation(sim):
    sim.fault("invalid", call="validate", path="/matchers/0/value", message="no such tier")
    answer = sim.http.post(f"{LIST}/validate", json=definition())
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"path": "/matchers/0/value", "message": "no such tier"}]


def test_slow_holds_back_one_answer_and_no_other(sim):
    sim.fault("slow", call="create", seconds=0.5)
    with sim.login() as other, httpx.Client() as quick:
        request = sim.http.build_request("POST", LIST, json=definition())
        start = time.monotonic()
        with pytest.raises(httpx.ReadTimeout):
            other.post(LIST, json=definition(), timeout=0.1)
        assert quick.get(f"{sim.url}/_sim").status_code == 200
        assert time.monotonic() - start < 0.4
        sim.fault("slow", call="create", seconds=0.3)
        start = time.monotonic()
        assert sim.http.send(request).status_code == 201
        assert time.monotonic() - start >= 0.3
    assert sim.state()["creates"] == 2


def test_drop_does_nothing_and_lost_does_it(sim):
    sim.fault("drop", call="create")
    with pytest.raises(httpx.TransportError):
        sim.http.post(LIST, json=definition())
    assert sim.state()["creates"] == 0
    for place in ("before", "after_headers", "mid_body"):
        sim.fault("lost", call="create", at=place)
        with pytest.raises(httpx.TransportError):
            sim.http.post(LIST, json=definition())
    assert sim.state()["creates"] == 3


def test_truncate_and_invalid_json(sim):
    sim.fault("truncate", call="list")
    with pytest.raises(httpx.RemoteProtocolError):
        sim.http.get(LIST)
    sim.fault("invalid_json", call="list")
    answer = sim.http.get(LIST)
    assert answer.status_code == 200
    with pytest.raises(ValueError):
        answer.json()


def test_expired_kills_the_token_that_was_sent(sim):
    sim.fault("expired")
    assert sim.http.get(LIST).status_code == 401
    assert sim.http.get(LIST).status_code == 401
    with sim.login() as again:
        assert again.get(LIST).status_code == 200


def test_somebody_else_edits_just_before_the_put(sim):
    record = sim.create()
    sim.fault("concurrent_edit", field="description", value="theirs", actor="colleague")
    answer = sim.put(record, description="mine")
    assert answer.status_code == 409
    current = sim.http.get(f"{LIST}/{record['id']}").json()
    assert (current["description"], current["version"]) == ("theirs", 2)
    entries = sim.http.get(f"{API}/audit-logs").json()["entries"]
    assert entries[0]["actor"] == "colleague"
    assert entries[0]["changed"] == ["description"]
    assert sim.put(current, description="mine").status_code == 200


def test_an_edit_that_would_break_the_filter_says_so(sim):
    record = sim.create()
    sim.fault("concurrent_edit", field="channel", value="voise")
    answer = sim.put(record, description="mine")
    assert answer.status_code == 500
    assert "concurrent_edit" in answer.json()["message"]


def test_an_endless_cursor_comes_back_for_ever(sim):
    sim.fault("endless_cursor", call="list")
    first = sim.http.get(LIST).json()["next_cursor"]
    second = sim.http.get(LIST, params={"cursor": first}).json()["next_cursor"]
    assert first == second


def test_redirect_goes_elsewhere(sim):
    sim.fault("redirect", status=307, location="https://elsewhere.invalid/x")
    answer = sim.http.get(LIST, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "https://elsewhere.invalid/x")


# ---- which, how often


def test_faults_fit_by_call_method_and_target(sim):
    sim.fault("status", call="create", status=503)
    sim.fault("status", method="delete", status=504)
    sim.fault("status", target="/audit", status=502)
    assert sim.http.get(LIST).status_code == 200
    assert sim.http.get(f"{API}/audit-logs").status_code == 502
    assert sim.http.delete(f"{LIST}/x").status_code == 504
    assert sim.http.post(LIST, json=definition()).status_code == 503
    assert sim.http.post(LIST, json=definition()).status_code == 201


def test_token_calls_are_spared_unless_named(sim):
    sim.fault("status", status=503)
    assert sim.ask_token().status_code == 200
    sim.fault("status", call="token", status=500)
    assert sim.ask_token().status_code == 500
    assert sim.ask_token().status_code == 200


def test_count_after_and_probability(sim):
    sim.fault("status", after=2, count=2)
    assert [sim.http.get(LIST).status_code for _ in range(6)] == [200, 200, 500, 500, 200, 200]
    sim.fault("status", probability=0.5)
    failed = sum(sim.http.get(LIST).status_code == 500 for _ in range(200))
    assert 60 < failed < 140


def test_chances_come_from_the_seed(start_sim):
    def run(seed):
        sim = start_sim("--seed", seed, "--fault", "status:probability=0.5")
        return [sim.http.get(LIST).status_code for _ in range(40)]

    assert run("3") == run("3")


def test_a_refused_request_uses_no_fault_up(sim):
    sim.fault("status", status=503)
    assert sim.anonymous.get(LIST).status_code == 401
    assert sim.http.get(LIST).status_code == 503


@pytest.mark.parametrize(
    "fault, said",
    [
        ({"kind": "rates"}, "did you mean 'rate'"),
        ({"kind": 1}, "unknown fault kind"),
        ({}, "unknown fault kind"),
        ({"kind": "rate", "retry_aftr": 1}, "did you mean 'retry_after'"),
        ({"kind": "rate", "count": 0}, "count"),
        ({"kind": "rate", "count": "two"}, "integer"),
        ({"kind": "rate", "call": "updat"}, "did you mean 'update'"),
        ({"kind": "status", "status": 100}, "status"),
        ({"kind": "status", "probability": 2}, "probability"),
        ({"kind": "lost", "at": "middle"}, "unknown value"),
        ({"kind": "slow", "seconds": -1}, "seconds"),
        ({"kind": "redirect", "location": "a\r\nb"}, "location"),
        ([{"kind": "drop"}, {"kind": "dropp"}], "did you mean 'drop'"),
        ({"kind": "slow", "5": 1}, "unknown key"),
        ({"kind": "gzip_bomb", "bytes": 1 << 50}, "bytes"),
        ("status:status", "key=value"),
        (7, "expected an object"),
        (None, "expected an object"),
    ],
)
def test_a_fault_that_makes_no_sense_is_explained_and_not_kept(sim, fault, said):
    answer = sim.anonymous.post("/_sim/faults", content=json.dumps(fault))
    assert answer.status_code == 400
    assert said in answer.json()["message"]
    assert sim.anonymous.get("/_sim/faults").json()["faults"] == []


def test_faults_are_listed_and_cleared(sim):
    sim.fault("status", count=3)
    sim.http.get(LIST)
    (fault,) = sim.anonymous.get("/_sim/faults").json()["faults"]
    assert (fault["kind"], fault["fired"], fault["count"]) == ("status", 1, 3)
    assert sim.anonymous.delete("/_sim/faults").status_code == 204
    assert sim.http.get(LIST).status_code == 200


# ---- the other handles


def test_the_log_tells_calls_and_keeps_secrets(sim):
    sim.http.get(LIST, params={"page_size": 2, "api_key": "hush-hush", "note": "plain"})
    sim.anonymous.post(TOKEN, data={"client_secret": "hush-hush"})
    text = sim.anonymous.get("/_sim/log").text
    entries = sim.log()
    assert [e.get("call") for e in entries] == ["token", "list", "token"]
    assert entries[1]["client"] == "tester"
    assert entries[1]["query"] == {"page_size": "2", "api_key": "[redacted]", "note": "plain"}
    assert "hush-hush" not in text
    assert "s3cret-of" not in text
    assert sim.http.headers["authorization"].split()[1] not in text
    assert sim.anonymous.delete("/_sim/log").status_code == 204
    assert sim.log() == []


def test_the_log_forgets_the_oldest(sim):
    for _ in range(1005):
        sim.anonymous.get("/x")
    log = sim.anonymous.get("/_sim/log").json()
    assert len(log["requests"]) == 1000
    assert log["forgotten"] == 5
    assert log["requests"][0]["number"] == 6


def test_events_are_checked_one_by_one(sim):
    answer = sim.anonymous.post("/_sim/events", json=[{"channel": "voice"}, 1, [], None, "x"])
    assert answer.json() == {"accepted": 1, "bad": 4}
    lines = b'{"channel":"chat"}\n\nnot json\n{"a":1,"a":2}\n{}\n'
    answer = sim.anonymous.post(
        "/_sim/events", content=lines, headers={"Content-Type": "application/x-ndjson"}
    )
    assert answer.json() == {"accepted": 2, "bad": 2}
    assert sim.anonymous.post("/_sim/events", content=b"{").status_code == 400
    assert sim.anonymous.post("/_sim/events?at=noon", json={}).status_code == 400


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"activatoin": "never"}, "did you mean 'activation'"),
        ({"activation": "sometimes"}, "unknown activation"),
        ({"activation": {"looks": -1}}, "looks"),
        ({"activation": "looks=many"}, "expected one of"),
        ({"activation": {}}, "expected one of"),
        ({"conflict": 418}, "409, 412"),
        ({"token_life": 0}, "token_life"),
        ({"token_life": "long"}, "token_life"),
        ({"chunked": "yes"}, "false, true"),
        ([1], "expected an object"),
        (None, "expected an object"),
    ],
)
def test_a_setting_that_makes_no_sense_is_explained(sim, settings, said):
    before = sim.anonymous.get("/_sim/config").json()
    answer = sim.anonymous.post("/_sim/config", content=json.dumps(settings))
    assert answer.status_code == 400
    assert said in answer.json()["message"]
    assert sim.anonymous.get("/_sim/config").json() == before


def test_settings_are_taken_as_a_whole_or_not_at_all(sim):
    bad = sim.anonymous.post("/_sim/config", json={"conflict": 412, "put": "guesses"})
    assert bad.status_code == 400
    assert sim.anonymous.get("/_sim/config").json()["conflict"] == 409


@pytest.mark.parametrize(
    "settings", [{"chunked": True}, {"close": True}, {"header_case": "lower"}, {"header_case": "upper"}]
)
def test_http_looks_different_and_means_the_same(sim, settings):
    sim.config(**settings)
    answer = sim.http.post(LIST, json=definition())
    assert answer.status_code == 201
    assert answer.headers["etag"] == f'"{answer.json()["etag"]}"'
    if "chunked" in settings:
        assert answer.headers["transfer-encoding"] == "chunked"
    if "close" in settings:
        assert answer.headers["connection"] == "close"
    if "header_case" in settings:
        name = {"lower": b"etag", "upper": b"ETAG"}[settings["header_case"]]
        assert name in [raw for raw, _ in answer.headers.raw]


def test_reset_is_the_start_again(start_sim):
    sim = start_sim("--fault", "status:call=list,status=503", "--activation", "looks=1")
    first = sim.create()
    sim.http.get(LIST)
    sim.config(conflict=412, activation="never")
    assert sim.anonymous.post("/_sim/reset").status_code == 204
    assert sim.http.get(LIST).status_code == 401
    sim.http = sim.login()
    assert sim.http.get(LIST).status_code == 503
    assert sim.http.get(LIST).json()["filters"] == []
    assert sim.create()["id"] == first["id"]
    config = sim.anonymous.get("/_sim/config").json()
    assert (config["conflict"], config["activation"]) == (409, {"looks": 1})


def test_what_is_not_below_sim(sim):
    assert sim.anonymous.get("/_sim/nothing").status_code == 404
    assert sim.anonymous.get("/_sim/log/1").status_code == 404
    answer = sim.anonymous.put("/_sim/faults")
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET, POST")


def test_two_writers_lose_nothing(sim):
    """Optimistic locking holds: what was acknowledged was applied once."""
    import threading

    record = sim.create(description="")
    path = f"{LIST}/{record['id']}"

    def write(letter):
        with sim.login(client_id=letter) as client:
            done = 0
            while done < 50:
                current = client.get(path).json()
                body = definition(description=(current["description"] + letter)[-200:])
                answer = client.put(path, json=body, headers={"If-Match": current["etag"]})
                done += answer.status_code == 200

    writers = [threading.Thread(target=write, args=(c,)) for c in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sim.state()["updates"] == 100

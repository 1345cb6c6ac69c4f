"""The simulator as the contract's server, asked by httpx."""

import re

import pytest

from sim_fixture import API, METRICS, SCOPES, TOKEN, definition


# ---- tokens


def test_a_token_is_granted_as_asked(sim):
    answer = sim.ask_token(scope="event-processing:read")
    assert answer.status_code == 200
    body = answer.json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 3600
    assert body["scope"] == "event-processing:read"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "over, status, error",
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": None}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"tenant": None}, 400, "invalid_request"),
        ({"grant_type": "implicit"}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "unsupported_grant_type"),
    ],
)
def test_bad_credentials_are_refused(sim, over, status, error):
    answer = sim.ask_token(**over)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]


def test_a_token_form_must_be_a_form(sim):
    answer = sim.anonymous.post(TOKEN, json={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in ("grant_type=%zz", "a=1&a=2", "grant_type=%ff"):
        answer = sim.anonymous.post(TOKEN, content=body, headers=form)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_the_password_grant_wants_basic_authentication(sim):
    form = {"grant_type": "password", "username": "key", "password": "key secret"}
    answer = sim.anonymous.post(TOKEN, data=form, auth=("id:1 +%C3%A9".split(":")[0], "p:q"))
    assert answer.status_code == 200
    without = sim.anonymous.post(TOKEN, data={**form, "client_id": "a", "client_secret": "b"})
    assert (without.status_code, without.json()["error"]) == (401, "invalid_client")
    refused = sim.anonymous.post(TOKEN, data={**form, "password": "wrong"}, auth=("a", "b"))
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    garbage = sim.anonymous.post(TOKEN, data=form, headers={"Authorization": "Basic !!!"})
    assert garbage.status_code == 401


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer nobody"}, {"Authorization": "Basic eA=="}]
)
def test_without_a_good_token_nothing_goes(sim, header):
    answer = sim.anonymous.get(f"{API}/filters", headers=header)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_every_call_needs_its_scope(sim):
    calls = [
        ("POST", f"{API}/filters/validate", "event-processing:write"),
        ("POST", f"{API}/filters", "event-processing:write"),
        ("GET", f"{API}/filters", "event-processing:read"),
        ("GET", f"{API}/filters/x", "event-processing:read"),
        ("PUT", f"{API}/filters/x", "event-processing:write"),
        ("DELETE", f"{API}/filters/x", "event-processing:write"),
        ("GET", f"{API}/filters/x/status", "event-processing:read"),
        ("PUT", f"{API}/filter-groups/g/filters", "event-processing:write"),
        ("GET", f"{API}/filter-groups/g/filters", "event-processing:read"),
        ("GET", METRICS, "analytics:read"),
        ("GET", f"{API}/audit-logs", "event-processing:read"),
    ]
    for scope in SCOPES.split():
        with sim.login(scope=scope) as client:
            for method, path, needed in calls:
                allowed = client.request(method, path).status_code != 403
                assert allowed == (scope == needed), (method, path, scope)


def test_a_token_expires_by_the_clock(start_sim):
    sim = start_sim("--token-life", "300", "--clock", "manual")
    assert sim.http.get(f"{API}/filters").status_code == 200
    sim.clock(advance=299.5)
    assert sim.http.get(f"{API}/filters").status_code == 200
    sim.clock(advance=0.5)
    answer = sim.http.get(f"{API}/filters")
    assert answer.status_code == 401
    assert "expired" in answer.json()["message"]


@pytest.mark.parametrize("how, value", [("string", "3600"), ("absent", None)])
def test_expires_in_differs_by_switch(sim, how, value):
    sim.config(expires_in=how)
    assert sim.ask_token().json().get("expires_in") == value


# ---- filters


def test_validate_says_yes_or_every_fault_with_its_path(sim):
    good = sim.http.post(f"{API}/filters/validate", json=definition())
    assert (good.status_code, good.json()) == (200, {"valid": True})
    wrong = definition(channel="voise")
    wrong["matchers"][1]["operator"] = "greater"
    wrong["pattern_rules"][0]["pattern"] = "("
    bad = sim.http.post(f"{API}/filters/validate", json=wrong)
    assert bad.status_code == 400
    paths = {e["path"] for e in bad.json()["errors"]}
    assert paths == {"/channel", "/matchers/1/operator", "/pattern_rules/0/pattern"}
    assert all(e["message"] for e in bad.json()["errors"])
    assert sim.state()["creates"] == 0


def test_errors_may_be_absent_by_switch(sim):
    sim.config(errors="absent")
    bad = sim.http.post(f"{API}/filters/validate", json={})
    assert bad.status_code == 400
    assert "errors" not in bad.json()


@pytest.mark.parametrize(
    "body, kind, status",
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b'{"name": "\xff"}', "application/json", 400),
        (b'{"a": 1, "a": 2}', "application/json", 400),
        (b"[" * 100000, "application/json", 400),
        (b"null", "application/json", 400),
        (b'"text"', "application/json", 400),
        (b"[]", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b"{}", "application/json; charset=utf-8", 400),
        (b"{}", "text/plain", 415),
        (b"{}", "application/jsonx", 415),
    ],
)
def test_a_body_that_is_no_filter_is_refused(sim, body, kind, status):
    answer = sim.http.post(f"{API}/filters", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert answer.json()["message"]


def test_create_answers_the_filter_with_what_the_server_owns(sim):
    answer = sim.http.post(f"{API}/filters", json=definition())
    record = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{API}/filters/{record['id']}"
    assert answer.headers["etag"] == f'"{record["etag"]}"'
    assert record["status"] == "DRAFT"
    assert record["version"] == 1
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["created_at"])
    assert {k: record[k] for k in definition()} == definition()


@pytest.mark.parametrize("field", ["id", "etag", "status", "created_at", "updated_at", "version"])
def test_what_the_server_owns_is_refused_in_a_body(sim, field):
    record = sim.create()
    for answer in (
        sim.http.post(f"{API}/filters", json=definition(**{field: record[field]})),
        sim.put(record, **{field: record[field]}),
    ):
        assert answer.status_code == 400
        assert f"/{field}" in [e["path"] for e in answer.json()["errors"]]
    sim.config(read_only="ignored")
    changed = sim.put(record, description="new", **{field: "mine"}).json()
    assert changed["description"] == "new"
    assert changed[field] != "mine"


def test_numbers_and_texts_survive(sim):
    values = ["é\u0000\U0001f600", 9007199254740993, 0.1, -1e-7]
    matchers = [{"attribute": "a", "operator": "in", "value": values}]
    record = sim.create(matchers=matchers)
    got = sim.http.get(f"{API}/filters/{record['id']}")
    assert got.json()["matchers"] == matchers
    assert "9007199254740993" in got.text


def test_get_and_export(sim):
    record = sim.create()
    got = sim.http.get(f"{API}/filters/{record['id']}")
    assert got.status_code == 200
    assert got.json() == record
    assert got.headers["etag"] == f'"{record["etag"]}"'
    export = sim.http.get(f"{API}/filters/{record['id']}", params={"export_state": "true"}).json()
    assert export.pop("exported_at")
    assert export == record
    bad = sim.http.get(f"{API}/filters/{record['id']}", params={"export_state": "maybe"})
    assert bad.status_code == 400


def test_what_is_not_there(sim):
    for method, path in [
        ("GET", "/filters/flt_none"),
        ("PUT", "/filters/flt_none"),
        ("DELETE", "/filters/flt_none"),
        ("GET", "/filters/flt_none/status"),
        ("GET", "/filters/"),
        ("GET", "/elsewhere"),
        ("GET", "/filters/%00"),
    ]:
        answer = sim.http.request(method, API + path, headers={"If-Match": '"x"'})
        assert answer.status_code == 404, path
        assert answer.json()["message"]


def test_methods_that_a_path_does_not_know(sim):
    answer = sim.http.patch(f"{API}/filters/x")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, PUT, DELETE"


def test_every_answer_has_a_request_id_and_a_date(sim):
    seen = set()
    for path in (f"{API}/filters", "/nowhere", "/_sim", "/%zz"):
        answer = sim.http.get(path)
        seen.add(answer.headers["x-request-id"])
        assert answer.headers["date"].endswith("GMT")
    assert len(seen) == 4


def test_head_is_get_without_a_body(sim):
    record = sim.create()
    answer = sim.http.head(f"{API}/filters/{record['id']}")
    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["etag"] == f'"{record["etag"]}"'


# ---- ETags


def test_an_update_needs_the_etag_that_is_current(sim):
    record = sim.create()
    missing = sim.http.put(f"{API}/filters/{record['id']}", json=definition())
    assert missing.status_code == 428
    changed = sim.put(record, description="two")
    assert changed.status_code == 200
    assert changed.json()["version"] == 2
    assert changed.headers["etag"] != f'"{record["etag"]}"'
    stale = sim.put(record, description="three")
    assert stale.status_code == 409
    sim.config(conflict=412)
    assert sim.put(record, description="three").status_code == 412
    assert sim.http.get(f"{API}/filters/{record['id']}").json()["description"] == "two"
    assert sim.state()["conflicts"] == 2


@pytest.mark.parametrize(
    "header, fits",
    [
        ('"{0}"', True),
        ("{0}", True),
        ('"other", "{0}"', True),
        ("*", True),
        ('W/"{0}"', False),
        ('"{0}x"', False),
    ],
)
def test_if_match_compares_strongly(sim, header, fits):
    record = sim.create()
    answer = sim.put(record, if_match=header.format(record["etag"]), description="new")
    assert (answer.status_code == 200) == fits


def test_the_same_again_is_no_change(sim):
    record = sim.create()
    answer = sim.put(record)
    assert answer.status_code == 200
    assert answer.json() == record


def test_every_change_has_an_etag_of_its_own(sim):
    record = sim.create()
    seen = {record["etag"]}
    for i in range(20):
        record = sim.put(record, description=f"turn {i % 2}").json()
        seen.add(record["etag"])
    assert len(seen) == 21


@pytest.mark.parametrize(
    "how, header, body",
    [
        ("quoted", '"{0}"', True),
        ("weak", 'W/"{0}"', False),
        ("unquoted", "{0}", True),
        ("body", None, True),
        ("header", '"{0}"', False),
    ],
)
def test_etags_differ_by_switch(sim, how, header, body):
    sim.config(etag=how)
    answer = sim.http.post(f"{API}/filters", json=definition())
    path = f"{API}/filters/{answer.json()['id']}"
    sim.config(etag="quoted")
    etag = sim.http.get(path).json()["etag"]
    assert answer.headers.get("etag") == (header and header.format(etag))
    assert answer.json().get("etag") == (etag if body else None)
    sim.config(etag=how)
    again = sim.http.get(path)
    if how == "weak":  # reading again gives the strong one
        assert again.headers["etag"] == f'"{etag}"'


def test_put_replaces_or_merges_by_switch(sim):
    record = sim.create()
    path, etag = f"{API}/filters/{record['id']}", f'"{record["etag"]}"'
    part = {"description": "only this"}
    refused = sim.http.put(path, json=part, headers={"If-Match": etag})
    assert refused.status_code == 400
    sim.config(put="merges")
    merged = sim.http.put(path, json=part, headers={"If-Match": etag})
    assert merged.status_code == 200
    assert merged.json()["description"] == "only this"
    assert merged.json()["matchers"] == record["matchers"]


def test_fields_that_the_server_added_are_kept_only_if_sent_back(sim):
    sim.config(extra_fields={"x_owner": {"team": "ops"}})
    record = sim.create()
    assert record["x_owner"] == {"team": "ops"}
    kept = sim.put(record, description="new", x_owner=record["x_owner"]).json()
    assert kept["x_owner"] == {"team": "ops"}
    lost = sim.put(kept, description="newer").json()
    assert "x_owner" not in lost


def test_delete_is_conditional(sim):
    record = sim.create()
    path = f"{API}/filters/{record['id']}"
    sim.http.put(f"{API}/filter-groups/g/filters", json={"filter_ids": [record["id"]]})
    assert sim.http.delete(path).status_code == 428
    assert sim.http.delete(path, headers={"If-Match": '"old"'}).status_code == 409
    answer = sim.http.delete(path, headers={"If-Match": f'"{record["etag"]}"'})
    assert (answer.status_code, answer.content) == (204, b"")
    assert sim.http.get(path).status_code == 404
    members = sim.http.get(f"{API}/filter-groups/g/filters").json()
    assert members["filter_ids"] == []


# ---- activation


def looks(sim, record, n):
    path = f"{API}/filters/{record['id']}/status"
    return [sim.http.get(path).json()["status"] for _ in range(n)]


def test_activation_takes_two_looks(sim):
    assert looks(sim, sim.create(), 4) == ["PENDING_ACTIVATION"] * 2 + ["ACTIVE"] * 2


def test_activation_by_looks_seconds_failure_or_never(sim):
    sim.config(activation={"looks": 0})
    assert looks(sim, sim.create(), 1) == ["ACTIVE"]
    sim.config(activation="never")
    assert looks(sim, sim.create(), 10) == ["PENDING_ACTIVATION"] * 10
    sim.config(activation={"fail": "REJECTED", "reason": "not here", "looks": 1})
    record = sim.create()
    assert looks(sim, record, 3) == ["PENDING_ACTIVATION", "REJECTED", "REJECTED"]
    assert sim.http.get(f"{API}/filters/{record['id']}/status").json()["reason"] == "not here"
    sim.config(activation={"seconds": 0.2})
    record = sim.create()
    assert looks(sim, record, 1) == ["PENDING_ACTIVATION"]
    sim.fault("slow", seconds=0.3)
    looks(sim, record, 1)
    assert looks(sim, record, 1) == ["ACTIVE"]


@pytest.mark.parametrize(
    "flag, last",
    [("looks=1", "ACTIVE"), ("fail=no room", "FAILED"), ("reject", "REJECTED")],
)
def test_activation_by_flag(start_sim, flag, last):
    sim = start_sim("--activation", flag)
    assert looks(sim, sim.create(), 2)[-1] == last


# ---- listings


def pages(client, path, items, **params):
    cursor, found, n = None, [], 0
    while True:
        answer = client.get(path, params={**params, **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200, answer.text
        found += answer.json()[items]
        cursor, n = answer.json().get("next_cursor"), n + 1
        if not cursor:
            return found, n
        assert n < 100


def test_filters_come_page_by_page_in_the_order_of_their_making(sim):
    ids = [sim.create(name=f"f{i}")["id"] for i in range(7)]
    for size, expected in ((1, 7), (3, 3), (7, 1), (100, 1)):
        found, n = pages(sim.http, f"{API}/filters", "filters", page_size=size)
        assert [f["id"] for f in found] == ids
        assert n == expected


@pytest.mark.parametrize("size", ["0", "-1", "x", "1.5", "1001", "", "99999999999999999999"])
def test_page_sizes_are_checked(sim, size):
    answer = sim.http.get(f"{API}/filters", params={"page_size": size})
    assert answer.status_code == 400
    assert "page_size" in answer.json()["message"]


def test_cursors_cannot_be_made_up_or_taken_elsewhere(sim):
    ids = [sim.create(name=f"f{i}")["id"] for i in range(3)]
    sim.http.put(f"{API}/filter-groups/g/filters", json={"filter_ids": ids})
    cursor = sim.http.get(f"{API}/filters?page_size=1").json()["next_cursor"]
    for path in (f"{API}/filter-groups/g/filters", f"{API}/audit-logs"):
        answer = sim.http.get(path, params={"cursor": cursor})
        assert answer.status_code == 400
        assert "cursor" in answer.json()["message"]
    for bad in ("x", cursor[:-1], cursor + "0", "2" + cursor[1:], "ffffffffffffffff.0.0"):
        assert sim.http.get(f"{API}/filters", params={"cursor": bad}).status_code == 400


@pytest.mark.parametrize("how, value", [("null", None), ("empty", ""), ("absent", "none")])
def test_the_end_of_a_listing_differs_by_switch(sim, how, value):
    sim.config(cursor_end=how)
    assert sim.http.get(f"{API}/filters").json().get("next_cursor", "none") == value


def test_pages_may_be_empty_before_the_last(sim):
    sim.config(empty_pages=True)
    ids = [sim.create(name=f"f{i}")["id"] for i in range(4)]
    found, n = pages(sim.http, f"{API}/filters", "filters", page_size=2)
    assert [f["id"] for f in found] == ids
    assert n == 3


def test_a_listing_stands_changes_while_it_is_read(sim):
    ids = [sim.create(name=f"f{i}") for i in range(4)]
    first = sim.http.get(f"{API}/filters?page_size=2").json()
    sim.http.delete(
        f"{API}/filters/{ids[0]['id']}", headers={"If-Match": f'"{ids[0]["etag"]}"'}
    )
    rest = sim.http.get(f"{API}/filters", params={"cursor": first["next_cursor"]}).json()
    assert [f["id"] for f in rest["filters"]] == [ids[2]["id"], ids[3]["id"]]


# ---- groups


def test_groups_add_and_list(sim):
    ids = [sim.create(name=f"f{i}")["id"] for i in range(5)]
    path = f"{API}/filter-groups/grp%20%2F%C3%A9/filters"
    assert sim.http.get(path).json()["filter_ids"] == []
    assert sim.http.put(path, json={"filter_ids": ids[:3]}).status_code == 200
    again = sim.http.put(path, json={"filter_ids": ids[2:]})
    assert again.json()["added"] == ids[3:]
    found, n = pages(sim.http, path, "filter_ids", page_size=2)
    assert (found, n) == (ids, 3)
    sim.config(group_put="replaces")
    sim.http.put(path, json={"filter_ids": ids[:1]})
    assert sim.http.get(path).json()["filter_ids"] == ids[:1]


@pytest.mark.parametrize("body", [{}, {"filter_ids": []}, {"filter_ids": "x"}, {"filter_ids": {}}])
def test_assigning_nothing_is_refused(sim, body):
    answer = sim.http.put(f"{API}/filter-groups/g/filters", json=body)
    assert answer.status_code == 400


def test_assigning_what_is_not_there_is_refused_as_a_whole(sim):
    known = sim.create()["id"]
    path = f"{API}/filter-groups/g/filters"
    answer = sim.http.put(path, json={"filter_ids": [known, "flt_none", 7]})
    assert answer.status_code == 400
    assert [e["path"] for e in answer.json()["errors"]] == ["/filter_ids/1", "/filter_ids/2"]
    assert sim.http.get(path).json()["filter_ids"] == []


# ---- metrics


def test_metrics_count_what_was_posted_and_say_how(sim):
    record = sim.create()
    for at, n in (("-PT10M", 3), ("-PT50M", 2), ("-PT2H", 50)):
        events = [{"channel": "voice"}] * n + [{"channel": "chat"}, {}]
        answer = sim.anonymous.post("/_sim/events", params={"at": at}, json=events)
        assert answer.json() == {"accepted": n + 2, "bad": 0}
    query = {"filter_id": record["id"], "interval": "PT20M", "start_time": "-PT3600S"}
    body = sim.http.get(METRICS, params=query).json()
    assert body["filter_id"] == record["id"]
    assert body["metrics"]["hit_count"] == 5
    assert body["metrics"]["match_ratio"] == pytest.approx(5 / 9)
    assert body["metrics"]["throughput_rate"] == pytest.approx(5 / 3600)
    assert [p["hit_count"] for p in body["series"]] == [2, 0, 3]
    declared = sim.anonymous.get("/_sim").json()["metrics"]
    assert declared["method"] == "stand-in"
    assert "not evaluated" in declared["says"]


def test_metrics_of_nothing_are_zero(sim):
    body = sim.http.get(METRICS, params={"filter_id": sim.create()["id"]}).json()
    assert body["metrics"] == {"hit_count": 0, "match_ratio": 0, "throughput_rate": 0}
    assert len(body["series"]) == 12


def test_only_the_metrics_asked_for_come(sim):
    sim.config(series=False)
    query = {"filter_id": sim.create()["id"], "metrics": "hit_count"}
    body = sim.http.get(METRICS, params=query).json()
    assert body["metrics"] == {"hit_count": 0}
    assert "series" not in body


@pytest.mark.parametrize(
    "over, status",
    [
        ({"filter_id": None}, 400),
        ({"filter_id": "flt_none"}, 404),
        ({"interval": "5 minutes"}, 400),
        ({"interval": "PT0S"}, 400),
        ({"interval": "PT1S", "start_time": "-P7D"}, 400),
        ({"metrics": "hit_count,misses"}, 400),
        ({"start_time": "yesterday"}, 400),
        ({"start_time": "PT1H"}, 400),
        ({"start_time": "2024-01-01T00:00:00Z"}, 400),
        ({"end_time": "2024-02-30T00:00:00Z"}, 400),
        ({"end_time": "2024-02-29T00:00:00Z"}, 200),
        ({"end_time": "now"}, 400),
    ],
)
def test_metrics_check_what_is_asked(sim, over, status):
    query = {"filter_id": sim.create()["id"], "start_time": "-PT1H", **over}
    answer = sim.http.get(METRICS, params={k: v for k, v in query.items() if v})
    assert answer.status_code == status, answer.text


def test_metrics_may_want_instants(sim):
    sim.config(metrics_start="instant")
    query = {"filter_id": sim.create()["id"], "end_time": "2024-01-01T01:00:00Z"}
    good = sim.http.get(METRICS, params={**query, "start_time": "2024-01-01T00:00:00Z"})
    assert good.status_code == 200
    assert good.json()["series"][0]["time"] == "2024-01-01T00:00:00.000Z"
    assert sim.http.get(METRICS, params={**query, "start_time": "-PT1H"}).status_code == 400


# ---- audit


def test_the_audit_says_what_was_really_done(sim):
    record = sim.create()
    sim.put(record, description="by the tester", channel="chat")
    sim.put(record, description="stale, so not done")
    with sim.login(client_id="another") as other:
        current = sim.http.get(f"{API}/filters/{record['id']}").json()
        done = other.delete(
            f"{API}/filters/{record['id']}", headers={"If-Match": current["etag"]}
        )
    entries = sim.http.get(f"{API}/audit-logs", params={"filter_id": record["id"]}).json()
    told = [(e["actor"], e["action"], e["version"], e.get("changed")) for e in entries["entries"]]
    assert told == [
        ("another", "delete", 2, None),
        ("tester", "update", 2, ["channel", "description"]),
        ("tester", "create", 1, None),
    ]
    assert entries["entries"][0]["request_id"] == done.headers["x-request-id"]


def test_the_audit_pages_newest_or_oldest_first(sim):
    ids = [sim.create(name=f"f{i}")["id"] for i in range(5)]
    found, n = pages(sim.http, f"{API}/audit-logs", "entries", page_size=2)
    assert ([e["filter_id"] for e in found], n) == (ids[::-1], 3)
    sim.config(audit_order="oldest")
    found, _ = pages(sim.http, f"{API}/audit-logs", "entries", page_size=2)
    assert [e["filter_id"] for e in found] == ids
    only, _ = pages(sim.http, f"{API}/audit-logs", "entries", filter_id=ids[2])
    assert [e["filter_id"] for e in only] == [ids[2]]


# ---- ids and seeds


def test_the_same_seed_gives_the_same_ids(start_sim):
    def run(sim):
        sim.ask_token()
        first = sim.create()
        second = sim.put(first, description="new").json()
        return first["id"], first["etag"], second["etag"], sim.ask_token().json()["access_token"]

    one, two, other = start_sim("--seed", "7"), start_sim("--seed", "7"), start_sim("--seed", "8")
    assert run(one) == run(two)
    assert not set(run(one)) & set(run(other))


def test_ids_that_need_encoding(sim):
    sim.config(id_format="nasty")
    answer = sim.http.post(f"{API}/filters", json=definition())
    assert "/é?#%" in answer.json()["id"]
    got = sim.http.get(answer.headers["location"])
    assert got.json()["id"] == answer.json()["id"]
    assert sim.http.get(answer.headers["location"] + "/status").status_code == 200

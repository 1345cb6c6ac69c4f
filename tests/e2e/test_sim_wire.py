"""Faults below HTTP: what reaches the socket, byte by byte, and that what the
server did is counted whatever became of its answer."""

import gzip
import json
import re
import socket
import struct
import subprocess
import zlib

import httpx
import pytest

from sim_fixture import API, WEIR, definition

LIST = f"{API}/filters"


def request(sim, method="GET", path=LIST, body=b"", headers=""):
    """One request with the tester's token, as bytes."""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: {sim.http.headers['authorization']}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"{headers}\r\n"
    ).encode() + body


def connect(sim):
    return socket.create_connection(("127.0.0.1", sim.port), timeout=20)


def read_all(connection):
    """What comes until the end; "reset" instead of it, after a reset."""
    answer = b""
    try:
        while piece := connection.recv(1 << 20):
            answer += piece
    except ConnectionResetError:
        return answer, "reset"
    return answer, "closed"


def raw(sim, *args, **keys):
    with connect(sim) as connection:
        connection.sendall(request(sim, *args, **keys))
        return read_all(connection)


def parts(answer):
    """Status line, header fields (a list), body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *fields = head.split(b"\r\n")
    return status, [tuple(f.split(b": ", 1)) for f in fields], body


def lengths(fields):
    return [int(value) for name, value in fields if name == b"Content-Length"]


EMPTY = {"filters": [], "next_cursor": None}

# ---- broken off


def test_a_body_cut_short_says_a_length_that_is_too_large(sim):
    sim.fault("truncate")
    status, fields, body = parts(raw(sim)[0])
    assert status == b"HTTP/1.1 200 OK"
    assert lengths(fields) == [2 * len(body) + lengths(fields)[0] % 2]
    assert b'{"filters":[],' .startswith(body[:14])


@pytest.mark.parametrize("at, ends", [("before", b""), ("after_headers", b"\r\n\r\n"), ("mid_body", b"")])
def test_a_reset_is_a_reset(sim, at, ends):
    sim.fault("reset", at=at, call="create")
    answer, end = raw(sim, "POST", body=json.dumps(definition()).encode())
    assert end == "reset"
    assert answer.endswith(ends)
    assert (answer == b"") == (at == "before")
    assert sim.state()["creates"] == 1


def test_a_reset_without_more_does_nothing(sim):
    sim.fault("reset", call="create")
    assert raw(sim, "POST", body=json.dumps(definition()).encode()) == (b"", "reset")
    assert sim.state()["creates"] == 0


def test_a_large_body_can_be_refused_unread(sim):
    sim.fault("unread", call="create")
    body = json.dumps(definition(description="x" * 900)).encode()
    large = body + b" " * (4 << 20)
    with connect(sim) as connection, pytest.raises(OSError):
        connection.sendall(request(sim, "POST", body=large))
        while connection.recv(65536):
            pass
        raise ConnectionError
    assert sim.state()["creates"] == 0
    assert sim.log()[-1]["faults"] == ["unread"]
    # What fired is over; the next one is read and done, and fires once only.
    sim.fault("status", call="create", status=503, after=1)
    assert b" 201 " in raw(sim, "POST", body=large, headers="Connection: close\r\n")[0]
    assert b" 503 " in raw(sim, "POST", body=large, headers="Connection: close\r\n")[0]
    assert sim.state()["creates"] == 1


def test_an_empty_chunked_body_is_read_although_nobody_knows_its_size(sim):
    head = request(sim, "POST", f"{LIST}/validate").replace(
        b"Content-Length: 0", b"Transfer-Encoding: chunked\r\nConnection: close"
    )
    with connect(sim) as connection:
        connection.sendall(head)
        connection.sendall(b"0\r\n\r\n")
        assert b" 400 " in read_all(connection)[0]


@pytest.mark.parametrize("at", ["before", "after_headers", "mid_body"])
def test_a_stall_holds_until_the_client_gives_up(sim, at):
    sim.fault("stall", at=at)
    with connect(sim) as connection:
        connection.sendall(request(sim))
        connection.settimeout(0.3)
        got = b""
        with pytest.raises(TimeoutError):
            while True:
                piece = connection.recv(65536)
                assert piece
                got += piece
    assert (got == b"") == (at == "before")
    assert sim.http.get(LIST).status_code == 200


def test_a_stall_may_end(sim):
    sim.fault("stall", seconds=0.1)
    assert raw(sim) == (b"", "closed")


def test_a_connection_closed_while_idle_was_not_announced(sim):
    sim.fault("idle_close")
    answer, end = raw(sim)
    _, fields, body = parts(answer)
    assert end == "closed"
    assert (json.loads(body), lengths(fields)) == (EMPTY, [len(body)])
    assert b"connection: close" not in answer.lower()


def test_drip_comes_in_pieces(sim):
    sim.fault("drip", bytes=50, seconds=0.02)
    with connect(sim) as connection:
        connection.sendall(request(sim))
        pieces = []
        while piece := connection.recv(65536):
            pieces.append(piece)
    assert len(pieces) > 3
    assert json.loads(parts(b"".join(pieces))[2]) == EMPTY


# ---- lengths and chunks


def test_more_comes_than_the_length_says(sim):
    sim.fault("overlong")
    _, fields, body = parts(raw(sim)[0])
    assert json.loads(body) == EMPTY
    assert lengths(fields) == [len(body) // 2]
    for how, extra in (("junk", b"junkjunk"), ("forged", b"HTTP/1.1 200 OK\r\n")):
        sim.fault("overlong", how=how)
        _, fields, body = parts(raw(sim)[0])
        (length,) = lengths(fields)
        assert json.loads(body[:length]) == EMPTY
        assert body[length:].startswith(extra)


def test_two_lengths_and_one_that_is_none(sim):
    sim.fault("two_lengths")
    _, fields, body = parts(raw(sim)[0])
    assert lengths(fields) == [len(body), len(body) + 10]
    sim.fault("bad_length", value="1e3")
    assert b"\r\nContent-Length: 1e3\r\n" in raw(sim)[0]


@pytest.mark.parametrize("cut", [False, True])
def test_a_body_that_ends_with_the_connection(sim, cut):
    sim.fault("close_delimited", cut=cut)
    status, fields, body = parts(raw(sim)[0])
    assert status == b"HTTP/1.0 200 OK"
    assert not lengths(fields)
    if cut:
        with pytest.raises(ValueError):
            json.loads(body)
    else:
        assert json.loads(body) == EMPTY


def test_small_chunks_are_right(sim):
    sim.fault("chunked", bytes=3)
    answer = sim.http.get(LIST)
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.json() == EMPTY
    sim.fault("chunked", bytes=3)
    assert b'\r\n3\r\n{"f\r\n' in raw(sim)[0]


@pytest.mark.parametrize(
    "how, ends",
    [
        ("size", b"\r\nzz\r\n"),
        ("negative", b"\r\n-5\r\n"),
        ("huge", b"\r\nFFFFFFFFFFFFFFFFF\r\n"),
        ("data", b"\r\n5\r\nab\r\n0\r\n\r\n"),
        ("end", b"}\r\n"),
    ],
)
def test_chunks_that_are_wrong(sim, how, ends):
    sim.fault("bad_chunk", how=how)
    answer, end = raw(sim)
    assert b"\r\nTransfer-Encoding: chunked\r\n" in answer
    assert answer.endswith(ends)
    assert end == "closed"


# ---- headers


def test_early_answers_come_first_and_leave_the_connection_in_order(sim):
    sim.fault("early", times=2, status=103)
    with connect(sim) as connection:
        connection.sendall(request(sim))
        connection.sendall(request(sim, headers="Connection: close\r\n"))
        answer, _ = read_all(connection)
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"103", b"103", b"200", b"200"]


def test_a_switch_sends_an_early_answer_every_time(sim):
    sim.config(early=100)
    answer, _ = raw(sim, headers="Connection: close\r\n")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_what_is_no_http(sim):
    sim.fault("not_http")
    assert raw(sim)[0].startswith(b"SSH-2.0")


def test_headers_without_end(sim):
    sim.fault("header_flood", lines=3000)
    assert raw(sim)[0].count(b"X-Flood-") == 3000
    sim.fault("huge_header", bytes=300000)
    assert b"X-Huge: " + b"x" * 300000 + b"\r\n" in raw(sim)[0]


@pytest.mark.parametrize(
    "how, line",
    [
        ("no_colon", b"This is no header field"),
        ("no_name", b": nobody"),
        ("space", b"X-Space : before"),
        ("folded", b"X-Folded: one\r\n two"),
        ("nul", b"X-Nul: a\0b"),
        ("control", b"X-Control: a\x01\x1b[31mb"),
        ("latin1", b"X-Latin: \xe9t\xe9"),
    ],
)
def test_a_header_line_that_is_none(sim, how, line):
    sim.fault("bad_header", how=how)
    assert b"\r\n" + line in raw(sim)[0]


def test_header_names_differ_in_case(sim):
    sim.fault("header_case")
    assert b"\r\ncontent-type: " in raw(sim, headers="Connection: close\r\n")[0]


@pytest.mark.parametrize(
    "how, header, body",
    [
        ("absent", None, None),
        ("weak", 'W/"{}"', None),
        ("unquoted", "{}", None),
        ("header", '"{}"', None),
        ("body", None, "{}"),
        ("wrong", '"0-of-nothing"', "0-of-nothing"),
    ],
)
def test_etags_of_one_answer(sim, how, header, body):
    record = sim.create()
    etag = record["etag"]
    sim.fault("etag", how=how)
    answer = sim.http.get(f"{LIST}/{record['id']}")
    assert answer.headers.get("etag") == (header and header.format(etag))
    assert answer.json().get("etag") == (body and body.format(etag))


@pytest.mark.parametrize(
    "given, sent",
    [
        ("rate", ["1"]),
        ("rate:retry_after=120", ["120"]),
        ("rate:retry_after=none", []),
        ("rate:retry_after=-5", ["-5"]),
        ("rate:retry_after=1.5", ["1.5"]),
        ("rate:retry_after=+3", ["+3"]),
        ("rate:retry_after=0x10", ["0x10"]),
        ("rate:retry_after=", [""]),
        ("rate:retry_after=1,second=7", ["1", "7"]),
        ('{"kind": "rate", "retry_after": "12abc"}', ["12abc"]),
        ("status:status=503,retry_after=9", ["9"]),
        ("status:status=503", []),
    ],
)
def test_retry_after_in_each_form(sim, given, sent):
    spec = json.loads(given) if given.startswith("{") else given
    assert sim.anonymous.post("/_sim/faults", json=spec).status_code == 201
    answer = sim.http.get(LIST)
    assert answer.status_code in (429, 503)
    assert answer.headers.get_list("retry-after") == sent


@pytest.mark.parametrize(
    "form, pattern",
    [
        ("imf", r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"),
        ("rfc850", r"\w+day, \d\d-\w{3}-\d\d \d\d:\d\d:\d\d GMT"),
        ("asctime", r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}"),
    ],
)
def test_retry_after_as_dates_of_each_kind(sim, form, pattern):
    sim.fault("rate", retry_after=-60, date=form)
    assert re.fullmatch(pattern, sim.http.get(LIST).headers["retry-after"])


def test_redirects_to_itself_and_to_the_same_origin(sim):
    sim.fault("redirect", to="same", status=307)
    assert sim.http.get(LIST).headers["location"] == f"{LIST}?redirected=1"
    sim.fault("redirect", to="loop")
    for _ in range(5):
        assert sim.http.get(LIST).headers["location"] == LIST


# ---- bodies


NOT_JSON = {
    "cut", "empty", "html", "text", "trailing", "twice", "bom", "nan", "quotes", "comma", "comment",
    "utf8", "surrogate", "control", "nul", "number", "deep",
}


def test_invalid_json_of_each_kind(sim):
    """As many ways as there are, each refused by weir's own reading."""
    said = subprocess.run([WEIR, "sim", "--faults"], capture_output=True, text=True, check=True)
    line = re.search(r"invalid_json.*\n.*how=([\w|]+)", said.stdout)
    assert set(line[1].split("|")) == NOT_JSON
    for how in sorted(NOT_JSON):
        sim.fault("invalid_json", how=how)
        body = sim.http.get(LIST).content
        check = subprocess.run(
            [WEIR, "run", "-"], input=b"io.write(tostring(weir.json.decode("
            b"((%s):gsub('..', function(x) return string.char(tonumber(x, 16)) end))) ~= nil))"
            % json.dumps(body.hex()).encode(), capture_output=True, check=True)
        assert check.stdout == b"false", (how, body[:80])


def test_odd_values_and_duplicates_in_the_answer_itself(sim):
    record = sim.create()
    path = f"{LIST}/{record['id']}"
    for value, text in (("overflow", "1e400"), ("huge_int", "123456789012345678901234567890"),
                        ("nul", '"a\\u0000b"'), ("past_double", "9007199254740993"),
                        ("null", "null"), ("array", "[]")):
        sim.fault("odd_value", value=value)
        body = sim.http.get(path).text
        assert f'"id":{text}}}' in body
        assert json.loads(body)["name"] == record["name"]
        assert body.count('"id":') == 1
    sim.fault("duplicate_keys", member="name")
    assert sim.http.get(path).text.count('"name":') == 2


def test_gzip_right_and_wrong(sim):
    sim.fault("gzip")
    answer = sim.http.get(LIST)
    assert (answer.headers["content-encoding"], answer.json()) == ("gzip", EMPTY)
    for how in ("data", "crc", "cut", "plain"):
        sim.fault("bad_gzip", how=how)
        body = parts(raw(sim, headers="Connection: close\r\n")[0])[2]
        with pytest.raises((OSError, EOFError, zlib.error)):
            gzip.decompress(body)


def test_gzip_by_switch_for_those_who_take_it(sim):
    sim.config(gzip=True)
    assert sim.http.get(LIST).headers["content-encoding"] == "gzip"
    plain = sim.http.get(LIST, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json() == EMPTY


@pytest.mark.parametrize("size", [1, 5000, 1_000_000, 200_000_000])
def test_a_bomb_is_small_and_large(sim, size):
    sim.fault("gzip_bomb", bytes=size)
    packed = parts(raw(sim, headers="Connection: close\r\n")[0])[2]
    assert len(packed) < 200 + size / 900
    unpacked, n, crc = zlib.decompressobj(31), 0, b""
    data = packed
    while data and not unpacked.eof:
        piece = unpacked.decompress(data, 1 << 20)
        crc = piece[-1:] or crc
        n += len(piece)
        data = unpacked.unconsumed_tail
    assert unpacked.eof  # so the checksum was right
    assert (n >= size, crc) == (True, b"}")


def test_content_types_that_lie(sim):
    sim.fault("content_type")
    answer = sim.http.get(LIST)
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.json() == EMPTY


# ---- listings


def pages(sim, limit=20):
    """The names of a listing, and the cursors on the way."""
    names, cursors, cursor = [], [], None
    while len(cursors) < limit:
        page = sim.http.get(LIST, params={"page_size": 2, "cursor": cursor or ""}).json()
        names.append([item["name"] for item in page["filters"]])
        cursor = page["next_cursor"]
        if not cursor:
            break
        cursors.append(cursor)
    return names, cursors


def test_listings_that_go_wrong(sim):
    for i in range(5):
        sim.create(name=f"f{i}")
    whole = [["f0", "f1"], ["f2", "f3"], ["f4"]]
    assert pages(sim)[0] == whole
    sim.fault("empty_page", after=1, count=3)
    names, cursors = pages(sim)
    assert names == [whole[0], [], [], [], whole[1], whole[2]]
    assert len(set(cursors)) == len(cursors)
    sim.fault("repeated_cursor", after=1, count=100)
    names, cursors = pages(sim)
    assert names[:4] == [whole[0], whole[1], whole[0], whole[0]]
    assert len(set(cursors)) < len(cursors)


# ---- which, how often, and what is counted


def test_every_third(sim):
    sim.fault("status", every=3)
    assert [sim.http.get(LIST).status_code for _ in range(7)] == [200, 200, 500, 200, 200, 500, 200]


def test_p_is_short_for_probability(sim):
    sim.fault("status", p=1)
    (fault,) = sim.anonymous.get("/_sim/faults").json()["faults"]
    assert (fault["probability"], "count" in fault) == (1, False)


def test_faults_add_up(sim):
    sim.fault("gzip", count=9)
    sim.fault("header_case", count=9)
    sim.fault("truncate", count=1)
    answer = raw(sim)[0]
    assert b"content-encoding: gzip" in answer
    assert lengths([(b"Content-Length", b"0")]) == [0]
    assert sim.http.get(LIST).json() == EMPTY
    counters = sim.state()
    assert (counters["faults_gzip"], counters["faults_truncate"], counters["faults"]) == (2, 1, 5)


@pytest.mark.parametrize("kind, keys", [
    ("status", {"status": 504, "done": True}), ("rate", {"done": True}), ("lost", {}),
    ("reset", {"done": True}), ("stall", {"seconds": 0}),
])
def test_done_although_the_answer_denies_it(sim, kind, keys):
    sim.fault(kind, call="create", **keys)
    try:
        answer = sim.http.post(LIST, json=definition())
        assert answer.status_code == keys.get("status", 429)
        assert "etag" not in answer.headers
    except httpx.TransportError:
        pass
    assert sim.state()["creates"] == 1
    assert sim.log()[-1]["faults"] == [kind]


def test_what_was_done_is_counted(sim):
    one, two = sim.create(name="one"), sim.create(name="two")
    group = f"{API}/filter-groups/g/filters"
    ids = [one["id"], two["id"]]
    sim.http.put(group, json={"filter_ids": ids})
    sim.http.put(group, json={"filter_ids": ids})
    for _ in range(3):
        sim.http.get(f"{LIST}/{one['id']}/status")
    sim.config(activation="fail")
    three = sim.create(name="three")
    sim.http.get(f"{LIST}/{three['id']}/status")
    assert sim.put(one, if_match=f'W/"{one["etag"]}"').status_code == 409
    sim.http.delete(f"{LIST}/{two['id']}", headers={"If-Match": two["etag"]})
    wanted = {
        "creates": 3, "updates": 0, "deletes": 1, "tokens": 1, "assignments": 2,
        "members_added": 2, "members_removed": 1, "activations": 1, "activations_failed": 1,
        "conflicts": 1, "weak_etags": 1,
    }
    counters = sim.state()
    assert {name: counters[name] for name in wanted} == wanted


def test_every_kind_is_listed_and_can_be_added_as_it_stands(sim):
    for args in (["--faults"], ["--help"]):
        said = subprocess.run([WEIR, "sim", *args], capture_output=True, text=True, check=True)
        names = re.findall(r"^  ([a-z_]+) {2,}\S", said.stdout, re.M)
        assert {"rate", "gzip_bomb", "unread"} <= set(names)
    kinds = [n for n in names if n == "rate" or names.index(n) > names.index("rate")]
    assert len(kinds) > 35
    for name in kinds:
        sim.fault(name)
    assert [f["kind"] for f in sim.anonymous.get("/_sim/faults").json()["faults"]] == kinds

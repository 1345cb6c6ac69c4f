"""`weir sim` as a program and as an HTTP server: flags, signals, raw bytes."""

import json
import signal
import socket
import subprocess

import pytest

from sim_fixture import API, WEIR, definition


def run(*args):
    return subprocess.run(
        [WEIR, "sim", *args], capture_output=True, text=True, timeout=20, check=False
    )


# ---- the command


def test_it_prints_its_url_first_and_how_to_point_a_client_to_it(start_sim):
    sim = start_sim()
    sim.http.get(f"{API}/filters")
    _, out, err = sim.stop()
    settings = dict(line.removeprefix("export ").split("=", 1) for line in out.splitlines())
    assert settings["CXONE_BASE_URL"] == sim.url
    assert settings["CXONE_TOKEN_URL"] == f"{sim.url}/as/token.oauth2"
    assert {"CXONE_TENANT", "CXONE_CLIENT_ID", "CXONE_CLIENT_SECRET"} <= set(settings)
    assert "filters 200 list" in err


def test_quiet_prints_the_url_and_nothing_else(sim):
    sim.http.get(f"{API}/filters")
    assert sim.stop() == (0, "", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_ends_with_zero_even_in_the_middle_of_things(start_sim, number):
    sim = start_sim("--quiet")
    sim.fault("slow", call="list", seconds=600)
    with socket.create_connection(("127.0.0.1", sim.port)) as waiting:
        token = sim.http.headers["authorization"]
        waiting.sendall(
            f"GET {API}/filters HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n".encode()
        )
        while not any(e.get("call") == "list" for e in sim.log()):
            pass
        assert sim.stop(number) == (0, "", "")
        assert waiting.recv(10) == b""


@pytest.mark.parametrize(
    "args, said",
    [
        (["--prot", "1"], "--port"),
        (["--port", "70000"], "65535"),
        (["--port", "x"], "--port"),
        (["--activation", "lokks=2"], "unknown activation"),
        (["--fault", "rat"], "did you mean 'rate'"),
        (["--fault", "{"], "fault"),
        (["--scenario", "/nonexistent.lua"], "nonexistent.lua"),
        (["extra"], "extra"),
    ],
)
def test_wrong_arguments_are_explained(args, said):
    done = run(*args)
    assert done.returncode == 64
    assert said in done.stderr
    assert done.stdout == ""


def test_help_is_worth_reading():
    done = run("--help")
    assert done.returncode == 0
    for word in ("--port", "--seed", "--scenario", "concurrent_edit", "/_sim", "Examples"):
        assert word in done.stdout


def test_a_port_that_is_taken_is_said(sim):
    done = run("--port", str(sim.port))
    assert done.returncode == 1
    assert f"127.0.0.1:{sim.port}" in done.stderr
    assert "in use" in done.stderr


def test_only_loopback_is_listened_on(sim):
    with open(f"/proc/{sim.process.pid}/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table][1:]
    addresses = [row[1].split(":") for row in rows if row[3] == "0A"]
    assert [a for a, port in addresses if int(port, 16) == sim.port] == ["0100007F"]


def test_a_scenario_sets_everything(start_sim, tmp_path):
    scenario = tmp_path / "s.lua"
    scenario.write_text(
        "return { seed = 11, activation = { looks = 0 }, conflict = 412,\n"
        "  events = { { channel = 'voice' } },\n"
        "  faults = { { kind = 'concurrent_edit', value = 'theirs' }, 'status:call=list' } }\n"
    )
    sim = start_sim("--scenario", str(scenario))
    assert sim.anonymous.get("/_sim").json()["seed"] == 11
    assert sim.state()["events"] == 1
    assert sim.put(sim.create(), description="mine").status_code == 412
    assert sim.http.get(f"{API}/filters").status_code == 500


@pytest.mark.parametrize(
    "text, said",
    [
        ("return 1", "return a table"),
        ("return {", "s.lua:1"),
        ("error('no')", "no"),
        ("\x1bLua", "binary"),
        ("return { sed = 1 }", "did you mean"),
        ("return { faults = 1 }", "list"),
        ("return { faults = { { kind = 'x' } } }", "unknown fault kind"),
        ("return { seed = 'x' }", "seed"),
        ("return { clock = 'noon' }", "clock"),
        ("return { [7] = 1, conflict = 412 }", "unknown key"),
    ],
)
def test_a_scenario_that_makes_no_sense_is_explained(tmp_path, text, said):
    scenario = tmp_path / "s.lua"
    scenario.write_text(text)
    done = run("--scenario", str(scenario))
    assert done.returncode == 64
    assert said in done.stderr


@pytest.mark.parametrize("name", [
    "io", "os.execute", "os.remove", "os.exit", "os.getenv", "require", "package", "load",
    "loadfile", "dofile", "debug", "getmetatable", "setmetatable", "rawset", "collectgarbage",
    "coroutine", "weir", "_G.io", "_ENV.require",
])
def test_a_scenario_reaches_nothing(tmp_path, name):
    """It is found beside scripts that are confined."""
    scenario = tmp_path / "s.lua"
    scenario.write_text(f"error('is ' .. type({name}))")
    assert "is nil" in run("--scenario", str(scenario)).stderr


def test_what_a_scenario_does_to_its_libraries_is_its_own_affair(start_sim, tmp_path):
    scenario = tmp_path / "s.lua"
    scenario.write_text(
        "for _, l in pairs { string, table, math, os, utf8 } do\n"
        "  for name in pairs(l) do l[name] = function() error 'reached' end end\n"
        "end\n"
        "return { seed = 3 }\n"
    )
    sim = start_sim("--scenario", str(scenario))
    assert sim.anonymous.get("/_sim").json()["seed"] == 3
    assert sim.create()["name"]


# ---- other clients


def test_curl_can_do_it(sim):
    def curl(*args):
        return subprocess.run(
            ["curl", "-sS", "--max-time", "5", "--noproxy", "*", *args],
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    form = "grant_type=client_credentials&client_id=a&client_secret=b+c&tenant=t"
    token = json.loads(curl("-d", form, f"{sim.url}/as/token.oauth2"))["access_token"]
    auth = ["-H", f"Authorization: Bearer {token}"]
    kind = ["-H", "Content-Type: application/json"]
    body = json.dumps(definition(description="x" * 500))
    record = json.loads(curl(*auth, *kind, "-d", body, f"{sim.url}{API}/filters"))
    # curl waits for "100 Continue" before a large body.
    big = json.dumps([{"channel": "voice", "pad": "x" * 1000}] * 1500)
    done = subprocess.run(
        ["curl", "-sS", "--max-time", "5", "--noproxy", "*", "--data-binary", "@-",
         "-H", "Expect: 100-continue", f"{sim.url}/_sim/events"],
        input=big, capture_output=True, text=True, check=True,
    )
    assert json.loads(done.stdout)["accepted"] == 1500
    assert record["version"] == 1


# ---- raw bytes


def exchange(sim, data):
    """Sends bytes, returns what comes until the server closes or is silent."""
    with socket.create_connection(("127.0.0.1", sim.port), timeout=0.5) as connection:
        answer = b""
        try:
            connection.sendall(data)
            while piece := connection.recv(65536):
                answer += piece
        except OSError:  # silent, or closed before all was sent
            pass
        return answer


GARBAGE = [
    b"\x00" * 1000,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET  /  HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /\x00/x HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /_sim?a=%c3 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"BREW /_sim HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-Y: " + b"a" * 200000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 20000 + b"\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: \xff\xfe\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n folded: yes\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n: nothing\r\nNo colon\r\n\r\n",
    b"POST /_sim/events HTTP/1.1\r\nHost: x\r\nContent-Length: nine\r\n\r\n{}",
    b"POST /_sim/events HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}",
    b"POST /_sim/events HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
    b"POST /_sim/events HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{}",
    b"POST /_sim/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    b"POST /_sim/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"ffffffffffffffffff\r\n{}\r\n",
    b"POST /_sim/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}",
]


@pytest.mark.parametrize("data", GARBAGE, ids=range(len(GARBAGE)))
def test_malformed_requests_get_no_success_and_hurt_nobody(sim, data):
    answer = exchange(sim, data)
    assert not answer.startswith(b"HTTP/1.1 2"), answer[:200]
    assert sim.http.get(f"{API}/filters").status_code == 200
    assert sim.anonymous.get("/_sim/log").status_code == 200


def test_every_prefix_of_a_request_can_be_all_there_is(sim):
    whole = (
        b"POST /_sim/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
        b"Connection: close\r\n\r\n{}"
    )
    for end in range(len(whole)):
        with socket.create_connection(("127.0.0.1", sim.port)) as connection:
            connection.sendall(whole[:end])
    assert b" 202 " in exchange(sim, whole)
    assert sim.state()["events"] == 1


def test_chunked_bodies_and_pipelined_requests_are_read(sim):
    one = (
        b"POST /_sim/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"1\r\n{\r\n1;ext=1\r\n}\r\n0\r\nTrailer: x\r\n\r\n"
    )
    last = b"GET /_sim/faults HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", sim.port), timeout=5) as connection:
        connection.sendall(one + one + last)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert answer.count(b"HTTP/1.1 202") == 2
    assert answer.count(b"HTTP/1.1 200") == 1


def test_a_whole_url_is_a_target_too(sim):
    answer = exchange(
        sim, b"GET http://elsewhere/_sim/faults HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    assert b" 200 " in answer


def test_a_body_that_is_too_large_is_refused(sim):
    answer = sim.anonymous.post("/_sim/events", content=b" " * (8 * 1024 * 1024 + 1))
    assert answer.status_code == 413
    assert answer.headers["x-request-id"]


def test_many_connections_at_once(sim):
    connections = [socket.create_connection(("127.0.0.1", sim.port)) for _ in range(300)]
    request = b"GET /_sim/faults HTTP/1.1\r\nHost: x\r\n\r\n"
    for connection in connections:
        connection.sendall(request)
    for connection in connections:
        connection.settimeout(10)
        assert connection.recv(12) == b"HTTP/1.1 200"
        connection.close()

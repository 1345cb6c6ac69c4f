"""weir doctor: each thing that a run stands on, well or with what to do; the
exit code; and never a secret."""

import http.server
import json
import socket
import threading
import time

import pytest

from test_tls import authority, serve  # noqa: F401

SECRET = "s3cret-of-the-tests"


@pytest.fixture
def doctor(run_weir):
    """doctor(env, *args) → exit code and the checks by name; reads the JSON."""

    def run(env, *args):
        result = run_weir("doctor", "--json", *args, env=env)
        assert SECRET not in result.stdout + result.stderr
        report = json.loads(result.stdout)
        assert report["exit_code"] == result.returncode, result.stderr
        return result.returncode, {c["name"]: c for c in report["checks"]}

    return run


def failed(checks):
    return [name for name, check in checks.items() if check["status"] == "fail"]


def skipped(checks):
    return [name for name, check in checks.items() if check["status"] == "skip"]


def test_with_the_simulator_all_is_well(run_weir, doctor):
    code, checks = doctor({}, "--sim")
    assert code == 0
    assert {c["status"] for c in checks.values()} == {"ok"}
    assert list(checks) == [
        "weir", "libraries", "lua_close", "lua_constants", "proxy", "trust", "context", "tenant",
        "client_id", "client_secret", "base_url", "token_url", "base_connection",
        "token_connection", "clock", "token", "scopes", "read", "rate_limit"]
    assert "good for 3600 s" in checks["token"]["detail"]
    assert "event-processing:read" in checks["scopes"]["detail"]
    text = run_weir("doctor", "--sim")
    assert (text.returncode, text.stdout.splitlines()[-1]) == (
        0, "19 ok, 0 to look at, 0 failed, 0 not looked at")
    assert "ok    client secret      set (the simulator's)\n" in text.stdout


def test_libraries_and_the_faults_of_lua(run_weir, doctor):
    _, checks = doctor({}, "--sim")
    for word in run_weir("--version").stdout.splitlines()[1].split():
        assert word in checks["libraries"]["detail"]
    assert checks["lua_close"]["detail"].endswith(("as it should be", "stopped at 100"))
    assert checks["lua_constants"]["status"] == "ok"


def test_without_configuration_nothing_is_sent(run_weir, doctor):
    code, checks = doctor({})
    assert code == 5
    assert failed(checks) == ["tenant", "client_id", "client_secret", "configuration"]
    assert "CXONE_TENANT, CXONE_CLIENT_ID, CXONE_CLIENT_SECRET" in checks["configuration"]["hint"]
    assert skipped(checks) == ["base_connection", "token_connection", "clock", "token", "scopes",
                               "read", "rate_limit"]
    text = run_weir("doctor")
    assert "fail  tenant             CXONE_TENANT is not set\n" in text.stdout
    assert "→ set CXONE_TENANT, CXONE_CLIENT_ID" in text.stdout


def test_one_variable_missing(doctor, sim):
    code, checks = doctor({**sim.env, "CXONE_CLIENT_SECRET": ""})
    assert (code, failed(checks)) == (5, ["client_secret", "configuration"])
    code, checks = doctor({**sim.env, "CXONE_ACCESS_KEY_ID": "key"})
    assert (code, failed(checks)) == (5, ["access_key_secret", "configuration"])
    assert sim.log() == []


def test_where_each_setting_came_from(doctor, sim):
    code, checks = doctor(sim.env)
    assert code == 0
    assert checks["tenant"]["detail"] == "t1 (CXONE_TENANT)"
    assert checks["client_secret"]["detail"] == "set (CXONE_CLIENT_SECRET)"
    assert checks["base_url"]["detail"] == f"{sim.url} (CXONE_BASE_URL)"
    env = {k: v for k, v in sim.env.items() if not k.endswith("_URL")}
    code, checks = doctor({**env, "CXONE_CLIENT_ID": "", "CXONE_TENANT": "acme"})
    assert code == 5 and "base_url" not in checks


def test_an_address_that_would_send_the_secret_in_clear(doctor, sim):
    code, checks = doctor({**sim.env, "CXONE_BASE_URL": "http://tenant.example"})
    assert (code, failed(checks)) == (5, ["configuration"])
    assert "CXONE_BASE_URL" in checks["configuration"]["detail"]
    assert sim.log() == []


def test_it_only_looks(doctor, sim):
    doctor(sim.env)
    assert [(r["method"], r["path"].split("?")[0]) for r in sim.log()] == [
        ("HEAD", "/"), ("HEAD", "/as/token.oauth2"), ("POST", "/as/token.oauth2"),
        ("GET", "/api/v2/event-processing/filters")]


def test_credentials_that_are_refused(doctor, sim):
    sim.fault("status", call="token", method="POST", status=401, count=10)
    code, checks = doctor(sim.env)
    assert (code, failed(checks)) == (5, ["token"])
    assert "check the client id and secret" in checks["token"]["hint"]
    assert skipped(checks) == ["scopes", "read", "rate_limit"]


def test_a_token_that_is_worth_nothing(doctor, sim):
    sim.fault("expired", call="list", count=10)
    code, checks = doctor(sim.env)
    assert (code, failed(checks)) == (5, ["read"])


def test_a_token_that_ends_once_is_renewed(doctor, sim):
    sim.fault("expired", call="list")
    assert doctor(sim.env)[0] == 0


def test_a_scope_that_is_lacking(doctor, sim):
    sim.fault("status", call="list", status=403, count=10)
    code, checks = doctor(sim.env)
    assert (code, failed(checks)) == (5, ["read"])
    assert checks["read"]["hint"] == "the client needs the scope event-processing:read"


def test_a_server_without_the_list(doctor, sim):
    sim.fault("status", call="list", status=404, count=10)
    code, checks = doctor(sim.env)
    assert (code, failed(checks)) == (1, ["read"])
    assert "confirm its paths" in checks["read"]["hint"]


def test_an_answer_that_is_no_list(doctor, sim):
    sim.fault("invalid_json", call="list", count=10)
    code, checks = doctor(sim.env)
    assert (code, failed(checks)) == (1, ["read"])


def test_too_many_requests(doctor, sim):
    sim.fault("rate", call="list", count=10)
    code, checks = doctor(sim.env)
    assert (code, failed(checks)) == (6, ["read"])


def test_a_clock_that_is_off_is_told(doctor, sim, start_sim):
    sim.clock(advance="PT2H")
    code, checks = doctor(sim.env)
    assert code == 0 and checks["clock"]["status"] == "warn"
    seconds, said = checks["clock"]["detail"].split(" s ")
    assert said == "behind the server's" and 7190 <= int(seconds) <= 7260
    assert "timedatectl" in checks["clock"]["hint"]
    code, checks = doctor(start_sim("--quiet", "--clock", "2024-02-29T23:59:30Z").env)
    assert code == 0 and checks["clock"]["detail"].endswith(" s ahead of the server's")
    ahead = int(checks["clock"]["detail"].split()[0])
    assert abs(time.time() - ahead - 1709251170) < 60


def test_nobody_listens(doctor, sim):
    with socket.create_server(("127.0.0.1", 0)) as free:
        gone = f"http://127.0.0.1:{free.getsockname()[1]}"
    code, checks = doctor({**sim.env, "CXONE_BASE_URL": gone})
    assert (code, failed(checks)) == (1, ["base_connection"])
    assert checks["token"]["status"] == "ok"
    assert skipped(checks) == ["read", "rate_limit"]
    code, checks = doctor({**sim.env, "CXONE_TOKEN_URL": gone + "/token"})
    assert (code, failed(checks)) == (1, ["token_connection"])
    assert skipped(checks) == ["token", "scopes", "read", "rate_limit"]


def test_a_server_that_never_answers(doctor, sim):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        code, checks = doctor({**sim.env, "CXONE_BASE_URL": url}, "--timeout", "0.3")
    assert code == 6 and failed(checks)[0] == "base_connection"


def test_a_certificate_that_nobody_trusts(doctor, sim, serve, authority):  # noqa: F811
    server = serve()
    env = {**sim.env, "CXONE_BASE_URL": server.url.rstrip("/")}
    code, checks = doctor(env)
    assert (code, failed(checks)) == (1, ["base_connection"])
    assert "no TLS connection to 127.0.0.1:" in checks["base_connection"]["detail"]
    assert "SSL_CERT_FILE" in checks["base_connection"]["hint"]
    assert server.requests == []
    _, checks = doctor({**env, "SSL_CERT_FILE": str(authority / "ca.pem")})
    assert "TLS, certificate trusted" in checks["base_connection"]["detail"]
    assert b"Authorization" not in server.requests[0]


def test_a_trust_file_that_is_none(doctor, sim, tmp_path):
    code, checks = doctor({**sim.env, "SSL_CERT_FILE": str(tmp_path / "none.pem")})
    assert code == 5 and "none.pem: No such file" in checks["trust"]["detail"]
    (tmp_path / "empty.pem").write_text("nothing\n")
    code, checks = doctor({**sim.env, "SSL_CERT_FILE": str(tmp_path / "empty.pem")})
    assert code == 5 and "no certificate" in checks["trust"]["detail"]


def test_a_proxy_is_shown_without_its_password(run_weir):
    result = run_weir("doctor", "--sim",
                      env={"HTTPS_PROXY": f"http://me:{SECRET}@proxy.example:3128"})
    assert result.returncode == 0 and "proxy.example:3128" in result.stdout
    assert SECRET not in result.stdout + result.stderr


class Other(http.server.BaseHTTPRequestHandler):
    """A tenant that differs: fewer scopes, limits in headers, no Date."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, value):
        body = json.dumps(value).encode()
        self.send_response_only(200)
        for name, text in {"Content-Length": len(body), "Content-Type": "application/json",
                           "X-RateLimit-Limit": 50, "RateLimit-Remaining": 49}.items():
            self.send_header(name, str(text))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self):  # noqa: N802
        self.answer({})

    def do_GET(self):  # noqa: N802
        self.answer({"filters": [], "next_cursor": None})

    def do_POST(self):  # noqa: N802
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer({"access_token": "tok-of-the-other", "token_type": "Bearer",
                     "expires_in": 90, "scope": "event-processing:read more"})


@pytest.fixture
def other():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_what_the_answers_tell(doctor, run_weir, other):
    env = {"CXONE_TENANT": "t", "CXONE_CLIENT_ID": "c", "CXONE_CLIENT_SECRET": SECRET,
           "CXONE_BASE_URL": other, "CXONE_TOKEN_URL": other + "/token"}
    code, checks = doctor(env)
    assert code == 0
    assert "good for 90 s" in checks["token"]["detail"]
    assert checks["scopes"]["status"] == "warn"
    assert checks["scopes"]["detail"] == "not granted: event-processing:write analytics:read"
    assert checks["rate_limit"]["detail"] == "ratelimit-remaining: 49; x-ratelimit-limit: 50"
    assert checks["clock"] == {"name": "clock", "status": "skip",
                               "detail": "the server sends no Date"}
    traced = run_weir("doctor", "--trace", env=env)
    assert "tok-of-the-other" not in traced.stdout + traced.stderr
    assert SECRET not in traced.stdout + traced.stderr and "/token" in traced.stderr


def test_a_server_that_echoes_the_secret(doctor, run_weir, sim):
    sim.fault("status", call="token", method="POST", status=400, count=10,
              message=f"not {SECRET}\x1b[2J")
    code, checks = doctor(sim.env)
    assert code == 5 and failed(checks) == ["token"] and "not " in checks["token"]["detail"]
    text = run_weir("doctor", env=sim.env)
    assert text.returncode == 5 and SECRET not in text.stdout and "\x1b" not in text.stdout


def test_usage(run_weir):
    assert run_weir("doctor", "now").returncode == 64
    assert run_weir("doctor", "--timeout", "0").returncode == 64

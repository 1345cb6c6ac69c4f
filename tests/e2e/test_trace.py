"""--trace and :trace: every request and its answer, without secrets."""

import json
import http.server
import threading

import pytest


@pytest.fixture
def echo():
    """A server that sends back what it was sent, and more secrets."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            said = json.dumps({
                "access_token": "token-of-the-answer", "expires_in": 600,
                "token_type": "Bearer", "api_key": "key-of-the-answer",
                "seen": body.decode(), "headers": dict(self.headers.items()),
                "control": "\x1b[2J",
            }).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Set-Cookie", "session=cookie-of-the-answer")
            self.send_header("X-Api-Key", "header-of-the-answer")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = do_PUT = answer

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


SECRETS = ["token-of-the-answer", "key-of-the-answer", "cookie-of-the-answer",
           "header-of-the-answer", "the-client-secret", "password-in-a-form", "\x1b[2J"]


def test_run_shows_requests_and_answers(run_weir, script):
    path = script("local t = cxone.connect() for _ in t.filters:list() do end")
    result = run_weir("run", "--sim", "--trace", path)
    assert result.returncode == 0 and result.stdout == ""
    assert "→ POST http://127.0.0.1:" in result.stderr
    assert "→ GET http://127.0.0.1:" in result.stderr
    assert "← 200" in result.stderr and "first byte" in result.stderr
    assert "Authorization: Bearer [redacted]" in result.stderr
    assert "sim-client-secret" not in result.stderr


def test_without_it_nothing_is_shown(run_weir, script):
    path = script("local t = cxone.connect() for _ in t.filters:list() do end")
    assert "→" not in run_weir("run", "--sim", path).stderr


def test_attempts_and_failures_are_shown(run_weir, script):
    path = script("""
        local t = cxone.connect { retry = { base = 0.01, attempts = 2 } }
        weir.sim.fault { kind = "status", status = 503, call = "list" }
        for _ in t.filters:list() do end
        weir.http.get("http://127.0.0.1:1/")
        pcall(weir.task.timeout, 0.2, function()
          weir.sim.fault { kind = "slow", seconds = 60, call = "list" }
          for _ in t.filters:list() do end
        end)
    """)
    err = run_weir("run", "--sim", "--trace", path).stderr
    assert "← 503" in err and "(attempt 2)" in err
    assert "✗ GET http://127.0.0.1:1/" in err
    assert "given up" in err


def test_no_secret_of_a_server_that_sends_them_back(run_weir, echo):
    result = run_weir("repl", "--trace", env={
        "CXONE_TENANT": "acme", "CXONE_CLIENT_ID": "id", "CXONE_BASE_URL": echo,
        "CXONE_CLIENT_SECRET": "the-client-secret", "CXONE_TOKEN_URL": echo + "/token"},
        input=f"""
weir.http.post("{echo}/login", {{ form = {{ user = "u", password = "password-in-a-form" }} }}).status
tenant.filters:get("x").seen
weir.http.get("{echo}/?client_secret=the-client-secret").status
""")
    assert result.returncode == 0, result.stderr
    assert result.stdout == '200\n""\n200\n'
    for secret in SECRETS:
        assert secret not in result.stdout + result.stderr, secret
    assert result.stderr.count("→") >= 4
    assert "password=[redacted]" in result.stderr


def test_json_lines_stay_objects(run_weir, script):
    path = script("local t = cxone.connect() for _ in t.filters:list() do end")
    result = run_weir("run", "--sim", "--trace", "--log-format", "json", path)
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert any("→ GET" in line["message"] for line in lines)


def test_the_session_switches_it(run_weir):
    result = run_weir("repl", "--sim", input="""\
:trace on
tenant.filters:list()
:trace off
tenant.filters:list()
:trace maybe
""")
    assert result.stderr.count("→ GET") == 1
    assert ":trace: takes on or off" in result.stderr and result.returncode == 1

"""weir.http and weir.log from outside: the bytes that reach a server, and the
lines that reach stderr."""

import json
import socketserver
import threading

import pytest


class Recorder(socketserver.StreamRequestHandler):
    """Keeps each request's bytes and answers with a JSON document."""

    def handle(self):
        while True:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                line = self.rfile.readline()
                if not line:
                    return
                head += line
            length = 0
            for line in head.split(b"\r\n"):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            self.server.requests.append((head.decode(), self.rfile.read(length)))
            body = b'{"big": 9007199254740993, "list": []}'
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\n"
                b"Content-Length: %d\r\n\r\n%b" % (len(body), body))


@pytest.fixture
def recorder():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Recorder) as server:
        server.daemon_threads = True
        server.requests = []
        server.url = "http://127.0.0.1:%d" % server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_what_goes_over_the_wire(run_weir, script, recorder):
    path = script("""
        local http = require "weir.http"
        local url = ...
        http.get(url .. "/a/../b", {
          query = { z = 1, a = { "x y", true, 2.5 }, ["é"] = "/" },
          headers = { ["X-B"] = 7, ["X-A"] = { "1", "2" } },
        })
        http.post(url, { json = { b = { 1, 2.0 }, a = "é" } })
        http.post(url, { form = { b = "x&y", a = "1 2" } })
        http.put(url, { body = "a\\0b", headers = { ["Content-Type"] = "x/y" } })
        http.post(url, { json = 1, headers = { ["content-type"] = "a/b" } })
    """)
    done = run_weir("run", path, recorder.url)
    assert done.returncode == 0, done.stderr
    get, posted, form, put, typed = recorder.requests
    lines = get[0].split("\r\n")
    assert lines[0] == "GET /a/../b?a=x%20y&a=true&a=2.5&z=1&%C3%A9=%2F HTTP/1.1"
    assert lines[-5:-2] == ["X-A: 1", "X-A: 2", "X-B: 7"]
    assert posted[1] == '{"a":"é","b":[1,2.0]}'.encode()
    assert "\r\nContent-Type: application/json\r\n" in posted[0]
    assert form[1] == b"a=1%202&b=x%26y"
    assert "\r\nContent-Type: application/x-www-form-urlencoded\r\n" in form[0]
    assert put[1] == b"a\0b"
    assert put[0].startswith("PUT / ") and "\r\nContent-Type: x/y\r\n" in put[0]
    assert typed[0].lower().count("content-type") == 1
    assert all("Expect" not in head for head, _ in recorder.requests)


def test_the_response(run_weir, script, recorder):
    path = script("""
        local http = require "weir.http"
        local r = http.get((...))
        local value = r:json()
        print(r.status, r.headers["X-A"], value.big, #value.list, r.url)
    """)
    done = run_weir("run", path, recorder.url)
    assert done.stdout.split() == ["200", "1,", "2", "9007199254740993", "0",
                                   recorder.url]


def test_the_environment_sends_nothing_elsewhere(run_weir, script, recorder):
    path = script("""
        local _, e = require "weir.http".get("http://127.0.0.1:1/")
        print(e.code)
    """)
    done = run_weir("run", path, env={"http_proxy": recorder.url,
                                      "ALL_PROXY": recorder.url,
                                      "HTTPS_PROXY": recorder.url})
    assert done.stdout == "transport\n"
    assert recorder.requests == []


def test_log_lines(run_weir, script):
    path = script("""
        local log = require "weir.log"
        log.secret("hunter22")
        log.debug("not shown")
        log.info("one\\ntwo hunter22", { id = "flt_1", list = { 1, "hunter22" } })
        log.warn("aWQ6aHVudGVyMjI= a\\0b")
    """)
    done = run_weir("run", "--log-format", "json", path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    info, warn = [json.loads(line) for line in done.stderr.splitlines()]
    assert info["level"] == "info" and warn["level"] == "warn"
    assert info["message"] == "one\ntwo [redacted]"
    assert info["fields"] == {"id": "flt_1", "list": [1, "[redacted]"]}
    assert info["time"].endswith("Z") and len(info["time"]) == 24
    assert warn["message"].endswith("[redacted] a\0b")
    assert "hunter" not in done.stderr and "aHVudGVy" not in done.stderr
    assert run_weir("run", path).stderr.count("\n") == 2

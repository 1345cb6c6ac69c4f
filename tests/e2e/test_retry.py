"""Retries, pauses and deadlines, as a server sees them."""

import re
import signal
import threading
import time

import pexpect
import pytest

from wire import CLOSE, RESET, answer, wire  # noqa: F401

CLIENT = """
local client = require "weir.client"
local task = require "weir.task"
local url = ...
local c = client.new { base_url = url, limit = false, retry = { base = 0.001 } }
local function each(n, fn)
  local list = {}
  for i = 1, n do list[i] = i end
  return task.map(list, { limit = 64 }, fn)
end
"""


@pytest.fixture
def run(run_weir, script):
    """run(lua, server or URL) → CompletedProcess."""

    def call(text, server, **over):
        path = script(CLIENT + text)
        return run_weir("run", path, getattr(server, "url", server), **over)

    return call


# An outage ---------------------------------------------------------------------


OUTAGES = {
    "refused": (None, 10000),
    "closed": (CLOSE, 1000),
    "reset": (RESET, 1000),
    "cut short": ((b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", CLOSE), 1000),
    "500": (answer(500), 10000),
    "503": (answer(503, Retry_After="0"), 10000),
}


@pytest.mark.parametrize("outage", OUTAGES)
def test_an_outage_is_not_stormed(run, wire, outage):
    """Ten thousand calls (fewer where each costs the server a connection), 64
    at a time, are a hundred requests more at most."""
    says, calls = OUTAGES[outage]
    server = wire(says or CLOSE)
    if says is None:
        server.close()
    done = run(f"""
        local failed = 0
        each({calls}, function()
          if not c:get "/x" then failed = failed + 1 end
        end)
        local stats = c:stats()
        print(failed, stats.requests, stats.retries)
        print(select(2, c:get "/x"))
    """, server, timeout=300)
    assert done.returncode == 0, done.stderr
    figures, last = done.stdout.splitlines()
    failed, sent, retries = map(int, figures.split())
    assert failed == calls
    assert sent == calls + retries and 3 <= retries <= 100
    assert "its retry budget is empty" in last
    if says is not None:
        assert len(server.requests) == sent + 1


def test_no_call_is_starved_in_ordinary_trouble(run, wire):
    """Every third call meets one failure of some kind, 64 at a time."""
    troubles = [CLOSE, RESET, answer(503), answer(500), answer(429, Retry_After="0")]
    met, lock = set(), threading.Lock()

    def says(request):
        number = int(request.path.rsplit("/", 1)[1])
        with lock:
            first = number not in met
            met.add(number)
        if first and number % 3 == 0:
            return troubles[number // 3 % len(troubles)]
        return answer(200)

    server = wire(says)
    done = run("""
        each(3000, function(i) assert(c:get("/call/" .. i)) end)
        print(c:stats().rate_limited)
    """, server, timeout=300)
    assert done.stdout == "200\n", done.stderr
    assert len(server.requests) == 4000


# A pause -----------------------------------------------------------------------


def test_a_429_holds_every_call_and_every_token(run, wire):
    """Eight calls are under way when one of them is answered 429. What the
    others go on to, and the token that has become stale, wait it out."""
    under_way = threading.Barrier(8)
    told, pause, lock = threading.Event(), {}, threading.Lock()

    def says(request):
        if request.path == "/token":
            return answer(200, b'{"access_token": "a-token", "expires_in": 1}')
        if request.path == "/told":
            told.set()
            return answer(200)
        if request.path.startswith("/first") and not pause:
            if under_way.wait(timeout=30) == 0:
                with lock:
                    pause["began"] = len(server.requests)
                    pause["ends"] = time.monotonic() + 1.99  # ours are whole ms
                return answer(429, Retry_After="2")
            told.wait(timeout=30)
        return answer(200)

    server = wire(says)
    done = run("""
        local auth = require "weir.auth".client_credentials {
          token_url = url .. "/token", client_id = "id", client_secret = "the-secret",
        }
        c = client.new { base_url = url, auth = auth, limit = false }
        -- Says so to the server as soon as the pause has begun.
        local teller = task.spawn(function()
          while c:stats().rate_limited == 0 do task.sleep(0.001) end
          assert(require "weir.http".get(url .. "/told"))
        end)
        each(8, function(i)
          assert(c:get("/first/" .. i))
          assert(c:get("/second/" .. i))
        end)
        teller:join()
        print(c:stats().requests, auth:fetches())
    """, server)
    assert done.returncode == 0, done.stderr
    early = [r.path for r in server.requests[pause["began"]:] if r.arrived < pause["ends"]]
    assert early == ["/told"]
    requests, fetches = map(int, done.stdout.split())
    assert requests == 17 and fetches >= 2


RETRY_AFTER = {
    "seconds": ("1",),
    "the longest of two": ("0", "1"),
    "the one that can be read": ("soon", "1"),
    "a date by the server's clock": ("Sun, 06 Nov 1994 08:49:38 GMT",),
    "RFC 850": ("Sunday, 06-Nov-94 08:49:38 GMT",),
    "asctime": ("Sun Nov  6 08:49:38 1994",),
}


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("given", RETRY_AFTER)
def test_retry_after_is_waited_out(run, wire, status, given):
    def says(request):
        if len(server.requests) > 1:
            return answer(200)
        return answer(status, Retry_After=list(RETRY_AFTER[given]),
                      Date="Sun, 06 Nov 1994 08:49:37 GMT")

    server = wire(says)
    done = run('assert(c:get "/x")', server)
    assert done.returncode == 0, done.stderr
    first, second = server.requests
    assert second.arrived - first.arrived >= 0.99  # ours are whole ms


@pytest.mark.parametrize("value", [
    "0", "-5", "1.5", "abc", "+3", "0x10", "12abc", "", "Sun, 06 Nov 1994 08:49:30 GMT"])
def test_what_asks_for_no_wait_gets_ours(run, wire, value):
    def says(request):
        return answer(503, Retry_After=value, Date="Sun, 06 Nov 1994 08:49:37 GMT")

    server = wire(says)
    done = run('print(select(2, c:get "/x").attempts)', server)
    assert done.stdout == "4\n"
    assert len(server.requests) == 4


@pytest.mark.parametrize("status, code", [(429, 6), (503, 1)])
def test_longer_than_the_cap_gives_up_with_the_figure(run, wire, status, code):
    server = wire(answer(status, Retry_After="3600"))
    done = run('local r, e = c:get "/x" error(e, 0)', server)
    assert done.returncode == code
    assert "the server asks to wait 3600.0 s, more than the 20.0 s" in done.stderr
    assert len(server.requests) == 1


# A deadline --------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_the_deadline_does_not_allow_is_not_begun(run, wire, status):
    server = wire(answer(status, Retry_After="19"))
    done = run("""
        local r, e = c:get("/x", { timeout = 18 })
        error(e, 0)
    """, server, timeout=17)
    assert done.returncode == 6
    assert re.search(r"; waiting 19\.0 s more, as the server asks, would pass the "
                     r"deadline of the call \(1\d\.\d of 18\.0 s left\)", done.stderr)
    assert len(server.requests) == 1


def test_a_deadline_ends_the_wait_in_a_pause_of_others(run, wire):
    server = wire(answer(429, Retry_After="19"))
    done = run("""
        local other = task.spawn(function() return c:get "/other" end)
        while c:stats().rate_limited == 0 do task.sleep(0.001) end
        local r, e = c:get("/x", { timeout = 0.5 })
        other:cancel()
        error(e, 0)
    """, server, timeout=17)
    assert done.returncode == 6
    assert re.search(r"not done within 0\.5 s \(timeout\), while the client was paused after a 429 "
                     r"\(1\d\.\d s more\)", done.stderr)
    assert [r.path for r in server.requests] == ["/other"]


# The end of a wait ---------------------------------------------------------------


WAITS = {
    "backoff": (answer(503, Retry_After="19"), r"503 from the server: again in 1\d\.\d s "
                r"\(attempt 2 of 4\)"),
    "pause": (answer(429, Retry_After="19"), r"429 from the server: again in 1\d\.\d s "
              r"\(attempt 2 of 4\)"),
}


@pytest.mark.parametrize("wait", WAITS)
def test_a_wait_is_shown_and_ends_with_ctrl_c(weir, clean_env, script, wire, wait):
    says, line = WAITS[wait]
    server = wire(says)
    path = script(CLIENT + 'c:get "/x"')
    child = pexpect.spawn(weir, ["run", str(path), server.url], env=clean_env,
                          timeout=17, encoding="utf-8")
    child.expect(line)
    child.sendintr()
    child.expect("interrupted")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert len(server.requests) == 1


@pytest.mark.parametrize("wait", WAITS)
def test_a_signal_ends_a_wait_without_a_terminal(start_weir, script, wire, wait):
    says, _ = WAITS[wait]
    server = wire(says)
    process = start_weir("run", script(CLIENT + 'c:get "/x"'), server.url)
    assert "from the server: again in 1" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=17)
    assert process.returncode == 130


@pytest.mark.parametrize("wait", WAITS)
def test_a_wait_ends_with_its_task(run, wire, wait):
    says, _ = WAITS[wait]
    server = wire(says)
    done = run("""
        local waiting = task.spawn(function() return c:get "/x" end)
        local behind = task.spawn(function()
          while c:stats().requests == 0 do task.sleep(0.001) end
          return c:get "/behind"
        end)
        local ok, e = pcall(task.timeout, 0.3, function() waiting:join() end)
        print(e.code)
        waiting:cancel()
        behind:cancel()
        print(pcall(waiting.join, waiting))
    """, server, timeout=17)
    assert done.returncode == 0, done.stderr
    code, cancelled = done.stdout.splitlines()
    assert code == "timeout" and cancelled.startswith("false\tcancelled")

"""Servers, home folders and environments that mean harm, seen from outside:
what is sent, to whom, how often, and how much of what comes back is taken."""

import gzip
import os

import pytest

from wire import CLOSE, answer, wire  # noqa: F401


# How much is taken ------------------------------------------------------------


@pytest.mark.parametrize("layers", [1, 2])
def test_a_bomb_is_counted_by_what_it_becomes(run_weir, wire, layers):
    """200 KB that inflate to 200 MB: the process stays small."""
    bomb = b"\0" * (200 << 20)
    for _ in range(layers):
        bomb = gzip.compress(bomb, 9)
    coding = ", ".join(["gzip"] * layers)
    server = wire(answer(200, bomb, Content_Encoding=coding))
    result = run_weir("run", "-", server.url, timeout=120, input="""
        local _, e = require "weir.http".get((...))
        print(e.code, e.message)
        local status <close> = assert(io.open("/proc/self/status"))
        print(status:read("a"):match("VmHWM:%s+(%d+)"))
    """)
    said, peak = result.stdout.splitlines()
    assert said.startswith("limit\tthe answer from 127.0.0.1:")
    assert "16777216 bytes (max_bytes)" in said
    # 16 MiB of body while its buffer grows, and the program itself.
    if not any(name.endswith("SAN_OPTIONS") for name in os.environ):
        assert int(peak) < 80_000


@pytest.mark.parametrize("call", [
    'http.post(url, { json = big })',
    'http.post(url, { form = big })',
    'client:post("/", { json = big })',
])
def test_what_was_sent_is_not_held_until_the_next_collection(run_weir, wire, call):
    """A hundred texts of 1 MB, of which a few are there at any time."""
    server = wire(answer(200))
    result = run_weir("run", "-", server.url, input=f"""
        local http, url = require "weir.http", ...
        local client = require "weir.client".new {{ base_url = url, limit = false }}
        local big = {{ text = ("x"):rep(1000000) }}
        collectgarbage "stop"
        for _ = 1, 100 do assert({call}) end
        local status <close> = assert(io.open("/proc/self/status"))
        print(status:read("a"):match("VmHWM:%s+(%d+)"))
    """)
    assert len(server.requests) == 100, result.stderr
    # A sanitizer keeps what was freed for a while.
    if not os.environ.get("SANITIZE"):
        assert int(result.stdout) < 60_000


@pytest.mark.parametrize("option", ["form", "query"])
def test_more_than_any_server_takes_is_refused_by_its_name(run_weir, option):
    result = run_weir("run", "-", input=f"""
        require "weir.http".post("http://127.0.0.1:1", {{
          {option} = {{ text = ("x"):rep(2 << 20) }} }})
    """)
    assert result.returncode == 1
    assert f"http.post: '{option}' is over 1048576 bytes" in result.stderr


TENANT = """
    local url = ...
    local cxone = require "cxone"
    local tenant = cxone.connect {
      tenant = "t", base_url = url, token = "a-token-of-ours",
      retry = { attempts = 1 },
    }
    local definition = {
      name = "n", description = "d", channel = "voice",
      matchers = { { attribute = "a", operator = "equals", value = 1 } },
      pattern_rules = {}, target_group_id = "grp_1",
    }
"""


def test_a_body_that_ends_with_the_connection_must_be_whole(run_weir, wire):
    """Cut short, it looks to libcurl like any other."""
    server = wire((b'HTTP/1.1 200 OK\r\n\r\n{"id": "flt_1", "name": "n', CLOSE))
    result = run_weir("run", "-", server.url, input=TENANT + """
        local ok, e = pcall(tenant.filters.get, tenant.filters, "flt_1")
        print(ok, e.code)
        ok, e = pcall(tenant.filters.create, tenant.filters, definition)
        print(ok, e.code)
    """)
    assert result.stdout == "false\tsyntax\nfalse\tambiguous\n", result.stderr
    assert [r.method for r in server.requests] == ["GET", "POST"]


# How often something is sent ---------------------------------------------------


def test_a_create_under_which_the_connection_dies_is_sent_once(run_weir, wire):
    """The kept connection of the read dies under the create, as it does when
    a proxy has closed it meanwhile; and so does a new one."""
    server = wire(lambda request: answer(200, b'{"id": "flt_1"}')
                  if request.method == "GET" else CLOSE)
    result = run_weir("run", "-", server.url, input=TENANT + """
        tenant.filters:get("flt_1")
        local ok, e = pcall(tenant.filters.create, tenant.filters, definition)
        print(ok, e.code, e)
    """)
    assert result.stdout.startswith("false\tambiguous\t"), result.stderr
    assert "closed the connection without an answer" in result.stdout
    assert [r.method for r in server.requests] == ["GET", "POST"]
    assert server.connections == 2


# Where something is sent --------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_header_follows_a_redirect_to_another_port(run_weir, wire, status,
                                                      method):
    other = wire(answer(200, b"theirs"))
    server = wire(answer(status, b"", Location=other.url + "/next"))
    result = run_weir("run", "-", server.url, method, input="""
        local url, method = ...
        local response = require "weir.http".request {
          url = url, method = method, body = method == "POST" and "x" or nil,
          headers = { ["X-Api-Key"] = "key", Authorization = "Bearer token" },
        }
        print(response.status, response.body)
    """)
    assert result.stdout == f"{status}\t\n", result.stderr
    assert (len(server.requests), other.connections) == (1, 0)


@pytest.mark.parametrize("location", [
    "file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x",
    "dict://127.0.0.1/x", "//127.0.0.1.nip.example/x",
])
def test_a_redirect_to_another_protocol_is_not_followed(run_weir, wire, location):
    server = wire(answer(302, b"", Location=location))
    result = run_weir("run", "-", server.url, input="""
        local response = require "weir.http".get((...))
        print(response.status, response.headers.location)
    """)
    assert result.stdout == f"302\t{location}\n", result.stderr


def test_nothing_of_the_home_folder_plays_a_part(run_weir, wire, tmp_path):
    proxy = wire(answer(200, b"by way of the proxy"))
    server = wire(answer(200, b"direct"))
    login = f"machine 127.0.0.1 login thief password thief-secret\n" \
            f"default login thief password thief-secret\n"
    for name in (".netrc", "_netrc"):
        (tmp_path / name).write_text(login)
    (tmp_path / ".netrc").chmod(0o600)
    for name in (".curlrc", "_curlrc"):
        (tmp_path / name).write_text(
            f'proxy = "{proxy.url}"\nuser = "thief:thief-secret"\n'
            'header = "X-Thief: 1"\ninsecure\n')
    everywhere = {name: proxy.url for name in (
        "http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY",
        "ALL_PROXY", "ftp_proxy", "CURL_PROXY")}
    result = run_weir("run", "-", server.url, cwd=tmp_path, input="""
        print(require "weir.http".get((...)).body)
    """, env={**everywhere, "HOME": str(tmp_path), "NETRC": str(tmp_path / ".netrc"),
              "CURL_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)})
    assert result.stdout == "direct\n", result.stderr
    assert proxy.connections == 0
    request = server.requests[0].raw.lower()
    assert b"authorization" not in request
    assert b"thief" not in request


def test_a_proxy_is_asked_for_other_hosts_and_never_for_this_one(run_weir, wire):
    proxy = wire(answer(502, b""))
    path = ("""
        for _, url in ipairs { "https://api.example.com/a", "https://127.0.0.1:1/",
                               "https://localhost:1/", "https://[::1]:1/",
                               "https://inside.example/" } do
          local _, e = require "weir.http".get(url, {
            headers = { Authorization = "Bearer not-for-the-proxy" },
            connect_timeout = 2,
          })
          print(e.code)
        end
    """)
    result = run_weir("run", "-", input=path, env={
        "HTTPS_PROXY": proxy.url, "NO_PROXY": "inside.example"})
    assert result.stdout == "transport\n" * 5, result.stderr
    assert [(r.method, r.path) for r in proxy.requests] == [
        ("CONNECT", "api.example.com:443")]
    assert b"not-for-the-proxy" not in proxy.requests[0].raw


def test_the_log_names_proxy_and_trust(run_weir):
    result = run_weir("run", "--log-level", "debug", "-", input="", env={
        "https_proxy": "http://user:pw-secret@proxy.example:3128",
        "NO_PROXY": ".internal", "SSL_CERT_FILE": "/etc/ours.pem"})
    line = next(line for line in result.stderr.splitlines() if "proxy" in line)
    assert "debug" in line
    assert "proxy.example:3128" in line
    assert ".internal" in line
    assert "/etc/ours.pem" in line
    assert "pw-secret" not in result.stderr
    assert "proxy" not in run_weir("run", "-", input="").stderr


# What goes into a request -------------------------------------------------------


def test_no_text_of_a_script_becomes_another_header_or_path(run_weir, wire):
    server = wire(answer(200))
    result = run_weir("run", "-", server.url, input=TENANT + r"""
        local http = require "weir.http"
        local bad = { "\r\nX-Evil: 1", "\nX-Evil: 1", "\rX", "a\0b", "\x7f" }
        for _, text in ipairs(bad) do
          print(pcall(http.get, url, { headers = { ["If-Match"] = "1" .. text } }))
          print(pcall(http.get, url, { headers = { ["X" .. text] = "1" } }))
          print(pcall(http.get, url .. "/a" .. text))
          print(pcall(http.get, url:gsub("http", "http" .. text, 1)))
          print(pcall(http.request, { url = url, method = "GET" .. text }))
          print(pcall(tenant.client.get, tenant.client, "/a" .. text))
        end
        io.stderr:write("-- ", url, "\n")
        for _, id in ipairs { "a/b", "a?b", "a#b", "a%b", "a b", "é", "a\r\nb",
                              "a\0b", "..x", "a%2Fb", ";=&+" } do
          tenant.filters:get(id)
        end
    """)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == 30
    for line in lines:
        assert line.startswith("false\t"), line
    targets = [r.path.rsplit("/", 1) for r in server.requests]
    assert {base for base, _ in targets} == {"/api/v2/event-processing/filters"}
    assert [name for _, name in targets] == [
        "a%2Fb", "a%3Fb", "a%23b", "a%25b", "a%20b", "%C3%A9", "a%0D%0Ab",
        "a%00b", "..x", "a%252Fb", "%3B%3D%26%2B"]
    assert all(b"X-Evil" not in r.raw for r in server.requests)

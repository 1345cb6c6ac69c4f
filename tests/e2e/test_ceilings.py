"""Ceilings: what a server can send without end, and the error that names the
option which stopped it, its value, and how to raise it."""

import gzip
import socketserver
import threading
import time

import pytest

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


class Server(socketserver.StreamRequestHandler):
    """Answers /KIND as KIND says; a client that has had enough hangs up."""

    def handle(self):
        self.connection.settimeout(60)
        try:
            while self.answer():
                pass
        except OSError:
            pass

    def answer(self):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline()
            if not line:
                return False
            head += line
        path = head.split(b" ")[1].decode()
        self.server.seen.append(path)
        return getattr(self, path.split("/")[1].split("?")[0])(path)

    def send(self, data):
        self.wfile.write(data)

    def whole(self, body, *headers):
        self.send(b"\r\n".join([HEAD.rstrip(), *headers,
                                b"Content-Length: %d" % len(body), b"", body]))
        return True

    def bomb(self, path):
        return self.whole(gzip.compress(b'"' + b"0" * (16 << 20) + b'"'),
                          b"Content-Encoding: gzip")

    def endless(self, path):
        self.send(CHUNKED)
        while True:
            self.send(b"1000\r\n" + b"x" * 4096 + b"\r\n")

    def drip(self, path):
        self.send(HEAD + b"Content-Length: 100000\r\n\r\n")
        while True:
            self.send(b"x")
            time.sleep(0.02)

    def stall(self, path):
        self.send(HEAD + b"Content-Length: 10\r\n\r\nhalf")
        return self.silent(path)

    def silent(self, path):
        return bool(self.rfile.readline())

    def lines(self, path):
        return self.whole(b"{}", *(b"X-%d: %d" % (i, i) for i in range(10000)))

    def huge(self, path):
        return self.whole(b"{}", b"X-Huge: " + b"h" * 90000)

    def endlessheader(self, path):
        self.send(HEAD)
        while True:
            self.send(b"X-A: " + b"b" * 1000 + b"\r\n")

    def loop(self, path):
        n = int(path.split("/")[2])
        self.send(b"HTTP/1.1 302 Found\r\nLocation: /loop/%d\r\n"
                  b"Content-Length: 0\r\n\r\n" % (n + 1))
        return True

    def far(self, path):
        n = int(path.split("/")[2])
        if n == 0:
            return self.whole(b"there")
        self.send(b"HTTP/1.1 302 Found\r\nLocation: /far/%d\r\n"
                  b"Content-Length: 0\r\n\r\n" % (n - 1))
        return True

    def pages(self, path):
        n = len(self.server.seen)
        return self.whole(b'{"items": [1, 2, 3], "next_cursor": "c%d"}' % n)

    def deep(self, path):
        return self.whole(b'{"a": ' * 100 + b"1" + b"}" * 100)

    def nodes(self, path):
        return self.whole(b'{"items": [' + b"0," * 2000000 + b"0]}")

    def token(self, path):
        return self.silent(path)


@pytest.fixture
def server():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Server) as it:
        it.daemon_threads = True
        it.seen = []
        it.url = "http://127.0.0.1:%d" % it.server_address[1]
        threading.Thread(target=it.serve_forever, daemon=True).start()
        yield it
        it.shutdown()


# What is asked for, the option that stops it, a value that does, the code, and
# what its message says beside them; then a value that lets it pass, if any.
CASES = [
    ("bomb", "max_bytes", 1000000, "limit", "larger than 1000000 bytes", 1 << 30),
    ("endless", "max_bytes", 100000, "limit", "larger than 100000 bytes", None),
    ("lines", "max_headers", 500, "limit", "more than 500 lines of headers", 20000),
    ("huge", "max_header_bytes", 70000, "limit", "more than 70000 bytes of headers", 99000),
    ("endlessheader", "max_header_bytes", 5000, "limit", "more than 5000 bytes of headers", None),
    ("loop/0", "max_redirects", 7, "limit", "redirects more than 7 times", None),
    ("far/5", "max_redirects", 4, "limit", "redirects more than 4 times", 5),
    ("silent", "first_byte_timeout", 0.2, "timeout", "no answer from", None),
    ("stall", "stall_timeout", 0.2, "timeout", "no further byte of the answer", None),
    ("drip", "min_speed", 500, "timeout", "less than 500 bytes a second", None),
]


def asking(how, server, kind, options):
    given = ", ".join(f"{k} = {v}" for k, v in options.items())
    if how == "http":
        return f'http.get("{server.url}/{kind}", {{ {given} }})'
    if how == "client":
        return (f'client.new {{ base_url = "{server.url}", retry = {{ attempts = 1 }}, {given} }}'
                f':get("/{kind}")')
    return (f'cxone.connect {{ tenant = "a", token = "t0ken", base_url = "{server.url}", '
            f'retry = {{ attempts = 1 }}, {given} }}.client:get("/{kind}")')


SHOW = """
local http, client, cxone = require "weir.http", require "weir.client", require "cxone"
local response, e = %s
if response then return print("passed", response.status, #response.body) end
print(e.code)
print(e.message)
print(e.hint)
"""


@pytest.fixture
def ask(run_weir, script, server):
    """ask(lua) → the lines that SHOW prints of what it gives."""

    def call(lua):
        done = run_weir("run", script(SHOW % lua))
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return call


@pytest.mark.parametrize("how", ["http", "client", "cxone"])
@pytest.mark.parametrize("kind, option, value, code, says, enough", CASES,
                         ids=[f"{c[0].split('/')[0]}-{c[1]}" for c in CASES])
def test_a_ceiling_names_itself(ask, server, how, kind, option, value, code, says, enough):
    options = {option: value}
    if option == "min_speed":
        options["stall_timeout"] = 1.5
    if option == "max_headers":
        options["max_header_bytes"] = 1000000
    lines = ask(asking(how, server, kind, options))
    assert lines[0] == code, lines
    assert says in lines[1] and f"({option})" in lines[1] and str(value) in lines[1], lines
    assert ("lower" if option == "min_speed" else "raise") + f" {option}" in lines[2], lines
    if enough:
        assert ask(asking(how, server, kind, {**options, option: enough}))[0].startswith("passed")


def test_a_redirect_is_handed_over_where_none_may_be_followed(ask, server):
    lines = ask(f'http.get("{server.url}/far/1", {{ max_redirects = 0 }})')
    assert lines == ["passed\t302\t0"]


def test_a_slow_answer_passes_where_no_speed_is_asked_for(ask, server):
    lines = ask(asking("http", server, "drip", {
        "min_speed": 0, "stall_timeout": 1.5, "timeout": 4}))
    assert lines[0] == "timeout" and "within 4 s (timeout)" in lines[1]
    lines = ask(asking("http", server, "drip", {
        "min_speed": 2, "stall_timeout": 1.5, "timeout": 4}))
    assert "within 4 s (timeout)" in lines[1]


@pytest.mark.parametrize("how, options, says", [
    ("http", {"timeout": 0.3}, "no whole answer from 127.0.0.1:PORT within 0.3 s (timeout)"),
    ("client", {"attempt_timeout": 0.3},
     "no whole answer from 127.0.0.1:PORT within 0.3 s (attempt_timeout)"),
    ("cxone", {"attempt_timeout": 0.3, "timeout": 9},
     "no whole answer from 127.0.0.1:PORT within 0.3 s (attempt_timeout)"),
    ("client", {"timeout": 0.5}, "s (timeout)"),
    ("cxone", {"timeout": 0.5, "attempt_timeout": 9}, "s (timeout)"),
    # Several in one: the one that comes first is told.
    ("http", {"timeout": 5, "first_byte_timeout": 0.2, "stall_timeout": 0.1},
     "within 0.2 s (first_byte_timeout)"),
    ("client", {"attempt_timeout": 0.2, "first_byte_timeout": 5}, "(attempt_timeout)"),
    # And of two at the same time, the one for all of it.
    ("http", {"timeout": 0.2, "first_byte_timeout": 0.2}, "(timeout)"),
])
def test_which_deadline(ask, server, how, options, says):
    lines = ask(asking(how, server, "silent", options))
    assert lines[0] == "timeout"
    assert says.replace("PORT", str(server.server_address[1])) in lines[1], lines


def test_a_connection_that_does_not_come(ask, server):
    """The server takes the connection and never says a word of TLS."""
    url = server.url.replace("http:", "https:")
    lines = ask(f'http.get("{url}/silent", {{ connect_timeout = 0.3 }})')
    assert lines[0] == "timeout"
    assert "no connection to" in lines[1] and "within 0.3 s (connect_timeout)" in lines[1]
    assert "raise connect_timeout" in lines[2]
    lines = ask(f'http.get("{url}/silent", {{ timeout = 0.3 }})')
    assert "no connection to" in lines[1] and "within 0.3 s (timeout)" in lines[1]


def test_a_token_endpoint_that_does_not_answer(run_weir, script, server):
    done = run_weir("run", script(f"""
        local cxone = require "cxone"
        cxone.connect {{
          tenant = "a", client_id = "b", client_secret = "sec-ret", base_url = "{server.url}",
          token_url = "{server.url}/token", attempt_timeout = 0.2, retry = {{ attempts = 1 }},
          timeout = 1.5,
        }}.client:get("/pages")
        local auth = require "weir.auth".client_credentials {{
          token_url = "{server.url}/token", client_id = "b", client_secret = "sec-ret",
          first_byte_timeout = 0.1,
        }}
        print(select(2, auth:token()).message)
    """))
    assert done.returncode == 0, done.stderr
    assert "(first_byte_timeout)" in done.stdout


LISTING = """
local page, client = require "weir.page", require "weir.client"
local c = client.new { base_url = "%s", limit = false %s }
local n = 0
local ok, e = pcall(function()
  for _ in page.each(c, "%s", { items = "items" %s }) do n = n + 1 end
end)
print(n)
print(ok or e.code)
print(ok or e.message)
print(ok or e.hint)
"""


@pytest.mark.parametrize("kind, of_client, of_listing, code, says, n", [
    ("/pages", "", ", max_pages = 10", "limit", "more than 10 pages (max_pages)", 30),
    ("/pages", "", ", max_items = 100", "limit", "more than 100 items (max_items)", 100),
    ("/nodes", ", max_nodes = 100", "", "limit", "more than 100 values in one text (max_nodes)", 0),
    ("/nodes", ", max_bytes = 100", "", "limit", "larger than 100 bytes (max_bytes)", 0),
    ("/deep", ", max_depth = 20", "", "limit", "deeper than 20 levels (max_depth)", 0),
])
def test_listings(run_weir, script, server, kind, of_client, of_listing, code, says, n):
    done = run_weir("run", script(LISTING % (server.url, of_client, kind, of_listing)))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[1] == code and says in lines[2], lines
    assert "raise " + says.split("(")[1].rstrip(")") in lines[3], lines
    assert int(lines[0]) == n


@pytest.mark.parametrize("list", [
    'tenant.filters:list { max_pages = 2 }', 'tenant.audit:entries { max_items = 1 }',
    'tenant.groups:members("g", { max_pages = 1 })',
])
def test_a_tenants_listings_have_them_too(run_weir, script, list):
    done = run_weir("run", "--sim", script(f"""
        local tenant = require "cxone".connect()
        local n = 0
        for _ in {list} do n = n + 1 end
        print(n)
    """))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("call, says", [
    ('json.decode("[1,2,3]", { max_bytes = 6 })', "more than 6 bytes in one text (max_bytes)"),
    ('json.decode("[1,2,3]", { max_nodes = 3 })', "more than 3 values in one text (max_nodes)"),
    ('json.decode("[[[1]]]", { max_depth = 2 })', "deeper than 2 levels (max_depth)"),
    ('yaml.decode("[1, 2, 3]", { max_bytes = 6 })', "more than 6 bytes in one text (max_bytes)"),
    ('yaml.decode("[1, 2, 3]", { max_nodes = 3 })', "more than 3 values in one text (max_nodes)"),
    ('yaml.decode("[[[1]]]", { max_depth = 2 })', "deeper than 2 levels (max_depth)"),
    ('yaml.decode("[&a [1, 1], *a, *a]", { max_expansions = 3 })',
     "more than 3 values (max_expansions)"),
    ('http.get("URL/nodes"):json { max_nodes = 3 }', "more than 3 values in one text (max_nodes)"),
    ('http.get("URL/deep"):json { max_depth = 9 }', "deeper than 9 levels (max_depth)"),
])
def test_texts(ask, server, call, says):
    call = call.replace("URL", server.url)
    lines = ask(f'(function() local json, yaml = require "weir.json", require "weir.yaml" '
                f'return {call} end)()')
    assert lines[0] == "limit" and says in lines[1], lines
    assert "raise " + says.split("(")[1].rstrip(")") in lines[2], lines


@pytest.mark.parametrize("text", ["[" * 100000, '{"a":' * 100000, "- " * 100000],
                         ids=["arrays", "objects", "sequences"])
def test_nesting_without_end(run_weir, tmp_path, script, text):
    (tmp_path / "text").write_text(text)
    done = run_weir("run", script("""
        local weir = require "weir"
        local file <close> = io.open(...)
        local text = file:read "a"
        for _, e in ipairs { select(2, weir.json.decode(text)), select(2, weir.yaml.decode(text)) } do
          print(e.code, e.message)
        end
    """), tmp_path / "text")
    assert done.returncode == 0, done.stderr
    assert "(max_depth)" in done.stdout

"""Secrets are in nothing that weir writes. A server of the test's own sends
them back in every place it can; everything that weir wrote is then searched
for them in all their forms, and for their beginnings where a text was cut."""

import base64
import fcntl
import json
import os
import pty
import re
import resource
import select
import signal
import socketserver
import struct
import subprocess
import termios
import threading
import time
import urllib.parse

import pytest

CLIENT_SECRET = 'Zq8#"/\\ &~+%41=k-\u00e9>?s-client-00112233'
KEY_SECRET = "Wj5'<$/ %2F+key~secret-44556677-\u00fc-8899"
TOKEN = 'eyTok.Ab"/\\~+%41=-0123456789-abcdefghij'
NUMBER = "9182736450918273"  # a secret that is a number in JSON
SECRETS = [CLIENT_SECRET, KEY_SECRET, TOKEN, NUMBER]
CLIENT_ID = "client-of:tests"


# What is looked for ----------------------------------------------------------


def form_encoded(text):
    return urllib.parse.quote_plus(text, safe="")


def base64_inside(data):
    """The digits that are the same whatever stands before and behind."""
    found = set()
    for before in range(3):
        digits = base64.b64encode(b"\0" * before + data).decode().rstrip("=")
        inner = digits[(before * 8 + 5) // 6:][:len(data) * 8 // 6 - 1]
        found.update({inner, inner.replace("+", "-").replace("/", "_")})
    return found


def plain_forms(secret):
    percent = urllib.parse.quote(secret, safe="")
    escaped = json.dumps(secret)[1:-1]
    plain = json.dumps(secret, ensure_ascii=False)[1:-1]
    return {
        secret, percent, re.sub("%..", lambda m: m[0].lower(), percent), form_encoded(secret),
        urllib.parse.quote(percent, safe=""), escaped, plain,
        json.dumps(escaped)[1:-1], json.dumps(plain, ensure_ascii=False)[1:-1],
        plain.replace("/", "\\/"), urllib.parse.quote(escaped, safe=""),
        "".join("%%%02x" % b for b in secret.encode()),
    }


def to_encode(secret):
    """Of these, what may be in base64: RFC 6749 has it form-encoded first."""
    percent = urllib.parse.quote(secret, safe="")
    return [secret, percent, form_encoded(secret), json.dumps(secret)[1:-1]]


def forms(secret):
    """What is looked for."""
    return plain_forms(secret).union(
        *(base64_inside(text.encode()) for text in to_encode(secret)))


def spellings(secret):
    """What the server sends."""
    out = plain_forms(secret)
    for text in to_encode(secret):
        for before in ["", "a", "id:"]:
            digits = base64.b64encode((before + text).encode()).decode()
            out |= {digits, digits.rstrip("=").replace("+", "-").replace("/", "_")}
    return out


def beginnings(secret):
    """What a cut in the middle would leave: 8 bytes are no accident."""
    return {form[:8] for form in forms(secret)} | {form[:12] for form in forms(secret)}


FORMS = {form for secret in SECRETS for form in forms(secret)}
BEGINNINGS = {b for secret in SECRETS for b in beginnings(secret) if len(b) >= 8}


def assert_clean(text, where, but=frozenset()):
    for form in (FORMS | BEGINNINGS) - but:
        at = text.find(form)
        assert at < 0, f"{where}: {form!r} in …{text[max(0, at - 200):at + 200]!r}"


def test_the_search_finds_what_it_looks_for():
    for secret in SECRETS:
        pair = f"{form_encoded(CLIENT_ID)}:{form_encoded(secret)}"
        for text in [
            f"x{secret}y", f"a={form_encoded(secret)}&b=1", json.dumps({"a": secret}),
            json.dumps(json.dumps({"a": secret})), f"bad {secret[:10]}…",
            base64.b64encode(pair.encode()).decode(),
            base64.urlsafe_b64encode(f"x{secret}y".encode()).decode(),
            urllib.parse.quote(urllib.parse.quote(secret)),
        ]:
            with pytest.raises(AssertionError):
                assert_clean(text, "here")


# The server ------------------------------------------------------------------

EVERY_FORM = " | ".join(sorted(set().union(*map(spellings, SECRETS))))


def answer(status, body=b"", headers=(), reason="Said"):
    if not isinstance(body, bytes):
        body = json.dumps(body, ensure_ascii=False).encode()
    lines = [f"HTTP/1.1 {status} {reason}"] + [f"{k}: {v}" for k, v in headers]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


class Echo(socketserver.StreamRequestHandler):
    """Answers /KIND/PAD by what KIND says; PAD bytes stand before a secret."""

    def handle(self):
        self.connection.settimeout(30)
        while True:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                line = self.rfile.readline()
                if not line:
                    return
                head += line
            method, path, _ = head.split(b"\r\n")[0].decode().split(" ")
            headers = {}
            for line in head.split(b"\r\n")[1:-2]:
                name, value = line.decode("latin1").split(":", 1)
                headers[name.lower()] = value.strip()
            body = self.rfile.read(int(headers.get("content-length", 0)))
            reply = self.reply(method, path, headers, body.decode())
            self.server.seen.append(path)
            self.wfile.write(reply)
            if b"Content-Length" not in reply:
                return

    def reply(self, method, path, headers, body):
        url = urllib.parse.urlsplit(path)
        parts = url.path.strip("/").split("/")
        kind = parts[0]
        pad = "x" * int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else ""
        given = headers.get("authorization", "none")
        said = f"{pad}{CLIENT_SECRET}|{KEY_SECRET}|{TOKEN}|{given}|{body}|{EVERY_FORM}"
        # Cut where a spelling ends: what the server itself cut off is no secret.
        whole = said[:3000].rpartition(" | ")[0]
        echo = [("X-Request-Id", whole), ("X-Echo", whole)]
        if kind == "token":
            return self.token(parts[1], said, echo)
        if kind == "message":
            return answer(400, {"message": said, "errors": [
                {"path": "/" + CLIENT_SECRET, "message": said, CLIENT_SECRET: TOKEN},
                {"path": "/x", "message": NUMBER, "value": int(NUMBER)}]}, echo)
        if kind == "reason":
            return answer(500, said.encode(), echo, reason=said[:2000])
        if kind == "teapot":
            return answer(418, {"title": said}, echo)
        if kind == "later":
            return answer(503, {"detail": said}, [*echo, ("Retry-After", said[:900])])
        if kind == "cut":
            return answer(404, {"message": pad + CLIENT_SECRET + TOKEN})
        if kind == "cuttoken":
            return answer(404, {"message": pad + TOKEN + "."},
                          [("X-Request-Id", "r" * (len(pad) % 96) + TOKEN)])
        if kind == "nojson":
            return answer(200, f'{{"a": 1, {pad}{CLIENT_SECRET}: "{TOKEN}"}}'.encode(), echo)
        if kind == "badvalue":
            return answer(200, f'{{"a": {TOKEN}}}'.encode(), echo)
        if kind == "twice":
            key = json.dumps(TOKEN)
            return answer(200, f'{{{key}: 1, {key}: 2}}'.encode(), echo)
        if kind == "type":
            return answer(200, {"items": said, "status": {"a": said}, "next_cursor": [said]}, echo)
        if kind == "circle":
            return answer(200, {"items": [], "next_cursor": pad + TOKEN})
        if kind == "status":
            return answer(200, {"status": "FAILED", "reason": said}, echo)
        if kind == "pending":
            return answer(200, {"status": f"PENDING {TOKEN}", "reason": said}, echo)
        if kind == "redirect":
            return answer(302, b"", [("Location", "http://127.0.0.1:1/" +
                                      urllib.parse.quote(TOKEN, safe=""))])
        if kind == "loop":
            return answer(302, b"", [("Location", "/loop/" + urllib.parse.quote(TOKEN, safe=""))])
        if kind == "badheader":
            return (f"HTTP/1.1 200 OK\r\n{TOKEN} {TOKEN}\r\n\r\n").encode()
        if kind == "badstatus":
            return f"HTTP/1.1 {TOKEN} OK\r\n\r\n".encode()
        if kind == "nothttp":
            return f"{TOKEN} {TOKEN}\r\n\r\n".encode()
        if kind == "badchunk":
            return ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                    f"{TOKEN}\r\n{TOKEN}\r\n").encode()
        if kind == "badlength":
            return f"HTTP/1.1 200 OK\r\nContent-Length: {TOKEN}\r\n\r\n".encode().replace(
                b"Content-Length", b"content-length")
        if kind == "badgzip":
            return answer(200, TOKEN.encode() * 4, [("Content-Encoding", "gzip")])
        if kind == "weak":
            return answer(200, {"a": 1}, [("ETag", f'W/"{TOKEN}"')])
        if kind == "conflict":
            if method == "GET":
                return answer(200, {"a": CLIENT_SECRET, TOKEN: TOKEN, "n": int(NUMBER),
                                    "l": [f"{pad}{CLIENT_SECRET}"]}, [("ETag", '"e2"')])
            return answer(412, {"message": said}, echo)
        return answer(200, {"items": []})

    def token(self, mode, said, echo):
        if mode == "good":
            return answer(200, {"access_token": TOKEN, "token_type": "Bearer",
                                "expires_in": 3600})
        if mode == "refused":
            return answer(401, {"error": "invalid_client", "error_description": said}, echo)
        if mode == "word":
            return answer(400, {"error": said}, echo, reason=said[:2000])
        if mode == "type":
            return answer(200, {"access_token": TOKEN, "token_type": said, "expires_in": 60})
        if mode == "life":
            return answer(200, {"access_token": TOKEN, "expires_in": said})
        if mode == "nojson":
            return answer(200, f'{{"access_token": "{CLIENT_SECRET}" {said}'.encode())
        return answer(200, said.encode(), echo)


@pytest.fixture
def echo():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        server.seen = []
        server.url = "http://127.0.0.1:%d" % server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


# What drives it --------------------------------------------------------------

# Everything the script prints is an err's own field, so all of it is weir's.
PRELUDE = """
local weir = require "weir"
local client, etag, http, json, page = weir.client, weir.etag, weir.http, weir.json, weir.page
local url, folder = ...
local function read(name)
  local file <close> = assert(io.open(folder .. "/" .. name))
  return file:read "a"
end
local client_secret, token, number = read "client_secret", read "token", read "number"
weir.log.secret(number)
local shown = 0
local function show(ok, e)
  assert(not ok, "it should have failed")
  if type(e) ~= "table" then return print("raised", e) end
  shown = shown + 1
  print(tostring(e))
  for _, key in ipairs { "code", "message", "hint", "method", "url", "request_id" } do
    if e[key] then print(key, e[key]) end
  end
  for _, key in ipairs { "detail", "errors", "conflicts" } do
    if e[key] then
      local text = json.encode(e[key])
      print(key, text, json.encode { inner = text }, json.encode { json.encode { text } })
    end
  end
  weir.log.error("failed: " .. tostring(e), { err = tostring(e), detail = e.detail })
  weir.log.debug("again", { text = json.encode { json.encode { tostring(e) } } })
  if e.cause then show(false, e.cause) end
end
local function fails(value, e)
  assert(value == nil or value == false, "it should have failed")
  show(false, e)
end
"""

CALLS = """
local cxone = require "cxone"
local tenant = cxone.connect { retry = { attempts = 1 } }
local c = tenant.client
for _, kind in ipairs { "message", "reason", "teapot", "later", "redirect", "badheader",
    "badstatus", "nothttp", "badchunk", "badlength", "badgzip" } do
  if kind ~= "redirect" then print(kind) end
  for _, pad in ipairs { 0, 40, 300, 700 } do
    local path = ("/%s/%d"):format(kind, pad)
    fails(c:get(path))
    fails(c:post(path, { json = { a = client_secret }, headers = { ["X-A"] = "b" } }))
    fails(c:put(path .. "/a", { json = token, if_match = '"e"' }))
  end
end
-- Cuts at every place of a secret.
for pad = 320, 400 do
  fails(c:get(("/cut/%d"):format(pad)))
  fails(c:get(("/cuttoken/%d"):format(pad)))
end
for _, kind in ipairs { "nojson", "badvalue", "twice", "type", "circle" } do
  for pad = 0, 60, 3 do
    show(pcall(function()
      for _ in page.each(c, ("/%s/%d"):format(kind, pad), { items = "items" }) do end
    end))
  end
end
for _, kind in ipairs { "nojson", "badvalue", "twice" } do
  fails(etag.update(c, "/" .. kind, { a = 1 }))
  local response = assert(http.get(url .. "/" .. kind))
  fails(response:json())
end
fails(etag.update(c, "/weak/1", { a = 2 }))
fails(etag.update(c, "/conflict/0", {
  a = token, [token] = 2, n = 2, l = { client_secret, "c" },
}, { base = { a = "base", [token] = 1, n = 1, l = { "b" } }, etag = '"e1"' }))
for _, kind in ipairs { "status", "pending", "type", "nojson" } do
  show(pcall(function()
    local ok, e = weir.poll.wait({ client = c, look = ("/%s/30"):format(kind),
      what = "wait for " .. token, done = { "ACTIVE" }, failed = { "FAILED" },
      timeout = 0.05, interval = 0.02 })
    if not ok then error(e, 0) end
  end))
end
fails(http.get(url .. "/loop/1"))
fails(http.get(url .. "/badchunk/9", { query = { secret = token }, headers = { Authorization = token } }))
assert(http.get(url .. "/message/0").status == 400)
print(shown)
"""

TOKENS = """
weir.log.secret(token)
local mode_url = url .. "/token/"
local secret = require "weir.secret"
for _, mode in ipairs { "refused", "word", "type", "life", "nojson", "text" } do
  for _, kind in ipairs { "client_credentials", "access_key" } do
    local a = weir.auth[kind] {
      token_url = mode_url .. mode .. "/0", client_id = "client-of:tests",
      client_secret = secret.find "CXONE_CLIENT_SECRET",
      access_key_id = kind == "access_key" and "key-id" or nil,
      access_key_secret = kind == "access_key" and secret.find "CXONE_ACCESS_KEY_SECRET" or nil,
    }
    fails(a:token())
    print(tostring(a))
    fails(client.new { base_url = url, auth = a, retry = { attempts = 1 } }:get "/x")
  end
end
"""

MISTAKES = """
fails(json.decode('{"a": ' .. token .. "}"))
fails(json.decode('{"' .. ("x"):rep(30) .. '": 1} ' .. token))
fails(weir.yaml.decode("a: [" .. token .. ": " .. "\\n- b: !!" .. number))
fails(weir.yaml.decode(number .. ": 1\\n" .. number .. ": 2"))
fails(weir.yaml.decode("a: *a" .. number))
fails(weir.regex.compile("(" .. client_secret))
fails(weir.regex.compile("(?P<" .. number .. ">a)"))
local function raises(fn, ...) show(pcall(fn, ...)) end
raises(http.get, url, { [token] = 1 })
raises(http.get, "http://" .. token .. "@127.0.0.1/")
raises(http.get, "nonsense://" .. number)
raises(http.get, "http://" .. number .. ":x/")
raises(http.get, "http://a." .. number .. ".example/")
raises(http.request, { url = url, method = number })
raises(http.get, url, { headers = { [token] = "x" } })
raises(http.get, url, { headers = { ["X-A"] = token .. "\\n" } })
raises(client.new, { base_url = "ftp://" .. number })
raises(weir.log.info, "x", { [token] = print })
raises(weir.log.level, token)
raises(weir.auth.bearer, token .. " with a space")
raises(weir.task.spawn, token)
raises(function() return weir[number] end)
raises(weir.err.new, { code = "x", message = "y", [token] = 1 })
print(weir.err.new { code = "x", message = token, hint = client_secret })
raises(require "cxone".connect, { [token] = 1 })
raises(require "cxone".connect, { tenant = "a", base_url = "http://" .. number .. ".example/" })
local filter = require "weir.filter"
raises(filter.new, { name = client_secret, channel = token, [number] = 1,
  matchers = { { attribute = token, operator = number, value = { [token] = client_secret } } },
  pattern_rules = { { type = "regex", field = token, pattern = "(" .. client_secret } } })
for i = 100, 180 do
  raises(filter.new, { name = "a", channel = "voice", [("k"):rep(i) .. client_secret] = 1 })
end
"""


@pytest.fixture
def run(weir, clean_env, script, tmp_path, echo):
    """run(lua, *options, env=…) runs PRELUDE and `lua` with everything that
    may leak put before it; all that was written must be clean."""
    for name, value in [("client_secret", CLIENT_SECRET), ("token", TOKEN), ("number", NUMBER)]:
        (tmp_path / name).write_text(value)

    def call(text, *options, env=None, code=0):
        path = script(PRELUDE + text, "s.lua")
        done = subprocess.run(
            [weir, "run", *options, str(path), echo.url, str(tmp_path)], timeout=110,
            capture_output=True, stdin=subprocess.DEVNULL, env={
                **clean_env, "CXONE_TENANT": "acme", "CXONE_CLIENT_ID": CLIENT_ID,
                "CXONE_CLIENT_SECRET": CLIENT_SECRET, "CXONE_BASE_URL": echo.url,
                "CXONE_ACCESS_KEY_SECRET": KEY_SECRET,
                "CXONE_ACCESS_KEY_ID": "key-id",
                "CXONE_TOKEN_URL": echo.url + "/token/good/0", **(env or {})})
        out, err = done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
        assert done.returncode == code, out[-2000:] + err[-4000:]
        assert_clean(out, "stdout")
        assert_clean(err, "stderr")
        return out, err

    return call


FORMATS = [["--log-level", "debug"], ["--log-level", "debug", "--log-format", "json"]]


@pytest.mark.parametrize("options", FORMATS, ids=["text", "json"])
def test_calls(run, options, echo):
    out, err = run(CALLS, *options)
    assert int(out.splitlines()[-1]) > 300
    assert "[redacted]" in out and "[redacted]" in err
    # Every kind was really asked for.
    for kind in ["message", "reason", "cut", "circle", "conflict", "loop", "pending"]:
        assert any(path.startswith(f"/{kind}") for path in echo.seen), kind


@pytest.mark.parametrize("options", FORMATS, ids=["text", "json"])
def test_tokens(run, options):
    out, _ = run(TOKENS, *options)
    assert "[redacted]" in out


@pytest.mark.parametrize("options", FORMATS, ids=["text", "json"])
def test_mistakes(run, options):
    # The token endpoint is asked for nothing here: the token is told first.
    out, _ = run("require 'weir.log'.secret(token)\nlocal s = weir.secret\n" + MISTAKES, *options)
    assert "[redacted]" in out


@pytest.mark.parametrize("options", [[], ["--traceback"], ["--log-format", "json"],
                                     ["--color", "always"]])
@pytest.mark.parametrize("end", [
    "error(token)", "error('x' .. client_secret)", "error { token }", "error(setmetatable({}, "
    "{ __tostring = function() return client_secret end }))",
    "weir.task.spawn(error, token)", "assert(nil, token)", "local t = {} ; t[nil] = token",
    "require 'cxone'.connect { retry = { attempts = 1 } }.client:get('/message/0')\n"
    "error(select(2, require 'cxone'.connect().client:get('/message/370')))",
    "error('here') -- " + "y" * 90 + TOKEN,
])
def test_reports(run, options, end):
    _, err = run("weir.log.secret(token)\n" + end, *options, code=4 if "client:get" in end else 1)
    assert "weir" in err or "level" in err


def test_what_a_script_logs_by_mistake(run):
    _, err = run("""
      weir.log.secret(token)
      for pad = 0, 40 do
        local s = ("p"):rep(pad)
        weir.log.info(s .. client_secret, { [token] = s .. token, n = number,
          deep = { { client_secret }, json.encode { json.encode { a = client_secret } } } })
      end
      weir.log.info(("y"):rep(65530) .. token)
      weir.log.info(("y"):rep(65510) .. token, { a = ("z"):rep(1 << 20) .. token })
    """, "--log-level", "debug")
    assert err.count("[redacted]") > 40


# What children see -----------------------------------------------------------


def test_children_and_proc_see_no_secret(run, tmp_path):
    out, _ = run("""
      assert(os.getenv "CXONE_CLIENT_SECRET" == nil)
      assert(os.getenv "CXONE_ACCESS_KEY_SECRET" == nil)
      assert(os.getenv "CXONE_TENANT" == "acme")
      local look = "cat /proc/$PPID/environ /proc/$PPID/cmdline /proc/self/environ "
        .. "/proc/self/cmdline | tr '\\\\0' '\\\\n'; env"
      os.execute("(" .. look .. ") > " .. folder .. "/execute")
      local file <close> = io.popen(look)
      print(file:read "a")
      local s = weir.secret.find "CXONE_CLIENT_SECRET"
      print(s, weir.secret.find "CXONE_ACCESS_KEY_SECRET", weir.secret.find "CXONE_OTHER_SECRET")
      assert(#weir.auth.client_credentials {
        token_url = url .. "/token/good/0", client_id = "a", client_secret = s }:token() > 20)
    """, env={"CXONE_OTHER_SECRET": ""})
    executed = (tmp_path / "execute").read_bytes().decode()
    assert "CXONE_TENANT=acme" in executed and "CXONE_TENANT=acme" in out
    assert "s.lua" in executed
    assert_clean(executed, "a child of os.execute")
    assert "secret CXONE_CLIENT_SECRET\tsecret CXONE_ACCESS_KEY_SECRET\tnil" in out


def test_a_crash_leaves_no_core(weir, clean_env, script, tmp_path):
    path = script("""
      print "ready"
      io.stdout:flush()
      require "weir.task".sleep(60)
    """)

    def any_core():
        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

    process = subprocess.Popen(
        [weir, "run", str(path)], cwd=tmp_path, stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL, preexec_fn=any_core,
        env={**clean_env, "CXONE_CLIENT_SECRET": CLIENT_SECRET})
    assert process.stdout.readline() == b"ready\n"
    limits = open(f"/proc/{process.pid}/limits").read()
    soft = [line for line in limits.splitlines() if "core file" in line][0].split()[4]
    assert soft in ("0", "1")
    process.send_signal(signal.SIGSEGV)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = status
    process.stdout.close()
    assert not os.WCOREDUMP(status)
    assert [p.name for p in tmp_path.iterdir() if "core" in p.name] == []


@pytest.mark.parametrize("options", FORMATS, ids=["text", "json"])
def test_warnings(run, options):
    _, err = run("""
      weir.log.secret(token)
      warn("not said ", token)
      warn("@on")
      warn("one ", token, " two")
      warn(client_secret)
      setmetatable({}, { __gc = function() error(token) end })
      collectgarbage()
      warn("@off")
      warn("not said")
    """, *options)
    assert "one [redacted] two" in err and "not said" not in err
    # At level debug the first line tells of proxy and trust.
    lines = [line for line in err.splitlines() if "proxy:" not in line]
    assert len(lines) == 3
    if "json" in options:
        assert [json.loads(line)["level"] for line in lines] == ["warn"] * 3


def test_a_proxy_whose_url_cannot_be_used(run):
    out, err = run("""
      print(weir.http.get("https://nowhere.example/", { timeout = 5 }))
      print(weir.http.get("https://nowhere.example/", { timeout = 5 }))
    """, env={"HTTPS_PROXY": "nonsense://user:%s@proxy.example:1" % form_encoded(KEY_SECRET)})
    assert "proxy" in out + err


# A terminal ------------------------------------------------------------------


@pytest.mark.parametrize("columns", [20, 43, 200])
def test_the_progress_line(weir, clean_env, script, tmp_path, echo, columns):
    (tmp_path / "token").write_text(TOKEN)
    path = script("""
      local weir = require "weir"
      local url, folder = ...
      local file <close> = io.open(folder .. "/token")
      local token = file:read "a"
      weir.log.secret(token)
      local c = weir.client.new { base_url = url }
      weir.task.spawn(function()
        weir.poll.wait({ client = c, look = "/pending/0", what = ("w"):rep(70) .. token, done = { "ACTIVE" },
          timeout = 2.5, interval = 0.3 }
        )
      end)
      weir.poll.wait({ client = c, look = "/pending/0", what = token .. " and " .. token, done = { "ACTIVE" },
        timeout = 2.5, interval = 0.3 })
    """)
    primary, secondary = pty.openpty()
    fcntl.ioctl(secondary, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [weir, "run", str(path), echo.url, str(tmp_path)], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=secondary, env=clean_env)
    os.close(secondary)
    text = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        ready, _, _ = select.select([primary], [], [], 1)
        if ready:
            try:
                piece = os.read(primary, 65536)
            except OSError:
                break
            if not piece:
                break
            text += piece
    assert process.wait(timeout=30) == 0
    os.close(primary)
    text = text.decode()
    assert "weir: " in text
    assert_clean(text, "the terminal")


# Every command ---------------------------------------------------------------

EVERYWHERE = """
local cxone = require "cxone"
local tenant = cxone.connect { retry = { attempts = 1 } }
for _, path in ipairs { "/message/0", "/reason/0", "/teapot/0", "/nojson/0", "/cut/330" } do
  print(tenant.client:post(path, { json = { secret = os.getenv "ECHOED" } }))
end
weir.log.error("said: " .. tostring(os.getenv "ECHOED"))
error(os.getenv "ECHOED")
"""

TYPED = """
tenant.client:get("/message/0")
os.getenv "ECHOED"
{ a = { os.getenv "ECHOED" }, [os.getenv "ECHOED"] = 1 }
print(os.getenv "ECHOED")
:trace on
tenant.client:get("/reason/0")
:time tenant.client:get("/teapot/0")
:save FOLDER/saved.lua
:nonsense
"""


def test_no_command_shows_a_secret(weir, clean_env, echo, tmp_path):
    """Every command, traced, against the server that sends secrets back; what
    they wrote anywhere is searched."""
    script = tmp_path / "everywhere.lua"
    script.write_text(EVERYWHERE)
    # Somebody wrote the secret into a script, where `check` finds a fault.
    written = tmp_path / "written.lua"
    written.write_text(f"local x = [===[{CLIENT_SECRET}]===] prnt(x, [===[{KEY_SECRET}]===])\n")
    env = {
        **clean_env, "CXONE_BASE_URL": echo.url, "CXONE_TOKEN_URL": echo.url + "/token/good",
        "CXONE_TENANT": "t1", "CXONE_CLIENT_ID": CLIENT_ID, "CXONE_CLIENT_SECRET": CLIENT_SECRET,
        "CXONE_ACCESS_KEY_ID": "key", "CXONE_ACCESS_KEY_SECRET": KEY_SECRET,
        "ECHOED": f"{CLIENT_SECRET} {KEY_SECRET}", "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    commands = [
        (["run", "--trace", "--log-level", "debug", script], None),
        (["run", "--trace", "--log-format", "json", script], None),
        *[(["repl", "--trace"], line.replace("FOLDER", str(tmp_path)) + "\n")
          for line in TYPED.strip().splitlines()],
        (["doctor", "--trace"], None), (["doctor", "--json"], None),
        (["check", written], None), (["check", "--json", written], None),
        (["check", tmp_path / f"{CLIENT_SECRET[:3]}none.lua"], None),
        (["types", "--dir", tmp_path / "types"], None), (["version", "-v"], None),
        (["help"], None), (["help", "--man"], None), (["completion", "bash"], None),
        (["completion", "--complete", "--", "weir", "run", script, ""], None),
    ]
    wrote = []
    for command, typed in commands:
        done = subprocess.run(
            [weir, *map(str, command)], env=env, cwd=tmp_path, input=typed or "",
            capture_output=True, text=True, errors="replace", timeout=120)
        wrote.append((command[0], done.stdout + done.stderr))
    # Nobody tells weir of the number here.
    but = frozenset(forms(NUMBER) | beginnings(NUMBER))
    for name, text in wrote:
        assert_clean(text, name, but)
    # It did drive something: the server was asked, and secrets were hidden.
    assert {"run", "repl", "doctor", "check"} <= {n for n, t in wrote if "[redacted]" in t}
    for path in tmp_path.rglob("*"):
        if path.is_file() and path != written:
            assert_clean(path.read_text(errors="replace"), path, but)

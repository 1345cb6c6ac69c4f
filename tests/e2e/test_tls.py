"""TLS: who is trusted, and what is sent to whom is not.

A server with certificates made here: one authority, one certificate for
127.0.0.1, one for another host, one that has expired.
"""

import socket
import ssl
import subprocess
import threading

import pytest

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def openssl(folder, *args):
    subprocess.run(["openssl", *args], cwd=folder, check=True,
                   capture_output=True, timeout=60)


def certificate(folder, name, host, *options):
    """Makes NAME.pem and NAME.key, signed by the authority."""
    (folder / f"{name}.ext").write_text(f"subjectAltName={host}\n")
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", f"{name}.key", "-out", f"{name}.csr")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem",
            "-CAkey", "ca.key", "-CAcreateserial", "-extfile", f"{name}.ext",
            "-out", f"{name}.pem", *(options or ("-days", "2")))


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("authority")
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem")
    certificate(folder, "good", "IP:127.0.0.1")
    certificate(folder, "other", "DNS:elsewhere.example")
    certificate(folder, "expired", "IP:127.0.0.1", "-days", "-1")
    return folder


class Server:
    """Shakes hands, keeps the bytes of requests, answers each with 200."""

    def __init__(self, context):
        self.context = context
        self.requests = []
        self.versions = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "https://127.0.0.1:%d/" % self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            plain.settimeout(20)
            try:
                with self.context.wrap_socket(plain, server_side=True) as conn:
                    self.versions.append(conn.version())
                    self.answer(conn)
            except OSError:
                plain.close()

    def answer(self, conn):
        request = b""
        while b"\r\n\r\n" not in request:
            data = conn.recv(4096)
            if not data:
                return
            request += data
        self.requests.append(request)
        conn.sendall(ANSWER)


@pytest.fixture
def serve(authority):
    servers = []

    def start(name="good", **settings):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority / f"{name}.pem",
                                authority / f"{name}.key")
        if "ciphers" in settings:
            context.set_ciphers(settings["ciphers"])
        context.minimum_version = settings.get(
            "minimum", ssl.TLSVersion.TLSv1_2)
        context.maximum_version = settings.get(
            "maximum", ssl.TLSVersion.TLSv1_3)
        servers.append(Server(context))
        return servers[-1]

    yield start
    for server in servers:
        server.listener.close()


@pytest.fixture
def ask(run_weir, script):
    """Sends a token to the URL, and says what came of it."""
    path = script("""
        local response, e = require "weir.http".get((...), {
          headers = { Authorization = "Bearer not-for-everybody" },
        })
        if response then
          print(response.status, response.body)
        else
          print(e.code, e.message, e.hint)
        end
    """)

    def run(url, **env):
        result = run_weir("run", path, url, env=env)
        assert result.returncode == 0, result.stderr
        return result.stdout

    return run


def test_an_authority_named_in_ssl_cert_file_is_trusted(serve, ask, authority):
    server = serve()
    assert ask(server.url, SSL_CERT_FILE=str(authority / "ca.pem")) == "200\thi\n"
    assert b"Bearer not-for-everybody" in server.requests[0]
    assert server.versions == ["TLSv1.3"]


def test_an_authority_that_nobody_named_is_not(serve, ask, authority):
    server = serve()
    # What curl itself would read counts for nothing.
    said = ask(server.url, CURL_CA_BUNDLE=str(authority / "ca.pem"),
               SSL_CERT_DIR=str(authority))
    assert said.startswith("transport\tno TLS connection to 127.0.0.1:")
    assert "SSL_CERT_FILE" in said
    assert server.requests == []


def test_a_certificate_of_its_own_making_is_not(serve, ask):
    # The authority's own certificate in place of a server's.
    server = serve("ca")
    assert "no TLS connection" in ask(server.url)
    assert server.requests == []


def test_a_certificate_for_another_host_is_refused(serve, ask, authority):
    server = serve("other")
    said = ask(server.url, SSL_CERT_FILE=str(authority / "ca.pem"))
    assert "no TLS connection to 127.0.0.1:" in said
    assert "127.0.0.1" in said.split("TLS connection to")[1]
    assert server.requests == []


def test_a_certificate_that_has_expired_is_refused(serve, ask, authority):
    server = serve("expired")
    said = ask(server.url, SSL_CERT_FILE=str(authority / "ca.pem"))
    assert "no TLS connection to 127.0.0.1:" in said
    assert "expired" in said
    assert server.requests == []


def test_tls_1_2_is_spoken(serve, ask, authority):
    server = serve(maximum=ssl.TLSVersion.TLSv1_2)
    assert ask(server.url, SSL_CERT_FILE=str(authority / "ca.pem")) == "200\thi\n"
    assert server.versions == ["TLSv1.2"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tls_1_1_is_not(serve, ask, authority):
    server = serve(minimum=ssl.TLSVersion.TLSv1,
                   maximum=ssl.TLSVersion.TLSv1_1,
                   ciphers="DEFAULT:@SECLEVEL=0")
    said = ask(server.url, SSL_CERT_FILE=str(authority / "ca.pem"),
               OPENSSL_CONF="/dev/null")
    assert said.startswith("transport\tno TLS connection to 127.0.0.1:")
    assert server.requests == []
    # The server does speak it, to whoever asks.
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname = False
    old.verify_mode = ssl.CERT_NONE
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    port = int(server.url.rstrip("/").rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
        with old.wrap_socket(plain) as conn:
            assert conn.version() == "TLSv1.1"

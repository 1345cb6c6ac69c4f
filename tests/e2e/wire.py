"""A TCP server that answers as a function says, and keeps what it was sent."""

import socket
import socketserver
import struct
import threading
import time
from dataclasses import dataclass, field

import pytest

# What an answer may be besides bytes.
CLOSE = "an orderly end"
RESET = "a TCP reset"
HANG = "nothing, until the client gives up"


@dataclass
class Request:
    method: str
    path: str
    headers: dict
    body: bytes
    arrived: float  # time.monotonic()
    raw: bytes = field(repr=False, default=b"")


def answer(status, body=b"{}", **headers):
    """An answer's bytes; a header given as a list comes more than once."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
    for name, values in headers.items():
        for value in values if isinstance(values, list) else [values]:
            lines.append(f"{name.replace('_', '-')}: {value}")
    return "\r\n".join([*lines, "", ""]).encode() + body


class Connection(socketserver.StreamRequestHandler):
    def read_request(self):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline()
            if not line:
                return None
            head += line
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length", 0)))
        method, path, _ = first.split(" ")
        return Request(method, path, headers, body, time.monotonic(), head + body)

    def handle(self):
        try:
            while request := self.read_request():
                with self.server.lock:
                    self.server.requests.append(request)
                said = self.server.answer(request)
                for step in said if isinstance(said, tuple) else (said,):
                    if step is HANG:
                        self.rfile.read(1)
                    elif step is RESET:
                        self.request.setsockopt(
                            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    if not isinstance(step, bytes):
                        return
                    self.wfile.write(step)
        except OSError:
            pass  # the client went away


class Wire(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, says):
        super().__init__(("127.0.0.1", 0), Connection)
        self.answer = says if callable(says) else lambda request: says
        self.requests = []
        self.connections = 0
        self.lock = threading.Lock()
        self.url = "http://127.0.0.1:%d" % self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def process_request(self, request, client_address):
        self.connections += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        """As it is in the library, but a reset must not become an end."""
        self.close_request(request)

    def close(self):
        self.shutdown()
        self.server_close()


@pytest.fixture
def wire():
    """wire(answer) → a server; `answer` is bytes, CLOSE, RESET, HANG, a tuple
    of these, or a function of the request that returns one."""
    servers = []

    def start(says):
        servers.append(Wire(says))
        return servers[-1]

    yield start
    for server in servers:
        server.close()

"""`weir sim` as a process, and a small client that knows its URLs.

The fixtures fail a test that leaves the simulator in trouble: an error on its
stderr, or an end with anything but code 0 after SIGTERM.
"""

import functools
import os
import signal
import subprocess
import tempfile

import httpx
import pytest

WEIR = os.environ.get("WEIR", "build/weir")
API = "/api/v2/event-processing"
METRICS = "/api/v2/analytics/event-processing/filter-metrics"
TOKEN = "/as/token.oauth2"
SCOPES = "event-processing:read event-processing:write analytics:read"


def definition(**over):
    """A filter that is valid."""
    return {
        "name": "platinum_voice",
        "description": "as it was made",
        "channel": "voice",
        "matchers": [
            {"attribute": "customer.tier", "operator": "equals", "value": "platinum"},
            {"attribute": "interaction.seconds", "operator": "greater_than", "value": 300},
        ],
        "pattern_rules": [
            {"type": "regex", "field": "agent.skill_id", "pattern": "^skill_premium_.*$"}
        ],
        "target_group_id": "grp_1",
        **over,
    }


class Sim:
    """A running simulator, with a client that has a token."""

    def __init__(self, *args, command=(WEIR, "sim")):
        self.errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(
            [*command, *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        self.url = self.process.stdout.readline().strip()
        if not self.url.startswith("http://127.0.0.1:"):
            raise AssertionError(f"no URL: {self.stop()}")
        self.port = int(self.url.rsplit(":", 1)[1])
        self.anonymous = httpx.Client(base_url=self.url, trust_env=False, timeout=10)
        self.clients = []
        # What a script needs to reach it instead of a tenant.
        self.env = {
            "CXONE_BASE_URL": self.url,
            "CXONE_TOKEN_URL": self.url + TOKEN,
            "CXONE_TENANT": "t1",
            "CXONE_CLIENT_ID": "tester",
            "CXONE_CLIENT_SECRET": "s3cret-of-the-tests",
        }

    @functools.cached_property
    def http(self):
        """A client with a token, which is asked for at the first use."""
        return self.login()

    def stop(self, number=signal.SIGTERM):
        """Ends it; returns exit code, stdout and stderr."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(timeout=30)
        self.errors.seek(0)
        out, err = self.process.stdout.read(), self.errors.read()
        self.process.stdout.close()
        self.errors.close()
        return code, out, err

    def close(self):
        for client in (self.anonymous, *self.clients):
            client.close()

    # -- tokens

    def ask_token(self, **over):
        form = {
            "grant_type": "client_credentials",
            "client_id": "tester",
            "client_secret": "s3cret-of-the-tests",
            "tenant": "t1",
            "scope": SCOPES,
            **over,
        }
        return self.anonymous.post(
            TOKEN, data={k: v for k, v in form.items() if v is not None}
        )

    def login(self, **over):
        """A client with a token of its own; closed after the test."""
        token = self.ask_token(**over).json()["access_token"]
        client = httpx.Client(
            base_url=self.url,
            trust_env=False,
            timeout=10,
            headers={"Authorization": f"Bearer {token}"},
        )
        self.clients.append(client)
        return client

    # -- filters, as the tester

    def create(self, **over):
        answer = self.http.post(f"{API}/filters", json=definition(**over))
        assert answer.status_code == 201, answer.text
        return answer.json()

    def put(self, record, if_match=None, **over):
        return self.http.put(
            f"{API}/filters/{record['id']}",
            json=definition(**over),
            headers={"If-Match": if_match or f'"{record["etag"]}"'},
        )

    # -- the simulator's own handles

    def config(self, **settings):
        answer = self.anonymous.post("/_sim/config", json=settings)
        assert answer.status_code == 200, answer.text

    def fault(self, kind, **keys):
        answer = self.anonymous.post("/_sim/faults", json={"kind": kind, **keys})
        assert answer.status_code == 201, answer.text

    def state(self):
        """What it counts."""
        return self.anonymous.get("/_sim").json()["counters"]

    def clock(self, **change):
        """Moves the clock, or only reads it."""
        answer = (self.anonymous.post("/_sim/clock", json=change) if change
                  else self.anonymous.get("/_sim/clock"))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def log(self):
        return self.anonymous.get("/_sim/log").json()["requests"]


@pytest.fixture
def start_sim():
    """A function that starts simulators; all are ended after the test."""
    started = []

    def start(*args, **keys):
        sim = Sim("--port", "0", *args, **keys)
        started.append(sim)
        return sim

    yield start
    for sim in started:
        sim.close()
        if sim.process.poll() is None:
            code, _, err = sim.stop()
            assert code == 0, err
            assert "simulator:" not in err, err


@pytest.fixture
def sim(start_sim):
    """A simulator with nothing special about it."""
    return start_sim("--quiet")

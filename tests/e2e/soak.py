"""Thousands of deployments under random faults: what is on the server in the
end is what was asked for, each once.

    WEIR=build/weir python3 tests/e2e/soak.py [N [SEED [JOBS]]]

The server's view counts: the simulator runs as a process of its own, goes
wrong in every way it knows with a seeded chance, and is asked afterwards. A
second server stands at another origin, where redirects and proxy variables
lead to: it must not be sent anything at all.
"""

import collections
import json
import os
import re
import subprocess
import sys
import tempfile
import time

from sim_fixture import API, WEIR, Sim
from wire import Wire, answer

HERE = os.path.dirname(__file__)
SECRET = "s3cret-of-the-tests"

# What goes wrong, with its chance for each request. Whatever the kind, a
# deployment can only be late by it.
CHANCES = {
    # The server says no, or does not know.
    "rate:retry_after=0": 0.004,
    "rate:retry_after=1": 0.0002,
    "status:status=503": 0.004,
    "status:status=503,retry_after=0": 0.002,
    "status:status=503,done=true": 0.002,
    "status:status=500": 0.002,
    "status:status=500,done=true": 0.002,
    "status:status=502": 0.002,
    "status:status=502,done=true": 0.002,
    "status:status=504,done=true": 0.002,
    "status:status=524,done=true": 0.001,
    "expired": 0.002,
    # The connection goes, before the work and after it.
    "drop": 0.003,
    "reset": 0.003,
    "reset:done=true": 0.002,
    "reset:done=true,at=after_headers": 0.001,
    "reset:done=true,at=mid_body": 0.001,
    "lost": 0.002,
    "lost:at=after_headers": 0.001,
    "lost:at=mid_body": 0.001,
    "idle_close": 0.01,
    # The answer cannot be used, though the work is done.
    "truncate": 0.002,
    "invalid_json": 0.002,
    "invalid_json:how=html": 0.001,
    "overlong": 0.001,
    "bad_length": 0.001,
    "bad_chunk": 0.001,
    "bad_gzip:how=crc": 0.001,
    "bad_gzip:how=cut": 0.001,
    "close_delimited:cut=true": 0.001,
    "not_http": 0.001,
    "header_flood": 0.0005,
    # It is slow, or strange but right.
    "slow:seconds=0.2": 0.002,
    "stall:seconds=8": 0.0002,
    "drip:seconds=0.0005": 0.0005,
    "etag:how=unquoted": 0.005,
    "etag:how=header": 0.005,
    "etag:how=body": 0.005,
    "header_case:case=lower": 0.005,
    "date:seconds=-86400": 0.005,
    "chunked": 0.005,
    "gzip": 0.005,
    "early": 0.002,
    "empty_page": 0.002,
    "close_delimited": 0.002,
    "content_type": 0.002,
    # Elsewhere.
    "redirect:to=loop": 0.001,
    # And at the place where tokens come from.
    "status:call=token,status=503": 0.1,
    "drop:call=token": 0.05,
    "invalid_json:call=token": 0.05,
}


def faults(elsewhere):
    for spec, chance in CHANCES.items():
        yield f"{spec}{',' if ':' in spec else ':'}p={chance}"
    for status in 302, 307, 308:
        yield json.dumps({"kind": "redirect", "location": f"{elsewhere}/stolen",
                          "status": status, "probability": 0.001})
    yield f"redirect:call=token,location={elsewhere}/token,status=307,p=0.03"


def start_sim(seed, elsewhere):
    args = ["--quiet", "--seed", str(seed), "--token-life", "3",
            "--activation", "looks=1"]
    for spec in faults(elsewhere):
        args += ["--fault", spec]
    return Sim("--port", "0", *args)


def deploy(sim, elsewhere, n, jobs):
    """Runs the script; returns its figures, its stderr and how long it took."""
    env = {
        "PATH": os.environ["PATH"], **sim.env,
        # For loopback no proxy is ever used.
        "HTTP_PROXY": elsewhere, "HTTPS_PROXY": elsewhere, "ALL_PROXY": elsewhere,
        **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")},
    }
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as errors:
        done = subprocess.run(
            [WEIR, "run", os.path.join(HERE, "soak.lua"), str(n), str(jobs)],
            env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=errors, text=True)
        errors.seek(0)
        said = errors.read()
    assert done.returncode == 0, said[-4000:]
    return json.loads(done.stdout), said, time.monotonic() - began


def pages(sim, path, items):
    cursor = ""
    while True:
        page = sim.http.get(path, params={"page_size": 100, "cursor": cursor}).json()
        yield from page[items]
        cursor = page.get("next_cursor")
        if not cursor:
            return


def check(sim, n, did):
    """Asserts on what is there; returns the simulator's counters."""
    sim.anonymous.delete("/_sim/faults")
    counters = sim.state()
    filters = list(pages(sim, f"{API}/filters", "filters"))
    names = collections.Counter(f["name"] for f in filters)
    wanted = [f"soak_{i:06d}" for i in range(1, n + 1)]
    twice = [name for name, times in names.items() if times > 1]
    assert twice == []
    assert set(names) == set(wanted)
    assert len(filters) == n

    for f in filters:
        i = int(f["name"][-6:])
        assert f["status"] == "ACTIVE", f
        assert f["description"] == f"{'updated' if i % 10 == 0 else 'deployed'} by the soak"
        assert f["version"] == (2 if i % 10 == 0 else 1), f
    members = list(pages(sim, f"{API}/filter-groups/grp_soak/filters", "filter_ids"))
    assert sorted(members) == sorted(f["id"] for f in filters)

    # Everything was done as often as it is to be seen, and no more.
    taken_back = counters["creates"] - n - n // 25
    assert taken_back >= 0
    assert counters["deletes"] == n // 25 + taken_back
    assert counters["updates"] == did["updated"] == n // 10
    assert counters["members_added"] == n
    return counters, taken_back


def run(n, seed=1, jobs=32):
    elsewhere = Wire(answer(200))
    try:
        sim = start_sim(seed, elsewhere.url)
        try:
            did, said, seconds = deploy(sim, elsewhere.url, n, jobs)
            counters, taken_back = check(sim, n, did)
        finally:
            sim.close()
            code, _, errors = sim.stop()
        assert code == 0 and "simulator:" not in errors, errors[-2000:]
        assert SECRET not in said and "Bearer" not in said
        assert [r.raw for r in elsewhere.requests] == []
    finally:
        elsewhere.close()
    return {
        "deployments": n + n // 25,
        "seconds": round(seconds, 1),
        "requests": did["client"]["requests"],
        "requests seen by the server": counters["requests"],
        "retries": did["client"]["retries"],
        "answers 429": did["client"]["rate_limited"],
        "tokens": did["tokens"],
        "faults": counters["faults"],
        "kinds of faults": sum(1 for key in counters if key.startswith("faults_")),
        "deployments that needed a further try": did["retried"],
        "ambiguous, and settled": did["ambiguous"],
        "adopted": len(re.findall("is taken for it", said)),
        "taken back": taken_back,
        "judged by the script": did["judged"],
        "errs by code": did["codes"],
    }


def main():
    n, seed, jobs = (int(a) for a in (sys.argv[1:] + ["10000", "1", "32"][len(sys.argv) - 1:]))
    for name, figure in run(n, seed, jobs).items():
        print(f"{name}: {figure}", flush=True)


if __name__ == "__main__":
    main()

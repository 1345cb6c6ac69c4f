#!/usr/bin/env python3
"""Runs scripts while memory runs out, once for every allocation.

    sweep.py --weir build/weir --shim build/tests/torture/shim.so [CASE ...]

Each run lets one allocation fail, or that one and all after it (shim.c), and
must then end in one of two ways: with exit code 0 and the very output of a
run that lacks nothing; or with a failure's exit code, the first lines of that
output, and one message on stderr that names memory. Never with a crash, a
hang, a leak or a race that a sanitizer sees, half a file, or a change that
the server sees twice.

--pick says which allocations: `all`; `stacks` (each stack that allocates at
its first, middle and last time); or a number, so many of them by --seed. `--part
3/20` runs the third of twenty equal shares of `all` or `stacks`, so that a
long sweep can be done in pieces.
"""

import argparse
import array
import collections
import concurrent.futures
import http.client
import json
import os
import pathlib
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PROGRESS = 1000  # runs between two lines that say how far it is
LIMIT = 120  # seconds after which a run counts as hanging

# What fails, and how often in a row. When Lua's allocator fails Lua collects
# garbage and tries again: the first way tests that, the second the error.
ALL_WAYS = {"lua": (1, 2, 0), "rest": (1, 0)}

CASES = {
    # The demo as its README has it, simulator and all in one process.
    "demo": {"threads": "main", "script": "deploy_filter.lua", "sim": "inside",
             "file": "filter_state_export.yaml"},
    # Every module, and a simulator outside that says what was done to it.
    "modules": {"threads": "all", "script": "modules.lua", "sim": "outside",
                "file": "export.yaml"},
    # The other way round: the simulator's thread in want, the client well,
    # which mostly waits to ask again; so more of them at once, and fewer.
    "server": {"threads": "others", "script": "deploy_filter.lua", "sim": "inside",
               "file": "filter_state_export.yaml", "at_once": 12, "share": 8},
}

CHANGES = ("creates", "updates", "deletes", "assignments")
VARYING = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
SANITIZER = re.compile(r"(AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:)")
# Ours, Lua's, and that of the C library, whose words io.open passes on.
NAMED = r".*(out of memory|not enough memory|Cannot allocate memory)"
MEMORY = re.compile(r"^(?:\S+ )*weir(?: [a-z]+)*: " + NAMED, re.M)
# A change whose answer could not be kept is above all one that may be done.
BECAUSE = re.compile(r"^  because: " + NAMED, re.M)


class Fault(Exception):
    """A run that did not end as it must."""


class Simulator:
    """`weir sim`, outside the process under test."""

    def __init__(self, weir, env):
        self.process = subprocess.Popen(
            [weir, "sim", "--port", "0", "--quiet", "--activation", "looks=1"], env=env,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().strip()
        self.env = {
            "CXONE_BASE_URL": self.url,
            "CXONE_TOKEN_URL": self.url + "/as/token.oauth2",
            "CXONE_TENANT": "t1", "CXONE_CLIENT_ID": "torture",
            "CXONE_CLIENT_SECRET": "s3cret-of-the-sweep",
        }

    def ask(self, method, path):
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=30)
        connection.request(method, "/_sim" + path)
        body = connection.getresponse().read()
        connection.close()
        return json.loads(body) if body else None

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.process.stdout.close()


class Room:
    """A folder to run in, one run at a time."""

    def __init__(self, case, options):
        self.case = case
        self.options = options
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="torture-"))
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.path), "LANG": "C.UTF-8"}
        for name, value in os.environ.items():
            if name.endswith("SAN_OPTIONS"):
                self.env[name] = value
        # The shim stands in front of the sanitizer.
        asan = self.env.get("ASAN_OPTIONS", "")
        self.env["ASAN_OPTIONS"] = "verify_asan_link_order=0:" + asan
        self.simulator = None
        if case["sim"] == "outside":
            shutil.copy(HERE / case["script"], self.path)
            self.simulator = Simulator(options.weir, self.env)
        else:
            shutil.copy(ROOT / "examples" / case["script"], self.path)
            self.write_scenario()

    def write_scenario(self):
        """The example's own, but active at the first look: nothing waits."""
        name = self.case["script"].replace(".lua", ".sim.lua")
        text = (ROOT / "examples" / name).read_text()
        text, n = re.subn(r"^return \{", "return {\n  activation = { looks = 0 },", text, flags=re.M)
        assert n == 1, name
        (self.path / name).write_text(text)

    def close(self):
        if self.simulator:
            self.simulator.stop()
        shutil.rmtree(self.path)

    def run(self, at, who, times, trace=None):
        """One run; what came of it as a dictionary."""
        file = self.path / self.case["file"]
        file.unlink(missing_ok=True)
        report = self.path / "report"
        report.unlink(missing_ok=True)
        env = {**self.env, "LD_PRELOAD": self.options.shim, "TORTURE_AT": str(at),
               "TORTURE_TIMES": str(times), "TORTURE_WHO": who,
               "TORTURE_THREADS": self.case["threads"], "TORTURE_REPORT": str(report)}
        if trace:
            env["TORTURE_TRACE"] = str(trace)
        if self.simulator:
            self.simulator.ask("POST", "/reset")
            env.update(self.simulator.env)
        command = [self.options.weir, "run", *(["--sim"] if not self.simulator else []),
                   self.case["script"]]
        start = time.monotonic()
        try:
            done = subprocess.run(command, cwd=self.path, env=env, stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=LIMIT)
            code, out, err = done.returncode, done.stdout, done.stderr
        except subprocess.TimeoutExpired as late:
            code, out, err = None, late.stdout or b"", late.stderr or b""
        counters = self.simulator.ask("GET", "")["counters"] if self.simulator else {}
        text = report.read_text() if report.exists() else ""
        calls = re.search(r"^calls (\d+)", text, re.M)
        return {
            "seconds": time.monotonic() - start,
            "code": code,
            "out": VARYING.sub("T", out.decode("utf-8", "replace")),
            "err": err.decode("utf-8", "replace"),
            "file": VARYING.sub("T", file.read_text()) if file.exists() else None,
            "changes": {name: counters.get(name, 0) for name in CHANGES},
            "calls": int(calls[1]) if calls else None,
            "failed": "failed " in text,
            "spared": "spared " in text,
            "stack": [line for line in text.splitlines() if "[0x" in line],
        }


def judge(case, good, got):
    """Raises Fault unless the run ended as it must."""
    if got["code"] is None:
        raise Fault("hangs")
    if got["code"] < 0:
        raise Fault(f"died of {signal.Signals(-got['code']).name}")
    if SANITIZER.search(got["err"]):
        raise Fault("sanitizer: " + SANITIZER.search(got["err"])[0])
    if "PANIC" in got["err"]:
        raise Fault("Lua panicked")
    if not got["failed"] and got["code"] != 0:
        raise Fault(f"exit code {got['code']} though nothing failed")
    if got["file"] not in (None, good["file"]) and case["threads"] != "others":
        raise Fault("half a file")
    for name, n in got["changes"].items():
        if n > good["changes"][name]:
            raise Fault(f"{n} {name} at the server, not {good['changes'][name]}")
    said = [line for line in got["err"].splitlines() if "weir: " in line]
    if case["threads"] == "others":
        # The client of a server in want has met nothing but bad answers.
        if got["code"] != 0 and not said:
            raise Fault(f"exit code {got['code']} without a word")
        return
    if got["code"] == 0:
        if got["out"] != good["out"]:
            raise Fault("exit code 0, but other output")
        if got["file"] is None:
            raise Fault("exit code 0, but no file")
        return
    if not good["out"].startswith(got["out"]):
        raise Fault("other output before it failed")
    if len(MEMORY.findall(got["err"])) + len(BECAUSE.findall(got["err"])) != 1:
        raise Fault("no message, or more than one, names memory")


def where(got):
    """The failing call's stack, innermost first, without the shim's frames."""
    lines = [line for line in got["stack"] if "/shim.so" not in line]
    return lines[:24]


def symbolized(lines, weir):
    """Names for the frames in weir that are not exported."""
    out = []
    for line in lines:
        m = re.match(r"(.*)\((?:\w*)\+0x([0-9a-f]+)\)", line)
        if m and os.path.basename(m[1]) == os.path.basename(weir) and "(+0x" in line:
            found = subprocess.run(["addr2line", "-fpse", weir, hex(int(m[2], 16) - 1)],
                                   capture_output=True, text=True, check=False).stdout.strip()
            line = "weir: " + found if found else line
        out.append("    " + os.path.basename(line.split(" [")[0].split("[0x")[0])
                   if line.startswith("/") else "    " + line)
    return out


def choose(options, room, who, calls):
    """The allocations to let fail."""
    everything = range(1, calls + 1)
    share = room.case.get("share", 1)
    part, parts = options.part
    if options.pick == "all":
        return list(everything)[::share][part - 1::parts]
    if options.pick == "stacks":
        trace = room.path / "trace"
        room.run(0, who, 1, trace)
        stacks = array.array("Q")
        stacks.frombytes(trace.read_bytes())
        seen = collections.defaultdict(list)
        for n, stack in enumerate(stacks, 1):
            seen[stack].append(n)
        return sorted({n for at in seen.values()
                       for n in (at[0], at[len(at) // 2], at[-1])})[::share][part - 1::parts]
    chosen = random.Random(f"{options.seed} {who}").sample(
        everything, min(max(int(options.pick) // share, 1), calls))
    return sorted(chosen)


def sweep(name, options, log):
    case = CASES[name]
    rooms = queue.Queue()
    jobs = options.jobs * case.get("at_once", 1)
    made = [Room(case, options) for _ in range(jobs)]
    for room in made:
        rooms.put(room)
    faults = collections.Counter()
    try:
        good = made[0].run(0, "rest", 1)
        if good["code"] != 0 or not good["calls"]:
            raise SystemExit(f"sweep: {name} fails by itself:\n{good['err']}")
        judge(case, good, good)
        todo = []
        for who, ways in ALL_WAYS.items():
            calls = made[0].run(0, who, 1)["calls"]
            chosen = choose(options, made[0], who, calls)
            print(f"{name}: {who}: {calls} allocations, {len(chosen)} chosen", flush=True)
            todo += [(at, who, times) for times in ways
                     if options.times is None or times in options.times for at in chosen]
        random.Random(options.seed).shuffle(todo)

        def one(work):
            room = rooms.get()
            try:
                return work, room.run(*work)
            finally:
                rooms.put(room)

        ends = collections.Counter()
        slowest = 0.0
        start = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            for n, (work, got) in enumerate(pool.map(one, todo), 1):
                if n % PROGRESS == 0:
                    print(f"{name}: {n} of {len(todo)} runs, {sum(faults.values())} faults",
                          flush=True)
                slowest = max(slowest, got["seconds"])
                ends["spared" if got["spared"] else
                     "not reached" if not got["failed"] else f"exit {got['code']}"] += 1
                try:
                    judge(case, good, got)
                except Fault as fault:
                    key = (str(fault), tuple(where(got)[:6]))
                    faults[key] += 1
                    if faults[key] == 1:
                        at, who, times = work
                        log.write(f"\n{name}: allocation {at} of {who}, {times or 'all'} in a row"
                                  f": {fault}\n")
                        log.write("\n".join(symbolized(where(got), options.weir)))
                        log.write(f"\n  exit {got['code']}, stderr:\n{got['err'][-3000:]}\n"
                                  f"  stdout ends: {got['out'][-200:]}\n"
                                  f"  changes: {got['changes']}\n")
                        log.flush()
        print(f"{name}: {len(todo)} runs in {time.monotonic() - start:.0f} s, slowest "
              f"{slowest:.1f} s: " + ", ".join(f"{n} {end}" for end, n in sorted(ends.items()))
              + f"; {sum(faults.values())} faults at {len(faults)} places", flush=True)
    finally:
        for room in made:
            room.close()
    return sum(faults.values())


def part_of(text):
    part, parts = (int(n) for n in text.split("/"))
    if not 1 <= part <= parts:
        raise ValueError(text)
    return part, parts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weir", required=True)
    parser.add_argument("--shim", required=True)
    parser.add_argument("--pick", default="stacks")
    parser.add_argument("--part", type=part_of, default=(1, 1), metavar="K/N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--times", type=int, action="append", help="only this way; 0: all on")
    parser.add_argument("--log", default="/dev/stderr", help="where faults are described")
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    options = parser.parse_args()
    options.weir = os.path.abspath(options.weir)
    options.shim = os.path.abspath(options.shim)
    unknown = set(options.cases) - set(CASES)
    if unknown:
        parser.error(f"no case {', '.join(unknown)}; there are {', '.join(CASES)}")
    with open(options.log, "a", encoding="utf-8") as log:
        faults = sum(sweep(name, options, log) for name in options.cases or CASES)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()

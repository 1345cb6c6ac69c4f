"""Every command of the operator's page (examples/ops/README.md) is run, and
prints what the page shows: first the writer's part, which makes the bundle,
then the operator's, against a tenant."""

import json
import pathlib
import re
import shutil
import subprocess

import pytest

from sim_fixture import API, Sim

ROOT = pathlib.Path(__file__).parents[2]
OPS = ROOT / "examples" / "ops"


def blocks(kind):
    """The page's console blocks of that kind, each a list of (command, lines)."""
    text = (OPS / "README.md").read_text()
    for block in re.findall(rf"^```console{kind}\n(.*?)^```$", text, re.M | re.S):
        steps = []
        for line in block.splitlines():
            if line.startswith("$ "):
                steps.append((line[2:], []))
            else:
                steps[-1][1].append(line)
        yield steps


def pattern(expected):
    """A line of "…" stands for any lines, "…" in a line for any text; blanks
    before it for any number of them."""
    parts = []
    for line in expected:
        if line == "…":
            parts.append(r"(?:.*\n)*?")
        else:
            words = [re.sub(r"(\\ )+$", r" +", re.escape(part)) for part in line.split("…")]
            parts.append(".*".join(words) + r"\n")
    return "".join(parts)


class Shell:
    """Runs command lines one after the other, as at a terminal without input."""

    def __init__(self, folder, env):
        self.folder, self.env, self.code = folder, env, 0

    def run(self, command, expected):
        result = subprocess.run(
            ["bash", "-c", f"(exit {self.code}); {command}"], cwd=self.folder, env=self.env,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        self.code = result.returncode
        # As one would see it, but for their order: each is whole.
        shown = result.stdout + result.stderr
        assert result.returncode == 0, f"$ {command}\n{shown}"
        assert re.fullmatch(pattern(expected), shown), \
            f"$ {command}\nwanted:\n" + "\n".join(expected) + "\nshown:\n" + shown


@pytest.fixture
def shell(weir, clean_env, tmp_path):
    """shell(name) → a Shell in a folder and a home of that name; weir is in its
    PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "weir").symlink_to(pathlib.Path(weir).resolve())

    def start(name, **env):
        home, folder = tmp_path / f"home-{name}", tmp_path / name
        home.mkdir()
        folder.mkdir()
        return Shell(folder, {**clean_env, "PATH": f"{programs}:{clean_env['PATH']}",
                              "HOME": str(home), "USER": name, **env})

    return start


@pytest.fixture
def tenant():
    """A tenant with a gold filter that feeds group A and has hits."""
    sim = Sim()
    sim.config(activation={"looks": 0})
    sim.record = sim.create(
        name="gold_voice", target_group_id="grp_premium_a", pattern_rules=[],
        matchers=[{"attribute": "customer.tier", "operator": "equals", "value": "gold"}])
    events = [{"channel": "chat" if i % 4 == 0 else "voice"} for i in range(80)]
    assert sim.anonymous.post("/_sim/events", json=events).status_code < 300
    yield sim
    sim.close()
    assert sim.stop()[0] == 0


def write_bundle(shell):
    writer = shell("writer")
    for path in OPS.glob("*.lua"):
        shutil.copy(path, writer.folder)
    found = [step for block in blocks(" writer") for step in block]
    assert found
    for command, expected in found:
        writer.run(command, expected)
    return writer


def receive(shell, writer, tenant):
    operator = shell("operator", ACME_URL=tenant.url,
                     ACME_TOKEN_URL=tenant.env["CXONE_TOKEN_URL"])
    for name in "rotate_tier.weir", "rotate_tier.weir.minisig", "ops.pub":
        shutil.copy(writer.folder / name, operator.folder)
    secret = pathlib.Path(operator.env["HOME"]) / "acme.secret"
    secret.write_text("s3cret-of-the-tests\n")
    secret.chmod(0o600)
    return operator


def test_every_command_of_the_page(shell, tenant):
    operator = receive(shell, write_bundle(shell), tenant)
    found = [step for block in blocks("") for step in block]
    assert len(found) > 10
    for command, expected in found:
        writes = counted(tenant)
        operator.run(command, expected)
        if "--dry-run" in command:
            assert counted(tenant) == writes
    # There and back; and the count is one of what happens.
    assert counted(tenant) == [1, 2, 0, 2]
    record = tenant.http.get(f"{API}/filters/{tenant.record['id']}").json()
    assert record["target_group_id"] == "grp_premium_a"
    plan = json.loads((operator.folder / "plan.json").read_text())
    assert plan["dry_run"] is True and plan["counts"]["done"] == 0
    assert plan["counts"]["would_send"] > 0
    run = json.loads((operator.folder / "run.json").read_text())
    assert run["counts"]["done"] == 2
    again = json.loads((operator.folder / "again.json").read_text())
    assert again["changes"] == []
    for path in operator.folder.glob("*.json"):
        assert "s3cret-of-the-tests" not in path.read_text()


def counted(tenant):
    """Changes that the tenant has seen."""
    seen = tenant.state()
    return [seen.get(name, 0) for name in ("creates", "updates", "deletes", "assignments")]


def test_a_bundle_that_was_touched_does_not_run(shell, tenant):
    operator = receive(shell, write_bundle(shell), tenant)
    operator.run("weir key trust ops-team ops.pub", ["…"])
    path = operator.folder / "rotate_tier.weir"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    for words in ("verify", "run --sim"):
        result = subprocess.run(
            ["bash", "-c", f"weir bundle {words} rotate_tier.weir gold" if "run" in words
             else f"weir bundle {words} rotate_tier.weir"],
            cwd=operator.folder, env=operator.env, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=60)
        assert result.returncode == 5, result.stderr
        assert result.stdout == "" and "signature" in result.stderr


def test_the_page_has_every_member_of_the_report(run_weir, tmp_path):
    page = (OPS / "README.md").read_text()
    run_weir("run", "--report", tmp_path / "r.json", "-", input="")
    report = json.loads((tmp_path / "r.json").read_text())
    for name in [*report, *report["program"], *report["spent"], "under_way"]:
        assert f"`{name}`" in page, name
    for outcome in report["counts"]:
        assert f"`{outcome}`" in page, outcome

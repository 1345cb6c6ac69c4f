"""What every end-to-end test starts from: the real binary, a clean
environment, scripts in a folder of the test's own."""

import os
import subprocess
import textwrap

import pytest

from bundle_fixture import make_bundle, run_bundle  # noqa: F401
from sandbox_fixture import confined  # noqa: F401
from sim_fixture import sim, start_sim  # noqa: F401
from terminal_fixture import terminal  # noqa: F401


@pytest.fixture(scope="session")
def weir():
    """Path of the binary under test."""
    path = os.environ.get("WEIR")
    assert path, "set WEIR to the binary: make e2e does"
    assert os.access(path, os.X_OK), f"{path} cannot be run"
    return path


@pytest.fixture
def clean_env(tmp_path):
    """An environment in which nothing points at a tenant or a proxy."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "TERM": "xterm",
    }
    # A sanitizer build keeps its settings.
    env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
    return env


@pytest.fixture
def run_weir(weir, clean_env):
    """run_weir(*args, input=, env=, cwd=, timeout=) → CompletedProcess with
    text stdout and stderr; `env` adds to the clean environment."""

    def run(*args, input=None, env=None, cwd=None, timeout=60):
        return subprocess.run(
            [weir, *map(str, args)], input=input, cwd=cwd, timeout=timeout,
            env={**clean_env, **(env or {})}, capture_output=True, text=True,
            stdin=subprocess.DEVNULL if input is None else None)

    return run


@pytest.fixture
def start_weir(weir, clean_env):
    """As run_weir, but returns the running Popen; it is killed in the end."""
    running = []

    def start(*args, env=None, cwd=None, stdin=subprocess.DEVNULL):
        process = subprocess.Popen(
            [weir, *map(str, args)], cwd=cwd, env={**clean_env, **(env or {})},
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True)
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def script(tmp_path):
    """script(text[, name]) writes a Lua file and returns its path."""

    def write(text, name="script.lua"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    return write

"""Confined runs whose processor time the kernel bounds, so that a runaway that
nothing stops fails its test instead of hanging it."""

import resource
import subprocess
import textwrap

import pytest

# Seconds of processor time after which the kernel ends the process: far beyond
# every budget of these tests, and beyond what a sanitizer makes of it.
KERNEL = 40


@pytest.fixture
def confined(weir, clean_env, tmp_path):
    """confined(text, *options, …) → CompletedProcess of a confined script in a
    folder of its own, which is also the current one."""

    def run(text, *options, input=None, env=None, name="script.lua"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))

        def bound():
            resource.setrlimit(resource.RLIMIT_CPU, (KERNEL, KERNEL))

        return subprocess.run(
            [weir, "run", "--sandbox", *options, str(path)], cwd=tmp_path,
            env={**clean_env, **(env or {})}, input=input, text=True,
            capture_output=True, preexec_fn=bound, timeout=240,
            stdin=subprocess.DEVNULL if input is None else None)

    return run

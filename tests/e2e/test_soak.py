"""The soak in a small form; `make soak` runs it in its full one."""

import os

import soak


def test_a_few_hundred_deployments_under_random_faults():
    figures = soak.run(int(os.environ.get("SOAK_N", "300")))
    assert figures["faults"] > 0 and figures["retries"] > 0

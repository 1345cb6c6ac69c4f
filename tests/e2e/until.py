"""Waiting for what another process does."""

import time


def until(condition):
    """Returns when it holds; the bound only ends a hang."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, condition
        time.sleep(0.02)

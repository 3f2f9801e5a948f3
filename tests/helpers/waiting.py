"""Wait for something that another thread or process does."""

import time


def wait_until(condition, seconds=60):
    """Wait for something that another thread or process does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)

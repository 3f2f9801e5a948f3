"""A container: a user without a home."""

import sys

import pytest


@pytest.mark.parametrize(
    ("environment", "restricted"),
    [
        ({"HOME": "~"}, True),
        ({"HOME": "relative"}, True),
        ({"HOME": "/nonexistent"}, False),
        ({"HOME": "~", "XDG_CACHE_HOME": "/nonexistent"}, False),
    ],
    ids=str,
)
@pytest.mark.usefixtures("project")
def test_machine_code_is_cached_in_no_folder_of_the_current_one(
    start, environment, restricted, monkeypatch
):
    """Without a home Numba would make a folder named ~ for it, where the command runs."""
    monkeypatch.delenv("XDG_CACHE_HOME")
    program = (
        "from textclf.cli import app\n"
        "app._prepare_cache()\n"
        "from textclf.jit import numba\n"
        "print(numba.config.CACHE_LOCATOR_CLASSES)"
    )
    running = start(before=(sys.executable, "-c", program), env=environment)
    out, err = running.communicate(timeout=60)
    assert err == b""
    assert bool(out.strip()) is restricted

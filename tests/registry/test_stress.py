"""Many writers and readers at once, each a process of its own (``make test-faults`` has more)."""

import json
import subprocess
import sys

import pytest
from concurrent_client import CHANNELS
from paths import HELPERS


@pytest.fixture
def stress():
    """Return a function that runs so many clients at once, and reports what came of it."""

    def run(**counts):
        options = [f"--{name}={count}" for name, count in counts.items()]
        command = [sys.executable, HELPERS / "stress.py", *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode in (0, 1), done.stderr
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize("writers", [4, pytest.param(20, marks=pytest.mark.faults)])
def test_concurrent_writers_get_distinct_versions_and_one_log(stress, writers):
    """All publish, promote, roll back and append events at once; readers see no torn state.

    They load the latest version all the time: it is never incomplete, and never missing.
    """
    report = stress(writers=writers, rounds=2, readers=2, kills=0)
    assert report["violations"] == []
    assert report["acknowledged"] == report["published"] == report["events"] == 2 * writers
    assert report["promotions"] >= 2 * writers, "each was promoted once at least"
    assert report["left_staged"] == 0
    assert report["aliases"] > 1
    assert report["loads"] > report["aliases"]


@pytest.mark.parametrize(
    ("writers", "kills"), [(3, 3), pytest.param(8, 12, marks=pytest.mark.faults)]
)
def test_killed_writers_lose_no_acknowledged_version(stress, writers, kills):
    """Acknowledged versions survive, the other writers go on, and leftovers are swept."""
    report = stress(writers=writers, rounds=4, readers=1, kills=kills)
    assert report["violations"] == []
    assert report["writers"] == writers + kills
    assert report["killed"] >= kills / 2
    assert report["acknowledged"] >= 4 * (report["writers"] - report["killed"])


@pytest.mark.parametrize(
    ("keepers", "rounds"), [(3, 4), pytest.param(6, 40, marks=pytest.mark.faults)]
)
def test_verify_finds_nothing_wrong_beside_healthy_writers(stress, keepers, rounds):
    """Versions are published, promoted, tagged and pruned meanwhile; verify names none of it.

    At the end there are at most three for each channel: the promoted one, the one before it, and
    the one that a rollback promotes.
    """
    report = stress(writers=0, rounds=rounds, readers=0, kills=0, keepers=keepers, checkers=2)
    assert report["violations"] == []
    assert report["acknowledged"] == keepers * rounds
    assert report["published"] <= 3 * len(CHANNELS) < report["acknowledged"]
    assert report["checks"] > 2

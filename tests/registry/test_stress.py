"""Many writers and readers at once, each a process of its own (``make test-faults`` has more)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def storm():
    """Return a function that lets so many loose, and what came of it."""

    def run(writers, rounds, readers, kills):
        script = Path(__file__).parents[1] / "helpers" / "stress.py"
        command = [sys.executable, script, *map(str, (writers, rounds, readers, kills))]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode in (0, 1), done.stderr
        return json.loads(done.stdout)

    return run


def test_rivals_get_what_they_were_told(storm):
    """Twenty that publish, promote, roll back and note at once: distinct numbers, one log each.

    Readers at their side load what is latest all the time: it is never torn, and never missing.
    """
    report = storm(writers=20, rounds=2, readers=2, kills=0)
    assert report["violations"] == []
    assert report["told"] == report["published"] == report["events"] == 40
    assert report["promotions"] >= 40, "each was promoted once at least"
    assert report["left_staged"] == 0
    assert report["aliases"] > 1
    assert report["loads"] > report["aliases"]


def test_rivals_that_are_killed_take_nothing_with_them(storm):
    """Kills at random among them: what was told is there, the others go on, the rest is swept."""
    report = storm(writers=8, rounds=4, readers=1, kills=12)
    assert report["violations"] == []
    assert report["writers"] == 20
    assert report["killed"] >= 6
    assert report["told"] >= 4 * (report["writers"] - report["killed"])

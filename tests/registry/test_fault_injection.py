"""What is left when the registry dies, is interrupted or has no disk left, at any point.

``make test`` runs one case of each test, ``make test-faults`` all others (marked ``faults``).
"""

import json
import os
import re
import subprocess
import sys

import pytest
from paths import HELPERS

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork: POSIX only")

OPERATIONS = {
    "publish the first": 20,
    "publish the third": 20,
    "train the third": 45,
    "promote back": 20,
    "promote over a foreign file": 25,
    "rollback": 20,
    "promote in a new channel": 10,
    "rollback in a channel": 10,
    "repair": 25,
    "note an event": 8,
    "tag": 10,
    "prune": 20,
    "repair a prune": 15,
    "bring back": 20,
    "push": 25,
    "mirror": 60,
}
"""Each operation, and the least number of file events it surely has."""
WIDEST = ["publish the first", "train the third", "promote over a foreign file", "repair", "prune",
          "mirror"]  # fmt: skip
"""Those that go through all code that writes."""

MAY_FAIL = re.compile(
    r"^os\.(remove|rmdir|rename) .*/\.registry/(staging|holds)/|^os.fsync .*/holds$"
    r"|^open .*/models$"
)
"""Changes that need not succeed: removing what was staged, a hold, which expires, and making a file
without a name, to see whether one can be made: a file with a name is made instead."""


def cases(operations, quick):
    """Parameters of a test, all but the quick one for ``make test-faults`` alone."""
    return [
        pytest.param(operation, marks=[pytest.mark.faults] * (operation != quick))
        for operation in operations
    ]


@pytest.fixture
def strike(tmp_path):
    """Return a function that lets an operation fail everywhere, in a process of its own."""

    def run(operation, fault, store="local"):
        script = HELPERS / "fault_injection.py"
        command = [sys.executable, "-W", "error", script, tmp_path, operation, fault, store]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize("operation", cases(OPERATIONS, "note an event"))
def test_a_kill_at_any_point_loses_nothing(strike, operation):
    """After a kill before any file event or in a write, nothing is torn, and commands work."""
    report = strike(operation, "kill")
    assert report["violations"] == []
    assert report["struck"] == report["events"] >= OPERATIONS[operation]
    assert report["cut_short"] >= 3 or operation == "repair a prune", "which writes nothing"


@pytest.mark.parametrize("operation", cases(["train the third", "note an event"], "note an event"))
def test_a_kill_loses_nothing_where_there_are_no_hard_links(strike, operation):
    """The other way to create a record, for other file systems, loses nothing either."""
    report = strike(operation, "kill", "linkless")
    assert report["violations"] == []
    assert report["struck"] == report["events"] > OPERATIONS[operation]


@pytest.mark.parametrize("operation", cases(WIDEST, "prune"))
def test_ctrl_c_at_any_point_leaves_nothing_half_done(strike, operation):
    """After Ctrl-C at any file event nothing is torn, and the staging folder is empty."""
    report = strike(operation, "interrupt")
    assert report["violations"] == []
    assert report["struck"] == report["unacknowledged"] == report["events"]
    assert report["events"] >= OPERATIONS[operation]


@pytest.mark.parametrize("operation", cases(WIDEST, "prune"))
def test_a_failing_disk_is_an_error_at_any_point(strike, operation):
    """ENOSPC, EIO or EFBIG at any file event, or in a write, is an error and loses nothing."""
    report = strike(operation, "disk")
    assert report["violations"] == []
    assert report["struck"] == report["events"] >= OPERATIONS[operation]
    assert report["cut_short"] >= 3
    assert [event for event in report["ignored"] if not MAY_FAIL.search(event)] == []
    # verify looks again at what seems wrong, so a fault that passes while it only reads is no error
    share = 1 / 4 if operation == "repair" else 1 / 2
    assert report["unacknowledged"] > share * report["events"]


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        pytest.param("publish the third", "kill", marks=pytest.mark.faults),
        pytest.param("publish the third", "interrupt", marks=pytest.mark.faults),
        ("rollback", "disk"),
    ],
)
def test_writing_in_place_is_found_out(strike, operation, fault):
    """The harness detects a store that writes in place."""
    report = strike(operation, fault, "naive")
    assert not any(violation.startswith("untouched") for violation in report["violations"])
    assert report["violations"]

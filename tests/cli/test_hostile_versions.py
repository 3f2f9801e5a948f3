"""Hostile scorers and archives through every command that opens them, in watched processes."""

import json
import subprocess
import sys

import pytest
from paths import HELPERS

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

SECONDS, BYTES = 5, 1 << 30
CODES = {0, 1, 3, 4, 5, 6}


def outcomes(folder, every, first, *kinds):
    """Return what became of each command; the process fails if any code was run."""
    done = subprocess.run(
        [sys.executable, HELPERS / "watched_commands.py", folder, str(every), str(first), *kinds],
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return list(map(json.loads, done.stdout.splitlines()))


def harm(outcome):
    """Whether a command hung, filled the memory, crashed, or ended as a bug of textclf."""
    return (
        outcome["seconds"] > SECONDS
        or outcome["bytes"] > BYTES
        or outcome["code"] not in CODES
        or "error: unexpected" in outcome["said"]
        or "Traceback" in outcome["said"]
    )


def test_a_sample_does_no_harm(tmp_path):
    """Of a few hostile versions none runs code, hangs, fills memory or ends as a bug."""
    found = outcomes(tmp_path, 25, 0, "scorers", "archives")
    assert len({one["planted"] for one in found}) == (300 + 200) // 25
    assert [one for one in found if harm(one)] == []


@pytest.mark.faults
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(("kind", "number"), [("scorers", 300), ("archives", 200)])
def test_all_do_no_harm(tmp_path, kind, number, first):
    """Of 300 hostile scorers and 200 hostile archives none does, with any command."""
    found = outcomes(tmp_path, 2, first, kind)
    assert len({one["planted"] for one in found}) == number // 2
    assert [one for one in found if harm(one)] == []

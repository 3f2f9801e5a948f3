"""The harness that injects faults at system calls works, and finds stores that lose data.

``make test-faults`` runs the harness over every operation, and the tests marked ``faults``.
"""

from functools import partial

import fault_injection_strace
import pytest
from fork_server import ForkServers


@pytest.fixture
def syscalls():
    """Return the harness, where strace is there and may strike."""
    if reason := fault_injection_strace.why_not():
        pytest.skip(reason)
    return fault_injection_strace


@pytest.fixture(scope="module")
def servers():
    with ForkServers(2) as servers:
        yield servers


@pytest.fixture
def attack_on(syscalls, servers, tmp_path):
    """Return a function that sees an operation once untouched, and can strike it."""
    return partial(syscalls.Attack, tmp_path, servers)


@pytest.fixture
def strace(tmp_path):
    """Return a program that is strace, but for a change in its arguments (a ``sed`` script)."""

    def without(change):
        script = tmp_path / "strace"
        script.write_text(
            "#!/bin/bash\n"
            'for word; do arguments+=("$(sed -E "' + change + '" <<<"$word")"); done\n'
            'exec strace "${arguments[@]}"\n'
        )
        script.chmod(0o755)
        return str(script)

    return without


@pytest.mark.parametrize(
    ("operation", "calls"),
    [("note an event", 8), pytest.param("rollback", 12, marks=pytest.mark.faults)],
)
def test_an_operation_that_is_killed_at_any_call_loses_nothing(attack_on, operation, calls):
    """One operation is struck in every test run; all of them are in make test-faults."""
    attack = attack_on(operation)
    assert attack.problems_untouched() == []
    report = attack.strike("SIGKILL")
    assert report.violations == []
    assert report.struck == report.unacknowledged == len(attack.places("SIGKILL")) >= calls


def test_every_call_that_changes_something_is_found(attack_on):
    """A promotion writes a hold, the record, no hold and the alias: each call can be struck."""
    attack = attack_on("promote back")
    placed, created = ["rename", "fsync", "unlink"], ["link", "fsync", "unlink"]
    step = ["openat", "write", "fsync"]
    assert [call.name for call in attack.places("SIGKILL")] == [
        *step, *placed, *step, *created, "utimensat", *placed, *step, *placed,
    ]  # fmt: skip
    looking = [call for call in attack.places("EIO") if not call.changes]
    assert {"openat", "read", "getdents64"} <= {call.name for call in looking}


@pytest.mark.parametrize(
    ("store", "problem"),
    [
        ("unsynced", "appears before all of it is forced to disk"),
        ("unsynced files", "appears before all of it is forced to disk"),
        ("unsynced folders", "is not forced to disk before"),
        ("naive", "is written in place"),
    ],
)
def test_what_a_power_cut_could_undo_is_found(syscalls, attack_on, store, problem):
    """The lint detects a publisher without fsync, or with half of them."""
    attack = attack_on("train the third", store)
    assert attack.untouched == syscalls.Outcome(), "nothing else is wrong with it"
    assert any(problem in each for each in syscalls.lint(attack.calls, attack.root))


@pytest.mark.parametrize("store", ["local", "linkless"])
def test_nothing_that_a_power_cut_could_undo(attack_on, store):
    """Publishing and promoting force everything to disk, with and without hard links."""
    attack = attack_on("train the third", store)
    assert attack.problems_untouched() == []
    assert {"fsync", "rename"} <= {call.name for call in attack.places("SIGKILL")}


@pytest.mark.faults
def test_writing_in_place_is_found_out(attack_on):
    """The harness detects a store that writes in place: a kill tears its files."""
    attack = attack_on("publish the third", "naive")
    report = attack.strike("SIGKILL")
    assert report.struck == len(attack.places("SIGKILL"))
    assert any("1.2.0" in violation for violation in report.violations)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("s/signal=SIGKILL/delay_enter=1/", id="no"),
        pytest.param("s/when=[0-9]+/when=65535/", id="late", marks=pytest.mark.faults),
    ],
)
def test_a_child_that_did_not_die_is_found_out(syscalls, attack_on, strace, change):
    """Where strace strikes nobody, a run in which all went well proves nothing and says so."""
    attack = attack_on("note an event", strace=strace(change))
    report = attack.strike("SIGKILL", tries=1)
    assert report.struck == 0
    assert len(report.violations) == len(attack.places("SIGKILL")) >= 8
    assert all(syscalls.MISSED in violation for violation in report.violations)


def test_where_strace_cannot_work_it_is_said_why(syscalls, strace):
    """Without strace, or where it may not trace, there is a reason to skip."""
    assert syscalls.why_not("no-such-strace") == "there is no strace"
    assert "strace cannot strike here" in syscalls.why_not(strace("s/SIGKILL/SIGCHLD/"))

"""What takes longer than a second is named while it runs."""

import gc
import re
import time

import pytest

from textclf.cli.output import progress
from textclf.cli.output.progress import TransferLine, loading, phases
from textclf.cli.output.training_progress import leaderboard
from textclf.machine_code import Compilation
from textclf.registry.store.requests import Transfer
from textclf.search.space import list_candidates, parse_space, preset_source


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    for name in ("_SECONDS_BEFORE_NAMED", "_SECONDS_BETWEEN_LINES", "_TICK"):
        monkeypatch.setattr(progress, name, 0.005)


def wait_for(capsys, text):
    """Wait until a text was written to stderr; return all that was."""
    written, start = "", time.monotonic()
    while text not in written and time.monotonic() - start < 30:
        time.sleep(0.005)
        written += capsys.readouterr().err
    assert text in written
    return written


def test_elsewhere_a_phase_is_a_line_every_few_seconds(capsys):
    """Without a terminal the phase and its seconds are plain lines; a function gives its own."""
    with phases(quiet=False) as show:
        show("counting n-grams")
        assert re.search(r"counting n-grams: [\d.]+ s\n", wait_for(capsys, "s\n"))
        show(lambda: "12/40 fits")
        wait_for(capsys, "12/40 fits\n")
        show(None)
        capsys.readouterr()
        time.sleep(0.05)
        assert capsys.readouterr().err == ""


def test_compiling_is_named_after_some_seconds(capsys, monkeypatch):
    """It is named once, whatever is being done, and not while little has been compiled."""
    compilation = Compilation()
    monkeypatch.setattr(progress, "compilation", compilation)
    with phases(quiet=False):
        compilation.begin()
        time.sleep(0.05)
        assert capsys.readouterr().err == ""
        monkeypatch.setattr(progress, "_SECONDS_OF_COMPILING", 0.01)
        wait_for(capsys, "compiling, once for this installation\n")
        time.sleep(0.05)
        assert capsys.readouterr().err == ""
        compilation.end()


def test_on_a_terminal_the_line_is_written_again_and_removed(capsys, monkeypatch):
    """There is one line, no longer than the terminal is wide, and none at the end."""
    compilation = Compilation()
    monkeypatch.setattr(progress, "compilation", compilation)
    monkeypatch.setattr(progress, "_SECONDS_OF_COMPILING", 0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "20")
    with phases(quiet=False) as show:
        show("fitting the best candidate on all rows")
        written = wait_for(capsys, "\r\x1b[2K")
        assert "fitting the best c…" in written
        assert "\n" not in written
        compilation.begin()
        wait_for(capsys, "compiling, once fo…")
        compilation.end()
    assert capsys.readouterr().err.endswith("\r\x1b[2K")


def test_compiling_is_a_line_above_the_leaderboard(capsys, monkeypatch):
    """The live table is the end of the terminal, so that what else is said is said once, above."""
    compilation = Compilation()
    monkeypatch.setattr(progress, "compilation", compilation)
    monkeypatch.setattr(progress, "_SECONDS_OF_COMPILING", 0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    candidates = list_candidates(parse_space(preset_source("fast")))
    with phases(quiet=False) as show, leaderboard(candidates, 3, show, quiet=False):
        compilation.begin()
        written = wait_for(capsys, "compiling, once for this installation")
        time.sleep(0.05)
        compilation.end()
    written += capsys.readouterr().err
    assert written.count("compiling") == 1
    assert "compiling, once for this installation\n" in written.replace("\r", "")


def test_quiet_is_quiet(capsys):
    """With -q nothing is shown."""
    with phases(quiet=True) as show:
        show("counting n-grams")
        time.sleep(0.05)
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("data")
def test_every_phase_of_a_training_is_named(cli, monkeypatch):
    """From reading to publishing each phase has a name, also when a version is reproduced."""
    shown = []

    class Recorder(progress._Display):
        def show(self, phase):
            shown.append(phase if phase is None or isinstance(phase, str) else phase())
            super().show(phase)

    monkeypatch.setattr(progress, "_Display", Recorder)
    assert cli("train", "--preset", "fast", "--cv", "2").code == 0
    named = [phase for phase in shown if phase]
    assert named == [
        "loading the libraries",
        "reading the data",
        "checking the data",
        "scoring the promoted version",
        "counting n-grams",
        "0/8 fits",
        "fitting the best candidate on all rows",
        "testing",
        "writing the report",
        "publishing",
    ]
    shown.clear()
    assert cli("reproduce", "1.0.0").code == 0
    assert {"reading the data", "counting n-grams", "testing"} <= {*shown}


def test_garbage_is_collected_again_after_the_imports():
    """So it is where an import fails."""
    named = []
    with loading(named.append):
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ImportError), loading(named.append):
        raise ImportError
    assert gc.isenabled()
    assert named == ["loading the libraries"] * 2


def began(seconds):
    return time.monotonic() - seconds


@pytest.mark.parametrize(
    ("transfer", "shown"),
    [
        (Transfer("uploading", "p/a.bin", 2_000_000, None, began(3)), "uploading a.bin, 2.0 MB, "),
        (
            Transfer("downloading", "p/a.bin", 2_000_000, 500_000, began(3)),
            "downloading a.bin, 500.0 kB of 2.0 MB, ",
        ),
        (Transfer("waiting for", "p/.registry", None, None, began(3)), "waiting for the bucket, "),
        (Transfer("uploading", "p/\x1b[2J", 1, None, began(3)), "uploading \\x1b[2J, 1 byte, "),
    ],
)
def test_a_transfer_of_more_than_two_seconds_is_shown(capsys, transfer, shown):
    """What is sent or received, how much of it, and for how long; nothing once it has ended."""
    line = TransferLine()
    line.show(transfer)
    assert capsys.readouterr().err.startswith(shown)
    transfer.has_ended = True
    line.show(transfer)
    assert capsys.readouterr().err == "\r\x1b[2K"


def test_a_quick_transfer_is_not_shown(capsys):
    """Most requests take milliseconds, and nothing is written for them."""
    line = TransferLine()
    line.show(Transfer("uploading", "p/a.bin", 1, None, began(1)))
    line.show(Transfer("uploading", "p/a.bin", 1, None, began(1), has_ended=True))
    assert capsys.readouterr().err == ""


def test_transfers_at_once_share_the_line(capsys):
    """The one that began first is shown, and how many others last; each leaves the line alone."""
    line = TransferLine()
    first = Transfer("uploading", "p/a.bin", 1, None, began(5))
    second = Transfer("uploading", "p/b.bin", 1, None, began(3))
    line.show(first)
    line.show(second)
    assert capsys.readouterr().err.endswith(" s, and 1 more")
    first.has_ended = True
    line.show(first)
    assert capsys.readouterr().err.startswith("\r\x1b[2Kuploading b.bin, 1 byte, ")
    second.has_ended = True
    line.show(second)
    assert capsys.readouterr().err == "\r\x1b[2K"

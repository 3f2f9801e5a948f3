"""A stdout that is full or closed: what was done is said on stderr; stderr may fail at any time."""

import contextlib
import io
import json
import os
import sys
from pathlib import Path

import pytest

from textclf.cli.app import run

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/full is Linux's")

TRAIN = ("train", "--bump", "patch", "--preset", "fast", "--cv", "2", "-q")
CHANGES = [
    (TRAIN, "published 1.0.2 and promoted it"),
    ((*TRAIN, "--no-promote"), "published 1.0.2"),
    (("promote", "1.0.0"), "promoted 1.0.0"),
    (("rollback",), "promoted 1.0.0"),
    (("versions", "tag", "1.0.0", "prod=eu"), "changed the tags of 1.0.0"),
    (("versions", "prune", "--keep", "1", "--models", "unpromoted"), "removed 1.0.0"),
    (("versions", "export", "1.0.0", "m.tar.gz"), "wrote m.tar.gz"),
    (("versions", "import", "old.tar.gz", "--models", "other", "-q"), "imported 1.0.0"),
    (("versions", "push", "1.0.0", "1.0.1", "new"), "copied 1.0.0, 1.0.1 to new"),
    (("verify", "--repair", "--models", "unaliased"), "restored unaliased/text_classifier.joblib"),
]


@pytest.fixture
def prepared(project, cli):
    """Return a project with an archive, a registry that needs a repair, and one to prune."""
    cli("versions", "export", "1.0.0", "old.tar.gz")
    for name in ("1.0.0", "1.0.1"):
        cli("versions", "export", name, f"{name}.tar.gz")
        cli("versions", "import", f"{name}.tar.gz", "--models", "unpromoted")
    cli("versions", "import", "old.tar.gz", "--models", "unaliased")
    cli("promote", "1.0.0", "--models", "unaliased")
    (project / "unaliased/text_classifier.joblib").unlink()
    return project


def run_with(out, err, *command):
    """Run a command in this process with other streams."""
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        return run(command)


@pytest.mark.parametrize(("command", "done"), CHANGES, ids=str)
@pytest.mark.usefixtures("prepared")
def test_a_change_is_not_lost_with_its_answer(command, done):
    """Where the answer cannot be written, stderr says what was done, in words and as JSON."""
    err = io.StringIO()
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        assert run_with(full, err, *command) == 1
    [line] = err.getvalue().splitlines()
    assert line.startswith(f"error: {done}")
    assert line.endswith(", but the answer could not be written to stdout: No space left on device")


@pytest.mark.usefixtures("project")
def test_a_reader_that_has_ended_does_not_hide_a_change():
    """A pipe that nobody reads any more is like a full disk, and the error may be JSON."""
    read, write = os.pipe()
    os.close(read)
    err = io.StringIO()
    with os.fdopen(write, "w", encoding="utf-8") as pipe:
        assert run_with(pipe, err, "promote", "1.0.0", "--json") == 1
    failure = json.loads(err.getvalue())
    assert failure["message"].startswith("promoted 1.0.0, but the answer could not be written")
    assert (failure["kind"], failure["exit_code"]) == ("system", 1)


@pytest.mark.usefixtures("project")
def test_without_a_change_an_ended_reader_is_no_error():
    """Nothing was done, so there is nothing to say: `history | head` is common."""
    read, write = os.pipe()
    os.close(read)
    err = io.StringIO()
    with os.fdopen(write, "w", encoding="utf-8") as pipe:
        assert run_with(pipe, err, "promote", "1.0.1") == 1
    assert err.getvalue() == ""


@pytest.mark.parametrize("command", ["predict", "pick"])
@pytest.mark.usefixtures("project")
def test_a_closed_stdin_has_no_texts(command, monkeypatch):
    """What names stdin says that it is closed, and how to name texts to this command."""
    monkeypatch.setattr("sys.stdin", None)
    out, err = io.StringIO(), io.StringIO()
    assert run_with(out, err, command, "-") == 2
    assert err.getvalue() == (
        "error: - is stdin, and it is closed\nhint: name a file, or pipe the texts to it\n"
    )


@pytest.mark.usefixtures("project")
def test_a_full_stderr_stops_nothing(cli):
    """Progress and hints that cannot be written do not end a training."""
    out = io.StringIO()
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        assert run_with(out, full, *TRAIN[:-1]) == 0
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())
    assert "promoted 1.0.2" in out.getvalue()
    assert json.loads(cli("versions", "list", "--json").out)[0]["latest"]


@pytest.mark.parametrize("closed", [(1,), (2,), (0, 1, 2)])
def test_no_file_takes_the_place_of_a_closed_stream(project, start, closed):
    """What libraries write to the number of a closed stream does not end up in the next file."""
    program = (
        "import os, sys\n"
        "from textclf.cli.app import _prepare_streams\n"
        "_prepare_streams()\n"
        "descriptor = os.open('answer', os.O_WRONLY | os.O_CREAT)\n"
        "assert descriptor > 2, descriptor\n"
    )
    running = start(
        before=(sys.executable, "-c", program),
        preexec_fn=lambda: [os.close(descriptor) for descriptor in closed],
    )
    running.communicate(timeout=60)
    assert running.returncode == 0
    assert (project / "answer").exists()

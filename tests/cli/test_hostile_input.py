"""Input from anywhere: whatever a file, a setting or an option holds, a sentence and a code."""

import gzip
import os

import pytest

from textclf.cli import texts


def one_line(done, code):
    """The error: one line, with the code that it should have, and no bug of textclf."""
    assert done.code == code
    assert done.out == ""
    first, *hint = done.err.splitlines()
    assert first.startswith("error: ")
    assert not first.startswith("error: unexpected")
    assert len(hint) <= 1
    return first.removeprefix("error: ")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("check", "/dev/zero"), 4),
        (("train", "/dev/zero"), 4),
        (("train", "--test", "/dev/zero"), 4),
        (("train", "--grid", "/dev/zero"), 2),
        (("predict", "--file", "/dev/zero"), 4),
        (("evaluate", "/dev/zero"), 4),
    ],
    ids=repr,
)
@pytest.mark.usefixtures("project")
def test_an_endless_device_is_refused(cli, command, code):
    """No command reads a device, which may never end."""
    assert "it is a device, not a file" in one_line(cli(*command), code)


@pytest.mark.parametrize(
    ("command", "code"),
    [(("check", "pipe"), 4), (("train", "--grid", "pipe"), 2), (("predict", "-f", "pipe"), 0)],
    ids=repr,
)
def test_a_pipe_that_nobody_writes_to_is_empty(project, cli, command, code):
    """Nobody is waited for."""
    os.mkfifo(project / "pipe")
    assert cli(*command).code == code


def test_a_line_without_end_is_no_text(project, cli, monkeypatch):
    """A line that goes on and on is refused before it fills the memory."""
    monkeypatch.setattr(texts, "_LONGEST", 1_000_000)
    (project / "long.gz").write_bytes(gzip.compress(b"fine\n" + bytes(3_000_000)))
    done = cli("predict", "--file", "long.gz")
    assert done.code == 4
    assert "error: a line has more than 1,000,000 characters" in done.err

"""Hostile input: whatever a file, a setting or an option contains, an error and its code."""

import gzip
import os

import pytest

from textclf.cli.options import texts


def one_line(done, code):
    """Return the error, which is one line with the expected exit code and not a bug."""
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
        (("versions", "import", "/dev/zero"), 4),
        (("versions", "compare", "1.0.0", "1.0.1", "--data", "/dev/zero"), 4),
        (("sign", "1.0.0", "--key", "/dev/zero"), 2),
        (("verify", "--key", "/dev/zero"), 2),
        (("train", "--sign", "/dev/zero"), 2),
    ],
    ids=repr,
)
@pytest.mark.usefixtures("project")
def test_an_endless_device_is_refused(cli, command, code):
    """No command reads a device, which may never end."""
    assert "it is a device, not a file" in one_line(cli(*command), code)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("check", "pipe"), 4),
        (("train", "--grid", "pipe"), 2),
        (("predict", "-f", "pipe"), 0),
        (("versions", "import", "pipe"), 6),
        (("sign", "1.0.0", "--key", "pipe"), 2),
        (("verify", "--key", "pipe"), 2),
        (("train", "--sign", "pipe"), 2),
    ],
    ids=repr,
)
def test_a_pipe_that_nobody_writes_to_is_empty(project, cli, command, code):
    """A named pipe without a writer is read as empty, without waiting."""
    os.mkfifo(project / "pipe")
    assert cli(*command).code == code


def test_a_line_without_end_is_no_text(project, cli, monkeypatch):
    """An endless line is refused before it fills the memory."""
    monkeypatch.setattr(texts, "_LONGEST_LINE", 1_000_000)
    (project / "long.gz").write_bytes(gzip.compress(b"fine\n" + b"x" * 3_000_000))
    done = cli("predict", "--file", "long.gz")
    assert done.code == 4
    assert "error: a line has more than 1,000,000 characters" in done.err


@pytest.mark.parametrize("command", ["predict", "pick"])
@pytest.mark.parametrize("head", ["id,text\n", '\ufeff"id";"Text"\r\n', "id\ttext\n"])
@pytest.mark.usefixtures("project")
def test_a_table_without_a_name_is_told_of(cli, command, head):
    """Lines that seem to be a table's are read as texts, with a warning whose option reads it."""
    stdin = (head + next(sign for sign in ",;\t" if sign in head).join(["1", "great"])).encode()
    [warned] = [line for line in cli(command, "-", stdin=stdin).err.splitlines() if "line" in line]
    _, _, option = warned.partition("every line is read as a text; to read the column of a table: ")
    done = cli(command, "-", *option.split(), stdin=stdin)
    assert (done.code, "every line" in done.err) == (0, False)
    assert done.out.splitlines()[1].replace(";", ",").replace("\t", ",").startswith("1,great,")
    assert "every line" not in cli(command, "-", stdin=b"great text, lovely\n").err


@pytest.mark.parametrize("encoding", ["unicode_escape", "utf-7"])
@pytest.mark.parametrize("form", [["--json"], ["--format", "jsonl"], ["--format", "csv"]])
@pytest.mark.usefixtures("project")
def test_half_a_surrogate_pair_is_replaced(cli, encoding, form):
    """Unpaired surrogates are replaced, with a warning."""
    done = cli(
        "predict", "--encoding", encoding, *form, stdin=b"so \\ud800 great\nso +2AA- great\n"
    )
    assert done.code == 0
    assert "\N{REPLACEMENT CHARACTER} great" in done.out
    assert "1 place in the texts could not be decoded as" in done.err


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [("--delimiter", "\udce9", 2), ("--encoding", "idna", 4), ("--encoding", "utf\udce9", 2)],
)
def test_odd_options_are_refused(empty, cli, option, value, code):
    """Options that are not text, and codecs that fail, are errors of one line."""
    (empty / "data").mkdir()
    (empty / "data/train.csv").write_bytes(b"text,label\ncaf\xe9,a\n")
    one_line(cli("check", option, value), code)


@pytest.mark.parametrize(
    "text",
    ["x = " + "[" * 50_000, "seed = " + "1" * 5000, "a." * 50_000 + "a = 1"],
    ids=["nested", "digits", "dotted"],
)
def test_settings_that_would_fill_the_memory(empty, cli, text):
    """Deeply nested TOML is refused, in settings and in search spaces."""
    (empty / "textclf.toml").write_text(text)
    assert one_line(cli("versions", "list"), 2).startswith("textclf.toml: not TOML: ")
    (empty / "textclf.toml").rename(empty / "grid.toml")
    assert one_line(cli("train", "--grid", "grid.toml"), 4)  # there is no data


@pytest.mark.parametrize("name", ["~nosuch/key.pub", "none.pub", "~", "data"])
@pytest.mark.usefixtures("project")
def test_a_required_key_that_cannot_be_read_is_named(cli, monkeypatch, name):
    """The home folder of an unknown user, a file that is not there, a folder."""
    monkeypatch.setenv("TEXTCLF_REQUIRE_SIGNATURE", name)
    told = one_line(cli("predict", "so great"), 2)
    assert told.startswith(("cannot read the key ", "TEXTCLF_REQUIRE_SIGNATURE"))


def test_a_name_that_no_file_can_have(project, cli):
    """A settings file may name what a command line cannot."""
    (project / "textclf.toml").write_text('require_signature = "a\\u0000b"')
    assert "no file can have this name" in one_line(cli("predict", "so great"), 2)

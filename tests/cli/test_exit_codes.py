"""Exit codes and error messages."""

import json
import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("command", "code", "error", "hint"),
    [
        (["trian"], 2, "no such command 'trian'; did you mean 'train'?", "textclf --help"),
        (["train", "--sed", "1"], 2, "--sed; did you mean --scheduler, --seed or", "train --help"),
        (["serve", "--port", "70000"], 2, "): 70000 is not from 0 to 65535", "serve --help"),
        (["versions", "lst"], 2, "did you mean 'list'?", "textclf versions --help"),
        (["list"], 2, "no such command 'list': it belongs to versions", "textclf versions list"),
        (["show", "a b"], 2, "belongs to versions", "textclf versions show 'a b'"),
        (["--models", "x", "list"], 2, "no such option: --models", "textclf COMMAND --models"),
        (["predict", "a", "--topk", "1"], 2, "--topk; did you mean --top-k?", "predict --help"),
        (["predict", "a", "-5 stars"], 2, "no such option: -5", "textclf predict -- TEXT"),
        (["predict", "a", "–top-k", "1"], 2, "a dash that is not a hyphen", "type --top-k"),
        (["predict", "a", "—top-k=1"], 2, "a dash that is not a hyphen", "type --top-k"),
        (["train", "x.csv", "\u2212\u2212dry-run"], 2, "is not a hyphen", "type --dry-run"),
        (["versions", "list", "–q"], 2, "a dash that is not a hyphen", "type -q"),
        (["promote"], 2, "missing argument 'VERSION'", "textclf promote --help"),
        (["promote", "1.0.0", "1.0.1"], 2, "unexpected extra argument", "textclf promote --help"),
        (["train", "--cv", "1"], 2, "'--cv': 1 is less than 2", "textclf train --help"),
        (["train", "--seed", "x"], 2, "invalid value for '--seed'", "textclf train --help"),
        (["train", "--scoring", "acuracy"], 2, "'balanced_accuracy'", "textclf train --help"),
        (["train", "--bump", "huge"], 2, "'minor'", "textclf train --help"),
        (["predict", "a", "--file", "b"], 2, "exclude each other", None),
        (["predict", "a", "--explain", "--format", "csv"], 2, "no columns for csv", "jsonl"),
        (["promote", "1.0.0", "--require", "accuracy"], 2, "is not a requirement", "quote it"),
        (["promote", "1.0.0", "--require", "acuracy=1"], 2, "no metric", "did you mean 'accuracy'"),
        (["promote", "1.0.0", "--require", "f1=0.9"], 2, "there is no metric 'f1'", "f1[LABEL]"),
        (["promote", "1.0.0", "--require", "accuracy=90"], 2, "not between 0 and 1", "90%"),
        (["promote", "1.0.0", "--max-regression", "nan"], 2, "not between 0 and 1", None),
        (["promote", "1.0.0", "--force"], 2, "--force needs a reason", '-m "why"'),
        (["train", "--force"], 2, "--force needs a reason", '-m "why"'),
        (["promote", "1.0.0", "--data", "data/test.csv"], 2, "there is no gate", "--require"),
        (["versions", "compare", "1.0.0", "1.0.1", "--flips", "f"], 2, "--flips needs", None),
        (["evaluate", "data/test.csv", "--errors", "data/test.csv"], 2, "over the data", None),
        (["evaluate", "data/test.csv", "--fail-under", "f1"], 2, "not a requirement", "quote it"),
        (["train", "--test", "a.csv", "--test-size", "0.2"], 2, "exclude each other", None),
        (["train", "--jobs", "1.5"], 2, "'1.5' is not a whole number", "textclf train --help"),
        (["train", "--test-size", "20"], 2, "not between 0 and 1, such as 0.9 or 90%", "--help"),
        (["train", "--test-size", "0%"], 2, "between 0 and 1", "--test-size 0.2"),
        (["train", "--threshold", "2"], 2, "not between 0 and 1", "--help"),
        (["predict", "a", "--threshold", "nan"], 2, "'nan' is not a number", "--help"),
        (["predict", "a", "--threshold", "120%"], 2, "not between 0 and 1", "--help"),
        (["promote", "1.0.2"], 3, "no version 1.0.2; the closest: 1.0.0, 1.0.1", "versions list"),
        (["promote", "newest"], 3, "'newest' is not a version", "versions list"),
        (["promote", "1.0.0-rc1"], 3, "is not a version", "versions list"),
        (["predict", "x", "--version", "2.0.0"], 3, "no version 2.0.0; the closest", "list"),
        (["train", "--from", "0.9.0"], 3, "no version 0.9.0; the closest", "versions list"),
        (["check", "data/trian.csv"], 4, "no file data/trian.csv", "data/train.csv"),
        (["predict", "--file", "none.txt"], 4, "there is no file none.txt", None),
        (["predict", "--file", "data/trian.csv"], 4, "no file data/trian.csv", "data/train.csv"),
        (["pick", "data/trian.csv"], 4, "no file data/trian.csv", "data/train.csv"),
        (["pick", "https://a.example/b.csv"], 4, "https://a.example/b.csv is a URL", "download it"),
        (["check", "s3://bucket/b.csv"], 4, "s3://bucket/b.csv is a URL", "download it"),
        (["pick", "a.csv", "b.csv"], 2, "unexpected extra argument: b.csv", "textclf pick --help"),
        (["serve", "--drain", "nan"], 2, "not a number of seconds from 0 to 86,400", "--help"),
        (["serve", "--drain", "inf"], 2, "not a number of seconds from 0 to 86,400", "--help"),
        (["serve", "--fd", "9" * 20], 2, f"--fd {'9' * 20} is not a socket: ", None),
        (["predict", "--file", "data"], 4, "cannot read data", None),
        (["evaluate", "data"], 4, "is a folder", None),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("project")
def test_a_users_mistake_is_one_line_and_a_hint(cli, command, code, error, hint):
    """A mistake gives its exit code, one line of error and, if there is one, a hint."""
    done = cli(*command)
    assert done.code == code
    assert done.out == ""
    first, *more = done.err.splitlines()
    assert first.startswith("error: ")
    assert error in first
    assert len(more) == (1 if more else 0)
    if hint:
        assert more
        assert more[0].startswith("hint: ")
        assert hint in more[0]


@pytest.mark.usefixtures("project")
def test_done_is_0(process):
    """A successful command exits with 0, also as a process."""
    assert process("versions", "list").code == 0
    assert process("--version").out.startswith("textclf ")


def test_failed_is_1(project, cli):
    """A models folder that is a file is an error with exit code 1."""
    (project / "file").write_text("not a folder")
    done = cli("versions", "list", "--models", "file")
    assert done.code == 1
    assert done.err.startswith("error: file is not a folder")
    assert "hint: name another with --models" in done.err


@pytest.mark.parametrize(
    "command",
    [["predict", "x"], ["versions", "show", "latest"], ["rollback"], ["promote", "1.0.0"]],
)
@pytest.mark.usefixtures("empty")
def test_no_versions_is_3_and_hints_at_training(cli, command):
    """Without versions the exit code is 3, and the hint is to train."""
    done = cli(*command)
    assert (done.code, done.out) == (3, "")
    assert "\nhint: textclf train publishes the first version" in done.err


def test_bad_rows_are_4_and_named(empty, cli):
    """The first five bad rows are named with file and line, then how many more."""
    bad = "".join(f",l{n}\n" for n in range(8))
    (empty / "bad.csv").write_text(f"text,label\ngood,a\n{bad}")
    done = cli("train", "bad.csv")
    assert done.code == 4
    lines = done.err.splitlines()
    assert lines[0] == "error: 8 bad rows in bad.csv"
    assert [line.split(": ")[0] for line in lines[1:6]] == [f"  bad.csv:{n}" for n in range(3, 8)]
    assert lines[6] == "  and 3 more"
    assert lines[7].startswith("hint: --on-bad-rows skip")


def test_wrong_columns_are_4_and_the_columns_listed(empty, cli):
    """A wrong column name lists the columns that exist."""
    (empty / "d.csv").write_text("review,stars\nfine,5\n")
    done = cli("check", "d.csv")
    assert done.code == 4
    assert "review" in done.err
    assert "stars" in done.err


@pytest.mark.parametrize("command", [["predict", "x"], ["promote", "1.0.0"], ["verify"]])
def test_a_damaged_model_is_6(project, cli, command):
    """A model file that differs from its digest is not loaded, promoted or verified."""
    for version in ("1.0.0", "1.0.1"):
        for file in ("text_classifier.joblib", "scorer.safetensors"):
            path = project / f"models/{version}/{file}"
            path.write_bytes(path.read_bytes()[:-1])
    done = cli(*command)
    assert done.code == 6
    assert "is not the file that was published" in done.out + done.err
    assert json.loads(cli("history", "--json").out)[-1]["n"] == 2


def test_damaged_metadata_is_6(project, cli):
    """Metadata that are not JSON are named, and the list shows the other versions."""
    (project / "models/1.0.1/metadata.json").write_text("{")
    done = cli("versions", "list")
    assert done.code == 6
    assert "warning: models/1.0.1/metadata.json is damaged" in done.err
    assert "1.0.0" in done.out
    done = cli("versions", "show", "1.0.1")
    assert done.code == 6
    assert "error: models/1.0.1/metadata.json is damaged" in done.err


@pytest.mark.usefixtures("project")
def test_a_bug_is_1_and_asks_for_a_report(cli, monkeypatch):
    """An unexpected exception is one line, and says how to see more."""
    monkeypatch.setattr("textclf.registry.promotion_log.AppendOnlyLog.entries", lambda _: 1 / 0)
    done = cli("history")
    assert done.code == 1
    assert "error: unexpected ZeroDivisionError: division by zero" in done.err
    assert "TEXTCLF_DEBUG=1" in done.err
    assert "Traceback" not in done.err


@pytest.mark.usefixtures("project")
def test_an_error_that_follows_ctrl_c_is_130(cli, monkeypatch):
    """Compiled code may return all the same, which Python makes an error of another class."""

    def interrupted(_):
        error = SystemError("returned a result with an exception set")
        error.__cause__ = SystemError("returned a result with an exception set")
        error.__cause__.__cause__ = KeyboardInterrupt()
        raise error

    monkeypatch.setattr("textclf.registry.promotion_log.AppendOnlyLog.entries", interrupted)
    done = cli("history")
    assert (done.code, done.out) == (130, "")
    assert done.err == "error: interrupted; no change was left incomplete\n"


@pytest.mark.usefixtures("project")
def test_debug_shows_the_traceback(process):
    """TEXTCLF_DEBUG=1 shows where an error comes from; without it there is no traceback."""
    assert "Traceback" not in process("promote", "7.0.0").err
    debugged = process("promote", "7.0.0", env={"TEXTCLF_DEBUG": "1"})
    assert debugged.code != 0
    assert "Traceback" in debugged.err
    assert "NoSuchVersion: no version 7.0.0" in debugged.err


@pytest.mark.parametrize("command", [["versions", "list"], ["predict", "--help"], []])
@pytest.mark.usefixtures("project")
def test_a_closed_reader_gives_no_traceback(start, command):
    """If the reader ends before the answer, nothing is printed and the exit code is not 0."""
    read, write = os.pipe()
    os.close(read)
    running = start(*command, stdout=write)
    os.close(write)
    _, err = running.communicate(timeout=60)
    assert err == b""
    assert running.returncode == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/full is Linux's")
@pytest.mark.usefixtures("project")
def test_a_full_disk_under_stdout_is_one_line(process):
    """An answer that cannot be written is an error of one line."""
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = process("history", stdout=full)
    assert done.code == 1
    assert done.err == "error: No space left on device\n"


@pytest.mark.parametrize(
    ("closed", "command", "code"),
    [(0, "predict", 2), (0, "history", 0), (1, "history", 0), (2, "history", 0), (2, "rollbck", 2)],
)
@pytest.mark.usefixtures("project")
def test_closed_streams_give_no_traceback(start, closed, command, code):
    """A command without stdin, stdout or stderr ends normally."""
    stdin = subprocess.DEVNULL if closed else None
    running = start(command, preexec_fn=lambda: os.close(closed), stdin=stdin)
    out, err = running.communicate(timeout=60)
    assert b"Traceback" not in out + err
    assert running.returncode == code


@pytest.mark.usefixtures("project")
def test_an_ascii_pipe_gets_utf_8(process):
    """Output to a pipe is UTF-8, whatever the locale."""
    ascii_ = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
    done = process("versions", "compare", "1.0.0", "1.0.1", env=ascii_)
    assert done.code == 0
    assert done.out.startswith("1.0.0 → 1.0.1\n")


@pytest.mark.usefixtures("project")
def test_names_that_are_no_text_are_shown_escaped(process):
    """A folder or version whose name is not UTF-8 is shown escaped."""
    done = process("versions", "list", "--models", b"caf\xe9".decode(errors="surrogateescape"))
    assert done.code == 0
    assert done.err == "hint: no versions in caf\\udce9 yet; to train one: textclf train\n"
    message = b"caf\xe9".decode(errors="surrogateescape")
    refused = process("promote", "1.0.0", "-m", message)
    assert refused.code == 2
    assert "not UTF-8" in refused.err


@pytest.mark.parametrize("name", ["\x1b[31mred", "a\x07", "x" * 5000, "", "../..", "1.0.0/../x"])
@pytest.mark.usefixtures("project")
def test_nonsense_versions_are_3_and_shown_without_escapes(cli, name):
    """A version that is not valid is refused and shown escaped."""
    done = cli("versions", "show", name)
    assert done.code == 3
    assert "\x1b" not in done.err
    assert "\x07" not in done.err

"""The files that commands write: where they may not be, and that none is left half-written."""

import os
import shutil
from pathlib import Path

import polars as pl
import pytest
from waiting import wait_until

COMMANDS = {
    "errors": ("evaluate", "data/test.csv", "-q", "--errors"),
    "flips": ("versions", "compare", "1.0.0", "1.0.1", "--data", "data/test.csv", "--flips"),
    "report": ("versions", "report", "1.0.0", "--data", "data/test.csv", "-q", "-o"),
    "export": ("versions", "export", "1.0.0"),
}
"""Each command that writes a file, up to the file's name."""

every_command = pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)


def contents(folder):
    """The content of every file below a folder."""
    return {path: path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def ending(command):
    """The ending of the files that a command writes; a table has one, an archive needs none."""
    return "" if "export" in command else ".csv"


@pytest.fixture
def guarded(project):
    """A project with links into its registry, and with a second registry."""
    (project / "link.csv").symlink_to("models/1.0.0/metadata.json")
    (project / "new.csv").symlink_to("models/new.csv")
    (project / "folder").symlink_to("models/1.0.0")
    shutil.copytree(project / "models", project / "other")
    shutil.copytree(project / "models/1.0.0", project / "aside")
    return project


@every_command
@pytest.mark.parametrize(
    "path",
    [
        "models/1.0.0/metadata.json", "models/1.0.0/new.csv", "models/text_classifier.joblib",
        "models/.registry/promotions/00000001.json", "models/.registry/new", "models/9.9.9",
        "link.csv", "new.csv", "folder/x.csv", "data/../models/x.csv", "other/x.csv",
        "other/1.0.1/x.csv", "aside/x.csv", "aside/report.html",
    ],
)  # fmt: skip
def test_nothing_is_written_into_a_registry(guarded, cli, command, path):
    """Neither over a file of any registry nor beside one, by whatever name, with --force or not."""
    before = contents(guarded)
    for force in ((), ("--force",)):
        done = cli(*command, path, *force)
        assert done.code == 2
        assert "to which only a registry is written" in done.err
    assert contents(guarded) == before


@pytest.mark.parametrize("command", [c for n, c in COMMANDS.items() if n != "export"])
@pytest.mark.parametrize("link", [False, True])
def test_nothing_is_written_over_an_input(project, cli, command, link):
    """Not even with --force, and not through a link or a hard link."""
    path = project / "data/test.csv"
    before = path.read_bytes()
    names = ["data/test.csv", "data/../data/test.csv"]
    if link:
        (project / "link").symlink_to(path)
        os.link(path, project / "hard")
        names = ["link", "hard"]
    for name in names:
        done = cli(*command, name, "--force")
        assert done.code == 2
        assert "over the data that is read" in done.err
    assert path.read_bytes() == before


@every_command
def test_a_file_is_replaced_only_by_force(project, cli, command):
    """An existing file stays as it is, and --force replaces it; a link to it stays a link."""
    mine, link = (f"{name}{ending(command)}" for name in ("mine", "link"))
    (project / mine).write_text("mine")
    (project / link).symlink_to(mine)
    for name in (mine, link):
        done = cli(*command, name)
        assert done.code == 2
        assert f"{name} already exists" in done.err
        assert "--force" in done.err
    assert (project / mine).read_text() == "mine"
    assert cli(*command, link, "--force").code == 0
    assert (project / mine).read_text(errors="replace") != "mine"
    assert (project / link).is_symlink()


@pytest.mark.parametrize(
    "command",
    [
        COMMANDS["errors"],
        COMMANDS["flips"],
        ("check", "data/train.csv", "--labels", "-o"),
        ("predict", "-f", "empty.csv", "-o"),
    ],
    ids=["errors", "flips", "labels", "predictions"],
)
def test_a_table_is_in_the_format_of_its_name(project, cli, command):
    """Parquet, too, even without rows; a name without a format is refused at once."""
    (project / "empty.csv").write_text("text\n")
    assert cli(*command, "out.parquet").code == 0
    assert "text" in pl.read_parquet(project / "out.parquet").columns
    for name in ("out.xlsx", "out"):
        done = cli(*command, name)
        assert (done.code, done.out, "does not say which format" in done.err) == (2, "", True)


@every_command
def test_what_cannot_be_written_is_refused_at_once(project, cli, command):
    """A folder, or a name in a folder that does not exist; nothing is left behind."""
    before = contents(project)
    assert "data is a folder" in cli(*command, "data").err
    assert "there is no folder none" in cli(*command, "none/x.csv").err
    assert contents(project) == before


@pytest.mark.usefixtures("project")
def test_a_device_is_written_to(cli):
    """What is no file needs no --force and is not replaced."""
    assert cli(*COMMANDS["errors"], os.devnull).code == 0
    assert not Path(os.devnull).is_file()
    read, write = os.pipe()
    assert cli(*COMMANDS["errors"], f"/dev/fd/{write}").code == 0
    os.close(write)
    with os.fdopen(read) as pipe:
        assert pipe.readline() == '"text","label","predicted","score","where"\n'


def test_a_failed_command_leaves_no_file(project, cli, monkeypatch):
    """Neither under the name that was asked for, nor beside it."""
    before = contents(project)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    for command in COMMANDS.values():
        done = cli(*command, name := f"out{ending(command)}")
        assert done.code == 1
        assert f"cannot write {name}: No space left on device" in done.err
    assert contents(project) == before


def test_a_file_that_was_created_meanwhile_is_kept(project, start):
    """Nothing is written over what another program wrote while this one was at work."""
    running = start("predict", "-o", "out.csv")
    running.stdin.write(b"great\n")
    running.stdin.flush()
    wait_until(lambda: list(project.glob(".*.part")), seconds=60)
    (project / "out.csv").write_text("theirs")
    _, err = running.communicate(timeout=60)
    assert (running.returncode, "out.csv already exists" in err.decode()) == (2, True)
    assert (project / "out.csv").read_text() == "theirs"
    assert not list(project.glob(".*.part"))


@pytest.mark.parametrize("mode", ["wb", "ab"], ids=["new", "more"])
def test_stdout_may_be_a_file(project, process, mode):
    """What is written to /dev/stdout is beside what is printed there, and after what there was."""
    (project / "out.txt").write_text("before\n")
    with (project / "out.txt").open(mode) as out:
        done = process(*COMMANDS["errors"], "/dev/stdout", stdout=out)
    assert done.code == 0, done.err
    before, table, printed = (project / "out.txt").read_text().partition('"text","label"')
    assert before == ("before\n" if mode == "ab" else "")
    assert table
    assert "accuracy" in printed

"""Help: every command and every option says what it does.

``UPDATE_DOCS=1 pytest tests/cli/test_help.py`` writes the files with the help of each command.
"""

import os
import re
import shlex
from pathlib import Path

import pytest
import typer
from paths import ROOT

from textclf.cli.app import application


def walk(command, path):
    """Yield a command and all commands below it."""
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from walk(inner, f"{path} {name}")


COMMANDS = dict(walk(typer.main.get_command(application()), "textclf"))
GROUPS = [path for path in COMMANDS if path != "textclf" and hasattr(COMMANDS[path], "commands")]


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_and_option_has_help(path):
    """Each command has a sentence as help, and each parameter has help."""
    command = COMMANDS[path]
    assert command.help
    sentence, *_ = command.help.partition("\n\n")
    assert sentence.endswith(".")
    silent = [p.name for p in command.params if not getattr(p, "help", None)]
    assert silent == []


@pytest.mark.parametrize("path", [path for path in COMMANDS if path.count(" ")])
def test_common_options_are_everywhere(path):
    """Every command takes --json, -q and --models, which mirror has as two arguments instead."""
    options = {option for p in COMMANDS[path].params for option in p.opts}
    if hasattr(COMMANDS[path], "commands"):
        return
    models = set() if path == "textclf mirror" else {"--models"}
    assert {"--json", "--quiet", "-q", *models} <= options


@pytest.mark.parametrize("path", ["textclf", *GROUPS])
@pytest.mark.usefixtures("empty")
def test_help_that_stands_before_a_command_lists_all(cli, path):
    """The help of a group has all of its commands, also where one of them is named behind it."""
    for name in COMMANDS[path].commands:
        assert cli(*path.split()[1:], "--help", name).out == cli(*path.split()[1:], "--help").out


@pytest.mark.parametrize("path", COMMANDS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.usefixtures("empty")
def test_help_is_shown(cli, path, flag):
    """-h and --help show the help on stdout, whatever else is given, and exit 0."""
    done = cli(*path.split()[1:], flag)
    assert (done.code, done.err) == (0, "")
    assert f"Usage: {path}" in done.out
    assert "\x1b" not in done.out


SHOWN = Path(__file__).with_name("help")


def file_of(path):
    return SHOWN / f"{path.replace(' ', '-')}.txt"


@pytest.mark.parametrize("path", COMMANDS)
@pytest.mark.usefixtures("empty")
def test_the_help_is_that_of_its_file(cli, path, monkeypatch):
    """The help at 80 columns is what was looked at; brackets, as in f1[spam], are text."""
    monkeypatch.setenv("COLUMNS", "80")
    shown = cli(*path.split()[1:], "--help").out
    if os.environ.get("UPDATE_DOCS"):
        SHOWN.mkdir(exist_ok=True)
        file_of(path).write_text(shown, "utf-8")
    assert shown == file_of(path).read_text("utf-8")
    assert max(map(len, shown.splitlines())) < 80


def test_there_is_no_other_help():
    """A file of a command that no longer exists is removed."""
    assert {path.name for path in SHOWN.iterdir()} == {file_of(path).name for path in COMMANDS}


@pytest.mark.parametrize("path", [path for path in COMMANDS if path not in GROUPS])
@pytest.mark.usefixtures("empty")
def test_examples_are_commands(path):
    """Every command has three examples, whose options exist, and documents to read on in."""
    _, _, further = COMMANDS[path].help.partition("\n\n")
    _, *examples = further.partition("\n\n")[0].strip().splitlines()
    assert len(examples) == 3
    for example in examples:
        words = shlex.split(example)
        words = words[words.index("textclf") :]
        name = " ".join(words[: 3 if " ".join(words[:2]) in GROUPS else 2])
        assert path in (name, "textclf")
        options = {option for p in COMMANDS[name].params for option in p.opts}
        assert {word for word in words if re.match("--?[a-z]", word)} <= options
    for document in re.findall(r"[\w/-]+\.md", further):
        assert (ROOT / document).is_file()


@pytest.mark.parametrize("columns", [60, 100, 200])
@pytest.mark.parametrize("path", COMMANDS)
@pytest.mark.usefixtures("empty")
def test_the_help_fits_its_terminal(cli, path, monkeypatch, columns):
    """No line of help is wider than the terminal; only examples are not wrapped."""
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = cli(*path.split()[1:], "--help").out.partition("\nExamples:")[0].splitlines()
    assert max(map(len, lines)) < min(columns, 100)


@pytest.mark.usefixtures("empty")
def test_without_a_command_the_help_is_shown(cli):
    """`textclf` and `textclf versions` show their help."""
    assert cli().out.strip() == cli("--help").out.strip()
    assert cli("versions").out.strip() == cli("versions", "--help").out.strip()


@pytest.mark.parametrize(
    ("typed", "same"),
    [
        (["help"], ["--help"]),
        (["help", "train"], ["train", "--help"]),
        (["help", "versions", "list"], ["versions", "list", "--help"]),
        (["-v"], ["--version"]),
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("empty")
def test_other_ways_to_ask(cli, typed, same):
    """`textclf help COMMAND` is its help, and -v the version."""
    done = cli(*typed)
    assert (done.code, done.out) == (0, cli(*same).out)

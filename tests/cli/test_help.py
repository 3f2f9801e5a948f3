"""Help: every command and every option says what it does."""

import pytest
import typer

from textclf.cli.app import application


def walk(command, path):
    """Yield a command and all commands below it."""
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from walk(inner, f"{path} {name}")


COMMANDS = dict(walk(typer.main.get_command(application()), "textclf"))


def test_the_commands_are_those_of_the_contract():
    """The commands are exactly those that are documented."""
    assert {path.removeprefix("textclf").strip() for path in COMMANDS} == {
        "", "train", "predict", "versions", "versions list", "versions show", "versions compare",
        "versions report", "versions tag", "versions prune", "versions export", "versions import",
        "promote", "rollback", "history", "evaluate", "verify", "reproduce", "check", "sign",
    }  # fmt: skip


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_and_option_has_help(path):
    """Each command has a sentence as help, and each parameter has help."""
    command = COMMANDS[path]
    assert command.help
    assert command.help.rstrip().endswith(".")
    silent = [p.name for p in command.params if not getattr(p, "help", None)]
    assert silent == []


@pytest.mark.parametrize("path", [path for path in COMMANDS if path.count(" ")])
def test_common_options_are_everywhere(path):
    """Every command takes --json, -q and --models."""
    options = {option for p in COMMANDS[path].params for option in p.opts}
    if hasattr(COMMANDS[path], "commands"):
        return
    assert {"--json", "--quiet", "-q", "--models"} <= options


@pytest.mark.parametrize("path", COMMANDS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.usefixtures("empty")
def test_help_is_shown(cli, path, flag):
    """-h and --help show the help on stdout, whatever else is given, and exit 0."""
    done = cli(*path.split()[1:], flag)
    assert (done.code, done.err) == (0, "")
    assert f"Usage: {path}" in done.out
    assert "\x1b" not in done.out


@pytest.mark.usefixtures("empty")
def test_brackets_in_help_are_text(cli, monkeypatch):
    """The metric of a class is shown with its brackets, which Rich would read as markup."""
    monkeypatch.setenv("COLUMNS", "200")
    assert "'f1[spam]>=0.95'" in cli("promote", "--help").out
    assert "'f1[spam]=0.95'" in cli("evaluate", "--help").out


@pytest.mark.usefixtures("empty")
def test_without_a_command_the_help_is_shown(cli):
    """`textclf` and `textclf versions` show their help."""
    assert cli().out.strip() == cli("--help").out.strip()
    assert cli("versions").out.strip() == cli("versions", "--help").out.strip()

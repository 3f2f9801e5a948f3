"""The functions have the options of the commands as arguments, by the same names."""

import inspect

import pytest
import typer

import textclf
from textclf.cli.app import application

OTHER_NAMES = {
    "from_": "from_version", "no_promote": "promote", "model": "pipeline", "moved": "data",
}  # fmt: skip
ONLY_TYPED = {"as_json", "quiet", "backend", "help"}  # a scheduler is enough to search on it
OF_FILES = {"delimiter", "encoding", "header", "sheet", "on_bad_rows"}  # textclf.read_dataset

DIFFERENT = {
    "train": {"labels", "on_fit"},
    "publish": set(),
    "promote": OF_FILES | {"channel", "to"},
    "rollback": set(),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_arguments_are_the_options_of_the_command(name):
    """An option that is added to a command is added to the function, too."""
    command = typer.main.get_command(application()).commands[name]
    options = {OTHER_NAMES.get(option.name, option.name) for option in command.params}
    arguments = set(inspect.signature(getattr(textclf, name)).parameters)
    assert arguments ^ options == DIFFERENT[name] | (ONLY_TYPED & options)


@pytest.mark.parametrize("name", ["train", "publish", "promote", "rollback", "evaluate", "compare"])
def test_every_argument_is_described(name):
    """In the section of the docstring that says what each is."""
    function = getattr(textclf, name)
    described = inspect.getdoc(function).partition("Args:")[2].partition("Raises:")[0]
    for argument in inspect.signature(function).parameters:
        assert f"    {argument}: " in described

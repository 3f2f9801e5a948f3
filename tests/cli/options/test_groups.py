"""Groups of options: a command takes a dataclass, and Typer shows its fields as options."""

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer

from textclf.cli.options.groups import option_groups


@dataclass(frozen=True)
class Size:
    """A group of two options."""

    width: Annotated[int, typer.Option(min=1, help="How wide.")] = 2
    is_deep: Annotated[bool, typer.Option("--deep", help="Whether deep.")] = False


@pytest.fixture
def received():
    """What the command was called with."""
    return []


@pytest.fixture
def command(received):
    """Return a command with an argument, a group and an option, in this order."""

    @option_groups
    def build(name: str, *, size: Size, colour: str = "red") -> None:
        """Build something."""
        received.append((name, size, colour))

    app = typer.Typer()
    app.command()(build)
    return typer.main.get_command(app)


def test_the_fields_are_options_in_the_place_of_the_group(command):
    """The options are in the order of the signature, with the names and help of the fields."""
    options = [(p.name, p.opts, getattr(p, "help", None)) for p in command.params[:4]]
    assert options == [
        ("name", ["name"], None),
        ("width", ["--width"], "How wide."),
        ("is_deep", ["--deep"], "Whether deep."),
        ("colour", ["--colour"], None),
    ]
    assert command.help == "Build something."


@pytest.mark.parametrize(
    ("arguments", "size"),
    [
        ([], Size()),
        (["--width", "3"], Size(width=3)),
        (["--deep", "--width", "3"], Size(width=3, is_deep=True)),
    ],
)
def test_the_command_is_called_with_the_group(command, received, arguments, size):
    """Values of the options, or the defaults of the fields, arrive as one object."""
    command(["house", *arguments], standalone_mode=False)
    assert received == [("house", size, "red")]


def test_the_limits_of_a_field_hold(command):
    """A value that the option does not accept is refused as that of any option."""
    with pytest.raises(typer.BadParameter, match="not in the range"):
        command(["house", "--width", "0"], standalone_mode=False)

"""Typer's commands with their own help, in panels with examples; they refuse typographic dashes."""

from __future__ import annotations

import importlib
import inspect
import re
import shlex
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from textclf.cli.output import render
from textclf.errors import UsageError
from textclf.formatting import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PANELS: Final = (
    "Arguments",
    "Options",
    "Data",
    "Search",
    "Gate",
    "Versioning",
    "MLflow",
    "Output",
)
"""The panels of options in the order in which they are shown."""

WIDTH: Final = 100
"""The most columns of the help: longer lines are hard to read."""

_NAMES_WIDTH: Final = 26
"""The most columns for the name of an option; the help of a longer one begins on the next line."""

_LONGEST_NAME: Final = 40
"""The most columns of a name with its choices, which else are a part of the help."""

_TYPED_DASH: Final = "([\u2010-\u2015\u2212\ufe58\ufe63\uff0d-]+)([a-zA-Z][a-zA-Z-]*)(?:=|$)"
"""An option whose dashes a word processor may have replaced."""


class Command(TyperCommand):
    """A command whose docstring is one sentence, then examples and where to read on."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write usage, the sentence, the options by panel, and the examples."""
        _write_help(self, ctx, formatter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words after the command. Raises an error for a dash that is no hyphen."""
        _require_hyphens(args, {name for one in self.params for name in one.opts})
        return super().parse_args(ctx, args)


class Group(TyperGroup):
    """A group of commands, with the same help."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write usage, the sentence, the commands and options by panel, and the examples."""
        _write_help(self, ctx, formatter)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command to run. Raises an error that names it if a group inside has it."""
        for name, group in self.commands.items() if args[0] not in self.commands else ():
            if args[0] in getattr(group, "commands", {}):
                raise UsageError(
                    f"no such command {args[0]!r}: it belongs to {name}",
                    hint=shlex.join([ctx.command_path, name, *args]),
                )
        return super().resolve_command(ctx, args)


class CommandGroup(NamedTuple):
    """Commands below a name, which shows its help where none of them is named.

    Attributes:
        name: the name.
        commands: where the function of each command is; see `load_command`.
        help: one sentence, then where to read on.
    """

    name: str
    commands: Mapping[str, str]
    help: str

    def build(self, alone: str | None = None) -> typer.Typer:
        """Return the group with all of its commands, or with one alone, if it has that one."""
        group = typer.Typer(name=self.name, no_args_is_help=False, cls=Group)

        @group.callback(invoke_without_command=True, help=self.help)
        def show_help(context: typer.Context) -> None:
            if context.invoked_subcommand is None:
                typer.echo(context.get_help())

        for name in self.commands.keys() & {alone} or self.commands:
            group.command(name=name, cls=Command)(load_command(self.commands[name]))
        return group


def load_command(path: str) -> Any:
    """Import a command by its path below `textclf.cli.commands`, such as ``versions.tag.tag``."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(f"textclf.cli.commands.{module}"), name)


def _write_help(command: Any, context: typer.Context, formatter: Any) -> None:
    sentence, _, further = inspect.cleandoc(command.help or "").partition("\n\n")
    usage = " ".join(command.collect_usage_pieces(context))
    formatter.write_usage(context.command_path, usage.replace("{", "").replace("}", ""))
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(sentence)
    for panel, entries in _panels(command, context).items():
        formatter.write_paragraph()
        formatter.write(f"{render.strong(panel)}\n")
        with formatter.indentation():
            formatter.write_dl(entries, col_max=_NAMES_WIDTH)
    formatter.write(f"\n{further}\n")


def _panels(command: Any, context: typer.Context) -> dict[str, list[tuple[str, str]]]:
    """Return what each panel lists: a name, and what it is."""
    panels: dict[str, list[tuple[str, str]]] = {}
    for name in getattr(command, "commands", {}):
        one = command.get_command(context, name)
        sentence = (one.help or "").partition("\n\n")[0].replace("\n", " ")
        panels.setdefault(one.rich_help_panel or "Commands", []).append((name, sentence))
    options = list(_options(command, context))
    for panel in sorted({panel for panel, _ in options}, key=_PANELS.index):
        panels[panel] = [entry for its_panel, entry in options if its_panel == panel]
    return panels


def _options(command: Any, context: typer.Context) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the panel of each parameter, and its names and help."""
    for parameter in command.get_params(context):
        entry = parameter.get_help_record(context)
        if entry:
            usual = "Arguments" if parameter.param_type_name == "argument" else "Options"
            if parameter.name == "help" and not hasattr(command, "commands"):
                usual = "Output"
            yield getattr(parameter, "rich_help_panel", None) or usual, _short(*entry)


def _short(name: str, text: str) -> tuple[str, str]:
    """Move many choices from a name to its help."""
    if len(name) <= _LONGEST_NAME or "<" not in name:
        return name, text
    option, _, choices = name.partition("<")
    return f"{option}NAME", f"{text}  One of {choices.rstrip('>').replace('|', ', ')}."


def _require_hyphens(words: list[str], options: set[str]) -> None:
    """Refuse an option with a dash that is no hyphen: it would count as a text or a file."""
    for word in words[: words.index("--")] if "--" in words else words:
        match = None if word.isascii() else re.match(_TYPED_DASH, word)
        dashes = match[1] if match else ""
        meant = (
            {f"--{match[2]}", f"-{match[2]}"} & options if match and dashes.strip("-") else set()
        )
        for option in meant:
            raise UsageError(
                f"{excerpt(word)!r} begins with a dash that is not a hyphen, as word processors "
                "write it",
                hint=f"type {option}, or put -- before a text that begins with a dash",
            )

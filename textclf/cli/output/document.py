"""Answers of several parts, written for a terminal or a pipe, or as Markdown for a pull request.

What a command has to say is a list of blocks; two writers put them down. A piece of text that is
not textclf's own (a label, a path, a value of a setting) is a ``Code``: Markdown shows it as a code
span, where no character has a meaning, no name is mentioned and no HTML is obeyed.
"""

from __future__ import annotations

import enum
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from textclf.cli.output import render
from textclf.errors import UsageError
from textclf.formatting import escape_controls, excerpt

_LONG = 12
"""Entries from which on Markdown folds a table or a list."""


class Format(enum.StrEnum):
    """What ``--format`` takes."""

    TABLE = "table"
    JSON = "json"
    MD = "md"


OutputFormat = Annotated[
    Format, typer.Option("--format", help="md is Markdown, fit for a pull request.")
]


def chosen(output_format: Format, *, as_json: bool) -> Format:
    """The format asked for by ``--format`` or ``--json``. Raises UsageError for two."""
    if as_json and output_format is Format.MD:
        raise UsageError("--json and --format md exclude each other")
    return Format.JSON if as_json else output_format


class Code(str):
    """A piece of text that is not textclf's own."""

    __slots__ = ()


@dataclass(frozen=True)
class Heading:
    """What it is all about, in pieces."""

    pieces: tuple[str, ...]


@dataclass(frozen=True)
class Sentence:
    """A line, in pieces; ``loud`` is a warning."""

    pieces: tuple[str, ...]
    loud: bool = False


@dataclass(frozen=True)
class Items:
    """A list under a title, each entry in pieces."""

    title: str
    entries: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Table:
    """A table; ``title`` stands before it, ``right`` names the columns aligned to the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    right: Sequence[str] = ()
    title: str | None = None


Block = Heading | Sentence | Items | Table


def heading(*pieces: str) -> Heading:
    """A heading of these pieces."""
    return Heading(pieces)


def sentence(*pieces: str, loud: bool = False) -> Sentence:
    """A line of these pieces."""
    return Sentence(pieces, loud)


def write(blocks: Iterable[Block], *, markdown: bool = False) -> None:
    """Put a document down on stdout."""
    for block in blocks:
        (_as_markdown if markdown else _as_text)(block)


# -- for people at a terminal, and pipes -----------------------------------------------------------


def _as_text(block: Block) -> None:
    match block:
        case Heading(pieces):
            render.line(render.strong("".join(map(escape_controls, pieces))))
        case Sentence(pieces, loud):
            alarm = f"{render.paint('warning:', '33', sys.stdout)} " if loud else ""
            render.line(f"{alarm}{''.join(map(escape_controls, pieces))}")
        case Items(title, entries):
            render.line(f"{title}:")
            for entry in entries:
                render.line(f"  {''.join(str(_piece(piece)) for piece in entry)}")
        case Table(columns, rows, right, title):
            render.line()
            if title:
                render.line(render.strong(title))
            heads = [str(_piece(column)) for column in columns]
            aligned = [str(_piece(column)) for column in right]
            render.table(heads, [[_piece(cell) for cell in row] for row in rows], right=aligned)


def _piece(cell: object) -> object:
    return excerpt(cell) if isinstance(cell, Code) else cell


# -- as Markdown -----------------------------------------------------------------------------------


def _as_markdown(block: Block) -> None:
    match block:
        case Heading(pieces):
            render.line(f"### {_joined(pieces)}\n")
        case Sentence(pieces, loud):
            render.line(f"{'> ⚠️ **Warning:** ' if loud else ''}{_joined(pieces)}\n")
        case Items(title, entries):
            _section(title, [f"- {_joined(entry)}" for entry in entries], len(entries))
        case Table(columns, rows, right, title):
            aligned = ["---:" if column in right else "---" for column in columns]
            cells = [[_cell(cell) for cell in row] for row in (columns, *rows)]
            cells.insert(1, aligned)
            _section(title, [f"| {' | '.join(row)} |" for row in cells], len(rows))


def _section(title: str | None, lines: list[str], entries: int) -> None:
    """Lines under their title; many are folded."""
    folded = title and entries > _LONG
    if folded:
        render.line(f"<details><summary>{title} ({entries})</summary>\n")
    elif title:
        render.line(f"**{title}**\n")
    render.line("\n".join(lines) + "\n")
    if folded:
        render.line("</details>\n")


def _joined(pieces: tuple[str, ...]) -> str:
    return "".join(_code(piece) if isinstance(piece, Code) else piece for piece in pieces)


def _cell(cell: object) -> str:
    """A pipe ends a cell, even in a code span."""
    text = _code(cell) if isinstance(cell, Code) else str(cell)
    return text.replace("|", "\\|")


def _code(text: str) -> str:
    """A code span; its fence is longer than any run of backticks in it."""
    shown = excerpt(text, 80) or '""'
    runs = re.findall("`+", shown)
    if not runs:
        return f"`{shown}`"
    fence = "`" * (1 + max(map(len, runs)))
    return f"{fence} {shown} {fence}"

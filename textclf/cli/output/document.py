"""Answers of several parts, written as plain text, or as Markdown for a pull request.

An answer is a list of blocks, and there are two writers for them. Text that is not textclf's own (a
label, a path, a value of a setting) is a ``UserText``: Markdown shows it as a code span, in which
no character is markup, no user is mentioned and no HTML is interpreted.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, NamedTuple

import typer

from textclf.cli.output import render
from textclf.errors import UsageError
from textclf.formatting import code_span, escape_controls, excerpt

_LONG = 12
"""Entries above which a table or a list is folded in Markdown."""

OutputFormat = Annotated[
    Literal["table", "json", "md"],
    typer.Option("--format", help="md prints Markdown, for a pull request."),
]


def choose_format(output_format: str, *, as_json: bool) -> str:
    """Return the format that ``--format`` or ``--json`` names. Raises UsageError for both."""
    if as_json and output_format == "md":
        raise UsageError("--json and --format md exclude each other")
    return "json" if as_json else output_format


class UserText(str):
    """Text that is not textclf's own, such as a label or a path."""

    __slots__ = ()


class Heading(NamedTuple):
    """The title of the answer, in pieces."""

    pieces: tuple[str, ...]


class Sentence(NamedTuple):
    """A line, in pieces."""

    pieces: tuple[str, ...]
    is_warning: bool = False


class Items(NamedTuple):
    """A list under a title, each entry in pieces."""

    title: str
    entries: Sequence[tuple[str, ...]]


class TableBlock(NamedTuple):
    """A table under a title.

    ``right`` names the columns that are aligned to the right, and ``spare`` those that a terminal
    may be too narrow for.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    right: Sequence[str] = ()
    spare: Sequence[str] = ()
    title: str | None = None


Block = Heading | Sentence | Items | TableBlock


def sentence(*pieces: str, is_warning: bool = False) -> Sentence:
    """Return a line made of pieces."""
    return Sentence(pieces, is_warning)


def write(blocks: Iterable[Block], *, markdown: bool = False) -> None:
    """Write a document on stdout."""
    for block in blocks:
        (_as_markdown if markdown else _as_text)(block)


# -- as plain text ---------------------------------------------------------------------------------


def _as_text(block: Block) -> None:
    match block:
        case Heading(pieces):
            render.sentence(render.strong("".join(map(escape_controls, pieces))))
        case Sentence(pieces, is_warning):
            start = f"{render.paint('warning:', '33', sys.stdout)} " if is_warning else ""
            render.sentence(f"{start}{''.join(map(escape_controls, pieces))}")
        case Items(title, entries):
            render.sentence(f"{title}:")
            for entry in entries:
                render.sentence(f"  {''.join(str(_piece(piece)) for piece in entry)}")
        case table:
            render.line()
            if table.title:
                render.sentence(render.strong(table.title))
            heads = [str(_piece(column)) for column in table.columns]
            aligned = [str(_piece(column)) for column in table.right]
            rows = [[_piece(cell) for cell in row] for row in table.rows]
            render.table(heads, rows, right=aligned, spare=table.spare)


def _piece(cell: object) -> object:
    return excerpt(cell) if isinstance(cell, UserText) else cell


# -- as Markdown -----------------------------------------------------------------------------------


def _as_markdown(block: Block) -> None:
    match block:
        case Heading(pieces):
            render.line(f"### {_joined(pieces)}\n")
        case Sentence(pieces, is_warning):
            render.line(f"{'> ⚠️ **Warning:** ' if is_warning else ''}{_joined(pieces)}\n")
        case Items(title, entries):
            _section(title, [f"- {_joined(entry)}" for entry in entries], len(entries))
        case table:
            aligned = ["---:" if column in table.right else "---" for column in table.columns]
            cells = [[_cell(cell) for cell in row] for row in (table.columns, *table.rows)]
            cells.insert(1, aligned)
            _section(table.title, [f"| {' | '.join(row)} |" for row in cells], len(table.rows))


def _section(title: str | None, lines: list[str], entries: int) -> None:
    """Write lines under their title, folded if there are many."""
    folded = title and entries > _LONG
    if folded:
        render.line(f"<details><summary>{title} ({entries})</summary>\n")
    elif title:
        render.line(f"**{title}**\n")
    render.line("\n".join(lines) + "\n")
    if folded:
        render.line("</details>\n")


def _joined(pieces: tuple[str, ...]) -> str:
    return "".join(_code(piece) if isinstance(piece, UserText) else piece for piece in pieces)


def _cell(cell: object) -> str:
    """Escape pipes, which end a cell even in a code span."""
    text = _code(cell) if isinstance(cell, UserText) else str(cell)
    return text.replace("|", "\\|")


def _code(text: str) -> str:
    return code_span(excerpt(text, 80) or '""')

"""The two streams: JSON, lines and tables on stdout; hints, warnings and errors on stderr.

Text from data or files passes ``escape_controls`` on its way to a terminal, so that it cannot move
the cursor or set a title. Rich is imported only to draw a table on a terminal.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from shutil import get_terminal_size
from typing import Any, TextIO

from textclf.errors import TextclfError
from textclf.formatting import INVISIBLE, escape_controls, excerpt


def line(text: str = "") -> None:
    """Write one line of the answer to stdout."""
    with _writing:
        remove_status()
        sys.stdout.write(f"{text}\n")


def sentence(text: str, *, hang: int = 2) -> None:
    """Write prose to stdout; on a terminal that is too narrow, lines end between words.

    Args:
        text: one line, which may be indented.
        hang: by how many columns further lines are indented more than the first.
    """
    line(_folded(text, sys.stdout, hang))


def _folded(text: str, stream: TextIO, hang: int = 2) -> str:
    """Break a line between words where it is wider than the terminal of a stream."""
    if not stream.isatty():
        return text
    columns = _columns(stream)
    pieces = re.split("(\x1b\\[[0-9;]*m)", text)  # of which every second one is a style
    plain = "".join(pieces[::2])
    if len(plain) <= columns:
        return text
    import textwrap  # only needed where it is narrow

    indent = " " * (len(text) - len(text.lstrip(" ")) + hang)
    folded = textwrap.fill(
        plain,
        max(columns, 20),
        subsequent_indent=indent,
        expand_tabs=False,
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return _restyled(folded, pieces)


def _restyled(folded: str, pieces: Sequence[str]) -> str:
    """Return a text that was folded with its styles, each after the character that it was after."""
    styled, at = "", 0
    for number, piece in enumerate(pieces):
        begin, missing = at, 0 if number % 2 else len("".join(piece.split()))
        while missing:
            missing -= not folded[at].isspace()
            at += 1
        styled += piece if number % 2 else folded[begin:at]
    return styled + folded[at:]


def _columns(stream: TextIO) -> int:
    """Return the width of the terminal of a stream; of another terminal if it has none."""
    with contextlib.suppress(OSError, ValueError):
        if "COLUMNS" not in os.environ and (columns := os.get_terminal_size(stream.fileno())[0]):
            return columns
    return get_terminal_size().columns


class UnwrittenAnswer(TextclfError):
    """A change was made, and the answer that says so could not be written."""

    kind = "system"


@contextlib.contextmanager
def answer_to_change(change: Callable[[], str]) -> Iterator[None]:
    """Write an answer in the block; what was done is not lost where it cannot be written.

    Args:
        change: returns what was done, such as ``promoted 1.1.0``; nothing if nothing was.

    Raises:
        UnwrittenAnswer: stdout is full or its reader has ended; the message says what was done.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as error:  # without a change, it is raised again when stdout is flushed
        if done := change():
            raise UnwrittenAnswer(
                f"{done}, but the answer could not be written to stdout: {error.strerror}"
            ) from None


def name_registry(option: str) -> None:
    """Take the option that names the registry, if it was typed: further commands need it, too."""
    _registry_option[:] = [option]


def with_registry(text: str) -> str:
    """Return a text in which the commands name the registry that this one works on."""
    option = "".join(_registry_option)
    if not option or "--models" in text:
        return text
    return re.sub(f"\\btextclf ({_ON_REGISTRY})\\b", lambda found: f"{found[0]} {option}", text)


def hint(text: str, *, quiet: bool = False) -> None:
    """Write to stderr how to go on: in one line, from which a command can be copied."""
    if not quiet:
        text = escape_controls(with_registry(text))
        _write_to_stderr(f"{paint('hint:', '36', sys.stderr)} {text}\n")


def progress(text: str) -> None:
    """Write to stderr how far the work is."""
    _write_to_stderr(f"{_folded(escape_controls(text), sys.stderr)}\n")


def warning(text: str) -> None:
    """Write a warning to stderr."""
    _note("warning", with_registry(text), "33")


def error(text: str, next_step: str | None = None, details: Iterable[str] = ()) -> None:
    """Write an error to stderr: one line, indented details, and a hint."""
    _note("error", text, "31", details)
    if next_step:
        hint(next_step)


def _note(kind: str, text: str, colour: str, details: Iterable[str] = ()) -> None:
    lines = [f"{paint(f'{kind}:', colour, sys.stderr)} {escape_controls(text)}"]
    lines += [f"  {escape_controls(detail)}" for detail in details]
    _write_to_stderr("".join(f"{_folded(line, sys.stderr)}\n" for line in lines))


def json_error(value: Any) -> None:
    """Write an error to stderr as one line of JSON."""
    _write_to_stderr(json_on_a_line(value) + "\n")


def has_status() -> bool:
    """Whether stderr can have a line that is written again."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not _is_drawn.is_set()


@contextlib.contextmanager
def drawn_by_others() -> Iterator[None]:
    """Write no status in the block, in which another display is the end of the terminal."""
    _is_drawn.set()
    try:
        yield
    finally:
        _is_drawn.clear()


def status(text: str) -> None:
    """Write what is being done as the last line of the terminal, in place of the one before."""
    with _writing:
        _write_to_stderr(excerpt(text, _columns(sys.stderr) - 1))
        _has_status.set()


def remove_status() -> None:
    """Remove what `status` wrote."""
    with _writing:
        if _has_status.is_set():
            _write_to_stderr("")


_GAP = "  "
"""What is between the columns of a table."""

_LAST = 13
"""The width up to which the last column of a table is not wrapped."""

_ON_REGISTRY = (
    "train|publish|predict|pick|evaluate|serve|promote|rollback|history|verify|reproduce|sign|"
    "doctor|(?:versions|mlflow) [a-z]+"
)
"""The commands that take ``--models``."""

_registry_option: list[str] = []

_has_status = threading.Event()
_is_drawn = threading.Event()
_writing = threading.RLock()
"""Several threads write: each that has a phase, or a transfer, to show."""
_REMOVE_LINE = "\r\x1b[2K"


def _write_to_stderr(text: str) -> None:
    """Write to stderr, which may be full or closed: that is no reason to stop the work."""
    with _writing:
        if _has_status.is_set():
            text = f"{_REMOVE_LINE}{text}"
            _has_status.clear()
        with contextlib.suppress(OSError):  # of stdout, raised again when the answer is written
            sys.stdout.flush()  # so that both streams keep their order where they are one
        with contextlib.suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()


def paint(text: str, colour: str, stream: TextIO) -> str:
    """Colour a text (by SGR number) for a terminal, unless colours are turned off."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return text if plain or not stream.isatty() else f"\x1b[{colour}m{text}\x1b[0m"


def strong(text: str) -> str:
    """Make a text bold for stdout."""
    return paint(text, "1", sys.stdout)


def json(value: Any) -> None:
    """Write the answer to stdout as indented JSON."""
    from textclf.metadata.schema import encode

    sys.stdout.write(_escaped(encode(value).decode()))


def json_line(value: Any) -> None:
    """Write a part of the answer to stdout as one line of JSON, at once."""
    remove_status()
    sys.stdout.write(f"{json_on_a_line(value)}\n")
    sys.stdout.flush()


def json_on_a_line(value: Any) -> str:
    """Return a value as one line of JSON."""
    import msgspec

    return _escaped(msgspec.json.encode(value).decode())


def _escaped(document: str) -> str:
    """Escape the characters of JSON text that a terminal would interpret, which are not of C0."""
    return re.sub(f"[{INVISIBLE}]", lambda match: _json_escape(match[0]), document)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[n : n + 4]}" for n in range(0, len(units), 4))


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Iterable[str] = (),
    spare: Iterable[str] = (),
) -> None:
    """Write a table to stdout: drawn by Rich on a terminal, else as aligned columns.

    Args:
        columns: the column heads.
        rows: the cells of each row; whole numbers get thousands separators.
        right: the heads of the columns that are aligned to the right.
        spare: the heads of columns that a terminal may be too narrow for, the first to be left out
            first.
    """
    cells: list[Sequence[str]] = [
        [f"{cell:,}" if type(cell) is int else escape_controls(cell) for cell in row]
        for row in rows
    ]
    if not sys.stdout.isatty():
        _plain(columns, cells, set(right))
        return
    for head in spare:
        if not _widths(columns, cells):
            columns, *cells = _without(columns.index(head), columns, *cells)
    if widths := _widths(columns, cells) or _widths(columns, cells, by_word=True):
        _drawn(columns, cells, set(right), widths)
    else:
        _plain(columns, cells, set(right))


def _widths(
    columns: Sequence[str], cells: Sequence[Sequence[str]], *, by_word: bool = False
) -> list[int]:
    """Return the widths of the columns of a table that is as wide as the terminal at most.

    Args:
        columns: the column heads.
        cells: the cells of each row.
        by_word: whether all columns may be wrapped between words, or only the last one.

    Returns:
        Nothing if the terminal has no room for all columns.
    """
    from rich.cells import cell_len

    texts = list(zip(columns, *cells, strict=True))
    widths = [max(map(cell_len, column)) for column in texts]
    words = [max(map(cell_len, " ".join(column).split()), default=0) for column in texts]
    least = words if by_word else list(widths)
    least[-1] = min(least[-1], _LAST)
    room = _columns(sys.stdout) - len(_GAP) * (len(widths) - 1)
    if sum(least) > room:
        return []
    for _ in range(sum(widths) - room):
        wider = [n for n, width in enumerate(widths) if width > least[n]]
        widths[max(wider, key=widths.__getitem__)] -= 1
    return widths


def _without(index: int, *rows: Sequence[str]) -> list[Sequence[str]]:
    return [[*row[:index], *row[index + 1 :]] for row in rows]


def _plain(columns: Sequence[str], cells: Sequence[Sequence[str]], right: set[str]) -> None:
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for row in (columns, *cells):
        aligned = [
            cell.rjust(width) if head in right else cell.ljust(width)
            for cell, width, head in zip(row, widths, columns, strict=True)
        ]
        line(_GAP.join(aligned).rstrip())


def _drawn(
    columns: Sequence[str],
    cells: Sequence[Sequence[str]],
    right: set[str],
    widths: Sequence[int],
) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(
        box=box.SIMPLE_HEAD,  # with a space between columns, to which the padding adds one
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
    )
    for head, width in zip(columns, widths, strict=True):
        drawn.add_column(
            Text(head),
            justify="right" if head in right else "left",
            overflow="fold",
            width=width,
        )
    for row in cells:
        drawn.add_row(*(Text(cell) for cell in row))
    Console().print(drawn)

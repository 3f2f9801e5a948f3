"""How values look: JSON and text on stdout; hints, warnings and errors on stderr.

Whatever comes from data or files passes ``visible`` on its way to a terminal, so that no text can
move the cursor or write a title. Rich is imported where a person looks at a table, not before.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterable, Sequence
from shutil import get_terminal_size
from typing import Any, TextIO

# C1 controls, line separators, marks that turn the direction of writing around, what has no width
# (but for the two that join letters), tags, surrogates; and C0, which JSON has escaped already
_UNSEEN = (
    "\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff"
)
_UNSEEN_IN_TEXT = re.compile(f"[\x00-\x1f{_UNSEEN}]")
_UNSEEN_IN_JSON = re.compile(f"[{_UNSEEN}]")


def visible(text: object) -> str:
    r"""Text with control characters written out (``\x1b``) instead of obeyed."""
    return _UNSEEN_IN_TEXT.sub(lambda match: repr(match[0])[1:-1], str(text))


def shorten(text: object, width: int = 60) -> str:
    """The beginning of a text, visible, in at most ``width`` characters."""
    shown = visible(text)
    return shown if len(shown) <= width else shown[: width - 1] + "…"


def storable(path: object) -> str:
    """A path as JSON can have it: a name need not be UTF-8."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def line(text: str = "") -> None:
    """One line of the answer."""
    sys.stdout.write(f"{text}\n")


def hint(text: str, *, quiet: bool = False) -> None:
    """How to go on; to stderr."""
    if not quiet:
        _note("hint", text, "36")


def progress(text: str) -> None:
    """How far the work is; to stderr."""
    sys.stdout.flush()
    sys.stderr.write(f"{visible(text)}\n")
    sys.stderr.flush()


def warning(text: str) -> None:
    """Something the user should know; to stderr."""
    _note("warning", text, "33")


def error(text: str, how_to_go_on: str | None = None, details: Iterable[str] = ()) -> None:
    """What went wrong, in one line and perhaps some details, and a hint; to stderr."""
    _note("error", text, "31", details)
    if how_to_go_on:
        hint(how_to_go_on)


def _note(kind: str, text: str, colour: str, details: Iterable[str] = ()) -> None:
    lines = [f"{paint(f'{kind}:', colour, sys.stderr)} {visible(text)}"]
    lines += [f"  {visible(detail)}" for detail in details]
    sys.stdout.flush()  # so that both streams keep their order where they are one
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()


def paint(text: str, colour: str, stream: TextIO) -> str:
    """Text in a colour (SGR number) where somebody sees it and wants it."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return text if plain or not stream.isatty() else f"\x1b[{colour}m{text}\x1b[0m"


def strong(text: str) -> str:
    """Bold on stdout."""
    return paint(text, "1", sys.stdout)


def json(value: Any) -> None:
    """The answer as indented JSON."""
    from textclf.metadata.schema import encode

    sys.stdout.write(_escaped(encode(value).decode()))


def json_on_a_line(value: Any) -> str:
    """A value as one line of JSON."""
    import msgspec

    return _escaped(msgspec.json.encode(value).decode())


def _escaped(document: str) -> str:
    """The same JSON, with nothing in it that a terminal obeys."""
    return _UNSEEN_IN_JSON.sub(lambda match: _json_escape(match[0]), document)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[n : n + 4]}" for n in range(0, len(units), 4))


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Iterable[str] = ()
) -> None:
    """A table: drawn by Rich for a person, plain aligned columns for a pipe.

    Args:
        columns: the heads.
        rows: the cells.
        right: heads of the columns that are aligned to the right.
    """
    cells = [[visible(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    fits = sum(widths[:-1]) + 2 * len(widths) + 7 <= get_terminal_size().columns
    show = _drawn if sys.stdout.isatty() and fits else _plain
    show(columns, cells, set(right))


def _plain(columns: Sequence[str], cells: Sequence[Sequence[str]], right: set[str]) -> None:
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for row in (columns, *cells):
        aligned = [
            cell.rjust(width) if head in right else cell.ljust(width)
            for cell, width, head in zip(row, widths, columns, strict=True)
        ]
        line("  ".join(aligned).rstrip())


def _drawn(columns: Sequence[str], cells: Sequence[Sequence[str]], right: set[str]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for head in columns:
        drawn.add_column(Text(head), justify="right" if head in right else "left", overflow="fold")
    for row in cells:
        drawn.add_row(*(Text(cell) for cell in row))
    Console().print(drawn)


def counted(number: int, noun: str) -> str:
    """``1 row``, ``2 rows``."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def percent(value: float | None) -> str:
    """A share with one decimal: ``85.3 %``."""
    return "–" if value is None else f"{value:.1%}".replace("%", " %")


def delta(value: float | None) -> str:
    """A difference of shares in percentage points, with its sign."""
    return "–" if value is None else f"{100 * value:+.1f}"


def params(values: dict[str, Any], *, without: Collection[str] = ()) -> str:
    """Parameters of a candidate on one line: ``LinearSVC C=1 word.ngram_range=[1, 2]``."""
    named = {
        name.removeprefix("classifier__").removeprefix("features__").replace("__", "."): value
        for name, value in values.items()
        if name != "classifier" and name not in without
    }
    return " ".join(
        [str(values.get("classifier", "")), *(f"{name}={value}" for name, value in named.items())]
    )

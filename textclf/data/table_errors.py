"""What to say where the columns of a delimited file are not known, with a way to go on."""

import re
import shlex
from collections.abc import Sequence
from typing import Final

from textclf.data.columns import (
    Columns,
    guess_columns,
    listed,
    position_options,
    wrong_columns,
)
from textclf.data.dialect import DELIMITERS, Sample
from textclf.errors import DataError
from textclf.formatting import excerpt

_LONGEST_NAME = 40
"""Characters of a cell from which on it is not the name of a column."""

_FEWEST_LINES = 3
"""Lines from which on one can tell what separates them."""

_FLAGS: Final = {
    frozenset({"0", "1"}): "0 and 1",
    frozenset({"false", "true"}): "true and false",
}
_DIGIT: Final = re.compile(r"\d")
_WIDE_SEPARATORS: Final = {"::+": "the colons", r"\|\|+": "the bars", " {2,}": "the blanks"}
"""What is said about separators that take more than one character, by their patterns."""


def no_such_columns(name: str, sample: Sample, columns: Columns) -> DataError:
    """Return the error for a table whose first record does not name the columns."""
    header, body = sample.header, [record for record in sample.records[1:] if record]
    if not header:
        return DataError(
            f"{name}:1: malformed quoting in the first line, which should name the columns",
            hint="repair it; without a header give positions: "
            + position_options(range(len(columns.needed))),
        )
    needs_label = columns.needs_label
    flags = _flag_columns(header, body) if needs_label else {}
    if len(flags) > 1 and columns.label not in header:
        first = next(iter(flags))
        return DataError(
            f"{name} has a column of {flags[first]} for each of several labels: "
            f"{listed(list(flags))}",
            hint=f"--label-column {shlex.quote(first)} learns one of them",
        )
    if len(header) == 1 and (way := _way_to_separate_names(header[0], columns)):
        return DataError(
            f'{name}:1: nothing separates the columns in "{excerpt(header[0])}"', hint=way
        )
    guess = guess_columns([header, *body], labelled=needs_label)
    is_usual = all(option == wanted for option, wanted in columns.needed.items())
    if is_usual and guess and _looks_like_data(header, body, guess[1]):
        names = 'the columns "text" and "label"' if needs_label else 'a column "text"'
        positions = position_options(guess[: len(columns.needed)])
        return DataError(
            f"{name}:1: the first line does not name {names}: it is {listed(header)}",
            hint=f"no header? give positions: {positions}",
        )
    if len(header) == 1 and not needs_label:
        return _no_such_text(name, header[0], [header, *body])
    guess = guess_columns(body, len(header), labelled=needs_label) if body else None
    return wrong_columns(name, header, columns, columns.locate(header), guess)


def _way_to_separate_names(line: str, columns: Columns) -> str | None:
    """Return how to separate the columns that the first line names, if it does."""
    for character in dict.fromkeys(line):
        names = line.split(character)
        named = all(names) and all(columns.locate(names))
        if named and not (character.isalnum() or character.isspace() or character == '"'):
            if character in DELIMITERS:
                return "take off the quotes that are around whole lines"
            return f"--delimiter {shlex.quote(character)}"
    return None


def _no_such_text(name: str, first: str, records: list[list[str]]) -> DataError:
    """Return the error for a table whose records have one cell, if it is one."""
    if separator := _separator([" ".join(record) for record in records]):
        return DataError(
            f'{name}:1: nothing separates the columns in "{excerpt(first)}"',
            hint=f"--delimiter {shlex.quote(separator)}",
        )
    return DataError(
        f'{name}:1: the first line does not name a column "text": it is "{excerpt(first)}"',
        hint=f"--text-column {shlex.quote(first)}, or --text-column 1 if that is a text itself",
    )


def _flag_columns(header: list[str], body: list[list[str]]) -> dict[str, str]:
    """Return the names of the columns that hold both 0 and 1, or true and false, and which."""
    columns = zip(*(row for row in body if len(row) == len(header)), strict=True)
    values = (frozenset(map(str.casefold, cells)) for cells in columns)
    named = ((cell, _FLAGS.get(found)) for cell, found in zip(header, values, strict=False))
    return {cell: flags for cell, flags in named if cell.strip() and flags}


def _looks_like_data(header: list[str], body: list[list[str]], label: int) -> bool:
    """Tell whether a first record is no header: a name stands there once, and is short.

    A longer one is a name, too, if all labels but it recur, or all cells below it have a digit.
    """
    rows = [row for row in body if len(row) == len(header)]
    labels = [row[label] for row in rows]
    if header[label] and header[label] in labels:
        return True
    if len(set(labels)) <= len(labels) / 2 or any(
        map(_is_above_numbers, header, zip(*rows, strict=True))
    ):
        return False
    return any(len(cell) > _LONGEST_NAME or cell.strip().isdecimal() for cell in header)


def _is_above_numbers(name: str, cells: Sequence[str]) -> bool:
    """Tell whether all cells of a column have a digit, such as dates, but not the first one."""
    return not _DIGIT.search(name) and all(map(_DIGIT.search, cells))


def no_such_position(name: str, sample: Sample, index: int, option: str) -> DataError:
    """Return the error for a position beyond the last column, which an option asks for."""
    return DataError(
        f"{name} has {sample.width} columns, there is no column {index + 1}",
        hint=f"--{option}-column takes a position from 1 to {sample.width}",
    )


def not_separated(name: str, samples: Sequence[Sample], columns: Columns) -> DataError:
    """Return the error for a file in which no delimiter makes columns, with a way to go on."""
    lines = next(filter(None, map(_lines_of, samples)), [""])
    located = columns.locate([lines[0]])
    if located[0] and not all(located) and columns.positions is None:
        return wrong_columns(name, [lines[0]], columns, located)
    return DataError(
        f'{name}:1: nothing separates a text from its label in "{excerpt(lines[0])}"',
        hint=_way_to_separate_names(lines[0], columns) or _way_to_separate(lines, columns),
    )


def _lines_of(sample: Sample) -> list[str]:
    return [sample.dialect.delimiter.join(record) for record in sample.records if record]


def _way_to_separate(lines: list[str], columns: Columns) -> str:
    separator, wide = _separator(lines), _wide_separator(lines)
    if separator:
        rows = [line.split(separator) for line in lines]
        return f"--delimiter {shlex.quote(separator)}{_positions(rows, columns)}"
    if wide:
        rows = [re.split(wide, line.strip()) for line in lines]
        options = _positions(rows, columns)
        return f"put a tab in place of {_WIDE_SEPARATORS[wide]}{options and ', then' + options}"
    first_words = {line.split(maxsplit=1)[0] for line in lines if line.strip()}
    if len(first_words) > len(lines) / 2:
        return "--delimiter gives the character that does"
    return (
        "is the first word of a line its label? put a tab in place of the space after it, then "
        "--text-column 2 --label-column 1"
    )


def _positions(rows: list[list[str]], columns: Columns) -> str:
    """Return the positions of the columns, after a blank, if the first row does not name them."""
    guess = None if all(columns.locate(rows[0])) else guess_columns(rows)
    return f" {position_options(guess)}" if guess else ""


def _wide_separator(lines: list[str]) -> str | None:
    """Return what separates the lines in two with more than one character, if something does."""
    if len(lines) < _FEWEST_LINES:
        return None
    parts = {
        wide: {len(re.split(wide, line.strip())) for line in lines} for wide in _WIDE_SEPARATORS
    }
    return next((wide for wide, counts in parts.items() if counts == {2}), None)


def _separator(lines: list[str]) -> str | None:
    """Return a character that stands exactly once on every line, if there is one."""
    if len(lines) < _FEWEST_LINES:
        return None
    candidates = [c for c in lines[0] if not c.isalnum() and c not in " .,!?\"'"]
    return next((c for c in candidates if all(line.count(c) == 1 for line in lines)), None)

"""Which columns hold the text and the label, and what to say if that is not known."""

import difflib
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textclf.errors import DataError
from textclf.formatting import excerpt

_MOST_NAMES = 10
"""Column names in a message."""

_FEWEST_ROWS = 10
"""Rows of which two have the same label, if they have labels."""


@dataclass(frozen=True)
class Columns:
    """The two columns asked for, each by its name or by its position counted from 1.

    Attributes:
        text: the column of the texts.
        label: the column of the labels.
        header: whether the first row names the columns; None: it does if one is given by its name.
    """

    text: str = "text"
    label: str = "label"
    header: bool | None = None

    @property
    def positions(self) -> tuple[int, int] | None:
        """Indices of text and label if both are positions: the file then has no header."""
        text, label = position_of(self.text), position_of(self.label)
        return None if self.header or text is None or label is None else (text, label)

    def locate(self, header: Sequence[str]) -> tuple[list[int], list[int]]:
        """Return the indices of the columns that may be meant by text and by label.

        A column goes by its exact name, by its position, or by its name in other case or with other
        white space.
        """
        return _locate(header, self.text), _locate(header, self.label)

    def text_index(self, header: Sequence[str], file: str, records: list[list[Any]]) -> int:
        """Return the index of the column of texts, where no label is needed.

        Args:
            header: the names of the columns.
            file: the name of the file, for messages.
            records: the cells of some rows, from which it is guessed which column is meant.

        Raises:
            DataError: it is not there, or there more than once.
        """
        indices = _locate(header, self.text)
        if len(indices) != 1:
            raise _wrong_names(file, header, self, records, ("text",))
        return indices[0]

    def among(self, names: list[str], file: str, records: Sequence[Sequence[Any]]) -> "Columns":
        """Return the exact names of the columns, in a format where a number is a name as well.

        Args:
            names: all names that there are.
            file: the name of the file, for messages.
            records: the cells of some rows, from which it is guessed which columns are meant.

        Raises:
            DataError: one of the columns is not there, or there more than once.
        """
        text, label = (
            [i for i in indices if position_of(wanted) is None or names[i] == wanted]
            for indices, wanted in zip(self.locate(names), (self.text, self.label), strict=True)
        )
        if len(text) != 1 or len(label) != 1:
            raise _wrong_names(file, names, self, records)
        require_different(file, text[0], label[0])
        return Columns(names[text[0]], names[label[0]])


def _wrong_names(
    file: str,
    names: Sequence[str],
    columns: Columns,
    records: Sequence[Sequence[Any]],
    options: Sequence[str] = ("text", "label"),
) -> DataError:
    """Return the error where a number is a name as well, and a list in a cell may hold texts."""
    nested = any(isinstance(cell, list) for row in records for cell in row)
    texts = [["" if cell is None else str(cell) for cell in row] for row in records]
    labelled = "label" in options
    guess = None if nested else guess_columns(texts, len(names), labelled=labelled)
    error = wrong_columns(file, names, columns, guess, options)
    error.hint = error.hint and error.hint.removesuffix(" --header")
    if nested and not columns.locate(names)[0]:
        error.hint = f'give each object its text under the key "{excerpt(columns.text)}"'
    return error


def position_of(column: str) -> int | None:
    """Return the index of a column given by its position, counted from 1; None for a name."""
    return int(column) - 1 if re.fullmatch(r"[1-9][0-9]{0,8}", column) else None


def _locate(header: Sequence[str], wanted: str) -> list[int]:
    exact = [i for i, cell in enumerate(header) if cell == wanted]
    if exact:
        return exact
    index = position_of(wanted)
    if index is not None:
        return [index] if index < len(header) else []
    folded = one_line(wanted).casefold()
    return [i for i, cell in enumerate(header) if folded and one_line(cell).casefold() == folded]


def one_line(name: str) -> str:
    """Return the name of a column with a blank for each white space in it, as one can type it."""
    return " ".join(name.split())


class NoLabels(DataError):
    """A data set has texts and no labels, such as one to predict labels for."""


def require_different(file: str, text: int, label: int) -> None:
    """Refuse to take text and label from the same column.

    Raises:
        DataError: the two indices are the same.
    """
    if text == label:
        raise DataError(
            f"the text and the label of {file} would come from the same column",
            hint="--text-column and --label-column name two different ones",
        )


def wrong_columns(
    file: str,
    header: Sequence[str],
    columns: Columns,
    guess: tuple[int, int] | None = None,
    options: Sequence[str] = ("text", "label"),
) -> DataError:
    """Return the error about columns that are not there, or there more than once.

    Args:
        file: the name of the file.
        header: the columns that there are.
        columns: those asked for.
        guess: indices of the columns that look like text and label, if there are such.
        options: those of text and label that are needed.
    """
    problems, hints, unnamed = list[str](), list[str](), list[str]()
    names = [cell for cell in header if cell.strip()]
    wanted = ("text", columns.text), ("label", columns.label)
    for at, ((option, name), indices) in enumerate(
        zip(wanted, columns.locate(header), strict=True)
    ):
        if len(indices) == 1 or option not in options:
            continue
        times = f"has {len(indices)} columns" if indices else "has no column"
        problems.append(f'{times} "{excerpt(name)}"')
        guessed = [header[guess[at]]] if guess and header[guess[at]].strip() else []
        only = names if len(names) == len(options) == 1 else []
        similar = difflib.get_close_matches(name, names)
        chosen = [each for each in guessed if each in similar] or similar or guessed or only
        if indices or (chosen and header.count(chosen[0]) > 1):
            position = indices[0] if indices else header.index(chosen[0])
            hints.append(f"--{option}-column {position + 1}")
        elif chosen:
            hints.append(f"--{option}-column {shlex.quote(one_line(chosen[0]))}")
        else:
            unnamed.append(f"--{option}-column")
    text, label = columns.locate(header)
    error = NoLabels if len(text) == 1 and not label else DataError
    return error(
        f"{file} {problems[0]}; its columns are {listed(header)}",
        hint=_with_header(hints, columns, options) or _to_name(unnamed, names, options),
    )


def _to_name(unnamed: Sequence[str], names: Sequence[str], needed: Sequence[str]) -> str | None:
    """Return a hint to name columns, if there are enough of them."""
    if len(names) < len(needed):
        return None
    return f"name {'them' if len(unnamed) > 1 else 'it'} by {' and '.join(unnamed)}"


def _with_header(hints: Sequence[str], columns: Columns, needed: Sequence[str]) -> str:
    """Return the options of a hint, which say that there is a header if all are positions."""
    values = {f"--{name}-column": getattr(columns, name) for name in needed}
    values |= {name: value for name, _, value in (hint.partition(" ") for hint in hints)}
    positions = all(position_of(value) is not None for value in values.values())
    return " ".join([*hints, "--header"] if hints and positions else hints)


def guess_columns(
    records: list[list[str]], width: int | None = None, *, labelled: bool = True
) -> tuple[int, int] | None:
    """Guess text and label: the most that is written, and the fewest different values.

    Args:
        records: some rows.
        width: the number of columns; if not given, that of the first record.
        labelled: whether there are labels, which recur in all but a few rows.

    Returns:
        Two indices; None unless two columns are filled and have more than one value.
    """
    width = len(records[0]) if width is None else width
    columns = list(zip(*(r[:width] for r in records if len(r) >= width), strict=True))
    values = [set(filter(None, cells)) for cells in columns]
    candidates = [
        i
        for i, cells in enumerate(columns)
        if sum(map(bool, cells)) > len(cells) / 2 and len(values[i]) > 1
    ]
    if len(candidates) < 2:  # noqa: PLR2004 - a text and a label
        return None
    text = max(candidates, key=lambda i: sum(map(len, values[i])))
    label = min((i for i in candidates if i != text), key=lambda i: len(values[i]))
    recurs = len(values[label]) < len(columns[label]) or len(columns[label]) < _FEWEST_ROWS
    return (text, label) if recurs or not labelled else None


def name_options(text: str, label: str) -> str:
    """Return the options that take text and label from columns by their names."""
    return f"--text-column {shlex.quote(text)} --label-column {shlex.quote(label)}"


def position_options(indices: tuple[int, int]) -> str:
    """Return the options that take text and label from columns by their positions."""
    return f"--text-column {indices[0] + 1} --label-column {indices[1] + 1}"


def listed(cells: Sequence[str]) -> str:
    """Return the first names of columns, for a message."""
    names = [excerpt(cell, 40) for cell in cells if cell.strip()]
    return ", ".join(names[:_MOST_NAMES]) + (", …" if len(names) > _MOST_NAMES else "")

"""Which columns hold the text and the label, and what to say if that is not known."""

import difflib
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from textclf.errors import DataError
from textclf.formatting import excerpt

_MOST_NAMES = 10
"""Column names in a message."""

_MOST_LABELS = 0.75
"""The share of different values from which on a column seems to hold no labels."""


@dataclass(frozen=True)
class Columns:
    """The columns asked for, each by its name or by its position counted from 1.

    Attributes:
        text: the column of the texts.
        label: the column of the labels.
        header: whether the first row names the columns; None: it does if one is given by its name.
        needs_label: whether the labels are read; else the texts are to be labelled.
    """

    text: str = "text"
    label: str = "label"
    header: bool | None = None
    needs_label: bool = True

    @property
    def needed(self) -> Mapping[str, str]:
        """The columns that are read, by their options: ``{"text": "body", "label": "kind"}``."""
        return {"text": self.text, **({"label": self.label} if self.needs_label else {})}

    @property
    def positions(self) -> tuple[int, ...] | None:
        """The indices of the columns that are read if they are all given by positions."""
        indices = [position_of(name) for name in self.needed.values()]
        return None if None in indices else tuple(index for index in indices if index is not None)

    def locate(self, header: Sequence[str]) -> list[list[int]]:
        """Return for each column that is read the indices of those that may be meant by it.

        A column goes by its exact name, by its position, or by its name in other case or with other
        white space.
        """
        return [_locate(header, wanted) for wanted in self.needed.values()]

    def among(self, names: list[str], file: str, records: Sequence[Sequence[Any]]) -> "Columns":
        """Return the exact names of the columns, in a format where a number is a name as well.

        Args:
            names: all names that there are.
            file: the name of the file, for messages.
            records: the cells of some rows, from which it is guessed which columns are meant.

        Raises:
            DataError: one of the columns is not there, or there more than once.
        """
        located = [
            [i for i in indices if position_of(wanted) is None or names[i] == wanted]
            for indices, wanted in zip(self.locate(names), self.needed.values(), strict=True)
        ]
        if any(len(indices) != 1 for indices in located):
            raise _wrong_names(file, names, self, located, records)
        require_different(file, [index for [index] in located])
        exact = [names[index] for [index] in located]
        return replace(self, text=exact[0], label=exact[-1])


def _wrong_names(
    file: str,
    names: Sequence[str],
    columns: Columns,
    located: Sequence[Sequence[int]],
    records: Sequence[Sequence[Any]],
) -> DataError:
    """Return the error where a number is a name as well, and a list in a cell may hold texts."""
    nested = any(isinstance(cell, list) for row in records for cell in row)
    texts = [["" if cell is None else str(cell) for cell in row] for row in records]
    guess = None if nested else guess_columns(texts, len(names), labelled=columns.needs_label)
    error = wrong_columns(file, names, columns, located, guess)
    error.hint = error.hint and error.hint.removesuffix(" --header")
    if nested and not located[0]:
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


def require_different(file: str, indices: Sequence[int]) -> None:
    """Refuse to take text and label from the same column.

    Raises:
        DataError: two of the indices are the same.
    """
    if len(set(indices)) < len(indices):
        raise DataError(
            f"the text and the label of {file} would come from the same column",
            hint="--text-column and --label-column name two different ones",
        )


def wrong_columns(
    file: str,
    header: Sequence[str],
    columns: Columns,
    located: Sequence[Sequence[int]],
    guess: tuple[int, int] | None = None,
) -> DataError:
    """Return the error about columns that are not there, or there more than once.

    Args:
        file: the name of the file.
        header: the columns that there are.
        columns: those asked for.
        located: for each of these the indices of those that may be meant.
        guess: indices of the columns that look like text and label, if there are such.
    """
    problems, hints, unnamed = list[str](), list[str](), list[str]()
    names = [cell for cell in header if cell.strip()]
    for at, ((option, name), indices) in enumerate(
        zip(columns.needed.items(), located, strict=True)
    ):
        if len(indices) == 1:
            continue
        times = f"has {len(indices)} columns" if indices else "has no column"
        problems.append(f'{times} "{excerpt(name)}"')
        guessed = [header[guess[at]]] if guess and header[guess[at]].strip() else []
        only = names if len(names) == len(located) == 1 else []
        similar = difflib.get_close_matches(name, names)
        chosen = [each for each in guessed if each in similar] or similar or guessed or only
        chosen = [header[index] for index in indices] or chosen
        if chosen and header.count(chosen[0]) > 1:
            hints.append(f"--{option}-column {header.index(chosen[0]) + 1}")
        elif chosen:
            hints.append(f"--{option}-column {shlex.quote(_typed(chosen[0], header))}")
        else:
            unnamed.append(f"--{option}-column")
    error = NoLabels if [len(indices) for indices in located] == [1, 0] else DataError
    return error(
        f"{file} {problems[0]}; its columns are {listed(header)}",
        hint=_with_header(hints, columns) or _to_name(unnamed, names, len(located)),
    )


def _typed(name: str, header: Sequence[str]) -> str:
    """Return how to name a column: on one line, if that is clear."""
    return one_line(name) if len(_locate(header, one_line(name))) == 1 else name


def _to_name(unnamed: Sequence[str], names: Sequence[str], needed: int) -> str | None:
    """Return a hint to name columns, if there are enough of them."""
    if len(names) < needed:
        return None
    return f"name {'them' if len(unnamed) > 1 else 'it'} by {' and '.join(unnamed)}"


def _with_header(hints: Sequence[str], columns: Columns) -> str:
    """Return the options of a hint, which say that there is a header if all are positions."""
    values = {f"--{option}-column": name for option, name in columns.needed.items()}
    values |= {name: value for name, _, value in (hint.partition(" ") for hint in hints)}
    positions = all(position_of(value) is not None for value in values.values())
    return " ".join([*hints, "--header"] if hints and positions else hints)


def guess_columns(
    records: Sequence[Sequence[str]], width: int | None = None, *, labelled: bool = True
) -> tuple[int, int] | None:
    """Guess text and label: the most that is written, and the only values that recur.

    Args:
        records: some rows.
        width: the number of columns; if not given, that of the first record.
        labelled: whether there are labels; else the second column may be any other.

    Returns:
        Two indices; None unless two columns are filled and have more than one value, and only one
        can be that of the labels.
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
    others = [i for i in candidates if i != text]
    labels = [i for i in others if len(values[i]) < _MOST_LABELS * len(columns[i])]
    if labelled and len(labels) != 1:
        return None
    return text, (labels or others)[0]


def name_options(text: str, label: str) -> str:
    """Return the options that take text and label from columns by their names."""
    return f"--text-column {shlex.quote(text)} --label-column {shlex.quote(label)}"


def position_options(indices: Iterable[int]) -> str:
    """Return the options that take text and label from columns by their positions."""
    options = zip(("text", "label"), indices, strict=False)
    return " ".join(f"--{option}-column {index + 1}" for option, index in options)


def listed(cells: Sequence[str]) -> str:
    """Return the first names of columns, for a message."""
    names = [excerpt(cell, 40) for cell in cells if cell.strip()]
    return ", ".join(names[:_MOST_NAMES]) + (", …" if len(names) > _MOST_NAMES else "")

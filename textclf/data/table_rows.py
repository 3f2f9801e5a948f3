"""The rows of a table with all their cells, read in batches while the file streams past.

A training set is read as a whole, for its labels are needed; a table of texts to be labelled may be
larger than memory, has columns of its own, and gives them back as they are.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, Final

from textclf.data.columns import Columns
from textclf.data.dialect import is_rule, reason_of
from textclf.data.encoding import Replacer
from textclf.data.exports import find_export
from textclf.data.format import MOST_BAD
from textclf.data.jsonl import read_value
from textclf.data.layout import Layout
from textclf.data.records import SAMPLE, RecordReader, names_in
from textclf.errors import DataError
from textclf.formatting import plural

_BATCH_ROWS: Final = 10_000
_BATCH_CHARACTERS: Final = 1 << 20
_LONGEST_RECORD_LINES = 10_000
_LONGEST_LINE: Final = 1 << 28
"""Characters in a line at most: a longer one is no row, and might never end."""

_SKIP: Final = "--on-bad-rows skip leaves such rows out"

_LEAST_ROWS = 1000
"""Rows from which on that share can be told before the end."""


@dataclass(frozen=True)
class Batch:
    """Some rows of a table.

    Attributes:
        texts: the text of each row; ``None`` where there is none, or only white space.
        rows: the cells of each row, or the JSON object that it is.
        places: the line on which each row starts; in formats without lines, its number.
    """

    texts: Sequence[str | None]
    rows: Sequence[list[str]] | Sequence[str]
    places: Sequence[int]

    def __len__(self) -> int:
        return len(self.texts)


@dataclass
class BadRows:
    """Rows that cannot be read, as they are met.

    Attributes:
        name: the file.
        policy: ``fail``, ``skip`` or ``auto``: leave out up to 1%.
        count: how many there were so far.
        examples: the first of them.
        replaced: what stands for bytes that are no text, in rows that are read.
        encoding: the encoding in which these are not text.
    """

    name: str
    policy: str
    count: int = 0
    examples: list[str] = field(default_factory=list)
    replaced: Replacer = field(default_factory=Replacer)
    encoding: str = "UTF-8"

    def add(self, line: int, reason: str) -> None:
        """Leave out a row. Raises DataError if none is to be left out."""
        self.count += 1
        if len(self.examples) < 5:  # noqa: PLR2004 - enough to see what is wrong
            self.examples.append(f"{self.name}:{line}: {reason}")
        if self.policy == "fail":
            raise self._error(_SKIP)

    def check(self, rows: int) -> None:
        """Raise DataError if beside so many rows too many were left out, or all of them."""
        if self.count and not rows:
            raise self._error(None)
        if self.policy == "auto" and self.count > MOST_BAD * (rows + self.count):
            raise self._error(_SKIP)

    def notes(self) -> Iterator[str]:
        """Yield sentences on the rows that were left out and the bytes that were replaced."""
        if self.count:
            yield f"left out {plural(self.count, 'row')} that cannot be read: {self.examples[0]}"
        if note := self.replaced.note(self.encoding):
            yield note

    def _error(self, hint: str | None) -> DataError:
        message = f"{plural(self.count, 'bad row')} in {self.name}"
        return DataError(message, details=self.examples, hint=hint)


def batches(rows: Iterable[tuple[int, str | None, Any]], bad: BadRows) -> Iterator[Batch]:
    """Gather rows, each with its place and its text, into batches, of about a megabyte."""
    texts: list[str | None] = []
    cells: list[Any] = []
    places: list[int] = []
    size = done = 0
    for place, text, row in rows:
        texts.append(text if text and not text.isspace() else None)
        cells.append(row)
        places.append(place)
        size += len(row) if isinstance(row, str) else sum(map(len, row))
        if size > _BATCH_CHARACTERS or len(texts) >= _BATCH_ROWS:
            yield Batch(texts, cells, places)
            done += len(texts)
            texts, cells, places, size = [], [], [], 0
            if done > _LEAST_ROWS:
                bad.check(done)
    if texts:
        yield Batch(texts, cells, places)
    bad.check(done + len(texts))


# --- delimited ------------------------------------------------------------------------------------


class _Lines:
    """Lines with their numbers, of which the last ones can be given back."""

    def __init__(self, lines: Iterator[str], before: int) -> None:
        self._lines, self._back = lines, list[str]()
        self.taken = list[str]()
        self.number = before

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._back.pop() if self._back else next(self._lines)
        self.number += 1
        self.taken.append(line)
        if len(self.taken) > _LONGEST_RECORD_LINES:
            raise csv.Error("unexpected end of data")
        return line

    def give_back_all_but_first(self) -> None:
        """Let the lines of a malformed record be read again, from its second one on."""
        self.number -= len(self.taken) - 1
        self._back += self.taken[:0:-1]
        self.taken.clear()


def delimited_rows(
    lines: Iterator[str], layout: Layout, bad: BadRows, places: Sequence[int]
) -> Iterator[tuple[int, str | None, list[str]]]:
    """Yield the place, the text and the cells of each row; go on after a malformed line.

    Args:
        lines: the lines after the header.
        layout: how they are written.
        bad: takes the rows that cannot be read.
        places: the place of each line of the file, as users know it.
    """
    dialect, header, width, text_at = layout.dialect, layout.first, layout.width, layout.indices[0]
    headers = [header, [f"\ufeff{header[0]}", *header[1:]]] if layout.has_header else []
    source = _Lines(lines, layout.lines)
    while True:
        reader = dialect.reader(source)
        begin = source.number
        try:
            for record in reader:
                source.taken.clear()
                first = places[begin]
                row = record if len(record) == width else _fitted(record, width)
                if row in headers:
                    bad.add(first, "the header again, as in files that were joined")
                elif len(row) > width:
                    bad.add(first, f"{plural(len(row), 'column')}, not {width}")
                elif row and not (row[text_at].strip() and is_rule(row)):
                    yield first, row[text_at], row
                begin = source.number
        except csv.Error as error:
            source.give_back_all_but_first()
            bad.add(places[begin], reason_of(str(error)))
            continue
        return


def _fitted(row: list[str], width: int) -> list[str]:
    """Return a row without empty cells beyond its width, or with those that it lacks."""
    while len(row) > width and not row[-1].strip():
        row.pop()
    return row + [""] * (width - len(row)) if any(map(str.strip, row)) else []


# --- JSON -----------------------------------------------------------------------------------------


def json_rows(
    lines: Iterable[tuple[int, str]], columns: Columns, bad: BadRows
) -> tuple[list[str], Iterator[tuple[int, str | None, str]]]:
    """Read an object a line, of lines with their numbers.

    Returns:
        The keys of the first objects, and the number, the text and the object, as it is written, of
        each row.

    Raises:
        DataError: the first objects do not have the key of the texts.
    """
    stripped = ((number, line.strip().removesuffix(",")) for number, line in lines)
    records = ((number, line, read_value(line)) for number, line in stripped if line)
    head = list(islice(records, SAMPLE))
    sample = [record for _, _, record in head if isinstance(record, dict)]
    reader = RecordReader(sample, columns, bad.name, find_export(sample))

    def rows() -> Iterator[tuple[int, str | None, str]]:
        for number, line, record in chain(head, records):
            try:
                text = reader.text_of(record)
            except ValueError as error:
                bad.add(number, str(error))
            else:
                yield number, text, line

    return names_in(sample), rows()

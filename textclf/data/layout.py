"""Find the header of a delimited file and the columns that are meant, or say what is missing."""

import re
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from textclf.data.columns import Columns, require_different
from textclf.data.dialect import Dialect, Sample
from textclf.data.lines import START, Position
from textclf.data.table_errors import no_such_columns, no_such_position, not_separated

MOST_TITLE_LINES = 20
"""Records above the one that names the columns."""


class RowLayout(NamedTuple):
    """The place of text and label in a row.

    Attributes:
        text: the index of the text.
        label: the index of the label.
        width: the number of columns that rows should have.
        expected: where the width comes from, for the reason of a row that has another.
        names: the names of text and label, as the header writes them.
    """

    text: int
    label: int
    width: int
    expected: str
    names: tuple[str, str] | None = None


class FileLayout(NamedTuple):
    """How a delimited file is written.

    Attributes:
        dialect: how its cells are told apart.
        rows: the place of text and label in its rows.
        body: where its rows start.
        first: the cells of its header, or of its first record.
        notes: sentences on what is not read.
    """

    dialect: Dialect
    rows: RowLayout
    body: Position
    first: Sequence[str]
    notes: Sequence[str] = ()


def find_layout(
    data: bytes, samples: Sequence[Sample], name: str, columns: Columns, start: Position
) -> FileLayout:
    """Return how a file is written and where its columns are.

    Args:
        data: the file, in UTF-8 with line feeds.
        samples: its first records with each delimiter that it may have, the most likely first.
        name: the name of the file, for messages.
        columns: those that are asked for.
        start: where its first record starts.

    Raises:
        DataError: the columns cannot be told apart, or are not those asked for.
    """
    if columns.positions is None:
        return _with_header(data, samples, name, columns)
    return _without_header(samples, name, columns, start)


def announced_delimiter(data: bytes) -> tuple[Position, str | None]:
    """Return the start of the records, and the delimiter of a line ``sep=;``, as Excel has it."""
    line = re.match(rb'"?sep=([\t -~])"?\r?\n', data, re.IGNORECASE)
    return (Position(1, line.end()), line[1].decode()) if line else (START, None)


def _with_header(data: bytes, samples: Sequence[Sample], name: str, columns: Columns) -> FileLayout:
    """Return the first dialect in which the first record, or one of the next, names both."""
    for at in range(1 + MOST_TITLE_LINES):
        for sample in samples:
            record = next(islice(sample.records, at, None), [])
            text, label = columns.locate(record)
            exact = columns.text in record and columns.label in record
            if len(text) == 1 and len(label) == 1 and (at == 0 or exact):
                require_different(name, text[0], label[0])
                layout = _row_layout(record, sample.records[at + 1 :], text[0], label[0])
                body = START.forward(data, sample.ends[at])
                notes = reading_notes(sample, at, has_row_names=layout.width > len(record))
                return FileLayout(sample.dialect, layout, body, record, notes)
    best = max(samples, key=lambda sample: sample.likeness(columns))
    if best.width < 2 or not (best.likeness(columns)[0] or len(samples) == 1):  # noqa: PLR2004 - two columns
        raise not_separated(name, samples, columns)
    raise no_such_columns(name, best, columns)


def reading_notes(sample: Sample, at: int, *, has_row_names: bool) -> list[str]:
    """Return sentences on what is not read: titles above the header, and the names of rows.

    Args:
        sample: the first records.
        at: which of them is the header.
        has_row_names: whether rows begin with a name or a number that the header does not name.
    """
    notes = []
    if any(any(map(str.strip, record)) for record in sample.records[:at]):
        notes.append(f"the header is on line {sample.ends[at]}; the lines above it are not read")
    if has_row_names:
        notes.append("the first column, which the header does not name, is not read")
    return notes


def _row_layout(header: list[str], body: list[list[str]], text: int, label: int) -> RowLayout:
    names = header[text], header[label]
    if _has_row_names(len(header), body, text, label):
        expected = f"the header names {len(header)} after the names of the rows"
        return RowLayout(text + 1, label + 1, len(header) + 1, expected, names)
    width = 1 + max(text, label, *(i for i, cell in enumerate(header) if cell.strip()))
    return RowLayout(text, label, width, f"the header names {width}", names)


def _has_row_names(width: int, body: list[list[str]], text: int, label: int) -> bool:
    """Tell whether rows begin with their number, which the header does not name, as R writes them.

    Rows that only end in a delimiter are as wide. They have no number in the place of the text or
    the label.
    """
    wide = [record for record in body if len(record) == width + 1]
    if len(wide) < max(2, len([record for record in body if record])):
        return False
    numbers = [record[0] for record in wide]
    if not all(map(str.isdecimal, numbers)) or len(set(numbers)) < len(numbers):
        return False
    return any(record[-1] for record in wide) or 0 in (text, label)


def _without_header(
    samples: Sequence[Sample], name: str, columns: Columns, start: Position
) -> FileLayout:
    """Return the most regular dialect; the width of most records is the one all should have."""
    text, label = columns.positions or (0, 0)
    last = max(text, label)
    given = len(samples) == 1 and samples[0].width > 1
    regular = [sample for sample in samples if sample.regular or given]
    if not regular:
        raise not_separated(name, samples, columns)
    best = max(regular, key=lambda sample: (sample.width > last, sample.share))
    if best.width <= last:
        raise no_such_position(name, best, last, "text" if text == last else "label")
    require_different(name, text, label)
    layout = RowLayout(text, label, best.width, f"most rows have {best.width}")
    return FileLayout(best.dialect, layout, start, best.header)

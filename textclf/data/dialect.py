"""Detect how a delimited file is written: its delimiter, its header, the columns wanted of it."""

import csv
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from textclf.data.columns import (
    Columns,
    guess_columns,
    listed,
    position_options,
    require_different,
    wrong_columns,
)
from textclf.data.exports import find_export
from textclf.data.lines import START, physical_lines
from textclf.errors import DataError
from textclf.formatting import excerpt

DELIMITERS: Final = (",", "\t", ";", "|")
"""The characters that are detected; others have to be given."""

_SAMPLE_BYTES = 1 << 16
_REGULAR_SHARE = 0.9
"""The share of records with the same number of columns from which on they make a table."""

_MOST_MALFORMED = 100
"""Malformed records in the sample after which no further ones are looked at."""

_LONGEST_NAME = 40
"""Characters of a cell from which on it is not the name of a column."""


class Dialect(NamedTuple):
    """How cells are told apart; without quoting a quotation mark is an ordinary character."""

    delimiter: str
    quoting: bool = True

    def reader(self, lines: Iterable[str], *, strict: bool = True) -> Any:
        """Return a CSV reader; a strict one raises csv.Error at a malformed record."""
        if not self.quoting:
            return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)
        return csv.reader(lines, delimiter=self.delimiter, strict=strict)


class Layout(NamedTuple):
    """The indices of text and label, and the width that rows should have.

    ``norm`` says where the width comes from, for the reason of a row that has another.
    """

    text: int
    label: int
    width: int
    norm: str


@dataclass(frozen=True)
class Sample:
    """The first records of a file in one dialect; a malformed one has no cells.

    Attributes:
        dialect: how they were read.
        records: their cells.
        width: the number of columns that most records have.
        share: the share of the records that have it.
    """

    dialect: Dialect
    records: list[list[str]]
    width: int
    share: float

    @property
    def regular(self) -> bool:
        """Whether the records make a table."""
        return self.width > 1 and self.share >= _REGULAR_SHARE

    @property
    def header(self) -> list[str]:
        """The first record."""
        return self.records[0] if self.records else []

    def likeness(self, columns: Columns) -> tuple[int, float, int]:
        """Return a value to order samples by how much they look like the table that is meant."""
        located = sum(map(bool, columns.locate(self.header)))
        named = 2 * located if len(self.header) > 1 else 0
        return named + self.regular, self.share, self.width


def detect(
    data: bytes, name: str, columns: Columns, delimiter: str | None
) -> tuple[Dialect, Layout]:
    """Detect the dialect of a file, with the place of the columns in it.

    Raises:
        DataError: the columns cannot be told apart, or are not those asked for.
    """
    samples = _samples(data, (delimiter,) if delimiter else DELIMITERS)
    if columns.positions is None:
        return _with_header(samples, name, columns)
    return _without_header(samples, name, columns)


def exported_dialect(data: bytes, delimiter: str | None) -> Dialect | None:
    """Return the dialect in which a file is the export of a labelling tool, if it is one."""
    for sample in _samples(data, (delimiter,) if delimiter else DELIMITERS):
        names = sample.header
        records = [dict(zip(names, record, strict=False)) for record in sample.records[1:]]
        if len(set(names)) == sample.width > 1 and find_export(records):
            return sample.dialect
    return None


def _samples(data: bytes, delimiters: Sequence[str]) -> list[Sample]:
    end = data.find(b"\n", _SAMPLE_BYTES) + 1
    head = data[:end] if end else data
    samples = [_sample(head, Dialect(delimiter), len(data)) for delimiter in delimiters]
    if len(head) < len(data) and not any(sample.records for sample in samples):
        samples = [_sample(data, Dialect(delimiter), len(data)) for delimiter in delimiters]
    return samples


def _sample(head: bytes, dialect: Dialect, size: int) -> Sample:
    records = list(_sample_records(head, dialect, size))
    widths = Counter(len(record) for record in records if record)
    width, count = max(widths.items(), key=lambda item: item[1], default=(0, 0))
    sample = Sample(dialect, records, width, count / len(records) if records else 0.0)
    if dialect == Dialect("\t") and [] in records:  # quotation marks that do not quote
        return max(sample, _sample(head, Dialect("\t", quoting=False), size), key=_share)
    return sample


def _share(sample: Sample) -> float:
    return sample.share


def _sample_records(head: bytes, dialect: Dialect, size: int) -> Iterator[list[str]]:
    start, malformed = START, 0
    while start.offset < len(head) and malformed < _MOST_MALFORMED:
        reader = dialect.reader(physical_lines(head, start.offset))
        done = 0
        try:
            for row in reader:
                if row:
                    yield row
                done = reader.line_num
            break
        except csv.Error as error:
            if len(head) < size and "end of data" in str(error):
                break  # cut off by the sample, as far as one can tell
            malformed += 1
            yield []
            start = start.forward(head, done + 1)


def _with_header(samples: list[Sample], name: str, columns: Columns) -> tuple[Dialect, Layout]:
    """Return the first dialect in which the first record names both columns."""
    for sample in samples:
        text, label = columns.locate(sample.header)
        if len(text) == 1 and len(label) == 1:
            require_different(name, text[0], label[0])
            named = max(i for i, cell in enumerate(sample.header) if cell.strip())
            width = max(named, *text, *label) + 1
            return sample.dialect, Layout(text[0], label[0], width, f"the header names {width}")
    best = max(samples, key=lambda sample: sample.likeness(columns))
    if best.width < 2 or not (best.likeness(columns)[0] or len(samples) == 1):  # noqa: PLR2004 - two columns
        raise _not_separated(name, samples, columns)
    raise _no_such_columns(name, best, columns)


def _without_header(samples: list[Sample], name: str, columns: Columns) -> tuple[Dialect, Layout]:
    """Return the most regular dialect; the width of most records is the one all should have."""
    text, label = columns.positions or (0, 0)
    last = max(text, label)
    regular = [sample for sample in samples if sample.regular]
    if len(samples) == 1 and samples[0].width > 1:
        regular = samples
    if not regular:
        raise _not_separated(name, samples, columns)
    best = max(regular, key=lambda sample: (sample.width > last, sample.share))
    if best.width <= last:
        raise DataError(
            f"{name} has {best.width} columns, there is no column {last + 1}",
            hint=f"--{'text' if text == last else 'label'}-column takes a position from 1 to "
            f"{best.width}",
        )
    require_different(name, text, label)
    return best.dialect, Layout(text, label, best.width, f"most rows have {best.width}")


# --- what to say where the columns are not known --------------------------------------------------


def _no_such_columns(name: str, sample: Sample, columns: Columns) -> DataError:
    header, body = sample.header, [record for record in sample.records[1:] if record]
    if not header:
        return DataError(
            f"{name}:1: malformed quoting in the first line, which should name the columns",
            hint="repair it; without a header give positions: --text-column 1 --label-column 2",
        )
    guess = guess_columns([header, *body])
    if columns == Columns() and guess and _looks_like_data(header, body, guess[1]):
        return DataError(
            f'{name}:1: the first line does not name the columns "text" and "label": it is '
            f"{listed(header)}",
            hint=f"no header? give positions: {position_options(guess)}",
        )
    return wrong_columns(name, header, columns, guess_columns(body, len(header)) if body else None)


def _looks_like_data(header: list[str], body: list[list[str]], label: int) -> bool:
    """Tell whether a first record is no header: a name is short, and stands there once."""
    recurs = any(len(row) > label and row[label] == header[label] for row in body)
    return recurs or any(len(cell) > _LONGEST_NAME or cell.strip().isdecimal() for cell in header)


def _not_separated(name: str, samples: list[Sample], columns: Columns) -> DataError:
    """Return the error for a file in which no delimiter makes columns, with a way to go on."""
    lines = next(filter(None, map(_lines_of, samples)), [""])
    return DataError(
        f'{name}:1: nothing separates a text from its label in "{excerpt(lines[0])}"',
        hint=_way_to_separate(lines, columns),
    )


def _lines_of(sample: Sample) -> list[str]:
    return [sample.dialect.delimiter.join(record) for record in sample.records if record]


def _way_to_separate(lines: list[str], columns: Columns) -> str:
    separator = _separator(lines)
    if separator:
        rows = [line.split(separator) for line in lines]
        guess = None if all(columns.locate(rows[0])) else guess_columns(rows)
        option = f"--delimiter {shlex.quote(separator)}"
        return f"{option} {position_options(guess)}" if guess else option
    first_words = {line.split(maxsplit=1)[0] for line in lines if line.strip()}
    if len(first_words) > len(lines) / 2:
        return "--delimiter gives the character that does"
    return (
        "is the first word of a line its label? put a tab in place of the space after it, then "
        "--text-column 2 --label-column 1"
    )


def _separator(lines: list[str]) -> str | None:
    """Return a character that stands exactly once on every line, if there is one."""
    if len(lines) < 3:  # noqa: PLR2004 - too few to tell
        return None
    candidates = [c for c in lines[0] if not c.isalnum() and c not in " .,!?\"'"]
    return next((c for c in candidates if all(line.count(c) == 1 for line in lines)), None)

"""How a delimited file is written: the characters between and around its cells."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from textclf.data.columns import Columns
from textclf.data.lines import START, Position, lines_from, physical_lines
from textclf.formatting import plural

DELIMITERS: Final = (",", "\t", ";", "|")
"""The characters that are detected; others have to be given."""

_LONGEST_FIELD = 2**31 - 1  # the default of csv would refuse a text of more than 128 KB
_SAMPLE_BYTES = 1 << 16
_REGULAR_SHARE = 0.9
"""The share of records with the same number of columns from which on they make a table."""

_MOST_MALFORMED = 100
"""Malformed records in the sample after which no further ones are looked at."""

_ESCAPED_QUOTE: Final = re.compile(r'(?<!\\)((?:\\\\)*)\\"')
"""A quote after an odd number of backslashes."""

_REASONS: Final = {
    "end of data": "malformed quoting: the quote is never closed",
    "new-line": "malformed quoting: a carriage return outside quotes",
    "field limit": "a text of more than 2 GB",
}


class Dialect(NamedTuple):
    """How cells are told apart.

    Attributes:
        delimiter: the character between cells.
        quote: the character around cells; without one, every character is an ordinary one.
        skip_blanks: whether blanks after a delimiter belong to no cell.
        escaped: whether a quote in a cell has a backslash before it, as Spark and MySQL write it,
            rather than another quote.
    """

    delimiter: str
    quote: str | None = '"'
    skip_blanks: bool = False
    escaped: bool = False

    def reader(self, lines: Iterable[str], *, strict: bool = True) -> Any:
        """Return a CSV reader; a strict one raises csv.Error at a malformed record."""
        csv.field_size_limit(_LONGEST_FIELD)
        if self.quote is None:
            return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)
        if self.escaped:
            lines = (_ESCAPED_QUOTE.sub(r'\1""', line) for line in lines)
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote,
            skipinitialspace=self.skip_blanks,
            strict=strict,
        )


def _announced_delimiter(data: bytes) -> tuple[Position, str | None]:
    """Return the start of the records, and the delimiter of a line ``sep=;``, as Excel has it."""
    line = re.match(rb'"?sep=([\t -~])"?\r?\n', data, re.IGNORECASE)
    return (Position(1, line.end()), line[1].decode()) if line else (START, None)


@dataclass(frozen=True)
class Sample:
    """The first records of a file in one dialect; a malformed one has no cells.

    Attributes:
        dialect: how they were read.
        start: where the first of them starts.
        records: their cells.
        ends: the number of physical lines up to the end of each record.
        width: the number of columns that most records have.
        share: the share of the records that have it.
    """

    dialect: Dialect
    start: Position
    records: list[list[str]]
    ends: list[int]
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


def read_samples(data: bytes, delimiter: str | None, ending: str) -> list[Sample]:
    """Read the first records with each delimiter that a file may have.

    Args:
        data: the file.
        delimiter: the character between its cells, if that is given.
        ending: the ending of its name.

    Returns:
        A sample of each delimiter, the most likely first, with the quotes that suit it best.
    """
    start, announced = _announced_delimiter(data)
    known, tabs_first = delimiter or announced, ending in (".tsv", ".tab")
    delimiters = known or sorted(DELIMITERS, key=lambda one: tabs_first and one != "\t")
    end = data.find(b"\n", start.offset + _SAMPLE_BYTES) + 1
    head = data[:end] if end else data
    samples = [_sample(head, start, delimiter, len(data)) for delimiter in delimiters]
    if len(head) < len(data) and not any(sample.records for sample in samples):
        samples = [_sample(data, start, delimiter, len(data)) for delimiter in delimiters]
    return samples


def _sample(head: bytes, start: Position, delimiter: str, size: int) -> Sample:
    """Read the first records with the quotes that make the most regular table of them."""
    best = _read_sample(head, start, Dialect(delimiter), size)
    for dialect in _other_quotes(head, best):
        other = _read_sample(head, start, dialect, size)
        spaced = dialect.skip_blanks and other.share >= best.share
        best = other if spaced or other.share > best.share else best
    return best


def _other_quotes(head: bytes, sample: Sample) -> Iterator[Dialect]:
    """Return the dialects that may be meant where cells begin like quoted ones and are not."""
    delimiter = sample.dialect.delimiter
    cells = [cell for record in sample.records for cell in record]
    if [] in sample.records and b'\\"' in head:
        yield Dialect(delimiter, escaped=True)
    if [] in sample.records:
        yield Dialect(delimiter, quote=None)
    if sample.share < 1 and any(cell.startswith("'") for cell in cells):
        yield Dialect(delimiter, quote="'")
    before_quotes = b'(?:^|%b) +"' % re.escape(delimiter).encode()
    spaced = any(map(_is_quoted_after_blanks, cells))
    if spaced and re.search(before_quotes, head, re.MULTILINE):
        yield Dialect(delimiter, skip_blanks=True)


def _is_quoted_after_blanks(cell: str) -> bool:
    return cell.startswith(" ") and bool(re.fullmatch(' +".*" *', cell, re.DOTALL))


def _read_sample(head: bytes, start: Position, dialect: Dialect, size: int) -> Sample:
    read = list(_sample_records(head, start, dialect, size))
    records = [record for record, _ in read]
    widths = Counter(len(record) for record in records if any(map(str.strip, record)))
    width, count = max(widths.items(), key=lambda item: item[1], default=(0, 0))
    share = count / (sum(widths.values()) + records.count([])) if count else 0.0
    return Sample(dialect, start, records, [end for _, end in read], width, share)


def _sample_records(
    head: bytes, start: Position, dialect: Dialect, size: int
) -> Iterator[tuple[list[str], int]]:
    malformed = 0
    while start.offset < len(head) and malformed < _MOST_MALFORMED:
        reader = dialect.reader(physical_lines(head, start.offset))
        done = 0
        try:
            for row in reader:
                done = reader.line_num
                if row:
                    yield row, start.lines + done
            break
        except csv.Error as error:
            if len(head) < size and "end of data" in str(error):
                break  # cut off by the sample, as far as one can tell
            malformed += 1
            start = start.forward(head, done + 1)
            yield [], start.lines


def is_rule(row: list[str]) -> bool:
    """Tell whether a row is blank, or the line under the header of a table made to be read."""
    if "".join(row).strip(" :-+="):
        return False
    cells = [cell.strip(" :") for cell in row if cell.strip()]
    return all(len(cell) > 1 and not cell.strip("-+=") for cell in cells)


def quotes_in_use(data: bytes, dialect: Dialect, records: int) -> bool:
    """Tell whether cells are quoted on purpose: quotes are doubled in them, or most rows have one.

    Args:
        data: the file.
        dialect: how it is written, with a quote.
        records: the number of its records.
    """
    quote, delimiter = (re.escape(str(c).encode()) for c in (dialect.quote, dialect.delimiter))
    blanks = b" *" if dialect.skip_blanks else b""
    cell = b"(?:^|%b)%b%b((?:[^%b]|%b%b)*+)%b(?=\\r?$|%b)"
    parts = (delimiter, blanks, quote, quote, quote, quote, quote, delimiter)
    doubled = str(dialect.quote).encode() * 2
    for quoted, match in enumerate(re.finditer(cell % parts, data, re.MULTILINE), 1):
        if doubled in match[1] or quoted > records / 2:
            return True
    return False


def reason_of(error: str) -> str:
    """Return a message of csv about a record in plain words."""
    after = "malformed quoting: text after a closing quote"
    return next((reason for words, reason in _REASONS.items() if words in error), after)


def malformed_reason(error: str, data: bytes, start: Position, dialect: Dialect) -> str:
    """Return the reason for a record that starts here and that csv gave up on."""
    if "end of data" in error:
        last = start.lines + lines_from(data, start)
        record = next(dialect.reader(physical_lines(data, start.offset), strict=False))
        opened = last - record[-1].count("\n") + data.endswith(b"\n")
        rest = plural(last - opened + 1, "line")
        return (
            f"malformed quoting: the quote opened on line {opened} is never closed, "
            f"the rest of the file ({rest}) would be one text"
        )
    return reason_of(error)

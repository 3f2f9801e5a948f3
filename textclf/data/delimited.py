"""Read delimited text: CSV, TSV and the like."""

import csv
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from textclf.data.dialect import (
    Dialect,
    Sample,
    is_rule,
    malformed_reason,
    quotes_in_use,
    read_samples,
)
from textclf.data.exports import find_export
from textclf.data.format import Format, Rows, Source
from textclf.data.header_row import require_no_header
from textclf.data.layout import Layout, find_layout
from textclf.data.lines import (
    START,
    Position,
    ends_in_carriage_returns,
    lines_from,
    physical_lines,
    swap_line_breaks,
)
from textclf.data.records import Unreadable, read_records
from textclf.errors import DataError
from textclf.formatting import plural

_MOST_READ_AGAIN = 5  # times the file, resuming after malformed quotes


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
    """

    dialect: Dialect
    rows: RowLayout
    body: Position


def _file_layout(data: bytes, layout: Layout) -> FileLayout:
    """Return where the rows are; columns at the end that the header does not name are none."""
    text, label = layout.indices
    header, width = layout.first, layout.width
    if not layout.has_header:
        rows = RowLayout(text, label, width, f"most rows have {width}")
    elif layout.is_numbered:
        expected = f"the header names {len(header)} after the names of the rows"
        rows = RowLayout(text, label, width, expected, (header[text - 1], header[label - 1]))
    else:
        width = 1 + max(text, label, *(i for i, cell in enumerate(header) if cell.strip()))
        expected = f"the header names {width}"
        rows = RowLayout(text, label, width, expected, (header[text], header[label]))
    return FileLayout(layout.dialect, rows, START.forward(data, layout.lines))


def read_delimited(source: Source) -> Rows:
    """Read delimited text; the delimiter is detected where it is not given.

    Raises:
        DataError: the columns cannot be told apart, or are not those asked for.
    """
    swapped = ends_in_carriage_returns(source.data)
    data = swap_line_breaks(source.data) if swapped else source.data
    columns = source.columns
    samples = read_samples(data, source.delimiter, source.ending)
    exported = None if columns.positions and not columns.header else exported_sample(samples)
    if exported:
        return read_records(_records(data, source.name, exported.dialect), columns, source.name)
    layout = find_layout(samples, source.name, columns)
    rows = _read_table(data, source.name, _file_layout(data, layout))
    rows.notes += layout.notes(source.places)
    if layout.is_numbered:
        rows.notes.append("the first column, which the header does not name, is not read")
    if columns.positions and columns.header is None:
        require_no_header(rows, layout.first, source)
    if swapped:
        rows.texts[:] = (swap_line_breaks(text.encode()).decode() for text in rows.texts)
    return rows


def _read_table(data: bytes, name: str, table: FileLayout) -> Rows:
    """Read the rows with the quotes with which most of them can be used.

    Quotation marks that nothing was quoted with are ordinary characters. Where some cells are
    quoted on purpose, a quote that is never closed, or that swallows rows, costs its own row.
    """
    best, failure = Rows(), None
    quoted = table._replace(dialect=table.dialect._replace(quote=table.dialect.quote or '"'))
    try:
        best = _read_quoted(data, name, quoted)
    except DataError as error:
        failure = error
    for dialect in _other_quotes(data, quoted.dialect, best):
        rows = _read_body(data, name, table._replace(dialect=dialect))
        if len(rows.texts) > len(best.texts) and not _cuts_labels(rows):
            best, failure = rows, None
    if failure:
        raise failure
    return best


def _read_quoted(data: bytes, name: str, table: FileLayout) -> Rows:
    rows = _read_body(data, name, table)
    swallowing = set(_swallowing_lines(data, table, rows))
    return _read_body(data, name, table, swallowing) if swallowing else rows


def _other_quotes(data: bytes, dialect: Dialect, rows: Rows) -> Iterator[Dialect]:
    """Return the ways to quote that may be meant where rows cannot be used because of quotes."""
    records = len(rows.texts) + len(rows.bad)
    malformed = not rows.texts or any(reason.startswith("malformed") for _, reason in rows.bad)
    if dialect.quote == '"' and malformed and b'\\"' in data:
        yield dialect._replace(escaped=True)
    if dialect.quote and malformed and not quotes_in_use(data, dialect, records):
        yield dialect._replace(quote=None)
    if dialect.quote == '"' and rows.bad and f"{dialect.delimiter}'".encode() in data:
        yield dialect._replace(quote="'")


def _cuts_labels(rows: Rows) -> bool:
    """Tell whether labels begin or end with a quotation mark, which then does quote."""
    return any('"' in (label[0], label[-1]) for label in rows.known_labels.values())


def _swallowing_lines(data: bytes, table: FileLayout, rows: Rows) -> Iterator[int]:
    """Find quotes that swallow rows.

    Returns:
        The lines on which records start that span lines, although their first and their last line
        are complete rows on their own, with labels that other rows have.
    """
    dialect, layout, body = table
    quote = (dialect.quote or "").encode()
    if not quote or quote not in data or len(rows.places) == lines_from(data, body):
        return
    labels = set(rows.labels)

    def is_row(line: str) -> bool:
        cells = line.strip("\r\n").split(dialect.delimiter)
        return len(cells) == layout.width and cells[layout.label].strip() in labels

    starts = {*rows.places, *(line for line, _ in rows.bad)}
    for start, first, last in _joined_lines(data, body, starts, f"\r\n {dialect.delimiter}"):
        if is_row(first) and is_row(last):
            yield start


def _joined_lines(
    data: bytes, body: Position, starts: Collection[int], blank: str
) -> Iterator[tuple[int, str, str]]:
    """Iterate over the records that span lines: the number of the first line, it and the last."""
    start, first, last = 0, "", ""
    for number, line in enumerate(physical_lines(data, body.offset), body.lines + 1):
        if number in starts:
            if last:
                yield start, first, last
            start, first, last = number, line, ""
        elif line.strip(blank):
            last = line
    if last:
        yield start, first, last


def _read_body(data: bytes, name: str, table: FileLayout, swallowing: Collection[int] = ()) -> Rows:
    """Read all records; after a malformed one go on at the next physical line.

    Args:
        data: the file.
        name: its name, for messages.
        table: how it is written.
        swallowing: lines with a quote that swallows the rows after it: they are not read.
    """
    rows = Rows()
    dialect, layout, start = table
    budget = _MOST_READ_AGAIN * (data.count(b"\n") + 1)
    stops = sorted(swallowing, reverse=True)
    while start.offset < len(data):
        lines = physical_lines(data, start.offset)
        until = stops.pop() if stops else None
        if until:
            lines = islice(lines, until - 1 - start.lines)
        reader = dialect.reader(lines)
        line, error = _take(reader, start.lines, layout, rows)
        if error is not None:
            budget -= start.lines + reader.line_num - line
            failed = start.forward(data, line - start.lines - 1)
            reason = malformed_reason(error, data, failed, dialect)
            stops += [until] if until else []
        elif until:
            line, failed = until, start.forward(data, until - 1 - start.lines)
            reason = "malformed quoting: the quote on this line joins it with other rows"
        else:
            break
        if budget < 0:
            raise DataError(
                f"{name}:{line}: too many quotes on this line or before it are never closed",
                hint='double each " inside a quoted text',
            )
        rows.bad.append((line, reason))
        start = failed.forward(data, 1)
    return rows


def _take(reader: Any, before: int, layout: RowLayout, rows: Rows) -> tuple[int, str | None]:
    """Take records to the end, or to the first malformed one.

    This loop is all that a good row goes through, so it makes its checks in place.

    Returns:
        The line it stopped at, and csv's message if the record there is malformed.
    """
    text_at, label_at, width = layout[:3]
    known_label = rows.known_labels.get
    add_text, add_label, add_line = rows.texts.append, rows.labels.append, rows.places.append
    line = before + 1
    try:
        for row in reader:
            if (
                len(row) == width
                and (label := known_label(row[label_at]))
                and (text := row[text_at])
                and not text.isspace()
            ):
                add_text(text)
                add_label(label)
                add_line(line)
            elif row:
                _take_unusual(row, line, layout, rows)
            line = before + reader.line_num + 1
    except csv.Error as error:
        return line, str(error)
    return line, None


def _take_unusual(row: list[str], line: int, layout: RowLayout, rows: Rows) -> None:
    """Take a row that has a new label, an unusual width, or something missing."""
    while len(row) > layout.width and not row[-1].strip():
        row.pop()
    if is_rule(row):
        return
    if len(row) > layout.width or len(row) <= max(layout.text, layout.label):
        rows.bad.append((line, f"{plural(len(row), 'column')}, {layout.expected}"))
    elif (row[layout.text].lstrip("\ufeff"), row[layout.label].lstrip("\ufeff")) == layout.names:
        rows.bad.append((line, "the header again, as in files that were joined"))
    else:
        rows.add(line, row[layout.text], row[layout.label])
        if layout.names:
            rows.known_labels.pop(layout.names[1], None)  # no short cut for the header


def exported_sample(samples: Sequence[Sample]) -> Sample | None:
    """Return the sample in which a file is the export of a labelling tool, if it is one."""
    return next((sample for sample in samples if find_export(records_of(sample))), None)


def records_of(sample: Sample) -> list[dict[str, str]]:
    """Return the first records by the names of the columns, if these have different names."""
    names = sample.header
    if not len(set(names)) == sample.width > 1:
        return []
    return [dict(zip(names, record, strict=False)) for record in sample.records[1:]]


def _records(data: bytes, name: str, dialect: Dialect) -> Iterator[tuple[int, Any]]:
    """Iterate over the records of an export, by the names of the columns.

    Raises:
        DataError: a record is malformed.
    """
    reader = dialect.reader(physical_lines(data))
    names: list[str] | None = None
    line = 1
    try:
        for row in reader:
            if row and names is None:
                names = row
            elif row and names:
                width = f"{plural(len(row), 'column')}, the header names {len(names)}"
                fits = len(row) == len(names)
                yield line, dict(zip(names, row, strict=True)) if fits else Unreadable(width)
            line = reader.line_num + 1
    except csv.Error as error:
        reason = malformed_reason(str(error), data, START.forward(data, line - 1), dialect)
        raise DataError(f"{name}:{line}: {reason}") from None


DELIMITED: Final = Format("csv", (".csv", ".tsv", ".tab"), lambda _: True, read_delimited)

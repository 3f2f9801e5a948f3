"""Read delimited text: CSV, TSV and the like."""

import csv
from collections.abc import Iterator
from typing import Any, Final

from textclf.data.dialect import Dialect, Layout, detect, exported_dialect
from textclf.data.format import Format, Rows, Source
from textclf.data.lines import START, Position, lines_from, physical_lines, with_line_feeds
from textclf.data.records import Unreadable, read_records
from textclf.errors import DataError
from textclf.formatting import plural

_LONGEST_FIELD = 2**31 - 1  # the default of csv would refuse a text of more than 128 KB
_MOST_READ_AGAIN = 5  # times the file, resuming after malformed quotes


def read_delimited(source: Source) -> Rows:
    """Read delimited text; the delimiter is detected where it is not given.

    Raises:
        DataError: the columns cannot be told apart, or are not those asked for.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    data = with_line_feeds(source.data)
    tab = "\t" if source.ending in (".tsv", ".tab") else None
    exported = None if source.columns.positions else exported_dialect(data, source.delimiter or tab)
    if exported:
        return read_records(_records(data, source.name, exported), source.columns, source.name)
    dialect, layout = detect(data, source.name, source.columns, source.delimiter or tab)
    start = START if source.columns.positions else _after_header(data, dialect)
    if dialect.delimiter == "\t" and b'"' in data:
        return _read_tabs(data, source.name, start, layout)
    return _read_body(data, source.name, start, dialect, layout)


def _records(data: bytes, name: str, dialect: Dialect) -> Iterator[tuple[int, Any]]:
    """Iterate over the records of an export, by the names of the columns."""
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
        raise DataError(
            f"{name}:{line}: {_malformed(str(error), data, START.forward(data, line - 1), dialect)}"
        ) from None


def _after_header(data: bytes, dialect: Dialect) -> Position:
    reader = dialect.reader(physical_lines(data))
    next(row for row in reader if row)
    return START.forward(data, reader.line_num)


def _read_tabs(data: bytes, name: str, start: Position, layout: Layout) -> Rows:
    """Read tab-separated text, whose quotation marks often do not quote.

    They are ordinary characters where quoting is malformed, or joins lines that are each a record
    of their own, unless more rows are usable with quoting.
    """
    plain = Dialect("\t", quoting=False)
    try:
        rows = _read_body(data, name, start, Dialect("\t"), layout)
    except DataError:
        return _read_body(data, name, start, plain, layout)
    malformed = any(reason.startswith("malformed") for _, reason in rows.bad)
    if not malformed and not _joins_records(data, start, rows):
        return rows
    unquoted = _read_body(data, name, start, plain, layout)
    return unquoted if len(unquoted.bad) <= len(rows.bad) else rows


def _joins_records(data: bytes, start: Position, rows: Rows) -> bool:
    """Tell whether records span lines although each line has as many tabs as any other."""
    if len(rows.texts) + len(rows.bad) == lines_from(data, start):
        return False
    tabs = {line.count("\t") for line in physical_lines(data) if line.strip("\r\n")}
    return len(tabs) == 1


def _read_body(data: bytes, name: str, start: Position, dialect: Dialect, layout: Layout) -> Rows:
    """Read all records; after a malformed one go on at the next physical line."""
    rows = Rows()
    budget = _MOST_READ_AGAIN * (data.count(b"\n") + 1)
    while start.offset < len(data):
        reader = dialect.reader(physical_lines(data, start.offset))
        line, error = _take(reader, start.lines, layout, rows)
        if error is None:
            break
        budget -= start.lines + reader.line_num - line
        if budget < 0:
            raise DataError(
                f"{name}:{line}: too many quotes on this line or before it are never closed",
                hint='double each " inside a quoted text',
            )
        failed = start.forward(data, line - start.lines - 1)
        rows.bad.append((line, _malformed(error, data, failed, dialect)))
        start = failed.forward(data, 1)
    return rows


def _take(reader: Any, before: int, layout: Layout, rows: Rows) -> tuple[int, str | None]:
    """Take records to the end, or to the first malformed one.

    This loop is all that a good row goes through, so it makes its checks in place.

    Returns:
        The line it stopped at, and csv's message if the record there is malformed.
    """
    text_at, label_at, width, _ = layout
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


def _take_unusual(row: list[str], line: int, layout: Layout, rows: Rows) -> None:
    """Take a row that has a new label, an unusual width, or something missing."""
    while len(row) > layout.width and not row[-1].strip():
        row.pop()
    if len(row) > layout.width or len(row) <= max(layout.text, layout.label):
        rows.bad.append((line, f"{plural(len(row), 'column')}, {layout.norm}"))
    else:
        rows.add(line, row[layout.text], row[layout.label])


def _malformed(error: str, data: bytes, start: Position, dialect: Dialect) -> str:
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
    if "new-line" in error:
        return "malformed quoting: a carriage return outside quotes"
    if "field limit" in error:
        return "a text of more than 2 GB"
    return "malformed quoting: text after a closing quote"


def _recognise(source: Source) -> bool:  # noqa: ARG001 - text that is nothing else
    return True


DELIMITED: Final = Format("csv", (".csv", ".tsv", ".tab"), _recognise, read_delimited)

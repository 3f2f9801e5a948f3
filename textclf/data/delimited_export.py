"""Read an export of a labelling tool that is delimited text."""

import csv
from collections.abc import Iterator, Sequence
from typing import Any

from textclf.data.columns import Columns
from textclf.data.dialect import Dialect, Sample
from textclf.data.exports import find_export
from textclf.data.format import Rows
from textclf.data.lines import START, physical_lines
from textclf.data.malformed import malformed_reason
from textclf.data.records import Unreadable, read_records
from textclf.errors import DataError
from textclf.formatting import plural


def exported_dialect(samples: Sequence[Sample]) -> Dialect | None:
    """Return the dialect in which a file is the export of a labelling tool, if it is one."""
    for sample in samples:
        names = sample.header
        records = [dict(zip(names, record, strict=False)) for record in sample.records[1:]]
        if len(set(names)) == sample.width > 1 and find_export(records):
            return sample.dialect
    return None


def read_delimited_export(data: bytes, name: str, columns: Columns, dialect: Dialect) -> Rows:
    """Read the records of an export.

    Raises:
        DataError: a record is malformed, or the columns asked for are not there.
    """
    return read_records(_records(data, name, dialect), columns, name)


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
        reason = malformed_reason(str(error), data, START.forward(data, line - 1), dialect)
        raise DataError(f"{name}:{line}: {reason}") from None

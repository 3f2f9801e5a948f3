"""Formats of streamed rows: CSV with a header, and one JSON object a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from textclf.server.refusal import Refusal

_LARGEST_CELL = 1 << 30
"""The lines are bounded already."""


@dataclass
class Row:
    """A row with its text and, once it is labelled, its label and score."""

    values: Mapping[str, Any]
    text: str
    label: str | None = None
    score: float = 0.0


class RowFormat(Protocol):
    """How rows are read and written.

    Attributes:
        media_type: the content type of the answer.
    """

    media_type: str

    def read(self, lines: Iterable[str]) -> Iterator[Row]:
        """Yield the rows. Raises Refusal if one cannot be read."""
        ...

    def write(self, rows: Sequence[Row]) -> bytes:
        """Return labelled rows as bytes."""
        ...


class CsvRows:
    """CSV with a header; the answer has the columns ``label`` and ``score`` more."""

    media_type = "text/csv; charset=utf-8"

    def __init__(self, text_column: str) -> None:
        self._text_column = text_column
        self._columns: list[str] = []
        self._header_written = False

    def read(self, lines: Iterable[str]) -> Iterator[Row]:
        """Yield the rows. Raises Refusal if the header lacks the column, or a row a cell."""
        csv.field_size_limit(_LARGEST_CELL)
        reader = csv.reader(lines, strict=True)
        try:
            self._columns = next(reader, [])
            at = self._text_index()
            for cells in reader:
                if len(cells) != len(self._columns):
                    raise Refusal.invalid(
                        f"line {reader.line_num} has {len(cells)} cells, "
                        f"and the header has {len(self._columns)}"
                    )
                yield Row(dict(zip(self._columns, cells, strict=True)), cells[at])
        except csv.Error as error:
            raise Refusal.invalid(f"line {reader.line_num}: {error}") from None

    def _text_index(self) -> int:
        if self._text_column not in self._columns:
            raise Refusal.invalid(
                f"the header has no column {self._text_column!r}; name one of "
                f"{', '.join(self._columns) or 'its columns'} with ?text_column="
            )
        return self._columns.index(self._text_column)

    def write(self, rows: Sequence[Row]) -> bytes:
        """Return labelled rows as bytes; the first ones with the header."""
        output = io.StringIO()
        writer = csv.writer(output, lineterminator="\n")
        if not self._header_written:
            writer.writerow([*self._columns, "label", "score"])
            self._header_written = True
        for row in rows:
            writer.writerow([*row.values.values(), row.label or "", row.score])
        return output.getvalue().encode()


class JsonRows:
    """One JSON object, or one string, a line; the answer has ``label`` and ``score`` more."""

    media_type = "application/jsonl"

    def __init__(self, text_column: str) -> None:
        self._text_column = text_column

    def read(self, lines: Iterable[str]) -> Iterator[Row]:
        """Yield the rows. Raises Refusal if one is not an object with the text."""
        for n, line in enumerate(lines, 1):
            if line.isspace():
                continue
            try:
                value = msgspec.json.decode(line)
            except (msgspec.DecodeError, RecursionError) as error:
                raise Refusal.invalid(f"line {n} is not JSON: {error}") from None
            values = {self._text_column: value} if isinstance(value, str) else value
            text = values.get(self._text_column) if isinstance(values, dict) else None
            if not isinstance(text, str):
                raise Refusal.invalid(f"line {n} has no text in {self._text_column!r}")
            yield Row(values, text)

    def write(self, rows: Sequence[Row]) -> bytes:
        """Return labelled rows as bytes."""
        labelled = ({**row.values, "label": row.label, "score": row.score} for row in rows)
        return b"".join(msgspec.json.encode(values) + b"\n" for values in labelled)


ROW_FORMATS: dict[str, Callable[[str], RowFormat]] = {
    "text/csv": CsvRows,
    "application/jsonl": JsonRows,
    "application/x-ndjson": JsonRows,
}
"""The formats by content type; each is made with the name of the column that has the text."""

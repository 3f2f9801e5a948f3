"""Formats of streamed rows: CSV with a header, and one JSON object a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from textclf.formatting import excerpt
from textclf.server.refusal import Refusal

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

csv.field_size_limit(1 << 30)  # what is read is bounded already, by characters or by rows


@dataclass(frozen=True)
class Columns:
    """The names of columns.

    Attributes:
        text: the column of the texts.
        label: the column that the answer adds for labels.
        score: the column that it adds for scores.
    """

    text: str = "text"
    label: str = "label"
    score: str = "score"

    def __post_init__(self) -> None:
        """Raise Refusal if the columns of the answer have no names of their own."""
        for parameter, name in (("label_column", self.label), ("score_column", self.score)):
            if not name or (self.text, self.label, self.score).count(name) > 1:
                raise Refusal.invalid(f"?{parameter}={excerpt(name)} is not a name of its own")

    def require_free(self, names: Collection[str], place: str) -> None:
        """Raise Refusal if a row has a column already that the answer would add."""
        for parameter, name in (("label_column", self.label), ("score_column", self.score)):
            if name in names:
                raise Refusal.invalid(
                    f"{place} has a column {name!r} already: name that of the answer "
                    f"with ?{parameter}="
                )


@dataclass
class Row:
    """A row with its text and, once it is labelled, its label and score.

    Attributes:
        values: its cells in CSV, its object in JSON Lines.
        text: the text.
        label: the label, ``None`` where the limits of the version do not allow one.
        score: the score of the best label.
    """

    values: Any
    text: str
    label: str | None = None
    score: float = 0.0


def csv_reader(lines: Iterable[str]) -> CsvReader:
    """Return a reader of strict CSV with cells of any length."""
    return csv.reader(lines, strict=True)


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
    """CSV with a header; the answer has two columns more."""

    media_type = "text/csv; charset=utf-8"

    def __init__(self, columns: Columns) -> None:
        self._names = columns
        self._columns: list[str] = []
        self._header_written = False

    def read(self, lines: Iterable[str]) -> Iterator[Row]:
        """Yield the rows. Raises Refusal if the header lacks the column, or a row a cell."""
        reader = csv_reader(lines)
        try:
            self._columns = next(reader, [])
            at = self._text_index()
            for cells in reader:
                if len(cells) != len(self._columns):
                    raise Refusal.invalid(
                        f"line {reader.line_num} has {len(cells)} cells, "
                        f"and the header has {len(self._columns)}"
                    )
                yield Row(cells, cells[at])
        except csv.Error as error:
            raise Refusal.invalid(f"line {reader.line_num}: {error}") from None

    def _text_index(self) -> int:
        if self._columns.count(self._names.text) != 1:
            many = "several columns" if self._names.text in self._columns else "no column"
            others = ", ".join(name for name in self._columns if self._columns.count(name) == 1)
            hint = f"; name one of {excerpt(others, 200)} with ?text_column=" if others else ""
            raise Refusal.invalid(f"the header has {many} {self._names.text!r}{hint}")
        self._names.require_free(self._columns, "the header")
        return self._columns.index(self._names.text)

    def write(self, rows: Sequence[Row]) -> bytes:
        """Return labelled rows as bytes; the first ones with the header."""
        output = io.StringIO()
        writer = csv.writer(output, lineterminator="\n")
        if not self._header_written:
            writer.writerow([*self._columns, self._names.label, self._names.score])
            self._header_written = True
        for row in rows:
            writer.writerow([*row.values, row.label or "", row.score])
        return output.getvalue().encode()


class JsonRows:
    """One JSON object, or one string, a line; the answer has two fields more."""

    media_type = "application/jsonl"

    def __init__(self, columns: Columns) -> None:
        self._names = columns

    def read(self, lines: Iterable[str]) -> Iterator[Row]:
        """Yield the rows. Raises Refusal if one is not an object with the text."""
        for n, line in enumerate(lines, 1):
            if line.isspace():
                continue
            try:
                value = msgspec.json.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise Refusal.invalid(f"line {n} is not JSON: {error}") from None
            values = {self._names.text: value} if isinstance(value, str) else value
            text = values.get(self._names.text) if isinstance(values, dict) else None
            if not isinstance(text, str):
                raise Refusal.invalid(f"line {n} has no text in {self._names.text!r}")
            self._names.require_free(values, f"line {n}")
            yield Row(values, text)

    def write(self, rows: Sequence[Row]) -> bytes:
        """Return labelled rows as bytes."""
        label, score = self._names.label, self._names.score
        labelled = ({**row.values, label: row.label, score: row.score} for row in rows)
        return b"".join(msgspec.json.encode(values) + b"\n" for values in labelled)


ROW_FORMATS: dict[str, Callable[[Columns], RowFormat]] = {
    "text/csv": CsvRows,
    "application/jsonl": JsonRows,
    "application/x-ndjson": JsonRows,
}
"""The formats by content type; each is made with the names of columns."""

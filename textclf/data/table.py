"""Tables of texts to be labelled: every format that training reads, with all columns, streamed."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import IO, Any

from textclf.data.columns import Columns
from textclf.data.dataset import (
    FORMATS,
    ReadOptions,
    check_encoding,
    decode,
    parse_delimiter,
)
from textclf.data.delimited import exported_sample, records_of
from textclf.data.dialect import Sample, read_samples
from textclf.data.encoding import HEAD_BYTES, codec_of, is_binary, is_gzip, not_text_at_all
from textclf.data.exports import find_export
from textclf.data.fasttext import FASTTEXT
from textclf.data.format import Format, Source
from textclf.data.jsonl import JSONL, json_records
from textclf.data.layout import find_layout
from textclf.data.likely_encoding import utf_16_without_mark
from textclf.data.lines import LINES, ends_in_carriage_returns
from textclf.data.other_files import refuse_other_files
from textclf.data.parquet import PARQUET, stream_parquet
from textclf.data.records import RecordReader, at_path
from textclf.data.spreadsheet import is_spreadsheet, sheet_as_csv
from textclf.data.table_rows import (
    BadRows,
    Batch,
    batches,
    delimited_rows,
    json_rows,
)
from textclf.errors import DataError
from textclf.files import LARGEST, read_to_end

_WITH_MEMBERS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How archives and old documents begin, of which only all of the file tells what is in it."""


@dataclass(frozen=True)
class TextTable:
    """A table of texts.

    Attributes:
        columns: the names of its columns; of objects, those of the first ones.
        delimiter: the character between its cells; ``None`` if its rows are JSON objects.
        header: whether its first row names the columns.
        batches: its rows; what fails while they are read is raised there.
        bad: the rows that were left out so far.
        notes: sentences on what of the file is not read.
    """

    columns: list[str]
    delimiter: str | None
    header: bool
    batches: Iterator[Batch]
    bad: BadRows
    notes: tuple[str, ...] = ()


def peek(stream: Any) -> bytes:
    """Return how a stream begins, as far as that is ready, without taking it from the stream."""
    head: bytes = stream.peek(HEAD_BYTES)
    return head[:HEAD_BYTES]


def unpacked(stream: Any, name: str, sheet: str | None) -> tuple[Any, Sequence[int]]:
    """Return the stream, unpacked if it is packed by gzip.

    A spreadsheet becomes the delimited file that its sheet can be exported as, with the number of
    the row that each of its lines is from; for other files there are no such numbers.

    Args:
        stream: the file.
        name: its name, for messages.
        sheet: the name of the sheet, in a workbook with several.

    Raises:
        DataError: it is an archive of another kind, or no file of text or rows at all.
    """
    head = peek(stream)
    if is_gzip(head):
        stream = io.BufferedReader(gzip.GzipFile(fileobj=stream), HEAD_BYTES)
        head = peek(stream)
    elif name.lower().endswith(".gz") and head:
        raise DataError(f"{name} is not a complete gzip file: it is not compressed")
    if head.startswith(_WITH_MEMBERS):
        head = read_to_end(stream, LARGEST)
    if is_spreadsheet(head):
        data, row_of = sheet_as_csv(Source(head, name, Columns(), sheet=sheet))
        return io.BufferedReader(io.BytesIO(data), HEAD_BYTES), row_of
    refuse_other_files(head, name)
    return stream, ()


def require_text(head: bytes, name: str, encoding: str | None) -> None:
    """Raise DataError if a file that begins so is not text in any encoding that may be meant."""
    if encoding or codec_of(head, None) != "utf-8-sig":
        return
    if utf_16_without_mark(head):
        decode(Source(head, name, Columns()), None)
    if is_binary(head):
        raise not_text_at_all(name)


def table_format(head: bytes, name: str, text_column: str) -> Format | None:
    """Return the format of a table by its name or its first bytes; ``None`` for other text."""
    source = Source(head, name, Columns(text_column))
    certain = (f for f in FORMATS if (f.binary or f.unmistakable) and f.recognise(source))
    named = (f for f in FORMATS if source.ending in f.endings)
    is_json = source.ending == ".json" or _is_json_lines(head, text_column)
    return next(certain, next(named, JSONL if is_json else None))


def _is_json_lines(head: bytes, text_column: str) -> bool:
    first = head.lstrip().partition(b"\n")[0]
    if not first.startswith(b"{"):
        return False
    try:
        return at_path(json.loads(first), text_column) is not None
    except (ValueError, RecursionError):
        return False


def lines_table(texts: Iterable[list[str]]) -> TextTable:
    """Return a table whose only column holds texts that are read from elsewhere."""
    rows = (
        Batch(some, [[text] for text in some], range(before + 1, before + 1 + len(some)))
        for before, some in _counted(texts)
    )
    return TextTable(["text"], ",", True, rows, BadRows("stdin", "skip"))


def _counted(texts: Iterable[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield lists, each with the number of texts before it."""
    before = 0
    for some in texts:
        yield before, some
        before += len(some)


def open_table(
    stream: Any,
    name: str,
    format_: Format | None,
    options: ReadOptions,
    row_of: Sequence[int] = LINES,
) -> TextTable:
    """Read how a table is written, and prepare to read its rows.

    Args:
        stream: the unpacked file, from its beginning.
        name: the file, for messages.
        format_: its format; ``None`` is delimited text.
        options: how it is written, as far as its user has to say.
        row_of: the row of a sheet that each line is from, if it was one.

    Raises:
        DataError: it is empty, no text, or has no such column.
        UsageError: an option makes no sense.
    """
    check_encoding(options.encoding)
    bad = BadRows(name, str(options.on_bad_rows), encoding=options.encoding or "UTF-8")
    columns = options.columns(needs_label=False)
    delimiter = parse_delimiter(options.delimiter)
    if format_ is PARQUET:
        return _of_objects(enumerate(stream_parquet(stream, name), 1), columns, bad)
    head = _without_cut_line(peek(stream), options.encoding)
    source = Source(head, name, columns, delimiter, places=row_of)
    source = decode(source, options.encoding)
    if format_ is JSONL and _is_an_object_a_line(source.data, columns):
        lines = enumerate(_text_lines(stream, head, options.encoding, bad), 1)
        return _of_objects(lines, columns, bad)
    if format_ in (JSONL, FASTTEXT):
        columns = Columns(needs_label=False) if format_ is FASTTEXT else columns
        whole = Source(read_to_end(stream, LARGEST), name, columns)
        return _of_objects(_read_whole(decode(whole, options.encoding), format_, bad), columns, bad)
    return _delimited(stream, source, options, bad)


def _without_cut_line(head: bytes, encoding: str | None) -> bytes:
    """Return the beginning of a file without the character or the line that is cut off."""
    if len(head) < HEAD_BYTES:
        return head
    if re.search("16|32", codec_of(head, encoding)):
        return head[: len(head) // 4 * 4]
    return head[: head.rfind(b"\n") + 1] or head


def _is_an_object_a_line(data: bytes, columns: Columns) -> bool:
    """Tell whether a line is an object; the only one may be a table, and is a row if it has a text.

    Of a stream no more than the first line may be ready.
    """
    first, _, rest = data.lstrip().partition(b"\n")
    try:
        record = json.loads(first.rstrip().removesuffix(b","))
    except (ValueError, RecursionError):
        return False
    if not isinstance(record, dict) or rest.strip():
        return isinstance(record, dict)
    [at] = columns.locate(list(record))
    return len(at) == 1 and not isinstance([*record.values()][at[0]], list | dict)


def _read_whole(source: Source, format_: Format, bad: BadRows) -> Iterator[tuple[int, str]]:
    """Yield the rows of a file that is one document as JSON objects, with their places."""
    if format_ is JSONL:
        for place, record in json_records(source, bad.replaced.errors):
            # NaN and the like are no JSON, and become null
            yield place, json.dumps(record, ensure_ascii=False, default=lambda _: None)
        return
    rows = format_.read(source)
    for bad_place, reason in rows.bad:
        bad.add(int(bad_place), reason)
    for place, text, label in zip(rows.places, rows.texts, rows.labels, strict=True):
        yield int(place), json.dumps({"text": text, "label": label}, ensure_ascii=False)


def _of_objects(lines: Iterator[tuple[int, str]], columns: Columns, bad: BadRows) -> TextTable:
    names, rows = json_rows(lines, columns, bad)
    return TextTable(names, None, True, batches(rows, bad), bad)


def _text_lines(
    stream: IO[bytes], head: bytes, encoding: str | None, bad: BadRows, newline: str | None = "\n"
) -> Iterator[str]:
    codec = codec_of(head, encoding)
    text = io.TextIOWrapper(stream, codec, errors=bad.replaced.errors, newline=newline)
    try:
        for line in text:  # noqa: UP028 - `yield from` closes the stream where it is left
            yield line
    finally:
        with suppress(ValueError):  # the stream was closed before
            text.detach()  # it is for whoever has opened it to close


# --- delimited ------------------------------------------------------------------------------------


def _of_export(samples: Sequence[Sample], head: Source) -> Columns:
    """Return the columns asked for, that of the texts as the labelling tool names it."""
    exported = None if head.columns.positions else exported_sample(samples)
    if exported is None:
        return head.columns
    records = records_of(exported)
    reader = RecordReader(records, head.columns, head.name, find_export(records))
    return replace(head.columns, text=reader.text_column(records))


def _delimited(stream: IO[bytes], head: Source, options: ReadOptions, bad: BadRows) -> TextTable:
    swapped = ends_in_carriage_returns(head.data)
    data = head.data.replace(b"\r", b"\n") if swapped else head.data
    samples = read_samples(data, head.delimiter, head.ending)
    layout = find_layout(samples, head.name, _of_export(samples, head))
    lines = _text_lines(
        stream, peek(stream), options.encoding, bad, newline=None if swapped else "\n"
    )
    for _ in range(layout.lines):
        next(lines)
    rows = delimited_rows(lines, layout, bad, head.places)
    separator = layout.dialect.delimiter if layout.width > 1 else ","
    names = [*([""] if layout.is_numbered else []), *layout.first]
    if not layout.has_header:
        names = [str(n + 1) for n in range(layout.width)]
    notes = tuple(layout.notes(head.places))
    return TextTable(names, separator, layout.has_header, batches(rows, bad), bad, notes)

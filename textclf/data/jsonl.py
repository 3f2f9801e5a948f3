"""Read JSON: an object a line, a list of objects, or one object that is a table."""

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from textclf.data.columns import Columns, listed, position_of
from textclf.data.encoding import UNDECODED, not_in
from textclf.data.format import Format, Rows, Source
from textclf.data.lines import physical_lines, with_line_feeds
from textclf.data.records import NotJson, Unreadable, read_records
from textclf.errors import DataError

_BETWEEN = re.compile(r"[\s,]*")
"""What separates two values; some write a comma at the end of each line."""

_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=NotJson)


def read_json(source: Source) -> Rows:
    """Read objects; numbers and truth values become text as JSON writes them.

    Raises:
        DataError: the file is one document and not JSON, or no object has the keys asked for.
    """
    data = with_line_feeds(source.data)
    if _is_lines(data):
        records = _lines(data, source.undecoded)
    else:
        records = iter(_document(data.decode(errors="surrogateescape"), source))
    return read_records(records, source.columns, source.name)


def json_records(source: Source, errors: str) -> list[tuple[int, Any]]:
    """Return the records of a file that is one document, each with its line or its number.

    ``errors`` names the handler of what is no text.

    Raises:
        DataError: it is not JSON.
    """
    return _document(source.data.decode(errors=errors), source)


def _recognise(source: Source) -> bool:
    start = source.data[:1000].lstrip()
    return start.startswith(b"{") or (
        start.startswith(b"[") and (source.ending == ".json" or start[1:].lstrip()[:1] == b"{")
    )


# --- an object a line -----------------------------------------------------------------------------


def _is_lines(data: bytes) -> bool:
    """Tell whether the first line is an object, and not the only one: that may be a table."""
    first = list(islice((line for line in physical_lines(data) if not line.isspace()), 2))
    return len(first) > 1 and isinstance(read_value(first[0]), dict)


def _lines(data: bytes, undecoded: str | None) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(physical_lines(data), 1):
        byte = UNDECODED.search(line) if undecoded else None
        if undecoded and byte:
            yield number, Unreadable(not_in(undecoded, byte[0]))
        elif not line.isspace():
            yield number, read_value(line)


def read_value(line: str) -> Any:
    """Return what a line holds, with numbers as they are written; `Unreadable` if it is no JSON."""
    try:
        return _DECODER.decode(line.rstrip().removesuffix(","))
    except json.JSONDecodeError as error:
        return Unreadable(f"invalid JSON: {error.msg} at column {error.colno}")
    except RecursionError:
        return Unreadable("invalid JSON: nested too deeply")


# --- a document -----------------------------------------------------------------------------------


def _document(text: str, source: Source) -> list[tuple[int, Any]]:
    """Return the records of a list, of an object that is a table, or of objects in a row.

    A list in place of an object has its values by their positions. A record of a list has the line
    on which it starts, a record of a table its number.
    """
    try:
        values = list(_values(text))
    except json.JSONDecodeError as error:
        where = f"{source.name}:{error.lineno}"
        raise DataError(f"{where}: invalid JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise DataError(f"{source.name}: invalid JSON: nested too deeply") from None
    alone = len(values) == 1 and not text.lstrip().startswith("[")
    if alone and isinstance(values[0][1], dict):
        table = _table(values[0][1], source)
        return values if table is None else list(enumerate(table, 1))
    return _named(values, source.columns) if _all([value for _, value in values], list) else values


def _named(rows: list[tuple[int, list[Any]]], columns: Columns) -> list[tuple[int, Any]]:
    """Return rows that are lists as objects, by the names in the first row or by positions."""
    first = rows[0][1]
    if position_of(columns.text) is None and columns.text in first:
        return [(line, dict(zip(first, cells, strict=False))) for line, cells in rows[1:]]
    return [(line, {str(n): cell for n, cell in enumerate(cells, 1)}) for line, cells in rows]


def _values(text: str) -> Iterator[tuple[int, Any]]:
    """Iterate over the values of a list, or of the text, with the line on which each starts."""
    line, start = 1, _start(text, 0)
    listed = text.startswith("[", start)
    position = _start(text, start + 1) if listed else start
    while position < len(text) and not (listed and text[position] == "]"):
        line += text.count("\n", start, position)
        value, end = _DECODER.raw_decode(text, position)
        yield line, value
        start, position = position, _start(text, end)
    if listed and position == len(text):
        raise json.JSONDecodeError("The list is not closed: is the file complete?", text, position)
    after = _start(text, position + 1)
    if listed and after < len(text):
        raise json.JSONDecodeError("Text after the end of the list", text, after)


def _start(text: str, position: int) -> int:
    between = _BETWEEN.match(text, position)
    return between.end() if between else position


def _table(document: dict[str, Any], source: Source) -> list[Any] | None:
    """Return the records of a document that is a table, in the shapes that are in use.

    The data viewer of Hugging Face wraps each record; ``pandas.DataFrame.to_json`` has five shapes,
    and ``datasets.Dataset.to_dict`` has one.

    Raises:
        DataError: it holds several tables, such as those for training and for testing.
    """
    rows, names, data = (document.get(key, []) for key in ("rows", "columns", "data"))
    if _all(rows, dict) and all("row" in one for one in rows):
        return [one["row"] for one in rows]
    if _all(names, str) and _all(data, list):
        return [dict(zip(names, cells, strict=False)) for cells in data]
    lists = [name for name, value in document.items() if _all(value, dict)]
    if len(lists) == 1:
        return list(document[lists[0]])
    if len(lists) == len(document) > 1:
        raise DataError(
            f"{source.name} holds {len(lists)} lists of objects: {listed(lists)}",
            hint="write each to a file of its own",
        )
    values = list(document.values())
    if _all(values, list) or (_all(values, dict) and source.columns.text in document):
        cells = [list(one.values()) if isinstance(one, dict) else one for one in values]
        return [dict(zip(document, row, strict=False)) for row in zip(*cells, strict=False)]
    return (
        values if _all(values, dict) and any(source.columns.text in one for one in values) else None
    )


def _all(values: Any, kind: type) -> bool:
    return isinstance(values, list) and bool(values) and all(isinstance(v, kind) for v in values)


JSONL: Final = Format("jsonl", (".jsonl", ".ndjson"), _recognise, read_json)

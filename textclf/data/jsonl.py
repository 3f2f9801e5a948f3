"""Read JSON Lines: one JSON object a line."""

import json
import shlex
from collections.abc import Callable
from itertools import islice
from pathlib import PurePath
from typing import Any, Final, NoReturn

from textclf.data.columns import Columns
from textclf.data.encoding import UNDECODED, not_in
from textclf.data.format import Format, Rows, Source
from textclf.data.lines import physical_lines, with_line_feeds
from textclf.errors import DataError

_SAMPLE = 100
"""Number of lines whose keys are looked at."""


def read_jsonl(source: Source) -> Rows:
    """Read one object a line; numbers and truth values become text as JSON writes them.

    Raises:
        DataError: the file is one list, or no object has the keys asked for.
    """
    if _is_list(source):
        target = PurePath(source.name.removesuffix(".gz")).with_suffix(".jsonl")
        raise DataError(
            f"{source.name} is a JSON list, not one JSON object per line",
            hint=f"jq -c '.[]' {shlex.quote(source.name)} > {shlex.quote(str(target))}",
        )
    decode = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_refuse).decode
    data = with_line_feeds(source.data)
    keys = _keys(data, source, decode)
    rows = Rows()
    for number, line in enumerate(physical_lines(data), 1):
        if line.isspace():
            continue
        byte = UNDECODED.search(line) if source.undecoded else None
        if source.undecoded and byte:
            rows.bad.append((number, not_in(source.undecoded, byte[0])))
            continue
        try:
            text, label = _pair(decode(line), keys)
        except json.JSONDecodeError as error:
            rows.bad.append((number, f"invalid JSON: {error.msg} at column {error.colno}"))
        except RecursionError:
            rows.bad.append((number, "invalid JSON: nested too deeply"))
        except ValueError as error:
            rows.bad.append((number, str(error)))
        else:
            rows.add(number, text, label)
    return rows


def _recognise(source: Source) -> bool:
    return source.data.lstrip().startswith(b"{") or _is_list(source)


def _is_list(source: Source) -> bool:
    return source.ending == ".json" and source.data.lstrip().startswith(b"[")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"invalid JSON: {constant}")


def _pair(row: Any, keys: Columns) -> tuple[str | None, str | None]:
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - about the data, not the code
    return _as_text(row.get(keys.text), "text"), _as_text(row.get(keys.label), "label")


def _as_text(value: Any, what: str) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"the {what} is {'a list' if isinstance(value, list) else 'an object'}")  # noqa: TRY004 - as above
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"the {what} contains an unpaired surrogate") from None
    return value


def _keys(data: bytes, source: Source, decode: Callable[[str], Any]) -> Columns:
    """Return the keys of text and label as the first objects write them."""
    keys: dict[str, None] = {}
    for line in islice(physical_lines(data), _SAMPLE):
        try:
            row = decode(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            keys.update(dict.fromkeys(row))
    return source.columns.among(list(keys), source.name) if keys else source.columns


JSONL: Final = Format("jsonl", (".jsonl", ".ndjson"), _recognise, read_jsonl)

"""``POST /invocations``, ``GET /ping`` and ``/health``: what MLflow's and SageMaker's clients send.

Source: MLflow, "Deploy MLflow Model as a Local Inference Server"; Amazon SageMaker, "Use your own
inference code with hosting services".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from textclf.formatting import excerpt, plural
from textclf.server.exchange import decode_json, json_response, read_body
from textclf.server.refusal import Refusal
from textclf.server.row_formats import csv_reader
from textclf.server.service import Service

_INPUTS = ("instances", "inputs", "dataframe_split", "dataframe_records")


class SplitFrame(msgspec.Struct):
    """A table as pandas' ``orient="split"`` has it."""

    data: list[list[Any]]
    columns: list[str] | None = None
    index: list[Any] | None = None


class Invocation(msgspec.Struct):
    """Texts in one of four forms; the others are absent."""

    instances: list[Any] | None = None
    inputs: str | list[Any] | dict[str, list[Any]] | None = None
    dataframe_split: SplitFrame | None = None
    dataframe_records: list[dict[str, Any]] | None = None
    params: dict[str, Any] | None = None


class Labels(msgspec.Struct):
    """The label of each text; ``null`` where the limits of the version do not allow one."""

    predictions: list[str | None]


async def ping(_request: Request) -> Response:
    """Answer that the server is alive."""
    return json_response({})


async def invocations(request: Request) -> Response:
    """Answer with the label of each text."""
    service = Service.of(request)
    media_type, charset = _content_type(request)
    if charset not in ("utf-8", "utf8"):
        raise Refusal(415, f"the charset {charset} is not known: send UTF-8", "media_type")
    body = await read_body(request, service.settings)
    if media_type == "text/csv":
        texts = _csv_texts(body)
    elif media_type == "application/json":
        texts = _json_texts(decode_json(body, Invocation))
    else:
        raise Refusal(
            415,
            f"the content type {media_type} is not known: send application/json or text/csv",
            "media_type",
        )
    labelled = await service.labeller.label(request, texts)
    return json_response(Labels(list(labelled.labels)))


def _content_type(request: Request) -> tuple[str, str]:
    media_type, _, parameters = request.headers.get("content-type", "application/json").partition(
        ";"
    )
    _, _, charset = parameters.partition("charset=")
    return media_type.strip().lower(), charset.strip(' "').lower() or "utf-8"


def _json_texts(invocation: Invocation) -> list[str]:
    given = [name for name in _INPUTS if getattr(invocation, name) is not None]
    if len(given) != 1:
        raise Refusal.invalid(f"send exactly one of {', '.join(_INPUTS)}; there are {len(given)}")
    name = given[0]
    match getattr(invocation, name):
        case str() as text:
            return [text]
        case SplitFrame() as frame:
            return _column(frame.data, frame.columns, name)
        case dict() as columns:
            column = _text_column(columns)
            if column not in columns:
                raise Refusal.invalid(f"{name} has no column 'text'")
            return texts_of(columns[column], name)
        case rows:
            return texts_of(rows, name)


def _column(rows: Sequence[Sequence[Any]], columns: Sequence[str] | None, name: str) -> list[str]:
    """Return the texts of a table: its column ``text``, or the only one it has."""
    if columns is None:
        return texts_of(rows, name)
    column = _text_column(columns)
    if column not in columns:
        raise Refusal.invalid(f"{name} has no column 'text'")
    for row in rows:
        if len(row) != len(columns):
            found, named = plural(len(row), "cell"), plural(len(columns), "column")
            raise Refusal.invalid(f"a row of {name} has {found}, and the header has {named}")
    at = columns.index(column)
    return texts_of([row[at] for row in rows], name)


def _text_column(columns: Collection[str]) -> str:
    """Return the name of the column of texts: ``text``, or that of the only one there is."""
    return next(iter(columns)) if len(columns) == 1 else "text"


def texts_of(rows: Sequence[Any], name: str) -> list[str]:
    """Return the texts of rows: strings, lists of one, or objects, all with the same column."""
    column = next((_text_column(row) for row in rows if isinstance(row, dict)), "text")
    return [_text_of(row, column, f"{name}[{n}]") for n, row in enumerate(rows)]


def _text_of(row: Any, column: str, place: str) -> str:
    match row:
        case str():
            return row
        case [str() as text]:
            return text
        case dict() if isinstance(row.get(column), str):
            return str(row[column])
    raise Refusal.invalid(
        f"{place} is not a text, nor an object with a text in {excerpt(column)!r}"
    )


def _csv_texts(body: bytearray) -> list[str]:
    """Return the texts of CSV with a header: its column ``text``, or the only one it has."""
    try:
        rows = list(csv_reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    except UnicodeDecodeError as error:
        raise Refusal(415, f"the body is not UTF-8: {error}", "media_type") from None
    except csv.Error as error:
        raise Refusal.invalid(f"the body is not CSV: {error}") from None
    return _column(rows[1:], rows[0], "the CSV") if rows else []

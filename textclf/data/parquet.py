"""Read Parquet with polars, in a process of its own.

Of a damaged file polars may write a page about itself to the terminal, or take the whole process
down; so it does that elsewhere, and here is a sentence.
"""

import importlib.util
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from textclf.data.readers import Columns, Rows, as_named, excerpt
from textclf.errors import DataError

MAGIC: Final = b"PAR1"
"""A Parquet file begins and ends with it."""


class _Answer(msgspec.Struct):
    """Cells of both columns; or the message and the hint of what is wrong."""

    texts: list[str | None] = []
    labels: list[str | None] = []
    message: str | None = None
    hint: str | None = None


def read_parquet(data: bytes, name: str, columns: Columns) -> Rows:
    """Read two columns of a Parquet file; rows are counted from 1.

    Raises:
        DataError: it is no Parquet file, polars is not installed, or a column is not there or
            holds neither text nor numbers.
    """
    if importlib.util.find_spec("polars") is None:
        raise DataError(
            f"reading {name} needs polars, which is not installed",
            hint="pip install '.[parquet]'",
        )
    if not (data.startswith(MAGIC) and data.endswith(MAGIC)):
        raise DataError(f"{name} is not a Parquet file, or not a whole one")
    answer = _ask(data, name, columns)
    if answer.message:
        raise DataError(answer.message, hint=answer.hint)
    rows = Rows()
    for number, (text, label) in enumerate(zip(answer.texts, answer.labels, strict=True), 1):
        rows.add(number, text, label)
    return rows


def _ask(data: bytes, name: str, columns: Columns) -> _Answer:
    code = "from textclf.data import parquet; parquet.serve()"
    paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]
    run = subprocess.run(  # noqa: S603 - ourselves; -P: nothing from the current folder
        [sys.executable, "-P", "-c", code],
        input=json.dumps([name, columns.text, columns.label]).encode() + b"\n" + data,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
    )
    if run.returncode:
        return _Answer(message=f"{name} is damaged: polars broke down over it")
    return msgspec.msgpack.decode(run.stdout, type=_Answer)


def serve() -> None:
    """Answer ``_ask``, in the process that it starts."""
    name, text, label = json.loads(sys.stdin.buffer.readline())
    try:
        answer = _columns(sys.stdin.buffer.read(), name, Columns(text, label))
    except DataError as error:
        answer = _Answer(message=error.message, hint=error.hint)
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


def _columns(data: bytes, name: str, columns: Columns) -> _Answer:
    import polars as pl

    try:
        schema = pl.read_parquet_schema(io.BytesIO(data))
        keys = as_named(list(schema), name, columns)
        frame = pl.read_parquet(io.BytesIO(data), columns=[keys.text, keys.label])
        texts, labels = (_as_text(frame[key], name) for key in (keys.text, keys.label))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = excerpt(str(error), 100)
        raise DataError(f"{name} is not a Parquet file that polars can read: {reason}") from None
    return _Answer(texts, labels)


def _as_text(series: Any, name: str) -> list[str | None]:
    import polars as pl

    if series.dtype.is_float():
        series = series.fill_nan(None)
    elif not (
        series.dtype.is_integer()
        or series.dtype in (pl.String, pl.Boolean, pl.Categorical, pl.Enum, pl.Null)
    ):
        raise DataError(
            f'{name}: column "{excerpt(series.name)}" holds {series.dtype}, not text or numbers'
        )
    cells: list[str | None] = series.cast(pl.String).to_list()
    return cells

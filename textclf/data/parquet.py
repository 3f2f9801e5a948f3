"""Read Parquet with polars, in a process of its own.

On a damaged file polars may write a page about itself to the terminal, or take the process down;
here that becomes one sentence.
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

from textclf.data.columns import Columns
from textclf.data.format import Format, Rows, Source
from textclf.errors import DataError
from textclf.formatting import excerpt

_MAGIC = b"PAR1"
"""The first and the last bytes of a Parquet file."""


class _Answer(msgspec.Struct):
    """The cells of both columns; or the message and the hint about what is wrong."""

    texts: list[str | None] = []
    labels: list[str | None] = []
    message: str | None = None
    hint: str | None = None


def read_parquet(source: Source) -> Rows:
    """Read two columns of a Parquet file; rows are counted from 1.

    Raises:
        DataError: it is not a Parquet file, polars is not installed, or a column is not there or
            holds neither text nor numbers.
    """
    if importlib.util.find_spec("polars") is None:
        raise DataError(
            f"reading {source.name} needs polars, which is not installed",
            hint="pip install '.[parquet]'",
        )
    if not (source.data.startswith(_MAGIC) and source.data.endswith(_MAGIC)):
        raise DataError(f"{source.name} is not a Parquet file, or not a complete one")
    answer = _ask(source)
    if answer.message:
        raise DataError(answer.message, hint=answer.hint)
    rows = Rows()
    for number, (text, label) in enumerate(zip(answer.texts, answer.labels, strict=True), 1):
        rows.add(number, text, label)
    return rows


def _ask(source: Source) -> _Answer:
    code = "from textclf.data import parquet; parquet.serve()"
    paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]
    question = [source.name, source.columns.text, source.columns.label]
    run = subprocess.run(  # noqa: S603 - ourselves; -P: nothing from the current folder
        [sys.executable, "-P", "-c", code],
        input=json.dumps(question).encode() + b"\n" + source.data,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
    )
    if run.returncode:
        return _Answer(message=f"{source.name} is damaged: polars broke down over it")
    return msgspec.msgpack.decode(run.stdout, type=_Answer)


def serve() -> None:
    """Answer ``_ask`` in the process that it starts."""
    name, text, label = json.loads(sys.stdin.buffer.readline())
    try:
        answer = _columns(Source(sys.stdin.buffer.read(), name, Columns(text, label)))
    except DataError as error:
        answer = _Answer(message=error.message, hint=error.hint)
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


def _columns(source: Source) -> _Answer:
    import polars as pl

    name = source.name
    try:
        schema = pl.read_parquet_schema(io.BytesIO(source.data))
        keys = source.columns.among(list(schema), name)
        frame = pl.read_parquet(io.BytesIO(source.data), columns=[keys.text, keys.label])
        texts, labels = (_as_text(frame[key], name) for key in (keys.text, keys.label))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = excerpt(error, 100)
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


def _recognise(source: Source) -> bool:
    return source.data.startswith(_MAGIC)


PARQUET: Final = Format("parquet", (".parquet", ".pq"), _recognise, read_parquet, binary=True)

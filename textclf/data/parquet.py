"""Read Parquet with polars."""

import errno
import io
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from textclf.data.columns import Columns
from textclf.data.exports import HUGGING_FACE, find_export
from textclf.data.format import Format, Rows, Source
from textclf.data.isolated import read_isolated, require_library, run_isolated
from textclf.data.records import SAMPLE, read_records
from textclf.errors import DataError
from textclf.formatting import excerpt

_BATCH = 5000
"""Rows in memory at a time, where they are streamed."""

_MAGIC = b"PAR1"
"""The first and the last bytes of a Parquet file."""


def read_parquet(source: Source) -> Rows:
    """Read two columns of a Parquet file; rows are counted from 1.

    Raises:
        DataError: it is not a Parquet file, polars is not installed, or a column is not there or
            holds neither text nor numbers.
    """
    if not (source.data.startswith(_MAGIC) and source.data.endswith(_MAGIC)):
        raise DataError(f"{source.name} is not a Parquet file, or not a complete one")
    return read_isolated(source, "parquet.read_here", "polars", "parquet")


def stream_parquet(stream: Any, name: str) -> Iterator[str]:
    """Yield the rows of a Parquet file as JSON objects, read by polars in a process of its own.

    Raises:
        DataError: it is not a Parquet file, or polars is not installed.
    """
    require_library(name, "polars", "parquet")
    with _as_file(stream) as path:
        yield from run_isolated("parquet", name, str(path))


@contextmanager
def _as_file(stream: Any) -> Iterator[Path]:
    """Yield the path of the file that a stream reads, or of a copy if it has no path."""
    path = Path(str(getattr(stream, "name", "")))
    if path.is_file():
        yield path
        return
    with tempfile.NamedTemporaryFile(suffix=".parquet") as copy:
        shutil.copyfileobj(stream, copy)
        copy.flush()
        yield Path(copy.name)


def write_rows_here(path: str, out: Any) -> None:
    """Write the rows as JSON objects, in this process, with as little of the file in memory.

    Raises:
        DataError: a column holds bytes, as of images, which JSON cannot.
    """
    import polars as pl

    frame = pl.scan_parquet(path)
    for name, dtype in frame.collect_schema().items():
        if "Binary" in str(dtype):
            raise DataError(f'column "{excerpt(name)}" holds {dtype}, not text or numbers')
    class_names = _class_names(pl.read_parquet_metadata(path))
    for batch in frame.collect_batches(chunk_size=_BATCH, maintain_order=True):
        named = batch.with_columns(
            _as_json(batch[name], names)
            for name, names in class_names.items()
            if name in batch.columns
        )
        named.write_ndjson(out)


def write_parquet(json_lines: Path, target: Path, columns: Sequence[str]) -> None:
    """Write a file of JSON objects, one a line, as Parquet, with these columns if it is empty.

    Raises:
        OSError: it cannot be written, as where the disk is full.
    """
    import polars as pl

    try:
        if json_lines.stat().st_size:
            pl.scan_ndjson(json_lines, infer_schema_length=None).sink_parquet(target)
        else:
            pl.DataFrame(schema=dict.fromkeys(columns, pl.String)).write_parquet(target)
    except pl.exceptions.PolarsError as error:
        raise OSError(errno.EIO, excerpt(error, 120)) from None


def read_here(source: Source) -> Rows:
    """Read the file in this process, as `read_parquet` does in another."""
    import polars as pl

    try:
        return _rows(source)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = excerpt(error, 100)
        message = f"{source.name} is not a Parquet file that polars can read: {reason}"
        raise DataError(message) from None


def _rows(source: Source) -> Rows:
    import polars as pl

    file = io.BytesIO(source.data)
    class_names = _class_names(pl.read_parquet_metadata(file))
    head = pl.read_parquet(file, n_rows=SAMPLE)
    export = find_export(head.iter_rows(named=True))
    if export is None:
        keys = source.columns.among(head.columns, source.name, head.rows())
        frame = pl.read_parquet(file, columns=[keys.text, keys.label])
        _require_readable(frame, keys, source.name)
        export = HUGGING_FACE if keys.label in class_names else None
    else:
        frame = pl.read_parquet(file)
    cells = frame.select(_as_json(frame[name], class_names.get(name)) for name in frame.columns)
    records = enumerate(cells.iter_rows(named=True), 1)
    return read_records(records, source.columns, source.name, export)


def _class_names(metadata: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the names of the numbers in columns of labels, as Hugging Face's data sets have them.

    Source: https://huggingface.co/docs/datasets/about_dataset_features
    """
    try:
        features = json.loads(metadata.get("huggingface", "{}"))["info"]["features"]
        return {
            name: [str(label) for label in feature["names"]]
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _require_readable(frame: Any, keys: Columns, file: str) -> None:
    """Raise DataError if the texts or the labels are dates, structures and the like."""
    import polars as pl

    plain = (pl.String, pl.Boolean, pl.Categorical, pl.Enum, pl.Null)
    for name in (keys.text, keys.label):
        dtype = frame[name].dtype
        if name == keys.label and isinstance(dtype, pl.List):
            dtype = dtype.inner
        if not (dtype.is_numeric() and not dtype.is_decimal()) and dtype not in plain:
            raise DataError(
                f'{file}: column "{excerpt(name)}" holds {frame[name].dtype}, not text or numbers'
            )


def _as_json(series: Any, class_names: Sequence[str] | None) -> Any:
    """Return a column with its numbers as text, and those of classes as their names."""
    import polars as pl

    if class_names and series.dtype.is_integer():
        named = dict(enumerate(class_names))
        return series.replace_strict(named, default=None, return_dtype=pl.String)
    if series.dtype.is_float():
        series = series.fill_nan(None)
    nested = series.dtype.is_nested() or series.dtype in (pl.Boolean, pl.Binary)
    return series if nested else series.cast(pl.String)


PARQUET: Final = Format(
    "parquet",
    (".parquet", ".pq"),
    lambda source: source.data.startswith(_MAGIC),
    read_parquet,
    binary=True,
)

"""Read Parquet with polars."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from textclf.data.columns import Columns
from textclf.data.exports import HUGGING_FACE, find_export
from textclf.data.format import Format, Rows, Source
from textclf.data.isolated import read_isolated
from textclf.data.records import SAMPLE, read_records
from textclf.errors import DataError
from textclf.formatting import excerpt

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
    return read_isolated(source, "parquet", "polars", "parquet")


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
    export = find_export(pl.read_parquet(file, n_rows=SAMPLE).iter_rows(named=True))
    if export is None:
        keys = source.columns.among(list(pl.read_parquet_schema(file)), source.name)
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


def _recognise(source: Source) -> bool:
    return source.data.startswith(_MAGIC)


PARQUET: Final = Format("parquet", (".parquet", ".pq"), _recognise, read_parquet, binary=True)

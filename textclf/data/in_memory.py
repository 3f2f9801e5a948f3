"""Labelled texts that a Python program has → a `Dataset`, with a reason for every row refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from textclf.data.dataset import Dataset, ReadOptions, dataset_from_rows, read_dataset
from textclf.data.format import Rows

LabelledRows: TypeAlias = "str | Path | Dataset | Mapping[str, Any] | tuple[Any, Any] | Any"
"""A path, a table with a column of texts and one of labels, or a pair of texts and labels.

A table is whatever has columns and gives them by name: a DataFrame of pandas or polars, a table of
pyarrow, a data set of Hugging Face, or a dict of lists.
"""

NAME = "memory"
"""What rows that are from no file are called, in messages and in the metadata."""


def labelled_rows(
    data: LabelledRows, labels: Iterable[Any] | None = None, options: ReadOptions | None = None
) -> Dataset:
    """Return a data set.

    Args:
        data: a path, a table, a pair of texts and labels, or, with ``labels``, the texts.
        labels: the label of each text; a str, an int or a bool.
        options: how files and tables are read: which columns hold texts and labels, and what to do
            about rows that cannot be used.

    Raises:
        TypeError: something is no text or no label; the message names its index.
        ValueError: there are not as many labels as texts, a table lacks a column, or a str has half
            of a surrogate pair.
        DataError: a file cannot be read, or rows cannot be used.
    """
    options = options or ReadOptions()
    if isinstance(data, Dataset):
        return data
    if labels is None and isinstance(data, str | Path):
        return read_dataset(Path(data), options)
    columns: tuple[Any, Any] = (data, labels)
    if labels is None:
        columns = _columns(data, options)
    return dataset_from_rows(NAME, NAME, None, _rows(*columns), options.on_bad_rows)


def _columns(data: Any, options: ReadOptions) -> tuple[Any, Any]:
    """Return the texts and the labels of a table or a pair."""
    if isinstance(data, tuple) and len(data) == 2:  # noqa: PLR2004 - texts and labels
        return data
    names = data if isinstance(data, Mapping) else getattr(data, "column_names", None)
    names = getattr(data, "columns", None) if names is None else names
    if names is None or callable(names):
        raise TypeError(
            f"no labels: give texts and labels, a table, or a path, not {type(data).__name__}"
        )
    for name in (options.text_column, options.label_column):
        if name not in names:
            known = ", ".join(map(str, names))
            raise ValueError(f"there is no column {name!r}; the columns are: {known}")
    return data[options.text_column], data[options.label_column]


def _rows(texts: Iterable[Any], labels: Iterable[Any]) -> Rows:
    listed, named = _as_list(texts, "texts"), _as_list(labels, "labels")
    if len(listed) != len(named):
        raise ValueError(f"there are {len(listed):,} texts and {len(named):,} labels")
    rows = Rows()
    for index, (text, label) in enumerate(zip(listed, named, strict=True)):
        rows.add(index, _text(text, index), _label(label, index))
    return rows


def _as_list(values: Any, what: str) -> list[Any]:
    """Return values as a list of Python's own objects, whatever library holds them."""
    if isinstance(values, str | bytes | Mapping):
        raise TypeError(f"{what} are an iterable, not {type(values).__name__}")
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(values, method):
            return list(getattr(values, method)())
    return list(values)


def _text(text: Any, index: int) -> str | None:
    if _is_missing(text):
        return None
    if not isinstance(text, str):
        raise TypeError(f"the text at index {index} is of type {type(text).__name__}, not a str")
    return require_whole(str(text), "text", index)


def _label(label: Any, index: int) -> str | None:
    if _is_missing(label):
        return None
    if isinstance(label, str | int):
        return require_whole(str(label), "label", index)
    item = getattr(label, "item", None)  # a scalar of NumPy
    if item is not None and isinstance(value := item(), str | int):
        return str(value)
    raise TypeError(
        f"the label at index {index} is of type {type(label).__name__}, not a str or an int"
    )


def require_whole(value: str, what: str, index: int) -> str:
    """Return a str that can be written. Raises ValueError if it has half a surrogate pair."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"the {what} at index {index} has half of a surrogate pair") from None
    return value


def _is_missing(value: Any) -> bool:
    """Whether a value is ``None``, or what a library has in its place: NaN, NaT or NA."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or value != value  # noqa: PLR0124

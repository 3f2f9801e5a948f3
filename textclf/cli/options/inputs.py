"""Labelled data named on the command line: the default, and the test file beside it."""

from __future__ import annotations

from pathlib import Path

from textclf.errors import DataError

DEFAULT_DATA = Path("data/train.csv")
DEFAULT_SHARE = 0.2
"""Share of the rows that is split off for testing where there is no test data."""


def require_data(data: Path) -> None:
    """Raise DataError if no data was named and the default does not exist."""
    if data == DEFAULT_DATA and not data.exists():
        raise DataError(
            f"no data was named, and the default {data.as_posix()} does not exist",
            hint="name a file with the columns text and label: textclf train reviews.csv",
        )


def test_beside(data: Path) -> Path | None:
    """Return ``x/test.csv.gz`` for ``x/train.csv.gz``, if it exists."""
    name, dot, ending = data.name.partition(".")
    if name != "train":
        return None
    beside = data.with_name(f"test{dot}{ending}")
    return beside if beside.exists() else None

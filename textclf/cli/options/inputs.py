"""Labelled data named on the command line: the default, and the test file beside it."""

from __future__ import annotations

from pathlib import Path

from textclf.errors import DataError

DEFAULT_DATA = Path("data/train.csv")
DEFAULT_SHARE = 0.2
"""Of the rows, split off for testing where no test data is given."""


def require_data(data: Path) -> None:
    """Say what to give where nothing was given and the default is not there. Raises DataError."""
    if data == DEFAULT_DATA and not data.exists():
        raise DataError(
            f"there is no {data.as_posix()}, which is read where no data is named",
            hint="name a file with the columns text and label: textclf train reviews.csv",
        )


def test_beside(data: Path) -> Path | None:
    """``x/test.csv.gz`` for ``x/train.csv.gz``, if it is there."""
    name, dot, ending = data.name.partition(".")
    if name != "train":
        return None
    beside = data.with_name(f"test{dot}{ending}")
    return beside if beside.exists() else None

"""Labelled data named on the command line: the default, and the test file beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textclf.cli.options.settings import option_to_ignore
from textclf.errors import DataError, UsageError

if TYPE_CHECKING:
    import typer

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


def choose_test_rows(
    context: typer.Context, data: Path, test: Path | None, share: float | None
) -> tuple[Path | None, float]:
    """Return the test file, if there is one, and the share to split off if there is none.

    Raises:
        UsageError: the share is not valid, or both are given.
    """
    if share is not None and not 0 < share < 1:
        raise UsageError("--test-size takes a share between 0 and 1", hint="--test-size 0.2")
    if test and share is not None:
        why = "the test rows come from one place"
        if option_to_ignore(context, "test", "test_size", why) == "test":
            test = None
    if share is None:
        test = test or test_beside(data)
    return test, share or DEFAULT_SHARE

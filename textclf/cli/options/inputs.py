"""Labelled data named on the command line: the default, the test file beside it, its problems."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textclf.cli.output import render
from textclf.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textclf.data.quality import Problem

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


def warn_of(problems: Sequence[Problem]) -> None:
    """Tell what is suspicious in the data, with one example; ``textclf check`` has more."""
    for problem in problems:
        example = f": {problem.examples[0]}" if problem.examples else ""
        render.warning(f"{problem.message.removesuffix('.')}{example}")

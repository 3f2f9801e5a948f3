"""``textclf check``: errors and suspicious findings in a data set, before training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.options import Folds
from textclf.cli.options.reading import (
    DEFAULT_DATA,
    DEFAULT_SHARE,
    Data,
    FormatOptions,
    ReadingOptions,
    TestFile,
    require_data,
    test_beside,
)
from textclf.cli.output import check_report, render
from textclf.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from textclf.data.dataset import Dataset, ReadOptions


@option_groups
def check(
    data: Data = DEFAULT_DATA,
    test: TestFile = None,
    *,
    file_format: FormatOptions,
    cv: Folds = 5,
    common: CommonOptions,
) -> None:
    """Report errors and suspicious findings in a data set, before training.

    Examples:
      textclf check
      textclf check reviews.csv --test held_out.csv
      textclf check reviews.csv --json

    More: docs/cli.md
    """
    from textclf.data.dataset import read_dataset
    from textclf.data.quality import DataProblem, Severity, find_problems

    require_data(data)
    reading = ReadingOptions(**vars(file_format), on_bad_rows="skip")
    options = reading.read_options()
    with common.phases() as show_phase:
        show_phase("reading the data")
        rows = read_dataset(data, options)
        test_rows, unlabelled = _read_test_rows(data, test, options)
        show_phase("checking the data")
        share = 0.0 if test_rows else DEFAULT_SHARE
        problems = find_problems(rows, test_rows, folds=cv, split=share)
    if unlabelled:
        problems += (DataProblem("unlabelled-test", Severity.WARNING, 1, unlabelled, ()),)
    ok = not any(problem.severity is Severity.ERROR for problem in problems)
    if common.as_json:
        render.json(check_report.answer(rows, test_rows, problems, ok=ok))
    else:
        check_report.show(rows, test_rows, problems, quiet=common.quiet)
    if not ok:
        raise typer.Exit(DataError.exit_code)


def _read_test_rows(
    data: Path, test: Path | None, options: ReadOptions
) -> tuple[Dataset | None, str | None]:
    """Return the test rows, if there are any, or why those beside the data are not used."""
    from textclf.data.dataset import read_dataset
    from textclf.data.test_data import read_beside

    if test:
        return read_dataset(test, options), None
    beside = test_beside(data)
    return read_beside(beside, options) if beside else (None, None)

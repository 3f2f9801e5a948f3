"""``textclf check``: errors and suspicious findings in a data set, before training."""

from __future__ import annotations

from dataclasses import dataclass
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
from textclf.cli.output import render
from textclf.errors import DataError
from textclf.formatting import escape_controls, excerpt, plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from textclf.data.dataset import Dataset, ReadOptions
    from textclf.data.quality import DataProblem


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
        render.json(_answer(rows, test_rows, problems, ok=ok))
    else:
        _show(rows, test_rows, problems, quiet=common.quiet)
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


@dataclass(frozen=True)
class CheckedTestRows:
    """The test rows that a data set was checked with."""

    path: str
    rows: int
    labels: dict[str, int]


@dataclass(frozen=True)
class CheckAnswer:
    """The JSON of ``textclf check``."""

    ok: bool
    path: str
    format: str
    tool: str | None
    left_out: Mapping[str, int]
    rows: int
    labels: Mapping[str, int]
    test: CheckedTestRows | None
    problems: Sequence[DataProblem]


def _answer(
    rows: Dataset, test: Dataset | None, problems: Sequence[DataProblem], *, ok: bool
) -> CheckAnswer:
    return CheckAnswer(
        ok,
        rows.path,
        rows.format,
        rows.tool,
        rows.left_out,
        len(rows),
        rows.label_counts,
        CheckedTestRows(test.path, len(test), test.label_counts) if test else None,
        problems,
    )


def _show(
    rows: Dataset, test: Dataset | None, problems: Sequence[DataProblem], *, quiet: bool
) -> None:
    for data in (rows, test):
        if data is not None:
            render.line(
                f"{escape_controls(data.path)}: {plural(len(data), 'row')}, "
                f"{plural(len(data.label_counts), 'label')} ({data.format})"
            )
            if data.export_note:
                render.line(escape_controls(data.export_note))
    test_counts = test.label_counts if test else {}
    render.table(
        ["label", "rows", *(["test rows"] if test else [])],
        (
            [excerpt(label, 40), count, *([test_counts.get(label, 0)] if test else [])]
            for label, count in rows.label_counts.items()
        ),
        right=["rows", "test rows"],
    )
    for problem in problems:
        render.line(f"{problem.severity}: {escape_controls(problem.message)}")
        if not quiet:
            for example in problem.examples:
                render.line(f"  {escape_controls(example)}")
    if not problems:
        render.line("no problems found")

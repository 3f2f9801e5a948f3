"""``textclf check``: errors and suspicious findings in a data set, before training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.options import Folds
from textclf.cli.options.reading import (
    DEFAULT_DATA,
    DEFAULT_SHARE,
    Data,
    ReadingOptions,
    TestFile,
    require_data,
    test_beside,
)
from textclf.cli.output import check_report, render
from textclf.cli.output.output_file import Force, table_file
from textclf.cli.output.progress import loading
from textclf.errors import DataError, UsageError

if TYPE_CHECKING:
    from textclf.data.dataset import Dataset
    from textclf.training.suspect_labels import SuspectLabels

Labels = Annotated[
    bool,
    typer.Option("--labels", help="Rank the rows whose label the other rows contradict."),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="With --labels: write all these rows, most suspect first (.csv, .tsv, .jsonl, "
        ".parquet).",
    ),
]


@option_groups
def check(
    data: Data = DEFAULT_DATA,
    test: TestFile = None,
    *,
    reading: ReadingOptions,
    cv: Folds = 5,
    labels: Labels = False,
    output: Output = None,
    force: Force = False,
    common: CommonOptions,
) -> None:
    """Report errors and suspicious findings in a data set, before training.

    Examples:
      textclf check
      textclf check reviews.csv --test held_out.csv
      textclf check reviews.csv --labels --output suspect.csv

    More: docs/cli.md, docs/labels.md
    """
    from textclf.data.dataset import OnBadRows, read_dataset
    from textclf.data.quality import DataProblem, Severity, find_problems
    from textclf.data.split import read_test

    require_data(data)
    test_data = test or test_beside(data)
    if output and not labels:
        raise UsageError("--output writes the rows with suspect labels", hint="add --labels")
    target = (
        table_file(output, "--output", common.open_registry(), data, test_data, force=force)
        if output
        else None
    )
    asked = reading.read_options()
    options = replace(asked, on_bad_rows=OnBadRows.SKIP)
    with common.phases() as show_phase:
        show_phase("reading the data")
        rows = read_dataset(data, options)
        test_rows, unlabelled = (
            read_test(test_data, options, named=bool(test)) if test_data else (None, None)
        )
        show_phase("checking the data")
        share = 0.0 if test_rows else DEFAULT_SHARE
        problems = find_problems(
            rows, test_rows, folds=cv, split=share, on_bad_rows=asked.on_bad_rows
        )
        ok = not any(problem.severity is Severity.ERROR for problem in problems)
    if unlabelled:
        problems += (DataProblem("unlabelled-test", Severity.WARNING, 1, unlabelled, ()),)
    if not common.as_json:
        check_report.show(rows, test_rows, problems, quiet=common.quiet)
    suspects = _judge(common, rows, cv) if labels and ok else None
    if target and suspects:
        check_report.write_suspects(target, rows, suspects)
    if common.as_json:
        render.json(check_report.answer(rows, test_rows, problems, suspects, ok=ok))
    elif suspects:
        check_report.show_suspects(rows, suspects, target, quiet=common.quiet)
    elif labels:
        render.sentence("the labels are judged once there are no errors")
    if not ok:
        raise typer.Exit(DataError.exit_code)


def _judge(common: CommonOptions, rows: Dataset, folds: int) -> SuspectLabels:
    with common.phases() as show_phase:
        with loading(show_phase):
            from textclf.training.suspect_labels import find_suspect_labels

        show_phase("judging each label by a model of other rows")
        return find_suspect_labels(rows, folds=folds)

"""What ``textclf check`` shows: the rows, the labels, and what is wrong or suspicious."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textclf.cli.output import render, suspect_labels
from textclf.formatting import escape_controls, excerpt, plural

if TYPE_CHECKING:
    from textclf.data.dataset import Dataset
    from textclf.data.quality import DataProblem
    from textclf.training.suspect_labels import SuspectLabels


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
    notes: Sequence[str]
    suspect_labels: suspect_labels.SuspectLabelsAnswer | None


def answer(
    rows: Dataset,
    test: Dataset | None,
    problems: Sequence[DataProblem],
    suspects: SuspectLabels | None,
    *,
    ok: bool,
) -> CheckAnswer:
    """Return the answer for programs."""
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
        [note for data in (rows, test) if data for note in data.reading_notes],
        suspect_labels.answer(rows, suspects) if suspects else None,
    )


def show(
    rows: Dataset, test: Dataset | None, problems: Sequence[DataProblem], *, quiet: bool
) -> None:
    """Show the rows and labels, and every problem; without examples if it is to be short."""
    for data in (rows, test):
        if data is not None:
            render.sentence(
                f"{escape_controls(data.path)}: {plural(len(data), 'row')}, "
                f"{plural(len(data.label_counts), 'label')} ({data.format})"
            )
            for note in data.reading_notes:
                render.sentence(escape_controls(note))
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
        render.sentence(f"{problem.severity}: {escape_controls(problem.message)}")
        if not quiet:
            for example in problem.examples:
                render.sentence(f"  {escape_controls(example)}")
            if problem.examples and problem.count > len(problem.examples):
                render.sentence(f"  and {problem.count - len(problem.examples):,} more")
    if not problems:
        render.sentence("no problems found")

"""What ``textclf check`` shows: the rows, the labels, and what is wrong or suspicious."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING

from textclf.cli.output import render
from textclf.cli.output.table_writer import write_rows
from textclf.formatting import escape_controls, excerpt, plural

if TYPE_CHECKING:
    from textclf.cli.output.output_file import OutputFile
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
    suspect_labels: SuspectLabelsAnswer | None


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
        SuspectLabelsAnswer(suspects.judged, suspects.confident, _suspect_rows(rows, suspects))
        if suspects
        else None,
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


_MOST_SHOWN = 20


@dataclass(frozen=True)
class SuspectRow:
    """A row whose label may be wrong, in the order of its columns in a file.

    Attributes:
        text: its text.
        label: its label.
        predicted: the label that it seems to have.
        score: the probability of that label, or the share of the rows with the same text that
            have it.
        where: its file and line.
        same_text: where the same text has that label, if that is why.
    """

    text: str
    label: str
    predicted: str
    score: float
    where: str
    same_text: str | None


@dataclass(frozen=True)
class SuspectLabelsAnswer:
    """The part of the JSON of ``textclf check`` that ``--labels`` adds."""

    judged: int
    confident: int
    rows: Sequence[SuspectRow]


def write_suspects(target: OutputFile, data: Dataset, suspects: SuspectLabels) -> None:
    """Write all rows whose label may be wrong, the most suspect first."""
    columns = [field.name for field in fields(SuspectRow)]
    write_rows(target, columns, map(astuple, _suspect_rows(data, suspects)))


def show_suspects(
    data: Dataset, suspects: SuspectLabels, target: OutputFile | None, *, quiet: bool
) -> None:
    """Show how many labels may be wrong and, unless it is to be short, the most suspect rows."""
    number = len(suspects.rows)
    verb = "is" if number == 1 else "are"
    confidently = f", {suspects.confident:,} of them confidently" if number else ""
    render.sentence(
        f"{f'{number:,}' if number else 'none'} of {plural(suspects.judged, 'label')} {verb} "
        f"contradicted by the other rows{confidently}"
    )
    if unjudged := len(data) - suspects.judged:
        count = plural(unjudged, "row")
        render.sentence(f"not judged: {count} with a label or words that no other row has")
    if quiet or not suspects.rows:
        return
    rows = _suspect_rows(data, suspects)
    repeats = ["same text"] if any(row.same_text for row in rows[:_MOST_SHOWN]) else []
    render.table(
        ["where", "label", "predicted", "score", *repeats, "text"],
        (
            [
                row.where,
                excerpt(row.label, 40),
                excerpt(row.predicted, 40),
                f"{row.score:.3f}",
                *[row.same_text or "" for _ in repeats],
                excerpt(row.text, 100),
            ]
            for row in rows[:_MOST_SHOWN]
        ),
        right=["score"],
        spare=["score"],
    )
    more = len(rows) - _MOST_SHOWN
    if more > 0:
        render.sentence(f"and {more:,} more")
    if more > 0 and not target:
        render.hint("--output FILE.csv writes all of them")


def _suspect_rows(data: Dataset, suspects: SuspectLabels) -> list[SuspectRow]:
    return [
        SuspectRow(
            data.texts[suspect.row],
            data.labels[suspect.row],
            suspect.predicted,
            suspect.score,
            data.where(suspect.row),
            None if suspect.same_text is None else data.where(suspect.same_text),
        )
        for suspect in suspects.rows
    ]

"""What ``textclf check --labels`` shows and writes: the rows whose label may be wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING

from textclf.cli.output import render
from textclf.cli.output.rows_file import write_rows
from textclf.formatting import excerpt, plural

if TYPE_CHECKING:
    from textclf.cli.output.output_file import OutputFile
    from textclf.data.dataset import Dataset
    from textclf.training.suspect_labels import SuspectLabels

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


def answer(data: Dataset, suspects: SuspectLabels) -> SuspectLabelsAnswer:
    """Return the answer for programs."""
    return SuspectLabelsAnswer(suspects.judged, suspects.confident, _rows(data, suspects))


def write(target: OutputFile, data: Dataset, suspects: SuspectLabels) -> None:
    """Write all rows whose label may be wrong, the most suspect first."""
    columns = [field.name for field in fields(SuspectRow)]
    write_rows(target, columns, map(astuple, _rows(data, suspects)))


def show(data: Dataset, suspects: SuspectLabels, target: OutputFile | None, *, quiet: bool) -> None:
    """Show how many labels may be wrong and, unless it is to be short, the most suspect rows."""
    render.sentence(
        f"{len(suspects.rows):,} of {plural(suspects.judged, 'label')} are contradicted by the "
        f"other rows, {suspects.confident:,} of them confidently"
    )
    if unjudged := len(data) - suspects.judged:
        count = plural(unjudged, "row")
        render.sentence(f"not judged: {count} with a label or words that no other row has")
    if quiet or not suspects.rows:
        return
    rows = _rows(data, suspects)
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


def _rows(data: Dataset, suspects: SuspectLabels) -> list[SuspectRow]:
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

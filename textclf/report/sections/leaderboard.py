"""The search: its candidates, best first, with the score of every fold."""

from __future__ import annotations

from collections.abc import Sequence

from textclf.metadata.schema import Candidate, SearchRecord
from textclf.report.html import charts, numbers
from textclf.report.html.markup import Html, el, join
from textclf.report.html.tables import Column, drawn, table
from textclf.report.subject import Subject, told_apart

_SHOWN = 30


def one(subject: Subject) -> Html:
    """A table with the folds drawn in it, on one scale."""
    search = subject.metadata.search
    ranked = _ranked(search)
    shown = ranked[:_SHOWN]
    scale = charts.score_scale([s for _, c in shown for s in c.fold_scores if s is not None])
    columns = [
        Column("Candidate", "row"),
        Column("Mean", "number"),
        drawn("Folds", charts.score_axis(scale)),
        Column("±", "number less"),
        Column("Seconds a fit", "number less"),
    ]
    return join(
        table(
            f"Candidates by {search.scoring.replace('_', ' ')}, best first",
            columns,
            ([name, *_cells(candidate, scale)] for name, candidate in shown),
            class_="board",
            best=0,
        ),
        el("p", " ".join(_notes(search, len(ranked))), class_="note"),
    )


def _ranked(search: SearchRecord) -> list[tuple[str, Candidate]]:
    """Those that have a score, with their names; last those that were given up in a race."""
    named = zip(told_apart(search.candidates), search.candidates, strict=True)
    scored = [(name, c) for name, c in named if c.mean is not None]
    return sorted(scored, key=lambda entry: (-len(entry[1].fold_scores), -(entry[1].mean or 0)))


def _cells(candidate: Candidate, scale: charts.Scale) -> Sequence[object]:
    scores = [score for score in candidate.fold_scores if score is not None]
    mean, std = candidate.mean or 0.0, candidate.std or 0.0
    return (
        numbers.percent(mean, 2),
        charts.fold_scores(scores, mean, std, scale),
        f"{100 * std:.2f}",
        f"{candidate.fit_seconds:.3f}",
    )


def _notes(search: SearchRecord, ranked: int) -> list[str]:
    failed = len(search.candidates) - ranked
    notes = {
        "Large dots are means over the folds, small ones the folds, bars one standard deviation "
        "each way.": True,
        f"The other {ranked - _SHOWN} are in metadata.json.": ranked > _SHOWN,
        f"{numbers.counted(failed, 'candidate')} could not be fitted.": failed,
        "Those with fewer folds were given up in the race.": search.method == "race",
        f"The search saw a sample of {search.sample or 0:,} rows.": search.sample,
    }
    return [note for note, holds in notes.items() if holds]

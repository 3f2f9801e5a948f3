"""The candidates of the search, best first, with the scores of their folds."""

from __future__ import annotations

from collections.abc import Sequence

from textclf.formatting import candidate_names, percent, plural
from textclf.metadata.schema import Candidate, SearchRecord
from textclf.report.html import charts
from textclf.report.html.markup import Html, el, join
from textclf.report.html.tables import Column, chart_column, table
from textclf.report.subject import Subject

_CANDIDATES = 30
"""The most candidates that are shown."""


def section(subject: Subject) -> Html:
    """Show the candidates in a table, with their folds drawn on one scale."""
    search = subject.metadata.search
    if search is None:
        return el("p", "The model was fitted outside of textclf: there was no search.")
    ranked = _ranked(search)
    best = ranked[:_CANDIDATES]
    scale = charts.score_scale([s for _, c in best for s in c.fold_scores if s is not None])
    columns = [
        Column("Candidate", "row"),
        Column("Mean", "number"),
        chart_column("Folds", charts.score_axis(scale)),
        Column("±", "number less"),
        Column("Seconds per fit", "number less"),
    ]
    return join(
        table(
            f"Candidates by {search.scoring.replace('_', ' ')}, best first",
            columns,
            ([name, *_cells(candidate, scale)] for name, candidate in best),
            class_="board",
            best=0,
        ),
        el("p", " ".join(_notes(search, len(ranked))), class_="note"),
    )


def _ranked(search: SearchRecord) -> list[tuple[str, Candidate]]:
    """Return the candidates that have a score, with their names; last those a race dropped."""
    params = [candidate.params for candidate in search.candidates]
    names = candidate_names(params)
    named = zip(names, search.candidates, strict=True)
    scored = [(name, c) for name, c in named if c.mean is not None]
    return sorted(scored, key=lambda entry: (-len(entry[1].fold_scores), -(entry[1].mean or 0)))


def _cells(candidate: Candidate, scale: charts.Scale) -> Sequence[object]:
    scores = [score for score in candidate.fold_scores if score is not None]
    mean, std = candidate.mean or 0.0, candidate.std or 0.0
    return (
        percent(mean, 2),
        charts.fold_scores(scores, mean, std, scale),
        f"{100 * std:.2f}",
        f"{candidate.fit_seconds:.3f}",
    )


def _notes(search: SearchRecord, ranked: int) -> list[str]:
    failed = len(search.candidates) - ranked
    notes = {
        "Large dots are means over the folds, small dots are folds, bars are one standard "
        "deviation in each direction.": True,
        f"The other {ranked - _CANDIDATES} are in metadata.json.": ranked > _CANDIDATES,
        f"{plural(failed, 'candidate')} could not be fitted.": failed,
        "Candidates with fewer folds were dropped during the race.": search.method == "race",
        f"The search used a sample of {search.sample or 0:,} rows.": search.sample,
    }
    return [note for note, holds in notes.items() if holds]

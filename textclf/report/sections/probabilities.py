"""Whether probabilities mean what they say, and what a threshold on them would do."""

from __future__ import annotations

from collections.abc import Sequence

from textclf.report.evidence import Probabilities, Threshold
from textclf.report.html import charts, numbers
from textclf.report.html.markup import Html, el, join
from textclf.report.html.tables import Column, table
from textclf.report.subject import Subject

_AT = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99)

_RELIABILITY = el(
    "figcaption",
    "Above the dashed line the model is right more often than it says, below less often. Bars are "
    f"95{numbers.SPACE}% intervals.",
)
_THRESHOLDS = el(
    "figcaption",
    "Leave out the rows whose label is not probable enough, and more of the rest are right.",
)


def one(subject: Subject) -> Html:
    """A reliability diagram, a threshold curve, and what they say in words and numbers."""
    if not subject.evidence:
        return subject.missing()
    if not (found := subject.evidence.probabilities):
        told = f"Version {subject.version} has decision values, no probabilities."
        return el("p", told, class_="note")
    name, version = subject.name("probabilities"), subject.version
    return join(
        el("p", _in_words(found)),
        el(
            "div",
            el("figure", charts.reliability(f"{name}-bins", version, found), _RELIABILITY),
            el("figure", charts.thresholds(f"{name}-thresholds", version, found), _THRESHOLDS),
            class_="side",
        ),
        _thresholds(found.thresholds),
    )


def _in_words(found: Probabilities) -> str:
    rows = sum(b.rows for b in found.bins)
    mean = sum(b.confidence * b.rows for b in found.bins) / rows
    right = sum(b.accuracy * b.rows for b in found.bins) / rows
    gap = mean - right
    sure = "as sure as it may be"
    if abs(gap) >= 0.01:  # noqa: PLR2004 - a percentage point
        sure = f"too {'sure' if gap > 0 else 'unsure'} by {100 * abs(gap):.1f} points"
    return (
        f"The label given has a probability of {numbers.percent(mean)} on average, and "
        f"{numbers.percent(right)} are right: on the whole the model is {sure}. The expected "
        f"calibration error is {numbers.percent(found.calibration_error)}, the log-loss "
        f"{found.log_loss:.3f}."
    )


def _thresholds(found: Sequence[Threshold]) -> Html:
    at = {t.at: t for t in found}
    rows = (
        [
            numbers.percent(each, 0),
            numbers.percent(at[each].answered),
            numbers.percent(at[each].accuracy),
        ]
        for each in _AT
        if each in at
    )
    columns = [
        Column("Probability", "row"),
        Column("Rows answered", "number"),
        Column("Of these right", "number"),
    ]
    return table("By the least probability that is taken", columns, rows)

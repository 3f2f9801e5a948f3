"""How well probabilities agree with outcomes, and what thresholds on them would do."""

from __future__ import annotations

from collections.abc import Sequence

from textclf.evaluation.records import TwoLabels
from textclf.formatting import excerpt, percent
from textclf.report.html import charts
from textclf.report.html.markup import Html, el, join
from textclf.report.html.tables import Column, table
from textclf.report.report_data import Probabilities, Threshold
from textclf.report.subject import Subject

_THRESHOLDS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99)

_RELIABILITY_CAPTION = el(
    "figcaption",
    "Above the dashed line the model is underconfident: it is correct more often than it predicts. "
    "Below the line it is overconfident. Bars are 95% Wilson intervals.",
)
_THRESHOLDS_CAPTION = el(
    "figcaption",
    "A higher threshold leaves more rows without a label, and more of the others are correct.",
)


def section(subject: Subject) -> Html:
    """Show a reliability diagram and a threshold curve, and what they mean in words and numbers."""
    if not subject.data:
        return subject.missing_data()
    if not (probabilities := subject.data.probabilities):
        sentence = f"Version {subject.version} has decision values, not probabilities."
        return el("p", sentence, class_="note")
    name, version = subject.name("probabilities"), subject.version
    diagram = charts.reliability(f"{name}-bins", version, probabilities.bins)
    curve = charts.thresholds(f"{name}-thresholds", version, probabilities.thresholds)
    return join(
        el("p", _in_words(probabilities)),
        el(
            "div",
            el("figure", diagram, _RELIABILITY_CAPTION),
            el("figure", curve, _THRESHOLDS_CAPTION),
            class_="side",
        ),
        _table(probabilities.thresholds),
        _cutoffs(subject.data.two_labels) if subject.data.two_labels else None,
    )


def _cutoffs(ranking: TwoLabels) -> Html:
    """Show what cutoffs on the probability of the rarer of two labels cost."""
    rows = (
        [
            percent(cutoff.at, 0),
            percent(cutoff.precision),
            percent(cutoff.recall),
            f"{cutoff.false_positives:,}",
            f"{cutoff.false_negatives:,}",
        ]
        for cutoff in ranking.shown_cutoffs
    )
    heads = ("Precision", "Recall", "False positives", "False negatives")
    columns = [Column("Probability", "row"), *(Column(head, "number") for head in heads)]
    positive = excerpt(ranking.positive, 80)
    return table(f"Cutoffs on the probability of {positive}, and what they cost", columns, rows)


def _in_words(probabilities: Probabilities) -> str:
    rows = sum(b.rows for b in probabilities.bins)
    confidence = sum(b.confidence * b.rows for b in probabilities.bins) / rows
    accuracy = sum(b.accuracy * b.rows for b in probabilities.bins) / rows
    gap = confidence - accuracy
    verdict = "well calibrated"
    if abs(gap) >= 0.01:  # noqa: PLR2004 - a percentage point
        kind = "overconfident" if gap > 0 else "underconfident"
        verdict = f"{kind} by {100 * abs(gap):.1f} points"
    return (
        f"The probability of the predicted label is {percent(confidence)} on average, and "
        f"{percent(accuracy)} of the predictions are correct: overall the model is {verdict}. The "
        f"expected calibration error is {percent(probabilities.calibration_error)}, the log-loss "
        f"{probabilities.log_loss:.3f}."
    )


def _table(thresholds: Sequence[Threshold]) -> Html:
    by_value = {threshold.at: threshold for threshold in thresholds}
    rows = (
        [percent(at, 0), percent(by_value[at].answered), percent(by_value[at].accuracy)]
        for at in _THRESHOLDS
        if at in by_value
    )
    columns = [
        Column("Threshold", "row"),
        Column("Rows labelled", "number"),
        Column("Accuracy on these", "number"),
    ]
    return table("Effect of a threshold on the probability", columns, rows)

"""Metrics, their intervals and their tables, as several commands show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textclf.cli.output.document import TableBlock, UserText
from textclf.formatting import excerpt, percent

if TYPE_CHECKING:
    from textclf.evaluation.metrics import ConfusedPair
    from textclf.evaluation.records import Interval, IntervalMethod
    from textclf.metadata.schema import Metrics

NOTABLE_OVERLAP = 0.05
"""Share of rows in a version's training data above which its scores are no longer a fair test."""


def overlap_warning(version: str, share: float) -> str:
    """Return the warning that a version was trained on rows it is scored on."""
    return (
        f"{version} was trained on about {share:.0%} of these rows: its scores are too optimistic"
    )


def class_table(metrics: Metrics) -> TableBlock:
    """Return precision, recall and F1 of every class, and its most frequent wrong prediction."""
    from textclf.evaluation.metrics import most_confused

    confused = most_confused(metrics.confusion)
    return TableBlock(
        ["label", "precision", "recall", "F1", "rows", "predicted as"],
        [
            [
                UserText(label),
                percent(scores.precision),
                percent(scores.recall),
                percent(scores.f1),
                scores.support,
                _most_frequent_mistake(confused.get(label)),
            ]
            for label, scores in metrics.per_class.items()
        ],
        right=["precision", "recall", "F1", "rows"],
    )


def _most_frequent_mistake(pair: ConfusedPair | None) -> str:
    return UserText(f"{excerpt(pair.predicted, 40)} ({pair.rows})") if pair else ""


def interval(value: Interval) -> str:
    """Return a share with its interval: ``85.0% (81.2% to 89.1%)``."""
    return f"{percent(value.value)} ({percent(value.low)} to {percent(value.high)})"


def method(intervals: IntervalMethod) -> str:
    """Return how intervals were computed."""
    return (
        f"{intervals.confidence:.0%} intervals, {intervals.name} with {intervals.resamples:,} "
        f"resamples of the rows, seed {intervals.seed}"
    )

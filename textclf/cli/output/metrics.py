"""Metrics, their intervals and their tables, as several commands show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textclf.cli.output.document import TableBlock, UserText
from textclf.formatting import excerpt, percent, plural

if TYPE_CHECKING:
    from textclf.evaluation.metrics import ConfusedPair
    from textclf.evaluation.records import Interval, IntervalMethod, McNemar
    from textclf.metadata.schema import Metrics


def mcnemar(a: str, b: str, test: McNemar) -> str:
    """Return which of two versions is correct on more rows, and whether that may be chance."""
    rows = plural(test.only_a_right, "row")
    counts = f"only {a} is correct on {rows}, only {b} on {test.only_b_right}"
    p = "p < 0.0001" if test.p_value < 0.0001 else f"p = {test.p_value:.2g}"  # noqa: PLR2004
    if not test.is_significant:
        meaning = "the difference may be chance"
    else:
        meaning = f"{a if test.b_is_worse else b} is correct significantly more often"
    return f"{counts}; McNemar's exact test: {p}, {meaning}"


def class_table(metrics: Metrics) -> TableBlock:
    """Return the metrics of every class, the worst first, and its most frequent mistake."""
    from textclf.evaluation.metrics import most_confused, worst_first

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
            for label, scores in worst_first(metrics)
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

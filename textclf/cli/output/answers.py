"""Answers that more than one command gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from textclf.cli.output import render
from textclf.cli.output.document import Code, Table
from textclf.formatting import excerpt, percent

if TYPE_CHECKING:
    from textclf.evaluation.statistics import Interval, Method
    from textclf.metadata.schema import Metadata, Metrics
    from textclf.registry.registry import Promotion


SEEN = 0.05
"""Share of rows in a version's training data from which on its scores are no test."""


def seen(version: str, share: float) -> str:
    """The warning that a version knows the rows it is scored on."""
    return (
        f"about {share:.0%} of these rows are among those that {version} was trained on: "
        "its scores are too good"
    )


def with_more(metadata: Metadata, **more: object) -> dict[str, Any]:
    """The metadata object with further fields at its end."""
    import msgspec

    return {**msgspec.to_builtins(metadata), **more}


def tags(found: Mapping[str, str]) -> str:
    """``approved-by=ada prod=eu``."""
    return " ".join(f"{key}={value}" for key, value in found.items())


def class_table(metrics: Metrics) -> Table:
    """Precision, recall and F1 of every class, and what it is most often taken for."""
    confusion = metrics.confusion
    taken_for = {
        label: _taken_for(row, n, confusion.labels)
        for n, (label, row) in enumerate(zip(confusion.labels, confusion.matrix, strict=True))
    }
    return Table(
        ["label", "precision", "recall", "F1", "rows", "taken for"],
        [
            [
                Code(label),
                percent(c.precision),
                percent(c.recall),
                percent(c.f1),
                c.support,
                taken_for[label],
            ]
            for label, c in metrics.per_class.items()
        ],
        right=["precision", "recall", "F1", "rows"],
    )


def interval(found: Interval) -> str:
    """``85.0 % (81.2 to 89.1)``."""
    return f"{percent(found.value)} ({100 * found.low:.1f} to {100 * found.high:.1f})"


def method(found: Method) -> str:
    """How intervals came about."""
    return (
        f"{found.confidence:.0%} intervals, {found.name} with {found.resamples:,} resamples of the "
        f"rows, seed {found.seed}"
    )


def _taken_for(row: list[int], own: int, labels: list[str]) -> str:
    wrong = [
        (count, label) for n, (count, label) in enumerate(zip(row, labels, strict=True)) if n != own
    ]
    count, label = max(wrong, default=(0, ""))
    return Code(f"{excerpt(label, 40)} ({count})") if count else ""


def promoted(done: Promotion, *, quiet: bool) -> str:
    """``promoted 1.1.0 (was 1.0.0); back: `textclf rollback```."""
    if not done.changed:
        return f"{done.version} is promoted already; nothing changed"
    was = f" (was {done.previous})" if done.previous else ""
    back = "; back: `textclf rollback`" if done.previous and not quiet else ""
    return f"promoted {render.strong(done.version)}{was}{back}"


def tell_kept(kept: str | None) -> None:
    """Warn where a file that textclf had not made stood in the alias's place."""
    if kept:
        render.warning(
            f"the model file that stood there was no version of this registry; kept as {kept}"
        )

"""The answer of ``textclf versions compare``: what changed, and the metrics before and after."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from textclf.cli.output import metrics
from textclf.cli.output.document import Block, Heading, Items, TableBlock, UserText, sentence
from textclf.formatting import percent, plural, points

if TYPE_CHECKING:
    from textclf.evaluation.metadata_diff import Change, Comparison, Delta, RowChanges
    from textclf.evaluation.paired import PairedComparison
    from textclf.evaluation.records import Interval

_CONFUSIONS = 10
"""Changed confusions that are shown; JSON has all."""


def blocks(
    comparison: Comparison, scored: PairedComparison | None, *, numbers_first: bool = False
) -> list[Block]:
    """Return the answer; ``numbers_first`` puts the metrics before what changed."""
    changes, numbers = list(_changes(comparison)), list(_numbers(comparison, scored))
    parts = [*numbers, *changes] if numbers_first else [*changes, *numbers]
    return [Heading((f"{comparison.a} → {comparison.b}",)), *_warnings(comparison, scored), *parts]


def _warnings(comparison: Comparison, scored: PairedComparison | None) -> Iterator[Block]:
    from textclf.evaluation.train_overlap import overlap_warning

    if not comparison.same_test_rows and not scored:
        yield sentence(
            "the two were tested on different rows: their metrics are not comparable",
            is_warning=True,
        )
    if scored:
        overlaps = {comparison.a: scored.train_overlap_a, comparison.b: scored.train_overlap_b}
        for version, share in overlaps.items():
            if warning := overlap_warning(version, share):
                yield sentence(warning, is_warning=True)


# -- what changed ----------------------------------------------------------------------------------


def _changes(comparison: Comparison) -> Iterator[Block]:
    yield _listed("parameters", comparison.params)
    yield _listed("search", comparison.search)
    yield _listed("data", comparison.data)
    yield sentence(_rows(comparison.rows))
    yield _listed("environment", comparison.environment)


def _listed(title: str, changes: Sequence[Change]) -> Block:
    if not changes:
        return sentence(f"{title}: unchanged")
    return Items(
        title,
        [(UserText(c.name), ": ", _value(c.before), " → ", _value(c.after)) for c in changes],
    )


def _value(value: Any) -> str:
    """Return the value of a setting; a digest is cut short."""
    if value is None:
        return "not set"
    text = str(value)
    return UserText(f"{text[:12]}…" if re.fullmatch("[0-9a-f]{40,}", text) else text)


def _rows(rows: RowChanges | None) -> str:
    if rows is None:
        return "distinct training rows: unknown of one or both"
    about = "" if rows.exact else "about "
    return (
        f"distinct training rows: {about}{rows.shared:,} in both, {rows.added:,} added, "
        f"{rows.removed:,} removed"
    )


# -- the numbers -----------------------------------------------------------------------------------


def _numbers(comparison: Comparison, scored: PairedComparison | None) -> Iterator[Block]:
    if scored:
        yield from _scored(comparison.a, comparison.b, scored)
    rows = "" if comparison.same_test_rows else ", on different test rows"
    yield _deltas(f"as recorded at training{rows}", comparison, comparison.metrics)
    if not scored:
        yield _deltas("per class, largest loss first", comparison, comparison.per_class)


def _deltas(title: str, comparison: Comparison, deltas: Iterable[Delta]) -> TableBlock:
    return TableBlock(
        ["metric", comparison.a, comparison.b, "change"],
        [
            [
                UserText(d.name) if "[" in d.name else d.name,
                percent(d.before),
                percent(d.after),
                points(d.delta),
            ]
            for d in deltas
        ],
        right=[comparison.a, comparison.b, "change"],
        title=title,
    )


def _scored(a: str, b: str, scored: PairedComparison) -> Iterator[Block]:
    yield TableBlock(
        ["metric", a, b, "change"],
        [
            [
                pair.name,
                metrics.interval(pair.before),
                metrics.interval(pair.after),
                _difference(pair.delta),
            ]
            for pair in scored.metrics
        ],
        right=[a, b, "change"],
        title=f"both versions scored on {plural(scored.rows, 'row')}",
    )
    method = metrics.method(scored.method)
    yield sentence("rows of ", UserText(scored.path), f"; in parentheses: {method}")
    yield sentence(metrics.mcnemar(a, b, scored.mcnemar))
    wrong = len(scored.flips) - scored.fixed - scored.broken
    yield sentence(
        f"{plural(len(scored.flips), 'row')} changed label: {scored.fixed} fixed, "
        f"{scored.broken} broken, {wrong} wrong before and after"
    )
    yield _per_class(a, b, scored)
    if scored.confusions:
        yield _confusions(a, b, scored)


def _difference(interval: Interval) -> str:
    value, low, high = map(points, (interval.value, interval.low, interval.high))
    return f"{value} ({low} to {high})"


def _per_class(a: str, b: str, scored: PairedComparison) -> TableBlock:
    from textclf.evaluation.metadata_diff import class_change

    heads = ["rows", f"F1 {a}", f"F1 {b}", "change", "precision", "recall"]
    return TableBlock(
        ["label", *heads],
        [
            [
                UserText(label.label),
                label.rows,
                percent(label.before.f1 if label.before else None),
                percent(label.after.f1 if label.after else None),
                points(label.delta),
                points(class_change(label.before, label.after, "precision")),
                points(class_change(label.before, label.after, "recall")),
            ]
            for label in scored.per_class
        ],
        right=heads,
        title="per class, largest loss first",
    )


def _confusions(a: str, b: str, scored: PairedComparison) -> TableBlock:
    listed, total = scored.confusions[:_CONFUSIONS], len(scored.confusions)
    of_total = f", {len(listed)} of {total}" if total > len(listed) else ""
    return TableBlock(
        ["label", "predicted as", a, b, "change"],
        [
            [UserText(c.label), UserText(c.predicted), c.before, c.after, f"{c.after - c.before:+}"]
            for c in listed
        ],
        right=[a, b, "change"],
        title=f"mistakes whose number changed{of_total}",
    )

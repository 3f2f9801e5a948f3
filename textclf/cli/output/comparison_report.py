"""What ``textclf versions compare`` says: what changed, and in which numbers it shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from textclf.cli.output import answers
from textclf.cli.output.document import Block, Code, Items, Table, heading, sentence
from textclf.formatting import percent, plural, points

if TYPE_CHECKING:
    from textclf.evaluation.metadata_diff import Change, Comparison, Delta, RowChanges
    from textclf.evaluation.paired import McNemar, SideBySide
    from textclf.evaluation.statistics import Interval
    from textclf.metadata.schema import ClassMetrics

_CONFUSIONS = 10
"""Shown of those that changed; JSON has all."""

_RARE = 0.05
"""Chance is not believed in below this p-value."""


def blocks(
    found: Comparison, scored: SideBySide | None, *, numbers_first: bool = False
) -> list[Block]:
    """The whole answer; with ``numbers_first`` what somebody who decides looks for comes first."""
    changes, numbers = list(_changes(found)), list(_numbers(found, scored))
    parts = [*numbers, *changes] if numbers_first else [*changes, *numbers]
    return [heading(f"{found.a} → {found.b}"), *_warnings(found, scored), *parts]


def _warnings(found: Comparison, scored: SideBySide | None) -> Iterator[Block]:
    if not found.same_test_rows and not scored:
        yield sentence(
            "the two were tested on different rows: their metrics do not compare", loud=True
        )
    if scored:
        for version, share in ((found.a, scored.seen_by_a), (found.b, scored.seen_by_b)):
            if share >= answers.SEEN:
                yield sentence(answers.seen(version, share), loud=True)


# -- what changed ----------------------------------------------------------------------------------


def _changes(found: Comparison) -> Iterator[Block]:
    yield _listed("parameters", found.params)
    yield _listed("search", found.search)
    yield _listed("data", found.data)
    yield sentence(_rows(found.rows))
    yield _listed("made with", found.environment)


def _listed(title: str, changes: Sequence[Change]) -> Block:
    if not changes:
        return sentence(f"{title}: the same")
    return Items(
        title,
        [(Code(c.name), ": ", _value(c.before), " → ", _value(c.after)) for c in changes],
    )


def _value(value: Any) -> str:
    """A value of a setting; of a digest its beginning."""
    if value is None:
        return "not set"
    text = str(value)
    return Code(f"{text[:12]}…" if re.fullmatch("[0-9a-f]{40,}", text) else text)


def _rows(rows: RowChanges) -> str:
    about = "" if rows.exact else "about "
    return (
        f"distinct training rows: {about}{rows.shared} in both, {rows.added} added, "
        f"{rows.removed} removed"
    )


# -- the numbers -----------------------------------------------------------------------------------


def _numbers(found: Comparison, scored: SideBySide | None) -> Iterator[Block]:
    if scored:
        yield from _scored(found.a, found.b, scored)
    rows = "" if found.same_test_rows else ", on different test rows"
    yield _deltas(f"as recorded at training{rows}", found, found.metrics)
    if not scored:
        yield _deltas("per class, the worst change first", found, found.per_class)


def _deltas(title: str, found: Comparison, deltas: Iterable[Delta]) -> Table:
    return Table(
        ["metric", found.a, found.b, "change"],
        [
            [
                Code(d.name) if "[" in d.name else d.name,
                percent(d.before),
                percent(d.after),
                points(d.delta),
            ]
            for d in deltas
        ],
        right=[found.a, found.b, "change"],
        title=title,
    )


def _scored(a: str, b: str, scored: SideBySide) -> Iterator[Block]:
    yield Table(
        ["metric", a, b, "change"],
        [
            [
                pair.name,
                answers.interval(pair.before),
                answers.interval(pair.after),
                _difference(pair.delta),
            ]
            for pair in scored.metrics
        ],
        right=[a, b, "change"],
        title=f"both scored on {plural(scored.rows, 'row')}",
    )
    yield sentence("rows of ", Code(scored.path), f"; in brackets {answers.method(scored.method)}")
    yield sentence(_mcnemar(a, b, scored.mcnemar))
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


def _mcnemar(a: str, b: str, test: McNemar) -> str:
    rows = plural(test.only_a_right, "row")
    counts = f"only {a} is right on {rows}, only {b} on {test.only_b_right}"
    p = "p < 0.0001" if test.p_value < 0.0001 else f"p = {test.p_value:.2g}"  # noqa: PLR2004
    if test.p_value >= _RARE:
        meaning = "chance alone may do that"
    else:
        better = b if test.only_b_right > test.only_a_right else a
        meaning = f"{better} is right more often than chance would have it"
    return f"{counts}; McNemar's exact test: {p}, {meaning}"


def _per_class(a: str, b: str, scored: SideBySide) -> Table:
    heads = ["rows", f"F1 {a}", f"F1 {b}", "change", "precision", "recall"]
    return Table(
        ["label", *heads],
        [
            [
                Code(each.label),
                each.rows,
                percent(each.before.f1 if each.before else None),
                percent(each.after.f1 if each.after else None),
                points(each.delta),
                _change(each.before, each.after, "precision"),
                _change(each.before, each.after, "recall"),
            ]
            for each in scored.per_class
        ],
        right=heads,
        title="per class, the worst change first",
    )


def _change(before: ClassMetrics | None, after: ClassMetrics | None, name: str) -> str:
    return points(getattr(after, name) - getattr(before, name) if before and after else None)


def _confusions(a: str, b: str, scored: SideBySide) -> Table:
    shown = scored.confusions[:_CONFUSIONS]
    of = (
        f", {len(shown)} of {len(scored.confusions)}" if len(scored.confusions) > len(shown) else ""
    )
    return Table(
        ["label", "taken for", a, b, "change"],
        [
            [Code(c.label), Code(c.taken_for), c.before, c.after, f"{c.after - c.before:+}"]
            for c in shown
        ],
        right=[a, b, "change"],
        title=f"mistakes that became more or fewer{of}",
    )

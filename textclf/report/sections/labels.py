"""Precision, recall and F1 of each label."""

from __future__ import annotations

from textclf.metadata.schema import ClassMetrics, Confusion
from textclf.report.html import charts, numbers
from textclf.report.html.markup import Html, el, join
from textclf.report.html.tables import Column, drawn, signed, table
from textclf.report.subject import Subject, bdi


def one(subject: Subject) -> Html:
    """Of a version: the weakest first, and what each is taken for."""
    metrics, trained = subject.metadata.test.metrics, subject.metadata.data.labels
    taken_for = _taken_for(metrics.confusion)
    ranked = sorted(metrics.per_class.items(), key=lambda entry: (entry[1].f1, entry[0]))
    rows = (
        [
            bdi(label),
            numbers.percent(found.precision),
            numbers.percent(found.recall),
            numbers.percent(found.f1),
            charts.bar(found.f1),
            numbers.count(found.support),
            numbers.count(trained.get(label, 0)),
            taken_for.get(label),
        ]
        for label, found in ranked
    )
    columns = [
        Column("Label", "row"),
        Column("Precision", "number"),
        Column("Recall", "number"),
        Column("F1", "number"),
        drawn("F1 as a bar", kind="chart less"),
        Column("Test rows", "number"),
        Column("Trained on", "number"),
        Column("Most often taken for", "word"),
    ]
    return join(
        table(f"{numbers.counted(len(ranked), 'label')}, lowest F1 first", columns, rows),
        el(
            "p",
            "Precision: of the rows given the label, the share that have it. Recall: of the rows "
            "that have it, the share that were given it. F1: the harmonic mean of both.",
            class_="note",
        ),
    )


def _taken_for(found: Confusion) -> dict[str, Html]:
    shown = {}
    for i, (label, row) in enumerate(zip(found.labels, found.matrix, strict=True)):
        wrong = [(rows, -j) for j, rows in enumerate(row) if j != i]
        rows, j = max(wrong, default=(0, 0))
        if rows:
            shown[label] = join(bdi(found.labels[-j]), f" ({numbers.count(rows)})")
    return shown


def both(a: Subject, b: Subject) -> Html:
    """Of two versions: the worst change first."""
    before, after = (each.metadata.test.metrics.per_class for each in (a, b))
    labels = [*before, *(label for label in after if label not in before)]
    f1 = {label: _change(before.get(label), after.get(label), "f1") for label in labels}
    largest = max((abs(change) for change in f1.values() if change), default=0.0)

    def row(label: str) -> list[object]:
        one, other, change = before.get(label), after.get(label), f1[label]
        known = other or one
        return [
            bdi(label),
            numbers.percent(one.f1 if one else None),
            numbers.percent(other.f1 if other else None),
            signed(change),
            None if change is None else charts.delta_bar(change, largest),
            signed(_change(one, other, "precision")),
            signed(_change(one, other, "recall")),
            numbers.count(known.support) if known else None,
        ]

    columns = [
        Column("Label", "row"),
        Column(a.version, "number"),
        Column(b.version, "number"),
        Column("Change", "number"),
        drawn("Change as a bar"),
        Column("Precision", "number less"),
        Column("Recall", "number less"),
        Column("Test rows", "number less"),
    ]
    ranked = sorted(labels, key=lambda label: (f1[label] is None, f1[label] or 0.0, label))
    title = "F1 of each label, the worst change first, and changes of precision and recall"
    return table(title, columns, map(row, ranked))


def _change(before: ClassMetrics | None, after: ClassMetrics | None, metric: str) -> float | None:
    if before is None or after is None:
        return None
    change: float = getattr(after, metric) - getattr(before, metric)
    return change

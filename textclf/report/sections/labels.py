"""Precision, recall and F1 of each label."""

from __future__ import annotations

from textclf.evaluation.metadata_diff import class_change
from textclf.evaluation.metrics import ConfusedPair, most_confused, worst_first
from textclf.formatting import percent, plural
from textclf.report.html import charts
from textclf.report.html.markup import Html, el, join
from textclf.report.html.tables import Column, change_cell, chart_column, table
from textclf.report.subject import Subject, bdi


def section(subject: Subject) -> Html:
    """Show the labels of a version, the weakest first, and what each is predicted as."""
    metrics, data = subject.metadata.test.metrics, subject.metadata.data
    confused = most_confused(metrics.confusion)
    ranked = worst_first(metrics)
    rows = (
        [
            bdi(label),
            percent(scores.precision),
            percent(scores.recall),
            percent(scores.f1),
            charts.bar(scores.f1),
            f"{scores.support:,}",
            f"{data.labels.get(label, 0):,}" if data else "unknown",
            _predicted_as(confused.get(label)),
        ]
        for label, scores in ranked
    )
    columns = [
        Column("Label", "row"),
        Column("Precision", "number"),
        Column("Recall", "number"),
        Column("F1", "number"),
        chart_column("F1 as a bar", kind="chart less"),
        Column("Test rows", "number"),
        Column("Training rows", "number"),
        Column("Most frequent mistake", "word"),
    ]
    return join(
        table(f"{plural(len(ranked), 'label')}, lowest F1 first", columns, rows),
        el(
            "p",
            "Precision: the share of the rows predicted as the label that have it. Recall: the "
            "share of the rows with the label that are predicted as it. F1: their harmonic mean.",
            class_="note",
        ),
    )


def _predicted_as(pair: ConfusedPair | None) -> Html | None:
    return join(bdi(pair.predicted), f" ({pair.rows:,})") if pair else None


def comparison(a: Subject, b: Subject) -> Html:
    """Show the change of each label, the largest loss first."""
    before, after = (subject.metadata.test.metrics.per_class for subject in (a, b))
    labels = [*before, *(label for label in after if label not in before)]
    f1 = {label: class_change(before.get(label), after.get(label), "f1") for label in labels}
    largest = max((abs(change) for change in f1.values() if change), default=0.0)

    def row(label: str) -> list[object]:
        one, other, change = before.get(label), after.get(label), f1[label]
        known = other or one
        return [
            bdi(label),
            percent(one.f1 if one else None),
            percent(other.f1 if other else None),
            change_cell(change),
            None if change is None else charts.delta_bar(change, largest),
            change_cell(class_change(one, other, "precision")),
            change_cell(class_change(one, other, "recall")),
            f"{known.support:,}" if known else None,
        ]

    columns = [
        Column("Label", "row"),
        Column(a.version, "number"),
        Column(b.version, "number"),
        Column("Change", "number"),
        chart_column("Change as a bar"),
        Column("Precision", "number less"),
        Column("Recall", "number less"),
        Column("Test rows", "number less"),
    ]
    ranked = sorted(labels, key=lambda label: (f1[label] is None, f1[label] or 0.0, label))
    title = "F1 of each label, largest loss first, and the changes of precision and recall"
    return table(title, columns, map(row, ranked))

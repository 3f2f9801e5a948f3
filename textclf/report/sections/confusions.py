"""Which label is predicted as which."""

from __future__ import annotations

from textclf.evaluation.metrics import confused_pairs
from textclf.formatting import percent, plural
from textclf.metadata.schema import Confusion
from textclf.report.html import heatmap
from textclf.report.html.markup import Html, el
from textclf.report.html.tables import Column, scrollable, table
from textclf.report.subject import Subject, bdi, same_rows

_DRAWN = 150
"""The most labels that are drawn; of more not even the names are legible."""

_PAIRS = 20


def section(subject: Subject) -> Html:
    """Show the confusion matrix of a version, and the most frequent mistakes."""
    confusion = subject.metadata.test.metrics.confusion
    return el("div", _matrix(subject, confusion), _pairs(confusion), class_="beside")


def _matrix(subject: Subject, confusion: Confusion) -> Html:
    if len(confusion.labels) > _DRAWN:
        return el(
            "p",
            f"A drawing of {plural(len(confusion.labels), 'label')} would not be legible; the "
            "matrix is in metadata.json.",
            class_="note",
        )
    title = f"Confusion matrix of {subject.version}"
    return _figure(
        title,
        heatmap.matrix(subject.name("confusion"), title, confusion),
        "Rows are true labels, columns predicted labels: blue is correct, orange is wrong, and "
        "the stronger the colour, the larger the share of the label's test rows."
        + (" Numbers are test rows." if heatmap.has_numbers(confusion) else ""),
    )


def _figure(title: str, drawing: Html, caption: str) -> Html:
    return el("figure", scrollable(title, drawing), el("figcaption", caption))


def _pairs(confusion: Confusion) -> Html:
    totals = dict(zip(confusion.labels, map(sum, confusion.matrix), strict=True))
    pairs = confused_pairs(confusion)
    if not pairs:
        return el("p", "No row was labelled wrong.")
    rows = (
        [
            bdi(pair.label),
            bdi(pair.predicted),
            f"{pair.rows:,}",
            percent(pair.rows / totals[pair.label]),
        ]
        for pair in pairs[:_PAIRS]
    )
    columns = [
        Column("True label", "row"),
        Column("Predicted as", "word"),
        Column("Rows", "number"),
        Column("Share of label", "number"),
    ]
    total = f": {_PAIRS} of {len(pairs):,} pairs" if len(pairs) > _PAIRS else ""
    return table(f"Most frequent mistakes{total}", columns, rows)


def comparison(a: Subject, b: Subject) -> Html | None:
    """Show the change of the confusion matrix; ``None`` for other rows or labels, or very many."""
    before, after = (subject.metadata.test.metrics.confusion for subject in (a, b))
    if not same_rows(a, b) or before.labels != after.labels or len(after.labels) > _DRAWN:
        return None
    title = f"Confusion matrix: {a.version} → {b.version}"
    return _figure(
        title,
        heatmap.difference("confusion-change", title, before, after),
        f"How many more or fewer test rows {b.version} has in a cell than {a.version}: blue is "
        "better (more on the diagonal, fewer off it), orange is worse, and the stronger the "
        "colour, the larger the share of the label's test rows. Empty cells did not change.",
    )

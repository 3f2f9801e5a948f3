"""Which label is taken for which."""

from __future__ import annotations

from textclf.metadata.schema import Confusion
from textclf.report.html import heatmap, numbers
from textclf.report.html.markup import Html, el, join
from textclf.report.html.tables import Column, table
from textclf.report.subject import Subject, bdi, same_rows

_DRAWN = 150
"""Labels; of more than these not even the names can be read."""

_PAIRS = 20


def one(subject: Subject) -> Html:
    """The confusion matrix of a version, and the pairs most often confused."""
    found = subject.metadata.test.metrics.confusion
    return el("div", _matrix(subject, found), _pairs(found), class_="beside")


def _matrix(subject: Subject, found: Confusion) -> Html:
    if len(found.labels) > _DRAWN:
        return el(
            "p",
            f"A drawing of {numbers.counted(len(found.labels), 'label')} could not be read; the "
            "whole matrix is in metadata.json.",
            class_="note",
        )
    title = f"Confusion matrix of {subject.version}"
    return _framed(
        title,
        heatmap.matrix(subject.name("confusion"), title, found),
        "Each row is what the test rows of a label were taken for: blue is right, orange wrong, "
        "and the stronger, the larger the share of the row."
        + (" Numbers are test rows." if heatmap.is_numbered(found) else ""),
    )


def _framed(title: str, drawing: Html, caption: str) -> Html:
    """A wide drawing that scrolls by itself, and what it shows."""
    inside = el("div", drawing, class_="scroll", role="region", aria_label=title, tabindex="0")
    return el("figure", inside, el("figcaption", caption))


def _pairs(found: Confusion) -> Html:
    totals = [sum(row) for row in found.matrix]
    pairs = sorted(
        (-rows, i, j)
        for i, row in enumerate(found.matrix)
        for j, rows in enumerate(row)
        if i != j and rows
    )
    if not pairs:
        return el("p", "No row was labelled wrong.")
    rows = (
        [
            bdi(found.labels[i]),
            bdi(found.labels[j]),
            numbers.count(-less),
            numbers.percent(-less / totals[i]),
        ]
        for less, i, j in pairs[:_PAIRS]
    )
    columns = [
        Column("True label", "row"),
        Column("Taken for", "word"),
        Column("Rows", "number"),
        Column("Of the label's", "number"),
    ]
    more = f": {_PAIRS} of {len(pairs):,} pairs" if len(pairs) > _PAIRS else ""
    return table(f"Most often confused{more}", columns, rows)


def both(a: Subject, b: Subject) -> Html:
    """The change of the matrix where both have the same rows and labels, else both matrices."""
    before, after = (each.metadata.test.metrics.confusion for each in (a, b))
    alike = same_rows(a, b) and before.labels == after.labels
    if not alike or len(after.labels) > _DRAWN:
        return join(*(join(el("h3", f"Version {each.version}"), one(each)) for each in (a, b)))
    title = f"Confusion matrix: {a.version} → {b.version}"
    return _framed(
        title,
        heatmap.difference("confusion-change", title, before, after),
        f"How many test rows more or fewer {b.version} has in a cell than {a.version}: blue is "
        "better (more on the diagonal, fewer off it), orange worse, and the stronger, the larger "
        "the share of the row. Empty cells are the same.",
    )

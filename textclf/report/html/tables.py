"""Tables and lists of facts as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textclf.formatting import points
from textclf.report.html.markup import Html, el, join


@dataclass(frozen=True)
class Column:
    """A column: its head, and the kind of its cells.

    Cells of the kind ``row`` are the heads of their rows; the other kinds are classes of the style
    sheet: ``number``, ``text``, ``word``, ``chart``, and ``less`` (hidden on small screens).
    """

    head: object
    kind: str | None = None


@dataclass(frozen=True)
class Cell:
    """A cell with a class of the style sheet of its own."""

    content: object
    kind: str


def chart_column(name: str, axis: Html | None = None, *, kind: str = "chart") -> Column:
    """Return a column of charts; its name is read to those who cannot see the page."""
    return Column(join(el("span", name, class_="unseen"), axis), kind)


def table(
    caption: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[object]],
    *,
    class_: str | None = None,
    best: int | None = None,
) -> Html:
    """Return a table that scrolls by itself on a narrow screen.

    Args:
        caption: what it shows.
        columns: from left to right.
        rows: their cells.
        class_: the class of the table.
        best: the number of a row that stands out.
    """
    head = el("tr", *(el("th", c.head, scope="col", class_=c.kind) for c in columns))
    body = (
        el("tr", *map(_cell, columns, row), class_="best" if number == best else None)
        for number, row in enumerate(rows)
    )
    content = el(
        "table", el("caption", caption), el("thead", head), el("tbody", *body), class_=class_
    )
    return scrollable(caption, content)


def scrollable(name: str, content: Html) -> Html:
    """Return a region that scrolls by itself where its content is too wide."""
    return el("div", content, class_="scroll", role="region", aria_label=name, tabindex="0")


def _cell(column: Column, content: object) -> Html:
    kind = column.kind
    if isinstance(content, Cell):
        kind, content = f"{kind or ''} {content.kind}".strip(), content.content
    if column.kind == "row":
        return el("th", content, scope="row")
    return el("td", content, class_=kind)


def change_cell(change: float | None, *, less_is_better: bool = False) -> object:
    """Return a cell with a difference of shares, coloured by whether it is an improvement."""
    if not change:
        return points(change)
    return Cell(points(change), "better" if (change > 0) is not less_is_better else "worse")


def fact_list(pairs: Iterable[tuple[str, object]]) -> Html:
    """Return a list of names and facts, without those whose fact is ``None``."""
    parts = (
        part
        for name, fact in pairs
        if fact is not None
        for part in (el("dt", name), el("dd", fact))
    )
    return el("dl", *parts, class_="facts")


def key_figures(figures: Iterable[tuple[str, str, object]]) -> Html:
    """Return large numbers: for each its name, the number, and a note."""
    return el(
        "dl",
        *(
            el("div", el("dt", name), el("dd", value, class_="value"), el("dd", note))
            for name, value, note in figures
        ),
        class_="figures",
    )

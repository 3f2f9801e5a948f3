"""Tables and lists of facts as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textclf.report.html import numbers
from textclf.report.html.markup import Html, el, join


@dataclass(frozen=True)
class Column:
    """A column: its head, and the kind of its cells.

    ``row`` heads the rows; others are classes of the style sheet: ``number``, ``text``, ``chart``,
    ``less`` (left out on small screens).
    """

    head: object
    kind: str | None = None


@dataclass(frozen=True)
class Cell:
    """A cell of a class of its own."""

    content: object
    kind: str


def drawn(what: str, visible: Html | None = None, *, kind: str = "chart") -> Column:
    """A column of drawings; its head is for those who hear the page, and may hold an axis."""
    return Column(join(el("span", what, class_="unseen"), visible), kind)


def table(
    caption: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[object]],
    *,
    class_: str | None = None,
    best: int | None = None,
) -> Html:
    """A table that scrolls by itself where the screen is narrow.

    Args:
        caption: what it shows.
        columns: from left to right.
        rows: their cells.
        class_: of the table.
        best: the number of the row that stands out.
    """
    head = el("tr", *(el("th", c.head, scope="col", class_=c.kind) for c in columns))
    body = (
        el("tr", *map(_cell, columns, row), class_="best" if number == best else None)
        for number, row in enumerate(rows)
    )
    found = el(
        "table", el("caption", caption), el("thead", head), el("tbody", *body), class_=class_
    )
    return el("div", found, class_="scroll", role="region", aria_label=caption, tabindex="0")


def _cell(column: Column, content: object) -> Html:
    kind = column.kind
    if isinstance(content, Cell):
        kind, content = f"{kind or ''} {content.kind}".strip(), content.content
    if column.kind == "row":
        return el("th", content, scope="row")
    return el("td", content, class_=kind)


def signed(change: float | None) -> object:
    """A cell with a change that is better the larger it is."""
    if not change:
        return numbers.points(change)
    return Cell(numbers.points(change), "better" if change > 0 else "worse")


def facts(pairs: Iterable[tuple[str, object]]) -> Html:
    """Names and what they stand for; a pair without anything to say is left out."""
    shown = (
        part
        for name, fact in pairs
        if fact is not None
        for part in (el("dt", name), el("dd", fact))
    )
    return el("dl", *shown, class_="facts")


def figures(shown: Iterable[tuple[str, str, object]]) -> Html:
    """Large numbers: a name, the number, and what it is of."""
    return el(
        "dl",
        *(
            el("div", el("dt", name), el("dd", value, class_="value"), el("dd", note))
            for name, value, note in shown
        ),
        class_="figures",
    )

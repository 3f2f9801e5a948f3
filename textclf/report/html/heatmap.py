"""A confusion matrix as a drawing, to be read with two labels and with a hundred."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textclf.metadata.schema import Confusion
from textclf.report.html import numbers
from textclf.report.html.charts import label, line, picture, text_width
from textclf.report.html.markup import Html, el, elide, shorten

_MOST_NUMBERED = 30
_LABEL = 36
"""Characters."""

_STRONG = 0.55
"""From this opacity on, numbers are written in white."""


@dataclass(frozen=True)
class Cell:
    """How a cell looks: its number, how strong its colour is (0 to 1), what it means."""

    shown: str
    strength: float
    good: bool
    told: str


Cells = Callable[[int, int], Cell | None]
"""The cell of a row and a column, if there is anything in it."""


def is_numbered(found: Confusion) -> bool:
    """Whether there is room for a number in each cell."""
    return len(found.labels) <= _MOST_NUMBERED


def matrix(name: str, title: str, found: Confusion) -> Html:
    """Rows of each label (downwards) by the label that they were given (across)."""
    totals = [sum(row) for row in found.matrix]

    def cell(i: int, j: int) -> Cell | None:
        rows = found.matrix[i][j]
        if not rows:
            return None
        share = rows / totals[i]
        told = (
            f"{shorten(found.labels[i], 60)}: {rows:,} of {numbers.counted(totals[i], 'row')} "
            f"({numbers.percent(share)}) {_verb(found, i, j)}"
        )
        return Cell(numbers.count(rows), share, i == j, told)

    right = sum(row[n] for n, row in enumerate(found.matrix))
    described = f"{numbers.count(right)} of {numbers.count(sum(totals))} rows are on the diagonal."
    return _draw(name, title, described, found.labels, cell)


def difference(name: str, title: str, before: Confusion, after: Confusion) -> Html:
    """Where the second has more or fewer rows than the first; both have the same labels."""
    totals = [sum(row) for row in after.matrix]

    def cell(i: int, j: int) -> Cell | None:
        a, b = before.matrix[i][j], after.matrix[i][j]
        if a == b:
            return None
        told = f"{shorten(after.labels[i], 60)} {_verb(after, i, j)}: {a:,} → {b:,} rows"
        shown = f"{b - a:+,d}".replace("-", numbers.MINUS)
        return Cell(shown, abs(b - a) / totals[i], (b > a) == (i == j), told)

    return _draw(name, title, "The change of each cell.", after.labels, cell)


def _verb(found: Confusion, i: int, j: int) -> str:
    return "found" if i == j else f"taken for {shorten(found.labels[j], 60)}"


@dataclass(frozen=True)
class _Layout:
    """Where things stand: cells in size, from ``left`` and ``top`` on, heads at an angle."""

    cells: int
    size: int
    letters: int
    left: float
    top: float
    right: float
    angle: int

    @classmethod
    def of(cls, labels: Sequence[str]) -> _Layout:
        """Room for the longest label, to the left and above."""
        n = len(labels)
        size, letters = _sizes(n)
        longest = max(text_width(one, letters) for one in labels)
        left = longest + 34
        if longest + 6 <= size:
            return cls(n, size, letters, left, 42, 8, 0)
        if n > _MOST_NUMBERED:
            return cls(n, size, letters, left, longest + 34, 8, 90)
        aslant = (longest + letters) * 0.71
        return cls(n, size, letters, left, aslant + 34, aslant, 45)

    @property
    def length(self) -> int:
        """Of a side."""
        return self.cells * self.size

    @property
    def numbered(self) -> bool:
        """Whether a cell has room for its number."""
        return self.cells <= _MOST_NUMBERED

    def middle(self, number: int) -> float:
        """Of a row or a column, from where cells begin."""
        return (number + 0.5) * self.size


def _sizes(labels: int) -> tuple[int, int]:
    """Of a cell, and of the letters."""
    for most, size, letters in ((4, 84, 12), (8, 60, 12), (14, 44, 12), (_MOST_NUMBERED, 34, 10)):
        if labels <= most:
            return size, letters
    return 11, 9


def _draw(name: str, title: str, described: str, labels: Sequence[str], cells: Cells) -> Html:
    shown = [elide(each, _LABEL) for each in labels]
    at = _Layout.of(shown)
    found = ((i, j, cells(i, j)) for i in range(at.cells) for j in range(at.cells))
    return picture(
        name,
        at.left + at.length + at.right,
        at.top + at.length + 4,
        title,
        described,
        *_axes(at),
        *(_row_head(at, i, text) for i, text in enumerate(shown)),
        *(_column_head(at, j, text) for j, text in enumerate(shown)),
        *(_cell(at, i, j, cell) for i, j, cell in found if cell),
        class_=f"fixed letters-{at.letters}",
    )


def _axes(at: _Layout) -> list[Html]:
    """Their names, hairlines (every one of few labels, every fifth of many), and a frame."""
    end_x, end_y = at.left + at.length, at.top + at.length
    steps = [n * at.size for n in range(0, at.cells, 1 if at.numbered else 5)][1:]
    turned = f"translate(12 {at.top + at.length / 2:g}) rotate(-90)"
    return [
        el("text", "true label", transform=turned, text_anchor="middle", class_="tick"),
        label(at.left + at.length / 2, 12, "predicted label", class_="tick"),
        *(line(at.left, at.top + step, end_x, at.top + step, "grid") for step in steps),
        *(line(at.left + step, at.top, at.left + step, end_y, "grid") for step in steps),
        el("rect", x=at.left, y=at.top, width=at.length, height=at.length, class_="frame"),
    ]


def _row_head(at: _Layout, number: int, text: str) -> Html:
    return label(at.left - 6, at.top + at.middle(number) + at.letters / 3, text, "end")


def _column_head(at: _Layout, number: int, text: str) -> Html:
    x, y = at.left + at.middle(number), at.top - 6
    if not at.angle:
        return label(x, y, text)
    x += at.letters / 3 if at.angle > 45 else 0  # noqa: PLR2004 - upright ones stand by their line
    return el("text", text, transform=f"translate({x:.1f} {y:.1f}) rotate({-at.angle})")


def _cell(at: _Layout, i: int, j: int, cell: Cell) -> Html:
    opacity = 0.14 + 0.86 * cell.strength**0.6  # so that a few rows of many can be seen
    x, y = at.left + j * at.size, at.top + i * at.size
    number = label(
        x + at.size / 2,
        y + at.size / 2 + at.letters / 3,
        cell.shown,
        class_="number on" if opacity > _STRONG else "number",
    )
    return el(
        "g",
        el("title", cell.told),
        el(
            "rect",
            x=x + 0.5,
            y=y + 0.5,
            width=at.size - 1,
            height=at.size - 1,
            class_="right" if cell.good else "wrong",
            fill_opacity=opacity,
        ),
        number if at.numbered else None,
    )

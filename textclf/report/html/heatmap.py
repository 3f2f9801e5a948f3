"""A confusion matrix as a drawing that is legible with two labels and with a hundred."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textclf.formatting import escape_controls, excerpt, percent, plural
from textclf.metadata.schema import Confusion
from textclf.report.html.charts import label, line, picture, text_width
from textclf.report.html.markup import Html, el

_MOST_NUMBERED = 30
"""The most labels with which cells have room for numbers."""

_LABEL = 36
"""Characters of a label that are shown."""

_STRONG = 0.55
"""The opacity from which on numbers are written in white."""


@dataclass(frozen=True)
class MatrixCell:
    """A cell: its text, how strong its colour is (0 to 1), whether it is good, and its tooltip."""

    text: str
    strength: float
    good: bool
    tooltip: str


Cells = Callable[[int, int], MatrixCell | None]
"""Returns the cell of a row and a column; ``None`` if it is empty."""


def has_numbers(confusion: Confusion) -> bool:
    """Return whether there is room for a number in each cell."""
    return len(confusion.labels) <= _MOST_NUMBERED


def matrix(name: str, title: str, confusion: Confusion) -> Html:
    """Draw a confusion matrix: rows are true labels, columns predicted labels."""
    totals = [sum(row) for row in confusion.matrix]

    def cell(i: int, j: int) -> MatrixCell | None:
        rows = confusion.matrix[i][j]
        if not rows:
            return None
        share = rows / totals[i]
        tooltip = (
            f"{excerpt(confusion.labels[i], 60)}: {rows:,} of {plural(totals[i], 'row')} "
            f"({percent(share)}) {_outcome(confusion, i, j)}"
        )
        return MatrixCell(f"{rows:,}", share, i == j, tooltip)

    correct = sum(row[n] for n, row in enumerate(confusion.matrix))
    description = f"{correct:,} of {plural(sum(totals), 'row')} are on the diagonal."
    return _draw(name, title, description, confusion.labels, cell)


def difference(name: str, title: str, before: Confusion, after: Confusion) -> Html:
    """Draw where the second matrix has more or fewer rows; both have the same labels."""
    totals = [sum(row) for row in after.matrix]

    def cell(i: int, j: int) -> MatrixCell | None:
        a, b = before.matrix[i][j], after.matrix[i][j]
        if a == b:
            return None
        outcome = _outcome(after, i, j)
        tooltip = f"{excerpt(after.labels[i], 60)} {outcome}: {a:,} → {b:,} rows"
        return MatrixCell(f"{b - a:+,d}", abs(b - a) / totals[i], (b > a) == (i == j), tooltip)

    return _draw(name, title, "The change of each cell.", after.labels, cell)


def _outcome(confusion: Confusion, i: int, j: int) -> str:
    return "correct" if i == j else f"predicted as {excerpt(confusion.labels[j], 60)}"


@dataclass(frozen=True)
class _Layout:
    """The measures of a matrix: its cells begin at ``left`` and ``top``; heads are at an angle."""

    cells: int
    size: int
    letters: int
    left: float
    top: float
    right: float
    angle: int

    @classmethod
    def from_labels(cls, labels: Sequence[str]) -> _Layout:
        """Leave room for the longest label to the left of the cells and above them."""
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
        """The length of a side of the matrix."""
        return self.cells * self.size

    @property
    def has_numbers(self) -> bool:
        """Whether a cell has room for its number."""
        return self.cells <= _MOST_NUMBERED

    def middle(self, number: int) -> float:
        """Return the middle of a row or a column, from the edge of the matrix."""
        return (number + 0.5) * self.size


def _sizes(labels: int) -> tuple[int, int]:
    """Return the sizes of a cell and of the letters."""
    for most, size, letters in ((4, 84, 12), (8, 60, 12), (14, 44, 12), (_MOST_NUMBERED, 34, 10)):
        if labels <= most:
            return size, letters
    return 11, 9


def _draw(name: str, title: str, description: str, labels: Sequence[str], cells: Cells) -> Html:
    names = list(map(_elided, labels))
    at = _Layout.from_labels(names)
    filled = ((i, j, cells(i, j)) for i in range(at.cells) for j in range(at.cells))
    return picture(
        name,
        at.left + at.length + at.right,
        at.top + at.length + 4,
        title,
        description,
        *_axes(at),
        *(_row_head(at, i, text) for i, text in enumerate(names)),
        *(_column_head(at, j, text) for j, text in enumerate(names)),
        *(_cell(at, i, j, cell) for i, j, cell in filled if cell),
        class_=f"fixed letters-{at.letters}",
    )


def _elided(name: str) -> str:
    """Return the beginning and the end of a label, as either may tell names apart."""
    text, head = escape_controls(name), _LABEL // 2
    return text if len(text) <= _LABEL else f"{text[:head]}…{text[head + 1 - _LABEL :]}"


def _axes(at: _Layout) -> list[Html]:
    """Draw the names of the axes, a grid (of many labels every fifth line), and a frame."""
    end_x, end_y = at.left + at.length, at.top + at.length
    steps = [n * at.size for n in range(0, at.cells, 1 if at.has_numbers else 5)][1:]
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


def _cell(at: _Layout, i: int, j: int, cell: MatrixCell) -> Html:
    opacity = 0.14 + 0.86 * cell.strength**0.6  # so that a few rows of many are visible
    x, y = at.left + j * at.size, at.top + i * at.size
    number = label(
        x + at.size / 2,
        y + at.size / 2 + at.letters / 3,
        cell.text,
        class_="number on" if opacity > _STRONG else "number",
    )
    return el(
        "g",
        el("title", cell.tooltip),
        el(
            "rect",
            x=x + 0.5,
            y=y + 0.5,
            width=at.size - 1,
            height=at.size - 1,
            class_="right" if cell.good else "wrong",
            fill_opacity=opacity,
        ),
        number if at.has_numbers else None,
    )

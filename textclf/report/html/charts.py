"""Charts as inline SVG: fold scores, bars, a reliability diagram, a threshold curve.

Colours are classes, so that the style sheet can adapt them to dark screens and paper. A chart that
does not only repeat the text beside it has a title and a description for those who cannot see it.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from textclf.evaluation.records import ReliabilityBin
from textclf.formatting import percent, plural
from textclf.report.html.markup import Html, el, join
from textclf.report.report_data import Threshold

_SMALL = 0.05
"""The change that a bar of full length stands for at least."""

_STRIP = (240, 24)
"""Width and height of the fold scores of a candidate."""

_Z = 1.959963984540054
"""A normal distribution has 95% within so many standard deviations of its mean."""


def picture(  # noqa: PLR0913 - all that a picture has
    name: str,
    width: float,
    height: float,
    title: str,
    description: str,
    *parts: object,
    class_: str | None = None,
) -> Html:
    """Return an SVG with a title and a description; its ``name`` is unique on the page."""
    return _svg(
        width,
        height,
        el("title", title, id=f"{name}-title"),
        el("desc", description, id=f"{name}-desc"),
        *parts,
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        class_=class_,
    )


def _decoration(width: float, height: float, *parts: object) -> Html:
    """Return an SVG that repeats the text beside it, and is hidden from screen readers."""
    return _svg(width, height, *parts, aria_hidden="true")


def _svg(width: float, height: float, *parts: object, **attributes: str | None) -> Html:
    w, h = round(width), round(height)
    return el("svg", *parts, **attributes, width=w, height=h, viewBox=f"0 0 {w} {h}")


def label(x: float, y: float, content: object, anchor: str = "middle", class_: str = "") -> Html:
    """Return a text in a drawing."""
    return el("text", content, x=x, y=y, text_anchor=anchor, class_=class_ or None)


def text_width(content: str, size: float) -> float:
    """Estimate the width of a text; rather too much, as fonts differ."""
    return size * sum(
        1.05
        if unicodedata.east_asian_width(c) in "WF" or c in "MWmw%@…"
        else 0.8
        if c.isupper()
        else 0.63
        for c in content
    )


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Html:
    """Return a straight line."""
    return el("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


# -- scales ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scale:
    """Maps values from ``low`` to ``high`` to a length that starts at ``start``."""

    low: float
    high: float
    start: float
    length: float

    def __call__(self, value: float) -> float:
        """Return the position of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * self.length


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return a few round numbers between two bounds."""
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * s for s in (1, 2, 5, 10) if power * s >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 10) for n in range(first, math.floor(high / step + 1e-9) + 1)]


# -- the leaderboard ------------------------------------------------------------------------------


def score_scale(scores: Sequence[float]) -> Scale:
    """Return one scale for the fold scores of all candidates."""
    low, high = min(scores), max(scores)
    room = max(0.005, (high - low) * 0.08)
    return Scale(low - room, high + room, 8, _STRIP[0] - 16)


def score_axis(scale: Scale) -> Html:
    """Return the numbers above the fold scores."""
    marks = ticks(scale.low, scale.high, 4)
    digits = 0 if all(round(mark * 100, 6).is_integer() for mark in marks) else 1
    return _decoration(
        _STRIP[0],
        16,
        *(label(scale(mark), 12, percent(mark, digits), class_="tick") for mark in marks),
    )


def fold_scores(scores: Sequence[float], mean: float, std: float, scale: Scale) -> Html:
    """Draw the folds of a candidate as dots, its mean, and one standard deviation each way."""
    width, height = _STRIP
    middle = height / 2
    low, high = (min(max(scale(mean + way * std), 1.0), width - 1.0) for way in (-1, 1))
    return _decoration(
        width,
        height,
        *(
            line(scale(tick), 0, scale(tick), height, "grid")
            for tick in ticks(scale.low, scale.high, 4)
        ),
        line(low, middle, high, middle, "whisker"),
        line(low, middle - 4, low, middle + 4, "whisker"),
        line(high, middle - 4, high, middle + 4, "whisker"),
        *(el("circle", cx=scale(score), cy=middle, r=3, class_="fold") for score in scores),
        el("circle", cx=scale(mean), cy=middle, r=4.5, class_="mean"),
    )


# -- bars -----------------------------------------------------------------------------------------


def bar(share: float, width: int = 56) -> Html:
    """Draw a share as a bar on a track."""
    return _decoration(
        width,
        8,
        el("rect", width=width, height=8, rx=2, class_="track"),
        el("rect", width=round(width * min(max(share, 0), 1), 1), height=8, rx=2, class_="bar"),
    )


def delta_bar(change: float, largest: float) -> Html:
    """Draw a change as a bar to the left or right of zero; small ones are not enlarged."""
    width = 96
    middle = width / 2
    length = middle * abs(change) / max(largest, _SMALL)
    return _decoration(
        width,
        10,
        el(
            "rect",
            x=middle if change >= 0 else middle - length,
            y=1,
            width=length,
            height=8,
            class_="right" if change >= 0 else "wrong",
        ),
        line(middle, 0, middle, 10, "zero"),
    )


# -- probabilities --------------------------------------------------------------------------------


def _shares(x: Scale, y: Scale, across: str, up: str) -> Html:
    """Draw the grid, the numbers and the names of two axes from 0% to 100%."""
    bottom, top, left, right = y(0), y(1), x(0), x(1)
    steps = [n / 5 for n in range(6)]
    middle = (top + bottom) / 2
    return join(
        *(line(x(at), top, x(at), bottom, "grid") for at in steps),
        *(line(left, y(at), right, y(at), "grid") for at in steps),
        *(label(x(at), bottom + 16, percent(at, 0), class_="tick") for at in steps),
        *(label(left - 6, y(at) + 4, percent(at, 0), "end", "tick") for at in steps),
        label((left + right) / 2, bottom + 36, across),
        el("text", up, text_anchor="middle", transform=f"translate(14 {middle:g}) rotate(-90)"),
    )


def reliability(name: str, version: str, bins: Sequence[ReliabilityBin]) -> Html:
    """Draw how often predictions are correct against how probable the model says they are."""
    x, y = Scale(0, 1, 56, 320), Scale(0, 1, 330, -320)
    description = "; ".join(
        f"{plural(b.rows, 'row')} at {percent(b.confidence, 0)}: {percent(b.accuracy, 0)} correct"
        for b in bins
    )
    return picture(
        name,
        400,
        452,
        f"Reliability of {version}",
        description,
        _shares(x, y, "", "share of correct predictions"),
        line(x(0), y(0), x(1), y(1), "ideal"),
        *(_bin(b, x, y) for b in bins),
        _histogram(bins, x),
    )


def _bin(content: ReliabilityBin, x: Scale, y: Scale) -> Html:
    low, high = wilson_interval(content.accuracy, content.rows)
    at = x(content.confidence)
    tooltip = (
        f"{plural(content.rows, 'row')} from {percent(content.low, 0)} to "
        f"{percent(content.high, 0)}: on average {percent(content.confidence)}, "
        f"{percent(content.accuracy)} correct"
    )
    return el(
        "g",
        el("title", tooltip),
        line(at, y(low), at, y(high), "whisker"),
        el("circle", cx=at, cy=y(content.accuracy), r=4.5, class_="mean"),
    )


def wilson_interval(share: float, rows: int) -> tuple[float, float]:
    """Return the bounds of a share seen in so many rows, with 95% confidence.

    A bin has few rows, so its interval is not a bootstrap but the one of E. B. Wilson, 1927,
    "Probable inference, the law of succession, and statistical inference": it stays within 0 and 1,
    and does not shrink to nothing where no row, or every row, is correct.
    """
    if not rows:
        return 0.0, 1.0
    spread = _Z * _Z / rows
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(share * (1 - share) * spread + spread * spread / 4) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def _histogram(bins: Sequence[ReliabilityBin], x: Scale) -> Html:
    """Draw the number of rows of each bin under the diagram."""
    most = max(b.rows for b in bins)
    base, height = 410, 48
    bars = (
        el(
            "rect",
            el("title", f"{percent(b.low, 0)} to {percent(b.high, 0)}: {plural(b.rows, 'row')}"),
            x=x(b.low) + 1,
            y=base - height * b.rows / most,
            width=x(b.high) - x(b.low) - 2,
            height=height * b.rows / most,
            class_="bar",
        )
        for b in bins
    )
    return join(
        *bars,
        line(x(0), base, x(1), base, "frame"),
        label(x(0) - 6, base - height + 8, f"{most:,}", "end", "tick"),
        label(x(0) - 6, base + 2, "0", "end", "tick"),
        label((x(0) + x(1)) / 2, base + 28, "probability of the predicted label, and rows"),
    )


def thresholds(name: str, version: str, points: Sequence[Threshold]) -> Html:
    """Draw the share of rows that are labelled, and their accuracy, for each threshold."""
    x, y = Scale(0, 1, 56, 320), Scale(0, 1, 330, -320)
    answered = [(t.at, t.answered) for t in points]
    accuracy = [(t.at, t.accuracy) for t in points if t.accuracy is not None]
    description = "; ".join(
        f"from {percent(t.at, 0)} on {percent(t.answered, 0)} labelled, {percent(t.accuracy)} of "
        "them correct"
        for t in points[::10]
    )
    return picture(
        name,
        400,
        400,
        f"Thresholds of {version}",
        description,
        _shares(x, y, "threshold", "share of rows"),
        el("polyline", points=_path(answered, x, y), class_="curve orange"),
        el("polyline", points=_path(accuracy, x, y), class_="curve blue"),
        line(x(0), 388, x(0) + 24, 388, "curve blue"),
        label(x(0) + 30, 392, "correct, of those labelled", "start"),
        line(x(0) + 194, 388, x(0) + 218, 388, "curve orange"),
        label(x(0) + 224, 392, "labelled", "start"),
    )


def _path(values: Sequence[tuple[float, float]], x: Scale, y: Scale) -> str:
    return " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in values)

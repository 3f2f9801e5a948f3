"""Drawings as inline SVG: fold scores, bars, reliability, thresholds.

Colours are classes, so that the style sheet can turn them for dark screens and paper. Every drawing
that says something alone has a title and a description for those who do not see it.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from textclf.report.evidence import Bin, Probabilities
from textclf.report.html import numbers
from textclf.report.html.markup import Html, el, join

_SMALL = 0.05
"""Where no change is larger than this, no bar has the full length."""

_STRIP = (240, 24)
"""Width and height of the fold scores of one candidate."""


def picture(  # noqa: PLR0913 - what a picture is
    name: str,
    width: float,
    height: float,
    title: str,
    description: str,
    *parts: object,
    class_: str | None = None,
) -> Html:
    """An SVG that stands for itself; ``name`` is unique on the page."""
    return el(
        "svg",
        el("title", title, id=f"{name}-title"),
        el("desc", description, id=f"{name}-desc"),
        *parts,
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        class_=class_,
        width=round(width),
        height=round(height),
        viewBox=f"0 0 {round(width)} {round(height)}",
    )


def _ornament(width: float, height: float, *parts: object) -> Html:
    """An SVG that repeats what the text beside it says."""
    return el(
        "svg",
        *parts,
        aria_hidden="true",
        width=round(width),
        height=round(height),
        viewBox=f"0 0 {round(width)} {round(height)}",
    )


def label(x: float, y: float, content: object, anchor: str = "middle", class_: str = "") -> Html:
    """A text in a drawing."""
    return el("text", content, x=x, y=y, text_anchor=anchor, class_=class_ or None)


def text_width(content: str, size: float) -> float:
    """About how wide a text is, rather too much, as fonts differ."""
    return size * sum(
        1.05
        if unicodedata.east_asian_width(c) in "WF" or c in "MWmw%@…"
        else 0.8
        if c.isupper()
        else 0.63
        for c in content
    )


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Html:
    """A straight line."""
    return el("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


# -- scales ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scale:
    """Values from ``low`` to ``high`` on a length that starts at ``start``."""

    low: float
    high: float
    start: float
    length: float

    def __call__(self, value: float) -> float:
        """Where a value lies."""
        return self.start + (value - self.low) / (self.high - self.low) * self.length


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers between two bounds, a few."""
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * s for s in (1, 2, 5, 10) if power * s >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 10) for n in range(first, math.floor(high / step + 1e-9) + 1)]


# -- the leaderboard ------------------------------------------------------------------------------


def score_scale(scores: Sequence[float]) -> Scale:
    """One scale for the fold scores of all candidates."""
    low, high = min(scores), max(scores)
    room = max(0.005, (high - low) * 0.08)
    return Scale(low - room, high + room, 8, _STRIP[0] - 16)


def score_axis(scale: Scale) -> Html:
    """The numbers above the fold scores."""
    found = ticks(scale.low, scale.high, 4)
    digits = 0 if all(round(tick * 100, 6).is_integer() for tick in found) else 1
    return _ornament(
        _STRIP[0],
        16,
        *(label(scale(tick), 12, numbers.percent(tick, digits), class_="tick") for tick in found),
    )


def fold_scores(scores: Sequence[float], mean: float, std: float, scale: Scale) -> Html:
    """A candidate: its folds as dots, its mean, and a bar of one standard deviation each way."""
    width, height = _STRIP
    middle = height / 2
    low, high = (min(max(scale(mean + way * std), 1.0), width - 1.0) for way in (-1, 1))
    return _ornament(
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
    """A share as a bar on a track."""
    return _ornament(
        width,
        8,
        el("rect", width=width, height=8, rx=2, class_="track"),
        el("rect", width=round(width * min(max(share, 0), 1), 1), height=8, rx=2, class_="bar"),
    )


def delta_bar(change: float, largest: float, width: int = 96) -> Html:
    """A change as a bar to the left or right of zero; small ones are not blown up."""
    middle = width / 2
    length = middle * abs(change) / max(largest, _SMALL)
    return _ornament(
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
    """Grid, numbers and names of two axes that both go from 0 to 100 %."""
    bottom, top, left, right = y(0), y(1), x(0), x(1)
    steps = [n / 5 for n in range(6)]
    middle = (top + bottom) / 2
    return join(
        *(line(x(at), top, x(at), bottom, "grid") for at in steps),
        *(line(left, y(at), right, y(at), "grid") for at in steps),
        *(label(x(at), bottom + 16, numbers.percent(at, 0), class_="tick") for at in steps),
        *(label(left - 6, y(at) + 4, numbers.percent(at, 0), "end", "tick") for at in steps),
        label((left + right) / 2, bottom + 36, across),
        el("text", up, text_anchor="middle", transform=f"translate(14 {middle:g}) rotate(-90)"),
    )


def reliability(name: str, version: str, found: Probabilities) -> Html:
    """How often labels are right against how probable the model says they are."""
    x, y = Scale(0, 1, 56, 320), Scale(0, 1, 330, -320)
    described = "; ".join(
        f"{numbers.counted(b.rows, 'row')} at {b.confidence:.0%}: {b.accuracy:.0%} right"
        for b in found.bins
    )
    return picture(
        name,
        400,
        452,
        f"Reliability of {version}",
        described,
        _shares(x, y, "", "share that is right"),
        line(x(0), y(0), x(1), y(1), "ideal"),
        *(_bin(b, x, y) for b in found.bins),
        _histogram(found.bins, x),
    )


def _bin(found: Bin, x: Scale, y: Scale) -> Html:
    low, high = numbers.wilson(found.accuracy, found.rows)
    at = x(found.confidence)
    told = (
        f"{numbers.counted(found.rows, 'row')} with {found.low:.0%} to {found.high:.0%}: on "
        f"average {found.confidence:.1%}, right {found.accuracy:.1%}"
    )
    return el(
        "g",
        el("title", told),
        line(at, y(low), at, y(high), "whisker"),
        el("circle", cx=at, cy=y(found.accuracy), r=4.5, class_="mean"),
    )


def _histogram(bins: Sequence[Bin], x: Scale) -> Html:
    """How many rows each bin has, under the diagram."""
    most = max(b.rows for b in bins)
    base, height = 410, 48
    bars = (
        el(
            "rect",
            el("title", f"{b.low:.0%} to {b.high:.0%}: {numbers.counted(b.rows, 'row')}"),
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
        label(x(0) - 6, base - height + 8, numbers.count(most), "end", "tick"),
        label(x(0) - 6, base + 2, "0", "end", "tick"),
        label((x(0) + x(1)) / 2, base + 28, "probability of the label given, and rows"),
    )


def thresholds(name: str, version: str, found: Probabilities) -> Html:
    """What taking only probable labels costs, and what it gives."""
    x, y = Scale(0, 1, 56, 320), Scale(0, 1, 330, -320)
    answered = [(t.at, t.answered) for t in found.thresholds]
    right = [(t.at, t.accuracy) for t in found.thresholds if t.accuracy is not None]
    described = "; ".join(
        f"from {t.at:.0%} on {t.answered:.0%} answered, {numbers.percent(t.accuracy)} right"
        for t in found.thresholds[::10]
    )
    return picture(
        name,
        400,
        400,
        f"Thresholds of {version}",
        described,
        _shares(x, y, "least probability that is taken", "share of rows"),
        el("polyline", points=_path(answered, x, y), class_="curve orange"),
        el("polyline", points=_path(right, x, y), class_="curve blue"),
        line(x(0), 388, x(0) + 24, 388, "curve blue"),
        label(x(0) + 30, 392, "right, of those answered", "start"),
        line(x(0) + 184, 388, x(0) + 208, 388, "curve orange"),
        label(x(0) + 214, 392, "answered", "start"),
    )


def _path(values: Sequence[tuple[float, float]], x: Scale, y: Scale) -> str:
    return " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in values)

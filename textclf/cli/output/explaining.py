"""Why a text has its label, for people."""

from __future__ import annotations

import sys
from itertools import groupby
from typing import TYPE_CHECKING

from textclf.cli.output import render
from textclf.formatting import escape_controls

if TYPE_CHECKING:
    from textclf.prediction.explanation import Explanation

_MOST = 10
"""N-grams listed."""

_CLEAR = 0.25
"""Of the strongest mark: weaker ones are not coloured."""


def marked(explanation: Explanation) -> str:
    """The text; on a terminal green where it speaks for the label, red where against."""
    text, marks = explanation.prediction.text, explanation.marks()
    strongest = max(map(abs, marks), default=0.0)

    def colour(place: int) -> str | None:
        if not strongest or abs(marks[place]) < _CLEAR * strongest:
            return None
        return "1;32" if marks[place] > 0 else "1;31"

    parts = (
        (paint, "".join(text[place] for place in places))
        for paint, places in groupby(range(len(text)), colour)
    )
    return "".join(
        render.paint(escape_controls(part), paint, sys.stdout) if paint else escape_controls(part)
        for paint, part in parts
    )


def show(explanation: Explanation) -> None:
    """The weightiest n-grams, what the others add, and the sum."""
    shown, others = explanation.contributions[:_MOST], explanation.contributions[_MOST:]
    for each in shown:
        times = f" × {each.count}" if each.count > 1 else ""
        name = escape_controls(each.ngram) if each.kind == "word" else repr(each.ngram)
        _line(each.contribution, f"{escape_controls(name)}{times}")
    if others:
        _line(sum(each.contribution for each in others), f"{len(others)} more n-grams")
    _line(explanation.intercept, "without any n-gram")
    label = escape_controls(explanation.explained)
    render.line(f"  ={explanation.decision:8.4f}  decision value of {label}")


def _line(value: float, what: str) -> None:
    number = render.paint(f"{value:+9.4f}", "32" if value > 0 else "31", sys.stdout)
    render.line(f"  {number}  {what}")

"""The explanation of a label: the n-grams and how much each contributed."""

from __future__ import annotations

import sys
from itertools import groupby
from typing import TYPE_CHECKING

from textclf.cli.output import render
from textclf.formatting import escape_controls

if TYPE_CHECKING:
    from textclf.prediction.explanation import Explanation

_LISTED = 10
"""N-grams listed."""

_CLEAR = 0.25
"""Characters with less than this share of the strongest contribution are not coloured."""


def highlighted(explanation: Explanation) -> str:
    """Return the text; on a terminal, green where it supports the label and red elsewhere."""
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


def write(explanation: Explanation) -> None:
    """Write the most important n-grams, the sum of the others, the intercept and the decision."""
    listed, others = explanation.contributions[:_LISTED], explanation.contributions[_LISTED:]
    for ngram in listed:
        times = f" × {ngram.count}" if ngram.count > 1 else ""
        name = ngram.ngram if ngram.kind == "word" else repr(ngram.ngram)
        _line(ngram.contribution, f"{escape_controls(name)}{times}")
    if others:
        _line(sum(ngram.contribution for ngram in others), f"{len(others)} more n-grams")
    _line(explanation.intercept, "intercept")
    label = escape_controls(explanation.explained)
    render.line(f"  ={explanation.decision:8.4f}  decision value of {label}")


def _line(value: float, what: str) -> None:
    number = render.paint(f"{value:+9.4f}", "32" if value > 0 else "31", sys.stdout)
    render.line(f"  {number}  {what}")

"""Predictions and explanations as HTML, which notebooks show in place of the ``repr``."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textclf.prediction.explanation import Explanation
    from textclf.prediction.model import Prediction

_MOST_ROWS = 10
"""Labels or n-grams in a table."""

_MOST_CHARACTERS = 2000
"""Characters of a text that are shown."""


def prediction_html(prediction: Prediction) -> str:
    """Return the text of a prediction with its best labels and their scores."""
    scores = list(prediction.scores.items())
    rows = [(escape(label), f"{score:.4f}") for label, score in scores[:_MOST_ROWS]]
    text = prediction.text[:_MOST_CHARACTERS] + "…" * (len(prediction.text) > _MOST_CHARACTERS)
    return (
        f"{_title(prediction)}<p>{escape(text)}</p>{_table(('label', 'score'), rows, len(scores))}"
    )


def explanation_html(explanation: Explanation) -> str:
    """Return the text with its n-grams coloured, and what the strongest of them contributed."""
    parts = explanation.contributions
    rows = [
        (f"<code>{escape(part.ngram)}</code>", f"{part.contribution:+.4f}")
        for part in parts[:_MOST_ROWS]
    ]
    return (
        f"{_title(explanation.prediction)}<p>{_marked(explanation)}</p>"
        f"{_table(('n-gram', f'for {escape(explanation.explained)}'), rows, len(parts))}"
    )


def _title(prediction: Prediction) -> str:
    label = "(none)" if prediction.label is None else prediction.label
    return f"<p><strong>{escape(label)}</strong> {prediction.score:.4f}</p>"


def _marked(explanation: Explanation) -> str:
    """Colour each character by its share: green supports the label, red contradicts it."""
    marks = explanation.marks()[:_MOST_CHARACTERS]
    largest = max(map(abs, marks), default=0.0) or 1.0
    text = zip(explanation.prediction.text, marks, strict=False)
    pieces = []
    for mark, pairs in groupby(text, key=lambda pair: pair[1]):
        piece = escape("".join(character for character, _ in pairs))
        colour = "0,128,0" if mark > 0 else "200,0,0"
        share = abs(mark) / largest
        style = f'style="background:rgba({colour},{share / 2:.2f})"'
        pieces.append(f"<span {style}>{piece}</span>" if mark else piece)
    return "".join(pieces) + "…" * (len(explanation.prediction.text) > _MOST_CHARACTERS)


def _table(heads: tuple[str, str], rows: Iterable[tuple[str, str]], total: int) -> str:
    cells = "".join(f"<tr><td>{name}</td><td>{number}</td></tr>" for name, number in rows)
    head = "".join(f"<th>{name}</th>" for name in heads)
    more = f"<p>and {total - _MOST_ROWS:,} more</p>" if total > _MOST_ROWS else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table>{more}"

"""The answers of ``textclf predict``: text, JSON Lines and CSV; JSON is in ``predictions_json``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from textclf.cli.output import render
from textclf.formatting import escape_controls, percent

if TYPE_CHECKING:
    from textclf.prediction.explanation import Explanation
    from textclf.prediction.model import Prediction
    from textclf.prediction.predictor import Predictor

Answer = tuple["Prediction", "Explanation | None"]
"""A prediction, and its explanation if one is wanted."""


class PredictionStyle(NamedTuple):
    """How predictions are written.

    Attributes:
        top_k: how many labels of each; ``None`` is one, or in JSON all.
        abstain: what stands for no label.
        known: whether the share of known n-grams is written.
    """

    top_k: int | None
    abstain: str | None
    known: bool = False

    def pairs(self, prediction: Prediction, nothing: str) -> list[tuple[str, float]]:
        """Return the best labels with their scores; ``nothing`` stands for no label."""
        best = list(prediction.scores.items())[: self.top_k or 1]
        if prediction.label is None:
            best[0] = (nothing if self.abstain is None else self.abstain, prediction.score)
        return best


def _write_text(answers: Iterable[Answer], style: PredictionStyle) -> None:
    for prediction, explanation in answers:
        cells = [
            cell
            for label, score in style.pairs(prediction, "(none)")
            for cell in (escape_controls(label), f"{score:.4f}")
        ]
        if explanation:
            render.line("\t".join([*cells, _highlighted(explanation)]))
            _write_explanation(explanation)
            if prediction.known is not None:
                render.line(f"  {percent(prediction.known):>9}  of its n-grams are known")
        else:
            render.line("\t".join([*cells, escape_controls(prediction.text)]))


def _write_jsonl(answers: Iterable[Answer], style: PredictionStyle) -> None:
    from textclf.cli.output.predictions_json import as_json

    for prediction, explanation in answers:
        render.line(render.json_on_a_line(as_json(prediction, explanation, style)))


def _write_csv(answers: Iterable[Answer], style: PredictionStyle) -> None:
    import csv

    # before Python 3.13 a lone carriage return is not quoted unless all text is
    writer = csv.writer(sys.stdout, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    cell = escape_controls if sys.stdout.isatty() else str  # a program gets the text as it is
    numbers = ["", *(f"_{n}" for n in range(2, (style.top_k or 1) + 1))]
    names = [name + n for n in numbers for name in ("label", "score")]
    writer.writerow(["text", *names, *(["known"] if style.known else [])])
    for prediction, _ in answers:
        best = style.pairs(prediction, "")
        labels = [value for label, score in best for value in (cell(label), score)]
        known = [prediction.known] if style.known else []
        writer.writerow([cell(prediction.text), *labels, *known])


_WRITERS: dict[str, Callable[[Iterable[Answer], PredictionStyle], None]] = {
    "text": _write_text,
    "jsonl": _write_jsonl,
    "csv": _write_csv,
}


def write_answers(
    predictor: Predictor, answers: Iterable[Answer], style: PredictionStyle, output_format: str
) -> None:
    """Write predictions to stdout, one at a time, as ``text``, ``jsonl``, ``csv`` or ``json``."""
    if output_format != "json":
        _WRITERS[output_format](answers, style)
        return
    from textclf.cli.output.predictions_json import write_json

    write_json(predictor, answers, style)


_LISTED = 10
"""N-grams listed."""

_CLEAR = 0.25
"""Characters with less than this share of the strongest contribution are not coloured."""


def _highlighted(explanation: Explanation) -> str:
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


def _write_explanation(explanation: Explanation) -> None:
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

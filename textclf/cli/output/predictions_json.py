"""The JSON of predictions: the fields of each, and all of them as one object."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textclf.cli.output import render

if TYPE_CHECKING:
    from textclf.cli.output.predictions import Answer, PredictionStyle
    from textclf.prediction.explanation import Contribution, Explanation
    from textclf.prediction.model import Prediction
    from textclf.prediction.predictor import Predictor


@dataclass(frozen=True)
class LabelledText:
    """The JSON of one prediction; ``label`` is ``None`` for a text that gets none.

    ``known`` is only there where a limit on the share of known n-grams was asked for.
    """

    text: str
    label: str | None
    score: float
    scores: dict[str, float]
    known: float | None = field(kw_only=True)


@dataclass(frozen=True)
class WhyLabelled:
    """The JSON of an explanation: how much each n-gram contributed to the decision value."""

    label: str
    decision: float
    intercept: float
    contributions: Sequence[Contribution]


@dataclass(frozen=True)
class ExplainedText(LabelledText):
    """The JSON of one prediction with ``--explain``."""

    explanation: WhyLabelled


def write_json(predictor: Predictor, answers: Iterable[Answer], style: PredictionStyle) -> None:
    """Write one JSON object, piece by piece as the predictions come."""
    head = {"version": str(predictor.version), "score_type": predictor.score_type}
    start = render.json_on_a_line(head).removesuffix("}")
    sys.stdout.write(f'{start},"predictions":[')
    for number, (prediction, explanation) in enumerate(answers):
        row = render.json_on_a_line(as_json(prediction, explanation, style))
        sys.stdout.write(f"{',' if number else ''}\n{row}")
    render.line("\n]}")


def as_json(
    prediction: Prediction, explanation: Explanation | None, style: PredictionStyle
) -> dict[str, object]:
    """Return the fields of a prediction as they are written."""
    fields = vars(_labelled_text(prediction, explanation, style))
    return {name: fields[name] for name in fields if name != "known" or style.known}


def _labelled_text(
    prediction: Prediction, explanation: Explanation | None, style: PredictionStyle
) -> LabelledText:
    scores = prediction.scores
    label = style.abstain if prediction.label is None else prediction.label
    shown = dict(list(scores.items())[: style.top_k]) if style.top_k else scores
    fields = prediction.text, label, prediction.score, shown
    if not explanation:
        return LabelledText(*fields, known=prediction.known)
    why = WhyLabelled(
        explanation.explained,
        explanation.decision,
        explanation.intercept,
        explanation.contributions,
    )
    return ExplainedText(*fields, why, known=prediction.known)

"""What is predicted of a text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Prediction:
    """A text with its label and a score for every label.

    Attributes:
        text: the text as it was given.
        label: the label with the highest score, or ``None`` if that score is below the threshold.
        score: the highest score; ``Predictor.score_type`` says what a score means.
        scores: the score of each label, the highest first.
    """

    text: str
    label: str | None
    score: float
    scores: dict[str, float]

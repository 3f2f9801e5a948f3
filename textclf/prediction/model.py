"""The interface between a predictor and the models that it can work with, and its predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from textclf.prediction.explanation import Explanation


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

    def _repr_html_(self) -> str:
        from textclf.prediction.html import prediction_html

        return prediction_html(self)


class Model(Protocol):
    """What a predictor needs of a model, which knows a label by its index in ``labels``.

    Attributes:
        labels: all labels.
        score_type: ``probability`` or ``decision``.
        threshold: the score below which a text gets no label, if there is one.
    """

    @property
    def labels(self) -> list[str]: ...  # noqa: D102 - documented by the class
    @property
    def score_type(self) -> str: ...  # noqa: D102
    @property
    def threshold(self) -> float | None: ...  # noqa: D102

    def score(self, texts: Sequence[str]) -> tuple[list[int], list[list[float]]]:
        """Return the label index of each text, and its score for every label."""
        ...

    def label_indices(self, texts: Sequence[str]) -> list[int]:
        """Return the label index of each text."""
        ...

    def explain(self, prediction: Prediction, label_index: int) -> Explanation:
        """Return what the decision value of a label is made of.

        Raises:
            UsageError: the model cannot be explained.
        """
        ...

    def count_unknown_ngrams(self, text: str) -> tuple[int, int]:
        """Return how many n-grams of a text the model does not know, and how many there are.

        Both are 0 where the model has no n-grams to look up.
        """
        ...

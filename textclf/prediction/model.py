"""The interface between a predictor and the models that it can work with, and its predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from textclf.metadata.limits import Limits

if TYPE_CHECKING:
    from textclf.prediction.explanation import Explanation


@dataclass(frozen=True)
class Prediction:
    """A text with its label and a score for every label.

    Attributes:
        text: the text as it was given.
        label: the label with the highest score, or ``None`` if the limits do not allow one.
        score: the highest score; ``Predictor.score_type`` says what a score means.
        scores: the score of each label, the highest first.
        known: the share of the text's n-grams that the model knows (0 to 1), if a limit on it was
            asked for.
    """

    text: str
    label: str | None
    score: float
    scores: dict[str, float]
    known: float | None = None

    def _repr_html_(self) -> str:
        from textclf.prediction.html import prediction_html

        return prediction_html(self)


class Model(Protocol):
    """What a predictor needs of a model, which knows a label by its index in ``labels``.

    Attributes:
        labels: all labels.
        score_type: ``probability`` or ``decision``.
        limits: which texts get no label.
    """

    @property
    def labels(self) -> list[str]: ...  # noqa: D102 - documented by the class
    @property
    def score_type(self) -> str: ...  # noqa: D102
    @property
    def limits(self) -> Limits: ...  # noqa: D102

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

    def count_known(self, texts: Sequence[str]) -> list[tuple[int, int]]:
        """Return how many n-grams of each text the model knows, and how many there are.

        Raises:
            UsageError: the model has no n-grams to look up.
        """
        ...

"""A model on labelled rows: what it says of each, from reading the texts once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.data.dataset import Dataset


@dataclass(frozen=True, eq=False)
class ScoredRows:
    """What a model said of labelled rows.

    Attributes:
        model: a fitted pipeline.
        rows: the rows.
        predicted: the label given to each.
        scores: rows × ``model.classes_``: probabilities, or decision values.
        probable: whether they are probabilities.
    """

    model: Any
    rows: Dataset
    predicted: list[str]
    scores: NDArray[np.floating[Any]]
    probable: bool

    @classmethod
    def from_pipeline(cls, model: Any, rows: Dataset) -> ScoredRows:
        """Label the rows."""
        matrix, classifier = model[:-1].transform(rows.texts), model[-1]
        probable = hasattr(classifier, "predict_proba")
        if probable:
            scores = classifier.predict_proba(matrix)
        else:
            scores = classifier.decision_function(matrix)
            scores = np.column_stack([-scores, scores]) if scores.ndim == 1 else scores
        return cls(model, rows, classifier.predict(matrix).tolist(), scores, probable)

"""The predictions of a pipeline for labelled rows, from one pass over the texts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.data.dataset import Dataset
from textclf.evaluation.metrics import measure, with_ranking
from textclf.evaluation.records import TwoLabels
from textclf.evaluation.train_overlap import train_overlap
from textclf.evaluation.two_labels import two_labels
from textclf.metadata.schema import MOST_BAD_ROWS, TestRecord
from textclf.metadata.sketch import Sketch


@dataclass(frozen=True, eq=False)
class ScoredRows:
    """A fitted pipeline, labelled rows, and its predictions for them.

    Attributes:
        model: the pipeline.
        rows: the rows.
        predicted: the predicted label of each row.
        scores: rows × ``model.classes_``: probabilities or decision values.
        has_probabilities: whether the scores are probabilities.
    """

    model: Any
    rows: Dataset
    predicted: list[str]
    scores: NDArray[np.floating[Any]]
    has_probabilities: bool

    @classmethod
    def from_pipeline(cls, model: Any, rows: Dataset) -> ScoredRows:
        """Predict labels and scores for the rows, all by scikit-learn."""
        return cls.from_matrices(model, rows, [model[:-1].transform(rows.texts)])

    @classmethod
    def from_matrices(cls, model: Any, rows: Dataset, matrices: Iterable[Any]) -> ScoredRows:
        """Predict labels and scores for the rows from their features, some rows in each matrix."""
        classifier = model[-1]
        has_probabilities = hasattr(classifier, "predict_proba")
        predicted: list[str] = []
        parts = []
        for matrix in matrices:
            predicted += classifier.predict(matrix).tolist()
            if has_probabilities:
                parts.append(classifier.predict_proba(matrix))
            else:
                scores = classifier.decision_function(matrix)
                parts.append(np.column_stack([-scores, scores]) if scores.ndim == 1 else scores)
        return cls(model, rows, predicted, np.concatenate(parts), has_probabilities)

    @cached_property
    def two_labels(self) -> TwoLabels | None:
        """How well the scores rank the rows, if the model has two labels."""
        labels = self.model.classes_.tolist()
        scores, probable = self.scores.astype(np.float64), self.has_probabilities
        return two_labels(self.rows.labels, labels, scores, are_probabilities=probable)

    def test_record(
        self, trained_on: Sketch | None, split: float | None = None, split_method: str | None = None
    ) -> TestRecord:
        """Return the record of a test on the rows.

        Args:
            trained_on: the sketch of the training rows; ``None`` if they are not known.
            split: the share of the training file that they were split off as; ``None`` if they are
                a file of their own.
            split_method: how they were split off.
        """
        rows = self.rows
        [overlap] = train_overlap(rows, trained_on)
        return TestRecord(
            rows=len(rows),
            rows_sha256=rows.rows_sha256,
            metrics=with_ranking(measure(rows.labels, self.predicted), self.two_labels),
            path=rows.path if split is None else None,
            sha256=rows.sha256 if split is None else None,
            split=split,
            split_method=split_method,
            skipped_rows=len(rows.bad_rows),
            bad_rows=list(rows.bad_rows[:MOST_BAD_ROWS]),
            train_overlap=overlap,
        )

"""Predictions of a fitted model for test rows from their n-gram counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import hstack
from sklearn.pipeline import Pipeline

from textclf.data.dataset import Dataset
from textclf.evaluation.scored_rows import ScoredRows
from textclf.features.counts import Counts
from textclf.features.tfidf import derive_matrices

_CHUNK = 2_000
"""Rows of which there is a matrix at a time."""


def score_counted(model: Pipeline, rows: Dataset, counts: Sequence[Counts]) -> ScoredRows:
    """Predict labels and scores for the rows.

    Args:
        model: a fitted pipeline.
        rows: labelled rows.
        counts: the counts of their n-grams for each block of its features; if there are none,
            scikit-learn counts.
    """
    if not counts:
        return ScoredRows.from_pipeline(model, rows)
    vectorizers = [block for _, block in model.named_steps["features"].transformer_list]
    blocks = [derive_matrices(*pair) for pair in zip(vectorizers, counts, strict=True)]
    chunks = (
        np.arange(start, min(start + _CHUNK, len(rows))) for start in range(0, len(rows), _CHUNK)
    )
    matrices = (hstack([block(chunk) for block in blocks], format="csr") for chunk in chunks)
    return ScoredRows.from_matrices(model, rows, matrices)

"""The winner on all rows: the pipeline that scikit-learn would have fitted, from the counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.pipeline import FeatureUnion, Pipeline

from textclf.captured_warnings import noted
from textclf.features.counts import Counts
from textclf.features.tfidf import Bank, Rows, Settings, Weighting, fitted_vectorizer, weigh
from textclf.search.column_merging import alike
from textclf.search.grid_search import (
    classifier,
    pin_dual,
    pipeline,
    sees_products_only,
    takes_same_road,
)
from textclf.search.space import Point
from textclf.search.svm.linear_svc import fit_side_by_side, is_large

_CHUNK = 50_000
"""Rows weighed at a time, so that only their share of the matrix is there in double precision."""


def refit(bank: Bank, labels: Sequence[str], point: Point, seed: int) -> Pipeline:
    """Fit a candidate on all texts of a bank.

    The vectorisers are equal to fitted ones. The classifier is fitted by scikit-learn, on merged
    columns where that is the same problem; only a large linear SVM of many classes is solved by
    ``solver``; ``svm.fit_side_by_side`` says how precisely.

    Args:
        bank: the texts and their counts.
        labels: their labels.
        point: the candidate.
        seed: of its classifier.
    """
    y, counts = np.asarray(labels), bank.counts(point.features)
    with noted():  # the folds have told of it
        if not counts:
            return pipeline(point, seed).fit(bank.texts, y)
        rows = np.arange(len(bank.texts))
        named = [
            _alphabetical(weigh(table, block, settings, rows), table)
            for (block, settings), table in zip(point.features.items(), counts, strict=True)
        ]
        model = classifier(point, seed)
        large = is_large(model, sum(len(table.indices) for table in counts), len(np.unique(y)))
        dtype = np.float32 if large else np.float64
        matrix = _matrix([weighting for weighting, _ in named], counts, dtype)
        del bank, counts  # their memory is needed
        if not large or not fit_side_by_side(model, matrix, y):
            model = _fit(model, matrix.astype(np.float64, copy=False), y)
        return Pipeline([("features", _union(point.features, named)), ("classifier", model)])


def _alphabetical(weighting: Weighting, counts: Counts) -> tuple[Weighting, list[str]]:
    """The weighting with its columns in the order of a vocabulary, and that vocabulary."""
    terms = counts.terms(weighting.columns)
    order = np.asarray(sorted(range(len(terms)), key=terms.__getitem__))
    ordered = replace(
        weighting,
        columns=weighting.columns[order],
        frequencies=weighting.frequencies[order],
        idf=weighting.idf[order],
    )
    return ordered, [terms[number] for number in order]


def _union(
    features: Mapping[str, Settings], named: Sequence[tuple[Weighting, list[str]]]
) -> FeatureUnion:
    return FeatureUnion(
        [
            (block, fitted_vectorizer(block, settings, terms, weighting))
            for (block, settings), (weighting, terms) in zip(features.items(), named, strict=True)
        ]
    )


def _matrix(
    weightings: Sequence[Weighting], counts: Sequence[Counts], dtype: type[np.floating[Any]]
) -> csr_matrix:
    """All blocks of all rows side by side, in the order of the vocabularies.

    It is filled a few rows at a time, so that no second copy of it is ever there.
    """
    rows = counts[0].rows
    most = sum(len(table.indices) for table in counts)
    data, indices = np.empty(most, dtype), np.empty(most, np.int32)
    indptr = np.zeros(rows + 1, np.int64)
    for start in range(0, rows, _CHUNK):
        chunk = np.arange(start, min(start + _CHUNK, rows))
        part = _side_by_side(weightings, counts, chunk)
        begin = indptr[start]
        data[begin : begin + part.nnz], indices[begin : begin + part.nnz] = part.data, part.indices
        indptr[chunk + 1] = begin + part.indptr[1:]
    filled = slice(indptr[-1])
    columns = sum(len(weighting.columns) for weighting in weightings)
    return csr_matrix((data[filled], indices[filled], indptr), shape=(rows, columns))


def _side_by_side(
    weightings: Sequence[Weighting], counts: Sequence[Counts], rows: Rows
) -> csr_matrix:
    blocks = [
        weighting.transform(table, rows)
        for weighting, table in zip(weightings, counts, strict=True)
    ]
    return blocks[0] if len(blocks) == 1 else hstack(blocks, format="csr")


def _fit(model: Any, matrix: csr_matrix, labels: NDArray[np.str_]) -> Any:
    """By scikit-learn, on merged columns where the weights can be told back from there."""
    if not sees_products_only(model) or type(model).__name__ == "SGDClassifier":
        return model.fit(matrix, labels)
    pin_dual(model, matrix)
    merge = alike(matrix)
    merged = merge.apply(matrix)
    if not takes_same_road(model, matrix, merged):
        return model.fit(matrix, labels)
    model.fit(merged, labels)
    model.coef_ = merge.restore(model.coef_)
    model.n_features_in_ = matrix.shape[1]
    return model

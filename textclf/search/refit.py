"""The final model: the winner fitted on all rows, as scikit-learn would have fitted it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from multiprocessing.pool import ThreadPool
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.pipeline import FeatureUnion, Pipeline

from textclf.captured_warnings import capture_warnings
from textclf.features.counts import Counts
from textclf.features.tfidf import (
    CountCache,
    Settings,
    TfidfWeights,
    build_fitted_vectorizer,
    fit_tfidf,
    join,
)
from textclf.search.column_merging import find_mergeable_columns
from textclf.search.estimators import (
    build_classifier,
    build_pipeline,
    depends_only_on_gram,
    one_blas_thread,
    picks_same_solver,
    pin_dual,
)
from textclf.search.space import CandidateParams
from textclf.search.svm.linear_svc import fit_all_classes, is_large


def refit(
    cache: CountCache, labels: Sequence[str], candidate: CandidateParams, seed: int
) -> Pipeline:
    """Fit a candidate on all texts of a cache.

    The vectorizers are equal to fitted ones. The classifier is fitted by scikit-learn, on merged
    columns where that is the same problem. Only a large linear SVM of many classes is solved by
    this package; ``svm.linear_svc.fit_all_classes`` states how precisely.

    Args:
        cache: the texts and their counts.
        labels: the labels of the texts.
        candidate: the winner of the search.
        seed: the random state of its classifier.
    """
    y, counts = np.asarray(labels), cache.counts_for(candidate.features)
    with one_blas_thread(), capture_warnings():  # which were recorded for the folds
        if not counts:
            return build_pipeline(candidate, seed).fit(cache.texts, y)
        rows = np.arange(len(cache.texts))
        weights = [
            _sorted_by_term(fit_tfidf(table, block, settings, rows), table)
            for (block, settings), table in zip(candidate.features.items(), counts, strict=True)
        ]
        model = build_classifier(candidate, seed)
        large = is_large(model, sum(len(table.indices) for table in counts), len(np.unique(y)))
        dtype = np.float32 if large else np.float64
        matrix = join(
            [own.of(table) for own, table in zip(weights, counts, strict=True)], rows, dtype
        )
        with ThreadPool(1) as pool:  # of daemons, for Ctrl-C; liblinear runs without the GIL
            union = pool.apply_async(_union, (candidate.features, weights, counts))
            del cache, counts  # to release their memory
            if not large or not fit_all_classes(model, matrix, y):
                model = _fit(model, matrix.astype(np.float64, copy=False), y)
            return Pipeline([("features", union.get()), ("classifier", model)])


def _sorted_by_term(weights: TfidfWeights, counts: Counts) -> TfidfWeights:
    """Bring the columns into the order of a vocabulary."""
    order = np.argsort(counts.ranks()[weights.columns])
    return replace(
        weights,
        columns=weights.columns[order],
        frequencies=weights.frequencies[order],
        idf=weights.idf[order],
    )


def _union(
    features: Mapping[str, Settings], weights: Sequence[TfidfWeights], counts: Sequence[Counts]
) -> FeatureUnion:
    return FeatureUnion(
        [
            (block, build_fitted_vectorizer(block, settings, table.terms(own.columns), own))
            for (block, settings), own, table in zip(features.items(), weights, counts, strict=True)
        ]
    )


def _fit(model: Any, matrix: csr_matrix, labels: NDArray[np.str_]) -> Any:
    """Fit by scikit-learn, on merged columns if the weights can be recovered from there."""
    if not depends_only_on_gram(model):
        return model.fit(matrix, labels)
    pin_dual(model, matrix)
    merge = find_mergeable_columns(matrix)
    if not picks_same_solver(model, matrix, merge.groups):
        return model.fit(matrix, labels)
    model.fit(merge.apply(matrix, overwrite=True), labels)
    model.coef_ = merge.expand(model.coef_)
    model.n_features_in_ = matrix.shape[1]
    return model

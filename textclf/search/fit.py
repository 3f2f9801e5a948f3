"""Fitting: the candidates with the same features, on one fold, with the matrices they share."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.metrics import get_scorer

from textclf.captured_warnings import capture_warnings
from textclf.features.counts import Counts
from textclf.features.tfidf import CountCache, build_feature_union, fit_tfidf, join
from textclf.formatting import first_line
from textclf.search.column_merging import find_mergeable_columns
from textclf.search.estimators import (
    build_classifier,
    depends_on_column_order,
    depends_only_on_gram,
    is_fitted_by_liblinear,
    picks_same_solver,
    pin_dual,
)
from textclf.search.space import CandidateParams
from textclf.search.svm.linear_svc import held_out_decisions, is_solvable

Rows = NDArray[np.intp]
Fold = tuple[Rows, Rows]
"""Row numbers to train on, row numbers to score on."""

Group = Sequence[tuple[int, CandidateParams]]
"""Candidates with the same features, each with its number."""

_FAILURES = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""Errors of a candidate that cannot be fitted: it scores NaN and the search goes on, as in
GridSearchCV."""

_LIBLINEAR = threading.Lock()
"""liblinear has one random generator for the process, seeded by each fit: fits take turns."""


@dataclass(frozen=True)
class FoldResult:
    """The result of one candidate on one fold; it scores NaN if it could not be fitted.

    Attributes:
        candidate: the number of the candidate.
        fold: the number of the fold.
        score: the value of the search's scorer.
        seconds: the classifier's own time and an equal share of what was done for the group.
        warnings: the first lines of scikit-learn's warnings.
        correct: (held-out rows,), whether the right label was predicted.
        decisions: decision values of the held-out rows if the model has no probabilities, (rows,)
            for two classes, else (rows, classes).
        cost: how much there was to fit, whatever the machine: the entries of the training rows
            times the passes over them.
    """

    candidate: int
    fold: int
    score: float
    seconds: float
    warnings: tuple[str, ...] = ()
    correct: NDArray[np.bool_] | None = None
    decisions: NDArray[np.float32] | None = None
    cost: float = 0.0

    @property
    def accuracy(self) -> float:
        """The share of held-out rows whose label was predicted; NaN if the fit failed."""
        return math.nan if self.correct is None else float(self.correct.mean())

    @classmethod
    def from_error(cls, candidate: int, fold: int, error: Exception) -> FoldResult:
        """Make the result of a candidate that could not be fitted or scored."""
        return cls(candidate, fold, math.nan, 0.0, (first_line(error),))


@dataclass(frozen=True)
class FitTask:
    """Candidates that share their features, to be fitted and scored on one fold.

    Attributes:
        group: the candidates with their numbers.
        number: the number of the fold.
        fold: its row numbers, to train and to score on.
        scoring: the name of a scikit-learn scorer.
        seed: the random state of classifiers that have one.
    """

    group: Group
    number: int
    fold: Fold
    scoring: str
    seed: int

    def counts(self, cache: CountCache) -> tuple[Counts, ...]:
        """The counts of each feature block; empty if scikit-learn has to vectorize the texts."""
        _, candidate = self.group[0]
        return () if depends_on_column_order(candidate) else cache.counts_for(candidate.features)


def fit_task(
    task: FitTask, labels: NDArray[np.str_], texts: NDArray[np.object_], *counts: Counts
) -> list[FoldResult]:
    """Fit the candidates of a task on the training rows of its fold, and score them.

    Args:
        task: the candidates and the fold.
        labels: the labels of all rows.
        texts: all texts; they are not needed if there are counts.
        *counts: the counts of all rows for each feature block; none for the scikit-learn fallback.
    """
    start = time.perf_counter()
    train_labels, truth = (labels[rows] for rows in task.fold)
    with capture_warnings() as shared_warnings:
        shared_warnings += [line for table in counts for line in table.warnings]
        try:
            matrices = _matrices(task, texts, counts)
            svms = _solve_svms(task, matrices, train_labels)
        except _FAILURES as error:
            return [FoldResult.from_error(number, task.number, error) for number, _ in task.group]
    shared_seconds = (time.perf_counter() - start) / len(task.group)
    # the accuracy scorer would predict again, and its checks take longer than that
    scorer = None if task.scoring == "accuracy" else get_scorer(task.scoring)

    def fit_candidate(number: int, candidate: CandidateParams) -> FoldResult:
        begin = time.perf_counter()
        with capture_warnings() as own_warnings:
            try:
                model, matrix = svms.get(number), matrices.held_out
                if model is None:
                    estimator = build_classifier(candidate, task.seed)
                    may_merge = bool(counts) and depends_only_on_gram(estimator)
                    model, matrix = _fit_classifier(
                        estimator, matrices, train_labels, may_merge=may_merge
                    )
                seconds = shared_seconds + time.perf_counter() - begin
                correct = model.predict(matrix) == truth
                score = scorer(model, matrix, truth) if scorer else correct.mean()
                decisions, cost = _decisions(model, matrix), _cost(model, matrices.train)
            except _FAILURES as error:
                return FoldResult.from_error(number, task.number, error)
        lines = tuple(dict.fromkeys([*shared_warnings, *own_warnings]))
        return FoldResult(
            number, task.number, float(score), seconds, lines, correct, decisions, cost
        )

    return [fit_candidate(number, candidate) for number, candidate in task.group]


@dataclass(frozen=True)
class _Matrices:
    """The weighted matrices of a fold.

    Attributes:
        train: the rows to train on.
        held_out: the rows to score on.
        only_merged: whether these are needed no more once there are merged ones, except for the
            shape and the number of entries.
    """

    train: csr_matrix
    held_out: csr_matrix
    only_merged: bool = False

    @cached_property
    def merged(self) -> _Matrices:
        """The same problem in fewer columns, for estimators that depend only on the Gram matrix."""
        merge = find_mergeable_columns(self.train)
        overwrite = self.only_merged
        train = merge.apply(self.train, overwrite=overwrite)
        return _Matrices(train, merge.apply(self.held_out, overwrite=overwrite))


def _matrices(task: FitTask, texts: NDArray[np.object_], counts: Sequence[Counts]) -> _Matrices:
    """Derive the matrices from the counts, or have scikit-learn vectorize the texts."""
    _, candidate = task.group[0]
    train, held_out = task.fold
    if not counts:
        union = build_feature_union(candidate.features)
        return _Matrices(union.fit_transform(texts[train]), union.transform(texts[held_out]))
    blocks = [
        fit_tfidf(table, block, settings, train).of(table)
        for (block, settings), table in zip(candidate.features.items(), counts, strict=True)
    ]
    only_merged = all(is_solvable(build_classifier(each, task.seed)) for _, each in task.group)
    return _Matrices(join(blocks, train), join(blocks, held_out), only_merged)


def _solve_svms(task: FitTask, matrices: _Matrices, labels: NDArray[np.str_]) -> Mapping[int, Any]:
    """Solve the usual LinearSVCs of a group all at once; the keys are the candidates' numbers."""
    estimators = {
        number: estimator
        for number, candidate in task.group
        if is_solvable(estimator := build_classifier(candidate, task.seed))
    }
    if not estimators:
        return {}
    for estimator in estimators.values():
        pin_dual(estimator, matrices.train)
    train, held_out = matrices.merged.train, matrices.merged.held_out
    models = held_out_decisions(list(estimators.values()), train, labels, held_out)
    return {number: model for number, model in zip(estimators, models, strict=True) if model}


def _fit_classifier(
    estimator: Any, matrices: _Matrices, labels: NDArray[np.str_], *, may_merge: bool
) -> tuple[Any, csr_matrix]:
    """Fit an estimator on the smallest equivalent matrix; also return the rows to score."""
    if may_merge:
        pin_dual(estimator, matrices.train)
        if picks_same_solver(estimator, matrices.train, matrices.merged.train.shape[1]):
            matrices = matrices.merged
    with _LIBLINEAR if is_fitted_by_liblinear(estimator) else nullcontext():
        return estimator.fit(matrices.train, labels), matrices.held_out


def _decisions(model: Any, matrix: csr_matrix) -> NDArray[np.float32] | None:
    """Decision values of a model that has no probabilities of its own."""
    if hasattr(model, "predict_proba"):
        return None
    values: NDArray[np.float32] = model.decision_function(matrix).astype(np.float32)
    return values


def _cost(model: Any, train: csr_matrix) -> float:
    """The entries of the training rows times the passes over them, one if they are not known."""
    passes = getattr(model, "n_iter_", None)
    return float(train.nnz * (1 if passes is None else np.mean(passes)))

"""The unfitted scikit-learn objects of a candidate, and which of their properties matter here."""

from __future__ import annotations

import importlib
from contextlib import AbstractContextManager
from typing import Any

from scipy.sparse import csr_matrix
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from textclf.features.tfidf import build_feature_union
from textclf.search.space import CLASSIFIERS, CandidateParams

_CLOSE = 1e-4
"""The default tolerance of LogisticRegression, with which the labels are those of the solution."""


def build_classifier(candidate: CandidateParams, seed: int) -> Any:
    """Build the unfitted classifier of a candidate.

    Args:
        candidate: its classifier and settings.
        seed: the random state, unless the candidate sets one.
    """
    name, settings = candidate.classifier, candidate.settings
    estimator = getattr(importlib.import_module(CLASSIFIERS[name]), name)(**settings)
    if "random_state" in estimator.get_params() and "random_state" not in settings:
        estimator.set_params(random_state=seed)
    return estimator


def build_pipeline(candidate: CandidateParams, seed: int) -> Pipeline:
    """Build the unfitted pipeline of a candidate: its features and its classifier."""
    features = build_feature_union(candidate.features)
    return Pipeline([("features", features), ("classifier", build_classifier(candidate, seed))])


def one_blas_thread() -> AbstractContextManager[Any]:
    """Give BLAS one thread while models are fitted, which have a thread each.

    With several, the sums are rounded as the number of cores has it, and they wait for each other.
    """
    limits: AbstractContextManager[Any] = threadpool_limits(limits=1, user_api="blas")
    return limits


def depends_on_column_order(candidate: CandidateParams) -> bool:
    """Whether the result depends on the order of the columns.

    liblinear's L1 solver visits them in that order. Where a solver ends before it has converged,
    the order of the sums may decide on the label of a row.
    """
    settings = candidate.settings
    is_l1 = settings.get("penalty") == "l1" or settings.get("l1_ratio") == 1
    return is_l1 or _ends_early(candidate)


def _ends_early(candidate: CandidateParams) -> bool:
    """Whether a classifier may end far from its solution.

    SGD always does, LogisticRegression on rows that are not normalized, and RidgeClassifier with a
    limit of its iterations, or without a penalty, which leaves it many solutions.
    """
    settings = candidate.settings
    match candidate.classifier:
        case "SGDClassifier":
            return True
        case "LogisticRegression":
            return not all(block.get("norm", "l2") for block in candidate.features.values())
        case "RidgeClassifier":
            return settings.get("alpha", 1) == 0 or settings.get("max_iter") is not None
    return False


def depends_only_on_gram(estimator: Any) -> bool:
    """Whether the solution follows from the Gram matrix XXᵀ, as with a pure L2 penalty.

    It does not where the solver stops far from it, by a measure that the columns decide.
    """
    settings = estimator.get_params()
    if settings.get("solver") in {"sag", "saga"}:  # by the largest change of a weight
        return False
    match type(estimator).__name__:
        case "LinearSVC":
            return bool(settings["penalty"] == "l2")
        case "LogisticRegression":
            penalty_is_l2 = settings["penalty"] in {"l2", "deprecated"}
            is_close = settings["tol"] <= _CLOSE  # the largest partial derivative that it leaves
            return penalty_is_l2 and settings.get("l1_ratio") in {None, 0} and is_close
        case "RidgeClassifier":
            converges = settings["alpha"] > 0 and settings["max_iter"] is None
            return converges and not settings["positive"]
    return False


def picks_same_solver(estimator: Any, matrix: csr_matrix, groups: int) -> bool:
    """Whether an estimator uses the same solver after merging; Ridge chooses one by the shape.

    Args:
        estimator: an unfitted estimator.
        matrix: the training matrix, (rows, columns).
        groups: the number of its columns when they are merged.
    """
    rows, columns = matrix.shape
    is_ridge = type(estimator).__name__ == "RidgeClassifier"
    return not is_ridge or (columns > rows) == (groups > rows)


def pin_dual(estimator: Any, matrix: csr_matrix) -> None:
    """Resolve ``dual="auto"`` of a LinearSVC by the shape of the matrix before columns merge."""
    if getattr(estimator, "dual", None) == "auto" and estimator.loss == "squared_hinge":
        rows, columns = matrix.shape
        estimator.set_params(dual=bool(rows < columns and estimator.penalty == "l2"))


def is_fitted_by_liblinear(estimator: Any) -> bool:
    """Whether scikit-learn fits an estimator with liblinear."""
    return type(estimator) is LinearSVC or getattr(estimator, "solver", None) == "liblinear"

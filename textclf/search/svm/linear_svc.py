"""LinearSVC on held-out rows: the decisions of liblinear, mostly without liblinear.

``primal`` takes liblinear's own steps, for many classes and costs at once. ``dual`` brings all of
them near the optimum. Its decision values differ from liblinear's by less than the tolerance, so
only rows whose two best classes are closer than that could be labelled differently. The binary
problems of these classes are solved further, and whatever is still too close is solved by
liblinear's own algorithm. So the labels are those of LinearSVC, in a fraction of its time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from joblib import cpu_count
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_class_weight

from textclf.search.svm import liblinear, primal
from textclf.search.svm.dual import BinaryProblem, DualSolver

Values = NDArray[np.float64]

_EPOCHS = 300
"""Passes after which a problem is left to liblinear, which warns if it does not converge."""

_STAGES = ((1e-2, 1e-2, _EPOCHS), (1e-3, 5e-4, _EPOCHS), (2e-4, 2e-4, 100))
"""The stages of the dual solver: its tolerance, the margin below which a row is undecided
afterwards, and the largest number of passes.

Measured on five data sets (two matrices each, up to 16 problems, against solutions to 1e-8): values
are off by at most 0.23 × the tolerance at the first stage and 0.36 × at the others, liblinear's own
by 0.00002. On long texts single precision may not reach the last tolerance.
"""

_MAX_BYTES = 1 << 30
"""Bytes of weights and duals above which the costs are solved one after the other."""

_MIN_CLASSES = 3
"""The fewest classes of a final model that is solved by ``dual``."""

_LARGE = 200_000_000
"""Matrix entries × classes above which a final model is solved by ``dual``."""

_HUGE = 10_000_000_000
"""Matrix entries × classes above which it is solved to less precision."""

_FINE_TOLERANCE, _COARSE_TOLERANCE = 5e-4, 1e-1
"""Tolerances below and above ``_HUGE``; single precision allows no less on long texts."""

_USUAL_SETTINGS = {
    "penalty": "l2",
    "loss": "squared_hinge",
    "tol": 1e-4,
    "max_iter": 1000,
    "multi_class": "ovr",
    "fit_intercept": True,
    "intercept_scaling": 1,
}
"""The settings of a LinearSVC that is solved here; C, class_weight, dual, random_state are free."""


class PrecomputedSVC(LinearSVC):  # type: ignore[misc]  # scikit-learn has no types
    """A LinearSVC with precomputed decision values for the held-out rows.

    Args:
        classes: the labels, sorted.
        values: (rows, 1) for two classes, else (rows, classes).
        passes: the passes over the training rows that it took, for each class on average.
    """

    def __init__(self, classes: NDArray[np.str_], values: Values, passes: float) -> None:
        super().__init__()
        self.classes_, self.n_iter_ = classes, passes
        self._values = values[:, 0] if values.shape[1] == 1 else values

    def decision_function(self, X: object) -> Values:  # noqa: ARG002, N803 - scikit-learn's name
        """Return the precomputed values, whatever the matrix."""
        return self._values


def is_solvable(estimator: Any) -> bool:
    """Whether an unfitted estimator is a LinearSVC with the usual settings."""
    if type(estimator) is not LinearSVC:
        return False
    settings = estimator.get_params()
    usual = all(settings[name] == value for name, value in _USUAL_SETTINGS.items())
    return usual and settings["C"] > 0


def held_out_decisions(
    estimators: Sequence[LinearSVC],
    train: csr_matrix,
    labels: NDArray[np.str_],
    held_out: csr_matrix,
) -> list[PrecomputedSVC | None]:
    """Compute the decisions on held-out rows of LinearSVCs fitted on the training rows.

    Args:
        estimators: solvable estimators, with ``dual`` and ``random_state`` set.
        train: the training rows, (rows, columns).
        labels: (rows,), their labels.
        held_out: the held-out rows, (any, columns).

    Returns:
        One model with precomputed decisions for each estimator, or ``None`` where scikit-learn has
        to fit it.
    """
    models: list[PrecomputedSVC | None] = [None] * len(estimators)
    classes, codes = np.unique(labels, return_inverse=True)
    problems = {n: _problems(svc, classes, labels) for n, svc in enumerate(estimators)}
    solvable = [n for n in problems if len(classes) > 1 and _all_errors_cost(problems[n])]
    for numbers in _batches(solvable, estimators, 4 * sum(train.shape) * len(classes)):
        batch = _Batch(
            [estimators[n] for n in numbers], [problems[n] for n in numbers], train, codes, held_out
        )
        solve = _decisions_by_dual if estimators[numbers[0]].dual else _decisions_by_primal
        values, known, passes = solve(batch)
        size = len(problems[numbers[0]])
        for number, at in zip(numbers, range(0, values.shape[1], size), strict=True):
            own = slice(at, at + size)
            if known[own].all():
                models[number] = PrecomputedSVC(classes, values[:, own], float(passes[own].mean()))
    return models


def _all_errors_cost(problems: Sequence[BinaryProblem]) -> bool:
    """Whether errors on either side of every problem have a cost; 1/C is infinite without."""
    return bool(problems) and all(p.cost > 0 and p.rest_cost > 0 for p in problems)


def _batches(
    solvable: Sequence[int], estimators: Sequence[LinearSVC], size: int
) -> Iterator[list[int]]:
    """Estimators to be solved together: all primal or all dual, and within the memory limit."""
    for dual in (True, False):
        numbers = [n for n in solvable if bool(estimators[n].dual) == dual]
        if size * len(numbers) > _MAX_BYTES:
            yield from ([number] for number in numbers)
        elif numbers:
            yield numbers


class _Batch(NamedTuple):
    """Estimators, the same number of binary problems of each, and the rows they share."""

    estimators: Sequence[LinearSVC]
    problems: Sequence[Sequence[BinaryProblem]]
    train: csr_matrix
    codes: NDArray[np.intp]
    held_out: csr_matrix


_Decisions = tuple[Values, NDArray[np.bool_], NDArray[np.intp]]
"""Values of all problems, (rows, problems), which of them are known, and the passes of each."""


def _decisions_by_primal(batch: _Batch) -> _Decisions:
    """Decide as liblinear does, up to rounding."""
    problems = list(chain.from_iterable(batch.problems))
    weights, solved, passes = primal.solve(batch.train, batch.codes, problems)
    return batch.held_out @ weights[:-1] + weights[-1], solved, passes


def _decisions_by_dual(batch: _Batch) -> _Decisions:
    """Decide as exactly as labels need."""
    estimators, _, train, codes, held_out = batch
    solver = DualSolver(train, codes, list(chain.from_iterable(batch.problems)))
    size, count = len(batch.problems[0]), len(solver.problems)
    values, known = np.empty((held_out.shape[0], count)), np.ones(count, np.bool_)
    exact = np.zeros(count, np.bool_)

    def solve_by_liblinear(numbers: NDArray[np.intp]) -> None:
        for n in numbers.tolist():
            own = slice(n - n % size, n - n % size + size)
            if not known[own].all():  # another problem of the same estimator has failed
                continue
            weights = _by_liblinear(estimators[n // size], solver.problems[n], train, codes)
            exact[n] = True
            if weights is None:
                known[own] = False
            else:
                values[:, n] = held_out @ weights[:-1] + weights[-1]

    pending = np.arange(count)
    for tolerance, margin, epochs in _STAGES:
        solved = solver.solve(pending, tolerance, epochs, seed=0)
        values[:, pending] = solver.decisions(held_out, pending)
        solve_by_liblinear(pending[~solved])
        close = [_too_close(values[:, at : at + size], margin) + at for at in range(0, count, size)]
        pending = np.concatenate(close)
        pending = pending[known[pending] & ~exact[pending]]
    solve_by_liblinear(pending)
    return values, known, solver.passes


def is_large(estimator: Any, entries: int, classes: int) -> bool:
    """Whether liblinear would take minutes to fit an estimator: many classes, many entries."""
    return is_solvable(estimator) and classes >= _MIN_CLASSES and entries * classes > _LARGE


def fit_all_classes(estimator: LinearSVC, matrix: csr_matrix, labels: NDArray[np.str_]) -> bool:
    """Fit all classes of a LinearSVC at once.

    Its decision values are liblinear's to about 0.0002; above ``_HUGE`` to 0.05, at which the
    accuracy is the same to 0.01% (150,000 rows of 93 languages).

    Returns:
        Whether all classes have converged; if not, the estimator is not fitted.
    """
    classes, codes = np.unique(labels, return_inverse=True)
    frequent = np.argsort(-np.bincount(matrix.indices, minlength=matrix.shape[1]), kind="stable")
    rank = np.empty(len(frequent), np.int32)
    rank[frequent] = np.arange(len(frequent), dtype=np.int32)
    # the weights of frequent columns lie together, and so stay in the cache
    ordered = csr_matrix((matrix.data, rank[matrix.indices], matrix.indptr), shape=matrix.shape)
    solver = DualSolver(ordered, codes, _problems(estimator, classes, labels))
    is_huge = matrix.nnz * len(classes) >= _HUGE
    tolerance = _COARSE_TOLERANCE if is_huge else _FINE_TOLERANCE
    if not solver.solve(
        np.arange(len(classes)), tolerance, _EPOCHS, seed=0, jobs=cpu_count()
    ).all():
        return False
    estimator.classes_ = classes
    estimator.n_features_in_ = matrix.shape[1]
    estimator.coef_ = solver.weights[rank].T.astype(np.float64, order="C")
    estimator.intercept_ = solver.weights[-1].astype(np.float64)
    estimator.n_iter_ = 0
    return True


def _problems(
    estimator: LinearSVC, classes: NDArray[np.str_], labels: NDArray[np.str_]
) -> list[BinaryProblem]:
    """Liblinear's binary problems: each class against the unweighted rest; one for two classes.

    There are none if the class weights do not match the labels; scikit-learn will say so.
    """
    try:
        weights = compute_class_weight(estimator.class_weight, classes=classes, y=labels)
    except ValueError:
        return []
    costs = (estimator.C * weights).tolist()
    if len(costs) == 2:  # noqa: PLR2004
        return [BinaryProblem(1, costs[1], costs[0])]
    return [BinaryProblem(code, cost, estimator.C) for code, cost in enumerate(costs)]


def _too_close(values: Values, margin: float) -> NDArray[np.intp]:
    """The columns that compete for a row within the margin, or one column with its negative."""
    if values.shape[1] == 1:
        return np.arange(int(np.abs(values).min(initial=np.inf) < margin))
    contested = values >= values.max(axis=1, keepdims=True) - margin
    return np.flatnonzero(contested[contested.sum(axis=1) > 1].any(axis=0))


def _by_liblinear(
    estimator: LinearSVC, problem: BinaryProblem, matrix: csr_matrix, codes: NDArray[np.intp]
) -> Values | None:
    """The weights and the intercept of one problem; ``None`` if it does not converge."""
    seed = check_random_state(estimator.random_state).randint(np.iinfo("i").max)
    positive = codes == problem.positive
    return liblinear.solve(matrix, positive, problem.cost, problem.rest_cost, seed)

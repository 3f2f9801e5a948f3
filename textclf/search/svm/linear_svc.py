"""LinearSVC on held-out rows: the decisions of liblinear, mostly without liblinear.

In the primal ``newton`` takes liblinear's own steps, for many classes and costs at once. In the
dual ``solver`` brings all of them near the optimum. Decision values found there differ from
liblinear's by less than its tolerance, so only rows whose two best classes are closer than that
could be labelled otherwise. For those rows the lanes involved are solved further, and what is still
too close is left to liblinear itself. So the labels are LinearSVC's, in a fraction of its time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from joblib import cpu_count
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_class_weight

from textclf.search.svm import liblinear
from textclf.search.svm.dual import Lane, LinearSvms
from textclf.search.svm.primal import minimise

Values = NDArray[np.float64]

_EPOCHS = 300
"""Passes after which liblinear has to see for itself: it warns of what does not converge."""

_STAGES = ((1e-2, 1e-2, _EPOCHS), (1e-3, 5e-4, _EPOCHS), (2e-4, 2e-4, 100))
"""Tolerance of the solver, the margin below which a row is undecided after it, the most passes.

Measured on five data sets (two matrices each, up to 16 lanes, against solutions to 1e-8): values
are off by at most 0.23 × the tolerance at the first stage and 0.36 × at the others, liblinear's own
by 0.00002. On long texts single precision may not get to the last stage.
"""

_TOO_MUCH = 1 << 30
"""Bytes of weights and duals above which the costs are solved one after the other."""

_MANY = 3
"""Classes from which on the final model may be solved side by side: one lane each."""

_LARGE = 200_000_000
"""Entries of the matrix × classes from which on the final model is solved side by side, too."""

_HUGE = 10_000_000_000
"""And from which on it is solved to less precision."""

_FINE, _COARSE = 5e-4, 1e-1
"""Tolerances of the two; single precision allows no less on long texts."""

_SOLVED = {
    "penalty": "l2",
    "loss": "squared_hinge",
    "tol": 1e-4,
    "max_iter": 1000,
    "multi_class": "ovr",
    "fit_intercept": True,
    "intercept_scaling": 1,
}
"""Settings of the LinearSVC that is solved here: all but C, class_weight, dual, random_state."""


class Decided(LinearSVC):  # type: ignore[misc]  # scikit-learn has no types
    """A LinearSVC whose decision values on the held-out rows are known already.

    Args:
        classes: the labels, sorted.
        values: (rows, 1) for two classes, else (rows, classes).
    """

    def __init__(self, classes: NDArray[np.str_], values: Values) -> None:
        super().__init__()
        self.classes_ = classes
        self._values = values[:, 0] if values.shape[1] == 1 else values

    def decision_function(self, X: object) -> Values:  # noqa: ARG002, N803 - scikit-learn's name
        """The values given, whatever the matrix."""
        return self._values


def is_solvable(estimator: Any) -> bool:
    """Whether an unfitted estimator is a LinearSVC of the usual kind."""
    if type(estimator) is not LinearSVC:
        return False
    settings = estimator.get_params()
    usual = all(settings[name] == value for name, value in _SOLVED.items())
    return usual and settings["C"] > 0


def decide(
    estimators: Sequence[LinearSVC], train: csr_matrix, labels: NDArray[np.str_], held: csr_matrix
) -> list[Decided | None]:
    """Decide on held-out rows as LinearSVCs fitted on the training rows would.

    Args:
        estimators: solvable ones, with ``dual`` and ``random_state`` set.
        train: (rows, columns).
        labels: of these rows.
        held: the held-out rows, (any, columns).

    Returns:
        For each estimator one that knows its decisions, or ``None`` where it takes scikit-learn.
    """
    found: list[Decided | None] = [None] * len(estimators)
    classes, codes = np.unique(labels, return_inverse=True)
    lanes = {n: _lanes(estimator, classes, labels) for n, estimator in enumerate(estimators)}
    solvable = [n for n in lanes if len(classes) > 1 and _all_cost(lanes[n])]
    for some in _groups(solvable, estimators, 4 * sum(train.shape) * len(classes)):
        problem = _Problem(
            [estimators[n] for n in some], [lanes[n] for n in some], train, codes, held
        )
        values, known = (_in_the_dual if estimators[some[0]].dual else _in_the_primal)(problem)
        each = len(lanes[some[0]])
        for number, at in zip(some, range(0, values.shape[1], each), strict=True):
            if known[at : at + each].all():
                found[number] = Decided(classes, values[:, at : at + each])
    return found


def _all_cost(lanes: Sequence[Lane]) -> bool:
    """Whether errors cost something on both sides of every lane: else there are infinities."""
    return bool(lanes) and all(lane.cost > 0 and lane.rest > 0 for lane in lanes)


def _groups(
    solvable: Sequence[int], estimators: Sequence[LinearSVC], size: int
) -> Iterator[list[int]]:
    """Those to be solved together: in the same space, and no more than memory has room for."""
    for dual in (True, False):
        some = [n for n in solvable if bool(estimators[n].dual) == dual]
        if size * len(some) > _TOO_MUCH:
            yield from ([number] for number in some)
        elif some:
            yield some


class _Problem(NamedTuple):
    """Lanes of several estimators over the same rows, as many of each."""

    estimators: Sequence[LinearSVC]
    lanes: Sequence[Sequence[Lane]]
    train: csr_matrix
    codes: NDArray[np.intp]
    held: csr_matrix


def _in_the_primal(problem: _Problem) -> tuple[Values, NDArray[np.bool_]]:
    """Values of all lanes, (rows, lanes): liblinear's but for rounding; which are known."""
    _, lanes, train, codes, held = problem
    weights, solved = minimise(train, codes, [lane for some in lanes for lane in some])
    return held @ weights[:-1] + weights[-1], solved


def _in_the_dual(problem: _Problem) -> tuple[Values, NDArray[np.bool_]]:
    """Values of all lanes, (rows, lanes), as exact as labels need; and which are known."""
    estimators, lanes, train, codes, held = problem
    svms = LinearSvms(train, codes, [lane for some in lanes for lane in some])
    each, count = len(lanes[0]), len(svms.lanes)
    values, known = np.empty((held.shape[0], count)), np.ones(count, np.bool_)
    exact = np.zeros(count, np.bool_)

    def ask_liblinear(some: NDArray[np.intp]) -> None:
        for lane in some.tolist():
            own = slice(lane - lane % each, lane - lane % each + each)
            if not known[own].all():  # another lane of the same estimator has failed
                continue
            weights = _by_liblinear(estimators[lane // each], svms.lanes[lane], train, codes)
            exact[lane] = True
            if weights is None:
                known[own] = False
            else:
                values[:, lane] = held @ weights[:-1] + weights[-1]

    pending = np.arange(count)
    for tolerance, margin, epochs in _STAGES:
        solved = svms.solve(pending, tolerance, epochs, seed=0)
        values[:, pending] = svms.decisions(held, pending)
        ask_liblinear(pending[~solved])
        close = [_too_close(values[:, at : at + each], margin) + at for at in range(0, count, each)]
        pending = np.concatenate(close)
        pending = pending[known[pending] & ~exact[pending]]
    ask_liblinear(pending)
    return values, known


def is_large(estimator: Any, entries: int, classes: int) -> bool:
    """Whether liblinear would take minutes to fit it: many classes on many entries."""
    return is_solvable(estimator) and classes >= _MANY and entries * classes > _LARGE


def fit_side_by_side(estimator: LinearSVC, matrix: csr_matrix, labels: NDArray[np.str_]) -> bool:
    """Fit all classes of a LinearSVC at once; false where that does not converge.

    Its decision values are liblinear's to about 0.0002; on millions of rows to 0.05, at which the
    accuracy is the same to 0.01 % (150,000 rows of 93 languages).
    """
    classes, codes = np.unique(labels, return_inverse=True)
    frequent = np.argsort(-np.bincount(matrix.indices, minlength=matrix.shape[1]), kind="stable")
    rank = np.empty(len(frequent), np.int32)
    rank[frequent] = np.arange(len(frequent), dtype=np.int32)
    # the weights of frequent columns lie together, and so stay in the cache
    ordered = csr_matrix((matrix.data, rank[matrix.indices], matrix.indptr), shape=matrix.shape)
    svms = LinearSvms(ordered, codes, _lanes(estimator, classes, labels))
    tolerance = _FINE if matrix.nnz * len(classes) < _HUGE else _COARSE
    every = np.arange(len(classes))
    if not svms.solve(every, tolerance, _EPOCHS, seed=0, jobs=cpu_count()).all():
        return False
    estimator.classes_ = classes
    estimator.n_features_in_ = matrix.shape[1]
    estimator.coef_ = svms.weights[rank].T.astype(np.float64, order="C")
    estimator.intercept_ = svms.weights[-1].astype(np.float64)
    estimator.n_iter_ = 0
    return True


def _lanes(estimator: LinearSVC, classes: NDArray[np.str_], labels: NDArray[np.str_]) -> list[Lane]:
    """Liblinear's binary problems: a class against the rest, which is not weighted; two are one.

    No lanes where the class weights do not fit the labels: what is wrong scikit-learn says.
    """
    try:
        weights = compute_class_weight(estimator.class_weight, classes=classes, y=labels)
    except ValueError:
        return []
    costs = (estimator.C * weights).tolist()
    if len(costs) == 2:  # noqa: PLR2004
        return [Lane(1, costs[1], costs[0])]
    return [Lane(code, cost, estimator.C) for code, cost in enumerate(costs)]


def _too_close(values: Values, margin: float) -> NDArray[np.intp]:
    """The lanes that compete for a row within the margin; a lone one competes with its opposite."""
    if values.shape[1] == 1:
        return np.arange(int(np.abs(values).min(initial=np.inf) < margin))
    contested = values >= values.max(axis=1, keepdims=True) - margin
    return np.flatnonzero(contested[contested.sum(axis=1) > 1].any(axis=0))


def _by_liblinear(
    estimator: LinearSVC, lane: Lane, matrix: csr_matrix, codes: NDArray[np.intp]
) -> NDArray[np.float64] | None:
    """The weights and the intercept of one lane; ``None`` if it does not converge."""
    seed = check_random_state(estimator.random_state).randint(np.iinfo("i").max)
    return liblinear.solve(matrix, codes == lane.positive, lane.cost, lane.rest, seed)

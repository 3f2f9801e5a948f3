"""LinearSVC on held-out rows: the decisions of liblinear, mostly without liblinear.

In the primal ``newton`` takes liblinear's own steps, for many classes and costs at once. In the
dual ``solver`` brings all of them near the optimum. Decision values found there differ from
liblinear's by less than its tolerance, so only rows whose two best classes are closer than that
could be labelled otherwise. For those rows the lanes involved are solved further, and what is still
too close is left to liblinear itself. So the labels are LinearSVC's, in a fraction of its time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from joblib import cpu_count
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_class_weight

from textclf import liblinear
from textclf.newton import minimise
from textclf.solver import Lane, LinearSvms

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
) -> list[Decided] | None:
    """Decide on held-out rows as LinearSVCs fitted on the training rows would.

    Args:
        estimators: solvable ones, with ``dual`` and ``random_state`` set.
        train: (rows, columns).
        labels: of these rows.
        held: the held-out rows, (any, columns).

    Returns:
        Estimators that know their decisions, or ``None`` where it takes liblinear to do it.
    """
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) == 1:  # scikit-learn says what is wrong with that
        return None
    try:
        lanes = [_lanes(estimator, classes, labels) for estimator in estimators]
    except ValueError:  # class weights of one do not fit the labels: it alone has to fail
        return None
    alike = len({estimator.dual for estimator in estimators}) == 1
    if len(estimators) > 1 and (
        not alike or 4 * sum(train.shape) * sum(map(len, lanes)) > _TOO_MUCH
    ):
        alone = [decide([estimator], train, labels, held) for estimator in estimators]
        return None if None in alone else [one for each in alone if each for one in each]
    road = _in_the_dual if estimators[0].dual else _in_the_primal
    values = road(estimators, lanes, train, codes, held)
    if values is None:
        return None
    starts = range(0, values.shape[1], len(lanes[0]))
    return [Decided(classes, values[:, at : at + len(lanes[0])]) for at in starts]


def _in_the_primal(
    _: Sequence[LinearSVC],
    lanes: Sequence[Sequence[Lane]],
    train: csr_matrix,
    codes: NDArray[np.intp],
    held: csr_matrix,
) -> Values | None:
    """Decision values of all lanes, (rows, lanes): liblinear's but for rounding."""
    weights, solved = minimise(train, codes, [lane for some in lanes for lane in some])
    if not solved.all():
        return None
    values: Values = held @ weights[:-1] + weights[-1]
    return values


def _in_the_dual(
    estimators: Sequence[LinearSVC],
    lanes: Sequence[Sequence[Lane]],
    train: csr_matrix,
    codes: NDArray[np.intp],
    held: csr_matrix,
) -> Values | None:
    """Decision values of all lanes, (rows, lanes), as exact as the labels need them to be."""
    svms = LinearSvms(train, codes, [lane for some in lanes for lane in some])
    each = len(lanes[0])
    starts = range(0, len(svms.lanes), each)
    values = np.empty((held.shape[0], len(svms.lanes)))
    pending = np.arange(len(svms.lanes))
    for tolerance, margin, epochs in _STAGES:
        if not svms.solve(pending, tolerance, epochs, seed=0):
            break
        values[:, pending] = svms.decisions(held, pending)
        close = [_too_close(values[:, at : at + each], margin) + at for at in starts]
        pending = np.concatenate(close)
    for lane in pending.tolist():
        weights = _by_liblinear(estimators[lane // each], svms.lanes[lane], train, codes)
        if weights is None:
            return None
        values[:, lane] = held @ weights[:-1] + weights[-1]
    return values


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
    if not svms.solve(np.arange(len(classes)), tolerance, _EPOCHS, seed=0, jobs=cpu_count()):
        return False
    estimator.classes_ = classes
    estimator.n_features_in_ = matrix.shape[1]
    estimator.coef_ = svms.weights[rank].T.astype(np.float64, order="C")
    estimator.intercept_ = svms.weights[-1].astype(np.float64)
    estimator.n_iter_ = 0
    return True


def _lanes(estimator: LinearSVC, classes: NDArray[np.str_], labels: NDArray[np.str_]) -> list[Lane]:
    """Liblinear's binary problems: a class against the rest, which is not weighted; two are one."""
    weights = compute_class_weight(estimator.class_weight, classes=classes, y=labels)
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

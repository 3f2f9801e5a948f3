"""liblinear's own solver of one binary problem, step by step the same, but safe in threads.

``sklearn.svm.LinearSVC`` calls liblinear, whose random numbers come from one generator for the
whole process: fits that run at once disturb each other, and no two runs are alike. This is the same
algorithm (Hsieh et al., ICML 2008, algorithm 3 with shrinking; ``solve_l2r_l1l2_svc`` in liblinear)
with a generator for each call. The rows come in the same order and the sums are taken in the same
order, so the weights are those of LinearSVC.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from textclf.jit import compiled, entries_of
from textclf.search.svm.prefetching import prefetch_row

_MIN_GRADIENT = 1e-12
"""Projected gradients below this do not change a dual."""

_RANGE, _LOW, _HALF = np.uint64(1 << 32), np.uint64(0xFFFFFFFF), np.uint64(32)


def solve(  # noqa: PLR0913, PLR0917 - the problem and how far to go
    matrix: csr_matrix,
    positive: NDArray[np.bool_],
    cost: float,
    rest_cost: float,
    seed: int,
    tolerance: float = 1e-4,
    epochs: int = 1000,
) -> NDArray[np.float64] | None:
    """Solve a binary problem.

    Args:
        matrix: (rows, columns), in double precision.
        positive: (rows,), whether each row is of the class.
        cost: the cost of errors on these rows.
        rest_cost: the cost of errors on the others.
        seed: the number that LinearSVC draws from its ``random_state``.
        tolerance: the largest spread of the projected gradients of a solution.
        epochs: the largest number of passes over the rows.

    Returns:
        (columns + 1,), the weights and, last, the intercept; ``None`` if it does not converge.
    """
    rows = np.concatenate([np.flatnonzero(~positive), np.flatnonzero(positive)])
    signs = np.where(positive, 1.0, -1.0)
    inverse_costs = np.where(positive, 0.5 / cost, 0.5 / rest_cost)
    weights, duals = np.zeros(matrix.shape[1] + 1), np.zeros(len(rows))
    diagonal = inverse_costs.copy()
    _add_norms(matrix.indptr, matrix.data, diagonal)
    generator = np.random.RandomState(seed)  # a Mersenne twister, as in liblinear
    active, shrink_above = len(rows), np.inf
    for _ in range(epochs):
        active, highest, lowest = _descend(
            rows, matrix.indptr, matrix.indices, matrix.data, signs, inverse_costs, diagonal,
            duals, weights, _draw(generator, active), shrink_above,
        )  # fmt: skip
        shrink_above = highest if highest > 0 else np.inf
        if highest - lowest <= tolerance:
            if active == len(rows):
                return weights
            active, shrink_above = len(rows), np.inf
    return None


def _draw(generator: np.random.RandomState, count: int) -> NDArray[np.uint64]:
    """Draw for each of some places how far behind it another is that it is swapped with.

    The numbers are unbiased (D. Lemire 2019), and drawn as scikit-learn draws them.
    """
    limits = np.arange(count, 0, -1).astype(np.uint64)
    words = _words(generator, count)
    while True:
        products: NDArray[np.uint64] = words * limits
        rest = products & _LOW
        biased = np.flatnonzero(rest < limits)
        biased = biased[rest[biased] < (_RANGE - limits[biased]) % limits[biased]]
        if not biased.size:
            return products >> _HALF
        words = np.append(np.delete(words, biased[0]), _words(generator, 1))


def _words(generator: np.random.RandomState, count: int) -> NDArray[np.uint64]:
    """The next words of 32 random bits."""
    return generator.randint(0, 1 << 32, count, np.uint32).astype(np.uint64)


@compiled
def _add_norms(
    indptr: NDArray[np.int32], data: NDArray[np.float64], diagonal: NDArray[np.float64]
) -> None:
    """Add ‖x‖² + 1 to the diagonal of the Hessian of the dual, which is 1/2C without."""
    for row in range(len(diagonal)):
        for entry in entries_of(indptr, row):
            diagonal[row] += data[entry] * data[entry]
        diagonal[row] += 1


@compiled
def _descend(  # noqa: PLR0913, PLR0917 - one algorithm, as it is published
    rows: NDArray[np.intp],
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    data: NDArray[np.float64],
    signs: NDArray[np.float64],
    inverse_costs: NDArray[np.float64],
    diagonal: NDArray[np.float64],
    duals: NDArray[np.float64],
    weights: NDArray[np.float64],
    swaps: NDArray[np.uint64],
    shrink_above: float,
) -> tuple[int, float, float]:
    """Pass over the active rows, which are the first, as many as there are swaps.

    Returns:
        The number of rows that are active now, and the bounds of their projected gradients.
    """
    active, highest, lowest = len(swaps), -np.inf, np.inf
    for at in range(active):
        other = at + np.intp(swaps[at])
        rows[at], rows[other] = rows[other], rows[at]
    at = 0
    while at < active:
        row = rows[at]
        prefetch_row(indptr, indices, data, rows[min(at + 2, active - 1)])
        gradient = 0.0
        for entry in entries_of(indptr, row):
            gradient += weights[np.uint32(indices[entry])] * data[entry]
        gradient = (gradient + weights[-1]) * signs[row] - 1 + duals[row] * inverse_costs[row]
        projected = gradient
        if duals[row] == 0:
            if gradient > shrink_above:
                active -= 1
                rows[at], rows[active] = rows[active], rows[at]
                continue
            projected = min(gradient, 0.0)
        highest, lowest = max(highest, projected), min(lowest, projected)
        if abs(projected) > _MIN_GRADIENT:
            before = duals[row]
            duals[row] = max(before - gradient / diagonal[row], 0.0)
            step = (duals[row] - before) * signs[row]
            for entry in entries_of(indptr, row):
                weights[np.uint32(indices[entry])] += step * data[entry]
            weights[-1] += step
        at += 1
    return active, highest, lowest

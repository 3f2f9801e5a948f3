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

from textclf.jit import compiled

_INFINITE = np.inf
_MIN_GRADIENT = 1e-12
"""Projected gradients below this do not change a dual."""

_STATE_WORDS = 624
"""Words in the state of a Mersenne twister."""


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
    weights = np.zeros(matrix.shape[1] + 1)
    converged = _descend(
        rows, matrix.indptr, matrix.indices, matrix.data, signs, inverse_costs, weights,
        tolerance, epochs, seed,
    )  # fmt: skip
    return weights if converged else None


@compiled
def _descend(  # noqa: C901, PLR0913, PLR0917 - one algorithm, as it is published
    rows: NDArray[np.intp],
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    data: NDArray[np.float64],
    signs: NDArray[np.float64],
    inverse_costs: NDArray[np.float64],
    weights: NDArray[np.float64],
    tolerance: float,
    epochs: int,
    seed: int,
) -> bool:
    """Run coordinate descent on the duals; update the weights; return whether it converged."""
    state = _seeded(seed)
    total = active = len(rows)
    duals = np.zeros(total)
    hessian_diagonal = _hessian_diagonal(indptr, data, inverse_costs)
    shrink_above = _INFINITE
    for _ in range(epochs):
        highest, lowest = -_INFINITE, _INFINITE
        for at in range(active):
            other = at + _below(state, active - at)
            rows[at], rows[other] = rows[other], rows[at]
        at = 0
        while at < active:
            row = rows[at]
            gradient = 0.0
            for entry in range(indptr[row], indptr[row + 1]):
                gradient += weights[indices[entry]] * data[entry]
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
                duals[row] = max(before - gradient / hessian_diagonal[row], 0.0)
                step = (duals[row] - before) * signs[row]
                for entry in range(indptr[row], indptr[row + 1]):
                    weights[indices[entry]] += step * data[entry]
                weights[-1] += step
            at += 1
        shrink_above = highest if highest > 0 else _INFINITE
        if highest - lowest <= tolerance:
            if active == total:
                return True
            active, shrink_above = total, _INFINITE
    return False


@compiled
def _hessian_diagonal(
    indptr: NDArray[np.int32], data: NDArray[np.float64], inverse_costs: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The diagonal of the Hessian of the dual: ‖x‖² + 1 + 1/2C of each row."""
    hessian_diagonal = inverse_costs.copy()
    for row in range(len(inverse_costs)):
        for entry in range(indptr[row], indptr[row + 1]):
            hessian_diagonal[row] += data[entry] * data[entry]
        hessian_diagonal[row] += 1
    return hessian_diagonal


@compiled
def _seeded(seed: int) -> NDArray[np.uint32]:
    """The state of MT19937 (Matsumoto and Nishimura 1998); its last word is the place in it."""
    state = np.empty(_STATE_WORDS + 1, np.uint32)
    state[0] = seed
    for word in range(1, _STATE_WORDS):
        before = np.uint64(state[word - 1])
        state[word] = (
            np.uint64(1812433253) * (before ^ (before >> np.uint64(30))) + np.uint64(word)
        ) & np.uint64(0xFFFFFFFF)
    state[_STATE_WORDS] = _STATE_WORDS
    return state


@compiled
def _next(state: NDArray[np.uint32]) -> np.uint32:
    """The next 32 random bits."""
    if state[_STATE_WORDS] == _STATE_WORDS:
        for word in range(_STATE_WORDS):
            joined = (state[word] & np.uint32(0x80000000)) | (
                state[(word + 1) % _STATE_WORDS] & np.uint32(0x7FFFFFFF)
            )
            odd = np.uint32(0x9908B0DF) if joined & np.uint32(1) else np.uint32(0)
            state[word] = state[(word + 397) % _STATE_WORDS] ^ (joined >> np.uint32(1)) ^ odd
        state[_STATE_WORDS] = 0
    bits = state[state[_STATE_WORDS]]
    state[_STATE_WORDS] += np.uint32(1)
    bits ^= bits >> np.uint32(11)
    bits ^= (bits << np.uint32(7)) & np.uint32(0x9D2C5680)
    bits ^= (bits << np.uint32(15)) & np.uint32(0xEFC60000)
    return np.uint32(bits ^ (bits >> np.uint32(18)))


@compiled
def _below(state: NDArray[np.uint32], bound: int) -> int:
    """An unbiased random number below a bound (D. Lemire 2019), drawn as scikit-learn draws it."""
    limit = np.uint64(bound)
    product = np.uint64(_next(state)) * limit
    if (product & np.uint64(0xFFFFFFFF)) < limit:
        threshold = (np.uint64(1 << 32) - limit) % limit
        while (product & np.uint64(0xFFFFFFFF)) < threshold:
            product = np.uint64(_next(state)) * limit
    return int(product >> np.uint64(32))

"""Liblinear's own solver of one binary problem, step by step the same, but fit for threads.

``sklearn.svm.LinearSVC`` calls liblinear, whose random numbers come from one generator for the
whole process: two fits at once disturb each other, and no two runs are alike. This is the same
algorithm (Hsieh et al., ICML 2008, algorithm 3 with shrinking, as liblinear's
``solve_l2r_l1l2_svc``) with a generator for each call. The rows come in the same order and the
sums are taken in the same order, so the weights are LinearSVC's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from textclf.jit import compiled

_INFINITE = np.inf
_LEAST = 1e-12
"""Of a projected gradient for it to change anything."""

_STATE = 624
"""Words in the state of a Mersenne twister."""


def solve(  # noqa: PLR0913, PLR0917 - the problem and how far to go
    matrix: csr_matrix,
    positive: NDArray[np.bool_],
    cost: float,
    rest: float,
    seed: int,
    tolerance: float = 1e-4,
    epochs: int = 1000,
) -> NDArray[np.float64] | None:
    """Weights of the columns, and at last the intercept; ``None`` if it does not converge.

    Args:
        matrix: (rows, columns), in double precision.
        positive: which rows are of the class.
        cost: of errors on these rows.
        rest: of errors on the others.
        seed: what LinearSVC draws from its ``random_state``.
        tolerance: of the spread of the projected gradients.
        epochs: passes over the rows, at the most.
    """
    rows = np.concatenate([np.flatnonzero(~positive), np.flatnonzero(positive)])
    signs = np.where(positive, 1.0, -1.0)
    extra = np.where(positive, 0.5 / cost, 0.5 / rest)
    weights = np.zeros(matrix.shape[1] + 1)
    done = _descend(
        rows,
        matrix.indptr,
        matrix.indices,
        matrix.data,
        signs,
        extra,
        weights,
        tolerance,
        epochs,
        seed,
    )
    return weights if done else None


@compiled
def _descend(  # noqa: C901, PLR0913, PLR0917 - one algorithm, as it is published
    rows: NDArray[np.intp],
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    data: NDArray[np.float64],
    signs: NDArray[np.float64],
    extra: NDArray[np.float64],
    weights: NDArray[np.float64],
    tolerance: float,
    epochs: int,
    seed: int,
) -> bool:
    twister = _seeded(seed)
    total = active = len(rows)
    duals = np.zeros(total)
    diagonal = _diagonal(indptr, data, extra)
    shrink_above = _INFINITE
    for _ in range(epochs):
        highest, lowest = -_INFINITE, _INFINITE
        for at in range(active):
            other = at + _below(twister, active - at)
            rows[at], rows[other] = rows[other], rows[at]
        at = 0
        while at < active:
            row = rows[at]
            gradient = 0.0
            for entry in range(indptr[row], indptr[row + 1]):
                gradient += weights[indices[entry]] * data[entry]
            gradient = (gradient + weights[-1]) * signs[row] - 1 + duals[row] * extra[row]
            projected = gradient
            if duals[row] == 0:
                if gradient > shrink_above:
                    active -= 1
                    rows[at], rows[active] = rows[active], rows[at]
                    continue
                projected = min(gradient, 0.0)
            highest, lowest = max(highest, projected), min(lowest, projected)
            if abs(projected) > _LEAST:
                before = duals[row]
                duals[row] = max(before - gradient / diagonal[row], 0.0)
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
def _diagonal(
    indptr: NDArray[np.int32], data: NDArray[np.float64], extra: NDArray[np.float64]
) -> NDArray[np.float64]:
    diagonal = extra.copy()
    for row in range(len(extra)):
        for entry in range(indptr[row], indptr[row + 1]):
            diagonal[row] += data[entry] * data[entry]
        diagonal[row] += 1
    return diagonal


@compiled
def _seeded(seed: int) -> NDArray[np.uint32]:
    """The state of MT19937 (Matsumoto and Nishimura 1998), and the place in it as its last word."""
    state = np.empty(_STATE + 1, np.uint32)
    state[0] = seed
    for word in range(1, _STATE):
        before = np.uint64(state[word - 1])
        state[word] = (
            np.uint64(1812433253) * (before ^ (before >> np.uint64(30))) + np.uint64(word)
        ) & np.uint64(0xFFFFFFFF)
    state[_STATE] = _STATE
    return state


@compiled
def _next(state: NDArray[np.uint32]) -> np.uint32:
    """The next 32 random bits."""
    if state[_STATE] == _STATE:
        for word in range(_STATE):
            joined = (state[word] & np.uint32(0x80000000)) | (
                state[(word + 1) % _STATE] & np.uint32(0x7FFFFFFF)
            )
            odd = np.uint32(0x9908B0DF) if joined & np.uint32(1) else np.uint32(0)
            state[word] = state[(word + 397) % _STATE] ^ (joined >> np.uint32(1)) ^ odd
        state[_STATE] = 0
    bits = state[state[_STATE]]
    state[_STATE] += np.uint32(1)
    bits ^= bits >> np.uint32(11)
    bits ^= (bits << np.uint32(7)) & np.uint32(0x9D2C5680)
    bits ^= (bits << np.uint32(15)) & np.uint32(0xEFC60000)
    return np.uint32(bits ^ (bits >> np.uint32(18)))


@compiled
def _below(state: NDArray[np.uint32], bound: int) -> int:
    """A random number below the bound, without bias (D. Lemire 2019), as scikit-learn draws it."""
    limit = np.uint64(bound)
    product = np.uint64(_next(state)) * limit
    if (product & np.uint64(0xFFFFFFFF)) < limit:
        least = (np.uint64(1 << 32) - limit) % limit
        while (product & np.uint64(0xFFFFFFFF)) < least:
            product = np.uint64(_next(state)) * limit
    return int(product >> np.uint64(32))

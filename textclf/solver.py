"""The linear SVM of many classes and many costs at once: LinearSVC's problems, solved side by side.

One-vs-rest training of K classes at c values of C is K·c binary problems over the same rows. Here
each of them is a *lane*: the weights of all lanes of a feature lie side by side in memory, so that
a row is read once for all of them and the arithmetic runs on whole vectors. The method is the dual
coordinate descent of Hsieh et al., "A dual coordinate descent method for large-scale linear SVM"
(ICML 2008), which liblinear and so ``sklearn.svm.LinearSVC`` use; what is minimised is the same:

    ½‖w‖² + Σ_i C_i · max(0, 1 - y_i w·x_i)²

Lanes that have converged drop out. Their decision values are within a fraction of the tolerance of
liblinear's; ``search`` asks liblinear itself about the few rows for which that could matter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from textclf.compiled import compiled

Floats = NDArray[np.float32]

BLOCK = 320
"""Lanes solved side by side: enough to fill the vector units, few enough for the cache."""

_COMPACT = 0.5
"""Share of lanes still running below which the rest is moved together."""

_FEW = 8
"""Where fewer than one lane in so many moves, they are updated one by one."""


@dataclass(frozen=True)
class Lane:
    """One binary problem: a class against the rest, and the cost of errors on either side."""

    positive: int
    cost: float
    rest: float


class LinearSvms:
    """Many binary problems over the same rows; ``solve`` brings some of them further.

    Attributes:
        lanes: the problems.
        weights: of the columns and, in the last row, the intercept: (columns + 1, lanes).
    """

    def __init__(self, matrix: csr_matrix, codes: NDArray[np.intp], lanes: Sequence[Lane]) -> None:
        rows, columns = matrix.shape
        data = matrix.data.astype(np.float32)
        squares = csr_matrix((data * data, matrix.indices, matrix.indptr), shape=matrix.shape)
        self.lanes = lanes
        self._rows = matrix.indptr, matrix.indices.copy(), data  # liblinear sorts in place
        self._norms = squares @ np.ones(columns, np.float32) + np.float32(1)
        self._codes = codes.astype(np.int32)
        self._stopped = False
        self.weights = np.zeros((columns + 1, len(lanes)), np.float32)
        self._duals = np.zeros((rows, len(lanes)), np.float32)

    def solve(
        self, which: NDArray[np.intp], tolerance: float, epochs: int, seed: int, *, jobs: int = 1
    ) -> bool:
        """Continue some lanes until their projected gradients lie within the tolerance.

        Args:
            which: numbers of lanes.
            tolerance: what LinearSVC calls ``tol``.
            epochs: passes over the rows, at the most.
            seed: of the order of the rows.
            jobs: how many threads share the lanes; it changes nothing but the time.

        Returns:
            Whether all of them got there.
        """
        size = min(BLOCK, math.ceil(len(which) / jobs)) or 1
        blocks = [which[start : start + size] for start in range(0, len(which), size)]
        if jobs == 1:
            solved = [self._solve_block(block, tolerance, epochs, seed) for block in blocks]
            return all(solved)
        with ThreadPoolExecutor(jobs) as pool:
            try:
                runs = [
                    pool.submit(self._solve_block, block, tolerance, epochs, seed)
                    for block in blocks
                ]
                solved = [run.result() for run in runs]
            except BaseException:
                self._stopped = True  # Ctrl-C does not wait for the last pass
                raise
        return all(solved)

    def decisions(self, matrix: csr_matrix, which: NDArray[np.intp]) -> NDArray[np.float64]:
        """Decision values of some lanes for the rows of a matrix, (rows, lanes)."""
        weights = self.weights[:, which].astype(np.float64)
        values: NDArray[np.float64] = matrix @ weights[:-1] + weights[-1]
        return values

    def _solve_block(
        self, running: NDArray[np.intp], tolerance: float, epochs: int, seed: int
    ) -> bool:
        generator = np.random.default_rng(seed)
        weights, duals, problem = self._take(running)
        for _ in range(epochs):
            if self._stopped:
                return False
            order = generator.permutation(len(self._codes))
            violations = np.zeros(len(running), np.float32)
            _epoch(
                order, *self._rows, self._codes, self._norms, *problem, weights, duals, violations
            )
            left = violations > tolerance
            if left.mean() <= _COMPACT:
                self.weights[:, running], self._duals[:, running] = weights, duals
                running = running[left]
                if not len(running):
                    return True
                weights, duals, problem = self._take(running)
        self.weights[:, running], self._duals[:, running] = weights, duals
        return False

    def _take(self, which: NDArray[np.intp]) -> tuple[Floats, Floats, tuple[Any, Any, Any]]:
        chosen = [self.lanes[lane] for lane in which]
        problem = (
            np.array([lane.positive for lane in chosen], np.int32),
            np.array([0.5 / lane.cost for lane in chosen], np.float32),
            np.array([0.5 / lane.rest for lane in chosen], np.float32),
        )
        return self.weights[:, which].copy(), self._duals[:, which].copy(), problem


@compiled
def _epoch(  # noqa: PLR0913, PLR0917 - flat arrays are what compiles
    order: NDArray[np.intp],
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    data: Floats,
    codes: NDArray[np.int32],
    norms: Floats,
    positive: NDArray[np.int32],
    diagonal: Floats,
    diagonal_rest: Floats,
    weights: Floats,
    duals: Floats,
    violations: Floats,
) -> None:
    """One pass over the rows, all lanes at once; fills in the spread of each lane's gradients."""
    lanes = weights.shape[1]
    values, steps = np.empty(lanes, np.float32), np.empty(lanes, np.float32)
    moved = np.empty(lanes, np.intp)
    lowest, highest = np.zeros(lanes, np.float32), np.zeros(lanes, np.float32)
    for row in order:
        start, end = indptr[row], indptr[row + 1]
        _multiply(indices, data, start, end, weights, values)
        for lane in range(lanes):
            own = codes[row] == positive[lane]
            sign = np.float32(1) if own else np.float32(-1)
            extra = diagonal[lane] if own else diagonal_rest[lane]
            dual = duals[row, lane]
            gradient = sign * values[lane] - np.float32(1) + extra * dual
            projected = gradient if dual > 0 else min(gradient, np.float32(0))
            lowest[lane] = min(lowest[lane], projected)
            highest[lane] = max(highest[lane], projected)
            changed = max(dual - gradient / (norms[row] + extra), np.float32(0))
            steps[lane] = (changed - dual) * sign
            duals[row, lane] = changed
        count = 0
        for lane in range(lanes):
            if steps[lane] != 0:
                moved[count] = lane
                count += 1
        _add(indices, data, start, end, weights, steps, moved[:count])
    for lane in range(lanes):
        violations[lane] = highest[lane] - lowest[lane]


@compiled
def _multiply(  # noqa: PLR0913, PLR0917
    indices: NDArray[np.int32],
    data: Floats,
    start: int,
    end: int,
    weights: Floats,
    values: Floats,
) -> None:
    """A row times the weights of every lane, the intercept included."""
    lanes = len(values)
    for lane in range(lanes):
        values[lane] = weights[-1, lane]
    for entry in range(start, end):
        column, value = indices[entry], data[entry]
        for lane in range(lanes):
            values[lane] += value * weights[column, lane]


@compiled
def _add(  # noqa: PLR0913, PLR0917
    indices: NDArray[np.int32],
    data: Floats,
    start: int,
    end: int,
    weights: Floats,
    steps: Floats,
    moved: NDArray[np.intp],
) -> None:
    """Add a row to the weights, times each lane's step; few lanes are touched one by one."""
    lanes = len(steps)
    if not len(moved):
        return
    if len(moved) * _FEW > lanes:
        for entry in range(start, end):
            column, value = indices[entry], data[entry]
            for lane in range(lanes):
                weights[column, lane] += value * steps[lane]
        for lane in range(lanes):
            weights[-1, lane] += steps[lane]
        return
    for entry in range(start, end):
        column, value = indices[entry], data[entry]
        for lane in moved:
            weights[column, lane] += value * steps[lane]
    for lane in moved:
        weights[-1, lane] += steps[lane]

"""Linear SVMs in the dual: many binary problems over the same rows, solved side by side.

One-vs-rest training of K classes at c values of C is K·c binary problems over the same rows. Up to
sixteen of them share a block, each in its own SIMD lane: the weights of a column in all lanes are
one vector register, so a row is read once for the block, and its product with all lanes takes
hardly longer than with one. The method is liblinear's dual coordinate descent with shrinking (Hsieh
et al., "A dual coordinate descent method for large-scale linear SVM", ICML 2008, algorithm 3), in
single precision. The objective is that of ``sklearn.svm.LinearSVC``:

    ½‖w‖² + Σ_i C_i · max(0, 1 - y_i w·x_i)²

Decision values differ from liblinear's by a fraction of the tolerance; ``linear_svc`` has liblinear
itself decide the few rows for which that could matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from textclf.jit import compiled, inlined
from textclf.search.svm.prefetching import prefetch_row
from textclf.search.svm.simd import (
    broadcast,
    greater,
    load,
    mask_bits,
    mask_from_bits,
    maximum,
    minimum,
    prefetch,
    store,
    where,
)

Floats = NDArray[np.float32]

WIDTHS = (4, 8, 16)
"""Numbers of lanes of a block. As problems converge the others move to a smaller block."""

_LITTLE = 1 << 21
"""Matrix entries × problems up to which blocks keep their width: each takes a second to compile."""

_UNBOUNDED = np.float32(1e30)
"""Greater than any gradient."""
_FACTOR, _SUMMAND = np.uint64(6364136223846793005), np.uint64(1442695040888963407)
_ONE, _HIGH, _LOW = np.uint64(1), np.uint64(33), np.uint64(31)
_PAIR, _AHEAD = np.uint64(2), np.uint64(32)


@dataclass(frozen=True)
class BinaryProblem:
    """One class against the rest.

    Attributes:
        positive: the number of the class.
        cost: the cost C of errors on its rows.
        rest_cost: the cost of errors on the other rows.
    """

    positive: int
    cost: float
    rest_cost: float


class DualSolver:
    """Binary problems over the same rows, and their solutions so far.

    Args:
        matrix: (rows, columns).
        codes: (rows,), the number of the class of each row.
        problems: the problems.

    Attributes:
        problems: the problems.
        weights: (columns + 1, problems), one problem after the other in memory; the last row holds
            the intercepts.
        passes: (problems,), the number of passes over the rows so far.
    """

    def __init__(
        self, matrix: csr_matrix, codes: NDArray[np.intp], problems: Sequence[BinaryProblem]
    ) -> None:
        rows, columns = matrix.shape
        data = matrix.data.astype(np.float32)
        squares = csr_matrix((data * data, matrix.indices, matrix.indptr), shape=matrix.shape)
        norms = squares @ np.ones(columns, np.float32) + np.float32(1)
        # astype copies the indices, which liblinear sorts in place
        self._rows = matrix.indptr, matrix.indices.astype(np.uint32), data, norms
        self._codes = codes.astype(np.int32)
        self._stop = np.zeros(1, np.bool_)
        is_little = matrix.nnz * len(problems) <= _LITTLE
        self._least_width = _width_for(min(len(problems), WIDTHS[-1])) if is_little else WIDTHS[0]
        self.problems = problems
        self.weights = np.zeros((columns + 1, len(problems)), np.float32, order="F")
        self.passes = np.zeros(len(problems), np.intp)
        self._duals = np.zeros((rows, len(problems)), np.float32, order="F")

    def solve(
        self, numbers: NDArray[np.intp], tolerance: float, epochs: int, seed: int, *, jobs: int = 1
    ) -> NDArray[np.bool_]:
        """Continue some problems until their projected gradients lie within the tolerance.

        Args:
            numbers: the numbers of the problems.
            tolerance: what LinearSVC calls ``tol``.
            epochs: the largest number of passes over the rows.
            seed: the seed of the order of the rows.
            jobs: the number of threads; it does not change the solutions.

        Returns:
            (numbers,), whether each problem has converged.
        """
        problems = self.problems
        # problems of the same cost converge together
        ordered = sorted(numbers.tolist(), key=lambda n: (problems[n].cost, problems[n].positive))
        blocks = [ordered[at : at + WIDTHS[-1]] for at in range(0, len(ordered), WIDTHS[-1])]
        solve_block = partial(self._solve_block, tolerance=tolerance, epochs=epochs, seed=seed)
        if jobs == 1:
            unsolved = list(map(solve_block, blocks))
        else:
            with ThreadPoolExecutor(jobs) as pool:
                try:
                    unsolved = list(pool.map(solve_block, blocks))
                except BaseException:
                    self._stop[0] = True  # Ctrl-C does not wait for the last pass
                    raise
        return ~np.isin(numbers, list(chain.from_iterable(unsolved)))

    def decisions(self, matrix: csr_matrix, numbers: NDArray[np.intp]) -> NDArray[np.float64]:
        """Decision values of some problems for the rows of a matrix, (rows, numbers)."""
        weights = self.weights[:, numbers].astype(np.float64, order="C")
        values: NDArray[np.float64] = matrix @ weights[:-1] + weights[-1]
        return values

    def _solve_block(
        self, running: list[int], tolerance: float, epochs: int, seed: int
    ) -> list[int]:
        """Solve the problems of a block; return those that did not converge."""
        order = np.arange(len(self._codes))
        while running and epochs > 0 and not self._stop[0]:
            fitting = _width_for(len(running))
            width = max(fitting, self._least_width)  # lanes too many do not change the solutions
            stop_at = max((smaller for smaller in WIDTHS if smaller < fitting), default=0)
            weights = _padded(self.weights, running, width)
            duals = _padded(self._duals, running, width)
            done, passes = _descend(
                (np.float32(0),) * width, order, *self._rows, self._codes,
                *self._sides(running, width), weights, duals, np.zeros(len(order), np.uint16),
                np.empty_like(order), self._stop, np.float32(tolerance),
                stop_at, epochs, seed, (1 << width) - (1 << len(running)),
            )  # fmt: skip
            self.weights[:, running] = weights[:, : len(running)]
            self._duals[:, running] = duals[:, : len(running)]
            self.passes[running] += passes
            running = [number for lane, number in enumerate(running) if not done >> lane & 1]
            epochs -= passes
        return running

    def _sides(self, running: list[int], width: int) -> tuple[Floats, Floats]:
        """The sign y of the rows of each class in each lane, and 1/2C: twice (classes, width)."""
        classes = int(self._codes.max()) + 1
        signs, inverse_costs = np.ones((2, classes, width), np.float32)
        for lane, number in enumerate(running):
            problem = self.problems[number]
            own = problem.positive
            signs[:, lane], inverse_costs[:, lane] = -1, 0.5 / problem.rest_cost
            signs[own, lane], inverse_costs[own, lane] = 1, 0.5 / problem.cost
        return signs, inverse_costs


def _width_for(problems: int) -> int:
    """The smallest width of a block with so many problems."""
    return next(width for width in WIDTHS if width >= problems)


def _padded(matrix: Floats, columns: list[int], width: int) -> Floats:
    """Copy some columns, and add columns of zeros."""
    padded = np.zeros((len(matrix), width), np.float32)
    padded[:, : len(columns)] = matrix[:, columns]
    return padded


@compiled
def _descend(  # noqa: PLR0913, PLR0917 - one algorithm, as it is published
    like: tuple[np.float32, ...],
    order: NDArray[np.intp],
    indptr: NDArray[np.int32],
    indices: NDArray[np.uint32],
    data: Floats,
    norms: Floats,
    codes: NDArray[np.int32],
    signs: Floats,
    inverse_costs: Floats,
    weights: Floats,
    duals: Floats,
    idle: NDArray[np.uint16],
    waiting: NDArray[np.intp],
    stop: NDArray[np.bool_],
    tolerance: np.float32,
    stop_at: int,
    epochs: int,
    seed: int,
    done: int,
) -> tuple[int, int]:
    """Solve the problems in the lanes of a block, until few lanes are left.

    Sets of lanes are integers with a bit for each lane; lanes that are done do not change. A row is
    idle in a lane where its dual is zero and its gradient says that it will stay zero. A row that
    is idle in all lanes is skipped, until one of them has converged on the other rows.

    ``signs`` and ``inverse_costs``, (classes, lanes), hold y and 1/2C of the rows of a class, and
    ``norms`` ‖x‖² + 1 of each row. ``weights``, (columns + 1, lanes) with the intercepts in the
    last row, and ``duals``, (rows, lanes), are updated; ``idle``, (rows,), is zero at first, and
    becomes the lanes in which each row is idle. ``like`` gives the number of lanes and the
    precision. Another thread may set ``stop`` to end early.

    Returns:
        The lanes that are done, and the number of passes.
    """
    all_lanes, ever_idle = (1 << len(like)) - 1, 0
    zero, one, unbounded = broadcast(0, like), broadcast(1, like), broadcast(_UNBOUNDED, like)
    shrink_above, state = unbounded, np.uint64(2 * seed + 1)
    for epoch in range(epochs):
        high, low = zero - unbounded, unbounded
        state = _shuffle(order, state)
        count = _select(order, idle, all_lanes & ~done, waiting)
        for at in range(count):
            row, soon = waiting[at], waiting[min(at + 2, count - 1)]
            prefetch(duals, soon * len(like))
            prefetch_row(indptr, indices, data, soon)
            begin, end, code = np.uint64(indptr[row]), np.uint64(indptr[row + 1]), codes[row]
            sign, inverse_cost = load(signs, code, like), load(inverse_costs, code, like)
            dual = load(duals, row, like)
            product = _product(indices, data, begin, end, weights, like)
            gradient = sign * product - one + inverse_cost * dual
            has_dual = greater(dual, zero)
            skipped = np.int64(idle[row]) | done
            skipped |= mask_bits(greater(gradient, shrink_above)) & ~mask_bits(has_dual)
            idle[row], ever_idle = np.uint16(skipped & ~done), ever_idle | skipped & ~done
            gradient = where(has_dual, gradient, minimum(gradient, zero))
            active_lanes = mask_from_bits(~skipped, like)
            high = where(active_lanes, maximum(high, gradient), high)
            low = where(active_lanes, minimum(low, gradient), low)
            new_dual = maximum(dual - gradient / (broadcast(norms[row], like) + inverse_cost), zero)
            new_dual = where(active_lanes, new_dual, dual)
            step = (new_dual - dual) * sign
            if mask_bits(greater(step * step, zero)):
                store(duals, row, new_dual)
                _add(indices, data, begin, end, weights, step, like)
        unsolved = mask_bits(greater(high - low, broadcast(tolerance, like)))
        converged = all_lanes & ~unsolved & ~done
        shrink_above = where(greater(high, zero), high, unbounded)
        done |= converged & ~ever_idle
        if stop[0] or _count_running(done, len(like)) <= stop_at:
            return done, epoch + 1
        reactivated = converged & ~done
        if reactivated:
            ever_idle &= ~reactivated
            shrink_above = where(mask_from_bits(reactivated, like), unbounded, shrink_above)
            _clear_idle(reactivated, idle)
    return done, epochs


@inlined
def _product(  # noqa: PLR0913, PLR0917
    indices: NDArray[np.uint32],
    data: Floats,
    begin: np.uint64,
    end: np.uint64,
    weights: Floats,
    like: tuple[np.float32, ...],
) -> Any:
    """A row times the weights of every lane, including the intercepts, in two alternating sums.

    The weights of later entries are brought into the cache ahead; on long rows they are not there.
    """
    even, odd = load(weights, len(weights) - 1, like), broadcast(0, like)
    is_odd = (end - begin) & _ONE
    for entry in range(begin, end - is_odd, 2):
        later = min(entry + _AHEAD, end - _PAIR)
        prefetch(weights, np.int64(indices[later]) * len(like))
        prefetch(weights, np.int64(indices[later + _ONE]) * len(like))
        even = even + broadcast(data[entry], like) * load(weights, indices[entry], like)
        following = entry + _ONE
        odd = odd + broadcast(data[following], like) * load(weights, indices[following], like)
    if is_odd:
        even = even + broadcast(data[end - _ONE], like) * load(weights, indices[end - _ONE], like)
    return even + odd


@inlined
def _add(  # noqa: PLR0913, PLR0917
    indices: NDArray[np.uint32],
    data: Floats,
    begin: np.uint64,
    end: np.uint64,
    weights: Floats,
    step: Any,
    like: tuple[np.float32, ...],
) -> None:
    """Add a row times the step of each lane to the weights."""
    last = len(weights) - 1
    store(weights, last, load(weights, last, like) + step)
    for entry in range(begin, end):
        column = indices[entry]
        store(weights, column, load(weights, column, like) + broadcast(data[entry], like) * step)


@inlined
def _count_running(done: int, lanes: int) -> int:
    """The number of lanes that are not done."""
    running = 0
    for lane in range(lanes):
        running += ~done >> lane & 1
    return running


@inlined
def _select(
    order: NDArray[np.intp], idle: NDArray[np.uint16], lanes: int, selected: NDArray[np.intp]
) -> int:
    """Write the rows that are not idle in all of some lanes to an array; return their number."""
    count = 0
    for row in order:
        selected[count] = row
        count += (lanes & ~np.int64(idle[row])) != 0
    return count


@inlined
def _clear_idle(lanes: int, idle: NDArray[np.uint16]) -> None:
    """Mark all rows as not idle in some lanes."""
    for row in range(len(idle)):
        idle[row] = np.uint16(np.int64(idle[row]) & ~lanes)


@inlined
def _shuffle(order: NDArray[np.intp], state: np.uint64) -> np.uint64:
    """Shuffle the rows (Fisher and Yates) by the generator of Knuth's MMIX."""
    for at in range(len(order)):
        state = state * _FACTOR + _SUMMAND
        other = at + np.int64(((state >> _HIGH) * np.uint64(len(order) - at)) >> _LOW)
        order[at], order[other] = order[other], order[at]
    return state

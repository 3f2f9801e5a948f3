"""The linear SVM of many classes and many costs at once: LinearSVC's problems, solved side by side.

One-vs-rest training of K classes at c values of C is K·c binary problems over the same rows. Here
each of them is a *lane*. Up to sixteen lanes make a block: their weights of a column lie together,
as long as a vector register, so that a row is read once for all of them and its product with all
takes hardly longer than with one. The method is liblinear's, with its shrinking: dual coordinate
descent (Hsieh et al., "A dual coordinate descent method for large-scale linear SVM", ICML 2008,
algorithm 3), in single precision. What is minimised is what ``sklearn.svm.LinearSVC`` minimises:

    ½‖w‖² + Σ_i C_i · max(0, 1 - y_i w·x_i)²

Decision values are within a fraction of the tolerance of liblinear's; ``svm`` asks liblinear itself
about the few rows for which that could matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from textclf.jit import compiled, inlined
from textclf.search.svm.simd import bits, fill, greater, least, load, mask_of, most, store, where

Floats = NDArray[np.float32]

WIDTHS = (4, 8, 16)
"""Lanes that a block has room for. As its lanes converge the rest moves to a smaller one."""

_FAR = np.float32(1e30)
"""Beyond all gradients."""
_FACTOR, _SUMMAND = np.uint64(6364136223846793005), np.uint64(1442695040888963407)
_HIGH, _LOW = np.uint64(33), np.uint64(31)


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
        norms = squares @ np.ones(columns, np.float32) + np.float32(1)
        # a copy of the indices, for liblinear sorts in place
        self._rows = matrix.indptr, matrix.indices.astype(np.uint32), data, norms
        self._codes = codes.astype(np.int32)
        self._stop = np.zeros(1, np.bool_)
        self.lanes = lanes
        self.weights = np.zeros((columns + 1, len(lanes)), np.float32)
        self._duals = np.zeros((rows, len(lanes)), np.float32)

    def solve(
        self, which: NDArray[np.intp], tolerance: float, epochs: int, seed: int, *, jobs: int = 1
    ) -> NDArray[np.bool_]:
        """Continue some lanes until their projected gradients lie within the tolerance.

        Args:
            which: numbers of lanes.
            tolerance: what LinearSVC calls ``tol``.
            epochs: passes over the rows, at the most.
            seed: of the order of the rows.
            jobs: how many threads share the lanes; it changes nothing but the time.

        Returns:
            Which of them got there.
        """
        # those of one cost converge together
        ordered = sorted(which.tolist(), key=lambda n: (self.lanes[n].cost, self.lanes[n].positive))
        blocks = [ordered[at : at + WIDTHS[-1]] for at in range(0, len(ordered), WIDTHS[-1])]
        if jobs == 1:
            left = [self._solve_block(block, tolerance, epochs, seed) for block in blocks]
            return self._solved(which, left)
        with ThreadPoolExecutor(jobs) as pool:
            try:
                runs = [
                    pool.submit(self._solve_block, block, tolerance, epochs, seed)
                    for block in blocks
                ]
                left = [run.result() for run in runs]
            except BaseException:
                self._stop[0] = True  # Ctrl-C does not wait for the last pass
                raise
        return self._solved(which, left)

    @staticmethod
    def _solved(which: NDArray[np.intp], left: Sequence[list[int]]) -> NDArray[np.bool_]:
        return ~np.isin(which, [lane for some in left for lane in some])

    def decisions(self, matrix: csr_matrix, which: NDArray[np.intp]) -> NDArray[np.float64]:
        """Decision values of some lanes for the rows of a matrix, (rows, lanes)."""
        weights = np.take(self.weights, which, axis=1).astype(np.float64)
        values: NDArray[np.float64] = matrix @ weights[:-1] + weights[-1]
        return values

    def _solve_block(
        self, running: list[int], tolerance: float, epochs: int, seed: int
    ) -> list[int]:
        """Bring lanes of a block within the tolerance; return those that did not get there."""
        order = np.arange(len(self._codes))
        while running and epochs > 0 and not self._stop[0]:
            width = next(width for width in WIDTHS if width >= len(running))
            few = max((smaller for smaller in WIDTHS if smaller < width), default=0)
            weights = _taken(self.weights, running, width)
            duals = _taken(self._duals, running, width)
            done, passes = _descend(
                (np.float32(0),) * width, order, *self._rows, self._codes,
                *self._sides(running, width), weights, duals, self._stop, np.float32(tolerance),
                few, epochs, seed, (1 << width) - (1 << len(running)),
            )  # fmt: skip
            self.weights[:, running] = weights[:, : len(running)]
            self._duals[:, running] = duals[:, : len(running)]
            running = [lane for place, lane in enumerate(running) if not done >> place & 1]
            epochs -= passes
        return running

    def _sides(self, running: list[int], width: int) -> tuple[Floats, Floats]:
        """For each class, the sign that its rows have in each lane, and 1/2C of that side."""
        classes = int(self._codes.max()) + 1
        signs, extra = np.ones((2, classes, width), np.float32)
        for place, number in enumerate(running):
            lane = self.lanes[number]
            signs[:, place], extra[:, place] = -1, 0.5 / lane.rest
            signs[lane.positive, place], extra[lane.positive, place] = 1, 0.5 / lane.cost
        return signs, extra


def _taken(matrix: Floats, columns: list[int], width: int) -> Floats:
    """Some columns, and zeros beside them."""
    taken = np.zeros((len(matrix), width), np.float32)
    taken[:, : len(columns)] = np.take(matrix, columns, axis=1)
    return taken


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
    extra: Floats,
    weights: Floats,
    duals: Floats,
    stop: NDArray[np.bool_],
    tolerance: np.float32,
    few: int,
    epochs: int,
    seed: int,
    done: int,
) -> tuple[int, int]:
    """Bring lanes within the tolerance until only few are left; lanes are bits, those done rest.

    A row is idle in a lane where it has no dual and its gradient says that it will have none. It is
    passed over where it is idle in all lanes, until one of them has converged on the other rows.

    Returns:
        The lanes that are done, and the number of passes.
    """
    active = len(order)
    idle, idled = np.zeros(active, np.uint16), 0
    zero, one, far = fill(0, like), fill(1, like), fill(_FAR, like)
    above, chance = far, np.uint64(2 * seed + 1)
    for passed in range(epochs):
        high, low = zero - far, far
        chance = _shuffle(order, active, chance)
        at = 0
        while at < active:
            row = order[at]
            off = np.int64(idle[row]) | done
            if off + 1 == 1 << len(like):
                active -= 1
                order[at], order[active] = order[active], row
                continue
            at += 1
            begin, end, code = indptr[row], indptr[row + 1], codes[row]
            sign, more = load(signs, code, like), load(extra, code, like)
            dual = load(duals, row, like)
            product = _product(indices, data, begin, end, weights, like)
            slope = sign * product - one + more * dual
            free = greater(dual, zero)
            off |= bits(greater(slope, above)) & ~bits(free)
            idle[row], idled = np.uint16(off & ~done), idled | off & ~done
            slope = where(free, slope, least(slope, zero))
            on = mask_of(~off, like)
            high, low = where(on, most(high, slope), high), where(on, least(low, slope), low)
            moved = most(dual - slope / (fill(norms[row], like) + more), zero)
            moved = where(on, moved, dual)
            step = (moved - dual) * sign
            if bits(greater(step * step, zero)):
                store(duals, row, moved)
                _add(indices, data, begin, end, weights, step, like)
        ready = ~bits(greater(high - low, fill(tolerance, like))) & ~done
        above = where(greater(high, zero), high, far)
        done |= ready & ~idled
        if stop[0] or _left(done, len(like)) <= few:
            return done, passed + 1
        again = ready & ~done
        if again:
            active, idled = len(order), idled & ~again
            above = where(mask_of(again, like), far, above)
            _wake(again, idle)
    return done, epochs


@inlined
def _product(  # noqa: PLR0913, PLR0917
    indices: NDArray[np.uint32],
    data: Floats,
    begin: int,
    end: int,
    weights: Floats,
    like: tuple[np.float32, ...],
) -> Any:
    """A row times the weights of every lane, the intercepts included, as two sums at a time."""
    one, other = load(weights, len(weights) - 1, like), fill(0, like)
    for entry in range(begin, end - 1, 2):
        one = one + fill(data[entry], like) * load(weights, indices[entry], like)
        other = other + fill(data[entry + 1], like) * load(weights, indices[entry + 1], like)
    if (end - begin) % 2:
        one = one + fill(data[end - 1], like) * load(weights, indices[end - 1], like)
    return one + other


@inlined
def _add(  # noqa: PLR0913, PLR0917
    indices: NDArray[np.uint32],
    data: Floats,
    begin: int,
    end: int,
    weights: Floats,
    step: Any,
    like: tuple[np.float32, ...],
) -> None:
    """Add a row to the weights, times each lane's step."""
    last = len(weights) - 1
    store(weights, last, load(weights, last, like) + step)
    for entry in range(begin, end):
        column = indices[entry]
        store(weights, column, load(weights, column, like) + fill(data[entry], like) * step)


@compiled
def _left(done: int, lanes: int) -> int:
    """How many lanes are not done."""
    left = 0
    for lane in range(lanes):
        left += ~done >> lane & 1
    return left


@compiled
def _wake(lanes: int, idle: NDArray[np.uint16]) -> None:
    """No row is idle in these lanes any more."""
    for row in range(len(idle)):
        idle[row] = np.uint16(np.int64(idle[row]) & ~lanes)


@compiled
def _shuffle(order: NDArray[np.intp], count: int, chance: np.uint64) -> np.uint64:
    """Shuffle the first so many rows (Fisher and Yates); chance comes from Knuth's MMIX."""
    for at in range(count):
        chance = chance * _FACTOR + _SUMMAND
        other = at + np.int64(((chance >> _HIGH) * np.uint64(count - at)) >> _LOW)
        order[at], order[other] = order[other], order[at]
    return chance

"""The linear SVM of one class at four costs: LinearSVC's problems, solved side by side.

A search asks for the same class at several values of C. Here four of them are solved in one go: the
weights of a column at the four costs lie together, so that a row is read once, and its product with
the four costs as much as with one. The method is liblinear's, with its shrinking: dual coordinate
descent (Hsieh et al., "A dual coordinate descent method for large-scale linear SVM", ICML 2008,
algorithm 3), in single precision. What is minimised is what LinearSVC minimises:

    ½‖w‖² + Σ_i C_i · max(0, 1 - y_i w·x_i)²
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from textclf.compiled import compiled
from textclf.solver import Lane

Floats = NDArray[np.float32]

_ALL = 0b1111
_INFINITE = np.float32(np.inf)
_NONE, _ONE = np.float32(0), np.float32(1)
_LEAST = np.float32(1e-9)
"""Of a projected gradient for it to change anything."""

_FACTOR, _SUMMAND = np.uint64(6364136223846793005), np.uint64(1442695040888963407)
_HIGH, _LOW = np.uint64(33), np.uint64(31)


@dataclass(frozen=True)
class _Quartet:
    """Up to four lanes of one class, and how far they are.

    Attributes:
        lanes: their numbers.
        signs: of each row, 1 where it is of the class and -1 elsewhere.
        extra: 1/2C of each lane for the rows of the class.
        extra_rest: for the others.
        weights: (columns + 1, 4), the intercepts in the last row.
        duals: (rows, 4).
    """

    lanes: NDArray[np.intp]
    signs: Floats
    extra: Floats
    extra_rest: Floats
    weights: Floats
    duals: Floats


class Quartets:
    """Many binary problems over the same rows, by four; ``solve`` brings some of them further."""

    def __init__(self, matrix: csr_matrix, codes: NDArray[np.intp], lanes: Sequence[Lane]) -> None:
        self.lanes = lanes
        data = matrix.data.astype(np.float32)
        # unsigned, so that no index can mean one from the end; a copy, for liblinear sorts in place
        self._rows = matrix.indptr, matrix.indices.astype(np.uint32), data
        squares = csr_matrix((data * data, matrix.indices, matrix.indptr), shape=matrix.shape)
        self._norms = squares @ np.ones(matrix.shape[1], np.float32) + _ONE
        self._quartets = [
            self._quartet(numbers[start : start + 4], codes, matrix.shape)
            for numbers in _by_class(lanes)
            for start in range(0, len(numbers), 4)
        ]

    def _quartet(
        self, numbers: list[int], codes: NDArray[np.intp], shape: tuple[int, int]
    ) -> _Quartet:
        chosen = [self.lanes[number] for number in numbers]
        extra, extra_rest = np.ones(4, np.float32), np.ones(4, np.float32)
        extra[: len(chosen)] = [0.5 / lane.cost for lane in chosen]
        extra_rest[: len(chosen)] = [0.5 / lane.rest for lane in chosen]
        return _Quartet(
            lanes=np.array(numbers),
            signs=np.where(codes == chosen[0].positive, _ONE, -_ONE),
            extra=extra,
            extra_rest=extra_rest,
            weights=np.zeros((shape[1] + 1, 4), np.float32),
            duals=np.zeros((shape[0], 4), np.float32),
        )

    def solve(self, which: NDArray[np.intp], tolerance: float, epochs: int, seed: int) -> bool:
        """Continue some lanes until their projected gradients lie within the tolerance.

        Args:
            which: numbers of lanes.
            tolerance: what LinearSVC calls ``tol``.
            epochs: passes over the rows, at the most.
            seed: of the order of the rows.

        Returns:
            Whether all of them got there.
        """
        solved = [self._continue(each, which, tolerance, epochs, seed) for each in self._quartets]
        return all(solved)

    def _continue(
        self, some: _Quartet, which: NDArray[np.intp], tolerance: float, epochs: int, seed: int
    ) -> bool:
        idle = np.flatnonzero(~np.isin(some.lanes, which)).tolist()
        done = sum(1 << place for place in (*idle, *range(len(some.lanes), 4)))
        return _descend(
            np.arange(len(some.signs)), *self._rows, self._norms, some.signs, some.extra,
            some.extra_rest, some.weights, some.duals, done, np.float32(tolerance), epochs, seed,
        )  # fmt: skip

    def decisions(self, matrix: csr_matrix, which: NDArray[np.intp]) -> NDArray[np.float64]:
        """Decision values of some lanes for the rows of a matrix, (rows, lanes)."""
        values = np.empty((matrix.shape[0], len(self.lanes)))
        for each in self._quartets:
            if np.isin(each.lanes, which).any():
                weights = each.weights[:, : len(each.lanes)].astype(np.float64)
                values[:, each.lanes] = matrix @ weights[:-1] + weights[-1]
        return values[:, which]


def _by_class(lanes: Sequence[Lane]) -> list[list[int]]:
    """The numbers of the lanes of each class."""
    numbers: dict[int, list[int]] = {}
    for number, lane in enumerate(lanes):
        numbers.setdefault(lane.positive, []).append(number)
    return list(numbers.values())


@compiled
def _descend(  # noqa: PLR0913, PLR0917 - one algorithm, as it is published
    order: NDArray[np.intp],
    indptr: NDArray[np.int32],
    indices: NDArray[np.uint32],
    data: Floats,
    norms: Floats,
    signs: Floats,
    extra: Floats,
    extra_rest: Floats,
    weights: Floats,
    duals: Floats,
    done: int,
    tolerance: np.float32,
    epochs: int,
    seed: int,
) -> bool:
    """Bring the lanes that are not done within the tolerance; lanes are bits, 1 to 8.

    A row is idle in a lane where it has no dual and its gradient says that it will have none. It is
    passed over where it is idle in all lanes, until one of them has converged on the other rows.
    """
    if done == _ALL:
        return True
    total = active = len(order)
    idle, idled = np.zeros(total, np.uint8), 0
    values, steps = np.empty(4, np.float32), np.empty(4, np.float32)
    high, low = np.empty(4, np.float32), np.empty(4, np.float32)
    above = np.full(4, _INFINITE)
    chance = np.uint64(2 * seed + 1)
    for _ in range(epochs):
        high[:], low[:] = -_INFINITE, _INFINITE
        chance = _shuffle(order, active, chance)
        at = 0
        while at < active:
            row = order[at]
            off = int(idle[row]) | done
            if off == _ALL:
                active -= 1
                order[at], order[active] = order[active], row
                continue
            begin, end = indptr[row], indptr[row + 1]
            _multiply(indices, data, begin, end, weights, values)
            more = extra if signs[row] > 0 else extra_rest
            off = _move(
                off, values, signs[row], norms[row], more, above, duals[row], steps, high, low
            )
            _add(indices, data, begin, end, weights, steps)
            idle[row] = np.uint8(off & ~done)
            idled |= off & ~done
            at += 1
        ready = 0
        for lane in range(4):
            ready |= (1 if high[lane] - low[lane] <= tolerance else 0) << lane
            above[lane] = high[lane] if high[lane] > 0 else _INFINITE
        again = ready & idled & ~done
        done |= ready & ~idled
        if done == _ALL:
            return True
        if again:
            idled &= ~again
            active = total
            _wake(again, idle, above)
    return False


@compiled
def _move(  # noqa: PLR0913, PLR0917
    off: int,
    values: Floats,
    sign: np.float32,
    norm: np.float32,
    extra: Floats,
    above: Floats,
    duals: Floats,
    steps: Floats,
    high: Floats,
    low: Floats,
) -> int:
    """Move the duals of a row in the lanes that are not off; returns those off from now on."""
    for lane in range(4):
        steps[lane] = 0
        if off & 1 << lane:
            continue
        dual = duals[lane]
        slope = sign * values[lane] - _ONE + extra[lane] * dual
        if dual == 0:
            if slope > above[lane]:
                off |= 1 << lane
                continue
            slope = min(slope, _NONE)
        high[lane], low[lane] = max(high[lane], slope), min(low[lane], slope)
        if abs(slope) > _LEAST:
            duals[lane] = max(dual - slope / (norm + extra[lane]), _NONE)
            steps[lane] = (duals[lane] - dual) * sign
    return off


@compiled
def _wake(lanes: int, idle: NDArray[np.uint8], above: Floats) -> None:
    """No row is idle in these lanes any more."""
    for row in range(len(idle)):
        idle[row] = np.uint8(np.int64(idle[row]) & ~lanes)
    for lane in range(4):
        if lanes & 1 << lane:
            above[lane] = _INFINITE


@compiled
def _shuffle(order: NDArray[np.intp], count: int, chance: np.uint64) -> np.uint64:
    """Shuffle the first so many rows (Fisher and Yates); chance comes from Knuth's MMIX."""
    for at in range(count):
        chance = chance * _FACTOR + _SUMMAND
        other = at + np.int64(((chance >> _HIGH) * np.uint64(count - at)) >> _LOW)
        order[at], order[other] = order[other], order[at]
    return chance


@compiled
def _multiply(  # noqa: PLR0913, PLR0917
    indices: NDArray[np.uint32],
    data: Floats,
    begin: int,
    end: int,
    weights: Floats,
    values: Floats,
) -> None:
    """A row times the weights of the four lanes, the intercepts included."""
    last = len(weights) - 1
    one, two, three, four = weights[last, 0], weights[last, 1], weights[last, 2], weights[last, 3]
    for entry in range(begin, end):
        column, share = indices[entry], data[entry]
        one += share * weights[column, 0]
        two += share * weights[column, 1]
        three += share * weights[column, 2]
        four += share * weights[column, 3]
    values[0], values[1], values[2], values[3] = one, two, three, four


@compiled
def _add(  # noqa: PLR0913, PLR0917
    indices: NDArray[np.uint32],
    data: Floats,
    begin: int,
    end: int,
    weights: Floats,
    steps: Floats,
) -> None:
    """Add a row to the weights, times each lane's step, if there is any."""
    one, two, three, four = steps[0], steps[1], steps[2], steps[3]
    if one == 0 and two == 0 and three == 0 and four == 0:
        return
    for entry in range(begin, end):
        column, share = indices[entry], data[entry]
        weights[column, 0] += share * one
        weights[column, 1] += share * two
        weights[column, 2] += share * three
        weights[column, 3] += share * four
    last = len(weights) - 1
    for lane in range(4):
        weights[last, lane] += steps[lane]

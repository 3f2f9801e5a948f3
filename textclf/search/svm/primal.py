"""Liblinear's solver in the primal, for up to sixteen binary problems at a time.

Where there are more rows than columns, ``sklearn.svm.LinearSVC`` has its one-vs-rest problems
solved by a trust region Newton method (Lin and Moré, "Newton's method for large bound-constrained
optimization problems", SIAM J. Optim. 9, 1999; for the squared hinge Chang, Hsieh and Lin, JMLR 9,
2008), which stops early: another method would find other values. So its steps are taken as they
are.

Each step asks for one product: of the rows with a vector, and of what comes of them with the rows
again. For a conjugate gradient step the vector is its direction; to try weights, it is they. So
problems that have nothing in common but the rows go through these products side by side, each at
its own place in the method, and one that is done makes room for the next.

Rounding grows on the way, here as in liblinear: rows in another order change what it finds, from
C = 1 on by some thousandths. What is found here is as close to liblinear's as that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from textclf.jit import compiled
from textclf.search.svm.dual import Lane
from textclf.search.svm.simd import bits, fill, greater, load, mask_of, store, where

Values = NDArray[np.float64]

WIDTHS = (4, 8, 16)
"""Problems that a block has room for."""

_ETA = (1e-4, 0.25, 0.75)
"""Shares of the predicted reduction: below the first, a step is not taken."""
_SIGMA = (0.25, 0.5, 4.0)
"""Factors by which the trust region shrinks and grows."""
_FORCING = 0.1
"""Share of the gradient to which its system of equations is solved."""

_MOST_STEPS = 1000
"""After which liblinear gives up, with a warning."""

_PROBLEM = np.dtype([
    ("objective", np.float64),
    ("norm", np.float64),  # of the gradient
    ("goal", np.float64),  # the norm that is small enough; before the first product a share of it
    ("radius", np.float64),  # of the trust region
    ("taken", np.float64),  # how many weights, the first included
    ("step", np.float64),  # its ‖ ‖²
    ("descent", np.float64),  # step · gradient
    ("rest", np.float64),  # step · residual
    ("residual", np.float64),  # its ‖ ‖²
])  # fmt: skip
"""What is known of a problem under way."""

_POINT, _GRADIENT, _STEP, _RESIDUAL, _VECTOR, _PRODUCT, _VECTORS = range(7)
"""A block's vectors: the weights, the gradient there, the step from there and what it leaves of the
gradient; what the rows are multiplied with, and the product."""

_LOSS, _CURVATURE, _SQUARES, _AHEAD, _NORM = range(5)
"""Sums after a product: of the losses, vector · product, ‖vector‖², step · vector, ‖product‖²."""

_OF_RESIDUAL, _OF_STEP, _DESCENT, _REST, _FAR, _ON, _SUMS = range(5, 12)
"""Sums after a step; how far it goes along the vector, and how much of that goes into the next."""

_TAKEN, _SOLVED, _FAILED, _ENDED = 1, 2, 4, 8
"""What may be found of a problem after a product: the weights tried are better; they are the
solution; there is none to be found; its step is known, and now to be tried."""


def minimise(
    matrix: csr_matrix, codes: NDArray[np.intp], lanes: Sequence[Lane], tolerance: float = 1e-4
) -> tuple[Values, NDArray[np.bool_]]:
    """Solve binary problems as liblinear does with ``dual = False``.

    Args:
        matrix: (rows, columns), in double precision.
        codes: the class of each row.
        lanes: the problems.
        tolerance: what LinearSVC calls ``tol``.

    Returns:
        Weights of the columns and, in the last row, the intercepts, (columns + 1, lanes); and which
        lanes were solved. Liblinear may warn of the others.
    """
    sizes = np.bincount(codes)
    own = np.array([sizes[lane.positive] for lane in lanes])
    fewer = np.maximum(np.minimum(own, len(codes) - own), 1)
    width = next((width for width in WIDTHS if width >= len(lanes)), WIDTHS[-1])
    rows, size = len(codes), matrix.shape[1] + 1
    weights = np.zeros((size, len(lanes)))
    found = np.full(len(lanes), _FAILED)
    _minimise(
        (np.float64(0),) * width, matrix.indptr, matrix.indices.astype(np.uint32), matrix.data,
        codes.astype(np.int32), np.array([lane.positive for lane in lanes]),
        np.array([[lane.rest, lane.cost] for lane in lanes]), tolerance * fewer / rows,
        np.zeros((2, len(sizes), width)), np.zeros((_VECTORS, size, width)),
        np.zeros((_SUMS, width)),
        np.zeros((2, rows), np.uint16), np.zeros(width, _PROBLEM), np.zeros((2, width), np.intp),
        weights, found,
    )  # fmt: skip
    return weights, found & _FAILED == 0


@compiled
def _minimise(  # noqa: C901, PLR0913, PLR0917 - the method, and the room to work in
    like: tuple[np.float64, ...],
    indptr: NDArray[np.int32],
    indices: NDArray[np.uint32],
    data: Values,
    codes: NDArray[np.int32],
    positive: NDArray[np.intp],
    costs: Values,
    tolerances: Values,
    sides: Values,
    vectors: Values,
    sums: Values,
    within: NDArray[np.uint16],
    known: NDArray[Any],
    state: NDArray[np.intp],
    weights: Values,
    results: NDArray[np.intp],
) -> None:
    """Let each place of a block try weights, or take a step to such, until no problem waits.

    The arrays between the tolerances and the weights are room to work in: what the classes are in
    each problem, vectors, sums, the rows inside, what is known, and found, of which lane.
    """
    found, lanes = state[0], state[1]
    width, begun, running, trying = len(like), 0, 0, 0
    while True:
        for place in range(width):
            bit = 1 << place
            if running & bit and found[place] & (_SOLVED | _FAILED):
                _leave(place, lanes[place], vectors, weights)
                results[lanes[place]] = found[place]
                running ^= bit
            if not running & bit and begun < len(positive):
                _enter(place, positive[begun], costs[begun], sides, vectors)
                known[place].taken, known[place].goal = 0, tolerances[begun]
                lanes[place], begun = begun, begun + 1
                running, trying = running | bit, trying | bit
        if not running:
            return
        _multiply(like, indptr, indices, data, codes, sides, vectors, within, trying, sums)
        _add_up(like, vectors, sums)
        for place in range(width):
            found[place], sums[_FAR, place], sums[_ON, place] = 0, 0, 0
            if running & trying & 1 << place:
                found[place] = _judge(known[place], sums[:, place])
            elif running & 1 << place:
                found[place] = _stride(known[place], sums[:, place])
        taken = _which(found, _TAKEN)
        _advance(like, vectors, taken, trying, sums)
        _take(within, taken)
        for place in range(width):
            if running & ~trying & 1 << place and not found[place] & _ENDED:
                found[place] = _turn(known[place], sums[:, place])
            _note(known[place], sums[:, place])
        trying = _which(found, _ENDED)
        _aim(like, vectors, trying, sums)


@compiled
def _leave(place: int, lane: int, vectors: Values, weights: Values) -> None:
    """Keep the weights of a problem."""
    for column in range(len(weights)):
        weights[column, lane] = vectors[_POINT, column, place]


@compiled
def _enter(place: int, positive: int, costs: Values, sides: Values, vectors: Values) -> None:
    """A new problem, at zero: signs of the classes, and twice the costs of their errors."""
    for code in range(sides.shape[1]):
        own = code == positive
        sides[0, code, place] = 2 * own - 1
        sides[1, code, place] = 2 * costs[int(own)]
    for vector in range(_VECTORS):
        for column in range(vectors.shape[1]):
            vectors[vector, column, place] = 0


@compiled
def _which(found: NDArray[np.intp], what: int) -> int:
    """The places of which this was found, as bits."""
    places = 0
    for place in range(len(found)):
        if found[place] & what:
            places |= 1 << place
    return places


@compiled
def _multiply(  # noqa: PLR0913, PLR0917 - the rows, the problems and the room to work in
    like: tuple[np.float64, ...],
    indptr: NDArray[np.int32],
    indices: NDArray[np.uint32],
    data: Values,
    codes: NDArray[np.int32],
    sides: Values,
    vectors: Values,
    within: NDArray[np.uint16],
    trying: int,
    sums: Values,
) -> None:
    """Xᵀ D (X vector - y): y for places that try weights; D the sides of the rows inside.

    A row is inside where it is on the wrong side of the margin, by the weights that were taken or
    by those that are tried.
    """
    inside, tried, vector, product = within[0], within[1], vectors[_VECTOR], vectors[_PRODUCT]
    zero, one, last = fill(0, like), fill(1, like), len(vector) - 1
    bias, of_bias, loss, tries = load(vector, last, like), zero, zero, mask_of(trying, like)
    for column in range(last):
        store(product, column, zero)
    for row in range(len(codes)):
        if not trying | inside[row]:
            continue
        begin, end, code = indptr[row], indptr[row + 1], codes[row]
        value = bias
        for entry in range(begin, end):
            value = value + fill(data[entry], like) * load(vector, indices[entry], like)
        sign, side = load(sides[0], code, like), load(sides[1], code, like)
        lag = one - sign * value
        tried[row] = np.uint16(bits(greater(lag, zero)))
        places = np.int64(tried[row]) & trying | np.int64(inside[row]) & ~trying
        if places:
            on = mask_of(places, like)
            loss = loss + where(on, side * lag * lag, zero)
            value = side * where(on, where(tries, value - sign, value), zero)
            of_bias = of_bias + value
            for entry in range(begin, end):
                at = indices[entry]
                store(product, at, load(product, at, like) + fill(data[entry], like) * value)
    store(product, last, of_bias)
    store(sums, _LOSS, loss)


@compiled
def _add_up(like: tuple[np.float64, ...], vectors: Values, sums: Values) -> None:
    """Add the vector to the product; then the sums."""
    vector, product, step = vectors[_VECTOR], vectors[_PRODUCT], vectors[_STEP]
    curvature = squares = ahead = norm = fill(0, like)
    for column in range(len(vector)):
        along = load(vector, column, like)
        value = load(product, column, like) + along
        store(product, column, value)
        curvature, squares = curvature + along * value, squares + along * along
        ahead, norm = ahead + load(step, column, like) * along, norm + value * value
    store(sums, _CURVATURE, curvature)
    store(sums, _SQUARES, squares)
    store(sums, _AHEAD, ahead)
    store(sums, _NORM, norm)


@compiled
def _judge(problem: Any, sums: Values) -> int:
    """Whether the weights tried are taken; the size of the trust region follows from them."""
    objective, norm = 0.5 * (sums[_SQUARES] + sums[_LOSS]), np.sqrt(sums[_NORM])
    if problem.taken == 0:
        problem.objective, problem.norm, problem.radius = objective, norm, norm
        problem.goal *= norm
        problem.taken = 1
        return _TAKEN | _SOLVED * int(norm <= problem.goal)
    descent, length = problem.descent, np.sqrt(problem.step)
    reduction, predicted = problem.objective - objective, -0.5 * (descent - problem.rest)
    if problem.taken == 1:
        problem.radius = min(problem.radius, length)
    problem.radius = _resized(problem.radius, length, reduction, predicted, descent)
    found = 0
    if reduction > _ETA[0] * predicted:
        problem.objective, problem.norm = objective, norm
        problem.taken += 1
        found = _TAKEN | _SOLVED * int(norm <= problem.goal)
    stuck = 1e-12 * abs(problem.objective)
    if abs(reduction) <= stuck and abs(predicted) <= stuck:
        return found | _SOLVED  # as well as rounding allows
    return found | _FAILED * int(problem.taken > _MOST_STEPS and not found & _SOLVED)


@compiled
def _resized(
    radius: float, length: float, reduction: float, predicted: float, descent: float
) -> float:
    """The radius of the trust region, after a step of this length."""
    least, low, high = _ETA
    smaller, half, larger = _SIGMA
    bend = -reduction - descent
    scale = larger if bend <= 0 else max(smaller, -0.5 * (descent / bend))
    if reduction < least * predicted:
        return min(max(scale, smaller) * length, half * radius)
    if reduction < low * predicted:
        return max(smaller * radius, min(scale * length, half * radius))
    if reduction < high * predicted:
        return max(smaller * radius, min(scale * length, larger * radius))
    return max(radius, min(scale * length, larger * radius))


@compiled
def _stride(problem: Any, sums: Values) -> int:
    """How far to go along the vector: to the least value there, or to the edge of the region."""
    squares, ahead = sums[_SQUARES], sums[_AHEAD]
    far = problem.residual / sums[_CURVATURE]
    if np.sqrt(problem.step + far * (2 * ahead + far * squares)) <= problem.radius:
        sums[_FAR] = far
        return 0
    room = problem.radius * problem.radius - problem.step
    root = np.sqrt(ahead * ahead + squares * room)
    sums[_FAR] = room / (ahead + root) if ahead >= 0 else (root - ahead) / squares
    return _ENDED


@compiled
def _advance(
    like: tuple[np.float64, ...], vectors: Values, taken: int, trying: int, sums: Values
) -> None:
    """Where weights were tried, take them, and start a step; elsewhere add to the step."""
    point, gradient, step = vectors[_POINT], vectors[_GRADIENT], vectors[_STEP]
    residual, vector, product = vectors[_RESIDUAL], vectors[_VECTOR], vectors[_PRODUCT]
    zero, far = fill(0, like), load(sums, _FAR, like)
    taking, starting = mask_of(taken, like), mask_of(trying, like)
    of_residual = of_step = descent = rest = zero
    for column in range(len(point)):
        along, value = load(vector, column, like), load(product, column, like)
        slope = where(taking, value, load(gradient, column, like))
        moved = where(starting, zero, load(step, column, like) + far * along)
        left = where(starting, zero - slope, load(residual, column, like) - far * value)
        store(point, column, where(taking, along, load(point, column, like)))
        store(gradient, column, slope)
        store(step, column, moved)
        store(residual, column, left)
        of_residual, of_step = of_residual + left * left, of_step + moved * moved
        descent, rest = descent + moved * slope, rest + moved * left
    store(sums, _OF_RESIDUAL, of_residual)
    store(sums, _OF_STEP, of_step)
    store(sums, _DESCENT, descent)
    store(sums, _REST, rest)


@compiled
def _take(within: NDArray[np.uint16], taken: int) -> None:
    """Which rows are inside, where the weights tried are taken."""
    for row in range(within.shape[1]):
        within[0, row] = within[0, row] & ~taken | within[1, row] & taken


@compiled
def _turn(problem: Any, sums: Values) -> int:
    """Whether the step is good enough; else how much of the direction goes into the next one."""
    if np.sqrt(sums[_OF_RESIDUAL]) <= _FORCING * problem.norm:
        return _ENDED
    sums[_ON] = sums[_OF_RESIDUAL] / problem.residual
    return 0


@compiled
def _note(problem: Any, sums: Values) -> None:
    problem.residual, problem.step = sums[_OF_RESIDUAL], sums[_OF_STEP]
    problem.descent, problem.rest = sums[_DESCENT], sums[_REST]


@compiled
def _aim(like: tuple[np.float64, ...], vectors: Values, trying: int, sums: Values) -> None:
    """The next vector: weights to try, or a direction."""
    point, step, residual = vectors[_POINT], vectors[_STEP], vectors[_RESIDUAL]
    vector, on, tries = vectors[_VECTOR], load(sums, _ON, like), mask_of(trying, like)
    for column in range(len(point)):
        tried = load(point, column, like) + load(step, column, like)
        along = load(residual, column, like) + on * load(vector, column, like)
        store(vector, column, where(tries, tried, along))

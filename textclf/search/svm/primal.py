"""liblinear's solver in the primal, for up to sixteen binary problems at a time.

Where there are more rows than columns, ``sklearn.svm.LinearSVC`` solves its one-vs-rest problems by
a trust region Newton method (Lin and Moré, "Newton's method for large bound-constrained
optimization problems", SIAM J. Optim. 9, 1999; for the squared hinge Chang, Hsieh and Lin, JMLR 9,
2008), which stops early: another method would end at other values. So its steps are reproduced
exactly.

Every step needs one product Xᵀ D (X v). In a conjugate gradient (CG) step the vector v is the
search direction; in a trial of new weights it is these weights. So problems that share nothing but
the rows go through the products side by side, one in each SIMD lane, each at its own stage of the
method, and a problem that is done makes way for the next.

Rounding errors grow on the way, here as in liblinear: with the rows in another order liblinear's
solution differs by some thousandths from C = 1 on. Solutions here are as close to liblinear's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from textclf.jit import compiled, entries_of, inlined
from textclf.search.svm.dual import WIDTHS, BinaryProblem
from textclf.search.svm.simd import (
    broadcast,
    greater,
    load,
    mask_bits,
    mask_from_bits,
    store,
    where,
)

Values = NDArray[np.float64]

_ETA = (1e-4, 0.25, 0.75)
"""Shares of the predicted reduction; below the first, a step is rejected."""
_SIGMA = (0.25, 0.5, 4.0)
"""Factors by which the trust region shrinks and grows."""
_FORCING = 0.1
"""CG stops when the residual is this share of the gradient's norm."""

_MAX_STEPS = 1000
"""Newton steps after which liblinear gives up, with a warning."""

_PROBLEM = np.dtype([
    ("objective", np.float64),
    ("gradient_norm", np.float64),
    ("gradient_tolerance", np.float64),  # relative to the first norm until that is known
    ("radius", np.float64),  # of the trust region
    ("accepted", np.float64),  # the number of accepted weights, the first included
    ("step_squared", np.float64),  # ‖step‖²
    ("step_gradient", np.float64),  # step · gradient
    ("step_residual", np.float64),  # step · residual
    ("residual_squared", np.float64),  # ‖residual‖²
])  # fmt: skip
"""The state of a problem."""

_WEIGHTS, _GRADIENT, _STEP, _RESIDUAL, _VECTOR, _PRODUCT, _VECTORS = range(7)
"""The vectors of a block: the accepted weights, the gradient there, the Newton step and the CG
residual; the vector that the rows are multiplied with, and the product."""

_LOSS, _CURVATURE, _VECTOR_SQUARED, _STEP_VECTOR, _PRODUCT_SQUARED = range(5)
"""Sums after a product: the losses, vector · product, ‖vector‖², step · vector, ‖product‖²."""

_RESIDUAL_SQUARED, _STEP_SQUARED, _STEP_GRADIENT, _STEP_RESIDUAL, _ALPHA, _BETA, _SUMS = range(
    5, 12
)
"""Sums after a CG step, as in ``_PROBLEM``; alpha and beta of the CG step."""

_ACCEPTED, _SOLVED, _FAILED, _STEP_DONE = 1, 2, 4, 8
"""Findings after a product: the trial weights are accepted; they are the solution; the limit of
steps is reached; the Newton step is complete, and its weights are to be tried."""


def solve(
    matrix: csr_matrix,
    codes: NDArray[np.intp],
    problems: Sequence[BinaryProblem],
    tolerance: float = 1e-4,
) -> tuple[Values, NDArray[np.bool_], NDArray[np.intp]]:
    """Solve binary problems as liblinear does with ``dual = False``.

    Args:
        matrix: (rows, columns), in double precision.
        codes: (rows,), the number of the class of each row.
        problems: the problems.
        tolerance: what LinearSVC calls ``tol``.

    Returns:
        Weights, (columns + 1, problems), with the intercepts in the last row; and of each problem
        whether it was solved, for liblinear may warn of the others, and its products with the rows.
    """
    sizes = np.bincount(codes)
    own = np.array([sizes[problem.positive] for problem in problems])
    smaller = np.maximum(np.minimum(own, len(codes) - own), 1)
    width = next((width for width in WIDTHS if width >= len(problems)), WIDTHS[-1])
    rows, size = len(codes), matrix.shape[1] + 1
    weights, products = np.zeros((size, len(problems))), np.zeros(len(problems), np.intp)
    results = np.full(len(problems), _FAILED)
    _solve(
        (np.float64(0),) * width, matrix.indptr, matrix.indices.astype(np.uint32), matrix.data,
        codes.astype(np.int32), np.array([problem.positive for problem in problems]),
        np.array([[problem.rest_cost, problem.cost] for problem in problems]),
        tolerance * smaller / rows,
        np.zeros((2, len(sizes), width)), np.zeros((_VECTORS, size, width)),
        np.zeros((_SUMS, width)),
        np.zeros((2, rows), np.uint16), np.zeros(width, _PROBLEM), np.zeros((2, width), np.intp),
        weights, results, products,
    )  # fmt: skip
    return weights, results & _FAILED == 0, products


@compiled
def _solve(  # noqa: C901, PLR0913, PLR0917 - the method and its buffers
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
    active: NDArray[np.uint16],
    states: NDArray[Any],
    lanes: NDArray[np.intp],
    weights: Values,
    results: NDArray[np.intp],
    products: NDArray[np.intp],
) -> None:
    """Let each lane of a block try weights, or take a CG step towards such, until all are solved.

    Sets of lanes are integers with a bit for each lane. Inputs are the rows, and of each problem
    its class, the costs of errors on the rest and on the class, and the tolerance relative to the
    first gradient. Outputs are ``weights``, (columns + 1, problems), the last findings in
    ``results``, and the number of ``products`` with the rows. The others are buffers: ``sides``,
    (2, classes, lanes), for the sign y and 2C of the rows of a class; ``active``, (2, rows), for
    the lanes in which a row is on the wrong side of the margin by the accepted and by the trial
    weights; ``states`` for the problem of each lane, ``lanes`` for the findings about it and its
    number.
    """
    findings, numbers = lanes[0], lanes[1]
    width, started, running, trying = len(like), 0, 0, 0
    while True:
        for lane in range(width):
            bit = 1 << lane
            if running & bit and findings[lane] & (_SOLVED | _FAILED):
                _store_solution(lane, numbers[lane], vectors, weights)
                results[numbers[lane]] = findings[lane]
                running ^= bit
            if not running & bit and started < len(positive):
                _start_problem(lane, positive[started], costs[started], sides, vectors)
                states[lane].accepted, states[lane].gradient_tolerance = 0, tolerances[started]
                numbers[lane], started = started, started + 1
                running, trying = running | bit, trying | bit
        if not running:
            return
        _multiply(like, indptr, indices, data, codes, sides, vectors, active, trying, sums)
        _add_up(like, vectors, sums)
        for lane in range(width):
            findings[lane], sums[_ALPHA, lane], sums[_BETA, lane] = 0, 0, 0
            if running & 1 << lane:
                products[numbers[lane]] += 1
            if running & trying & 1 << lane:
                findings[lane] = _evaluate_trial(states[lane], sums[:, lane])
            elif running & 1 << lane:
                findings[lane] = _cg_alpha(states[lane], sums[:, lane])
        accepted = _lanes_with(findings, _ACCEPTED)
        _cg_update(like, vectors, accepted, trying, sums)
        _accept_active_rows(active, accepted)
        for lane in range(width):
            if running & ~trying & 1 << lane and not findings[lane] & _STEP_DONE:
                findings[lane] = _cg_beta(states[lane], sums[:, lane])
            _store_sums(states[lane], sums[:, lane])
        trying = _lanes_with(findings, _STEP_DONE)
        _next_vector(like, vectors, trying, sums)


@inlined
def _store_solution(lane: int, number: int, vectors: Values, weights: Values) -> None:
    for column in range(len(weights)):
        weights[column, number] = vectors[_WEIGHTS, column, lane]


@inlined
def _start_problem(lane: int, positive: int, costs: Values, sides: Values, vectors: Values) -> None:
    """Start a problem at zero weights: set the signs of the classes and twice their costs."""
    for code in range(sides.shape[1]):
        own = code == positive
        sides[0, code, lane] = 2 * own - 1
        sides[1, code, lane] = 2 * costs[int(own)]
    for vector in range(_VECTORS):
        for column in range(vectors.shape[1]):
            vectors[vector, column, lane] = 0


@inlined
def _lanes_with(findings: NDArray[np.intp], finding: int) -> int:
    """The set of lanes with a finding."""
    lanes = 0
    for lane in range(len(findings)):
        if findings[lane] & finding:
            lanes |= 1 << lane
    return lanes


@inlined
def _multiply(  # noqa: PLR0913, PLR0917 - the rows, the problems and their buffers
    like: tuple[np.float64, ...],
    indptr: NDArray[np.int32],
    indices: NDArray[np.uint32],
    data: Values,
    codes: NDArray[np.int32],
    sides: Values,
    vectors: Values,
    active: NDArray[np.uint16],
    trying: int,
    sums: Values,
) -> None:
    """Compute Xᵀ D (X vector - y), with y = 0 except in lanes that try weights.

    D holds 2C for active rows: those on the wrong side of the margin, by the trial weights in lanes
    that try weights, else by the accepted weights.
    """
    accepted_rows, trial_rows = active[0], active[1]
    vector, product = vectors[_VECTOR], vectors[_PRODUCT]
    zero, one, last = broadcast(0, like), broadcast(1, like), len(vector) - 1
    bias, bias_product, loss = load(vector, last, like), zero, zero
    tries = mask_from_bits(trying, like)
    for column in range(last):
        store(product, column, zero)
    for row in range(len(codes)):
        if not trying | accepted_rows[row]:
            continue
        code = codes[row]
        value = bias
        for entry in entries_of(indptr, row):
            value = value + broadcast(data[entry], like) * load(vector, indices[entry], like)
        sign, twice_cost = load(sides[0], code, like), load(sides[1], code, like)
        slack = one - sign * value
        trial_rows[row] = np.uint16(mask_bits(greater(slack, zero)))
        lanes = np.int64(trial_rows[row]) & trying | np.int64(accepted_rows[row]) & ~trying
        if lanes:
            is_active = mask_from_bits(lanes, like)
            loss = loss + where(is_active, twice_cost * slack * slack, zero)
            value = twice_cost * where(is_active, where(tries, value - sign, value), zero)
            bias_product = bias_product + value
            for entry in entries_of(indptr, row):
                at = indices[entry]
                store(product, at, load(product, at, like) + broadcast(data[entry], like) * value)
    store(product, last, bias_product)
    store(sums, _LOSS, loss)


@inlined
def _add_up(like: tuple[np.float64, ...], vectors: Values, sums: Values) -> None:
    """Add the vector to the product, for the Hessian I + XᵀDX, and compute the sums."""
    vector, product, step = vectors[_VECTOR], vectors[_PRODUCT], vectors[_STEP]
    curvature = vector_squared = step_vector = product_squared = broadcast(0, like)
    for column in range(len(vector)):
        own = load(vector, column, like)
        value = load(product, column, like) + own
        store(product, column, value)
        curvature, vector_squared = curvature + own * value, vector_squared + own * own
        step_vector = step_vector + load(step, column, like) * own
        product_squared = product_squared + value * value
    store(sums, _CURVATURE, curvature)
    store(sums, _VECTOR_SQUARED, vector_squared)
    store(sums, _STEP_VECTOR, step_vector)
    store(sums, _PRODUCT_SQUARED, product_squared)


@inlined
def _evaluate_trial(problem: Any, sums: Values) -> int:
    """Accept or reject the trial weights, and resize the trust region."""
    objective = 0.5 * (sums[_VECTOR_SQUARED] + sums[_LOSS])
    norm = np.sqrt(sums[_PRODUCT_SQUARED])
    if problem.accepted == 0:
        problem.objective, problem.gradient_norm, problem.radius = objective, norm, norm
        problem.gradient_tolerance *= norm
        problem.accepted = 1
        return _ACCEPTED | _SOLVED * int(norm <= problem.gradient_tolerance)
    slope, length = problem.step_gradient, np.sqrt(problem.step_squared)
    reduction = problem.objective - objective
    predicted = -0.5 * (slope - problem.step_residual)
    if problem.accepted == 1:
        problem.radius = min(problem.radius, length)
    problem.radius = _resized(problem.radius, length, reduction, predicted, slope)
    findings = 0
    if reduction > _ETA[0] * predicted:
        problem.objective, problem.gradient_norm = objective, norm
        problem.accepted += 1
        findings = _ACCEPTED | _SOLVED * int(norm <= problem.gradient_tolerance)
    rounding = 1e-12 * abs(problem.objective)
    if abs(reduction) <= rounding and abs(predicted) <= rounding:
        return findings | _SOLVED  # as well as rounding allows
    return findings | _FAILED * int(problem.accepted > _MAX_STEPS and not findings & _SOLVED)


@inlined
def _resized(
    radius: float, length: float, reduction: float, predicted: float, slope: float
) -> float:
    """The radius of the trust region after a step of a length."""
    lowest, low, high = _ETA
    smaller, half, larger = _SIGMA
    bend = -reduction - slope
    scale = larger if bend <= 0 else max(smaller, -0.5 * (slope / bend))
    if reduction < lowest * predicted:
        return min(max(scale, smaller) * length, half * radius)
    if reduction < low * predicted:
        return max(smaller * radius, min(scale * length, half * radius))
    if reduction < high * predicted:
        return max(smaller * radius, min(scale * length, larger * radius))
    return max(radius, min(scale * length, larger * radius))


@inlined
def _cg_alpha(problem: Any, sums: Values) -> int:
    """Set alpha, the length of the CG step: to the minimum, or to the edge of the trust region."""
    vector_squared, step_vector = sums[_VECTOR_SQUARED], sums[_STEP_VECTOR]
    alpha = problem.residual_squared / sums[_CURVATURE]
    squared = problem.step_squared + alpha * (2 * step_vector + alpha * vector_squared)
    if np.sqrt(squared) <= problem.radius:
        sums[_ALPHA] = alpha
        return 0
    remaining = problem.radius * problem.radius - problem.step_squared
    root = np.sqrt(step_vector * step_vector + vector_squared * remaining)
    if step_vector >= 0:
        sums[_ALPHA] = remaining / (step_vector + root)
    else:
        sums[_ALPHA] = (root - step_vector) / vector_squared
    return _STEP_DONE


@inlined
def _cg_update(
    like: tuple[np.float64, ...], vectors: Values, accepted: int, trying: int, sums: Values
) -> None:
    """In lanes that tried weights, start a Newton step; in the others, add alpha to the step."""
    weights, gradient, step = vectors[_WEIGHTS], vectors[_GRADIENT], vectors[_STEP]
    residual, vector, product = vectors[_RESIDUAL], vectors[_VECTOR], vectors[_PRODUCT]
    zero, alpha = broadcast(0, like), load(sums, _ALPHA, like)
    accepts, starts = mask_from_bits(accepted, like), mask_from_bits(trying, like)
    residual_squared = step_squared = step_gradient = step_residual = zero
    for column in range(len(weights)):
        own, value = load(vector, column, like), load(product, column, like)
        slope = where(accepts, value, load(gradient, column, like))
        moved = where(starts, zero, load(step, column, like) + alpha * own)
        left = where(starts, zero - slope, load(residual, column, like) - alpha * value)
        store(weights, column, where(accepts, own, load(weights, column, like)))
        store(gradient, column, slope)
        store(step, column, moved)
        store(residual, column, left)
        residual_squared = residual_squared + left * left
        step_squared = step_squared + moved * moved
        step_gradient = step_gradient + moved * slope
        step_residual = step_residual + moved * left
    store(sums, _RESIDUAL_SQUARED, residual_squared)
    store(sums, _STEP_SQUARED, step_squared)
    store(sums, _STEP_GRADIENT, step_gradient)
    store(sums, _STEP_RESIDUAL, step_residual)


@inlined
def _accept_active_rows(active: NDArray[np.uint16], accepted: int) -> None:
    """Take over the active rows of the trial weights in the lanes that accept them."""
    for row in range(active.shape[1]):
        active[0, row] = active[0, row] & ~accepted | active[1, row] & accepted


@inlined
def _cg_beta(problem: Any, sums: Values) -> int:
    """Finish the Newton step if the residual is small; else set beta of the next direction."""
    if np.sqrt(sums[_RESIDUAL_SQUARED]) <= _FORCING * problem.gradient_norm:
        return _STEP_DONE
    sums[_BETA] = sums[_RESIDUAL_SQUARED] / problem.residual_squared
    return 0


@inlined
def _store_sums(problem: Any, sums: Values) -> None:
    problem.residual_squared = sums[_RESIDUAL_SQUARED]
    problem.step_squared = sums[_STEP_SQUARED]
    problem.step_gradient = sums[_STEP_GRADIENT]
    problem.step_residual = sums[_STEP_RESIDUAL]


@inlined
def _next_vector(like: tuple[np.float64, ...], vectors: Values, trying: int, sums: Values) -> None:
    """Set the next vector: the weights to try, or the next CG direction."""
    weights, step, residual = vectors[_WEIGHTS], vectors[_STEP], vectors[_RESIDUAL]
    vector, beta, tries = vectors[_VECTOR], load(sums, _BETA, like), mask_from_bits(trying, like)
    for column in range(len(weights)):
        trial = load(weights, column, like) + load(step, column, like)
        direction = load(residual, column, like) + beta * load(vector, column, like)
        store(vector, column, where(tries, trial, direction))

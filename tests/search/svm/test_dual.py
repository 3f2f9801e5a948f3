"""Many linear SVMs side by side, against LinearSVC solved tightly one by one."""

import numpy as np
import pytest
from effort import cases
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from textclf.search.svm.dual import WIDTHS, BinaryProblem, DualSolver

EPOCHS = 5000
BLOCK = WIDTHS[-1]


def problem(seed, rows, classes, columns=60):
    """Rows of norm 1, some of them empty, entries in no order; and their classes, each there."""
    generator = np.random.default_rng(seed)
    codes = np.concatenate([np.arange(classes), generator.integers(0, classes, rows - classes)])
    dense = generator.random((rows, columns)) * (generator.random((rows, columns)) < 0.2)
    dense[np.arange(rows), codes % columns] += generator.random(rows)
    dense[generator.random(rows) < 0.05] = 0
    matrix = csr_matrix(normalize(dense))
    for start, end in zip(matrix.indptr, matrix.indptr[1:], strict=False):
        order = start + generator.permutation(end - start)
        matrix.indices[start:end] = matrix.indices[order]
        matrix.data[start:end] = matrix.data[order]
    matrix.has_sorted_indices = False
    return matrix, codes


def values(solver, matrix, one):
    """Decision values of a one."""
    return solver.decisions(matrix, np.array([one]))[:, 0]


def tightly(matrix, codes, one):
    """Decision values of one one by LinearSVC."""
    model = LinearSVC(
        tol=1e-8, dual=True, max_iter=10**6, random_state=0,
        class_weight={True: one.cost, False: one.rest_cost},
    )  # fmt: skip
    return model.fit(matrix.copy(), codes == one.positive).decision_function(matrix)


costs = st.sampled_from([0.03, 0.1, 1, 3, 10])


@settings(deadline=None, max_examples=cases(10, 25), derandomize=True)
@given(st.integers(0, 10**6), st.integers(3, 40), st.integers(0, 60), st.data())
def test_decision_values_are_those_of_a_tight_solution(seed, classes, more, data):
    """Any classes, costs on either side and order of entries: within the tolerance of LinearSVC."""
    matrix, codes = problem(seed, classes + more, classes)
    wanted = st.builds(BinaryProblem, st.integers(0, classes - 1), costs, costs)
    problems = data.draw(st.lists(wanted, min_size=1, max_size=12))
    solver = DualSolver(matrix, codes, problems)
    assert solver.solve(np.arange(len(problems)), 1e-3, EPOCHS, seed).all()
    found = solver.decisions(matrix, np.arange(len(problems)))
    for number, one in enumerate(problems):
        assert found[:, number] == pytest.approx(tightly(matrix, codes, one), abs=2e-3)


def many_problems(classes, extra=5):
    """All classes at more and more costs, until they are more than one block."""
    return [
        BinaryProblem(number % classes, 0.1 * (1 + number // classes), 0.05 * (1 + number % 7))
        for number in range(BLOCK + extra)
    ]


def test_more_problems_than_a_block_holds_are_all_solved():
    """The problems of every block, in any order, get their own solution."""
    matrix, codes = problem(1, 50, 5)
    problems = many_problems(5)
    solver = DualSolver(matrix, codes, problems)
    which = np.random.default_rng(0).permutation(len(problems))
    assert solver.solve(which, 1e-3, EPOCHS, 0).all()
    for number in (0, 1, BLOCK - 1, BLOCK, BLOCK + 4, *which[-3:]):
        expected = tightly(matrix, codes, problems[number])
        assert values(solver, matrix, number) == pytest.approx(expected, abs=2e-3)


def test_an_unsolved_block_does_not_keep_the_others_from_being_solved():
    """Where one one does not converge the answer is no, but every block was worked on."""
    matrix, codes = problem(2, 60, 4)
    problems = [*[BinaryProblem(0, 1e6, 1e6)] * BLOCK, BinaryProblem(1, 0.1, 0.1)]
    solver = DualSolver(matrix, codes, problems)
    assert not solver.solve(np.arange(len(problems)), 1e-3, 30, 0).all()
    expected = tightly(matrix, codes, problems[-1])
    assert values(solver, matrix, BLOCK) == pytest.approx(expected, abs=2e-3)


@settings(deadline=None, max_examples=cases(10, 20), derandomize=True)
@given(st.integers(0, 10**6), st.sets(st.integers(0, 15), min_size=1), st.booleans())
def test_continuing_some_problems_does_not_change_the_others(seed, some, backwards):
    """Only the problems named move, and those get closer to the solution."""
    matrix, codes = problem(seed, 60, 4)
    problems = [BinaryProblem(number % 4, 0.3 * (1 + number // 4), 1.0) for number in range(16)]
    solver = DualSolver(matrix, codes, problems)
    assert solver.solve(np.arange(16), 1e-1, EPOCHS, 0).all()
    before = solver.decisions(matrix, np.arange(16))
    which = np.array(sorted(some, reverse=backwards))
    assert solver.solve(which, 1e-5, EPOCHS, 1).all()
    others = np.setdiff1d(np.arange(16), which)
    assert np.array_equal(solver.decisions(matrix, others), before[:, others])
    for number in which:
        expected = tightly(matrix, codes, problems[number])
        assert values(solver, matrix, number) == pytest.approx(expected, abs=1e-4)


def test_a_problem_has_the_same_solution_alone_and_in_a_block():
    """What converges at other times, or is moved together, makes no difference but rounding."""
    matrix, codes = problem(3, 80, 6)
    problems = [BinaryProblem(code, cost, cost) for cost in (0.01, 1, 30) for code in range(6)]
    together = DualSolver(matrix, codes, problems)
    assert together.solve(np.arange(len(problems)), 1e-4, EPOCHS, 0).all()
    for number, one in enumerate(problems):
        alone = DualSolver(matrix, codes, [one])
        assert alone.solve(np.arange(1), 1e-4, EPOCHS, 0).all()
        expected = values(alone, matrix, 0)
        assert values(together, matrix, number) == pytest.approx(expected, abs=3e-4)


def test_the_same_seed_gives_the_same_weights():
    """Two runs agree to the last bit; another order of the rows gives other weights."""
    matrix, codes = problem(4, 70, 5)
    runs = []
    for seed in (0, 0, 1):
        solver = DualSolver(matrix, codes, many_problems(5))
        assert solver.solve(np.arange(len(solver.problems)), 1e-2, EPOCHS, seed).all()
        runs.append(solver.decisions(matrix, np.arange(len(solver.problems))))
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_too_few_epochs_are_no_solution():
    """One pass is not enough to know that gradients vanish; nor are none."""
    matrix, codes = problem(5, 60, 4)
    for epochs in (0, 1):
        solver = DualSolver(matrix, codes, [BinaryProblem(0, 1.0, 1.0), BinaryProblem(1, 1e4, 1e4)])
        assert not solver.solve(np.arange(2), 1e-6, epochs, 0).all()
    assert solver.decisions(matrix, np.arange(2)).any(axis=0).all()


def test_what_was_reached_is_kept_when_epochs_run_out():
    """Going on after too few passes ends where a single go would have ended."""
    matrix, codes = problem(6, 60, 4)
    problems = [BinaryProblem(code, 1.0, 0.5) for code in range(4)]
    solver = DualSolver(matrix, codes, problems)
    tries = 0
    while not solver.solve(np.arange(4), 1e-3, 2, tries).all():
        tries += 1
        assert tries < EPOCHS
    assert tries > 0
    for number, one in enumerate(problems):
        expected = tightly(matrix, codes, one)
        assert values(solver, matrix, number) == pytest.approx(expected, abs=2e-3)


def test_sorting_the_matrix_afterwards_changes_nothing():
    """A user of the matrix may sort the entries of its rows in place, as liblinear's does."""
    matrix, codes = problem(7, 60, 4)
    problems = [BinaryProblem(code, 1.0, 1.0) for code in range(4)]
    solver = DualSolver(matrix, codes, problems)
    assert not matrix.has_sorted_indices
    matrix.sort_indices()
    assert solver.solve(np.arange(4), 1e-3, EPOCHS, 0).all()
    for number, one in enumerate(problems):
        expected = tightly(matrix, codes, one)
        assert values(solver, matrix, number) == pytest.approx(expected, abs=2e-3)

"""liblinear's own solver, against LinearSVC, which calls it."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC

from textclf.search.svm import liblinear


def test_the_weights_are_those_of_linear_svc_however_many_rows_there_are():
    """Of so many rows some are swapped by numbers that liblinear draws again, to be unbiased."""
    generator = np.random.default_rng(1)
    positive = generator.random(150_000) < 0.5
    columns = np.where(positive, 1.0, -1.0) + generator.normal(0, 0.3, 150_000)
    matrix = csr_matrix(np.c_[columns, generator.random(150_000)])
    own = LinearSVC(dual=True, random_state=7, tol=0.1, C=0.01).fit(matrix, positive)
    seed = np.random.RandomState(7).randint(np.iinfo("i").max)
    found = liblinear.solve(matrix, positive, 0.01, 0.01, seed, tolerance=0.1)
    assert found == pytest.approx([*own.coef_[0], *own.intercept_], rel=1e-9)

"""Merged columns: the same inner products, the same models, in fewer columns."""

import numpy as np
import pytest
from effort import cases
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.linear_model import Ridge
from sklearn.svm import LinearSVC

from textclf.search.column_merging import find_mergeable_columns


def shuffled_rows(matrix, generator):
    """The same matrix with the entries of each row in any order."""
    for start, end in zip(matrix.indptr, matrix.indptr[1:], strict=False):
        order = start + generator.permutation(end - start)
        matrix.indices[start:end] = matrix.indices[order]
        matrix.data[start:end] = matrix.data[order]
    matrix.has_sorted_indices = False
    return matrix


def planted(seed, rows=12, held=7, shares=(0.3, 0.3, 0.3)):
    """Training and held-out rows with equal, single-entry and empty columns, and empty rows."""
    generator = np.random.default_rng(seed)
    columns = [np.zeros((rows, int(generator.integers(1, 4))))]
    for share in shares:
        some = generator.uniform(-0.3, 1, (rows, 6)) * (generator.random((rows, 6)) < share)
        columns.append(np.repeat(some, generator.integers(1, 4, 6), axis=1))
    single = np.zeros((rows, 15))
    single[generator.integers(0, rows, 15), np.arange(15)] = generator.choice(
        [-0.7, 0.2, 0.3, 1], 15
    )
    train = np.hstack([*columns, single])
    train[generator.random(rows) < 0.1] = 0
    train = train[:, generator.permutation(train.shape[1])]
    others = generator.random((held, train.shape[1]))
    others *= generator.random(others.shape) < 0.4
    return [shuffled_rows(csr_matrix(part), generator) for part in (train, others)]


def assert_same_products(train, held):
    """Compare all inner products with training rows, whole and merged; returns the merge."""
    merge = find_mergeable_columns(train)
    small, small_held = merge.apply(train), merge.apply(held)
    assert small.shape == (train.shape[0], merge.groups)
    assert small_held.shape == (held.shape[0], merge.groups)
    for whole, merged in ((train, small), (held, small_held)):
        expected = (whole @ train.T).toarray()
        assert (merged @ small.T).toarray() == pytest.approx(expected, abs=1e-12)
        overwritten = merge.apply(whole.copy(), overwrite=True)
        assert (overwritten != merged).nnz == 0
    return merge


@settings(deadline=None, max_examples=cases(40, 100), derandomize=True)
@given(st.integers(0, 10**6), st.integers(1, 20), st.integers(0, 9))
def test_inner_products_are_kept(seed, rows, held):
    """Products of training rows with one another and with held-out rows are what they were."""
    train, others = planted(seed, rows, held)
    merge = assert_same_products(train, others)
    assert np.bincount(merge.group, minlength=merge.groups).min() > 0
    norms = np.bincount(merge.group, weights=merge.factor**2)
    assert norms == pytest.approx(np.ones(merge.groups), abs=1e-12)


small_columns = st.lists(st.sampled_from([0.0, 0.0, 0.5, -0.75, 1.0]), min_size=3, max_size=3)


@settings(deadline=None, max_examples=cases(50, 150), derandomize=True)
@given(st.lists(small_columns, min_size=1, max_size=12), st.data())
def test_columns_merge_where_they_can_and_nowhere_else(columns, data):
    """Equal columns share a group, those of one same row do, too, and no others."""
    train = csr_matrix(np.array(columns).T)
    held = csr_matrix(
        np.array(data.draw(st.lists(small_columns, min_size=len(columns), max_size=len(columns)))).T
    )
    merge = assert_same_products(train, held)
    kinds = [
        (tuple(np.flatnonzero(column)),) if np.count_nonzero(column) == 1 else tuple(column)
        for column in columns
    ]
    assert merge.groups == len(set(kinds))
    assert len(set(zip(kinds, merge.group.tolist(), strict=True))) == merge.groups


def test_the_most_frequent_columns_come_first():
    """Groups are numbered by the number of training rows that they occur in."""
    train, _ = planted(5)
    merge = find_mergeable_columns(train)
    entries = np.diff(train.tocsc().indptr)
    of_group = np.zeros(merge.groups, int)
    of_group[merge.group] = entries
    assert np.all(np.diff(of_group) <= 0)
    assert of_group[0] > of_group[-1]


@settings(deadline=None, max_examples=20, derandomize=True)
@given(st.integers(0, 10**6), st.booleans(), st.sampled_from([0.1, 1, 10]))
def test_a_linear_svm_is_the_same_in_fewer_columns(seed, dual, cost):
    """Fitted on merged columns, it decides alike there and, expanded, on the whole matrix."""
    train, held = planted(seed, rows=30)
    labels = np.arange(30) % 3
    model = LinearSVC(C=cost, dual=dual, tol=1e-7, max_iter=100_000, random_state=0)
    expected = model.fit(train.copy(), labels).decision_function(held)
    merge = find_mergeable_columns(train)
    model.fit(merge.apply(train), labels)
    assert model.decision_function(merge.apply(held)) == pytest.approx(expected, abs=1e-3)
    expanded = merge.expand(model.coef_)
    assert expanded.shape == (3, train.shape[1])
    assert held @ expanded.T + model.intercept_ == pytest.approx(expected, abs=1e-3)


@settings(deadline=None, max_examples=20, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from([0.1, 1, 10]))
def test_a_ridge_regression_is_the_same_in_fewer_columns(seed, alpha):
    """Its weights come back as those of the whole matrix."""
    train, held = planted(seed, rows=20)
    targets = np.random.default_rng(seed).normal(size=(20, 2))
    model = Ridge(alpha=alpha, solver="sparse_cg", tol=1e-12)
    whole = model.fit(train, targets)
    weights, expected = whole.coef_, whole.predict(held)
    merge = find_mergeable_columns(train)
    model.fit(merge.apply(train), targets)
    assert model.predict(merge.apply(held)) == pytest.approx(expected, abs=1e-6)
    assert merge.expand(model.coef_) == pytest.approx(weights, abs=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (4, 0), (0, 3), (3, 5)])
def test_a_matrix_of_zeros_has_nothing_to_merge_but_zeros(shape):
    """Without entries there is one group at most, and every product is 0."""
    train = csr_matrix(shape)
    merge = find_mergeable_columns(train)
    assert merge.groups == min(shape[1], 1)
    assert merge.apply(train).nnz == 0


def test_a_matrix_is_left_as_it_was():
    """Neither finding nor merging changes the entries or their order."""
    train, held = planted(9)
    before = [part.copy() for part in (train, held)]
    merge = find_mergeable_columns(train)
    merge.apply(held)
    for was, now in zip(before, (train, held), strict=True):
        assert now.indices.tolist() == was.indices.tolist()
        assert now.data.tolist() == was.data.tolist()

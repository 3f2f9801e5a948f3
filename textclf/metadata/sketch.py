"""Estimate how many rows two data sets share, from a few kilobytes instead of the data.

A bottom-k sketch keeps the k smallest of the 64-bit hashes of all distinct rows. They are a uniform
sample of the rows, and the same sample for the same rows, so two sketches can be compared (Broder,
"On the resemblance and containment of documents", 1997). With k = 256 the standard error of the
share is at most 3.5 percentage points; sets of up to 256 distinct rows are compared exactly.

Whether rows are among others is asked to warn of it, so a lower limit is the answer: that of the
score interval (Wilson, "Probable inference, the law of succession, and statistical inference",
1927). Of a small set only a few rows may be in the sample of a large one.
"""

from __future__ import annotations

import heapq
from base64 import b64decode, b64encode
from collections.abc import Iterable
from math import sqrt
from typing import Annotated

import msgspec

_K = 256
_BYTES = 8
_Z = 1.645
"""The quantile of the normal distribution for a limit that holds in 95% of cases."""


class Sketch(msgspec.Struct, frozen=True):
    """The sketch of one data set: its number of distinct rows, and their k smallest hashes.

    Attributes:
        distinct: number of distinct (text, label) rows.
        hashes: base64 of the hashes, 8 bytes each, big-endian, ascending.
    """

    distinct: Annotated[int, msgspec.Meta(ge=0, le=2**62)]
    hashes: str

    def __post_init__(self) -> None:
        if len(b64decode(self.hashes, validate=True)) != _BYTES * min(self.distinct, _K):
            raise ValueError(f"A sketch has {_BYTES} bytes for each row up to {_K}")

    @classmethod
    def from_rows(cls, texts: Iterable[str], labels: Iterable[str]) -> Sketch:
        """Sketch the rows of a data set; their order does not matter."""
        from hashlib import blake2b  # deferred: it loads OpenSSL

        rows = {
            blake2b(
                f"{label}\0{text}".encode("utf-8", "surrogatepass"), digest_size=_BYTES
            ).digest()
            for text, label in zip(texts, labels, strict=True)
        }
        return cls(len(rows), b64encode(b"".join(heapq.nsmallest(_K, rows))).decode())

    @property
    def is_exact(self) -> bool:
        """Whether it has the hashes of all rows, so that nothing is estimated."""
        return self.distinct <= _K

    def overlap(self, other: Sketch) -> float:
        """Return the share of the larger set's rows that both have (estimated, 0 to 1)."""
        larger = max(self.distinct, other.distinct)
        return self.shared_rows(other) / larger if larger else 1.0

    def shared_rows(self, other: Sketch) -> float:
        """Return the number of distinct rows that both have (estimated; exact for small sets)."""
        mine, theirs = self._samples(other)
        if not mine | theirs:
            return 0.0
        resemblance = len(mine & theirs) / len(mine | theirs)
        both = resemblance * (self.distinct + other.distinct) / (1 + resemblance)
        return min(both, self.distinct, other.distinct)

    def containment_in(self, other: Sketch) -> float:
        """Return the share of this set's rows that the other has at least (0 to 1).

        It is exact if both sets are small or the same, and otherwise a limit that holds in 95% of
        cases.
        """
        mine, theirs = self._samples(other)
        if not mine:
            return 0.0
        share = len(mine & theirs) / len(mine)
        is_exact = self == other or (self.is_exact and other.is_exact)
        return share if is_exact else _lower_limit(share, len(mine))

    def _samples(self, other: Sketch) -> tuple[set[bytes], set[bytes]]:
        limit = min(self._limit(), other._limit())
        return self._sample(limit), other._sample(limit)

    def _limit(self) -> bytes:
        """Return the hash up to which every row of the data set is in the sample."""
        return b64decode(self.hashes)[-_BYTES:] if not self.is_exact else b"\xff" * _BYTES

    def _sample(self, limit: bytes) -> set[bytes]:
        packed = b64decode(self.hashes)
        hashes = (packed[i : i + _BYTES] for i in range(0, len(packed), _BYTES))
        return {row for row in hashes if row <= limit}


def _lower_limit(share: float, rows: int) -> float:
    """Return the lower limit of a share that was observed in a sample of rows."""
    z = _Z**2 / rows
    spread = _Z * sqrt(share * (1 - share) / rows + z / (4 * rows))
    return max(0.0, (share + z / 2 - spread) / (1 + z))

"""Estimate how many rows two data sets share, from a few kilobytes instead of the data.

A bottom-k sketch keeps the k smallest of the 64-bit hashes of all distinct rows. They are a uniform
sample of the rows, and the same sample for the same rows, so two sketches can be compared (Broder,
"On the resemblance and containment of documents", 1997). With k = 256 the standard error of the
share is at most 3.5 percentage points; sets of up to 256 distinct rows are compared exactly.
"""

from __future__ import annotations

import heapq
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Annotated

import msgspec

_K = 256
_BYTES = 8


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
        """Return the share of this set's rows that the other also has (estimated, 0 to 1)."""
        mine, theirs = self._samples(other)
        return len(mine & theirs) / len(mine) if mine else 0.0

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

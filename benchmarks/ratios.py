"""How many times as fast, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Self

from benchmarks.children import Measured

_CLEAR = 10
"""From here on a ratio says enough without a decimal."""


@dataclass(frozen=True)
class Ratio:
    """The ratio of the medians, and the smallest and the largest ratio of one pair of runs."""

    medians: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, theirs: Sequence[float], ours: Sequence[float]) -> Self:
        """How many times ours theirs is; the runs are pairs."""
        pairs = [their / our for their, our in zip(theirs, ours, strict=True)]
        return cls(median(theirs) / median(ours), min(pairs), max(pairs))

    def __str__(self) -> str:
        digits = 0 if self.lowest >= _CLEAR else 1
        spread = f"{self.lowest:.{digits}f}–{self.highest:.{digits}f}"
        return f"{self.medians:.{digits}f} ({spread})"


@dataclass(frozen=True)
class Side:
    """One side's wall times in seconds and peak memories in bytes, run by run."""

    seconds: Sequence[float]
    peak_bytes: Sequence[int]

    @classmethod
    def of(cls, runs: Sequence[Measured[Any]]) -> Self:
        """The measurements without what was computed."""
        return cls([run.seconds for run in runs], [run.peak_bytes for run in runs])

    @property
    def time(self) -> str:
        """The median, for a table."""
        return f"{median(self.seconds):,.2f} s"

    @property
    def memory(self) -> str:
        """The largest, for a table."""
        return f"{max(self.peak_bytes) / 2**20:,.0f} MiB"

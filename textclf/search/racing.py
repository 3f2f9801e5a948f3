"""Racing: candidates that are clearly behind after some folds do not run the others."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Hits = NDArray[np.bool_]

_BEHIND = 3.0
"""Standard deviations; two candidates that are equally good get there once in 700 comparisons."""


class Race:
    """Who is still in the race.

    After each round every candidate is compared with the leader on the rows that both were scored
    on, by McNemar's test: of the rows that only one of them got right, about half are the leader's
    if there is no difference (Q. McNemar 1947; racing: O. Maron and A. Moore, "Hoeffding races",
    NIPS 1993). It may give up the one that would have won in the end, which an exact search cannot.

    Attributes:
        running: numbers of the candidates.
    """

    def __init__(self, candidates: int) -> None:
        self.running = set(range(candidates))
        self._hits: dict[int, dict[int, Hits]] = {number: {} for number in self.running}

    def add(self, candidate: int, fold: int, hits: Hits | None) -> None:
        """Note which rows of a fold it got right; ``None`` if it could not be fitted."""
        if hits is not None:
            self._hits[candidate][fold] = hits

    def drop(self) -> None:
        """Give up those that are clearly behind the leader."""
        hits = {number: _joined(self._hits[number]) for number in self.running}
        leader = max(hits, key=lambda number: (hits[number].sum(), -number))
        self.running = {
            number
            for number, theirs in hits.items()
            if len(theirs) != len(hits[leader]) or _lead(hits[leader], theirs) < _BEHIND
        }


def _joined(folds: Mapping[int, Hits]) -> Hits:
    return np.concatenate([np.zeros(0, bool), *(folds[fold] for fold in sorted(folds))])


def _lead(leader: Hits, other: Hits) -> float:
    """How far ahead of chance the leader is, in standard deviations."""
    won, lost = int((leader & ~other).sum()), int((other & ~leader).sum())
    return (won - lost) / math.sqrt(max(won + lost, 1))

"""Racing: candidates that are clearly behind after some folds skip the remaining folds."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Correct = NDArray[np.bool_]

_CLEARLY_BEHIND = 3.0
"""Standard deviations; of two equally good candidates one is that far behind once in 700 times."""


class Race:
    """The candidates that are still in the race.

    After each round every candidate is compared with the leader on the rows that both were scored
    on, by McNemar's test: of the rows that only one of them labelled correctly, about half are the
    leader's if the two are equally good (Q. McNemar 1947; racing: O. Maron and A. Moore, "Hoeffding
    races", NIPS 1993). Unlike an exact search, a race may drop the candidate that would have won.

    Each doubling of the leader's cost takes one standard deviation off what a candidate may be
    behind: at eight times the cost it has to lead. Costs are counted, not timed, so that a race
    ends in the same way on any machine.

    Attributes:
        running: the numbers of the candidates that have not been dropped.
    """

    def __init__(self, candidates: int) -> None:
        self.running = set(range(candidates))
        self._correct: dict[int, dict[int, Correct]] = {number: {} for number in self.running}
        self._costs = dict.fromkeys(self.running, 0.0)

    def record(self, candidate: int, fold: int, correct: Correct | None, cost: float = 0.0) -> None:
        """Record which rows of a fold a candidate got right; ``None`` if it could not be fitted."""
        if correct is not None:
            self._correct[candidate][fold] = correct
            self._costs[candidate] += cost

    def eliminate(self) -> None:
        """Drop the candidates that are clearly behind the leader."""
        correct = {number: _over_folds(self._correct[number]) for number in self.running}
        leader = max(correct, key=lambda number: (correct[number].sum(), -number))
        self.running = {
            number
            for number, own in correct.items()
            if number == leader
            or len(own) != len(correct[leader])
            or _lead(correct[leader], own) < self._allowed(number, leader)
        }

    def _allowed(self, number: int, leader: int) -> float:
        """How many standard deviations a candidate may be behind the leader."""
        ratio = self._costs[number] / max(self._costs[leader], 1.0)
        return _CLEARLY_BEHIND - math.log2(max(ratio, 1.0))


def _over_folds(folds: Mapping[int, Correct]) -> Correct:
    return np.concatenate([np.zeros(0, bool), *(folds[fold] for fold in sorted(folds))])


def _lead(leader: Correct, other: Correct) -> float:
    """The lead over the other beyond chance, in standard deviations."""
    won, lost = int((leader & ~other).sum()), int((other & ~leader).sum())
    return (won - lost) / math.sqrt(max(won + lost, 1))

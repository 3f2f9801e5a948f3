"""The results of a search: one record for each candidate, the winner, its held-out decisions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.errors import DataError
from textclf.metadata.schema import Candidate
from textclf.search.calibration import align_decisions
from textclf.search.fit import Fold, FoldResult
from textclf.search.space import CandidateParams


def summarize(
    candidates: Sequence[CandidateParams], results: Iterable[FoldResult]
) -> list[Candidate]:
    """Collect the results of each candidate over its folds, in the order of the candidates."""
    by_candidate: list[list[FoldResult]] = [[] for _ in candidates]
    for result in results:
        by_candidate[result.candidate].append(result)
    return [
        _summary(candidate, sorted(own, key=lambda result: result.fold))
        for candidate, own in zip(candidates, by_candidate, strict=True)
    ]


def _summary(candidate: CandidateParams, results: Sequence[FoldResult]) -> Candidate:
    scores = [result.score for result in results]
    return Candidate(
        params=candidate.flattened(),
        mean=_number(np.mean(scores)),
        std=_number(np.std(scores)),
        fold_scores=[_number(score) for score in scores],
        accuracy=_number(np.mean([result.accuracy for result in results])),
        fit_seconds=round(float(np.mean([result.seconds for result in results])), 4),
        notes=list(dict.fromkeys(line for result in results for line in result.warnings)),
    )


def _number(value: Any) -> float | None:
    """A number for JSON, which has no NaN."""
    return None if math.isnan(value) else float(value)


def best(candidates: Sequence[Candidate]) -> int:
    """Find the winner: the highest mean score, the first of equals, as in GridSearchCV.

    A candidate that was dropped from a race, and so has fewer fold scores than others, cannot win.

    Returns:
        The number of the winner.

    Raises:
        DataError: no candidate could be fitted.
    """
    folds = max((len(candidate.fold_scores) for candidate in candidates), default=0)
    scored = [
        (candidate.mean, -number)
        for number, candidate in enumerate(candidates)
        if candidate.mean is not None and len(candidate.fold_scores) == folds
    ]
    if not scored:
        notes = (note for candidate in candidates for note in candidate.notes)
        reason = next(notes, "no reason given")
        raise DataError(f"no candidate of the search space could be fitted: {reason}")
    return -max(scored)[1]


class WinnerDecisions:
    """Keeps the held-out decision values of the leading candidate while a search runs.

    Decision values are large, so those of a candidate are released as soon as it is beaten.

    Args:
        labels: the labels of the rows searched.
        folds: the folds of the search.
        in_rounds: whether the search goes fold by fold, as a race does, so that a candidate
            without a result in one round has none in the next.
    """

    def __init__(
        self, labels: NDArray[np.str_], folds: Sequence[Fold], *, in_rounds: bool = False
    ) -> None:
        self._classes = np.unique(labels)
        self._known_classes = [np.unique(labels[train]) for train, _ in folds]
        self._in_rounds, self._round = in_rounds, 0
        self._pending: dict[int, list[FoldResult]] = {}
        self._leader: list[FoldResult] = []
        self._highest = (-math.inf, 0)

    def collect(self, results: Iterable[FoldResult]) -> Iterator[FoldResult]:
        """Pass results on without their decision values."""
        for result in results:
            if self._in_rounds and result.fold > self._round:
                self._start_round(result.fold)
            own = self._pending.setdefault(result.candidate, [])
            own.append(result)
            if len(own) == len(self._known_classes):
                self._compare(self._pending.pop(result.candidate))
            yield replace(result, decisions=None)

    def of_winner(self, candidate: int) -> NDArray[np.floating[Any]] | None:
        """Concatenate the winner's decision values for all held-out rows, fold by fold.

        Returns:
            (rows,) for two labels, else (rows, labels); ``None`` if the candidate has none.

        Raises:
            LookupError: the candidate is not the winner.
        """
        if not self._leader or self._leader[0].candidate != candidate:
            raise LookupError(f"candidate {candidate} is not the leader")
        decisions = [
            align_decisions(result.decisions, self._known_classes[result.fold], self._classes)
            for result in self._leader
            if result.decisions is not None
        ]
        return np.concatenate(decisions) if len(decisions) == len(self._known_classes) else None

    def _start_round(self, fold: int) -> None:
        self._round = fold
        self._pending = {n: own for n, own in self._pending.items() if len(own) >= fold}

    def _compare(self, results: list[FoldResult]) -> None:
        results.sort(key=lambda result: result.fold)  # rounding of the mean depends on the order
        reached = float(np.mean([result.score for result in results])), -results[0].candidate
        if reached > self._highest and not math.isnan(reached[0]):
            self._leader, self._highest = results, reached

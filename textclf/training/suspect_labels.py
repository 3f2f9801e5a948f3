"""Find rows whose label may be wrong: those that a model trained on other rows contradicts.

The model is cross-validated, so that each row is judged by one that has not seen it. Confident
learning (C. Northcutt, L. Jiang and I. Chuang, "Confident learning: estimating uncertainty in
dataset labels", Journal of Artificial Intelligence Research 70, 2021) tells how many are probably
wrong. Rows are ranked by the probability of their own label, as it ranks those of one label ("prune
by class"): that finds more errors than the normalised margin of the rows that it finds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from textclf.data.dataset import Dataset
from textclf.data.near_duplicates import distinct_words
from textclf.errors import DataError
from textclf.search.held_out import folds_of_groups, held_out_probabilities
from textclf.search.space import CandidateParams, list_candidates, preset_space
from textclf.search.writing import Writing

_C: Final = 0.3
"""The cost of errors of the classifier: low, so that it does not learn wrong labels by heart."""

_SEED: Final = 0
"""Of the folds and of the classifier."""

Probabilities = NDArray[np.floating[Any]]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class SuspectLabel:
    """A row whose label may be wrong.

    Attributes:
        row: its number in the data set.
        predicted: the label that it seems to have.
        score: the probability of that label (0 to 1), by a model of the other rows; or the share of
            the rows with the same text that have it.
        confidence: the same of the row's own label.
        same_text: the number of a row with the same text that has the label ``predicted``, if that
            is why; else ``None``.
    """

    row: int
    predicted: str
    score: float
    confidence: float
    same_text: int | None = None


@dataclass(frozen=True)
class SuspectLabels:
    """The rows of a data set whose label may be wrong.

    Attributes:
        rows: these rows, the most suspect first: those whose text has another label more often,
            then those that a model of the other rows contradicts, by ``confidence``.
        judged: how many rows were judged.
        confident: how many of them confident learning finds.
    """

    rows: tuple[SuspectLabel, ...]
    judged: int
    confident: int


def find_suspect_labels(data: Dataset, *, folds: int) -> SuspectLabels:
    """Rank the rows whose label the other rows contradict.

    Rows with the same words are held out together, so that a repeated row does not confirm its own
    label. Rows of which no other row has the label, or any word, are not judged.

    Args:
        data: the rows.
        folds: the number of folds of the cross-validation.


    Raises:
        DataError: there are too few rows or labels to train on a part of them.
    """
    groups = [distinct_words(text) for text in data.texts]
    rows = _judgeable(data.labels, groups)
    labels = np.asarray([data.labels[row] for row in rows])
    probabilities = held_out_probabilities(
        [data.texts[row] for row in rows],
        labels,
        _candidate(data.texts),
        folds_of_groups(labels, [groups[row] for row in rows], folds, _SEED),
        seed=_SEED,
        jobs=None,
    )
    judgement = _Judgement(rows, *np.unique(labels, return_inverse=True), probabilities)
    repeated = {suspect.row: suspect for suspect in judgement.differently_repeated(data.texts)}
    contradicted = {suspect.row: suspect for suspect in judgement.contradicted()}
    suspects = sorted((contradicted | repeated).values(), key=_rank)
    return SuspectLabels(
        tuple(suspects), int(judgement.judged.sum()), judgement.confidently_contradicted()
    )


def _judgeable(labels: Sequence[str], groups: Sequence[str]) -> Rows:
    """Return the rows with a label that several texts have. Raises DataError."""
    texts_of = Counter(label for label, _ in set(zip(labels, groups, strict=True)))
    known = {label for label, texts in texts_of.items() if texts > 1}
    if len(known) < 2:  # noqa: PLR2004 - one is no choice
        raise DataError("to judge labels takes two labels or more, each with two texts or more")
    return np.asarray([row for row, label in enumerate(labels) if label in known])


def _candidate(texts: Sequence[str]) -> CandidateParams:
    """Return what judges the labels: a preset's features and a classifier for wrong labels.

    The features are word n-grams or, where enough is written without spaces, character n-grams.
    """
    candidates = list_candidates(preset_space("fast", Writing.from_texts(texts)))
    return [one for one in candidates if one.settings == {"C": _C}][-1]


@dataclass(frozen=True)
class _Judgement:
    """Rows with the probability of each label.

    Attributes:
        rows: their numbers in the data set.
        names: the labels.
        given: the number of each row's own label.
        probabilities: (rows, labels); NaN for rows that are not judged.
    """

    rows: Rows
    names: NDArray[np.str_]
    given: Rows
    probabilities: Probabilities

    @cached_property
    def own(self) -> Probabilities:
        """The probability of each row's own label."""
        return self.probabilities[np.arange(len(self.rows)), self.given]

    @cached_property
    def judged(self) -> NDArray[np.bool_]:
        """Whether each row is judged."""
        return ~np.isnan(self.own)

    def confidently_contradicted(self) -> int:
        """Return how many contradicted rows are off the diagonal of the confident joint.

        There a row counts for the most probable of the labels that are as probable as they are on
        average for the rows that have them.
        """
        given, own = self.given[self.judged], self.own[self.judged]
        rows = np.bincount(given, minlength=len(self.names))
        means = np.bincount(given, own, len(self.names)) / np.maximum(rows, 1)
        confident = np.where(self.probabilities >= means, self.probabilities, -1)
        is_counted = confident.max(axis=1) >= 0
        return int((self.differs & is_counted & (confident.argmax(axis=1) != self.given)).sum())

    @cached_property
    def predicted(self) -> Rows:
        """The number of the most probable label of each row."""
        predicted: Rows = self.probabilities.argmax(axis=1)
        return predicted

    @cached_property
    def differs(self) -> NDArray[np.bool_]:
        """Whether each row is judged, and another label than its own is the most probable."""
        differs: NDArray[np.bool_] = self.judged & (self.predicted != self.given)
        return differs

    def contradicted(self) -> Iterator[SuspectLabel]:
        """Yield the rows of which another label is the most probable."""
        for index in np.flatnonzero(self.differs).tolist():
            label = self.predicted[index]
            score = float(self.probabilities[index, label])
            yield self._suspect(index, label, score, float(self.own[index]))

    def differently_repeated(self, texts: Sequence[str]) -> Iterator[SuspectLabel]:
        """Yield the rows whose text has another label more often, or as often and more probably."""
        having: dict[str, list[int]] = {}
        for index, row in enumerate(self.rows):
            having.setdefault(texts[row], []).append(index)
        for same in having.values():
            counts = Counter(self.given[index] for index in same)
            if len(counts) > 1:
                shares = np.nan_to_num(self.probabilities[same[0]])
                right = max(counts, key=lambda label: (counts[label], shares[label]))
                score = counts[right] / len(same)
                witness = next(index for index in same if self.given[index] == right)
                for index in same:
                    if (label := self.given[index]) != right:
                        own = counts[label] / len(same)
                        yield self._suspect(index, right, score, own, int(self.rows[witness]))

    def _suspect(
        self, index: int, label: int, score: float, own: float, same_text: int | None = None
    ) -> SuspectLabel:
        return SuspectLabel(int(self.rows[index]), str(self.names[label]), score, own, same_text)


def _rank(suspect: SuspectLabel) -> tuple[bool, float, int]:
    """Return what suspect labels are sorted by, the most suspect first."""
    return suspect.same_text is None, suspect.confidence, suspect.row

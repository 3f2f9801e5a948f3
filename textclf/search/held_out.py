"""What a candidate says about each row when it has been fitted on others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.features.counts import Counts
from textclf.features.tfidf import CountCache
from textclf.search.calibration import probabilities_of
from textclf.search.fit import Fold
from textclf.search.grid_search import grid_search, stratified_folds
from textclf.search.results import WinnerDecisions, best, summarize
from textclf.search.space import CandidateParams


def held_out_probabilities(  # noqa: PLR0913 - the settings of a search
    texts: Sequence[str],
    labels: NDArray[np.str_],
    candidate: CandidateParams,
    folds: Sequence[Fold],
    *,
    seed: int = 0,
    jobs: int | None = None,
) -> NDArray[np.floating[Any]]:
    """Return the calibrated probability of each label for each row, by a model of other rows.

    Args:
        texts: the texts.
        labels: their labels, as many.
        candidate: features and a classifier that has decision values.
        folds: pairs of row numbers, to train and to judge, in which each row is judged once.
        seed: the random state of the classifier.
        jobs: the number of fits at once; ``None`` is one for each core.

    Returns:
        (rows, labels), the labels in sorted order; NaN for rows that the model of the other rows
        cannot judge, because none of those has their label, or any of their n-grams.

    Raises:
        DataError: the candidate cannot be fitted.
    """
    cache = CountCache.from_texts(texts, [candidate.features])
    decisions = WinnerDecisions(labels, folds)
    fits = grid_search(
        texts, labels, [candidate], folds, scoring="accuracy", seed=seed, jobs=jobs, cache=cache
    )
    best(summarize([candidate], decisions.collect(fits)))  # which raises if there is none
    values = decisions.of_winner(0)
    assert values is not None, "the classifier has decision values"
    rows = np.concatenate([held_out for _, held_out in folds])
    numbers = np.unique(labels, return_inverse=True)[1][rows]
    probabilities = probabilities_of(values, numbers)
    if values.ndim > 1:
        probabilities[values[np.arange(len(rows)), numbers] == -np.inf] = np.nan
    probabilities = probabilities[np.argsort(rows)]
    known = _has_known_ngrams(cache.counts_for(candidate.features), folds)
    probabilities[~known] = np.nan
    return probabilities


def _has_known_ngrams(counts: Sequence[Counts], folds: Sequence[Fold]) -> NDArray[np.bool_]:
    """Return for each row whether one of its n-grams is in the rows of the other folds."""
    known = np.zeros(counts[0].rows, bool)
    for table in counts:
        row_of = np.repeat(np.arange(table.rows), np.diff(table.indptr))
        for train, _ in folds:
            in_train, learned = np.zeros(table.rows, bool), np.zeros(table.columns, bool)
            in_train[train] = True
            learned[table.indices[in_train[row_of]]] = True
            is_known = learned[table.indices] & ~in_train[row_of]
            known[row_of[is_known]] = True
    return known


def folds_of_groups(
    labels: NDArray[np.str_], groups: Sequence[str], folds: int, seed: int
) -> list[Fold]:
    """Split rows into stratified folds that leave groups together.

    Args:
        labels: the label of each row; a group has that of its first row.
        groups: the group of each row.
        folds: the number of folds.
        seed: it shuffles the rows.

    Raises:
        DataError: every label has fewer groups than there are folds.
    """
    first: dict[str, int] = {}
    leaders = np.asarray([first.setdefault(group, row) for row, group in enumerate(groups)])
    distinct = np.unique(leaders)
    fold_of = np.empty(len(leaders), np.intp)
    for number, (_, chosen) in enumerate(
        stratified_folds(labels[distinct], folds, seed, "different texts")
    ):
        fold_of[distinct[chosen]] = number
    fold_of = fold_of[leaders]
    return [
        (np.flatnonzero(fold_of != number), np.flatnonzero(fold_of == number))
        for number in range(folds)
    ]

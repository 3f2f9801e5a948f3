"""The winner of a search, and the decision values that are kept of it."""

import gc
import math
import weakref

import numpy as np
import pytest
from search_oracle import FOLDS, ours

from textclf.errors import DataError
from textclf.search.fit import FoldResult
from textclf.search.grid_search import stratified_folds
from textclf.search.results import WinnerDecisions, best, summarize
from textclf.search.space import CandidateParams


def test_of_equals_the_first_candidate_wins(sample):
    """A tie goes to the candidate that stands first, as in GridSearchCV."""
    twin = CandidateParams({"word": {}}, "ComplementNB", {"alpha": 1})
    assert best(ours(sample, [twin, twin, twin])) == 0


def test_a_candidate_that_cannot_be_fitted_loses_and_says_why(sample):
    """As in GridSearchCV, a failed fit scores nothing and the search goes on."""
    bad = CandidateParams({"word": {"min_df": 5000}}, "ComplementNB", {})
    good = CandidateParams({"word": {}}, "ComplementNB", {})
    found = ours(sample, [bad, good])
    assert found[0].mean is None
    assert found[0].fold_scores == [None] * FOLDS
    assert "min_df" in found[0].notes[0]
    assert best(found) == 1


def test_no_candidate_at_all_is_an_error_with_the_reason(sample):
    """Where every candidate fails, the first reason is the answer."""
    found = ours(sample, [CandidateParams({"word": {"min_df": 5000}}, "ComplementNB", {})])
    with pytest.raises(DataError, match="min_df"):
        best(found)


def fits_of(means, folds, order):
    """Fits with decision values that tell of which candidate and fold they are."""
    for candidate, fold in order:
        values = np.full(len(folds[fold][1]), 10 * candidate + fold, np.float32)
        yield FoldResult(candidate, fold, means[candidate][fold], 0.1, decisions=values)


@pytest.mark.parametrize("order", ["by candidate", "by fold", "shuffled"])
@pytest.mark.parametrize(
    "means", [[[0.1, 0.2, 0.3], [0.3, 0.1, 0.2]], [[math.nan] * 3, [0.7] * 3, [0.7] * 3]]
)
def test_the_decisions_kept_are_those_of_the_winner(order, means):
    """Whatever order fits come in, of equals the first, and never one that could not be fitted."""
    labels = np.array(["a", "b"] * 6)
    folds = stratified_folds(labels, 3, 7)
    every = [(candidate, fold) for candidate in range(len(means)) for fold in range(3)]
    if order == "by fold":
        every.sort(key=lambda one: one[1])
    if order == "shuffled":
        np.random.default_rng(0).shuffle(every)
    kept = WinnerDecisions(labels, folds)
    candidates = [
        CandidateParams({"word": {}}, "LinearSVC", {"C": n + 1}) for n in range(len(means))
    ]
    winner = best(summarize(candidates, kept.collect(fits_of(means, folds, every))))
    of_folds = np.split(kept.of_winner(winner), 3)
    assert [set(values.tolist()) for values in of_folds] == [{10 * winner + k} for k in range(3)]
    with pytest.raises(LookupError):
        kept.of_winner(winner + 1)


@pytest.mark.parametrize("in_rounds", [True, False])
def test_decisions_that_are_no_longer_needed_are_released(in_rounds):
    """Only those of the leader stay, none of beaten or dropped candidates: they are large."""
    labels = np.array(["a", "b"] * 6)
    folds = stratified_folds(labels, 3, 7)
    order = [(candidate, fold) for candidate in range(50) for fold in range(3)]
    if in_rounds:  # 1 and 2 run all rounds, the others one
        order = [(candidate, 0) for candidate in range(50)] + [(1, 1), (2, 1), (1, 2), (2, 2)]
    alive = []

    def watched():
        for fit in fits_of([[0.5] * 3] * 50, folds, order):
            alive.append(weakref.ref(fit.decisions))
            yield fit

    kept = WinnerDecisions(labels, folds, in_rounds=in_rounds)
    most = [sum(ref() is not None for ref in alive) for _ in kept.collect(watched())]
    gc.collect()
    assert sum(ref() is not None for ref in alive) == 3
    assert max(most[52:] if in_rounds else most) <= 7

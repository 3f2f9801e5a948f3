"""Racing: candidates that are clearly behind skip the remaining folds."""

import numpy as np
import pytest
from sample_data import sample_rows

from textclf.search.grid_search import grid_search, stratified_folds
from textclf.search.racing import Race
from textclf.search.results import best, summarize
from textclf.search.space import SpaceSource, list_candidates, parse_space


def first_correct(right, rows=200):
    return np.arange(rows) < right


def test_a_candidate_clearly_behind_is_dropped():
    """With 180 of 200 rows correct for the leader, 120 are too few to stay, and 178 enough."""
    race = Race(3)
    for candidate, right in enumerate((178, 180, 120)):
        race.record(candidate, 0, first_correct(right))
    race.eliminate()
    assert race.running == {0, 1}


def test_what_counts_is_the_rows_that_only_one_has_right():
    """Candidates with equal scores are both kept, however different the rows they get right."""
    race = Race(2)
    race.record(0, 0, first_correct(100))
    race.record(1, 0, ~first_correct(100))
    race.eliminate()
    assert race.running == {0, 1}


def test_evidence_adds_up_over_folds():
    """A lead that is too small on one fold is enough when it comes again and again."""
    race = Race(2)
    for fold in range(3):
        race.record(0, fold, first_correct(106))
        race.record(1, fold, first_correct(100))
        race.eliminate()
        assert race.running == ({0, 1} if fold == 0 else {0})


@pytest.mark.parametrize(
    ("cost", "behind", "stays"),
    [(1, 8, True), (2, 3, True), (2, 4, False), (4, 0, True), (8, 0, False), (0.125, 8, True)],
)
def test_what_costs_twice_as_much_may_be_one_standard_deviation_less_behind(cost, behind, stays):
    """A lead of n rows that only the leader has right is the root of n standard deviations."""
    race = Race(2)
    race.record(0, 0, first_correct(180), 1e9)
    race.record(1, 0, first_correct(180 - behind), cost * 1e9)
    race.eliminate()
    assert race.running == ({0, 1} if stays else {0})


def test_a_candidate_without_a_result_is_not_compared():
    """A candidate that could not be fitted is neither the leader nor compared with it."""
    race = Race(2)
    race.record(0, 0, None)
    race.record(1, 0, first_correct(10))
    race.eliminate()
    assert race.running == {0, 1}


@pytest.fixture(scope="module")
def sample():
    return sample_rows()


SPACE = """
    [features.word]
    ngram_range = [[1, 1], [1, 2]]
    [classifier.LinearSVC]
    C = [0.0001, 1]
    [classifier.ComplementNB]
    alpha = [1, 1000]
"""


def test_a_race_has_the_exact_search_s_winner_and_scores_in_fewer_fits(sample):
    """Candidates that run all folds have the exact scores; hopeless ones run fewer."""
    texts, labels = sample
    candidates = list_candidates(parse_space(SpaceSource("race", SPACE)))
    folds = stratified_folds(labels, 5, seed=0)
    found = {
        method: summarize(
            candidates,
            grid_search(
                texts, labels, candidates, folds, scoring="accuracy", seed=0, method=method
            ),
        )
        for method in ("exact", "race")
    }
    exact, race = found["exact"], found["race"]
    assert best(exact) == best(race)
    assert all(
        r.fold_scores == e.fold_scores[: len(r.fold_scores)]
        for r, e in zip(race, exact, strict=True)
    )
    fits = {method: sum(len(c.fold_scores) for c in found[method]) for method in found}
    assert fits["race"] < 0.8 * fits["exact"]
    assert race[best(race)].mean == exact[best(exact)].mean


def test_a_dropped_candidate_does_not_win(sample):
    """A high mean over fewer folds does not count."""
    candidates = list_candidates(parse_space(SpaceSource("race", SPACE)))
    texts, labels = sample
    folds = stratified_folds(labels, 3, seed=0)
    fits = list(grid_search(texts, labels, candidates[:2], folds, scoring="accuracy", seed=0))
    short = [fit for fit in fits if fit.candidate == 1 or fit.fold == 0]
    assert best(summarize(candidates[:2], short)) == 1

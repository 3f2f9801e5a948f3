"""Fits of candidates on a fold, against scikit-learn on the same rows."""

import math
import warnings

import numpy as np
import pytest
from search_oracle import FOLDS, found_scores, ours, relabelled, rows_of_phrases, theirs
from waiting import wait_until

from textclf.features.tfidf import CountCache
from textclf.search.estimators import build_pipeline
from textclf.search.grid_search import grid_search, stratified_folds
from textclf.search.refit import refit
from textclf.search.results import best
from textclf.search.space import CandidateParams, SpaceSource, list_candidates, parse_space


def test_any_failure_of_a_fit_loses_only_its_candidate(sample):
    """A combination that ends in a TypeError scores nothing, as in GridSearchCV."""
    odd = CandidateParams(
        {"word": {}}, "RidgeClassifier", {"solver": "svd", "fit_intercept": False}
    )
    good = CandidateParams({"word": {}}, "ComplementNB", {})
    assert best(ours(sample, [odd, good])) == 1


def test_a_candidate_that_cannot_be_scored_loses(sample, monkeypatch):
    """Where the scorer fails, the score is missing and the reason kept, as in GridSearchCV."""

    def refuse(*_):
        raise ValueError("not for these labels")

    monkeypatch.setattr("textclf.search.fit.get_scorer", lambda _: refuse)
    [found] = ours(sample, [CandidateParams({"word": {}}, "ComplementNB", {})], scoring="f1_macro")
    assert found.mean is None
    assert found.notes == ["not for these labels"]


@pytest.mark.parametrize("pattern", [r"\w+ \w+", r"\S+\s*", "(?s)."])
def test_tokens_that_hold_spaces_are_left_to_scikit_learn(sample, pattern):
    """A pattern whose n-grams cannot be warned apart is left to scikit-learn, and is right."""
    candidates = [
        CandidateParams(
            {"word": {"token_pattern": pattern, "ngram_range": [1, 2]}}, "LinearSVC", {"C": cost}
        )
        for cost in (0.1, 1)
    ]
    folds = stratified_folds(sample[1], 2, 7)
    scores, found = found_scores(sample, candidates, folds)
    assert scores == theirs(sample, candidates, folds)
    assert not any(candidate.notes for candidate in found)


@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro"])
def test_a_label_may_be_missing_from_a_training_fold(sample, scoring):
    """Rows of a label that was not trained on are wrong; with one label left no model is."""
    labels = np.array(sample[1])
    rows = np.arange(len(labels))
    missing = np.flatnonzero(labels == "neutral")
    lonely = np.flatnonzero(labels == "positive")
    folds = [(np.setdiff1d(rows, missing), missing), (rows[::2], rows[1::2]), (lonely, rows[:50])]
    candidates = [
        CandidateParams({"word": {"min_df": 2}}, name, {})
        for name in ("LinearSVC", "ComplementNB", "RidgeClassifier", "LogisticRegression")
    ]
    scores, found = found_scores(sample, candidates, folds, scoring=scoring)
    for mine, expected in zip(scores, theirs(sample, candidates, folds, scoring), strict=True):
        assert mine == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert scores[0][0] == 0
    assert math.isnan(scores[0][2])
    assert any("class" in note for note in found[0].notes)


def test_correct_rows_and_decisions_are_those_of_the_fitted_model(sample):
    """Results hold which held-out rows were labelled correctly, and their decision values."""
    texts, labels = np.array(sample[0], object), np.array(sample[1])
    candidates = [CandidateParams({"word": {}}, name, {}) for name in ("LinearSVC", "ComplementNB")]
    folds = stratified_folds(sample[1], 3, 7)
    fits = grid_search(*sample, candidates, folds, scoring="accuracy", seed=7, jobs=1)
    for fit in fits:
        train, held = folds[fit.fold]
        model = build_pipeline(candidates[fit.candidate], 7).fit(texts[train], labels[train])
        assert fit.correct.tolist() == (model.predict(texts[held]) == labels[held]).tolist()
        assert fit.accuracy == fit.score
        if fit.candidate == 0:
            assert fit.decisions == pytest.approx(model.decision_function(texts[held]), abs=2e-2)
        else:
            assert fit.decisions is None


@pytest.mark.parametrize("tolerance", [1e-4, 2e-4])
def test_linear_svc_sees_the_shape_before_columns_were_merged(tolerance):
    """Many columns become fewer than there are rows, and it still solves the dual problem."""
    texts, labels = rows_of_phrases()
    point = CandidateParams({"word": {}}, "LinearSVC", {"C": 1000, "tol": tolerance})
    folds = stratified_folds(labels, 2, 7)
    for fit in grid_search(texts, labels, [point], folds, scoring="accuracy", seed=7, jobs=1):
        train, held = (np.array(texts, object)[rows] for rows in folds[fit.fold])
        model = build_pipeline(point, 7).fit(train, np.array(labels)[folds[fit.fold][0]])
        own = model.decision_function(held)
        assert fit.decisions == pytest.approx(own, abs=2e-2)
        model.set_params(classifier__dual=False).fit(train, np.array(labels)[folds[fit.fold][0]])
        assert abs(model.decision_function(held) - own).max() > 0.1


UNCONVERGED = [
    CandidateParams({"word": {}}, "LogisticRegression", {"max_iter": 1}),
    CandidateParams({"word": {}}, "LinearSVC", {"max_iter": 1}),
]


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("action", ["error", "ignore", "default"])
def test_warnings_are_kept_with_their_candidates(sample, jobs, action, capfd):
    """What scikit-learn warns of is kept with the candidate, never printed, and no error."""
    calm = CandidateParams({"word": {}}, "ComplementNB", {})
    apart = CandidateParams({"word": {"stop_words": ["isn't"]}}, "ComplementNB", {})
    with warnings.catch_warnings():
        warnings.simplefilter(action)
        before = warnings.showwarning, warnings.filters, list(warnings.filters)
        *hasty, warned, quiet = ours(sample, [*UNCONVERGED, apart, calm], jobs=jobs)
        assert (warnings.showwarning, warnings.filters, list(warnings.filters)) == before
    for candidate in hasty:
        assert [note for note in candidate.notes if "converge" in note]
    assert "stop_words" in warned.notes[0]
    assert quiet.notes == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_on_the_way_leaves_warnings_as_they_were(sample, jobs, monkeypatch):
    """What is no failure of a fit ends the search, and warnings are shown again."""

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("textclf.search.fit.get_scorer", lambda _: stop)
    before = warnings.showwarning, list(warnings.filters)
    with pytest.raises(KeyboardInterrupt):
        ours(sample, UNCONVERGED[:1] * 4, jobs=jobs, scoring="f1_macro")
    # a fit in another thread may still be under way
    wait_until(lambda: (warnings.showwarning, list(warnings.filters)) == before)


@pytest.mark.parametrize(
    "settings_of_bad",
    [{"class_weight": {"no such": 1}}, {"loss": "hinge", "dual": False}, {"C": -1.0}],
)
def test_a_failed_candidate_does_not_affect_the_others_of_its_group(sample, settings_of_bad):
    """Candidates share the matrices of a fold, but not their failures."""
    candidates = [
        CandidateParams({"word": {}}, "LinearSVC", {}),
        CandidateParams({"word": {}}, "LinearSVC", settings_of_bad),
        CandidateParams({"word": {}}, "LinearSVC", {"C": 0.1}),
    ]
    folds = stratified_folds(sample[1], 2, 7)
    scores, found = found_scores(sample, candidates, folds)
    expected = theirs(sample, candidates, folds)
    assert scores == [pytest.approx(one, abs=0, nan_ok=True) for one in expected]
    assert math.isnan(scores[1][0])
    assert found[1].notes
    assert not found[0].notes


def test_what_depends_on_the_column_order_gets_that_of_scikit_learn(sample):
    """Liblinear's answer to the l1 norm depends on it, so scikit-learn vectorizes the texts."""
    text = """
        [features.char_wb]
        ngram_range = [[2, 2]]
        [classifier.LinearSVC]
        penalty = ["l1", "l2"]
        dual = false
        tol = 0.01
    """
    texts, labels = sample
    candidates = list_candidates(parse_space(SpaceSource("grid", text)))
    found = ours(sample, candidates)
    x, y = np.array(texts, object), np.array(labels)
    for candidate, point in zip(found, candidates, strict=True):
        for score, (train, held) in zip(
            candidate.fold_scores, stratified_folds(labels, FOLDS, seed=7), strict=True
        ):
            assert score == build_pipeline(point, 7).fit(x[train], y[train]).score(x[held], y[held])


@pytest.mark.parametrize("labels", [2, 3])
def test_the_newer_name_of_the_l1_norm_is_known(sample, labels):
    """``l1_ratio = 1`` is that norm: the columns stay in scikit-learn's order."""
    texts, labels = sample[0][:120], relabelled(sample[0], sample[1], labels)[:120]
    settings_of_it = {"solver": "liblinear", "l1_ratio": 1, "C": 5, "tol": 0.05}
    candidates = [
        CandidateParams({"char_wb": {"ngram_range": [2, 2]}}, "LogisticRegression", settings_of_it),
        CandidateParams({"char_wb": {"ngram_range": [2, 2]}}, "LogisticRegression", {}),
    ]
    folds = stratified_folds(labels, 2, 7)
    assert found_scores((texts, labels), candidates, folds)[0] == [
        pytest.approx(one, abs=0, nan_ok=True) for one in theirs((texts, labels), candidates, folds)
    ]


def test_liblinear_draws_the_same_numbers_whatever_runs_beside_it(sample):
    """Fits in two threads are independent, although liblinear has one generator per process."""
    candidates = [
        CandidateParams({"word": {"min_df": df}}, "LinearSVC", given_settings | {"max_iter": 4})
        for df in (1, 2, 3)
        for given_settings in (
            {"penalty": "l1", "dual": False}, {"multi_class": "crammer_singer"},
            {"loss": "hinge"}, {"dual": False, "fit_intercept": False},
        )
    ]  # fmt: skip
    folds = stratified_folds(sample[1], 3, 7)

    def decisions(jobs):
        fits = grid_search(*sample, candidates, folds, scoring="accuracy", seed=7, jobs=jobs)
        return {(fit.candidate, fit.fold): fit.decisions.tolist() for fit in fits}

    alone = decisions(1)
    assert len(alone) == len(candidates) * 3
    for _ in range(3):
        assert decisions(2) == alone


def test_ridge_uses_the_solver_that_it_uses_on_all_columns():
    """Ridge chooses a solver by the shape, and ``max_iter`` affects only one of them."""
    texts, labels = rows_of_phrases()
    point = CandidateParams({"word": {}}, "RidgeClassifier", {"alpha": 1e-3, "max_iter": 2})
    folds = stratified_folds(labels, 2, 7)
    for fit in grid_search(texts, labels, [point], folds, scoring="accuracy", seed=7, jobs=1):
        train, held = (np.array(texts, object)[rows] for rows in folds[fit.fold])
        model = build_pipeline(point, 7).fit(train, np.array(labels)[folds[fit.fold][0]])
        assert fit.decisions == pytest.approx(model.decision_function(held), abs=1e-3)
    whole = refit(CountCache.from_texts(texts, [point.features]), labels, point, 7)
    plain = build_pipeline(point, 7).fit(texts, labels)
    assert whole.decision_function(texts) == pytest.approx(plain.decision_function(texts), abs=1e-4)

"""The unfitted classifier and pipeline of a candidate."""

import pytest
from search_oracle import FOLDS, ours
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_info, threadpool_limits

from textclf.features.tfidf import CountCache
from textclf.search.estimators import (
    build_classifier,
    build_pipeline,
    depends_on_column_order,
    depends_only_on_gram,
)
from textclf.search.refit import refit
from textclf.search.space import CandidateParams


def test_the_pipeline_of_a_candidate_is_plain_scikit_learn(sample):
    """A refitted winner predicts as a pipeline written by hand."""
    texts, labels = sample
    point = CandidateParams({"word": {"ngram_range": [1, 2]}}, "ComplementNB", {"alpha": 0.3})
    by_hand = Pipeline(
        [("tfidf", TfidfVectorizer(ngram_range=(1, 2))), ("nb", ComplementNB(alpha=0.3))]
    )
    expected = by_hand.fit(texts, labels).predict(texts)
    assert build_pipeline(point, 0).fit(texts, labels).predict(texts).tolist() == expected.tolist()


def test_the_seed_is_the_random_state_unless_the_candidate_has_one():
    """Classifiers that draw numbers draw them from the seed of the search."""
    assert build_classifier(CandidateParams({}, "LinearSVC", {}), 7).random_state == 7
    assert (
        build_classifier(CandidateParams({}, "SGDClassifier", {"random_state": 3}), 7).random_state
        == 3
    )
    assert not hasattr(build_classifier(CandidateParams({}, "ComplementNB", {}), 7), "random_state")


@pytest.mark.parametrize(
    ("classifier", "settings", "expected"),
    [
        ("LogisticRegression", {}, True),
        ("LogisticRegression", {"tol": 0.01}, False),
        ("LogisticRegression", {"solver": "saga"}, False),
        ("LogisticRegression", {"l1_ratio": 0.5, "solver": "saga"}, False),
        ("RidgeClassifier", {}, True),
        ("RidgeClassifier", {"solver": "sag"}, False),
        ("RidgeClassifier", {"positive": True}, False),
        ("RidgeClassifier", {"alpha": 0}, False),
        ("RidgeClassifier", {"max_iter": 3}, False),
        ("SGDClassifier", {}, False),
        ("LinearSVC", {"tol": 0.01}, True),
    ],
)
def test_columns_are_merged_only_where_the_solution_is_the_same(classifier, settings, expected):
    """A solver that stops early, by a measure that depends on the columns, needs all of them."""
    estimator = build_classifier(CandidateParams({}, classifier, settings), 7)
    assert depends_only_on_gram(estimator) == expected


@pytest.mark.parametrize(
    ("classifier", "settings", "norm", "expected"),
    [
        ("LogisticRegression", {}, "l2", False),
        ("LogisticRegression", {}, None, True),
        ("LinearSVC", {}, None, False),
        ("LinearSVC", {"penalty": "l1", "dual": False}, "l2", True),
        ("RidgeClassifier", {}, "l2", False),
        ("RidgeClassifier", {"alpha": 0}, "l2", True),
        ("RidgeClassifier", {"max_iter": 3}, "l2", True),
        ("SGDClassifier", {}, "l2", True),
    ],
)
def test_a_classifier_that_ends_early_takes_scikit_learns_columns(
    classifier, settings, norm, expected
):
    """Rounding may decide on a label there, so that the columns have scikit-learn's order."""
    features = {"word": {}, "char_wb": {"norm": norm}}
    candidate = CandidateParams(features, classifier, settings)
    assert depends_on_column_order(candidate) == expected


def test_blas_has_one_thread_while_models_are_fitted(sample, monkeypatch):
    """In the search and for the final model, so that the number of cores changes no bit of it."""
    seen = []
    fit = LogisticRegression.fit

    def watched(self, *given):
        seen.append(blas_threads())
        return fit(self, *given)

    monkeypatch.setattr(LogisticRegression, "fit", watched)
    point = CandidateParams({"word": {}}, "LogisticRegression", {})
    with threadpool_limits(2, "blas"):
        before = blas_threads()
        ours(sample, [point])
        refit(CountCache.from_texts(sample[0], [point.features]), sample[1], point, 0)
        assert blas_threads() == before
    assert seen == [{1}] * (FOLDS + 1)


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

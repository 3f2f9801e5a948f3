"""The final model, against a pipeline that scikit-learn has fitted."""

import pytest
from search_oracle import relabelled

from textclf.features.tfidf import CountCache
from textclf.search.estimators import build_pipeline
from textclf.search.grid_search import grid_search, stratified_folds
from textclf.search.refit import refit
from textclf.search.results import summarize
from textclf.search.space import CandidateParams
from textclf.search.svm import linear_svc


@pytest.mark.parametrize(
    ("name", "given_settings", "exact"),
    [
        ("LinearSVC", {}, 1e-3),
        ("LinearSVC", {"dual": False, "C": 0.1}, 1e-6),
        ("LinearSVC", {"penalty": "l1", "dual": False}, 1e-6),
        ("LogisticRegression", {}, 1e-2),
        ("LogisticRegression", {"solver": "liblinear"}, 1e-2),
        ("RidgeClassifier", {}, 1e-3),
        ("RidgeClassifier", {"solver": "cholesky", "fit_intercept": False}, 1e-9),
        ("SGDClassifier", {}, 0),
        ("ComplementNB", {}, 0),
        ("MultinomialNB", {}, 0),
    ],
)
@pytest.mark.parametrize("labels", [2, 3])
def test_the_final_model_is_the_one_that_scikit_learn_fits(
    sample, name, given_settings, exact, labels
):
    """The same vocabulary and idf; decision values as close as its solver's tolerance lets them."""
    if given_settings.get("solver") == "liblinear" and labels > 2:
        pytest.skip("scikit-learn refuses it")
    texts, labels = sample[0], relabelled(sample[0], sample[1], labels)
    features = {"word": {"ngram_range": [1, 2]}, "char_wb": {"ngram_range": [2, 3], "min_df": 2}}
    point = CandidateParams(features, name, given_settings)
    own, plain = (
        refit(CountCache.from_texts(texts, [features]), labels, point, 7),
        build_pipeline(point, 7),
    )
    plain.fit(texts, labels)
    for (_, mine), (_, theirs_) in zip(
        own["features"].transformer_list, plain["features"].transformer_list, strict=True
    ):
        assert mine.vocabulary_ == theirs_.vocabulary_
        assert mine.idf_.tolist() == theirs_.idf_.tolist()
    assert own.predict(texts).tolist() == plain.predict(texts).tolist()
    how = "decision_function" if hasattr(plain, "decision_function") else "predict_log_proba"
    values = getattr(plain, how)(texts)
    assert getattr(own, how)(texts) == pytest.approx(values, abs=exact, rel=1e-12)


def refitted(texts, labels, point):
    """The final model, and the pipeline that scikit-learn fits."""
    own = refit(CountCache.from_texts(texts, [point.features]), labels, point, 7)
    return own, build_pipeline(point, 7).fit(texts, labels)


@pytest.mark.parametrize(("huge", "exact"), [(1e10, 2e-4), (0, 0.05)], ids=["large", "huge"])
def test_a_large_svm_of_many_classes_is_solved_for_all_at_once(sample, monkeypatch, huge, exact):
    """As closely as is said of its size."""
    monkeypatch.setattr(linear_svc, "_LARGE", 0)
    monkeypatch.setattr(linear_svc, "_HUGE", huge)
    own, plain = refitted(*sample, CandidateParams({"word": {}}, "LinearSVC", {}))
    assert own["classifier"].n_iter_ == 0
    values = plain.decision_function(sample[0])
    assert own.decision_function(sample[0]) == pytest.approx(values, abs=exact)
    assert own.predict(sample[0]).tolist() == plain.predict(sample[0]).tolist()


@pytest.mark.filterwarnings("ignore:Liblinear failed to converge")
def test_a_large_svm_that_does_not_converge_is_left_to_scikit_learn(sample, monkeypatch):
    """Here every text has two labels, and errors cost much."""
    monkeypatch.setattr(linear_svc, "_LARGE", 0)
    texts, labels = 2 * sample[0], sample[1] + sample[1][::-1]
    own, plain = refitted(texts, labels, CandidateParams({"word": {}}, "LinearSVC", {"C": 1e7}))
    assert own["classifier"].n_iter_ > 0
    assert own.decision_function(texts) == pytest.approx(plain.decision_function(texts), abs=1e-6)


def test_ridge_keeps_its_solver_where_columns_merge():
    """Which it chooses by the shape: of few different texts there are few different columns."""
    kinds = [" ".join(f"w{kind}x{n}" for n in range(20)) for kind in range(4)]
    texts = [f"{kinds[n % 4]} {'good' if n % 2 else 'bad'}" for n in range(24)]
    labels = ["ab"[n % 2] for n in range(24)]
    point = CandidateParams({"word": {}}, "RidgeClassifier", {"alpha": 0.1})
    own, plain = refitted(texts, labels, point)
    assert own.decision_function(texts) == pytest.approx(plain.decision_function(texts), rel=1e-9)
    folds = stratified_folds(labels, 3, seed=7)
    fits = grid_search(texts, labels, [point], folds, scoring="accuracy", seed=7)
    assert summarize([point], fits)[0].fold_scores == [1.0] * 3


def test_tokens_with_spaces_are_left_to_scikit_learn(sample):
    """They are not counted here."""
    texts, labels = sample
    features = {"word": {"token_pattern": r"\w+ \w+", "ngram_range": [1, 2]}}
    own, plain = refitted(texts, labels, CandidateParams(features, "ComplementNB", {}))
    assert own.predict_proba(texts).tolist() == plain.predict_proba(texts).tolist()

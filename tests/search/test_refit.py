"""The final model, against a pipeline that scikit-learn has fitted."""

import pytest
from search_oracle import relabelled

from textclf.features.tfidf import CountCache
from textclf.search.estimators import build_pipeline
from textclf.search.refit import refit
from textclf.search.space import CandidateParams


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

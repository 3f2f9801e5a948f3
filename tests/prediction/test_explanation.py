"""What the decision value of a label is made of."""

import pytest

from textclf.metadata.versions import FIRST
from textclf.prediction.predictor import Predictor
from textclf.prediction.scorer_model import ScorerModel
from textclf.scorer.scorer import Scorer
from textclf.scorer.writer import compile_scorer
from textclf.search.estimators import build_pipeline
from textclf.search.space import CandidateParams
from textclf.search.writing import WORDS_WITH_MARKS

EXPLAINED = {
    "words": {"word": {"ngram_range": [1, 2], "stop_words": ["the"], "sublinear_tf": True}},
    "marks": {"word": {"token_pattern": WORDS_WITH_MARKS}},
    "joined": {"word": {}, "char_wb": {"ngram_range": [3, 5], "strip_accents": "unicode"}},
    "long": {"char_wb": {"ngram_range": [6, 7]}},
    "chars": {"char": {"ngram_range": [2, 4], "norm": "l1"}},
}


@pytest.mark.parametrize("labels", [None, ("positive", "negative")])
@pytest.mark.parametrize("features", EXPLAINED)
def test_contributions_add_up_and_are_where_they_say(sample, features, labels):
    """Their sum and the intercept is the decision value; each n-gram is found at its places."""
    pairs = [p for p in zip(*sample, strict=True) if labels is None or p[1] in labels]
    fitted = build_pipeline(CandidateParams(EXPLAINED[features], "LinearSVC", {}), 0).fit(
        *zip(*pairs, strict=True)
    )
    scorer = Scorer(compile_scorer(fitted), name="model")
    predictor = Predictor(ScorerModel(scorer), FIRST)
    for text in [
        *sample[0][:30],
        "",
        "Gr\u00e9at!  \u0130t IS\n\n great",
        "\u03a3\u039f\u03a3 a\u0301",
    ]:
        found = predictor.explain(text)
        decision = fitted.decision_function([text])[0]
        values = decision if labels is None else [-decision, decision]
        number = fitted.classes_.tolist().index(found.explained)
        assert found.explained == found.prediction.label == fitted.predict([text])[0]
        assert found.decision == pytest.approx(values[number], abs=1e-9)
        parts = [each.contribution for each in found.contributions]
        assert found.intercept + sum(parts) == pytest.approx(found.decision, abs=1e-9)
        assert sum(found.marks()) == pytest.approx(sum(parts), abs=1e-9)
        for each in found.contributions:
            assert len(each.spans) == each.count
            assert all(0 <= begin < end <= len(text) for begin, end in each.spans)
            if text.isascii() and each.kind == "word" and " " not in each.ngram:
                assert {text[a:b].lower() for a, b in each.spans} == {each.ngram}


@pytest.mark.parametrize("kind", ["word", "char", "char_wb"])
def test_a_range_of_n_grams_is_bounded_by_the_text(sample, kind):
    """The longest n-gram is the whole text, whatever the model says."""
    fitted = build_pipeline(CandidateParams({kind: {}}, "LinearSVC", {}), 0).fit(*sample)
    for _, vectorizer in fitted["features"].transformer_list:
        vectorizer.ngram_range = (1, 2**31 - 1)
    predictor = Predictor(ScorerModel(Scorer(compile_scorer(fitted), name="model")), FIRST)
    texts = ["great value, not a waste of money"] * 2
    explained = predictor.explain(texts[0])
    assert explained.decision == pytest.approx(fitted.decision_function(texts[:1])[0].max())
    assert predictor.predict(texts)[0] == explained.prediction

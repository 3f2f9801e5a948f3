"""Labels and scores of a predictor."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from predictors import fitted_on, opened, predictor, published, with_probabilities

from textclf.errors import UsageError
from textclf.metadata.versions import parse_version
from textclf.prediction.load import load
from textclf.prediction.predictor import Predictor


@pytest.mark.parametrize("labels", [None, ("positive", "negative")])
@pytest.mark.parametrize("classifier", ["LinearSVC", "ComplementNB", "RidgeClassifier"])
def test_labels_are_the_pipeline_s_own(sample, classifier, labels):
    """The highest score is of the label that the pipeline predicts, for two classes and more."""
    model, fitted = predictor(sample, classifier, labels)
    texts = [*sample[0], "", "!!!", "unseenword"]
    expected = fitted.predict(texts).tolist()
    assert [p.label for p in model.predict(texts)] == expected
    assert model.label(texts) == expected


def test_scores_are_ranked_and_of_every_label(sample):
    """The first score is the label's, the rest follow, the highest first."""
    model, _ = predictor(sample, "LinearSVC")
    for prediction in model.predict(["this is great", "terrible, broke at once"]):
        values = list(prediction.scores.values())
        assert set(prediction.scores) == {"negative", "neutral", "positive"}
        assert values == sorted(values, reverse=True)
        assert next(iter(prediction.scores.items())) == (prediction.label, prediction.score)


def test_what_a_score_means_is_said(sample):
    """Probabilities add up to one; decision values of two classes are opposite."""
    bayes, _ = predictor(sample, "ComplementNB")
    assert bayes.score_type == "probability"
    assert sum(bayes.predict(["great"])[0].scores.values()) == pytest.approx(1)
    svm, fitted = predictor(sample, "LinearSVC", ("positive", "negative"))
    assert svm.score_type == "decision"
    [prediction] = svm.predict(["great"])
    decision = fitted.decision_function(["great"])[0]
    assert prediction.scores == {"positive": decision, "negative": -decision}


@pytest.mark.parametrize("labels", [None, ("positive", "negative")])
@pytest.mark.parametrize("classifier", ["LinearSVC", "RidgeClassifier", "SGDClassifier"])
def test_a_calibrated_model_has_probabilities_and_the_same_labels(sample, classifier, labels):
    """Scores are probabilities that add up to one; labels are those of the bare classifier."""
    fitted = fitted_on(sample, classifier, labels)
    model = opened(with_probabilities(sample, fitted))
    texts = [*sample[0], "", "!!!", "unseenword"]
    predictions = model.predict(texts)
    assert model.score_type == "probability"
    assert [p.label for p in predictions] == model.label(texts) == fitted.predict(texts).tolist()
    for p in predictions:
        assert sum(p.scores.values()) == pytest.approx(1)
        assert list(p.scores.values()) == sorted(p.scores.values(), reverse=True)
        assert next(iter(p.scores.items())) == (p.label, p.score)
        assert set(p.scores) == set(model.labels)


def test_nothing_to_predict_is_no_prediction(sample):
    """An empty list of texts gives an empty list."""
    model, _ = predictor(sample, "LinearSVC")
    assert model.predict([]) == []
    assert model.label([]) == []


def test_the_label_is_the_model_s_where_scores_tie(sample):
    """Clipped probabilities tie at 1 or 0; the label is still what the pipeline predicts."""
    hard = {"loss": "modified_huber", "alpha": 1e-7, "random_state": 0}
    model, fitted = predictor([half[:200] for half in sample], "SGDClassifier", **hard)
    unseen = sample[0][200:]
    predictions = model.predict(unseen)
    tied = [p for p in predictions if list(p.scores.values()).count(p.score) > 1]
    assert tied
    assert [p.label for p in predictions] == fitted.predict(unseen).tolist()
    assert all(next(iter(p.scores)) == p.label for p in predictions)


def test_a_predictor_says_what_it_is(tmp_path, sample):
    """Its version and the number of its labels."""
    published(tmp_path, sample)
    assert repr(load(tmp_path)) == "<Predictor of version 1.0.0, 3 labels>"


def test_an_installation_without_a_part_of_textclf_is_an_error(tmp_path, sample, monkeypatch):
    """Only compiled loops may be left out."""
    published(tmp_path, sample)
    monkeypatch.setitem(sys.modules, "textclf.scorer.batch", None)
    with pytest.raises(ModuleNotFoundError, match=r"textclf\.scorer\.batch"):
        load(tmp_path).label(["x" * 1_000_000])


def test_many_texts_are_labelled_like_one(tmp_path, sample):
    """The loops for many texts give what single calls give; threads share a predictor."""
    published(tmp_path, sample)
    predictor = load(tmp_path)
    one_by_one = [predictor.predict(text) for text in sample[0]]
    many = sample[0] * 30
    with ThreadPoolExecutor(4) as pool:
        for predictions in pool.map(predictor.predict, [many] * 4):
            assert [p.label for p in predictions] == [p.label for p in one_by_one] * 30
            for found, expected in zip(predictions, one_by_one, strict=False):
                assert found.scores == pytest.approx(expected.scores, abs=1e-9)
    assert predictor.label(many) == [p.label for p in one_by_one] * 30


def test_a_threshold_leaves_doubtful_texts_without_a_label(tmp_path, sample):
    """Below it there is no label, the scores stay; the caller's beats the version's."""
    published(tmp_path, sample, classifier="ComplementNB", threshold=0.5)
    predictor = load(tmp_path)
    assert predictor.threshold == 0.5
    for text in [*sample[0][:50], ""]:
        sure = predictor.predict(text, threshold=0)
        assert sure.label == next(iter(sure.scores))
        for threshold in (None, 0.5, 0.9, sure.score):
            found = predictor.predict(text, threshold=threshold)
            least = 0.5 if threshold is None else threshold
            assert found.label == (sure.label if sure.score >= least else None)
            assert (found.score, found.scores) == (sure.score, sure.scores)
    assert predictor.predict("", threshold=1).label is None
    assert predictor.label([""]) == [predictor.predict("", threshold=0).label]


def test_texts_of_unknown_words_have_no_label(tmp_path, sample):
    """Below the share of known n-grams there is none; the caller's share beats the version's."""
    published(tmp_path, sample, abstain_unknown=0.5)
    predictor = load(tmp_path)
    texts = ["this is great", "great ლურჯა ცხენი", "ლურჯა ცხენი", "", *sample[0]]
    for group in (texts, texts * 60):  # one by one, and in compiled loops
        found = predictor.predict(group)
        assert [one.known for one in found[:4]] == [1.0, 1 / 3, 0.0, 0.0]
        assert [one.label is None for one in found[:4]] == [False, True, True, True]
        assert all((one.label is None) == (one.known < 0.5) for one in found)
        for share in (0, 0.3, 1):
            refused = predictor.predict(group, abstain_unknown=share)
            assert [list(one.scores) for one in refused] == [list(one.scores) for one in found]
            assert all((one.label is None) == (one.known < share) for one in refused)
    assert predictor.explain(texts[1]).prediction == predictor.predict(texts[1])
    assert predictor.unknown_ngram_ratio(texts[1]) == pytest.approx(2 / 3)


def test_known_ngrams_are_only_counted_where_that_is_asked_for(tmp_path, sample):
    """A version without a share of its own says nothing of them, unless the caller gives one."""
    published(tmp_path, sample)
    predictor = load(tmp_path)
    assert (predictor.abstain_unknown, predictor.predict("great").known) == (None, None)
    assert predictor.predict("great", abstain_unknown=0).known == 1


@pytest.mark.parametrize("limit", ["abstain_unknown", "threshold"])
@pytest.mark.parametrize("share", [-1, 1.5, float("nan"), "40%"])
def test_a_share_is_a_number_between_0_and_1(tmp_path, sample, share, limit):
    """Another one is refused, whichever way a text is labelled: 90 is not taken for 90%."""
    published(tmp_path, sample, classifier="ComplementNB")
    predictor = load(tmp_path)
    for label in (predictor.predict, predictor.explain):
        with pytest.raises(UsageError, match=f"{limit}=.* is not a number between 0 and 1"):
            label("great", **{limit: share})


@pytest.mark.parametrize("threshold", [float("nan"), "40%"])
def test_a_threshold_of_decision_values_is_a_number(sample, threshold):
    """Any number."""
    model, _ = predictor(sample, "LinearSVC")
    assert model.predict("great", threshold=1e9).label is None
    assert model.predict("great", threshold=-1e9).label
    with pytest.raises(UsageError, match=r"threshold=.* is not a number"):
        model.predict("great", threshold=threshold)


def test_what_is_not_compiled_cannot_tell_known_from_unknown(sample):
    """It says so, rather than to give no label to any text."""
    _, fitted = predictor(sample, "LinearSVC")
    model = Predictor.from_pipeline(fitted, parse_version("1.0.0"))
    assert model.predict("great", threshold=0.1).label
    with pytest.raises(UsageError, match="not compiled"):
        model.predict("great", abstain_unknown=0.5)
    assert model.unknown_ngram_ratio("great") is None

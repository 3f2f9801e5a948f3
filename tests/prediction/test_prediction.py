"""Predictions from published versions."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import registries
from sample_data import sample_rows
from sklearn.pipeline import Pipeline

from textclf.artifact.model_file import to_bytes
from textclf.errors import IntegrityError, NoSuchVersion, UsageError
from textclf.metadata.versions import FIRST, parse_version
from textclf.prediction.load import load
from textclf.prediction.predictor import Predictor
from textclf.prediction.scorer_model import ScorerModel
from textclf.scorer.scorer import SCORER, Scorer
from textclf.scorer.writer import compile_scorer
from textclf.search.calibration import calibrate
from textclf.search.estimators import build_pipeline
from textclf.search.space import CandidateParams


@pytest.fixture(scope="module")
def sample():
    return sample_rows(400)


def fitted_on(sample, classifier, labels=None, **settings):
    texts, all_labels = sample
    rows = [n for n, label in enumerate(all_labels) if labels is None or label in labels]
    return build_pipeline(CandidateParams({"word": {}}, classifier, settings), 0).fit(
        [texts[n] for n in rows], [all_labels[n] for n in rows]
    )


def opened(fitted):
    return Predictor(ScorerModel(Scorer(compile_scorer(fitted), name="model")), FIRST)


def predictor(sample, classifier, labels=None, **settings):
    fitted = fitted_on(sample, classifier, labels, **settings)
    return opened(fitted), fitted


def with_probabilities(sample, fitted):
    """The pipeline with a temperature, fitted on rows that it has seen: good enough here."""
    pairs = [pair for pair in zip(*sample, strict=True) if pair[1] in fitted.classes_]
    texts, labels = zip(*pairs, strict=True)
    last = calibrate(fitted["classifier"], fitted.decision_function(texts), np.array(labels))
    return Pipeline([fitted.steps[0], ("classifier", last)])


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


# -- published versions ---------------------------------------------------------------------------


def published(root, sample, classifier="LinearSVC", **scorer):
    """Publish and promote a real model; return the registry and the pipeline.

    ``scorer`` are arguments of its compilation, or ``compiled=False``.
    """
    registry = registries.open_registry(root)
    fitted = fitted_on(sample, classifier)
    data = to_bytes(fitted)
    compiled = scorer.pop("compiled", True)
    files = {SCORER: compile_scorer(fitted, **scorer)} if compiled else None
    number = f"1.{len(registry.numbers())}.0"
    record = registries.metadata(number, data)
    version = parse_version(registry.publish(record, data, files).version)
    registry.promote(version)
    return registry, fitted


def test_load_opens_the_promoted_version(tmp_path, sample, monkeypatch):
    """By its folder, or by the environment's; one text gives one prediction."""
    _, fitted = published(tmp_path / "models", sample)
    [label] = fitted.predict(["this is great"])
    prediction = load(tmp_path / "models").predict("this is great")
    assert (prediction.text, prediction.label) == ("this is great", label)
    monkeypatch.setenv("TEXTCLF_MODELS", str(tmp_path / "models"))
    assert load().predict(["this is great"]) == [prediction]
    assert load(version="1.0.0").predict("this is great") == prediction
    with pytest.raises(NoSuchVersion):
        load(version="2.0.0")


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


@pytest.mark.parametrize("classifier", ["LinearSVC", "ComplementNB"])
def test_a_version_without_a_scorer_works_the_slow_way(tmp_path, sample, classifier):
    """An older version is opened from its model file, and gives the same."""
    _, fitted = published(tmp_path, sample, classifier=classifier, compiled=False)
    predictor = load(tmp_path)
    assert predictor.label(sample[0]) == fitted.predict(sample[0]).tolist()
    assert predictor.explain(sample[0][0]).contributions


def test_an_older_version_with_infinite_weights_works_as_it_is(tmp_path, sample):
    """What cannot be compiled is left to scikit-learn, but cannot be explained."""
    registry = registries.open_registry(tmp_path)
    with pytest.warns(RuntimeWarning):
        fitted = fitted_on(sample, "MultinomialNB", alpha=0)
    data = to_bytes(fitted)
    registry.publish(registries.metadata("1.0.0", data), data)
    predictor = load(tmp_path, "1.0.0")
    assert predictor.label(["unseenword"]) == fitted.predict(["unseenword"]).tolist()
    assert predictor.predict("unseenword").label == fitted.predict(["unseenword"])[0]
    with pytest.raises(UsageError, match="cannot be explained"):
        predictor.explain("great")


@pytest.mark.parametrize("damage", ["missing", "cut", "longer", "head"])
def test_a_scorer_that_is_not_what_was_published_is_refused(tmp_path, sample, damage):
    """Missing, of another size or with another head: a sentence, and never the model file."""
    published(tmp_path, sample)
    path = tmp_path / "1.0.0" / SCORER
    data = path.read_bytes()
    path.unlink()
    if damage != "missing":
        changed = {"cut": data[:-9], "longer": data + b"\0", "head": data[:8] + b"x" + data[9:]}
        path.write_bytes(changed[damage])
    with pytest.raises(IntegrityError, match=r"scorer\.safetensors (is|cannot)"):
        load(tmp_path)


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


# -- explanations ---------------------------------------------------------------------------------

EXPLAINED = {
    "words": {"word": {"ngram_range": [1, 2], "stop_words": ["the"], "sublinear_tf": True}},
    "joined": {"word": {}, "char_wb": {"ngram_range": [3, 5], "strip_accents": "unicode"}},
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


# -- following promotions -------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is told."""

    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr("textclf.prediction.load.time", clock)
    return clock


def test_a_follower_changes_with_the_promotion(tmp_path, sample, clock):
    """Within about a second, in both directions, without being opened anew."""
    registry, _ = published(tmp_path, sample)
    following, fixed = load(tmp_path, follow=True), load(tmp_path)
    published(tmp_path, sample, classifier="ComplementNB")
    assert str(following.version) == "1.0.0"
    clock.now += 1
    assert str(following.version) == "1.1.0"
    assert following.score_type == "probability"
    assert str(fixed.version) == "1.0.0"
    registry.rollback()
    clock.now += 1
    assert following.predict("great").scores == fixed.predict("great").scores
    assert str(following.version) == "1.0.0"


def test_a_follower_keeps_the_old_model_if_the_new_one_fails(tmp_path, sample, clock, caplog):
    """It says so once, goes on with the old one, and changes when the new one is whole again."""
    published(tmp_path, sample)
    following = load(tmp_path, follow=True)
    published(tmp_path, sample, classifier="ComplementNB")
    path = tmp_path / "1.1.0" / SCORER
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    for _ in range(3):
        clock.now += 1
        assert following.predict("great").label
        assert str(following.version) == "1.0.0"
    assert len(caplog.records) == 1
    assert "still version 1.0.0" in caplog.text
    path.write_bytes(whole)
    clock.now += 1
    assert str(following.version) == "1.1.0"


def test_a_follower_looks_once_a_second(tmp_path, sample, clock, monkeypatch):
    """However often it is asked, by however many threads."""
    published(tmp_path, sample)
    following = load(tmp_path, follow=True)
    looks = []
    log = following._registry.promotions
    monkeypatch.setattr(log, "has", lambda n: bool(looks.append(n)))
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            list(pool.map(following.predict, ["great"] * 20))
            clock.now += 1
    assert looks == [2, 2]


def test_only_latest_can_be_followed(tmp_path, sample):
    """A number does not change."""
    published(tmp_path, sample)
    with pytest.raises(ValueError, match="latest"):
        load(tmp_path, "1.0.0", follow=True)

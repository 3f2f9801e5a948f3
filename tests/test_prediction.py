"""Predictions from published versions."""

import csv
from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import Pipeline

from textclf.artifact import to_bytes
from textclf.calibration import calibrated
from textclf.errors import IntegrityError
from textclf.prediction import Predictor
from textclf.safe_load import load_pipeline
from textclf.search import pipeline
from textclf.space import Point
from textclf.versions import FIRST

SAMPLE = Path(__file__).parent.parent / "data" / "train.csv"


@pytest.fixture(scope="module")
def sample():
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:400]
    return [row["text"] for row in rows], [row["label"] for row in rows]


def fitted_on(sample, classifier, labels=None, **settings):
    texts, all_labels = sample
    rows = [n for n, label in enumerate(all_labels) if labels is None or label in labels]
    return pipeline(Point({"word": {}}, classifier, settings), 0).fit(
        [texts[n] for n in rows], [all_labels[n] for n in rows]
    )


def opened(fitted):
    return Predictor(load_pipeline(to_bytes(fitted), name="model"), FIRST)


def predictor(sample, classifier, labels=None, **settings):
    fitted = fitted_on(sample, classifier, labels, **settings)
    return opened(fitted), fitted


def with_probabilities(sample, fitted):
    """The pipeline with a temperature, fitted on rows that it has seen: good enough here."""
    pairs = [pair for pair in zip(*sample, strict=True) if pair[1] in fitted.classes_]
    texts, labels = zip(*pairs, strict=True)
    last = calibrated(fitted["classifier"], fitted.decision_function(texts), np.array(labels))
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


def test_a_model_that_does_not_work_here_is_told_in_a_sentence(sample):
    """A file of another scikit-learn may open and fail on use: the libraries are named."""
    model, fitted = predictor(sample, "LinearSVC")
    assert model.label(["great"]) == fitted.predict(["great"]).tolist()
    del model._pipeline[-1].coef_
    for use in (model.label, model.predict):
        with pytest.raises(IntegrityError, match="cannot be used with the libraries installed"):
            use(["great"])

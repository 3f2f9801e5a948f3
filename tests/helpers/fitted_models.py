"""Fitted pipelines for tests of model files, as textclf makes them and with something changed."""

import io

import joblib
import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.svm import LinearSVC

from textclf.search.calibration import calibrate

CLASSIFIERS = [
    LinearSVC,
    LogisticRegression,
    ComplementNB,
    MultinomialNB,
    RidgeClassifier,
    SGDClassifier,
]
SGD_LOSSES = [
    "hinge",
    "log_loss",
    "modified_huber",
    "squared_hinge",
    "perceptron",
    "squared_error",
    "huber",
    "epsilon_insensitive",
    "squared_epsilon_insensitive",
]
WORDS = ["good", "bad", "naïve", "café", "cold", "warm", "日本語", "x" * 300]
TEXTS = [f"{WORDS[i % 8]} {WORDS[i * 3 % 7]} word{i % 11}" for i in range(60)]


def word():
    return ("word", TfidfVectorizer(ngram_range=(1, 2)))


def char_wb():
    return ("char_wb", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 3), dtype=np.float32))


def fitted(classifier=None, *, blocks=None, labels="ab", as_objects=False, texts=TEXTS):
    y = [f"label {labels[i % len(labels)]}" for i in range(len(texts))]
    union = FeatureUnion(blocks or [word()])
    pipeline = Pipeline([("features", union), ("classifier", classifier or MultinomialNB())])
    return pipeline.fit(texts, np.array(y, dtype=object) if as_objects else y)


def with_probabilities(classifier=None, **options):
    """A fitted pipeline whose classifier has a temperature."""
    pipeline = fitted(classifier or LinearSVC(), **options)
    labels = pipeline.predict(TEXTS)
    decisions = pipeline.decision_function(TEXTS)
    last = calibrate(pipeline["classifier"], decisions, labels)
    return Pipeline([pipeline.steps[0], ("classifier", last)])


def dumped(value, **options):
    buffer = io.BytesIO()
    joblib.dump(value, buffer, **options)
    return buffer.getvalue()


def vectorizer(pipeline):
    return pipeline["features"].transformer_list[0][1]


def inner(pipeline):
    return pipeline["classifier"].calibrated_classifiers_[0]


def scaling(pipeline):
    return inner(pipeline).calibrators[0]


def changed(change, **options):
    pipeline = fitted(**options)
    change(pipeline)
    return pipeline


def vectorizer_with(**attributes):
    return changed(lambda pipeline: vars(vectorizer(pipeline)).update(attributes))


def pipeline_with(**attributes):
    return changed(lambda pipeline: vars(pipeline).update(attributes))


def classifier_with(classifier=None, **attributes):
    return changed(
        lambda pipeline: vars(pipeline["classifier"]).update(attributes), classifier=classifier
    )


def changed_calibration(change):
    pipeline = with_probabilities()
    change(pipeline)
    return pipeline


def calibrated_with(part, **attributes):
    """A calibrated model one part of which, given by a function, has other attributes."""
    return changed_calibration(lambda pipeline: vars(part(pipeline)).update(attributes))


def calibration(pipeline):
    return pipeline["classifier"]


def fitted_calibration(**settings):
    """As scikit-learn itself makes it."""
    return fitted(CalibratedClassifierCV(LinearSVC(), **settings))


def sparse():
    return changed(lambda pipeline: pipeline["classifier"].sparsify(), classifier=LinearSVC())

"""The classes that a model file may name, by module and name, and how anything else is refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

CLASSIFIERS = {
    ("sklearn.linear_model._logistic", "LogisticRegression"),
    ("sklearn.linear_model._ridge", "RidgeClassifier"),
    ("sklearn.linear_model._stochastic_gradient", "SGDClassifier"),
    ("sklearn.naive_bayes", "ComplementNB"),
    ("sklearn.naive_bayes", "MultinomialNB"),
    ("sklearn.svm._classes", "LinearSVC"),
}
ESTIMATORS = CLASSIFIERS | {
    ("sklearn.calibration", "CalibratedClassifierCV"),
    ("sklearn.calibration", "_CalibratedClassifier"),
    ("sklearn.calibration", "_TemperatureScaling"),
    ("sklearn.feature_extraction.text", "TfidfTransformer"),
    ("sklearn.feature_extraction.text", "TfidfVectorizer"),
    ("sklearn.pipeline", "FeatureUnion"),
    ("sklearn.pipeline", "Pipeline"),
    ("sklearn.preprocessing._label", "LabelBinarizer"),
}
# What a pipeline that was fitted elsewhere may hold besides; it is only read, and made anew.
FOREIGN = {
    ("sklearn.calibration", "_SigmoidCalibration"),
    ("sklearn.decomposition._truncated_svd", "TruncatedSVD"),
    ("sklearn.feature_extraction.text", "CountVectorizer"),
    ("sklearn.frozen._frozen", "FrozenEstimator"),
    ("sklearn.linear_model._perceptron", "Perceptron"),
    ("sklearn.multiclass", "OneVsRestClassifier"),
    ("sklearn.preprocessing._data", "MaxAbsScaler"),
    ("sklearn.preprocessing._data", "StandardScaler"),
}
# The loss functions of SGDClassifier, which are made from numbers.
LOSSES = {
    ("_loss", "CyHalfBinomialLoss"),
    ("_loss", "CyHalfSquaredError"),
    ("_loss", "CyHuberLoss"),
    ("sklearn._loss._loss", "CyHalfBinomialLoss"),
    ("sklearn._loss._loss", "CyHalfSquaredError"),
    ("sklearn._loss._loss", "CyHuberLoss"),
    ("sklearn.linear_model._sgd_fast", "EpsilonInsensitive"),
    ("sklearn.linear_model._sgd_fast", "Hinge"),
    ("sklearn.linear_model._sgd_fast", "ModifiedHuber"),
    ("sklearn.linear_model._sgd_fast", "SquaredEpsilonInsensitive"),
    ("sklearn.linear_model._sgd_fast", "SquaredHinge"),
}
SCALARS = frozenset({type(None), bool, int, float, str})


class RefusedError(Exception):
    """A file holds something else; the message names it, as the object of a sentence."""


def refuse(what: str) -> NoReturn:
    """Raise RefusedError about something, named as the object of a sentence."""
    raise RefusedError(what)


def is_a(value: Any, names: Iterable[tuple[str, str]]) -> bool:
    """Return whether a value's class, subclasses excluded, is one of those named."""
    return (type(value).__module__, type(value).__qualname__) in names

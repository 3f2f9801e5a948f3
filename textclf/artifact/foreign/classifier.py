"""The classifier of a foreign pipeline: the weights of its features, and the link to its scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.calibration import (
    CalibratedClassifierCV,
    _CalibratedClassifier,
    _SigmoidCalibration,
    _TemperatureScaling,
)
from sklearn.ensemble import StackingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.preprocessing import LabelBinarizer
from sklearn.svm import LinearSVC

from textclf.artifact.foreign.features import Features
from textclf.artifact.foreign.plain import (
    CannotNormalise,
    fitted,
    is_exactly,
    kind,
    plain_parameters,
)

Values = NDArray[np.float64]

_NAIVE_BAYES = (ComplementNB, MultinomialNB)
_OWN = (LinearSVC, LogisticRegression, RidgeClassifier, SGDClassifier)
"""Linear classifiers that textclf trains itself; they stay what they are."""

_ALIKE = {
    "LogisticRegressionCV": "logistic",
    "PassiveAggressiveClassifier": "none",
    "Perceptron": "none",
    "RidgeClassifierCV": "none",
}
"""Other linear classifiers of scikit-learn, and how probabilities follow from their decisions."""

_LOSSES = {"log_loss": "logistic", "modified_huber": "clip"}


@dataclass(frozen=True)
class Linear:
    """Decision values that are linear in the features, and the link from them to probabilities.

    Attributes:
        weights: (outputs, features); two labels have one output.
        intercept: (outputs,).
        link: ``logistic``, ``softmax``, ``clip`` or ``none``, as `scorer.writer` has them.
    """

    weights: Values
    intercept: Values
    link: str


def labels_of(classifier: Any) -> list[str]:
    """Return the labels of a classifier as text, in its order."""
    classes = getattr(classifier, "classes_", None)
    if not isinstance(classes, np.ndarray) or classes.ndim != 1:
        raise CannotNormalise(f"{kind(classifier)} does not say which labels it has")
    return [str(label) for label in classes.tolist()]


def rebuild(classifier: Any, features: Features, labels: list[str]) -> Any:
    """Return a classifier of the n-grams themselves, of a class that textclf trains.

    Raises:
        CannotNormalise: its decisions are not linear in its features.
    """
    if is_exactly(classifier, *_NAIVE_BAYES):
        return _naive_bayes(classifier, features, labels)
    if is_exactly(classifier, *_OWN):
        linear = _linear(classifier)
        return _made(_copy(classifier), linear, features, labels)
    if is_exactly(classifier, CalibratedClassifierCV):
        return _calibrated(classifier, features, labels)
    return _of_link(_linear(classifier), features, labels)


def _of_link(linear: Linear, features: Features, labels: list[str]) -> Any:
    single = len(linear.weights) == 1
    match linear.link:
        case "softmax":
            made = LogisticRegression()
        case "logistic":
            made = LogisticRegression() if single else SGDClassifier(loss="log_loss")
        case "clip":
            made = SGDClassifier(loss="modified_huber")
        case _:
            made = LinearSVC()
    return _made(made, linear, features, labels)


def _copy(classifier: Any) -> Any:
    """Return an unfitted classifier of the same class, with the parameters that are plain data."""
    return type(classifier)(**plain_parameters(classifier))


def _made(made: Any, linear: Linear, features: Features, labels: list[str]) -> Any:
    """Give a classifier what fitting would have left."""
    made.coef_ = np.ascontiguousarray(features.fold(linear.weights), dtype=np.float64)
    made.intercept_ = np.array(linear.intercept, dtype=np.float64)
    return _with_labels(made, features, labels)


def _with_labels(made: Any, features: Features, labels: list[str]) -> Any:
    names = np.array(labels)
    if is_exactly(made, RidgeClassifier):
        binarizer = LabelBinarizer(pos_label=1, neg_label=-1)
        binarizer.classes_, binarizer.sparse_input_ = names, False
        binarizer.y_type_ = "binary" if len(labels) == 2 else "multiclass"  # noqa: PLR2004
        made._label_binarizer = binarizer  # noqa: SLF001 - where fit leaves it
    made.classes_, made.n_features_in_ = names, features.width
    return made


def _naive_bayes(classifier: Any, features: Features, labels: list[str]) -> Any:
    made = _copy(classifier)
    made.feature_log_prob_ = np.array(features.fold(fitted(classifier, "feature_log_prob_")))
    made.class_log_prior_ = np.array(fitted(classifier, "class_log_prior_"), dtype=np.float64)
    return _with_labels(made, features, labels)


# -- what is linear --------------------------------------------------------------------------------


def _linear(classifier: Any) -> Linear:
    """Return the decision values of a classifier. Raises CannotNormalise if they are not linear."""
    if is_exactly(classifier, OneVsRestClassifier):
        return _one_vs_rest(classifier)
    if is_exactly(classifier, StackingClassifier):
        return _stacked(classifier)
    return _fitted_weights(classifier)


_NOT_LINEAR = {
    "BernoulliNB": "BernoulliNB also counts the n-grams that a text does not have",
    "CalibratedClassifierCV": "a calibration inside another model is not linear",
    "ComplementNB": "naive Bayes is asked for probabilities, which are not linear",
    "MultinomialNB": "naive Bayes is asked for probabilities, which are not linear",
    "VotingClassifier": "the mean of several classifiers' probabilities is not linear",
}


def _fitted_weights(classifier: Any) -> Linear:
    if is_exactly(classifier, FrozenEstimator):
        classifier = classifier.estimator
    is_alike = kind(classifier) in _ALIKE and type(classifier).__module__.startswith("sklearn.")
    if not is_alike and not is_exactly(classifier, *_OWN):
        unknown = f"{kind(classifier)} is not linear, or not known to textclf"
        raise CannotNormalise(_NOT_LINEAR.get(kind(classifier), unknown))
    weights = fitted(classifier, "coef_")
    weights = weights.toarray() if sparse.issparse(weights) else np.atleast_2d(weights)
    intercept = np.zeros(len(weights)) + np.ravel(fitted(classifier, "intercept_"))
    return Linear(weights.astype(np.float64), intercept, _link(classifier, len(weights)))


def _link(classifier: Any, outputs: int) -> str:
    if kind(classifier) in {"LogisticRegression", "LogisticRegressionCV"}:
        return "softmax" if outputs > 1 else "logistic"
    return _LOSSES.get(vars(classifier).get("loss", ""), "none")


def _one_vs_rest(classifier: OneVsRestClassifier) -> Linear:
    parts = [_fitted_weights(estimator) for estimator in fitted(classifier, "estimators_")]
    links = {part.link for part in parts}
    if any(len(part.weights) != 1 for part in parts) or len(links) != 1 or "clip" in links:
        raise CannotNormalise("the classifiers of its OneVsRestClassifier are not of one kind")
    return Linear(
        np.vstack([part.weights for part in parts]),
        np.concatenate([part.intercept for part in parts]),
        links.pop(),
    )


def _stacked(classifier: StackingClassifier) -> Linear:
    """Multiply a linear classifier of decision values with these."""
    methods = set(fitted(classifier, "stack_method_"))
    if methods != {"decision_function"} or classifier.passthrough:
        raise CannotNormalise(
            "its StackingClassifier stacks probabilities, which are not linear; "
            "stack_method='decision_function' stacks decision values"
        )
    parts = [_fitted_weights(estimator) for estimator in fitted(classifier, "estimators_")]
    final = _fitted_weights(fitted(classifier, "final_estimator_"))
    weights = np.vstack([part.weights for part in parts])
    intercept = np.concatenate([part.intercept for part in parts])
    return Linear(final.weights @ weights, final.weights @ intercept + final.intercept, final.link)


# -- calibration -----------------------------------------------------------------------------------


def _calibrated(model: CalibratedClassifierCV, features: Features, labels: list[str]) -> Any:
    parts = fitted(model, "calibrated_classifiers_")
    if len(parts) != 1:
        raise CannotNormalise(
            f"the mean of {len(parts)} calibrated classifiers is not linear; "
            "CalibratedClassifierCV(ensemble=False) has one"
        )
    inner = _linear(parts[0].estimator)
    calibrators = parts[0].calibrators
    if all(is_exactly(calibrator, _SigmoidCalibration) for calibrator in calibrators):
        return _of_link(_sigmoid(inner, calibrators), features, labels)
    if len(calibrators) == 1 and is_exactly(calibrators[0], _TemperatureScaling):
        return _temperature(inner, calibrators[0], features, labels)
    raise CannotNormalise("isotonic calibration has steps, and is not linear")


def _sigmoid(inner: Linear, calibrators: list[Any]) -> Linear:
    """Return what a sigmoid of ``-(a * decision + b)`` for each output is linear in."""
    if len(calibrators) != len(inner.weights):
        raise CannotNormalise("its calibration is one of other labels")
    a = np.array([float(calibrator.a_) for calibrator in calibrators])
    b = np.array([float(calibrator.b_) for calibrator in calibrators])
    return Linear(-a[:, None] * inner.weights, -a * inner.intercept - b, "logistic")


def _temperature(inner: Linear, scaling: Any, features: Features, labels: list[str]) -> Any:
    classifier = _made(LinearSVC(), inner, features, labels)
    made = CalibratedClassifierCV(LinearSVC(), method="temperature", ensemble=False)
    mine = _TemperatureScaling()
    mine.beta_ = np.float64(scaling.beta_)
    made.calibrated_classifiers_ = [
        _CalibratedClassifier(classifier, [mine], classes=classifier.classes_, method="temperature")
    ]
    made.classes_, made.n_features_in_ = classifier.classes_, features.width
    return made

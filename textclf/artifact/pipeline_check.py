"""Check that an unpickled object is a pipeline that textclf makes, and that it is safe to use.

Every attribute of every estimator is checked: it is a number, text or an array of them; the shapes
fit together; and no setting makes scikit-learn call a function, open a file or start a process.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np

from textclf.artifact.allowed import CLASSIFIERS, ESTIMATORS, LOSSES, SCALARS, is_a, refuse
from textclf.metadata.token_pattern import compile_token_pattern

_MAX_ITEMS = 100_000  # of a list of stop words, or of class weights
_BLOCKS = {"word", "char", "char_wb"}
# The private attributes of fitted estimators; others would change what scikit-learn does.
_PRIVATE = {
    "_average_coef",
    "_average_intercept",
    "_expanded_class_weight",
    "_label_binarizer",
    "_loss_function_",
    "_standard_coef",
    "_standard_intercept",
    "_stop_words_id",
    "_tfidf",
}
# Settings that scikit-learn would call, open as a file, keep pickles in or start processes for.
_SETTINGS: dict[str, dict[str, tuple[str | int | None, ...]]] = {
    "Pipeline": {"memory": (None,)},
    "FeatureUnion": {"n_jobs": (None,)},
    "LabelBinarizer": {"y_type_": ("binary", "multiclass"), "sparse_output": (False,)},
    "TfidfVectorizer": {
        "input": ("content",),
        "analyzer": ("word", "char", "char_wb"),
        "preprocessor": (None,),
        "tokenizer": (None,),
        "strip_accents": (None, "ascii", "unicode"),
    },
    "CalibratedClassifierCV": {
        "method": ("temperature",),
        "ensemble": (False,),
        "cv": (None,),
        "n_jobs": (None,),
    },
    "_CalibratedClassifier": {"method": ("temperature",)},
}


def check_pipeline(pipeline: Any) -> None:
    """Check the classes, attributes and shapes of a pipeline.

    Raises:
        RefusedError: it holds something that textclf does not make.
        ValueError: its parts do not fit together.
    """
    attributes = _attributes(pipeline, "Pipeline", parts={"steps"})
    steps = _named_parts(attributes["steps"])
    if list(steps) != ["features", "classifier"]:
        refuse("a pipeline of other steps")
    width = _check_features(steps["features"])
    if is_a(steps["classifier"], {("sklearn.calibration", "CalibratedClassifierCV")}):
        _check_calibrated(steps["classifier"], width)
    else:
        _check_classifier(steps["classifier"], width)


def _check_features(union: Any) -> int:
    """Return the number of columns of a feature union's output."""
    attributes = _attributes(union, "FeatureUnion", parts={"transformer_list"})
    blocks = _named_parts(attributes["transformer_list"])
    if not blocks or not blocks.keys() <= _BLOCKS:
        refuse("features of an unknown kind")
    weights = attributes["transformer_weights"]
    if weights is not None and (type(weights) is not dict or not weights.keys() <= blocks.keys()):
        raise ValueError("weights for unknown features")
    return sum(_check_vectorizer(vectorizer) for vectorizer in blocks.values())


def _check_vectorizer(vectorizer: Any) -> int:
    """Return the number of columns of a vectoriser's output."""
    attributes = _attributes(
        vectorizer, "TfidfVectorizer", parts={"dtype", "vocabulary", "vocabulary_", "_tfidf"}
    )
    if not any(attributes["dtype"] is dtype for dtype in (np.float32, np.float64)):
        refuse("a vectoriser of something other than floating-point numbers")
    if type(attributes["token_pattern"]) is not str:
        refuse("a token pattern that is not text")
    compile_token_pattern(attributes["token_pattern"])
    width = _check_vocabulary(attributes["vocabulary_"])
    if attributes["vocabulary"] is not None:
        _check_vocabulary(attributes["vocabulary"])
    tfidf = _attributes(attributes["_tfidf"], "TfidfTransformer")
    if tfidf["use_idf"] or "idf_" in tfidf:
        _check_floats(tfidf["idf_"], (width,))
    return width


def _check_vocabulary(vocabulary: Any) -> int:
    """Return the number of terms. Each must have a column of its own: scipy trusts the numbers."""
    if type(vocabulary) is not dict:
        refuse("a vocabulary that is not a mapping")
    width = len(vocabulary)
    kinds = set(map(type, vocabulary.values()))
    if not all(kind is int or issubclass(kind, np.integer) for kind in kinds):
        refuse("a vocabulary that does not map terms to numbers")
    columns = np.fromiter(vocabulary.values(), np.int64, width)
    if not width or columns.min() < 0 or columns.max() >= width or np.bincount(columns).min() == 0:
        raise ValueError("a vocabulary with wrong columns")
    return width


def _check_calibrated(model: Any, width: int) -> None:
    parts = {"estimator", "calibrated_classifiers_"}
    attributes = _attributes(model, "CalibratedClassifierCV", parts=parts)
    parts = {"estimator", "calibrators"}
    inner = _attributes(
        _single_item(attributes["calibrated_classifiers_"]), "_CalibratedClassifier", parts=parts
    )
    scaling = _attributes(_single_item(inner["calibrators"]), "_TemperatureScaling")
    classifier = inner["estimator"]
    labels = _check_classifier(classifier, width)
    if hasattr(classifier, "predict_proba"):
        refuse("a calibration of a classifier that has probabilities of its own")
    _attributes(attributes["estimator"], type(classifier).__name__)  # only its settings are of use
    if attributes["n_features_in_"] != width:
        raise ValueError("a calibration of other features")
    if _labels(attributes["classes_"]) != labels or _labels(inner["classes"]) != labels:
        raise ValueError("a calibration of other labels")
    if type(scaling["beta_"]) is not np.float64 or not 0 < scaling["beta_"] < math.inf:
        raise ValueError("a temperature that is not a positive number")


def _single_item(items: Any) -> Any:
    """Return the item of a list of one."""
    if type(items) is not list or len(items) != 1:
        refuse("a calibration of more or less than one classifier")
    return items[0]


def _check_classifier(classifier: Any, width: int) -> list[str]:
    """Return the labels of a classifier, whose attributes fit ``width`` features."""
    if not is_a(classifier, CLASSIFIERS):
        refuse("a classifier of an unknown kind")
    parts = {"_label_binarizer", "_loss_function_"}
    attributes = _attributes(classifier, type(classifier).__name__, parts=parts)
    if "_label_binarizer" in attributes:  # before scikit-learn 1.9 it alone knows the labels
        binarizer = _attributes(attributes["_label_binarizer"], "LabelBinarizer")
        if _labels(binarizer["classes_"]) != _labels(
            attributes.get("classes_", binarizer["classes_"])
        ):
            raise ValueError("a classifier of two sets of labels")
        attributes = binarizer | attributes
    if "_loss_function_" in attributes and not is_a(attributes["_loss_function_"], LOSSES):
        refuse("a loss of an unknown kind")
    if attributes["n_features_in_"] != width:
        raise ValueError("a classifier of other features")
    labels = _labels(attributes["classes_"])
    _check_weights(attributes, len(labels), width)
    return labels


def _labels(classes: Any) -> list[str]:
    if type(classes) is not np.ndarray or not all(type(label) is str for label in classes.tolist()):
        raise ValueError("labels that are not text")
    labels: list[str] = classes.tolist()
    if len(labels) < 2 or len(set(labels)) < len(labels):  # noqa: PLR2004  # one is no choice
        raise ValueError("labels that leave no choice or are there twice")
    "".join(labels).encode()  # a half of a surrogate pair cannot be written in an answer
    return labels


def _check_weights(attributes: dict[str, Any], labels: int, width: int) -> None:
    linear = "coef_" in attributes
    rows = 1 if linear and labels == 2 else labels  # noqa: PLR2004  # one row tells two apart
    weights = attributes["coef_" if linear else "feature_log_prob_"]
    if rows == 1 and weights.ndim == 1:  # RidgeClassifier's may be a plain row
        weights = weights.reshape(1, -1)
    _check_floats(weights, (rows, width))
    if not linear:
        _check_floats(attributes["class_log_prior_"], (rows,))
    elif type(attributes["intercept_"]) is not float:  # one that was not fitted
        _check_floats(attributes["intercept_"], (rows,))


def _check_floats(array: Any, shape: tuple[int, ...]) -> None:
    if type(array) is not np.ndarray or array.dtype.kind != "f" or array.shape != shape:
        raise ValueError("numbers that do not fit the rest")


def _named_parts(steps: Any) -> dict[str, Any]:
    """Return the named parts of a pipeline or union."""
    if type(steps) is not list or not all(
        type(step) is tuple and len(step) == 2 and type(step[0]) is str  # noqa: PLR2004  # a pair
        for step in steps
    ):
        refuse("steps that are not named parts")
    named = dict(steps)
    if len(named) != len(steps):
        refuse("two steps of one name")
    return named


def _attributes(
    estimator: Any, kind: str, *, parts: Collection[str] = frozenset()
) -> dict[str, Any]:
    """Return the attributes of an estimator; all but ``parts`` are checked to be plain data.

    Args:
        estimator: the object.
        kind: the name of the class that it has to be of.
        parts: the attributes that the caller checks.
    """
    if not is_a(estimator, {key for key in ESTIMATORS if key[1] == kind}):
        refuse(f"something else in the place of a {kind}")
    attributes: dict[str, Any] = vars(estimator)
    for name, value in attributes.items():
        if callable(getattr(type(estimator), name, None)):
            refuse(f"a {kind} with a method replaced")
        if name.startswith("_") and name not in _PRIVATE:
            refuse(f"a {kind} with an unknown {name!a:.40}")
        if name not in parts and not _is_plain(value):
            refuse(f"a {kind} with something other than data in {name!a:.40}")
    for name, allowed in _SETTINGS.get(kind, {}).items():
        if type(attributes[name]) not in SCALARS or attributes[name] not in allowed:
            refuse(f"a {kind} whose {name} is not a plain setting")
    return attributes


def _is_plain(value: Any) -> bool:
    """Whether a value is a number, text, an array of them, or a flat collection of them."""
    if type(value) in (list, tuple):
        items: Collection[Any] = value
    elif type(value) is dict:
        items = value.values()
    else:
        return type(value) in SCALARS or isinstance(value, np.ndarray | np.generic)
    return len(items) <= _MAX_ITEMS and all(
        type(item) in SCALARS or isinstance(item, np.generic) for item in items
    )

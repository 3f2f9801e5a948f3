"""Probabilities for classifiers that have none: a softmax of decision values over a temperature.

One temperature for all labels (C. Guo et al., 2017, "On calibration of modern neural networks")
keeps the order of the labels, and is fitted on decision values that cross-validation has already.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.calibration import (
    CalibratedClassifierCV,
    _CalibratedClassifier,
    _TemperatureScaling,
)

_HUGE = 1e100
"""Larger decision values, infinite ones included, count as this: scaled up they stay finite."""


def needs_calibration(classifier: Any) -> bool:
    """Whether a classifier, fitted or not, has decision values and no probabilities."""
    return not hasattr(classifier, "predict_proba")


def aligned(
    decisions: NDArray[np.floating[Any]], known: NDArray[np.str_], classes: NDArray[np.str_]
) -> NDArray[np.floating[Any]]:
    """Decision values of a fold, with a column for each label, for ``calibrated``.

    A rare label may be missing among the rows that a fold was fitted on; its values are -inf.

    Args:
        decisions: (rows,) where the fold knows two labels, else (rows, known labels).
        known: the labels of the rows that the fold was fitted on, sorted, each once.
        classes: all labels, sorted.

    Returns:
        (rows,) where there are two labels, else (rows, labels).
    """
    if len(known) == len(classes):
        return decisions
    if decisions.ndim == 1:
        decisions = np.column_stack([-decisions, decisions])
    table = np.full((len(decisions), len(classes)), -np.inf, decisions.dtype)
    table[:, np.searchsorted(classes, known)] = decisions
    return table


def calibrated(
    classifier: Any, decisions: NDArray[np.floating[Any]], labels: NDArray[np.str_]
) -> CalibratedClassifierCV:
    """The classifier with probabilities, as a plain scikit-learn object.

    It is what ``CalibratedClassifierCV(classifier, method="temperature", ensemble=False)`` becomes
    when fitted with the cross-validation that the decision values are from, except that the
    classifier inside keeps its labels instead of their numbers. It predicts the same labels as the
    classifier, wherever the highest decision value leads by more than rounding.

    Args:
        classifier: fitted on all training rows.
        decisions: decision values of rows that were held out when they were decided, (rows,) for
            two labels, else (rows, labels) in the order of ``classifier.classes_``. They may be a
            part of the training rows. A row is left out where its own label has -inf; without rows
            the temperature is 1.
        labels: the true labels of these rows.

    Raises:
        ValueError: a decision value is not a number, or there is not one for each label.
    """
    count = len(classifier.classes_)
    width = () if count == 2 else (count,)  # noqa: PLR2004  # of two, one value tells
    if decisions.shape != (len(labels), *width):
        raise ValueError("decision values that do not fit the rows and labels")
    scaling = _scaling(decisions, np.searchsorted(classifier.classes_, labels))
    model = CalibratedClassifierCV(clone(classifier), method="temperature", ensemble=False)
    model.calibrated_classifiers_ = [
        _CalibratedClassifier(
            classifier, [scaling], classes=classifier.classes_, method=model.method
        )
    ]
    model.classes_ = classifier.classes_
    model.n_features_in_ = classifier.n_features_in_
    return model


def _scaling(
    decisions: NDArray[np.floating[Any]], numbers: NDArray[np.intp]
) -> _TemperatureScaling:
    """The temperature under which the true labels, given by number, are the most probable."""
    scaling = _TemperatureScaling()
    if decisions.ndim > 1:
        known = decisions[np.arange(len(numbers)), numbers] != -np.inf
        decisions, numbers = decisions[known], numbers[known]
    if not len(decisions):
        scaling.beta_ = np.float64(1)  # 1 / temperature
        return scaling
    values = np.clip(decisions.astype(np.float64), -_HUGE, _HUGE)
    return scaling.fit(values, numbers)

"""Probabilities for classifiers that have none: a softmax of decision values with a temperature.

One temperature for all labels (C. Guo et al., 2017, "On calibration of modern neural networks")
preserves the order of the labels, and is fitted on the decision values of the cross-validation.
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
"""Decision values are clipped to this, so that they stay finite when they are scaled up."""


def needs_calibration(classifier: Any) -> bool:
    """Whether a classifier, fitted or not, has decision values but no probabilities."""
    return not hasattr(classifier, "predict_proba")


def align_decisions(
    decisions: NDArray[np.floating[Any]], known: NDArray[np.str_], classes: NDArray[np.str_]
) -> NDArray[np.floating[Any]]:
    """Give the decision values of a fold a column for each label, for ``calibrate``.

    A rare label may be missing in the training rows of a fold; its values are then -inf.

    Args:
        decisions: (rows,) if the fold's model knows two labels, else (rows, known labels).
        known: the distinct labels of the fold's training rows, sorted.
        classes: all labels, sorted.

    Returns:
        (rows,) if there are two labels, else (rows, labels).
    """
    if len(known) == len(classes):
        return decisions
    if decisions.ndim == 1:
        decisions = np.column_stack([-decisions, decisions])
    table = np.full((len(decisions), len(classes)), -np.inf, decisions.dtype)
    table[:, np.searchsorted(classes, known)] = decisions
    return table


def calibrate(
    classifier: Any, decisions: NDArray[np.floating[Any]], labels: NDArray[np.str_]
) -> CalibratedClassifierCV:
    """Give a fitted classifier probabilities, as a plain scikit-learn object.

    The result is what ``CalibratedClassifierCV(classifier, method="temperature", ensemble=False)``
    would be after a fit with the same cross-validation, except that the classifier inside keeps its
    labels instead of their numbers. It predicts the same labels as the classifier, unless the two
    highest decision values are equal up to rounding.

    Args:
        classifier: a classifier fitted on all training rows.
        decisions: held-out decision values of all or some training rows, (rows,) for two labels,
            else (rows, labels) in the order of ``classifier.classes_``. Rows whose own label has
            -inf are ignored; without rows the temperature is 1.
        labels: the true labels of these rows.

    Raises:
        ValueError: a decision value is not a number, or the shapes do not match.
    """
    count = len(classifier.classes_)
    width = () if count == 2 else (count,)  # noqa: PLR2004  # two labels have one value
    if decisions.shape != (len(labels), *width):
        raise ValueError("the shape of the decision values does not match the rows and labels")
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


def probabilities_of(
    decisions: NDArray[np.floating[Any]], numbers: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the probability of each label for held-out rows, as `calibrate` would give them.

    Args:
        decisions: held-out decision values, (rows,) for two labels, else (rows, labels).
        numbers: the number of the label of each row, among the sorted labels.

    Returns:
        (rows, labels); 0 where the decision value is -inf.
    """
    values = np.clip(decisions.astype(np.float64), -_HUGE, _HUGE)
    shares: NDArray[np.float64] = _scaling(decisions, numbers).predict(values)
    return shares


def _scaling(
    decisions: NDArray[np.floating[Any]], numbers: NDArray[np.intp]
) -> _TemperatureScaling:
    """Fit the temperature under which the true labels, given by number, are most probable."""
    scaling = _TemperatureScaling()
    if decisions.ndim > 1:
        known = decisions[np.arange(len(numbers)), numbers] != -np.inf
        decisions, numbers = decisions[known], numbers[known]
    if not len(decisions):
        scaling.beta_ = np.float64(1)  # 1 / temperature
        return scaling
    values = np.clip(decisions.astype(np.float64), -_HUGE, _HUGE)
    return scaling.fit(values, numbers)

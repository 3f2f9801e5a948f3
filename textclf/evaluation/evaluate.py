"""How well labels are predicted: accuracy, F1, per class, confusion, and calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from textclf.evaluation import statistics
from textclf.evaluation.metrics import label_codes, measure
from textclf.evaluation.statistics import Bin, Floats, Interval, Labels, Method
from textclf.metadata.schema import Metrics

if TYPE_CHECKING:
    from textclf.data.dataset import Dataset
    from textclf.prediction.prediction import Prediction
    from textclf.prediction.predictor import Predictor

_AT_ONCE = 2_048
"""Rows whose scores of all labels are held as Python objects at a time."""


@dataclass(frozen=True)
class Calibration:
    """Whether probabilities are what they say: see `textclf.evaluation.statistics`.

    ``log_loss`` and ``brier`` are means over the rows; ``bins`` is the reliability diagram that the
    expected calibration error is taken from.
    """

    expected_calibration_error: float
    log_loss: float
    brier: float
    bins: list[Bin]


@dataclass(frozen=True)
class Evaluation:
    """A version scored on labelled rows.

    Attributes:
        metrics: as the metadata have them.
        accuracy: with its interval.
        macro_f1: likewise.
        method: of the intervals.
        calibration: where the version has probabilities.
        labels: what each row was given.
        scores: how much spoke for that.
    """

    metrics: Metrics
    accuracy: Interval
    macro_f1: Interval
    method: Method
    calibration: Calibration | None
    labels: list[str]
    scores: list[float]


def evaluate(predictor: Predictor, rows: Dataset) -> Evaluation:
    """Score a version on labelled rows."""
    labels: list[str] = []
    scores: list[float] = []
    losses: list[tuple[Floats, Floats]] = []
    numbers = {label: n for n, label in enumerate(predictor.labels)}
    for start in range(0, len(rows), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        predictions = predictor.predict(rows.texts[part])
        labels += [next(iter(each.scores)) for each in predictions]  # whatever the threshold
        scores += [each.score for each in predictions]
        if predictor.score_type == "probability":
            losses.append(_losses(predictions, label_codes(rows.labels[part], numbers), numbers))
    metrics = measure(rows.labels, labels)
    every = {label: n for n, label in enumerate(metrics.confusion.labels)}
    truth, given = label_codes(rows.labels, every), label_codes(labels, every)
    [resampled] = statistics.bootstrap(truth, given)
    return Evaluation(
        metrics,
        statistics.interval(metrics.accuracy, resampled.accuracy),
        statistics.interval(metrics.macro_f1, resampled.macro_f1),
        Method(),
        _calibration(scores, truth == given, losses) if losses else None,
        labels,
        scores,
    )


def _losses(
    predictions: Sequence[Prediction], truth: Labels, numbers: dict[str, int]
) -> tuple[Floats, Floats]:
    """Log-loss and Brier score of each row."""
    probabilities = np.zeros((len(predictions), len(numbers)))
    for row, prediction in enumerate(predictions):
        for label, score in prediction.scores.items():
            probabilities[row, numbers[label]] = score
    return (
        statistics.log_losses(probabilities, truth),
        statistics.brier_scores(probabilities, truth),
    )


def _calibration(
    confidence: list[float], right: statistics.Flags, losses: list[tuple[Floats, Floats]]
) -> Calibration:
    bins = statistics.reliability(np.asarray(confidence), right)
    log_loss, brier = (float(np.concatenate(each).mean()) for each in zip(*losses, strict=True))
    return Calibration(statistics.calibration_error(bins), log_loss, brier, bins)

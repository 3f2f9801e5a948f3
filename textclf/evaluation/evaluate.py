"""Evaluate a version on labelled rows: metrics, their confidence intervals, and calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from textclf.data.dataset import Dataset
from textclf.evaluation import statistics
from textclf.evaluation.metrics import label_codes, measure, with_ranking
from textclf.evaluation.records import Calibration, Intervals, TwoLabels
from textclf.evaluation.statistics import Floats, Labels
from textclf.evaluation.two_labels import two_labels
from textclf.metadata.schema import Metrics

if TYPE_CHECKING:
    from textclf.prediction.model import Prediction
    from textclf.prediction.predictor import Predictor

_BATCH = 2_048
"""Rows whose scores of all labels are held as Python objects at a time."""


@dataclass(frozen=True)
class Evaluation:
    """A version evaluated on labelled rows.

    Attributes:
        metrics: as in the metadata of a version.
        intervals: accuracy and macro F1 with their confidence intervals.
        calibration: ``None`` for a version without probabilities.
        two_labels: ``None`` for a version with more labels than two.
        labels: the predicted label of each row.
        scores: the score of each predicted label.
    """

    metrics: Metrics
    intervals: Intervals
    calibration: Calibration | None
    two_labels: TwoLabels | None
    labels: list[str]
    scores: list[float]


def evaluate(model: Predictor, rows: Dataset) -> Evaluation:
    """Evaluate a model on labelled rows; its threshold plays no part."""
    labels: list[str] = []
    scores: list[float] = []
    losses: list[tuple[Floats, Floats]] = []
    of_both: list[Floats] = []
    codes = {label: code for code, label in enumerate(model.labels)}
    for start in range(0, len(rows), _BATCH):
        batch = slice(start, start + _BATCH)
        predictions = model.predict(rows.texts[batch])
        labels += [next(iter(prediction.scores)) for prediction in predictions]
        scores += [prediction.score for prediction in predictions]
        if len(codes) == 2:  # noqa: PLR2004
            ranked = [[one.scores[label] for label in model.labels] for one in predictions]
            of_both.append(np.array(ranked))
        if model.score_type == "probability":
            losses.append(_losses(predictions, label_codes(rows.labels[batch], codes), codes))
    both = two_labels(
        rows.labels,
        model.labels,
        np.concatenate(of_both) if of_both else np.empty((0, 2)),
        are_probabilities=model.score_type == "probability",
    )
    metrics = with_ranking(measure(rows.labels, labels), both)
    correct = np.asarray(rows.labels, object) == np.asarray(labels, object)
    return Evaluation(
        metrics,
        statistics.intervals(metrics),
        _calibration(scores, correct, losses) if losses else None,
        both,
        labels,
        scores,
    )


def _losses(
    predictions: Sequence[Prediction], truth: Labels, codes: Mapping[str, int]
) -> tuple[Floats, Floats]:
    """Return the log-loss and the Brier score of each row."""
    probabilities = np.zeros((len(predictions), len(codes)))
    for row, prediction in enumerate(predictions):
        for label, score in prediction.scores.items():
            probabilities[row, codes[label]] = score
    return (
        statistics.log_losses(probabilities, truth),
        statistics.brier_scores(probabilities, truth),
    )


def _calibration(
    confidence: list[float], correct: statistics.Flags, losses: list[tuple[Floats, Floats]]
) -> Calibration:
    bins = statistics.reliability(np.asarray(confidence), correct)
    log_loss, brier = (float(np.concatenate(part).mean()) for part in zip(*losses, strict=True))
    return Calibration(statistics.calibration_error(bins), log_loss, brier, bins)

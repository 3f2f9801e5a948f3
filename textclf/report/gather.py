"""Gather from a tested model what its report shows: probabilities, n-grams, mistakes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.evaluation.scored_rows import ScoredRows
from textclf.evaluation.statistics import BINS, calibration_error, log_losses, reliability
from textclf.report.evidence import Bin, Evidence, Mistake, Ngram, Probabilities, Threshold
from textclf.report.html.markup import shorten

_NGRAMS = 12
_MISTAKES = 20
_EXCERPT = 400
"""Characters of a text."""

Floats = NDArray[np.floating[Any]]


def gather(scored: ScoredRows, *, texts: bool = False) -> Evidence:
    """Gather what a report shows.

    Args:
        scored: the model, on the rows to be reported on.
        texts: whether the mistakes show the texts themselves: they are the user's data.
    """
    return Evidence(
        rows_sha256=scored.rows.rows_sha256,
        score_type="probability" if scored.probable else "decision",
        probabilities=_probabilities(scored) if scored.probable else None,
        ngrams=_ngrams(scored.model),
        mistakes=_mistakes(scored, texts=texts),
        texts=texts,
    )


def _probabilities(scored: ScoredRows) -> Probabilities:
    truth, predicted = _numbers(scored, scored.rows.labels), _numbers(scored, scored.predicted)
    probabilities = scored.scores.astype(np.float64)
    confidence = probabilities[np.arange(len(truth)), predicted]
    right = truth == predicted
    bins = reliability(confidence, right, BINS)
    return Probabilities(
        bins=[
            Bin(_short(b.low), _short(b.high), b.rows, _short(b.confidence), _short(b.accuracy))
            for b in bins
        ],
        calibration_error=_short(calibration_error(bins)),
        log_loss=_short(log_losses(probabilities, truth).mean()),
        thresholds=[_threshold(at / 100, confidence, right) for at in range(101)],
    )


def _threshold(at: float, confidence: Floats, right: NDArray[np.bool_]) -> Threshold:
    taken = confidence >= at
    accuracy = _short(right[taken].mean()) if taken.any() else None
    return Threshold(at, _short(taken.mean()), accuracy)


def _numbers(scored: ScoredRows, labels: Iterable[str]) -> NDArray[np.int64]:
    """Labels as the columns of the scores; -1 for one that the model does not know."""
    columns = {label: number for number, label in enumerate(scored.model.classes_.tolist())}
    return np.asarray([columns.get(label, -1) for label in labels])


def _short(value: Any) -> float:
    return round(float(value), 6)


def _mistakes(scored: ScoredRows, *, texts: bool) -> list[Mistake]:
    truth, predicted = _numbers(scored, scored.rows.labels), _numbers(scored, scored.predicted)
    wrong = np.flatnonzero(truth != predicted)
    scores = scored.scores[wrong, predicted[wrong]]
    order = wrong[np.argsort(-scores, kind="stable")][:_MISTAKES]
    rows = scored.rows
    return [
        Mistake(
            place=rows.places[row],
            truth=rows.labels[row],
            predicted=scored.predicted[row],
            score=_short(scored.scores[row, predicted[row]]),
            truth_score=_short(scored.scores[row, truth[row]]) if truth[row] >= 0 else None,
            text=shorten(rows.texts[row], _EXCERPT) if texts else None,
        )
        for row in order.tolist()
    ]


def _ngrams(model: Any) -> dict[str, list[Ngram]]:
    """Of each label the n-grams that speak most for it."""
    best = [(c, row[c]) for row in _weights(model[-1]) for c in [_largest(row, _NGRAMS)]]
    columns = {column for found, _ in best for column in found.tolist()}
    names = _names(model.named_steps["features"], columns)
    return {
        label: [Ngram(*names[c], _short(weight)) for c, weight in zip(*found, strict=True)]
        for label, found in zip(model.classes_.tolist(), best, strict=True)
    }


def _weights(classifier: Any) -> Iterator[Floats]:
    """For each label a weight of each feature: the larger, the more it speaks for the label."""
    calibrated = getattr(classifier, "calibrated_classifiers_", None)
    fitted = calibrated[0].estimator if calibrated else classifier
    if not hasattr(fitted, "coef_"):  # naive Bayes: what counts is by how much a label leads
        logs = fitted.feature_log_prob_
        total, others = logs.sum(axis=0), max(1, len(logs) - 1)
        yield from (row - (total - row) / others for row in logs)
    elif len(fitted.coef_) == 1:
        yield from (-fitted.coef_[0], fitted.coef_[0])
    else:
        yield from fitted.coef_


def _largest(weights: Floats, most: int) -> NDArray[np.intp]:
    """The columns of the largest weights above 0, the first of equals first."""
    columns = np.flatnonzero(weights > 0)
    if len(columns) > most:
        least = np.partition(weights, -most)[-most]
        columns = np.flatnonzero(weights >= least)
    return columns[np.argsort(-weights[columns], kind="stable")][:most]


def _names(union: Any, columns: set[int]) -> dict[int, tuple[str, str]]:
    """Block and n-gram of some columns."""
    names, start = {}, 0
    for block, vectorizer in union.transformer_list:
        for ngram, column in vectorizer.vocabulary_.items():
            if start + column in columns:
                names[start + column] = (block, str(ngram))
        start += len(vectorizer.vocabulary_)
    return names

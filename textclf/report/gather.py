"""Gather from a tested model what its report shows: intervals, probabilities, n-grams, mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from textclf.data.dataset import Dataset
from textclf.evaluation.metrics import label_codes, measure
from textclf.evaluation.records import ReliabilityBin
from textclf.evaluation.scored_rows import ScoredRows
from textclf.evaluation.statistics import calibration_error, intervals, log_losses, reliability
from textclf.formatting import excerpt
from textclf.metadata.schema import Metadata
from textclf.report.report_data import Mistake, Ngram, Probabilities, ReportData, Threshold
from textclf.report.subject import Subject

_NGRAMS = 12
_MISTAKES = 20
_EXCERPT = 400
"""Characters of a text that are shown."""

Codes = NDArray[np.int64]
Floats = NDArray[np.floating[Any]]


def gather(scored: ScoredRows, *, texts: bool = False) -> ReportData:
    """Gather what a report shows.

    Args:
        scored: the model, on the rows to report on.
        texts: whether the mistakes show the texts themselves, which may be private.
    """
    labels = {label: code for code, label in enumerate(scored.model.classes_.tolist())}
    truth, predicted = (label_codes(x, labels) for x in (scored.rows.labels, scored.predicted))
    probabilities = None
    if scored.has_probabilities:
        probabilities = _probabilities(scored, truth, predicted)
    return ReportData(
        rows_sha256=scored.rows.rows_sha256,
        score_type="probability" if scored.has_probabilities else "decision",
        probabilities=probabilities,
        ngrams=_ngrams(scored.model),
        mistakes=_mistakes(scored, truth, predicted, texts=texts),
        texts=texts,
        intervals=intervals(measure(scored.rows.labels, scored.predicted)),
        two_labels=scored.two_labels,
    )


def rescored_subject(metadata: Metadata, scored: ScoredRows, *, texts: bool) -> Subject:
    """Return a version as if it had been tested on the scored rows.

    Args:
        metadata: the version's.
        scored: its model, on other rows than those of its test.
        texts: whether the report may show texts of the rows.
    """
    test = scored.test_record(metadata.sketch)
    rescored = msgspec.structs.replace(metadata, test=test)
    return Subject(rescored, gather(scored, texts=texts), rescored=True)


def _probabilities(scored: ScoredRows, truth: Codes, predicted: Codes) -> Probabilities:
    probabilities = scored.scores.astype(np.float64)
    confidence = probabilities[np.arange(len(truth)), predicted]
    correct = truth == predicted
    bins = reliability(confidence, correct)
    return Probabilities(
        bins=[
            ReliabilityBin(
                _rounded(b.low), _rounded(b.high), b.rows, _rounded(b.confidence),
                _rounded(b.accuracy),
            )
            for b in bins
        ],
        calibration_error=_rounded(calibration_error(bins)),
        log_loss=_rounded(log_losses(probabilities, truth).mean()),
        thresholds=[_threshold(at / 100, confidence, correct) for at in range(101)],
    )  # fmt: skip


def _threshold(at: float, confidence: Floats, correct: NDArray[np.bool_]) -> Threshold:
    answered = confidence >= at
    accuracy = _rounded(correct[answered].mean()) if answered.any() else None
    return Threshold(at, _rounded(answered.mean()), accuracy)


def _rounded(value: Any) -> float:
    return round(float(value), 6)


def _mistakes(scored: ScoredRows, truth: Codes, predicted: Codes, *, texts: bool) -> list[Mistake]:
    wrong = np.flatnonzero(truth != predicted)
    scores = scored.scores[wrong, predicted[wrong]]
    order = wrong[np.argsort(-scores, kind="stable")][:_MISTAKES]
    rows = scored.rows
    return [
        Mistake(
            place=_place(rows, row),
            truth=rows.labels[row],
            predicted=scored.predicted[row],
            score=_rounded(scored.scores[row, predicted[row]]),
            truth_score=_rounded(scored.scores[row, truth[row]]) if truth[row] >= 0 else None,
            text=excerpt(" ".join(rows.texts[row].split()), _EXCERPT) if texts else None,
        )
        for row in order.tolist()
    ]


def _place(rows: Dataset, row: int) -> int | str:
    """Return where a row is in its file; of joined rows also in which."""
    place = rows.places[row]
    return rows.where(row) if isinstance(place, tuple) else place


def _ngrams(model: Any) -> dict[str, list[Ngram]]:
    """Return for each label the n-grams that support it most, if textclf knows the features."""
    if not _has_weights_of_ngrams(model):
        return {}
    best = [(c, row[c]) for row in _weights(model[-1]) for c in [_largest(row)]]
    columns = {column for largest, _ in best for column in largest.tolist()}
    names = _names(model.named_steps["features"], columns)
    return {
        label: [Ngram(*names[c], _rounded(weight)) for c, weight in zip(*largest, strict=True)]
        for label, largest in zip(model.classes_.tolist(), best, strict=True)
    }


def _has_weights_of_ngrams(model: Any) -> bool:
    """Whether a model has blocks of n-grams, and a classifier with a weight for each."""
    blocks = getattr(model.named_steps.get("features"), "transformer_list", ())
    fitted = _fitted(model[-1])
    return (
        len(model) == 2  # noqa: PLR2004 - nothing is between them
        and all(hasattr(block, "vocabulary_") for _, block in blocks)
        and any(hasattr(fitted, weights) for weights in ("coef_", "feature_log_prob_"))
        and fitted.n_features_in_ == sum(len(block.vocabulary_) for _, block in blocks)
    )


def _fitted(classifier: Any) -> Any:
    """Return the classifier itself, or the one inside a calibration."""
    calibrated = getattr(classifier, "calibrated_classifiers_", None)
    return calibrated[0].estimator if calibrated else classifier


def _weights(classifier: Any) -> Iterator[Floats]:
    """Yield for each label the weights of all features; a large one supports the label."""
    fitted = _fitted(classifier)
    if not hasattr(fitted, "coef_"):  # naive Bayes: by how much the label leads
        logs = fitted.feature_log_prob_
        total, others = logs.sum(axis=0), max(1, len(logs) - 1)
        yield from (row - (total - row) / others for row in logs)
        return
    rows = np.atleast_2d(fitted.coef_)  # RidgeClassifier has one dimension for two labels
    yield from rows if len(rows) > 1 else (-rows[0], rows[0])


def _largest(weights: Floats) -> NDArray[np.intp]:
    """Return the columns of the largest weights above 0; of equal ones the first comes first."""
    columns = np.flatnonzero(weights > 0)
    if len(columns) > _NGRAMS:
        least = np.partition(weights, -_NGRAMS)[-_NGRAMS]
        columns = np.flatnonzero(weights >= least)
    return columns[np.argsort(-weights[columns], kind="stable")][:_NGRAMS]


def _names(union: Any, columns: set[int]) -> dict[int, tuple[str, str]]:
    """Return the block and the n-gram of each of the columns."""
    names, start = {}, 0
    for block, vectorizer in union.transformer_list:
        for ngram, column in vectorizer.vocabulary_.items():
            if start + column in columns:
                names[start + column] = (block, str(ngram))
        start += len(vectorizer.vocabulary_)
    return names

"""Confidence intervals, the significance of a difference, and calibration.

Pure functions of arrays. Labels are integer codes from 0; where probabilities are concerned, a true
label that the model does not know has the code -1. The methods and their sources:

* intervals: the percentile bootstrap (B. Efron and R. Tibshirani, 1993, "An introduction to the
  bootstrap", chapter 13); two versions are scored on the same resamples, so that the interval of
  their difference reflects that they were tested on the same rows;
* two versions on the same rows: McNemar's test in its exact form (Q. McNemar, 1947, "Note on the
  sampling error of the difference between correlated proportions or percentages");
* expected calibration error and reliability diagram: C. Guo et al., 2017, "On calibration of modern
  neural networks"; the score of G. Brier, 1950, "Verification of forecasts expressed in terms of
  probability"; log-loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from textclf.evaluation.metrics import f1_scores
from textclf.evaluation.records import METHOD, Interval, Intervals, ReliabilityBin
from textclf.metadata.schema import Metrics

Labels = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

BINS = 15
"""Bins of a reliability diagram, as many as Guo et al. have."""

_AT_ONCE = 4_000_000
"""Counts of resampled rows held at a time: 32 MB."""


# -- intervals -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ResampledScores:
    """The scores of one version in each resample."""

    accuracy: Floats
    macro_f1: Floats


def intervals(metrics: Metrics) -> Intervals:
    """Compute the confidence intervals of accuracy and macro F1.

    The confusion matrix is enough: it says how many rows there are of each kind, which is all that
    `bootstrap` needs to know of the rows, and the result is the same to the bit.
    """
    matrix = np.asarray(metrics.confusion.matrix, np.int64)
    kinds = np.nonzero(matrix)
    [resampled] = _score_resamples(np.stack(kinds), matrix[kinds], METHOD.resamples, METHOD.seed)
    return Intervals(
        interval(metrics.accuracy, resampled.accuracy),
        interval(metrics.macro_f1, resampled.macro_f1),
        METHOD,
    )


def bootstrap(
    truth: Labels,
    *predicted: Labels,
    resamples: int = METHOD.resamples,
    seed: int = METHOD.seed,
) -> list[ResampledScores]:
    """Score each version on resamples of the rows, drawn with replacement and shared by all.

    Rows that agree in the true label and in all predicted ones are of one kind, and all scores
    depend on nothing but the number of rows of each kind. So these numbers are drawn instead of
    rows, from the multinomial distribution that they have. Labels that do not occur in a resample
    do not count in its macro F1, as in a test.

    Args:
        truth: the true label of each row.
        *predicted: the predicted label of each row, for each version.
        resamples: how many resamples to draw.
        seed: of the random generator.
    """
    kinds, counts = np.unique(np.stack([truth, *predicted]), axis=1, return_counts=True)
    return _score_resamples(kinds, counts, resamples, seed)


def _score_resamples(
    kinds: Labels, counts: NDArray[np.int64], resamples: int, seed: int
) -> list[ResampledScores]:
    """Score versions on rows of kinds: true label and predicted ones × kinds, rows of each kind."""
    scores: list[list[tuple[Floats, Floats]]] = [[] for _ in kinds[1:]]
    for drawn in _draws(counts, resamples, seed):
        for parts, predicted in zip(scores, kinds[1:], strict=True):
            parts.append(_scores(drawn, kinds[0], predicted))
    return [ResampledScores(*map(np.concatenate, zip(*parts, strict=True))) for parts in scores]


def _draws(counts: NDArray[np.int64], resamples: int, seed: int) -> Iterator[Floats]:
    """Draw the number of rows of each kind: resamples × kinds, some resamples at a time."""
    random = np.random.default_rng(seed)
    rows = int(counts.sum())
    at_once = max(1, _AT_ONCE // len(counts))
    for start in range(0, resamples, at_once):
        size = min(at_once, resamples - start)
        yield random.multinomial(rows, counts / rows, size).astype(np.float64)


def _scores(drawn: Floats, truth: Labels, predicted: Labels) -> tuple[Floats, Floats]:
    labels = int(max(truth.max(), predicted.max())) + 1
    right = truth == predicted
    support, given = _sums(drawn, truth, labels), _sums(drawn, predicted, labels)
    correct = _sums(drawn[:, right], truth[right], labels)
    occurring = np.count_nonzero(support + given, axis=1)
    f1 = f1_scores(correct, support, given).sum(axis=1) / occurring
    return correct.sum(axis=1) / drawn.sum(axis=1), f1


def _sums(drawn: Floats, codes: Labels, labels: int) -> Floats:
    """Sum the columns of each label: resamples × labels."""
    sums = np.zeros((len(drawn), labels))
    order = np.argsort(codes, kind="stable")
    present, starts = np.unique(codes[order], return_index=True)
    if len(present):
        sums[:, present] = np.add.reduceat(drawn[:, order], starts, axis=1)
    return sums


def interval(value: float, resampled: Floats) -> Interval:
    """Return the percentile interval around a value, from its resamples.

    Where no row is wrong, or none is correct, all resamples are the same, and the interval is too
    short: it is the value alone.
    """
    tail = (1 - METHOD.confidence) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return Interval(value, float(low), float(high))


# -- two versions on the same rows -----------------------------------------------------------------


def mcnemar(only_first: int, only_second: int) -> float:
    """Compute the two-sided p-value of McNemar's exact test.

    If neither version were better, each row that only one of them labels correctly would be either
    version's with the same chance; this is the probability that chance is as uneven, or more so.

    Args:
        only_first: the number of rows that only the first version labels correctly.
        only_second: the same of the second version.
    """
    fewer, both = min(only_first, only_second), only_first + only_second
    return min(1.0, 2 * float(bdtr(fewer, both, 0.5))) if both else 1.0


# -- probabilities ---------------------------------------------------------------------------------


def log_losses(probabilities: Floats, truth: Labels) -> Floats:
    """Compute the log-loss of each row: minus the logarithm of the true label's probability.

    A probability of 0 counts as the smallest step from 1 (2.2e-16), as in scikit-learn.

    Args:
        probabilities: rows × labels.
        truth: the true label of each row.
    """
    eps = np.finfo(np.float64).eps
    losses: Floats = -np.log(np.maximum(_true_probabilities(probabilities, truth), eps))
    return losses


def brier_scores(probabilities: Floats, truth: Labels) -> Floats:
    """Compute the Brier score of each row: the squared distance from the outcome, 0 to 2.

    This is Brier's own definition, the sum over all labels; with two labels, others count only one
    of them, which gives half of it.

    Args:
        probabilities: rows × labels.
        truth: the true label of each row.
    """
    squares: Floats = np.einsum("ij,ij->i", probabilities, probabilities)
    return squares - 2 * _true_probabilities(probabilities, truth) + 1


def _true_probabilities(probabilities: Floats, truth: Labels) -> Floats:
    """Return the probability of the true label; 0 for one that the model does not know."""
    known = truth >= 0
    given = probabilities[np.arange(len(truth)), np.where(known, truth, 0)]
    return np.where(known, given, 0.0)


def reliability(confidence: Floats, correct: Flags, bins: int = BINS) -> list[ReliabilityBin]:
    """Group rows by the probability of their predicted label; empty bins are left out.

    Args:
        confidence: the probability of each row's predicted label.
        correct: whether it is the true label.
        bins: the number of bins of equal width between 0 and 1.
    """
    number = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    rows, confidences, hits = (
        np.bincount(number, weights, bins).tolist() for weights in (None, confidence, correct)
    )
    return [
        ReliabilityBin(
            n / bins, (n + 1) / bins, rows[n], confidences[n] / rows[n], hits[n] / rows[n]
        )
        for n in range(bins)
        if rows[n]
    ]


def calibration_error(bins: list[ReliabilityBin]) -> float:
    """Compute the expected calibration error: the mean gap of confidence and accuracy, by rows."""
    gaps = sum(bin_.rows * abs(bin_.confidence - bin_.accuracy) for bin_ in bins)
    return gaps / sum(bin_.rows for bin_ in bins)

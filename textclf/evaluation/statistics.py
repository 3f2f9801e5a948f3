"""How sure a score is, whether two versions differ, and whether probabilities mean what they say.

Pure functions of arrays. Labels are numbers from 0; a true label that a model does not know is -1
where probabilities are looked at. The methods, and where they are from:

* intervals: the percentile bootstrap (B. Efron and R. Tibshirani, 1993, "An introduction to the
  bootstrap", chapter 13); two versions are resampled together, row by row, so that the interval of
  their difference knows that they were tested on the same rows;
* two versions on the same rows: McNemar's test in its exact form (Q. McNemar, 1947, "Note on the
  sampling error of the difference between correlated proportions or percentages");
* expected calibration error and reliability: C. Guo et al., 2017, "On calibration of modern neural
  networks"; the score of G. Brier, 1950, "Verification of forecasts expressed in terms of
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

Labels = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

RESAMPLES = 2_000
CONFIDENCE = 0.95
BINS = 15
"""Of a reliability diagram; as many as Guo et al. have."""

_AT_ONCE = 4_000_000
"""Counts of resampled rows held at a time: 32 MB."""


# -- intervals -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scores:
    """The scores of one version in each resample."""

    accuracy: Floats
    macro_f1: Floats


@dataclass(frozen=True)
class Interval:
    """A value, and between which bounds it is with some confidence."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Method:
    """How intervals came about."""

    name: str = "percentile bootstrap"
    confidence: float = CONFIDENCE
    resamples: int = RESAMPLES
    seed: int = 0


def bootstrap(
    truth: Labels, *predicted: Labels, resamples: int = RESAMPLES, seed: int = 0
) -> list[Scores]:
    """Score each version on rows drawn anew, with replacement; every resample is all versions'.

    Rows that agree in the true label and in all predicted ones are alike to every score. So not
    rows are drawn but how many of each kind there are, from the multinomial distribution that this
    amounts to. Labels that do not occur in a resample do not count in its macro F1, as in a test.
    """
    kinds, counts = np.unique(np.stack([truth, *predicted]), axis=1, return_counts=True)
    found: list[list[tuple[Floats, Floats]]] = [[] for _ in predicted]
    for drawn in _draws(counts, resamples, seed):
        for version, column in zip(found, kinds[1:], strict=True):
            version.append(_scores(drawn, kinds[0], column))
    return [Scores(*map(np.concatenate, zip(*parts, strict=True))) for parts in found]


def _draws(counts: NDArray[np.int64], resamples: int, seed: int) -> Iterator[Floats]:
    """How often each kind of row is drawn: resamples × kinds, some resamples at a time."""
    random = np.random.default_rng(seed)
    rows = int(counts.sum())
    at_once = max(1, _AT_ONCE // len(counts))
    for start in range(0, resamples, at_once):
        size = min(at_once, resamples - start)
        yield random.multinomial(rows, counts / rows, size).astype(np.float64)


def _scores(drawn: Floats, truth: Labels, predicted: Labels) -> tuple[Floats, Floats]:
    labels = np.arange(max(truth.max(), predicted.max()) + 1)
    true, given = truth[:, None] == labels, predicted[:, None] == labels
    hits, have, got = (drawn @ kind.astype(np.float64) for kind in (true & given, true, given))
    occur = np.count_nonzero(have + got, axis=1)
    return hits.sum(axis=1) / drawn.sum(axis=1), f1_scores(hits, have, got).sum(axis=1) / occur


def interval(value: float, resampled: Floats, confidence: float = CONFIDENCE) -> Interval:
    """The percentile interval around a value, from its resamples.

    Where no row is wrong, or none right, no resample differs, and the interval is too short: it is
    the value alone.
    """
    tail = (1 - confidence) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return Interval(value, float(low), float(high))


# -- two versions on the same rows -----------------------------------------------------------------


def mcnemar(only_first: int, only_second: int) -> float:
    """The p-value of McNemar's exact test, two-sided.

    If neither version were better, each row that only one of them has right would be either's with
    the same chance, as with a coin; this is how rarely a coin is as uneven as that, or more.
    """
    fewer, both = min(only_first, only_second), only_first + only_second
    return min(1.0, 2 * float(bdtr(fewer, both, 0.5))) if both else 1.0


# -- probabilities ---------------------------------------------------------------------------------


def log_losses(probabilities: Floats, truth: Labels) -> Floats:
    """Row by row, minus the logarithm of the true label's probability.

    A probability of 0 counts as the smallest step from 1 (2.2e-16), as in scikit-learn.
    """
    losses: Floats = -np.log(np.maximum(_of_truth(probabilities, truth), np.finfo(np.float64).eps))
    return losses


def brier_scores(probabilities: Floats, truth: Labels) -> Floats:
    """Row by row, the squared distance from what was true: 0 to 2, the sum over all labels.

    That is Brier's own definition; of two labels, some count only one, which is half of it.
    """
    squares: Floats = np.einsum("ij,ij->i", probabilities, probabilities)
    return squares - 2 * _of_truth(probabilities, truth) + 1


def _of_truth(probabilities: Floats, truth: Labels) -> Floats:
    """What the true label was given; 0 where the model does not know it."""
    known = truth >= 0
    given = probabilities[np.arange(len(truth)), np.where(known, truth, 0)]
    return np.where(known, given, 0.0)


@dataclass(frozen=True)
class Bin:
    """Rows whose label was given with a probability above ``low``, up to ``high``.

    ``confidence`` is the mean of these probabilities, ``accuracy`` the share that was right.
    """

    low: float
    high: float
    rows: int
    confidence: float
    accuracy: float


def reliability(confidence: Floats, right: Flags, bins: int = BINS) -> list[Bin]:
    """Bins of equal width over the probabilities of the labels given; empty ones are left out."""
    number = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    rows, confidences, hits = (
        np.bincount(number, weights, bins).tolist() for weights in (None, confidence, right)
    )
    return [
        Bin(n / bins, (n + 1) / bins, rows[n], confidences[n] / rows[n], hits[n] / rows[n])
        for n in range(bins)
        if rows[n]
    ]


def calibration_error(bins: list[Bin]) -> float:
    """The expected calibration error: how far confidence and accuracy are apart, by rows."""
    gaps = sum(each.rows * abs(each.confidence - each.accuracy) for each in bins)
    return gaps / sum(each.rows for each in bins)

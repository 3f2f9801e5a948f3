"""The statistics, against scipy, scikit-learn, published numbers and computations by hand."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import brier_score_loss, f1_score, log_loss

from textclf.evaluation.metrics import measure
from textclf.evaluation.records import METHOD, ReliabilityBin
from textclf.evaluation.statistics import (
    bootstrap,
    brier_scores,
    calibration_error,
    interval,
    intervals,
    log_losses,
    mcnemar,
    reliability,
)

LABELS = 4


def example(rows=300, seed=1, quality=(0.7, 0.8)):
    """Return true labels, of which the last is rare, and predictions of given accuracies."""
    random = np.random.default_rng(seed)
    truth = random.choice(LABELS, rows, p=[0.5, 0.3, 0.18, 0.02])
    guesses = [random.integers(0, LABELS, rows) for _ in quality]
    return truth, [
        np.where(random.random(rows) < share, truth, guess)
        for share, guess in zip(quality, guesses, strict=True)
    ]


def accuracy(truth, predicted):
    return np.mean(truth == predicted)


def macro_f1(truth, predicted):
    return f1_score(truth, predicted, average="macro", zero_division=0)


def quick_macro_f1(truth, predicted):
    true, got = (np.bincount(labels, minlength=LABELS) for labels in (truth, predicted))
    hits = np.bincount(truth[truth == predicted], minlength=LABELS)
    return np.mean((2 * hits / np.maximum(true + got, 1))[true + got > 0])


pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)


@given(pairs, st.integers(0, 5))
@settings(max_examples=30)
def test_a_resample_is_scored_as_its_rows_would_be(rows, seed):
    """Every resample's scores are those of some rows drawn from the given ones."""
    truth, predicted = np.array(rows).T
    [found] = bootstrap(truth, predicted, resamples=5, seed=seed)
    kinds, counts = np.unique(np.array(rows), axis=0, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(rows), counts / len(rows), 5)
    for n, times in enumerate(drawn):
        again = np.repeat(kinds, times, axis=0).T
        assert found.accuracy[n] == pytest.approx(accuracy(*again))
        assert found.macro_f1[n] == pytest.approx(macro_f1(*again))


@pytest.mark.parametrize("name", ["accuracy", "macro_f1"])
def test_intervals_are_those_of_scipy(name):
    """Percentile intervals of scores and differences are scipy's, up to sampling error.

    The sampling error is estimated from ten of scipy's runs.
    """
    score = {"accuracy": accuracy, "macro_f1": quick_macro_f1}[name]
    truth, [first, second] = example(120)
    assert quick_macro_f1(truth, first) == pytest.approx(macro_f1(truth, first))
    one, other = (getattr(s, name) for s in bootstrap(truth, first, second, resamples=8000, seed=3))

    def difference(truth, first, second):
        return score(truth, second) - score(truth, first)

    for statistic, data, resampled in (
        (score, (truth, first), one), (difference, (truth, first, second), other - one)
    ):  # fmt: skip
        theirs = [
            stats.bootstrap(
                data, statistic, paired=True, vectorized=False, n_resamples=400,
                method="percentile", rng=np.random.default_rng(seed),
            ).confidence_interval
            for seed in range(10)
        ]  # fmt: skip
        ours = interval(float(statistic(*data)), resampled)
        for n, bound in enumerate((ours.low, ours.high)):
            luck = [run[n] for run in theirs]
            assert abs(bound - np.mean(luck)) < 3 * np.std(luck) / np.sqrt(10) + 1e-3


def test_the_interval_of_a_share_is_about_the_binomial_one():
    """The interval of an accuracy of 80% on 400 rows is the textbook's: 76.1% to 83.9%."""
    truth = np.zeros(400, int)
    predicted = (np.arange(400) >= 320).astype(int)
    [found] = bootstrap(truth, predicted, resamples=20000)
    between = interval(0.8, found.accuracy)
    assert (between.low, between.high) == pytest.approx((0.7608, 0.8392), abs=0.003)


def test_a_bootstrap_is_repeatable_and_paired():
    """The same seed gives the same resamples; a version differs from itself in none of them."""
    truth, [first, second] = example()
    one, other = bootstrap(truth, first, first)
    assert np.array_equal(one.accuracy, other.accuracy)
    assert np.array_equal(one.macro_f1, other.macro_f1)
    again = bootstrap(truth, first, second, seed=4)
    assert np.array_equal(again[1].macro_f1, bootstrap(truth, first, second, seed=4)[1].macro_f1)
    assert not np.array_equal(again[1].macro_f1, bootstrap(truth, first, second)[1].macro_f1)


def test_many_kinds_of_rows_are_drawn_in_parts(monkeypatch):
    """The number of resamples drawn at a time does not change them."""
    truth, [first, second] = example()
    whole = bootstrap(truth, first, second, resamples=50)
    monkeypatch.setattr("textclf.evaluation.statistics._AT_ONCE", 100)
    parts = bootstrap(truth, first, second, resamples=50)
    assert np.array_equal(whole[0].macro_f1, parts[0].macro_f1)


@given(pairs, st.permutations("abcd"))
@settings(max_examples=25)
def test_the_confusion_matrix_gives_the_intervals_of_the_rows(rows, names):
    """Both say how many rows there are of each kind: the intervals are the same to the bit."""
    truth, predicted = ([names[row[n]] for row in rows] for n in (0, 1))
    metrics = measure(truth, predicted)
    codes = [np.searchsorted(metrics.confusion.labels, labels) for labels in (truth, predicted)]
    [resampled] = bootstrap(*codes)
    found = intervals(metrics)
    assert found.accuracy == interval(metrics.accuracy, resampled.accuracy)
    assert found.macro_f1 == interval(metrics.macro_f1, resampled.macro_f1)
    assert found.method == METHOD


def test_where_nothing_is_wrong_the_interval_is_the_value():
    """All resamples of a perfect test are the same, so the interval has no width."""
    truth = np.array([0, 1, 1])
    [found] = bootstrap(truth, truth)
    between = interval(1.0, found.accuracy)
    assert (between.low, between.high) == (1.0, 1.0)


def test_mcnemar_published_example():
    """2 against 9, the example of R's exact2x2 (M. Fay, 2010): p = 0.06543."""
    assert mcnemar(2, 9) == pytest.approx(0.06543, abs=5e-6)
    assert mcnemar(9, 2) == mcnemar(2, 9)


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_mcnemar_is_the_binomial_test(first, second):
    """The exact test is the binomial test, in whole numbers, and scipy's where that has any."""
    n, fewer = first + second, min(first, second)
    tail, term = 1, 1
    for k in range(fewer):
        term = term * (n - k) // (k + 1)
        tail += term
    exact = float(min(Fraction(2 * tail, 2**n), Fraction(1)))
    assert mcnemar(first, second) == pytest.approx(exact, rel=1e-9, abs=1e-300)
    if n and exact > 1e-250:  # below, scipy's underflows
        assert stats.binomtest(first, n).pvalue == pytest.approx(exact, rel=1e-9)


def probabilities(rows, labels, seed=2):
    random = np.random.default_rng(seed)
    return random.dirichlet(np.ones(labels), rows), random.integers(0, labels, rows)


@pytest.mark.parametrize("labels", [2, 5])
def test_log_loss_and_brier_are_scikit_learn_s(labels):
    """Mean log-loss and Brier score (unscaled) are scikit-learn's."""
    given_, truth = probabilities(200, labels)
    every = range(labels)
    assert log_losses(given_, truth).mean() == pytest.approx(log_loss(truth, given_, labels=every))
    positive = given_[:, 1] if labels == 2 else given_
    theirs = brier_score_loss(truth, positive, labels=list(every), scale_by_half=False)
    assert brier_scores(given_, truth).mean() == pytest.approx(theirs)


def test_probabilities_of_labels_that_the_model_does_not_know():
    """An unknown true label has the probability 0: a full miss, and a finite loss."""
    given_ = np.array([[0.25, 0.75], [1.0, 0.0]])
    assert brier_scores(given_, np.array([-1, 1])) == pytest.approx([0.625 + 1, 2])
    assert log_losses(given_, np.array([-1, 1])) == pytest.approx([36.04, 36.04], abs=0.01)


def test_reliability_of_a_small_example():
    """Five rows in four bins, computed by hand; a bound belongs to the bin below it."""
    confidence = np.array([0.5, 0.5, 0.7, 0.9, 1.0])
    right = np.array([True, False, True, True, False])
    bins = reliability(confidence, right, bins=4)
    assert bins == [
        ReliabilityBin(0.25, 0.5, 2, 0.5, 0.5),
        ReliabilityBin(0.5, 0.75, 1, pytest.approx(0.7), 1.0),
        ReliabilityBin(0.75, 1.0, 2, pytest.approx(0.95), 0.5),
    ]
    assert calibration_error(bins) == pytest.approx((2 * 0 + 1 * 0.3 + 2 * 0.45) / 5)


def test_honest_probabilities_have_a_small_calibration_error():
    """Labels drawn with the stated probabilities are calibrated; with lower ones they are not."""
    random = np.random.default_rng(5)
    confidence = random.uniform(0.5, 1.0, 40000)
    honest = reliability(confidence, random.random(40000) < confidence)
    assert sum(each.rows for each in honest) == 40000
    assert calibration_error(honest) < 0.01
    boastful = reliability(confidence, random.random(40000) < confidence - 0.2)
    assert calibration_error(boastful) == pytest.approx(0.2, abs=0.01)

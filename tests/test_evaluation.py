"""Metrics, checked against numbers worked out by hand and against scikit-learn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from textclf.evaluation import measure


def test_the_metrics_of_a_small_example():
    """Three classes, six rows, one class never predicted: as worked out on paper."""
    metrics = measure(["a", "a", "b", "b", "c", "c"], ["a", "b", "b", "b", "a", "b"])
    assert metrics.accuracy == pytest.approx(3 / 6)
    assert metrics.per_class["a"].precision == pytest.approx(1 / 2)
    assert metrics.per_class["a"].recall == pytest.approx(1 / 2)
    assert metrics.per_class["b"].f1 == pytest.approx(2 * (1 / 2) * 1 / (1 / 2 + 1))
    assert metrics.per_class["c"].f1 == 0
    assert metrics.per_class["c"].support == 2
    assert metrics.confusion.labels == ["a", "b", "c"]
    assert metrics.confusion.matrix == [[1, 1, 0], [0, 2, 0], [1, 1, 0]]


rows = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcde")), min_size=1)


@given(rows)
def test_the_averages_are_scikit_learn_s(pairs):
    """Accuracy, macro and weighted F1 agree with scikit-learn's functions for any labels."""
    truth, predicted = ([pair[n] for pair in pairs] for n in (0, 1))
    metrics = measure(truth, predicted)
    assert metrics.accuracy == pytest.approx(accuracy_score(truth, predicted))
    for average, value in (("macro", metrics.macro_f1), ("weighted", metrics.weighted_f1)):
        theirs = f1_score(truth, predicted, average=average, zero_division=0)
        assert value == pytest.approx(theirs)

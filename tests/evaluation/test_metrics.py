"""Metrics, checked against numbers worked out by hand and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score
from sklearn.metrics import confusion_matrix as theirs

from textclf.evaluation.metrics import (
    ConfusedPair,
    confused_pairs,
    confusion_matrix,
    f1_scores,
    measure,
    most_confused,
)
from textclf.metadata.schema import Confusion

LABELS = 4

pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)


@given(pairs)
def test_confusion_and_f1_are_scikit_learn_s(rows):
    """Counts and F1 are those of scikit-learn, for any labels."""
    truth, predicted = np.array(rows).T
    matrix = confusion_matrix(truth, predicted, LABELS)
    assert np.array_equal(matrix, theirs(truth, predicted, labels=range(LABELS)))
    f1 = f1_scores(np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0))
    expected = f1_score(truth, predicted, labels=range(LABELS), average=None, zero_division=0)
    assert f1 == pytest.approx(expected)


def test_the_metrics_of_a_small_example():
    """Three classes, six rows and a class that is never predicted, computed by hand."""
    metrics = measure(["a", "a", "b", "b", "c", "c"], ["a", "b", "b", "b", "a", "b"])
    assert metrics.accuracy == pytest.approx(3 / 6)
    assert metrics.per_class["a"].precision == pytest.approx(1 / 2)
    assert metrics.per_class["a"].recall == pytest.approx(1 / 2)
    assert metrics.per_class["b"].f1 == pytest.approx(2 * (1 / 2) * 1 / (1 / 2 + 1))
    assert metrics.per_class["c"].f1 == 0
    assert metrics.per_class["c"].support == 2
    assert metrics.confusion.labels == ["a", "b", "c"]
    assert metrics.confusion.matrix == [[1, 1, 0], [0, 2, 0], [1, 1, 0]]


row_lists = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcde")), min_size=1)


@given(row_lists)
def test_the_averages_are_scikit_learn_s(pairs):
    """Accuracy, macro and weighted F1 agree with scikit-learn's functions for any labels."""
    truth, predicted = ([pair[n] for pair in pairs] for n in (0, 1))
    metrics = measure(truth, predicted)
    assert metrics.accuracy == pytest.approx(accuracy_score(truth, predicted))
    for average, value in (("macro", metrics.macro_f1), ("weighted", metrics.weighted_f1)):
        expected = f1_score(truth, predicted, average=average, zero_division=0)
        assert value == pytest.approx(expected)


def test_the_confused_pairs_of_a_matrix_come_most_rows_first():
    """Pairs with as many rows keep the order of the labels; correct rows and zeros are left out."""
    confusion = Confusion(["a", "b", "c"], [[5, 2, 0], [3, 5, 3], [2, 0, 0]])
    assert confused_pairs(confusion) == [
        ConfusedPair("b", "a", 3),
        ConfusedPair("b", "c", 3),
        ConfusedPair("a", "b", 2),
        ConfusedPair("c", "a", 2),
    ]


def test_each_label_with_mistakes_has_one_that_it_is_most_often_predicted_as():
    """Of labels with as many rows it is the first; a label without mistakes has none."""
    confusion = Confusion(["a", "b", "c"], [[5, 0, 0], [3, 5, 3], [1, 2, 0]])
    assert most_confused(confusion) == {
        "b": ConfusedPair("b", "a", 3),
        "c": ConfusedPair("c", "b", 2),
    }

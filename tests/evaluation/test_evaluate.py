"""Metrics, checked against numbers worked out by hand and against scikit-learn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from textclf.data.dataset import Dataset
from textclf.evaluation.evaluate import evaluate, measure
from textclf.prediction.prediction import Prediction


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


row_lists = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcde")), min_size=1)


@given(row_lists)
def test_the_averages_are_scikit_learn_s(pairs):
    """Accuracy, macro and weighted F1 agree with scikit-learn's functions for any labels."""
    truth, predicted = ([pair[n] for pair in pairs] for n in (0, 1))
    metrics = measure(truth, predicted)
    assert metrics.accuracy == pytest.approx(accuracy_score(truth, predicted))
    for average, value in (("macro", metrics.macro_f1), ("weighted", metrics.weighted_f1)):
        theirs = f1_score(truth, predicted, average=average, zero_division=0)
        assert value == pytest.approx(theirs)


class Says:
    """A version that labels every text with its first letter, with these scores."""

    labels = ("a", "b", "c")

    def __init__(self, score_type="probability"):
        self.score_type = score_type

    def predict(self, texts):
        """One prediction for each text."""
        return [
            Prediction(
                text, text[0], 0.6, {text[0]: 0.6} | dict.fromkeys({*"abc"} - {text[0]}, 0.2)
            )
            for text in texts
        ]


def rows(*pairs):
    texts, labels = zip(*pairs, strict=True)
    return Dataset("x.csv", "csv", "5" * 64, texts, labels, range(len(texts)), ())


def test_calibration_of_a_small_example():
    """Three rows, of which one is wrong and one has a label never heard of: worked out on paper."""
    found = evaluate(Says(), rows(("a1", "a"), ("b1", "c"), ("c1", "unknown")))
    assert (found.labels, found.scores) == (["a", "b", "c"], [0.6] * 3)
    assert found.metrics == measure(["a", "c", "unknown"], ["a", "b", "c"])
    assert found.accuracy.low <= found.accuracy.value <= found.accuracy.high
    calibration = found.calibration
    assert calibration.expected_calibration_error == pytest.approx(0.6 - 1 / 3)
    assert calibration.brier == pytest.approx((0.24 + (0.36 + 0.04 + 0.64) + (0.44 + 1)) / 3)
    assert calibration.log_loss == pytest.approx((0.5108 + 1.6094 + 36.0437) / 3, abs=1e-3)


def test_decision_values_have_no_calibration():
    """A version from before the probabilities is scored without."""
    assert evaluate(Says("decision"), rows(("a1", "a"), ("b1", "b"))).calibration is None


def test_rows_are_scored_in_parts(monkeypatch):
    """How many rows are scored at a time changes nothing."""
    data = rows(*[(f"{label}{n}", "abc"[n % 3]) for n, label in enumerate("abcabbca")])
    whole = evaluate(Says(), data)
    monkeypatch.setattr("textclf.evaluation.evaluate._AT_ONCE", 3)
    assert evaluate(Says(), data) == whole

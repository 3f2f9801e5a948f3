"""The evaluation of a version on labelled rows, checked against numbers computed by hand."""

import pytest

from textclf.data.dataset import Dataset
from textclf.evaluation.evaluate import evaluate
from textclf.evaluation.metrics import measure
from textclf.prediction.model import Prediction


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
    """Three rows, of which one is wrong and one has an unknown label, computed by hand."""
    found = evaluate(Says(), rows(("a1", "a"), ("b1", "c"), ("c1", "unknown")))
    assert (found.labels, found.scores) == (["a", "b", "c"], [0.6] * 3)
    assert found.metrics == measure(["a", "c", "unknown"], ["a", "b", "c"])
    assert found.intervals.accuracy.low <= 1 / 3 <= found.intervals.accuracy.high
    calibration = found.calibration
    assert calibration.expected_calibration_error == pytest.approx(0.6 - 1 / 3)
    assert calibration.brier == pytest.approx((0.24 + (0.36 + 0.04 + 0.64) + (0.44 + 1)) / 3)
    assert calibration.log_loss == pytest.approx((0.5108 + 1.6094 + 36.0437) / 3, abs=1e-3)


def test_decision_values_have_no_calibration():
    """A version without probabilities is evaluated without calibration."""
    assert evaluate(Says("decision"), rows(("a1", "a"), ("b1", "b"))).calibration is None


def test_rows_are_scored_in_batches(monkeypatch):
    """The size of a batch does not change the evaluation."""
    data = rows(*[(f"{label}{n}", "abc"[n % 3]) for n, label in enumerate("abcabbca")])
    whole = evaluate(Says(), data)
    monkeypatch.setattr("textclf.evaluation.evaluate._BATCH", 3)
    assert evaluate(Says(), data) == whole

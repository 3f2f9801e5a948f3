"""Comparisons of two versions on the same rows, from given predictions."""

import msgspec
import numpy as np
import pytest
import registries
from scipy import stats
from sklearn.metrics import accuracy_score, f1_score

from textclf.data.dataset import Dataset
from textclf.evaluation.paired import ConfusionDelta, Flip, McNemar, compare_predictions
from textclf.metadata.sketch import Sketch

TRUTH = ["a"] * 6 + ["b"] * 4
FIRST = ["a", "a", "a", "a", "b", "b", "b", "b", "b", "a"]
SECOND = ["a", "a", "a", "b", "a", "c", "b", "b", "a", "b"]


def dataset(labels, texts=None):
    texts = texts or [f"text {n}" for n in range(len(labels))]
    return Dataset("x.csv", "csv", "5" * 64, tuple(texts), tuple(labels), range(len(labels)), ())


@pytest.fixture
def compare():
    """Return a function that compares two versions that were trained on given rows."""

    def call(truth, first, second, *trained_on):
        known = [Sketch.from_rows(rows.texts, rows.labels) for rows in trained_on]
        one, other = (
            registries.metadata(
                "1.0.0", data=msgspec.structs.replace(registries.metadata().data, sketch=sketch)
            )
            for sketch in known or [registries.sketch()] * 2
        )
        return compare_predictions(dataset(truth), (first, second), (one, other))

    return call


def test_a_small_example(compare):
    """Ten rows, computed by hand."""
    found = compare(TRUTH, FIRST, SECOND)
    accuracy, macro_f1 = found.metrics
    assert (accuracy.before.value, accuracy.after.value) == (0.7, 0.7)
    assert macro_f1.before.value == pytest.approx(f1_score(TRUTH, FIRST, average="macro"))
    assert macro_f1.after.value == pytest.approx(f1_score(TRUTH, SECOND, average="macro"))
    assert macro_f1.delta.value == macro_f1.after.value - macro_f1.before.value
    assert found.mcnemar == McNemar(2, 2, 1.0)
    assert (found.fixed, found.broken, len(found.flips)) == (2, 2, 5)
    assert found.flips[0] == Flip(3, "a", "b")
    assert found.flips[2] == Flip(5, "b", "c")


def test_classes_come_worst_first(compare):
    """Each class has its rows and the metrics of both versions, even if only one predicts it."""
    found = compare(TRUTH, FIRST, SECOND).per_class
    assert [(each.label, each.rows) for each in found] == [("a", 6), ("c", 0), ("b", 4)]
    assert found[0].before.recall == pytest.approx(4 / 6)
    assert found[0].after.recall == pytest.approx(4 / 6)
    assert [each.delta for each in found] == sorted(each.delta for each in found)
    assert found[1].before is None
    assert found[1].after.f1 == 0


def test_mistakes_that_changed_are_counted(compare):
    """The largest change comes first; unchanged mistakes and correct rows are not listed."""
    found = compare(TRUTH, FIRST, SECOND).confusions
    assert found == [ConfusionDelta("a", "b", 2, 1), ConfusionDelta("a", "c", 0, 1)]


def test_a_version_and_itself(compare):
    """There is no difference, no interval and no flip."""
    found = compare(TRUTH, FIRST, FIRST)
    for pair in found.metrics:
        assert (pair.delta.value, pair.delta.low, pair.delta.high) == (0, 0, 0)
        assert pair.before == pair.after
    assert found.mcnemar.p_value == 1.0
    assert found.flips == found.confusions == []


def test_a_large_example_against_scipy(compare):
    """Intervals contain their values, the test is scipy's binomial test, all is repeatable."""
    random = np.random.default_rng(7)
    truth = random.choice(["x", "y", "z"], 500, p=[0.6, 0.3, 0.1])
    first, second = (
        np.where(random.random(500) < share, truth, random.choice(["x", "y", "z"], 500)).tolist()
        for share in (0.7, 0.85)
    )
    truth = truth.tolist()
    found = compare(truth, first, second)
    assert found == compare(truth, first, second)
    accuracy = found.metrics[0]
    assert accuracy.after.value == accuracy_score(truth, second)
    for interval in (accuracy.before, accuracy.after, accuracy.delta):
        assert interval.low < interval.value < interval.high
    assert accuracy.delta.low > 0
    test = found.mcnemar
    only_first = sum(t == a != b for t, a, b in zip(truth, first, second, strict=True))
    assert test.only_a_right == only_first
    both = test.only_a_right + test.only_b_right
    assert test.p_value == pytest.approx(stats.binomtest(only_first, both).pvalue)


def test_the_overlap_with_training_rows_is_reported(compare):
    """A version that was trained on the rows is recognised, whatever else it was trained on."""
    known = dataset([*TRUTH, *TRUTH[:5]])
    found = compare(TRUTH, FIRST, SECOND, known, dataset(TRUTH, [f"new {n}" for n in range(10)]))
    assert (found.train_overlap_a, found.train_overlap_b) == (1.0, 0.0)

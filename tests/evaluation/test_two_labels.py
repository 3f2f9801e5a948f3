"""The ranking of two labels, against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score

from textclf.evaluation.two_labels import two_labels

LABELS = ["ham", "spam"]
rows = st.lists(
    st.tuples(st.sampled_from(LABELS), st.integers(0, 20).map(lambda n: n / 20)),
    min_size=2,
    max_size=60,
).filter(lambda drawn: len({label for label, _ in drawn}) == 2)


def of(drawn, **how):
    truth, spam = zip(*drawn, strict=True)
    scores = np.column_stack([1 - np.array(spam), spam])
    return two_labels(truth, LABELS, scores, **{"are_probabilities": True} | how)


@given(rows)
def test_the_numbers_are_those_of_scikit_learn(drawn):
    """The area and the average precisions are scikit-learn's, with ties too."""
    found = of(drawn)
    truth, spam = (np.array(column) for column in zip(*drawn, strict=True))
    assert found.roc_auc == pytest.approx(roc_auc_score(truth == "spam", spam))
    assert found.average_precision == {
        "ham": pytest.approx(average_precision_score(truth == "ham", 1 - spam)),
        "spam": pytest.approx(average_precision_score(truth == "spam", spam)),
    }


@given(rows)
def test_cutoffs_count_the_rows_from_a_probability_on(drawn):
    """False positives and negatives are those of labelling by the probability alone."""
    found = of(drawn)
    truth, spam = (np.array(column) for column in zip(*drawn, strict=True))
    positive, scores = truth == found.positive, spam if found.positive == "spam" else 1 - spam
    assert [cutoff.at for cutoff in found.cutoffs] == [n / 100 for n in range(1, 100)]
    for cutoff in found.cutoffs[::7]:
        matrix = confusion_matrix(positive, scores >= cutoff.at, labels=[False, True])
        (_, false_positives), (false_negatives, hits) = matrix.tolist()
        assert (cutoff.false_positives, cutoff.false_negatives) == (
            false_positives, false_negatives,
        )  # fmt: skip
        assert cutoff.recall == pytest.approx(hits / (hits + false_negatives))
        given_rows = hits + false_positives
        assert cutoff.precision == (pytest.approx(hits / given_rows) if given_rows else None)


def test_the_rarer_label_is_the_positive_one():
    """It is the label that one looks for; of equally frequent ones it is the second."""
    assert of([("ham", 0.1), ("spam", 0.9), ("spam", 0.8)]).positive == "ham"
    assert of([("ham", 0.1), ("ham", 0.2), ("spam", 0.8)]).positive == "spam"
    assert of([("ham", 0.1), ("spam", 0.8)]).positive == "spam"


def test_rows_with_a_label_that_the_model_does_not_know_are_left_out():
    """They are neither positive nor negative."""
    known = [("ham", 0.1), ("spam", 0.8), ("ham", 0.9)]
    assert of([*known, ("egg", 0.5)]) == of(known)


def test_where_there_is_nothing_to_tell_apart_there_are_no_numbers():
    """One label among the rows, none of them known, or a model with three labels."""
    assert of([("ham", 0.1), ("ham", 0.2)]) is None
    assert of([("egg", 0.1)]) is None
    assert two_labels(["a", "b"], ["a", "b", "c"], np.ones((2, 3)), are_probabilities=True) is None


def test_decision_values_rank_and_have_no_cutoffs():
    """Their scale has no meaning."""
    assert of([("ham", 0.1), ("spam", 0.8)], are_probabilities=False).cutoffs == []

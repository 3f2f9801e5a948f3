"""What a report gathers from a tested model, checked against scikit-learn and the rows."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.svm import LinearSVC

from textclf.data.dataset import Dataset
from textclf.evaluation.scored_rows import ScoredRows
from textclf.metadata.schema import decode, encode
from textclf.report.gather import gather
from textclf.report.report_data import ReportData

WORDS = {"a": ["apple", "acorn"], "b": ["bread", "beer"], "c": ["cake", "cider"]}


def dataset(labels="abc", wrong=()):
    """Return thirty short texts; those numbered in ``wrong`` have a wrong label."""
    texts, truth = [], []
    for n in range(30):
        label = labels[n % len(labels)]
        texts.append(f"{WORDS[label][n % 2]} the {WORDS[label][n % 3 % 2]}")
        truth.append(labels[(n + (n in wrong)) % len(labels)])
    places = range(2, 32)
    return Dataset("test.csv", "csv", "0" * 64, tuple(texts), tuple(truth), places, ())


def fitted(classifier, rows):
    """Return a fitted pipeline like those that are published, with two blocks."""
    blocks = [
        ("word", TfidfVectorizer()),
        ("char_wb", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 2))),
    ]
    pipeline = Pipeline([("features", FeatureUnion(blocks)), ("classifier", classifier)])
    return pipeline.fit(rows.texts, rows.labels)


def calibrated():
    return CalibratedClassifierCV(LinearSVC(), method="temperature", ensemble=False, cv=3)


@pytest.mark.parametrize(
    "classifier", [LinearSVC, calibrated, LogisticRegression, ComplementNB, MultinomialNB]
)
@pytest.mark.parametrize("labels", ["ab", "abc"])
def test_the_scored_rows_are_those_of_the_pipeline(classifier, labels):
    """Labels and scores are those of the pipeline's own methods."""
    rows = dataset(labels, wrong={4, 7})
    model = fitted(classifier(), dataset(labels))
    scored = ScoredRows.from_pipeline(model, rows)
    assert scored.predicted == model.predict(rows.texts).tolist()
    assert scored.scores.shape == (30, len(labels))
    if scored.has_probabilities:
        assert np.allclose(scored.scores, model.predict_proba(rows.texts))
    data = gather(scored)
    assert data.score_type == ("probability" if scored.has_probabilities else "decision")
    assert (data.probabilities is None) == (not scored.has_probabilities)
    assert sorted(m.place for m in data.mistakes) == [6, 9]


@pytest.mark.parametrize(
    "classifier", [calibrated, LogisticRegression, ComplementNB, MultinomialNB]
)
@pytest.mark.parametrize("labels", ["ab", "abc"])
def test_the_ngrams_of_a_label_are_its_own(classifier, labels):
    """The largest weights are those of the words that only the label has, with their block."""
    rows = dataset(labels)
    found = gather(ScoredRows.from_pipeline(fitted(classifier(), rows), rows)).ngrams
    assert list(found) == list(labels)
    for label, ngrams in found.items():
        weights = [n.weight for n in ngrams]
        assert weights == sorted(weights, reverse=True)
        assert weights[-1] > 0
        words = {n.ngram for n in ngrams if n.block == "word"}
        assert set(WORDS[label]) <= words
        assert not words & {w for other in labels if other != label for w in WORDS[other]}
        assert {n.block for n in ngrams} == {"word", "char_wb"}


def test_the_ngrams_are_those_of_the_largest_coefficients():
    """Names and weights are what scikit-learn's own names and coefficients give."""
    rows = dataset()
    model = fitted(LinearSVC(), rows)
    names = model.named_steps["features"].get_feature_names_out()
    for label, row in zip("abc", model.named_steps["classifier"].coef_, strict=True):
        found = gather(ScoredRows.from_pipeline(model, rows)).ngrams[label]
        best = np.argsort(-row, kind="stable")[: len(found)]
        assert [f"{n.block}__{n.ngram}" for n in found] == names[best].tolist()
        assert [n.weight for n in found] == pytest.approx(row[best].tolist(), abs=1e-6)


def test_thresholds_count_the_rows():
    """Each threshold has the share of rows that keep their label and their accuracy."""
    rows = dataset(wrong={4, 7})
    scored = ScoredRows.from_pipeline(fitted(LogisticRegression(), dataset()), rows)
    found = gather(scored).probabilities.thresholds
    assert (found[0].answered, found[0].accuracy) == (1, pytest.approx(28 / 30, abs=1e-6))
    assert (found[100].answered, found[100].accuracy) == (0, None)
    confidence = scored.scores.max(axis=1)
    for each in found:
        taken = confidence >= each.at
        assert each.answered == pytest.approx(taken.mean(), abs=1e-6)
        if taken.any():
            right = np.asarray(scored.predicted)[taken] == np.asarray(rows.labels)[taken]
            assert each.accuracy == pytest.approx(right.mean(), abs=1e-6)


def test_the_most_confident_mistakes_come_first_and_without_their_texts():
    """They are ordered by score, and have the beginning of their texts only if requested."""
    rows = dataset(wrong=range(0, 30, 2))
    scored = ScoredRows.from_pipeline(fitted(LogisticRegression(), dataset()), rows)
    data = gather(scored)
    scores = [mistake.score for mistake in data.mistakes]
    assert scores == sorted(scores, reverse=True)
    assert not data.texts
    assert all(mistake.text is None for mistake in data.mistakes)
    assert b"the" not in encode(data.mistakes)
    long = replace(rows, texts=tuple(t + " x" * 999 for t in rows.texts))
    shown = gather(ScoredRows.from_pipeline(scored.model, long), texts=True)
    assert shown.texts
    assert all(len(mistake.text) == 400 for mistake in shown.mistakes)
    assert data.mistakes[0].truth == rows.labels[data.mistakes[0].place - 2]


def test_a_label_that_the_model_does_not_know_is_a_mistake():
    """It has no score, and its probability counts as 0."""
    rows = dataset()
    strange = replace(rows, labels=("new", *rows.labels[1:]))
    data = gather(ScoredRows.from_pipeline(fitted(LogisticRegression(), rows), strange))
    [mistake] = data.mistakes
    assert (mistake.truth, mistake.truth_score) == ("new", None)
    assert data.probabilities.log_loss > 1


def test_the_same_test_gives_the_same_file_and_it_is_read_back():
    """Two runs give the same bytes, and reading the file loses nothing."""
    rows = dataset(wrong={3})
    first, second = (
        gather(ScoredRows.from_pipeline(fitted(LogisticRegression(), rows), rows), texts=True)
        for _ in range(2)
    )
    assert encode(first) == encode(second)
    assert decode(encode(first), ReportData, name="report.json") == first

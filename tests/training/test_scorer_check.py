"""No version is made with a scorer that disagrees with its model."""

from dataclasses import replace

import numpy as np
import pytest
from paths import TRAIN

from textclf.data.dataset import read_dataset
from textclf.evaluation.scored_rows import ScoredRows
from textclf.scorer.scorer import SCORER, Scorer
from textclf.scorer.writer import compile_scorer
from textclf.search.estimators import build_pipeline
from textclf.search.space import CandidateParams
from textclf.training.scorer_check import ScorerMismatch, check_scorer


@pytest.fixture(scope="module")
def tested():
    """Return the predictions of a model for test rows, and its scorer."""
    rows = read_dataset(TRAIN)
    rows = replace(rows, texts=rows.texts[:200], labels=rows.labels[:200])
    features = {"word": {"ngram_range": [1, 2]}, "char_wb": {"ngram_range": [2, 3]}}
    fitted = build_pipeline(CandidateParams(features, "LogisticRegression", {}), 0).fit(
        rows.texts, rows.labels
    )
    return ScoredRows.from_pipeline(fitted, rows), compile_scorer(fitted)


def test_a_compiled_scorer_passes(tested):
    """Its labels and scores are those of the model."""
    scored, data = tested
    check_scorer(data, scored)


def changed(data, number, part, column, factor):
    """Return the scorer with a column of its rows multiplied."""
    array = Scorer(data, name=SCORER).tables[number].arrays[part]
    copy = bytearray(data)
    count = (array.end - array.begin) // 8
    rows = np.frombuffer(copy, "<f8", count, array.begin).reshape(array.shape)
    rows[:, column] *= factor
    return bytes(copy)


@pytest.mark.parametrize("column", [0, 1, 3])
def test_a_scorer_with_other_weights_fails(tested, column):
    """A small difference of the scores is enough, even if all labels are the same."""
    scored, data = tested
    rows = Scorer(data, name=SCORER).tables[1].count
    off = changed(data, 1, 0, column, np.linspace(1, 1.001, rows))
    with pytest.raises(ScorerMismatch, match="disagree on"):
        check_scorer(off, scored)


def test_a_scorer_with_other_labels_fails(tested):
    """The numbers may be right and the names wrong."""
    scored, data = tested
    wrong = data.replace(b'\\"negative\\",\\"neutral\\"', b'\\"neutral\\",\\"negative\\"')
    assert wrong != data
    with pytest.raises(ScorerMismatch):
        check_scorer(wrong, scored)


def test_a_scorer_without_rare_settings_fails(tested):
    """Unusual texts reveal what ordinary rows may not: here, that accents and case matter."""
    scored, data = tested
    few = ScoredRows.from_pipeline(
        scored.model, replace(scored.rows, texts=("plain text",), labels=("neutral",))
    )
    head = int.from_bytes(data[:8], "little")
    settings = data[8 : 8 + head].rstrip()
    settings = settings.replace(b'lowercase\\":true', b'lowercase\\":false').ljust(head)
    off = data[:8] + settings + data[8 + head :]
    assert len(off) == len(data)
    with pytest.raises(ScorerMismatch):
        check_scorer(off, few)


@pytest.mark.parametrize("most", [100, 1_000_000], ids=["in a batch", "one at a time"])
def test_predictions_that_are_not_the_pipelines_fail(tested, monkeypatch, most):
    """They may be derived from counts, and a wrong one of any row is found, not only of the first.

    So a version is never made with test results that its model does not have.
    """
    monkeypatch.setattr("textclf.training.scorer_check._CHARACTERS", most)
    scored, data = tested
    check_scorer(data, scored)
    scores = scored.scores.copy()
    scores[-1] = scores[-1][::-1]
    with pytest.raises(ScorerMismatch, match="disagree on 1 of 200 texts"):
        check_scorer(data, replace(scored, scores=scores))

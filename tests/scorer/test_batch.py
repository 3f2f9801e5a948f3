"""Many texts at once: the same as one by one."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from effort import cases
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_data import sample_rows

from textclf.errors import IntegrityError
from textclf.scorer import batch
from textclf.scorer.batch import BatchScorer, cores, label_indices
from textclf.scorer.scorer import Scorer, label_index
from textclf.scorer.writer import compile_scorer
from textclf.search.estimators import build_pipeline
from textclf.search.space import CandidateParams
from textclf.search.writing import WORDS_WITH_MARKS

FEATURES = {
    "plain": {"word": {}},
    "words": {
        "word": {
            "ngram_range": [1, 3],
            "sublinear_tf": True,
            "token_pattern": r"\w+|[^\w\s]",
            "stop_words": "english",
        }
    },
    "visible": {"word": {"token_pattern": r"\S+", "ngram_range": [2, 2], "norm": None}},
    "marks": {"word": {"token_pattern": WORDS_WITH_MARKS, "ngram_range": [1, 2]}},
    "regex": {"word": {"token_pattern": r"[aeiou]*", "ngram_range": [1, 2], "stop_words": ["e"]}},
    "joined": {
        "word": {"binary": True, "norm": "l1", "lowercase": False},
        "char_wb": {"ngram_range": [3, 5], "strip_accents": "unicode", "sublinear_tf": True},
    },
    "chars": {"char": {"ngram_range": [1, 4], "use_idf": False}},
}
CLASSIFIERS = {
    "plain": ("LogisticRegression", {}),
    "words": ("LinearSVC", {}),
    "visible": ("MultinomialNB", {}),
    "marks": ("LinearSVC", {}),
    "regex": ("SGDClassifier", {"loss": "log_loss"}),
    "joined": ("SGDClassifier", {"loss": "modified_huber"}),
    "chars": ("RidgeClassifier", {}),
}


@pytest.fixture(scope="module")
def sample():
    return sample_rows(300)


@pytest.fixture(scope="module")
def scorers(sample):
    """For each kind of features scorers of three labels and of two, for one text and for many."""

    def made(name, few):
        rows = [pair for pair in zip(*sample, strict=True) if not few or pair[1] != "neutral"]
        fitted = build_pipeline(CandidateParams(FEATURES[name], *CLASSIFIERS[name]), 0).fit(
            *zip(*rows, strict=True)
        )
        scorer = Scorer(compile_scorer(fitted), name="a file")
        return scorer, BatchScorer(scorer)

    return {name: [made(name, few) for few in (False, True)] for name in FEATURES}


def same(scorer, batch, texts):
    values = batch.decide(texts)
    decided = [scorer.decide(text) for text in texts]
    assert np.allclose(values, decided, rtol=0, atol=1e-12)
    assert label_indices(values).tolist() == [label_index(decision) for decision in values.tolist()]
    scores = [scorer.scores(decision) for decision in values.tolist()]
    assert np.allclose(batch.scores(values), scores, rtol=0, atol=1e-12)
    assert batch.count_known(texts).tolist() == [list(scorer.count_known(text)) for text in texts]


@pytest.mark.parametrize("name", FEATURES)
def test_many_are_decided_as_one(sample, scorers, name, monkeypatch):
    """Also where texts are shared out to threads in small pieces, whatever their length."""
    monkeypatch.setattr(batch, "CHUNK", 500)
    long = " ".join(sample[0][:100])
    for pair in scorers[name]:
        same(*pair, [*sample[0], "", long, " ", long.upper(), "a", ""])


@given(
    st.sampled_from(sorted(FEATURES)),
    st.lists(
        st.text(
            st.one_of(
                st.sampled_from("abcdeAE \u0130\u03a3\u03c3\u0301\xe9.,!\t\n\x1f\x85\u2003\ud800"),
                st.characters(),
            ),
            max_size=40,
        ),
        max_size=6,
    ),
)
@settings(max_examples=cases(50, 150), deadline=None)
def test_any_texts_are_decided_as_one(scorers, name, texts):
    """Whatever characters they hold."""
    for pair in scorers[name]:
        if texts:
            same(*pair, texts)


def test_no_texts_are_no_decisions(scorers):
    """An empty list gives an empty matrix."""
    assert scorers["plain"][0][1].decide([]).shape == (0, 3)


def test_threads_may_share_it(sample, scorers):
    """Calls from many threads at once do not disturb each other."""
    _, batch = scorers["joined"][0]
    alone = batch.decide(sample[0])
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: batch.decide(sample[0]), range(16)):
            assert (found == alone).all()


@pytest.mark.parametrize("name", ["starts", "ends"])
def test_an_index_that_leads_astray_is_refused(sample, name):
    """Compiled loops know no bounds: so all offsets are checked before."""
    fitted = build_pipeline(CandidateParams({"word": {}}, "LinearSVC", {}), 0).fit(*sample)
    data = compile_scorer(fitted)
    place = Scorer(data, name="a file").tables[0].arrays[1 if name == "starts" else 2]
    for offset, value in ((0, 1), (8, 0xFFFFFFFF), (place.end - place.begin - 4, 0)):
        damaged = bytearray(data)
        at = place.begin + offset
        damaged[at : at + 4] = value.to_bytes(4, "little")
        with pytest.raises(IntegrityError, match="index leads out"):
            BatchScorer(Scorer(bytes(damaged), name="a file"))


def test_weights_that_are_no_numbers_are_refused(sample):
    """A decision that is no number is never given."""
    data = bytearray(
        compile_scorer(
            build_pipeline(CandidateParams({"word": {}}, "LinearSVC", {}), 0).fit(*sample)
        )
    )
    rows = Scorer(bytes(data), name="a file").tables[0].arrays[0]
    data[rows.begin : rows.end] = np.full((rows.end - rows.begin) // 8, np.nan).tobytes()
    with pytest.raises(IntegrityError, match="not a number"):
        BatchScorer(Scorer(bytes(data), name="a file")).decide(sample[0])


def test_the_number_of_cores_is_known_on_every_system(monkeypatch):
    """Also where a process cannot be told which ones it may use."""
    assert 1 <= cores() <= os.cpu_count()
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert cores() == os.cpu_count()

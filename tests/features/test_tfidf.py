"""Weighted matrices against their oracle, scikit-learn's TfidfVectorizer."""

import random
import warnings

import numpy as np
import pytest
from effort import cases
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from textclf.features.counts import count
from textclf.features.tfidf import CountCache, WeightedCounts, fit_tfidf, join

PIECES = (
    "the", "a", "cat", "Cat's", "x", "xx", "don't", "_", "3.14", "ΣΑΣ", "İ", "ß", "ﬁn", "é",
    "e\u0301", "क्षि", "漢字", "ไทย", "العَرَبِيَّة", "Ⅷ", "😀", "👩\u200d👧", "\u200b", "\x00", "a\x01",
    "\x1c", "\x85", "\xa0", "\u3000", "\ud83d", "\udfff", " ", " ", " ", " ", "  ", "\n", ",", "!",
)  # fmt: skip

texts = st.lists(st.sampled_from(PIECES) | st.characters(codec=None), max_size=14).map("".join)
corpora = st.lists(texts, min_size=1, max_size=8)
blocks = st.sampled_from(["word", "char_wb", "char"])
shares = st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.5, 0.7, 0.75, 1.0])
weights = {
    "min_df": st.integers(1, 4) | shares,
    "max_df": st.integers(1, 6) | shares,
    "max_features": st.none() | st.integers(1, 60),
    "sublinear_tf": st.booleans(),
    "binary": st.booleans(),
    "use_idf": st.booleans(),
    "smooth_idf": st.booleans(),
    "norm": st.sampled_from(["l1", "l2", None]),
}
choices = st.fixed_dictionaries(
    {},
    optional=weights
    | {
        "lowercase": st.booleans(),
        "strip_accents": st.sampled_from([None, "ascii", "unicode"]),
        "token_pattern": st.sampled_from([r"\w+", r"\w+|[^\w\s]", r"\S+", r"(?:\w+')?\w+"]),
        "stop_words": st.sampled_from([None, "english", ["the", "x", "!"]]),
    },
)
ranges = st.tuples(st.integers(1, 4), st.integers(0, 3)).map(lambda r: (r[0], r[0] + r[1]))


def theirs(corpus, block, given_settings, rows):
    """Fit scikit-learn's vectoriser on some rows: it and all rows' matrix, or why it failed."""
    scheme = TfidfVectorizer(analyzer=block, **given_settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            scheme.fit([corpus[row] for row in rows])
        except ValueError as error:
            return str(error)
        return scheme, scheme.transform(corpus)


def ours(corpus, block, given_settings, rows, limits):
    """Count over a range around the one asked for, and weigh: the same, or why it failed."""
    try:
        counts = count(corpus, block, given_settings, *limits)
        learned = fit_tfidf(counts, block, given_settings, rows)
    except ValueError as error:
        return str(error)
    everything = np.arange(len(corpus))
    return counts.terms(learned.columns), learned, join([learned.of(counts)], everything)


def check(corpus, block, given_settings, rows, limits):
    """Compare vocabulary, idf and weights of all rows, or the message; returns their number.

    What the fitted vectorizer makes of counts of the texts is compared, too.
    """
    expected = theirs(corpus, block, given_settings, rows)
    found = ours(corpus, block, given_settings, np.array(rows), limits)
    if isinstance(expected, str) or isinstance(found, str):
        assert found == expected
        return 0
    (scheme, matrix), (terms, learned, weighted) = expected, found
    assert set(terms) == set(scheme.vocabulary_)
    assert len(terms) == len(scheme.vocabulary_)
    assert weighted.shape == matrix.shape
    exact = count(corpus, block, given_settings, *scheme.ngram_range)
    derived = join([WeightedCounts.by_vectorizer(scheme, exact)], np.arange(len(corpus)))
    assert derived.shape == matrix.shape
    assert abs(derived - matrix).max() <= 1e-12
    order = [scheme.vocabulary_[term] for term in terms]
    assert abs(weighted - matrix[:, order]).max() <= 1e-12
    assert np.all(np.diff(learned.columns) > 0)
    if scheme.use_idf:
        assert learned.idf == pytest.approx(scheme.idf_[order], abs=1e-12)
    return len(terms)


@settings(deadline=None, max_examples=cases(40, 100), derandomize=True)
@given(corpora, blocks, choices, ranges, st.data())
def test_weights_are_those_of_scikit_learn(corpus, block, given_settings, limits, data):
    """Any texts, settings and training rows: the same columns and weights, or the same refusal."""
    rows = data.draw(
        st.lists(st.integers(0, len(corpus) - 1), min_size=1, unique=True), label="training rows"
    )
    low, high = data.draw(st.integers(1, limits[0])), limits[1] + data.draw(st.integers(0, 2))
    given_settings["ngram_range"] = limits
    check(corpus, block, given_settings, rows, (low, high))


def zipfian(seed, rows=40, words=400):
    """Texts of random words, of which many occur equally often."""
    numbers = random.Random(seed)
    return [
        " ".join(f"w{int(words ** numbers.random())}" for _ in range(numbers.randrange(60)))
        for _ in range(rows)
    ]


@settings(deadline=None, max_examples=cases(25, 60), derandomize=True)
@given(
    st.integers(0, 99), blocks, st.integers(1, 3000), st.fixed_dictionaries({}, optional=weights)
)
def test_ties_for_the_last_place_fall_as_they_do_there(seed, block, most, given_settings):
    """Of hundreds of n-grams that are equally frequent, ``max_features`` keeps the same."""
    given_settings |= {"max_features": most, "ngram_range": (1, 2)}
    corpus = zipfian(seed)
    check(corpus, block, given_settings, range(0, 40, 2), (1, 3))


@pytest.mark.parametrize("block", ["word", "char_wb", "char"])
@pytest.mark.parametrize("limits", [(1, 1), (1, 2), (2, 2), (2, 4), (4, 4)])
def test_one_table_serves_every_range_within_it(block, limits):
    """N-grams of every range are weighed from counts over the widest."""
    kept = check(zipfian(1), block, {"ngram_range": limits}, range(1, 40, 3), (1, 4))
    assert kept >= 12


@pytest.mark.parametrize(
    ("corpus", "given_settings", "message"),
    [
        (["a b", "c"], {}, "empty vocabulary; perhaps the documents only contain stop words"),
        (["", "aa"], {}, "empty vocabulary; perhaps the documents only contain stop words"),
        (["aa"] * 4, {"min_df": 3, "max_df": 0.5}, "max_df corresponds to < documents than min_df"),
        (["aa bb"], {"min_df": 2}, "max_df corresponds to < documents than min_df"),
        (["aa", "bb", "aa"], {"min_df": 2}, "After pruning, no terms remain. Try a lower min_df"),
        (["aa"] * 3, {"max_df": 1}, "After pruning, no terms remain. Try a lower min_df"),
    ],
)
def test_what_scikit_learn_refuses_is_refused(corpus, given_settings, message):
    """Where no n-gram is left, the reason is scikit-learn's; the last row is not trained on."""
    rows = range(max(len(corpus) - 1, 1))
    assert theirs(corpus, "word", given_settings, rows).startswith(message)
    check(corpus, "word", given_settings, rows, (1, 2))


def test_texts_without_any_kept_ngram_are_rows_of_zeros():
    """An empty text, or one of other words, has no weights and divides nothing by zero."""
    corpus = ["one two", "two three", "", "four"]
    counts = count(corpus, "word", {}, 1, 1)
    for norm in ("l1", "l2", None):
        learned = fit_tfidf(counts, "word", {"norm": norm}, np.array([0, 1]))
        matrix = join([learned.of(counts)], np.array([2, 3, 0]))
        assert matrix[:2].nnz == 0
        assert matrix.shape == (3, 3)
        assert np.isfinite(matrix.toarray()).all()


def test_a_cache_counts_once_what_candidates_share():
    """Only what is counted makes another table; it reaches from the least to the most asked for."""
    candidates = [
        {"word": {"ngram_range": [2, 2], "min_df": 2}},
        {"word": {"ngram_range": [1, 3], "binary": True}, "char_wb": {"ngram_range": [2, 3]}},
        {"word": {"lowercase": False}},
    ]
    cache = CountCache.from_texts(zipfian(2), candidates)
    assert len(cache.tables) == 3
    (bigrams,), (words, characters), (other,) = map(cache.counts_for, candidates)
    assert bigrams is words
    assert sorted(set(words.lengths.tolist())) == [1, 2, 3]
    assert sorted(set(characters.lengths.tolist())) == [2, 3]
    assert other is not words
    assert cache.texts.tolist() == zipfian(2)


def test_a_candidate_with_one_block_that_cannot_be_counted_is_left_to_scikit_learn():
    """Tokens that hold spaces, and settings that leave nothing, have no counts to share."""
    odd = {"word": {"token_pattern": r"\w+ \w+", "ngram_range": [1, 2]}}
    none = {"char": {"ngram_range": [5000, 5000]}}
    plain = {"char_wb": {}}
    cache = CountCache.from_texts(zipfian(3), [odd, none, plain, odd | plain])
    assert not cache.counts_for(odd)
    assert not cache.counts_for(none)
    assert not cache.counts_for(odd | plain)
    assert cache.counts_for(plain)

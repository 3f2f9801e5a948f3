"""N-gram counts against their oracle, scikit-learn's CountVectorizer."""

import pickle
import random
import re
import sys
import warnings

import numpy as np
import pytest
from effort import cases
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_data import sample_rows
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer

from textclf.features import counts
from textclf.features.counts import NoExactShortcut, count
from textclf.features.tokens import RunTokenizer, chunks, tokenizer_for
from textclf.search.writing import WORDS_WITH_MARKS

RUNS = (
    r"(?u)\b\w\w+\b", r"\b\w\w+\b", r"(?u)\b\w+\b", r"\b\w+\b", r"\w+", r"(?u)\w+", r"\w\w+",
    r"\w\w\w+", r"\w{2,}", r"(?u)\w{1,}", r"\b\w{3,}\b", r"\w+|[^\w\s]", r"(?u)\b\w\w+\b|[^\w\s]",
    r"\b\w+\b|[^\w\s]", r"\S+", r"(?u)\S+", r"[^\s]+",
    r"[\w\u0300-\u036f]+", r"(?u)[\w\u0300-\u036f\u0900-\u0963]+|\S", WORDS_WITH_MARKS,
)  # fmt: skip
"""Token patterns that are runs of one class of characters."""

ODD = (
    r"[a-z]+", r"(?i)[a-zß]+\d*", r"\b(\w)\w*\b", r"\w*", r"(?:\w+')?\w+", r"(x)?\w", r"\w+|\S",
    r"(?a)\w+", r"\w{2,3}", r"\w+\b|[^\w\s]+", r"\b\S+\b", r"\w{0,}", r"\w+?", r"\W", r"\W+", ".",
    r"(?s).", r"\w\s\w", r"\Bx+", r"\S+\s*",
    r"[\w\u0020-\u0040]+|\S", r"[\w\u1680-\u1681]+", r"[\w'-]+|\S", r"[\w\u0900-\u0963]|\S",
)  # fmt: skip
"""Others: groups, options, empty tokens, tokens that hold spaces."""

PIECES = (
    "the", "a", "I", "cat", "Cat's", "x", "xx", "don't", "well-known", "_", "__init__", "3.14",
    "ΣΑΣ", "Σ", "İ", "ß", "ẞ", "ﬁn", "é", "e\u0301", "\u0301", "क्षि", "漢字", "日本語", "ไทย",
    "العَرَبِيَّة", "٣", "²", "Ⅷ", "😀", "👩\u200d👩\u200d👧", "🇩🇪", "\ufe0f", "\u200b", "\ufeff",
    "\x00", "\x01", "a\x01", "\x1c", "\x1f", "\x7f", "\x85", "\xa0", "\u2028", "\u3000", "\ud83d",
    "\ude00", "\udfff", "\U0010ffff", " ", " ", " ", "  ", "\n", "\t \n", "\r\n", ",", "...", "!",
)  # fmt: skip

characters = st.characters(codec=None) | st.sampled_from([chr(0xD800), chr(0xDFFF)])
texts = st.lists(st.sampled_from(PIECES) | characters, max_size=12).map("".join)
corpora = st.lists(texts, min_size=1, max_size=6)
blocks = st.sampled_from(["word", "char_wb", "char"])
stop_lists = st.lists(st.sampled_from(["the", "a", "x", "cat", "", "of the", "σας", "!", "\ud83d"]))
choices = st.fixed_dictionaries(
    {},
    optional={
        "lowercase": st.booleans(),
        "strip_accents": st.sampled_from([None, "ascii", "unicode"]),
        "token_pattern": st.sampled_from(RUNS + ODD),
        "stop_words": st.none() | st.just("english") | stop_lists,
    },
)


@st.composite
def ranges(draw):
    """Return a range of n-gram lengths and one within it."""
    lo = draw(st.integers(1, 5))
    hi = draw(st.integers(lo, 7))
    inner = draw(st.integers(lo, hi))
    return lo, hi, inner, draw(st.integers(inner, hi))


def theirs(corpus, block, given_settings, lo, hi):
    """Count with scikit-learn: the terms in alphabetical order, and the counts."""
    vectorizer = CountVectorizer(analyzer=block, ngram_range=(lo, hi), **given_settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            matrix = vectorizer.fit_transform(corpus)
        except ValueError as error:
            assert "empty vocabulary" in str(error)  # noqa: PT017 - any other one is raised
            return [], None
    return sorted(vectorizer.vocabulary_), matrix


def assert_same(counts, lo, hi, expected):
    """Compare the columns of a range and their counts with what scikit-learn has."""
    terms, matrix = expected
    columns = np.flatnonzero(counts.in_range(lo, hi))
    columns = columns[np.argsort(counts.ranks()[columns])]
    assert counts.terms(columns) == terms
    if terms:
        shape = counts.rows, counts.columns
        ours = csr_matrix((counts.data, counts.indices, counts.indptr), shape=shape)
        assert (ours[:, columns] != matrix).nnz == 0


def check(corpus, block, given_settings, lo, hi, *inner):
    """Count once, and compare every range asked for."""
    try:
        counts = count(corpus, block, given_settings, lo, hi)
    except ValueError as error:
        assert "empty vocabulary; perhaps" in str(error)  # noqa: PT017 - any other one is raised
        assert theirs(corpus, block, given_settings, lo, hi)[0] == []
        return
    for low, high in [(lo, hi), *inner]:
        assert_same(counts, low, high, theirs(corpus, block, given_settings, low, high))


def holds_space(corpus, given_settings):
    """Whether scikit-learn's tokens hold spaces, before stop words are taken out."""
    vectorizer = CountVectorizer(**given_settings)
    prepare, tokenize = vectorizer.build_preprocessor(), vectorizer.build_tokenizer()
    return any(" " in token for text in corpus for token in tokenize(prepare(text)))


@settings(deadline=None, max_examples=cases(40, 120))
@given(corpora, blocks, choices, ranges(), st.sampled_from([1, 7, 1 << 20]))
def test_counts_are_those_of_scikit_learn(corpus, block, given_settings, limits, chunk):
    """Any text, settings, range and range within it: the same n-grams, as often, in any chunks."""
    lo, hi, inner_lo, inner_hi = limits
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counts, "CHUNK", chunk)
        try:
            check(corpus, block, given_settings, lo, hi, (inner_lo, inner_hi))
        except NoExactShortcut:
            assert block == "word"
            assert hi > 1
            assert holds_space(corpus, given_settings)


@settings(deadline=None, max_examples=cases(20, 50))
@given(st.lists(corpora, max_size=3), st.sampled_from(RUNS + ODD))
def test_tokens_are_those_of_re(corpora, pattern):
    """Whatever the pattern, tokens are what ``findall`` gives, over several calls."""
    tokenize = tokenizer_for(pattern)
    for corpus in corpora:
        found = tokenize(corpus)
        words = tokenize.words()
        split = np.split(found.ids, found.ends[:-1])
        assert [[words[i] for i in ids] for ids in split] == [
            re.findall(pattern, t) for t in corpus
        ]


@pytest.mark.parametrize("pattern", [r"\w+", r"\w\w+|[^\w\s]", r"\S+", WORDS_WITH_MARKS])
def test_every_character_is_what_re_thinks_it_is(pattern):
    """Every code point there is, before a letter, gives the tokens of ``re``."""
    text = "x\n".join(map(chr, range(sys.maxunicode + 1)))
    tokenize = tokenizer_for(pattern)
    ids = tokenize([text]).ids
    words = tokenize.words()
    assert [words[number] for number in ids.tolist()] == re.findall(pattern, text)


@pytest.mark.parametrize("pattern", RUNS)
def test_runs_have_the_fast_road(pattern):
    """Every spelling of a pattern of runs is known as one."""
    assert isinstance(tokenizer_for(pattern), RunTokenizer)


@pytest.mark.parametrize("pattern", ODD)
def test_other_patterns_are_left_to_re(pattern):
    """No pattern is taken for runs of a class of characters that is something else."""
    assert not isinstance(tokenizer_for(pattern), RunTokenizer)


def test_words_of_equal_hashes_are_told_apart():
    """Among so many words some share the 32 bits that are kept of a hash."""
    words = [str(number) for number in range(300_000)]
    tokenize = tokenizer_for(r"\w+")
    assert tokenize([" ".join(words)]).ids.tolist() == list(range(len(words)))
    assert tokenize.words() == words


def test_ranks_are_those_of_the_spelled_ngrams():
    """Control characters come before the space that joins tokens, other characters after it."""
    counts = count(["a a\x01 a b", "a\x01 aa a\x01"], "word", {"token_pattern": r"\S+"}, 1, 3)
    terms = counts.terms(np.arange(counts.columns))
    ranks = dict(zip(terms, counts.ranks().tolist(), strict=True))
    assert sorted(ranks, key=ranks.__getitem__) == sorted(terms)


@pytest.fixture(scope="module")
def rows():
    return sample_rows()[0]


@pytest.mark.parametrize("pattern", [r"(?u)\b\w\w+\b", r"\w+|[^\w\s]", r"[a-z']+"])
@pytest.mark.parametrize("stop_words", [None, "english", ["the", "and"]])
def test_words_of_real_rows(rows, pattern, stop_words):
    """Real rows have scikit-learn's n-grams of words, with and without stop words."""
    given_settings = {"token_pattern": pattern, "stop_words": stop_words}
    check(rows, "word", given_settings, 1, 3, (1, 1), (1, 2), (2, 2), (3, 3))


@pytest.mark.parametrize("block", ["char_wb", "char"])
@pytest.mark.parametrize("lowercase", [True, False])
def test_characters_of_real_rows(rows, block, lowercase):
    """Real rows have scikit-learn's n-grams of characters."""
    check(rows[:300], block, {"lowercase": lowercase}, 1, 6, (2, 5), (1, 1), (4, 4), (5, 6))


@pytest.mark.parametrize("block", ["word", "char_wb", "char"])
def test_long_texts_and_many_words(block):
    """Texts longer than a chunk, with more words and n-grams than the tables start with."""
    numbers = random.Random(3)
    corpus = [
        " ".join(str(numbers.randrange(9999)) for _ in range(size)) for size in (3000, 0, 1, 255)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counts, "CHUNK", 1000)
        check([*corpus, corpus[0]], block, {}, 1, 3, (2, 3))


@given(st.lists(st.text("ab", max_size=4)), st.integers(1, 9))
def test_chunks_are_the_texts_in_order(corpus, size):
    """Each chunk is as short as can be with so many characters; only the last may have fewer."""
    found = list(chunks(corpus, size))
    assert [text for chunk in found for text in chunk] == corpus
    assert all(sum(map(len, chunk)) >= size for chunk in found[:-1])
    assert all(sum(map(len, chunk[:-1])) < size for chunk in found)


def test_words_shorter_than_the_range_are_kept_whole():
    """A padded word that is too short is a ``char_wb`` n-gram of any range above its length."""
    counts = count(["I am, I am"], "char_wb", {}, 2, 5)
    whole = counts.terms(np.flatnonzero(counts.whole_words))
    assert sorted(whole) == [" am ", " am, ", " i "]
    assert counts.lengths[counts.whole_words].tolist() == [len(term) for term in whole]


@pytest.mark.parametrize("pattern", [r"\S+ \S+", ".+", r"\w+\s"])
def test_tokens_that_hold_spaces_are_uncountable(pattern):
    """``a b`` could be one token or two: no shortcut, except where n-grams are single tokens."""
    corpus = ["a b c d", "c d e f"]
    with pytest.raises(NoExactShortcut):
        count(corpus, "word", {"token_pattern": pattern}, 1, 2)
    check(corpus, "word", {"token_pattern": pattern}, 1, 1)


@pytest.mark.parametrize("limits", [(0, 1), (1, 1 << 15)])
def test_strange_ranges_are_uncountable(limits):
    """N-grams of nothing, and of more tokens than the lengths can hold."""
    with pytest.raises(NoExactShortcut):
        count(["some text"], "word", {}, *limits)


@pytest.mark.parametrize(
    ("block", "given_settings", "limits", "message"),
    [
        ("word", {}, (2, 1), "lower boundary larger than the upper"),
        ("word", {"stop_words": "klingon"}, (1, 1), "stop_words"),
        ("word", {"token_pattern": "(a)(b)"}, (1, 1), "More than 1 capturing group"),
        ("char", {"strip_accents": "none"}, (1, 1), "strip_accents"),
        ("word", {"token_pattern": "[0-9]"}, (1, 1), "empty vocabulary; perhaps the documents"),
        ("word", {"stop_words": ["some", "text"]}, (1, 2), "empty vocabulary; perhaps"),
        ("char", {}, (10, 12), "empty vocabulary; perhaps the documents"),
    ],
)
def test_what_scikit_learn_refuses_is_refused(block, given_settings, limits, message):
    """Settings that scikit-learn does not take, or that leave no n-gram, are its ValueError."""
    with pytest.raises(ValueError, match=message):
        count(["some text"], block, given_settings, *limits)


def test_warnings_of_scikit_learn_are_kept():
    """What the vectoriser would warn of comes back with the counts."""
    assert count(["it isn't"], "word", {"stop_words": "english"}, 1, 1).warnings == ()
    (warning,) = count(["it isn't"], "word", {"stop_words": ["isn't"]}, 1, 1).warnings
    assert warning.startswith("Your stop_words may be inconsistent with your preprocessing")
    (warning,) = count(["it isn't"], "char", {"stop_words": ["isn't"]}, 1, 1).warnings
    assert warning == "The parameter 'stop_words' will not be used since 'analyzer' != 'word'"


def test_stop_words_that_are_no_words_match_nothing():
    """Numbers among the stop words are passed over, as scikit-learn passes over them."""
    check(["1 10 is ten"], "word", {"stop_words": [10, "is"]}, 1, 2)


def test_no_text_has_no_ngram():
    """Without any row there is nothing to count."""
    for block in ("word", "char_wb", "char"):
        with pytest.raises(ValueError, match="empty vocabulary"):
            count([], block, {}, 1, 2)


def test_settings_that_change_no_ngram_are_not_looked_at():
    """The settings of a TfidfVectorizer can be given as they are."""
    given_settings = {"min_df": 2, "sublinear_tf": True, "max_features": 1, "ngram_range": [1, 1]}
    counts = count(["one two", "two"], "word", given_settings, 1, 1)
    assert sorted(counts.terms(np.arange(counts.columns))) == ["one", "two"]


@pytest.mark.parametrize("block", ["word", "char_wb", "char"])
def test_counts_can_be_sent_to_another_process(block):
    """A pickled copy is the same; one without names counts as well but names nothing."""
    counts = count(["one two", "two too"], block, {}, 1, 2)
    copy, bare = (pickle.loads(pickle.dumps(c)) for c in (counts, counts.without_vocabulary()))
    everything = np.arange(counts.columns)
    assert copy.terms(everything) == counts.terms(everything)
    for other in (copy, bare):
        assert other.indptr.tolist() == counts.indptr.tolist()
        assert other.indices.tolist() == counts.indices.tolist()
        assert other.data.tolist() == counts.data.tolist()
        assert other.in_range(2, 2).tolist() == counts.in_range(2, 2).tolist()
    with pytest.raises(ValueError, match="no vocabulary"):
        bare.terms(everything)


def test_rows_hold_no_column_twice_and_the_types_promised(rows):
    """The matrix is as compressed rows should be."""
    for block in ("word", "char_wb", "char"):
        counts = count(rows[:50], block, {}, 1, 3)
        found = [counts.indptr, counts.indices, counts.data, counts.lengths, counts.whole_words]
        assert [array.dtype for array in found] == [np.int64, np.int32, np.int32, np.int16, bool]
        for start, end in zip(counts.indptr, counts.indptr[1:], strict=False):
            assert len(set(counts.indices[start:end].tolist())) == end - start
        assert counts.data.min() > 0
        assert counts.rows == 50
        assert sorted(set(counts.indices.tolist())) == list(range(counts.columns))


def test_more_n_grams_than_an_index_can_hold_are_left_to_scikit_learn(monkeypatch):
    """Which has wider ones."""
    monkeypatch.setattr("textclf.features.counts._MOST", 3)
    with pytest.raises(NoExactShortcut, match="n-grams"):
        count(["a b c", "d e f"], "word", {"token_pattern": r"\w"}, 1, 1)

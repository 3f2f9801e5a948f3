"""The compiled scorer: the same labels and scores as the pipeline, from data only."""

import json
import random
import re
import struct
import zlib

import numpy as np
import pytest
from effort import cases
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_scorer import Book
from sample_data import sample_rows
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import Pipeline
from slow_patterns import SLOW_PATTERNS

from textclf.errors import IntegrityError
from textclf.scorer.format import pack, unpack
from textclf.scorer.ngrams import analyzer
from textclf.scorer.scorer import Scorer, label_index
from textclf.scorer.unicode_tables import tables
from textclf.scorer.writer import CannotCompile, compile_scorer
from textclf.search.calibration import calibrate
from textclf.search.estimators import build_pipeline
from textclf.search.space import CandidateParams
from textclf.search.writing import WORDS_WITH_MARKS

AWKWARD = [
    "", " ", "!!!", "unseenword", "\u0391\u03a3 \u039f\u0394\u039f\u03a3. \u03a3", "\u0130stanbul",
    "a\u2028b\x1c\x1dc\xa0d", "x" * 300, "\ufb01ne \xbd \xe9 e\u0301 \ud800", "I'LL  be\r\n\tBACK",
    "\u4f60\u597d great", "\U0001f600\U0001f600", "A\u0301\u03a3\u0301", "\x00 great \x00",
]  # fmt: skip
FEATURES = {
    "plain": {"word": {}},
    "words": {
        "word": {
            "ngram_range": [1, 2],
            "sublinear_tf": True,
            "token_pattern": r"\w+|[^\w\s]",
            "stop_words": "english",
        }
    },
    "marks": {"word": {"token_pattern": WORDS_WITH_MARKS, "ngram_range": [1, 2]}},
    "regex": {"word": {"token_pattern": r"(?i)\b([a-z]{2,}|\d+)\b", "ngram_range": [2, 3]}},
    "joined": {
        "word": {"binary": True, "norm": "l1", "lowercase": False},
        "char_wb": {"ngram_range": [3, 5], "sublinear_tf": True, "strip_accents": "unicode"},
    },
    "chars": {"char": {"ngram_range": [1, 3], "norm": None, "use_idf": False, "binary": True}},
    "ascii": {"char_wb": {"ngram_range": [4, 4], "strip_accents": "ascii"}},
}
CLASSIFIERS = [
    ("LinearSVC", {}),
    ("LogisticRegression", {"tol": 0.1}),
    ("ComplementNB", {}),
    ("MultinomialNB", {"alpha": 0.1}),
    ("RidgeClassifier", {"fit_intercept": False}),
    ("SGDClassifier", {"loss": "hinge"}),
    ("SGDClassifier", {"loss": "log_loss"}),
    ("SGDClassifier", {"loss": "modified_huber", "alpha": 1e-6}),
]


@pytest.fixture(scope="module")
def sample():
    return sample_rows(400)


def fitted_on(sample, features, classifier="LinearSVC", settings=None, *, labels=3):
    pairs = [pair for pair in zip(*sample, strict=True) if labels == 3 or pair[1] != "neutral"]
    texts, names = zip(*pairs, strict=True)
    return build_pipeline(CandidateParams(features, classifier, settings or {}), 0).fit(
        texts, names
    )


def scorer_of(fitted, **settings):
    return Scorer(compile_scorer(fitted, **settings), name="a file")


def own_scores(fitted, texts):
    if hasattr(fitted, "predict_proba"):
        return fitted.predict_proba(texts)
    values = fitted.decision_function(texts)
    return values if values.ndim > 1 else np.column_stack([-values, values])


def scored(scorer, texts):
    decisions = [scorer.decide(text) for text in texts]
    return [scorer.labels[label_index(d)] for d in decisions], [scorer.scores(d) for d in decisions]


@pytest.mark.parametrize("labels", [2, 3])
@pytest.mark.parametrize("features", FEATURES)
@pytest.mark.parametrize(("classifier", "given"), CLASSIFIERS, ids=str)
def test_labels_and_scores_are_the_pipeline_s(sample, classifier, given, features, labels):
    """For every classifier, every kind of n-grams, two labels and more, whatever the text."""
    fitted = fitted_on(sample, FEATURES[features], classifier, given, labels=labels)
    texts = [*sample[0][::7], *AWKWARD]
    found, scores = scored(scorer_of(fitted), texts)
    assert found == fitted.predict(texts).tolist()
    assert np.abs(np.array(scores) - own_scores(fitted, texts)).max() < 1e-10


@pytest.mark.parametrize("labels", [2, 3])
def test_a_temperature_is_kept(sample, labels):
    """Calibrated classifiers have the same probabilities."""
    fitted = fitted_on(sample, FEATURES["plain"], labels=labels)
    texts = [text for text, label in zip(*sample, strict=True) if label in fitted.classes_]
    last = calibrate(fitted["classifier"], fitted.decision_function(texts), fitted.predict(texts))
    model = Pipeline([fitted.steps[0], ("classifier", last)])
    found, scores = scored(scorer_of(model), texts)
    assert found == model.predict(texts).tolist()
    assert np.abs(np.array(scores) - model.predict_proba(texts)).max() < 1e-10


@pytest.mark.parametrize("features", [name for name in FEATURES if name != "regex"])
@pytest.mark.parametrize("classifier", ["LinearSVC", "MultinomialNB", "SGDClassifier"])
def test_the_document_says_enough(sample, classifier, features):
    """A reader written from docs/scorer-format.md alone gives the same."""
    given = {"loss": "modified_huber"} if classifier == "SGDClassifier" else {}
    data = compile_scorer(fitted_on(sample, FEATURES[features], classifier, given))
    scorer, book = Scorer(data, name="a file"), Book(data)
    texts = [*sample[0][:20], *AWKWARD]
    found, scores = scored(scorer, texts)
    read = [book.predict(text) for text in texts]
    assert [label for label, _ in read] == found
    assert list(map(book.count_known, texts)) == list(map(scorer.count_known, texts))
    assert np.abs(np.array([row for _, row in read]) - np.array(scores)).max() < 1e-10


TEXTS = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("aAb\u03a3\u03c3\u0130\u0345\u0301.,' \t\n\x1f\x85\u2003\u200d\xad9_-\xdf"),
    ),
    max_size=30,
)


@pytest.fixture(scope="module")
def book(sample):
    return Book(compile_scorer(fitted_on(sample, FEATURES["plain"])))


@given(TEXTS)
@settings(max_examples=cases(100, 300), deadline=None)
def test_the_tables_are_python_s_opinion(book, text):
    """Lower case, words, spaces and accents by the tables are those of Python itself."""
    lower = book.lowered({"lowercase": True}, [ord(char) for char in text])
    assert "".join(map(chr, lower)) == text.lower()
    runs = {"of": "word", "least": 2, "singles": True}
    tokens = ["".join(map(chr, token)) for token in book.tokens(runs, list(map(ord, text)))]
    assert tokens == re.findall(r"\w\w+|[^\w\s]", text)
    spaced = book.with_single_spaces([ord(char) for char in text])
    assert "".join(map(chr, spaced)) == re.sub(r"\s\s+", " ", text)


def test_the_table_of_lower_case_is_complete():
    """Every character of Unicode is in it, or stays what it is."""
    known = {code: [c for c in after if c] for code, *after in tables()["lower"].tolist()}
    for code in set(range(0x110000)) - {0x3A3}:
        assert known.get(code, [code]) == [ord(char) for char in chr(code).lower()]


@given(TEXTS, st.sampled_from(sorted(FEATURES)))
@settings(max_examples=cases(100, 300), deadline=None)
def test_n_grams_are_scikit_learn_s(text, name):
    """The same n-grams, as often, for any text and settings."""
    for kind, given_ in FEATURES[name].items():
        taken = ("ngram_range", "lowercase", "strip_accents", "token_pattern", "stop_words")
        asked = {key: value for key, value in given_.items() if key in taken}
        if "ngram_range" in asked:
            asked["ngram_range"] = tuple(asked["ngram_range"])
        vectorizer = CountVectorizer(analyzer=kind, **asked)
        block = load_block(kind, vectorizer)
        assert sorted(analyzer(block)(text)) == sorted(vectorizer.build_analyzer()(text))


def load_block(kind, vectorizer):
    from textclf.scorer.ngrams import Block

    return Block(
        kind,
        vectorizer.ngram_range,
        lowercase=vectorizer.lowercase,
        strip_accents=vectorizer.strip_accents,
        token_pattern=vectorizer.token_pattern,
        stop_words=sorted(vectorizer.get_stop_words() or ()),
    )


def test_an_n_gram_with_the_hash_of_another_is_unknown():
    """What only has the same hash as a known n-gram does not count, nor in its slot."""
    chance, seen = random.Random(0), {}
    word = twin = ""
    while word == twin:
        word = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=9))
        twin = seen.setdefault(zlib.crc32(word.encode()), word)
    assert zlib.crc32(word.encode()) == zlib.crc32(twin.encode())
    fitted = build_pipeline(CandidateParams({"word": {}}, "LinearSVC", {}), 0).fit(
        [word, "other"], ["a", "b"]
    )
    scorer = scorer_of(fitted)
    assert scorer.decide(twin) == scorer.decide("") != scorer.decide(word)


@pytest.mark.parametrize("classifier", ["MultinomialNB", "ComplementNB"])
def test_infinite_weights_are_refused(sample, classifier):
    """Naive Bayes without smoothing has logarithms of zero: that is said, with a way out."""
    with pytest.warns(RuntimeWarning):
        fitted = fitted_on(sample, FEATURES["plain"], classifier, {"alpha": 0})
    with pytest.raises(CannotCompile, match="infinite") as caught:
        compile_scorer(fitted)
    assert "alpha" in caught.value.hint


@pytest.mark.parametrize(
    ("limit", "value", "reason"),
    [
        ("format.LONGEST_HEAD", 1000, "too many labels or stop words"),
        ("writer.MOST_IN_SLOT", 0, "in one slot of its index"),
        ("writer._MOST", 100, "too many n-grams"),
    ],
)
def test_what_is_too_large_is_not_compiled(sample, monkeypatch, limit, value, reason):
    """It works all the same, as a pipeline."""
    monkeypatch.setattr(f"textclf.scorer.{limit}", value)
    with pytest.raises(CannotCompile, match=reason):
        compile_scorer(fitted_on(sample, FEATURES["plain"]))


def test_parts_that_do_not_fit_together_are_an_error(sample):
    """Rather than a scorer of other weights."""
    fitted = fitted_on(sample, {"word": {"use_idf": False}})
    [(_, vectorizer)] = fitted.named_steps["features"].transformer_list
    vectorizer.vocabulary_.popitem()
    with pytest.raises(ValueError, match="not fitted on these features"):
        compile_scorer(fitted)


# -- damage ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(sample):
    texts, labels = (half[:40] for half in sample)
    features = {"word": {}, "char_wb": {"ngram_range": [2, 3]}}
    return compile_scorer(fitted_on((texts, labels), features))


def used(data):
    """Open a scorer and label some texts with it."""
    scorer = Scorer(data, name="a file")
    for text in ["this is great", "", "waste of money"]:
        decision = scorer.decide(text)
        assert len(scorer.scores(decision)) == len(scorer.labels)


def refused(data):
    with pytest.raises(IntegrityError) as caught:
        used(data)
    message = str(caught.value)
    assert message.startswith("a file ")
    assert "\n" not in message


def test_a_file_that_was_cut_is_refused(whole):
    """At whatever byte it ends too early, and when something follows."""
    chance = random.Random(0)
    for length in [*range(200), *chance.choices(range(len(whole)), k=200), len(whole) - 1]:
        refused(whole[:length])
    refused(whole + b"\0")


def test_damaged_bytes_never_crash(whole):
    """Any byte may be another: it is a sentence, or the file still makes sense."""
    chance = random.Random(1)
    (length,) = struct.unpack_from("<Q", whole)
    places = [*range(8), *chance.choices(range(8, 8 + length), k=300)]
    places += chance.choices(range(8 + length, len(whole)), k=300)
    for place in places:
        data = bytearray(whole)
        data[place] ^= 1 << chance.randrange(8)
        sensible(bytes(data))


def rewritten(whole, change):
    """The file with its head changed."""
    (length,) = struct.unpack_from("<Q", whole)
    head = json.loads(whole[8 : 8 + length])
    scorer = json.loads(head["__metadata__"]["scorer"])
    change(head, scorer)
    if head.get("__metadata__"):
        head["__metadata__"]["scorer"] = json.dumps(scorer)
    encoded = json.dumps(head).encode()
    return struct.pack("<Q", len(encoded)) + encoded + whole[8 + length :]


HEADS = {
    "no metadata": lambda head, _: head.pop("__metadata__"),
    "another format": lambda head, _: head["__metadata__"].update(format="pt"),
    "a later schema": lambda head, _: head["__metadata__"].update(schema="3"),
    "an array is missing": lambda head, _: head.pop("unicode.word"),
    "another type": lambda head, _: head["0.rows"].update(dtype="I64"),
    "another type of the same size": lambda head, _: head["0.rows"].update(
        dtype="U32", shape=[head["0.rows"]["shape"][0], 2 * head["0.rows"]["shape"][1]]
    ),
    "an unknown type": lambda head, _: head["0.rows"].update(dtype="X"),
    "another shape": lambda head, _: head["0.rows"].update(shape=[1, 1]),
    "a negative size": lambda head, _: head["0.rows"].update(shape=[-1, -4]),
    "a huge shape": lambda head, _: head["0.rows"].update(shape=[1 << 40, 1 << 40]),
    "turned around": lambda head, _: head["0.rows"]["data_offsets"].reverse(),
    "beyond the end": lambda head, _: head["1.text"].update(data_offsets=[0, 1 << 47]),
    "no offsets": lambda head, _: head["1.text"].pop("data_offsets"),
    "a list": lambda head, _: head.update({"0.ends": []}),
    "blocks without arrays": lambda _, scorer: scorer["blocks"].append(scorer["blocks"][0]),
    "a label twice": lambda _, scorer: scorer.update(labels=["a", "a", "b"]),
    "one label": lambda _, scorer: scorer.update(labels=["a"]),
    "more labels than outputs": lambda _, scorer: scorer["labels"].append("x"),
    "an intercept too many": lambda _, scorer: scorer["intercept"].append(0.5),
    "an unknown link": lambda _, scorer: scorer.update(link="probit"),
    "an empty range": lambda _, scorer: scorer["blocks"][0].update(ngram_range=[2, 1]),
    "a range of nothing": lambda _, scorer: scorer["blocks"][0].update(ngram_range=[0, 1]),
    "a range that never ends": lambda _, scorer: scorer["blocks"][0].update(
        ngram_range=[1, 1 << 63]
    ),
    "a pattern of two groups": lambda _, scorer: scorer["blocks"][0].update(
        token_pattern=r"(\w)(\w+)", runs=None
    ),
    "a pattern whose flags contradict": lambda _, scorer: scorer["blocks"][0].update(
        token_pattern=r"(?a)(?u)\w+"
    ),
    "no pattern": lambda _, scorer: scorer["blocks"][0].update(token_pattern="("),
    **{
        f"a pattern of {kind}": lambda _, scorer, pattern=pattern: scorer["blocks"][0].update(
            token_pattern=pattern, runs=None
        )
        for kind, pattern in SLOW_PATTERNS.items()
    },
    "more blocks than kinds": lambda head, scorer: (
        scorer.update(blocks=scorer["blocks"] * 2),
        head.update(
            {f"{n}.{key[2:]}": head[key] for n in (2, 3) for key in [*head] if key[1] == "."}
        ),
    ),
    "a scale of nothing": lambda _, scorer: scorer.update(scale=0),
    "another kind": lambda _, scorer: scorer["blocks"][0].update(kind="words"),
}


@pytest.mark.parametrize("change", HEADS.values(), ids=HEADS)
def test_a_head_that_lies_is_refused(whole, change):
    """Whatever is wrong in the head is told in one sentence."""
    assert sensible(rewritten(whole, lambda _head, _scorer: None))
    refused(rewritten(whole, change))


def test_a_block_without_n_grams_is_refused(whole):
    """Arrays that fit each other and hold nothing are no model."""
    metadata, arrays = unpack(whole, "a file")
    parts = {name: (a.dtype, a.shape, whole[a.begin : a.end]) for name, a in arrays.items()}
    assert sensible(pack(metadata, [(name, *part) for name, part in parts.items()]))
    parts["0.rows"] = ("F64", (0, arrays["0.rows"].shape[1]), b"")
    parts["0.starts"] = ("U32", (2,), bytes(8))
    parts["0.ends"] = ("U32", (1,), bytes(4))
    parts["0.text"] = ("U8", (0,), b"")
    refused(pack(metadata, [(name, *part) for name, part in parts.items()]))


def array(whole, name, dtype):
    """A copy of the file, and one of its arrays to write into."""
    (length,) = struct.unpack_from("<Q", whole)
    begin, end = json.loads(whole[8 : 8 + length])[name]["data_offsets"]
    data = bytearray(whole)
    count = (end - begin) // np.dtype(dtype).itemsize
    return data, np.frombuffer(data, dtype, count, 8 + length + begin)


def sensible(data):
    """Whether a file can be used; if not, it must be said in a sentence."""
    try:
        used(data)
    except IntegrityError as error:
        message = str(error)
    else:
        return True
    assert message.startswith("a file ")
    return False


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_refused(whole, value):
    """A score that is no number is never given."""
    data, rows = array(whole, "0.rows", "<f8")
    rows[:] = value
    refused(bytes(data))


@pytest.mark.parametrize("name", ["starts", "ends"])
@pytest.mark.parametrize("value", [0, 1, 7, 0x7FFFFFFF, 0xFFFFFFFF])
def test_offsets_that_lead_astray_are_harmless(whole, name, value):
    """Every number of the index may be any other: it is a sentence, or n-grams are unknown."""
    data, numbers = array(whole, f"1.{name}", "<u4")
    for place in (0, len(numbers) // 2, slice(None, None, 2), slice(None)):
        before = numbers.copy()
        numbers[place] = value
        sensible(bytes(data))
        numbers[:] = before


def in_one_slot(whole, copies):
    """The file with its second table replaced by one of many n-grams, all in one slot."""
    metadata, arrays = unpack(whole, "a file")
    parts = {name: (a.dtype, a.shape, whole[a.begin : a.end]) for name, a in arrays.items()}
    width = arrays["1.rows"].shape[1]
    parts["1.rows"] = ("F64", (copies, width), bytes(8 * copies * width))
    parts["1.starts"] = ("U32", (2,), struct.pack("<II", 0, copies))
    parts["1.ends"] = ("U32", (copies + 1,), np.arange(copies + 1, dtype="<u4").tobytes())
    parts["1.text"] = ("U8", (copies,), b"x" * copies)
    return pack(metadata, [(name, *part) for name, part in parts.items()])


def test_an_index_that_makes_lookups_long_is_refused(whole):
    """A slot of the index holds as many n-grams as a lookup compares within a millisecond."""
    assert sensible(in_one_slot(whole, 1_000))
    refused(in_one_slot(whole, 1_001))

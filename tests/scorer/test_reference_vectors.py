"""The scorer vectors: small compiled scorers, awkward texts, and what textclf says of them.

Readers in other languages are tested with them (examples/fastify is). Here they are compared with
the pipelines of today. ``UPDATE_VECTORS=1 pytest tests/test_scorer_vectors.py`` writes them anew.
"""

import json
import math
import os
import random
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pytest
from paths import VECTORS
from sample_data import sample_rows
from sklearn.pipeline import Pipeline

from textclf.scorer.format import unpack
from textclf.scorer.scorer import Scorer, label_index
from textclf.scorer.writer import compile_scorer
from textclf.search.calibration import calibrate, needs_calibration
from textclf.search.estimators import build_pipeline
from textclf.search.space import CandidateParams
from textclf.search.writing import WORDS_WITH_MARKS

UPDATE = bool(os.environ.get("UPDATE_VECTORS"))

SCRIPTS = [
    "\u041c\u041e\u0421\u041a\u0412\u0410 \u0445\u043e\u0440\u043e\u0448\u0430",
    "\u0391\u03a3 \u039f\u0394\u039f\u03a3. \u03a3 \u03a3\u039f\u03a6\u039f\u03a3",
    "\u4f60\u597d\uff0c\u4e16\u754c great",
    "\u3053\u3093\u306b\u3061\u306f \u30c6\u30b9\u30c8",
    "\uc548\ub155\ud558\uc138\uc694 \u1112\u1161\u11ab",
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0650\u0643",
    "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd",
    "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e",
    "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35",
    "\u1794\u17b6\u1793 \u1200\u120e \u0531\u0580\u0587\u0582 \u10a0\u10d0 \u13a0\uab70",
    "\u0130stanbul I\u0131 \u0130\u0307",
    "STRASSE Stra\xdfe \u1e9e \ufb01ne \ufb03 \u01c4\u01c5\u01c6",
    "\xc9t\xe9 e\u0301te\u0301 A\u030a\u0323 \u212b \u1e69 s\u0323\u0307 s\u0307\u0323",
    "\U00010400\U00010428 \U0001e900\U0001e922 \U0001d400\U0001d7ce",
    "\U0001f600\U0001f600 \U0001f468\u200d\U0001f469 \U0001f44d\U0001f3fd \u2764\ufe0f great",
    "\U0002f800 \uf900 \xbd \u2460 \u3392 \u33a5",
]
AWKWARD = [
    "", " ", "\n", "!!!", "a", "ab", "_", "0", "unseenword", "\x00 great \x00",
    "\x01\x07\x1b[31m\x7f\x85", "a\u2028b\x1c\x1dc\xa0d\u3000e\u200bf\ufeffg",
    "I'LL  be\r\n\tBACK", "don't-stop_me now", "__proto__ constructor",
    "\ud800", "great \udfff great", "\ude00\ud83d", "\ud83d\u0301\ude00 x",
    "A\u0301\u03a3\u0301", "\u03a3", "A\u03a3", "A\u03a3A", "A.\u03a3.A", "A\u03a3\xadA",
    "\u0345\u03a3", "a\u0345\u03a3\u0345 \u03a3a", "A\u03a3\U00010400", "\U00010400\u03a3",
    "\ufffe\uffff\U0010ffff", "x" * 300, "great " * 700, "\u0301" * 50, "\u0130" * 30,
    "\U0001f600" * 40 + "great",
]  # fmt: skip


class Recipe(NamedTuple):
    """How a pipeline of the vectors is made."""

    features: dict[str, dict]
    classifier: str
    settings: Mapping[str, object] = MappingProxyType({})
    labels: Sequence[str] = "abc"
    threshold: float | None = None
    calibrate: bool = True
    abstain_unknown: float | None = None


WORDS = {"word": {"min_df": 2}}
MORE_WORDS = {
    "word": {
        "ngram_range": [1, 3],
        "min_df": 2,
        "sublinear_tf": True,
        "token_pattern": r"\w+|[^\w\s]",
        "stop_words": "english",
    }
}
VISIBLE = {"word": {"token_pattern": r"\S+", "lowercase": False, "binary": True, "norm": "l1"}}
MARKED_WORDS = {"word": {"token_pattern": WORDS_WITH_MARKS, "ngram_range": [1, 2]}}
PIECES = {"char_wb": {"ngram_range": [2, 4], "min_df": 3, "strip_accents": "unicode"}}
LONG_PIECES = {"char_wb": {"ngram_range": [5, 5], "min_df": 2, "strip_accents": "ascii"}}
CHARS = {"char": {"ngram_range": [1, 3], "min_df": 3, "sublinear_tf": True, "lowercase": False}}
RAW_CHARS = {"char": {"ngram_range": [1, 2], "norm": None, "use_idf": False, "binary": True}}
FEW_CHARS = {"char": {"ngram_range": [2, 3], "min_df": 4, "norm": "l1"}}
LETTERS = {"char": {"ngram_range": [1, 1]}}
RECIPES = {
    "word-svc": Recipe(WORDS, "LinearSVC"),
    "word-multinomial": Recipe(MORE_WORDS, "MultinomialNB", {"alpha": 0.1}),
    "word-complement": Recipe(VISIBLE, "ComplementNB", labels="ab"),
    "word-ridge": Recipe(WORDS, "RidgeClassifier", labels=["10", "9", "__proto__"]),
    "word-marks": Recipe(MARKED_WORDS, "LinearSVC"),
    "char_wb-logistic": Recipe(PIECES, "LogisticRegression", {"C": 20}, "ab", 0.6),
    "char_wb-ascii": Recipe(LONG_PIECES, "LogisticRegression", {"C": 20}, threshold=0.4),
    "char-ridge": Recipe(RAW_CHARS, "RidgeClassifier", {"fit_intercept": False}, calibrate=False),
    "char-hinge": Recipe(CHARS, "SGDClassifier", labels="ab", calibrate=False),
    "joined-svc": Recipe(WORDS | PIECES, "LinearSVC", labels="ab"),
    "joined-log": Recipe(MORE_WORDS | FEW_CHARS, "SGDClassifier", {"loss": "log_loss"}),
    "joined-huber": Recipe(
        WORDS | PIECES | LETTERS, "SGDClassifier", {"loss": "modified_huber"}, threshold=0.5
    ),
    "word-known": Recipe(MORE_WORDS | PIECES, "RidgeClassifier", abstain_unknown=0.25),
    "char-known": Recipe(
        WORDS | FEW_CHARS, "LogisticRegression", {"C": 20}, "ab", 0.6, abstain_unknown=0.6
    ),
}


def sample():
    return sample_rows(80)[0]


def fitted(recipe):
    """A pipeline, trained on some of the sample and texts of all scripts."""
    texts = sample()[:60] + 2 * SCRIPTS
    labels = [recipe.labels[place * 7 % 5 % len(recipe.labels)] for place in range(len(texts))]
    plain = build_pipeline(CandidateParams(recipe.features, recipe.classifier, recipe.settings), 0)
    plain.fit(texts, labels)
    if not (recipe.calibrate and needs_calibration(plain["classifier"])):
        return plain
    decisions = plain.decision_function(texts) / 2  # as held-out rows have: less sure
    last = calibrate(plain["classifier"], decisions, np.array(labels))
    return Pipeline([plain.steps[0], ("classifier", last)])


def all_texts():
    """Of the sample, of all scripts, awkward ones, and some put together at random."""
    chance = random.Random(0)
    pieces = "".join([*SCRIPTS, *AWKWARD[:29], "\t\n\u2003\u0301\u0345\xad'.:\u2019"])
    mixed = ["".join(chance.choices(pieces, k=chance.randrange(1, 40))) for _ in range(60)]
    # in JSON two lone surrogates in a row are one character
    return [json.loads(json.dumps(text)) for text in [*sample()[50:], *SCRIPTS, *AWKWARD, *mixed]]


def rounded(values):
    return [float(f"{value:.12g}") for value in values]


def said_by_pipeline(model, samples):
    """Labels, and scores in the order of the labels."""
    if hasattr(model, "predict_proba"):
        scores = model.predict_proba(samples)
    else:
        scores = model.decision_function(samples)
        scores = scores if scores.ndim > 1 else np.column_stack([-scores, scores])
    return model.predict(samples).tolist(), scores


def said_by_scorer(scorer, samples):
    decisions = [scorer.decide(text) for text in samples]
    return [scorer.labels[label_index(d)] for d in decisions], [scorer.scores(d) for d in decisions]


def limited(names, scores, labels, recipe, known):
    """``None`` instead of a label where the score or the share of known n-grams is too small."""
    least, share = recipe.threshold or -math.inf, recipe.abstain_unknown or 0
    return [
        name if row[labels.index(name)] >= least and part >= share else None
        for name, row, part in zip(names, scores, known, strict=True)
    ]


def shares_known(data, samples):
    """The share of the n-grams of each text that a scorer knows."""
    counts = map(Scorer(data, name="a scorer").count_known, samples)
    return [known / total if total else 0.0 for known, total in counts]


def compiled(name, model):
    recipe = RECIPES[name]
    return compile_scorer(model, threshold=recipe.threshold, abstain_unknown=recipe.abstain_unknown)


@pytest.fixture(scope="module")
def models():
    """The pipelines of today."""
    return {name: fitted(recipe) for name, recipe in RECIPES.items()}


@pytest.fixture(scope="module")
def vectors(models):
    """The vectors as they lie on disk."""
    if UPDATE:
        write(models)
    return json.loads((VECTORS / "vectors.json").read_text("utf-8"))


def write(models):
    VECTORS.mkdir(exist_ok=True)
    samples, scorers = all_texts(), []
    for name, model in models.items():
        recipe, labels = RECIPES[name], model.classes_.tolist()
        names, scores = said_by_pipeline(model, samples)
        file, data = f"{name}.safetensors", compiled(name, model)
        known = shares_known(data, samples)
        (VECTORS / file).write_bytes(data)
        scorers.append({
            "file": file,
            "score_type": "probability" if hasattr(model, "predict_proba") else "decision",
            "labels": labels,
            "label": limited(names, scores, labels, recipe, known),
            "scores": [rounded(row) for row in scores.tolist()],
            **({} if recipe.abstain_unknown is None else {"known": known}),
        })  # fmt: skip
    lines = [
        '{"texts": [',
        ",\n".join(map(json.dumps, samples)),
        '],\n"scorers": [',
        ",\n".join(map(json.dumps, scorers)),
        "]}\n",
    ]
    (VECTORS / "vectors.json").write_text("\n".join(lines), "utf-8")


def test_the_vectors_cover_what_can_be_trained(vectors):
    """Every text and scorer that is described here is there, and nothing else."""
    assert vectors["texts"] == all_texts()
    files = {each["file"] for each in vectors["scorers"]}
    assert files == {f"{name}.safetensors" for name in RECIPES}
    assert {path.name for path in VECTORS.iterdir()} == {"vectors.json", *files}


@pytest.mark.parametrize("name", RECIPES)
def test_the_vectors_say_what_the_scorer_says(vectors, name):
    """The scorers that lie there are read, and say what is written beside them."""
    [vector] = [each for each in vectors["scorers"] if each["file"] == f"{name}.safetensors"]
    data = (VECTORS / vector["file"]).read_bytes()
    scorer = Scorer(data, name=vector["file"])
    names, scores = said_by_scorer(scorer, vectors["texts"])
    known = shares_known(data, vectors["texts"])
    assert (scorer.labels, scorer.score_type) == (vector["labels"], vector["score_type"])
    assert limited(names, scores, scorer.labels, RECIPES[name], known) == vector["label"]
    assert vector.get("known", known) == known
    assert np.abs(np.array(scores) - vector["scores"]).max() < 1e-9


@pytest.mark.parametrize("name", RECIPES)
def test_the_vectors_say_what_the_pipeline_says(vectors, models, name):
    """The pipeline trained anew says the same, and is compiled to the same kind of file."""
    [vector] = [each for each in vectors["scorers"] if each["file"] == f"{name}.safetensors"]
    model = models[name]
    names, scores = said_by_pipeline(model, vectors["texts"])
    today = compiled(name, model)
    known = shares_known(today, vectors["texts"])
    assert limited(names, scores, vector["labels"], RECIPES[name], known) == vector["label"]
    # solvers stop at a tolerance, which another processor's rounding may reach a step earlier
    assert np.abs(scores - vector["scores"]).max() < 1e-4
    assert outline(today) == outline((VECTORS / vector["file"]).read_bytes())


def outline(data):
    """Settings, n-grams, and names and shapes of arrays: what rounding does not change."""
    metadata, arrays = unpack(data, "a file")
    settings = json.loads(metadata.pop("scorer"))
    for key in ("intercept", "scale", "unicode"):
        settings.pop(key)
    grams = {
        name: data[array.begin : array.end]
        for name, array in arrays.items()
        if name.endswith((".text", ".starts", ".ends"))
    }
    shapes = {
        name: (array.dtype, array.shape)
        for name, array in arrays.items()
        if not name.startswith("unicode.")  # another Python has another database
    }
    return metadata, settings, grams, shapes


def test_the_vectors_are_not_too_easy(vectors):
    """Every scorer gives two labels or more, and with a limit none to some texts."""
    for vector in vectors["scorers"]:
        recipe = RECIPES[vector["file"].removesuffix(".safetensors")]
        assert len(set(vector["label"]) - {None}) >= 2
        is_limited = (recipe.threshold, recipe.abstain_unknown) != (None, None)
        assert (None in vector["label"]) == is_limited

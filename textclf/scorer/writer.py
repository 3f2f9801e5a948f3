"""A fitted pipeline → the compiled scorer's file."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from textclf.errors import TextclfError
from textclf.features.tokens import as_runs
from textclf.scorer import unicode_tables
from textclf.scorer.format import pack
from textclf.scorer.hash_index import index_by_hash
from textclf.scorer.ngrams import Block, Runs
from textclf.scorer.scorer import FORMAT, MOST_IN_SLOT, TOO_MANY_IN_SLOT, Settings

Values = NDArray[np.float64]
_Array = tuple[str, str, tuple[int, ...], bytes]

_LARGEST = 1e100
"""The largest weight, so that sums of many stay finite."""

_MOST = 1 << 32
"""N-grams of a block, and their bytes, which offsets of 32 bits have to reach."""


class CannotCompile(TextclfError):
    """A pipeline has something that the scorer's file cannot express."""


def compile_scorer(
    pipeline: Pipeline, *, threshold: float | None = None, abstain_unknown: float | None = None
) -> bytes:
    """Return the file of a pipeline as ``training`` makes it, or ``artifact.unpickler`` opens it.

    Args:
        pipeline: TF-IDF features and a classifier, fitted.
        threshold: the score below which there is no label.
        abstain_unknown: the share of known n-grams below which there is no label.

    Raises:
        CannotCompile: weights are infinite or not numbers, or there are too many n-grams.
    """
    vectorizers = [
        vectorizer for _, vectorizer in pipeline.named_steps["features"].transformer_list
    ]
    classifier = pipeline.named_steps["classifier"]
    weights, intercept, link, scale = _decision(classifier)
    settings = Settings(
        labels=[str(label) for label in classifier.classes_],
        outputs=weights.shape[1],
        intercept=intercept.tolist(),
        link=link,
        scale=scale,
        blocks=[_block(vectorizer) for vectorizer in vectorizers],
        threshold=threshold,
        unicode=unicodedata.unidata_version,
        abstain_unknown=msgspec.UNSET if abstain_unknown is None else abstain_unknown,
    )
    _require_finite(weights, intercept, np.asarray(scale))
    arrays = _unicode(_word_characters(vectorizers))
    begin = 0
    for number, vectorizer in enumerate(vectorizers):
        end = begin + len(vectorizer.vocabulary_)
        arrays += _table(f"{number}", vectorizer, weights[begin:end])
        begin = end
    if begin != len(weights):
        raise ValueError("the classifier was not fitted on these features")
    metadata = {
        "format": FORMAT,
        "schema": str(settings.schema),
        "scorer": msgspec.json.encode(settings).decode(),
    }
    try:
        return pack(metadata, arrays)
    except ValueError:
        raise CannotCompile("the model has too many labels or stop words to be compiled") from None


def _decision(classifier: Any) -> tuple[Values, Values, Any, float]:
    """Return weights (features, outputs), intercept, link and scale of a classifier."""
    kind = type(classifier).__name__
    if kind == "CalibratedClassifierCV":
        [inner] = classifier.calibrated_classifiers_
        [scaling] = inner.calibrators
        weights, intercept, _, _ = _decision(inner.estimator)
        return weights, intercept, "softmax", float(scaling.beta_)
    if kind in {"MultinomialNB", "ComplementNB"}:
        weights = _centred(classifier.feature_log_prob_).T
        prior = classifier.class_log_prior_ if kind == "MultinomialNB" else np.zeros(len(weights.T))
        return weights, _centred(prior), "softmax", 1.0
    weights = np.atleast_2d(classifier.coef_).T.astype(np.float64, copy=False)
    intercept = np.zeros(weights.shape[1]) + np.ravel(classifier.intercept_)
    return weights, intercept, _link(classifier, weights.shape[1]), 1.0


def _centred(logarithms: Values) -> Values:
    """Subtract the mean over the labels, which has no influence on the probabilities."""
    with np.errstate(invalid="ignore"):  # infinite ones are refused later
        centred: Values = logarithms - logarithms.mean(axis=0)
    return centred


def _link(classifier: Any, outputs: int) -> str:
    if type(classifier).__name__ == "LogisticRegression":
        return "softmax" if outputs > 1 else "logistic"
    losses = {"log_loss": "logistic", "modified_huber": "clip"}
    return losses.get(getattr(classifier, "loss", ""), "none")


def _require_finite(*numbers: Values) -> None:
    for values in numbers:
        if not -_LARGEST <= values.min(initial=0) <= values.max(initial=0) <= _LARGEST:
            raise CannotCompile(
                "the model's weights are infinite or not numbers, so it cannot be compiled",
                hint="naive Bayes: alpha above 0; SGDClassifier: a smaller eta0 or larger alpha",
            )


def _block(vectorizer: Any) -> Block:
    words = vectorizer.analyzer == "word"
    lo, hi = map(int, vectorizer.ngram_range)
    given = (vectorizer.get_stop_words() or ()) if words else ()
    return Block(
        kind=vectorizer.analyzer,
        ngram_range=(lo, hi),
        lowercase=bool(vectorizer.lowercase),
        strip_accents=vectorizer.strip_accents,
        token_pattern=vectorizer.token_pattern if words else "",
        runs=_runs(vectorizer.token_pattern) if words else None,
        stop_words=sorted(word for word in given if isinstance(word, str)),  # others match nothing
        binary=bool(vectorizer.binary),
        sublinear_tf=bool(vectorizer.sublinear_tf),
        norm=vectorizer.norm,
    )


def _runs(pattern: str) -> Runs | None:
    runs = as_runs(pattern)
    if runs is None:
        return None
    return Runs("visible" if runs.run == r"\S" else "word", runs.least, runs.singles)


def _word_characters(vectorizers: Sequence[Any]) -> str:
    """Return the class of the characters that words consist of, as a regular expression."""
    patterns = [each.token_pattern for each in vectorizers if each.analyzer == "word"]
    classes = [runs.run for runs in map(as_runs, patterns) if runs and runs.run != r"\S"]
    return classes[0] if classes else r"\w"


def _table(name: str, vectorizer: Any, weights: Values) -> list[_Array]:
    """Return the arrays of a table: the n-grams by their hash, with their rows."""
    terms = sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.__getitem__)
    grams = [term.encode("utf-8", "surrogatepass") for term in terms]
    count = len(grams)
    order, starts, ends, text = index_by_hash(grams)
    if np.diff(starts).max() > MOST_IN_SLOT:
        raise CannotCompile(f"the model cannot be compiled: {TOO_MANY_IN_SLOT}")
    if max(ends[-1], count) >= _MOST:
        raise CannotCompile("the model has too many n-grams to be compiled", hint="max_features")
    idf = vectorizer.idf_ if vectorizer.use_idf else np.ones(count)
    rows = np.column_stack([column[order] for column in (idf, *weights.T)])
    _require_finite(idf)
    return [
        (f"{name}.rows", "F64", rows.shape, rows.astype("<f8", copy=False).tobytes()),
        (f"{name}.starts", "U32", starts.shape, starts.astype("<u4").tobytes()),
        (f"{name}.ends", "U32", ends.shape, ends.astype("<u4").tobytes()),
        (f"{name}.text", "U8", (len(text),), text),
    ]


def _unicode(word: str) -> list[_Array]:
    return [
        (f"unicode.{name}", "U32", table.shape, table.astype("<u4").tobytes())
        for name, table in unicode_tables.tables(word).items()
    ]

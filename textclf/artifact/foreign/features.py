"""The features of a foreign pipeline: blocks of n-grams, and what is done to them linearly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import FeatureUnion
from sklearn.preprocessing import MaxAbsScaler, StandardScaler

from textclf.artifact.foreign.plain import (
    SKIPPED,
    CannotNormalise,
    as_plain,
    fitted,
    is_exactly,
    kind,
    plain_parameters,
    steps_of,
)
from textclf.metadata.token_pattern import compile_token_pattern

_COUNTED = (
    "binary", "lowercase", "max_df", "max_features", "min_df", "ngram_range", "stop_words",
    "strip_accents", "token_pattern",
)  # fmt: skip
_WEIGHTED = ("norm", "smooth_idf", "sublinear_tf", "use_idf")
_FUNCTIONS = ("analyzer", "preprocessor", "strip_accents", "tokenizer")
"""Settings that may be functions."""

_LARGEST = 50_000_000
"""The most weights of a model: 400 MB. A reduction that is multiplied out may have had few."""


@dataclass(frozen=True)
class Features:
    """The blocks of n-grams, and the matrix that their columns are multiplied with.

    Attributes:
        blocks: the kind of each block, and its vectorizer.
        matrix: (columns of all blocks, columns of the result); ``None`` is the identity.
        counts: whether they are plain counts, which may be weighted later.
    """

    blocks: tuple[tuple[str, TfidfVectorizer], ...]
    matrix: Any = None
    counts: bool = False

    @property
    def width(self) -> int:
        """The number of n-grams."""
        return sum(len(block.vocabulary_) for _, block in self.blocks)

    def times(self, matrix: Any) -> Features:
        """Return the features multiplied with a further matrix."""
        mine = matrix if self.matrix is None else self.matrix @ matrix
        return Features(self.blocks, mine)

    def fold(self, weights: Any) -> Any:
        """Return the weights of the n-grams, from those of the result: (outputs, columns)."""
        weights = weights.toarray() if sparse.issparse(weights) else np.asarray(weights)
        width = self.width if self.matrix is None else self.matrix.shape[1]
        if weights.ndim != 2 or weights.shape[1] != width:  # noqa: PLR2004 - a matrix
            raise CannotNormalise("its classifier was fitted on other features")
        if len(weights) * self.width > _LARGEST:
            raise CannotNormalise("it would have too many weights")
        if self.matrix is None:
            return weights
        matrix = self.matrix if sparse.issparse(self.matrix) else np.ascontiguousarray(self.matrix)
        return np.asarray((matrix @ np.ascontiguousarray(weights.T)).T)  # same layout, same sums


def read_features(transformers: Iterable[Any]) -> Features:
    """Return the features that some transformers make, one after the other.

    Raises:
        CannotNormalise: they are not n-grams, or not linear in them.
    """
    first, *others = [step for step in transformers if step not in SKIPPED] or [None]
    if is_exactly(first, FeatureUnion):
        features = _union(first)
    elif is_exactly(first, TfidfVectorizer, CountVectorizer):
        features = _vectorizer(first)
    elif kind(first) == "HashingVectorizer":
        raise CannotNormalise("HashingVectorizer keeps hashes of n-grams, and not the n-grams")
    elif first is None:
        raise CannotNormalise("it has no step of its own that makes features of texts")
    else:
        raise CannotNormalise(f"its features are made by {kind(first)}")
    for step in others:
        features = _then(features, step)
    return features


def _union(union: FeatureUnion) -> Features:
    weights = union.transformer_weights or {}
    blocks: list[tuple[str, TfidfVectorizer]] = []
    matrices, is_plain = [], True
    for name, part in union.transformer_list:
        if part == "drop":
            continue
        features = read_features(step for _, step in steps_of(part))
        blocks += features.blocks
        is_plain = is_plain and features.matrix is None
        if len({block for block, _ in blocks}) < len(blocks):  # of which there are three
            raise CannotNormalise("it has two blocks of one kind of n-grams")
        matrix = sparse.identity(features.width) if features.matrix is None else features.matrix
        matrices.append(float(weights.get(name, 1.0)) * matrix)
    if not blocks:
        raise CannotNormalise("it has no features")
    if is_plain and not weights:
        return Features(tuple(blocks))
    return Features(tuple(blocks), sparse.block_diag(matrices, format="csr"))


def _then(features: Features, step: Any) -> Features:
    """Return features after a further transformer."""
    if is_exactly(step, TfidfTransformer):
        return _reweighted(features, step)
    columns = features.width if features.matrix is None else features.matrix.shape[1]
    if is_exactly(step, TruncatedSVD):
        return features.times(fitted(step, "components_").T)
    if is_exactly(step, MaxAbsScaler):
        return features.times(sparse.diags(1 / fitted(step, "scale_")))
    if is_exactly(step, StandardScaler) and step.with_mean is False:
        scale = fitted(step, "scale_") if step.with_std else np.ones(columns)
        return features.times(sparse.diags(1 / scale))
    if isinstance(step, SelectorMixin) and type(step).transform is SelectorMixin.transform:
        kept = np.flatnonzero(step.get_support())
        return features.times(sparse.identity(columns, format="csc")[:, kept])
    raise CannotNormalise(f"{kind(step)} is not linear in the n-grams, or not known to textclf")


def _reweighted(features: Features, step: TfidfTransformer) -> Features:
    if not features.counts:
        raise CannotNormalise("its TfidfTransformer weights something other than plain counts")
    [(block, counted)] = features.blocks
    settings = {name: getattr(counted, name) for name in _COUNTED}
    return Features(((block, _rebuilt(counted, block, settings, step)),))


def _vectorizer(given: Any) -> Features:
    """Return the features of a vectorizer, as a TfidfVectorizer with plain settings."""
    settings = plain_parameters(given)
    for name in _FUNCTIONS:
        if callable(vars(given).get(name)):
            raise CannotNormalise(f"the {name} of its {kind(given)} is a function")
    if settings.get("input", "content") != "content":
        raise CannotNormalise(f"its {kind(given)} reads files")
    block = settings["analyzer"]
    try:
        compile_token_pattern(settings["token_pattern"])
    except (ValueError, TypeError, KeyError) as error:
        raise CannotNormalise(f"its token pattern: {error}") from None
    counted = {name: settings[name] for name in _COUNTED if name in settings}
    counted["ngram_range"] = tuple(settings["ngram_range"])
    if is_exactly(given, CountVectorizer):
        plain = TfidfTransformer(norm=None, use_idf=False)
        return Features(((block, _rebuilt(given, block, counted, plain)),), counts=True)
    return Features(((block, _rebuilt(given, block, counted, fitted(given, "_tfidf"))),))


def _rebuilt(
    given: Any, block: str, settings: dict[str, Any], weighted: TfidfTransformer
) -> TfidfVectorizer:
    """Return a fitted TfidfVectorizer with the vocabulary of one, and the weights of another."""
    weighting = {name: as_plain(getattr(weighted, name)) for name in _WEIGHTED}
    is_single = vars(given).get("dtype") is np.float32
    made = TfidfVectorizer(
        analyzer=block, dtype=np.float32 if is_single else np.float64, **settings, **weighting
    )
    vocabulary = fitted(given, "vocabulary_")
    made.vocabulary_ = {str(term): int(column) for term, column in vocabulary.items()}
    made.fixed_vocabulary_ = False
    made._tfidf = TfidfTransformer(**weighting)  # noqa: SLF001 - where fit leaves it
    made._tfidf.n_features_in_ = len(vocabulary)  # noqa: SLF001
    if weighting["use_idf"]:
        made._tfidf.idf_ = np.asarray(fitted(weighted, "idf_"))  # noqa: SLF001
    return made

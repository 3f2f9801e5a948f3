"""Texts → matrices: the TF-IDF features of a candidate, as scikit-learn objects or from counts.

``vectorizer`` and ``feature_union`` make scikit-learn's objects. ``weigh`` makes the matrix that
such a ``TfidfVectorizer`` would make of some rows, from counts of all rows that were taken once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer, TfidfVectorizer
from sklearn.pipeline import FeatureUnion

from textclf.features.counts import Counts, Uncountable, count
from textclf.jit import compiled

Settings = Mapping[str, Any]
Rows = NDArray[np.intp]

COUNTING = ("lowercase", "strip_accents", "token_pattern", "stop_words")
"""Parameters that decide what is counted, beside the n-gram range."""


def vectorizer(block: str, settings: Settings) -> TfidfVectorizer:
    """The vectoriser of one block: ``word``, ``char_wb`` or ``char`` n-grams."""
    given = dict(settings)
    if "ngram_range" in given:  # TOML and JSON have no tuples, scikit-learn wants one
        given["ngram_range"] = tuple(given["ngram_range"])
    return TfidfVectorizer(analyzer=block, **given)


def feature_union(features: Mapping[str, Settings]) -> FeatureUnion:
    """All blocks of a candidate side by side; always a union, so that every model has one shape."""
    return FeatureUnion([(block, vectorizer(block, given)) for block, given in features.items()])


@dataclass(frozen=True)
class Weighting:
    """What a TfidfVectorizer learns from its training rows, in terms of columns of the counts.

    Attributes:
        columns: the columns of the counts that it keeps, ascending.
        frequencies: in how many training rows each of them occurs.
        idf: their inverse document frequencies; ones where it has none.
        values: the weight of a count, before idf and norm; indexed by the count.
        norm: "l1", "l2" or None.
    """

    columns: NDArray[np.intp]
    frequencies: NDArray[np.int64]
    idf: NDArray[np.float64]
    values: NDArray[np.float64]
    norm: str | None

    def transform(self, counts: Counts, rows: Rows) -> csr_matrix:
        """The weighted matrix of some rows, (rows, columns kept)."""
        place = np.full(counts.columns, -1, np.int32)
        place[self.columns] = np.arange(len(self.columns), dtype=np.int32)
        power = {"l1": 1, "l2": 2, None: 0}[self.norm]
        indptr, indices, data = _weigh(
            counts.indptr, counts.indices, counts.data, rows, place, self.idf, self.values, power
        )
        return csr_matrix((data, indices, indptr), shape=(len(rows), len(self.columns)))


def weigh(counts: Counts, block: str, settings: Settings, rows: Rows) -> Weighting:
    """Learn from some rows what a fitted TfidfVectorizer would have learned from them.

    Args:
        counts: of all texts; its n-gram range covers that of the settings.
        block: kind of n-grams.
        settings: parameters of the TfidfVectorizer.
        rows: the training rows.

    Raises:
        ValueError: no n-gram is left, with scikit-learn's words.
    """
    scheme = vectorizer(block, settings)
    low, high = scheme.ngram_range
    frequencies, totals = _frequencies(
        counts.indptr, counts.indices, counts.data, rows, counts.columns
    )
    present = counts.select(low, high) & (frequencies > 0)
    if not present.any():
        raise ValueError("empty vocabulary; perhaps the documents only contain stop words")
    columns = _limited(counts, scheme, np.flatnonzero(present), frequencies, totals, len(rows))
    frequencies = frequencies[columns]
    idf = _idf(scheme, frequencies, len(rows))
    highest = int(counts.data.max(initial=0))
    return Weighting(columns, frequencies, idf, _values(scheme, highest), scheme.norm)


def _limited(  # noqa: PLR0913, PLR0917 - scikit-learn's three limits and what they are taken of
    counts: Counts,
    scheme: TfidfVectorizer,
    columns: NDArray[np.intp],
    frequencies: NDArray[np.int64],
    totals: NDArray[np.int64],
    rows: int,
) -> NDArray[np.intp]:
    """Columns within ``min_df``, ``max_df`` and ``max_features``, as CountVectorizer cuts them."""
    lowest = scheme.min_df if isinstance(scheme.min_df, int) else scheme.min_df * rows
    highest = scheme.max_df if isinstance(scheme.max_df, int) else scheme.max_df * rows
    if highest < lowest:
        raise ValueError("max_df corresponds to < documents than min_df")
    held = frequencies[columns]
    columns = columns[(held >= lowest) & (held <= highest)]
    if scheme.max_features is not None and len(columns) > scheme.max_features:
        often = frequencies if scheme.binary else totals
        columns = columns[np.argsort(counts.ranks()[columns])]  # ties fall as they do there
        columns = np.sort(columns[(-often[columns]).argsort()[: scheme.max_features]])
    if not len(columns):
        raise ValueError("After pruning, no terms remain. Try a lower min_df or a higher max_df.")
    return columns


def _idf(scheme: TfidfVectorizer, frequencies: NDArray[np.int64], rows: int) -> NDArray[np.float64]:
    if not scheme.use_idf:
        return np.ones(len(frequencies))
    smooth = int(scheme.smooth_idf)
    return np.log((rows + smooth) / (frequencies.astype(np.float64) + smooth)) + 1.0


def _values(scheme: TfidfVectorizer, highest: int) -> NDArray[np.float64]:
    """The weight of each count: 1 if binary, its logarithm + 1 if sublinear, or the count."""
    counts = np.arange(highest + 1, dtype=np.float64)
    if scheme.binary:
        counts[1:] = 1
    if scheme.sublinear_tf:
        counts[1:] = np.log(counts[1:]) + 1.0
    return counts


@dataclass(frozen=True)
class Bank:
    """The counts that all candidates of a search need, each taken once.

    Attributes:
        texts: what was counted.
        tables: by kind of n-grams and the settings that matter to counting; ``None`` where only
            scikit-learn itself can count.
    """

    texts: NDArray[np.object_]
    tables: Mapping[str, Counts | None]

    @classmethod
    def of(cls, texts: Sequence[str], candidates: Iterable[Mapping[str, Settings]]) -> Self:
        """Count for every candidate's features, over the widest n-gram range asked for."""
        asked: dict[str, list[tuple[str, Settings]]] = {}
        for features in candidates:
            for block, settings in features.items():
                asked.setdefault(_key(block, settings), []).append((block, settings))
        tables = {key: _counted(texts, blocks) for key, blocks in asked.items()}
        return cls(np.asarray(texts, dtype=object), tables)

    def counts(self, features: Mapping[str, Settings]) -> tuple[Counts, ...]:
        """The counts of each block of a candidate; none at all if it takes the plain road."""
        found = [self.tables[_key(block, settings)] for block, settings in features.items()]
        counts = tuple(table for table in found if table is not None)
        return counts if len(counts) == len(found) else ()


def _key(block: str, settings: Settings) -> str:
    return repr((block, [(name, settings.get(name)) for name in COUNTING]))


def _counted(texts: Sequence[str], blocks: Sequence[tuple[str, Settings]]) -> Counts | None:
    """Count for blocks that differ only in what can be derived from the same counts."""
    ranges = [vectorizer(block, settings).ngram_range for block, settings in blocks]
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    try:
        counts = count(texts, *blocks[0], low, high)
    except (Uncountable, ValueError, re.error):  # the plain road will say what is wrong
        return None
    cut = any(settings.get("max_features") is not None for _, settings in blocks)
    return counts.ranked() if cut else counts


def vocabulary_size(bank: Bank, features: Mapping[str, Settings]) -> int:
    """How many n-grams a candidate keeps of all texts; 0 where it takes the plain road."""
    counts = bank.counts(features)
    rows = np.arange(len(bank.texts))
    return sum(
        len(weigh(table, block, settings, rows).columns)
        for (block, settings), table in zip(features.items(), counts, strict=bool(counts))
    )


def fitted_vectorizer(
    block: str, settings: Settings, terms: Sequence[str], weighting: Weighting
) -> TfidfVectorizer:
    """The vectoriser that ``fit`` would have left behind.

    Args:
        block: kind of n-grams.
        settings: its parameters.
        terms: the n-grams of the weighting's columns, in alphabetical order.
        weighting: with its columns in that order.
    """
    fitted = vectorizer(block, settings)
    names = ("norm", "use_idf", "smooth_idf", "sublinear_tf")
    scheme = TfidfTransformer(**{name: getattr(fitted, name) for name in names})
    scheme.n_features_in_ = len(terms)
    if fitted.use_idf:
        scheme.idf_ = weighting.idf
    fitted._tfidf = scheme  # noqa: SLF001 - where fit leaves it
    fitted.fixed_vocabulary_ = False
    fitted.vocabulary_ = {term: number for number, term in enumerate(terms)}
    return fitted


@compiled
def _frequencies(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    data: NDArray[np.int32],
    rows: Rows,
    columns: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """In how many of the rows, and how often in all of them, each column occurs."""
    frequencies, totals = np.zeros(columns, np.int64), np.zeros(columns, np.int64)
    for row in rows:
        for entry in range(indptr[row], indptr[row + 1]):
            frequencies[indices[entry]] += 1
            totals[indices[entry]] += data[entry]
    return frequencies, totals


@compiled
def _weigh(  # noqa: PLR0913, PLR0917 - flat arrays are what compiles
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    data: NDArray[np.int32],
    rows: Rows,
    place: NDArray[np.int32],
    idf: NDArray[np.float64],
    values: NDArray[np.float64],
    power: int,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """A CSR matrix of the rows: values of the counts, times idf, each row divided by its norm."""
    out_ptr = np.zeros(len(rows) + 1, np.int64)
    for number, row in enumerate(rows):
        kept = 0
        for entry in range(indptr[row], indptr[row + 1]):
            kept += place[indices[entry]] >= 0
        out_ptr[number + 1] = out_ptr[number] + kept
    out_indices = np.empty(out_ptr[-1], np.int32)
    out = np.empty(out_ptr[-1], np.float64)
    for number, row in enumerate(rows):
        at, total = out_ptr[number], 0.0
        for entry in range(indptr[row], indptr[row + 1]):
            column = place[indices[entry]]
            if column >= 0:
                value = values[data[entry]] * idf[column]
                out_indices[at], out[at] = column, value
                total += value * value if power == 2 else value  # noqa: PLR2004 - the l2 norm
                at += 1
        norm = np.sqrt(total) if power == 2 else total  # noqa: PLR2004
        if power and norm > 0:
            for entry in range(out_ptr[number], at):
                out[entry] /= norm
    return out_ptr, out_indices, out

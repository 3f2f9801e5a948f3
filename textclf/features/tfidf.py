"""TF-IDF features of a candidate, as scikit-learn objects or derived from n-gram counts.

``build_vectorizer`` and ``build_feature_union`` make scikit-learn's objects. ``fit_tfidf`` learns
what such a ``TfidfVectorizer`` would learn from some rows, from counts of all rows that were taken
once; the result turns any rows into the vectorizer's matrix.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from multiprocessing.pool import ThreadPool
from typing import Any, Self

import numpy as np
from joblib import cpu_count
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer, TfidfVectorizer
from sklearn.pipeline import FeatureUnion

from textclf.features.counts import COUNTED_BY, Counts, NoExactShortcut, count
from textclf.jit import compiled, entries_of

Settings = Mapping[str, Any]
Rows = NDArray[np.intp]

_CHUNK = 64
"""Rows of a matrix that are made at a time, so that they stay in the cache."""


def build_vectorizer(block: str, settings: Settings) -> TfidfVectorizer:
    """Build the unfitted vectorizer of one block: ``word``, ``char_wb`` or ``char`` n-grams."""
    parameters = dict(settings)
    if "ngram_range" in parameters:  # TOML and JSON have no tuples, and scikit-learn needs one
        parameters["ngram_range"] = tuple(parameters["ngram_range"])
    return TfidfVectorizer(analyzer=block, **parameters)


def build_feature_union(features: Mapping[str, Settings]) -> FeatureUnion:
    """Build the union of a candidate's blocks; even one block has a union, for a uniform model."""
    return FeatureUnion(
        [(block, build_vectorizer(block, settings)) for block, settings in features.items()]
    )


@dataclass(frozen=True)
class TfidfWeights:
    """What a TfidfVectorizer learns from its training rows, in terms of columns of the counts.

    Attributes:
        columns: the columns of the counts that it keeps, ascending.
        frequencies: the number of training rows in which each of them occurs.
        idf: the inverse document frequency of each; ones if the vectorizer uses none.
        values: the weight of a count before idf and norm, indexed by the count.
        norm: "l1", "l2" or None.
    """

    columns: NDArray[np.intp]
    frequencies: NDArray[np.int64]
    idf: NDArray[np.float64]
    values: NDArray[np.float64]
    norm: str | None

    def of(self, counts: Counts) -> WeightedCounts:
        """Weigh the counts that the columns are of."""
        place = np.full(counts.columns, -1, np.int32)
        place[self.columns] = np.arange(len(self.columns), dtype=np.int32)
        return WeightedCounts(counts, place, self.idf, self.values, self.norm)


@dataclass(frozen=True)
class WeightedCounts:
    """N-gram counts, and how a TfidfVectorizer weighs them.

    Attributes:
        counts: the counts.
        place: the column of the vectorizer's matrix for each of the counts, or -1.
        idf: as in ``TfidfWeights``; so are ``values`` and ``norm``.
    """

    counts: Counts
    place: NDArray[np.int32]
    idf: NDArray[np.float64]
    values: NDArray[np.float64]
    norm: str | None

    @classmethod
    def by_vectorizer(cls, vectorizer: TfidfVectorizer, counts: Counts) -> Self:
        """Weigh counts, over the n-gram range of a fitted vectorizer, as it does."""
        vocabulary = vectorizer.vocabulary_
        terms = counts.terms(np.arange(counts.columns))
        place = np.fromiter(map(vocabulary.get, terms, repeat(-1)), np.int32, len(terms))
        idf = vectorizer.idf_ if vectorizer.use_idf else np.ones(len(vocabulary))
        values = _values(vectorizer, int(counts.data.max(initial=0)))
        return cls(counts, place, idf, values, vectorizer.norm)


def join(
    blocks: Sequence[WeightedCounts], rows: Rows, dtype: type[np.floating[Any]] = np.float64
) -> csr_matrix:
    """Make the matrix of some rows, with the columns of the blocks side by side.

    It is filled some rows at a time, so that there is never a second copy of it.
    """
    sizes = sum(np.diff(block.counts.indptr)[rows] for block in blocks)
    ends = np.append(0, np.cumsum(sizes))
    firsts = range(0, len(rows), _CHUNK)
    room = np.diff(ends[[*firsts, len(rows)]]).max(initial=0)
    part_indices, part = np.empty(room, np.int32), np.empty(room)
    data, indices = np.empty(ends[-1], dtype), np.empty(ends[-1], np.int32)
    indptr, filled = np.zeros(len(rows) + 1, np.int64), 0
    for first in firsts:
        chunk = slice(first, min(first + _CHUNK, len(rows)))
        starts = ends[chunk] - ends[first]
        stops, width = starts.copy(), 0
        for block in blocks:
            counts, power = block.counts, {"l1": 1, "l2": 2, None: 0}[block.norm]
            _weigh_rows(
                counts.indptr, counts.indices, counts.data, rows[chunk], block.place, block.idf,
                block.values, power, width, stops, part_indices, part,
            )  # fmt: skip
            width += len(block.idf)
        filled = _append_rows(
            starts, stops, part_indices, part, filled, indptr[1:][chunk], indices, data
        )
    shape = len(rows), sum(len(block.idf) for block in blocks)
    return csr_matrix((data[:filled], indices[:filled], indptr), shape=shape)


def fit_tfidf(counts: Counts, block: str, settings: Settings, rows: Rows) -> TfidfWeights:
    """Learn from some rows what a fitted TfidfVectorizer would have learned from them.

    Args:
        counts: the counts of all texts, over an n-gram range that covers that of the settings.
        block: the kind of n-grams.
        settings: the parameters of the TfidfVectorizer.
        rows: the numbers of the training rows.

    Raises:
        ValueError: no n-gram is left; the message is scikit-learn's.
    """
    scheme = build_vectorizer(block, settings)
    frequencies, totals = np.zeros((2, counts.columns), np.int64)
    _count_in_rows(counts.indptr, counts.indices, counts.data, rows, frequencies, totals)
    present = counts.in_range(*scheme.ngram_range) & (frequencies > 0)
    if not present.any():
        raise ValueError("empty vocabulary; perhaps the documents only contain stop words")
    columns = _within_limits(
        counts, scheme, np.flatnonzero(present), frequencies, totals, len(rows)
    )
    frequencies = frequencies[columns]
    idf = _idf(scheme, frequencies, len(rows))
    highest = int(counts.data.max(initial=0))
    return TfidfWeights(columns, frequencies, idf, _values(scheme, highest), scheme.norm)


def _within_limits(  # noqa: PLR0913, PLR0917 - scikit-learn's three limits and their inputs
    counts: Counts,
    scheme: TfidfVectorizer,
    columns: NDArray[np.intp],
    frequencies: NDArray[np.int64],
    totals: NDArray[np.int64],
    rows: int,
) -> NDArray[np.intp]:
    """The columns that ``min_df``, ``max_df`` and ``max_features`` leave, as in CountVectorizer."""
    lowest = scheme.min_df if isinstance(scheme.min_df, int) else scheme.min_df * rows
    highest = scheme.max_df if isinstance(scheme.max_df, int) else scheme.max_df * rows
    if highest < lowest:
        raise ValueError("max_df corresponds to < documents than min_df")
    in_rows = frequencies[columns]
    columns = columns[(in_rows >= lowest) & (in_rows <= highest)]
    if scheme.max_features is not None and len(columns) > scheme.max_features:
        occurrences = frequencies if scheme.binary else totals
        columns = columns[np.argsort(counts.ranks()[columns])]  # scikit-learn's order among ties
        columns = np.sort(columns[(-occurrences[columns]).argsort()[: scheme.max_features]])
    if not len(columns):
        raise ValueError("After pruning, no terms remain. Try a lower min_df or a higher max_df.")
    return columns


def _idf(scheme: TfidfVectorizer, frequencies: NDArray[np.int64], rows: int) -> NDArray[np.float64]:
    if not scheme.use_idf:
        return np.ones(len(frequencies))
    smooth = int(scheme.smooth_idf)
    return np.log((rows + smooth) / (frequencies.astype(np.float64) + smooth)) + 1.0


def _values(scheme: TfidfVectorizer, highest: int) -> NDArray[np.float64]:
    """The weight of each count: 1 if binary, 1 + its logarithm if sublinear, else the count."""
    counts = np.arange(highest + 1, dtype=np.float64)
    if scheme.binary:
        counts[1:] = 1
    if scheme.sublinear_tf:
        counts[1:] = np.log(counts[1:]) + 1.0
    return counts


@dataclass(frozen=True)
class CountCache:
    """The n-gram counts that the candidates of a search need, each taken once.

    Attributes:
        texts: the texts counted.
        tables: the counts, by the kind of n-grams and the settings that matter to counting;
            ``None`` where only scikit-learn can count.
    """

    texts: NDArray[np.object_]
    tables: Mapping[str, Counts | None]

    @classmethod
    def from_texts(cls, texts: Sequence[str], candidates: Iterable[Mapping[str, Settings]]) -> Self:
        """Count n-grams for the features of all candidates, over the widest ranges they use."""
        blocks_by_key: dict[str, list[tuple[str, Settings]]] = {}
        for features in candidates:
            for block, settings in features.items():
                blocks_by_key.setdefault(_key(block, settings), []).append((block, settings))
        with ThreadPool(min(len(blocks_by_key), cpu_count())) as pool:  # of daemons, for Ctrl-C
            tables = pool.starmap(_count_shared, [(texts, own) for own in blocks_by_key.values()])
        return cls(np.asarray(texts, dtype=object), dict(zip(blocks_by_key, tables, strict=True)))

    def counts_for(self, features: Mapping[str, Settings]) -> tuple[Counts, ...]:
        """The counts of each block; empty if the features need the scikit-learn fallback."""
        tables = [self.tables[_key(block, settings)] for block, settings in features.items()]
        counts = tuple(table for table in tables if table is not None)
        return counts if len(counts) == len(tables) else ()

    def vocabulary_size(self, features: Mapping[str, Settings]) -> int:
        """The number of n-grams kept of all texts; 0 for the scikit-learn fallback."""
        counts = self.counts_for(features)
        rows = np.arange(len(self.texts))
        return sum(
            len(fit_tfidf(table, block, settings, rows).columns)
            for (block, settings), table in zip(features.items(), counts, strict=bool(counts))
        )


def _key(block: str, settings: Settings) -> str:
    return repr((block, [(name, settings.get(name)) for name in COUNTED_BY]))


def _count_shared(texts: Sequence[str], blocks: Sequence[tuple[str, Settings]]) -> Counts | None:
    """Count for blocks that differ only in what can be derived from the same counts."""
    ranges = [build_vectorizer(block, settings).ngram_range for block, settings in blocks]
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    try:
        counts = count(texts, *blocks[0], low, high)
    except (NoExactShortcut, ValueError, re.error):  # scikit-learn will count, or say what is wrong
        return None
    limited = any(settings.get("max_features") is not None for _, settings in blocks)
    return counts.with_ranks() if limited else counts


def build_fitted_vectorizer(
    block: str, settings: Settings, terms: Sequence[str], weights: TfidfWeights
) -> TfidfVectorizer:
    """Build the vectorizer that scikit-learn's ``fit`` would have left behind.

    Args:
        block: the kind of n-grams.
        settings: the vectorizer's parameters.
        terms: the n-grams of the columns, in alphabetical order.
        weights: the weights of the columns, in that order.
    """
    fitted = build_vectorizer(block, settings)
    names = ("norm", "use_idf", "smooth_idf", "sublinear_tf")
    scheme = TfidfTransformer(**{name: getattr(fitted, name) for name in names})
    scheme.n_features_in_ = len(terms)
    if fitted.use_idf:
        scheme.idf_ = weights.idf
    fitted._tfidf = scheme  # noqa: SLF001 - where fit leaves it
    fitted.fixed_vocabulary_ = False
    fitted.vocabulary_ = dict(zip(terms, range(len(terms)), strict=True))
    return fitted


@compiled
def _count_in_rows(  # noqa: PLR0913, PLR0917 - flat arrays are what compiles
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    data: NDArray[np.int32],
    rows: Rows,
    frequencies: NDArray[np.int64],
    totals: NDArray[np.int64],
) -> None:
    """Count the rows in which each column occurs, and add up its counts in them."""
    for row in rows:
        for entry in entries_of(indptr, row):
            column = np.uint32(indices[entry])
            frequencies[column] += 1
            totals[column] += data[entry]


@compiled
def _weigh_rows(  # noqa: PLR0913, PLR0917 - flat arrays are what compiles
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    data: NDArray[np.int32],
    rows: Rows,
    place: NDArray[np.int32],
    idf: NDArray[np.float64],
    values: NDArray[np.float64],
    power: int,
    first: int,
    stops: NDArray[np.int64],
    out_indices: NDArray[np.int32],
    out: NDArray[np.float64],
) -> None:
    """Add a block to rows: values of the counts times idf, divided by their norm in each row.

    The columns of the block begin at ``first``. ``stops`` holds where each row ends, and is
    updated.
    """
    for number in range(len(rows)):
        at, total = stops[number], 0.0
        for entry in entries_of(indptr, rows[number]):
            column = place[np.uint32(indices[entry])]
            if column >= 0:
                value = values[np.uint32(data[entry])] * idf[np.uint32(column)]
                out_indices[at], out[at] = first + column, value
                total += value * value if power == 2 else value  # noqa: PLR2004 - the l2 norm
                at += 1
        norm = np.sqrt(total) if power == 2 else total  # noqa: PLR2004
        if power and norm > 0:
            for place_in_row in range(stops[number], at):
                out[place_in_row] /= norm
        stops[number] = at


@compiled
def _append_rows(  # noqa: PLR0913, PLR0917 - flat arrays are what compiles
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    part_indices: NDArray[np.int32],
    part: NDArray[np.float64],
    filled: int,
    ends: NDArray[np.int64],
    indices: NDArray[np.int32],
    data: NDArray[np.floating[Any]],
) -> int:
    """Copy rows, without the gaps between them, and note where each ends; return the last end."""
    for row in range(len(starts)):
        for at in range(starts[row], stops[row]):
            indices[filled], data[filled] = part_indices[at], part[at]
            filled += 1
        ends[row] = filled
    return filled

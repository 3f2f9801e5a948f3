"""How often each n-gram occurs in each text, counted once and exactly as scikit-learn counts.

The n-grams are the nodes of a trie: each is known by the number of the n-gram without its last
token, and that token. The two numbers packed into 64 bits are the key of a hash table, so that
n-grams are never spelled out while they are counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer

from textclf.captured_warnings import noted
from textclf.features.tokens import (
    Runs,
    RunTokenizer,
    Tokens,
    chunks,
    code_points,
    tokenizer_for,
    with_room,
)
from textclf.jit import compiled

Indices = NDArray[np.int32]

_SETTINGS = ("lowercase", "strip_accents", "token_pattern", "stop_words")
"""Of a vectoriser: those that say which n-grams a text has."""

_LONGEST = int(np.iinfo(np.int16).max)
_MOST = int(np.iinfo(np.int32).max)
_SPACE = ord(" ")

_BATCH = 256
"""N-grams looked up together, so that the memory of one is fetched while another is handled."""

_ONE, _HALF, _LOW = np.uint64(1), np.uint64(32), np.uint64(0xFFFFFFFF)
_MIX, _SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(29)
_EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)
_ROOT = np.uint64(0xFFFFFFFF)
"""What n-grams of one token have for a prefix."""


class Uncountable(Exception):
    """There is no exact shortcut for these settings or texts; scikit-learn has to count."""


@dataclass(frozen=True)
class Names:
    """What n-grams are made of, as numbers.

    Attributes:
        prefixes: for each n-gram, the number of the one without its last token, or -1.
        lasts: for each n-gram, its last token.
        columns: the numbers of the n-grams that are columns.
        words: the tokens' texts; none where tokens are code points.
    """

    prefixes: NDArray[np.int32]
    lasts: NDArray[np.int32]
    columns: NDArray[np.int32]
    words: tuple[str, ...] | None

    def terms(self, columns: NDArray[np.intp]) -> list[str]:
        """The texts of some columns."""
        glue = "" if self.words is None else " "
        nodes = self.columns[columns]
        texts = self._texts(nodes)
        at, nodes = _longer(np.arange(len(nodes)), self.prefixes[nodes])
        while at.size:
            for place, text in zip(at.tolist(), self._texts(nodes), strict=True):
                texts[place] = f"{text}{glue}{texts[place]}"
            at, nodes = _longer(at, self.prefixes[nodes])
        return texts

    def ranks(self, lengths: NDArray[np.int16]) -> NDArray[np.int32]:
        """The alphabetical rank of each column, of which the lengths are given."""
        final, followed = self._orders()
        keys = np.full((lengths.max(initial=0), len(lengths)), -1, np.int32)
        place = lengths.astype(np.intp) - 1
        at, nodes, orders = np.arange(len(lengths)), self.columns, final
        while at.size:
            keys[place[at], at] = orders[self.lasts[nodes]]
            place[at] -= 1
            at, nodes = _longer(at, self.prefixes[nodes])
            orders = followed
        return _ranked(np.lexsort(keys[::-1]))

    def _texts(self, nodes: NDArray[np.int32]) -> list[str]:
        name = chr if self.words is None else self.words.__getitem__
        return list(map(name, self.lasts[nodes].tolist()))

    def _orders(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Tokens in alphabetical order where they end an n-gram, and where a space follows.

        Some control characters come before the space, so that the two differ.
        """
        if self.words is None:
            points = np.arange(self.lasts.max(initial=0) + 1, dtype=np.int32)
            return points, points
        spellings = [*self.words, *(f"{word} " for word in self.words)]
        ranks = _ranked(sorted(range(len(spellings)), key=spellings.__getitem__))
        return ranks[: len(self.words)], ranks[len(self.words) :]


def _longer(
    at: NDArray[np.intp], prefixes: NDArray[np.int32]
) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Those that have a prefix."""
    has = prefixes >= 0
    return at[has], prefixes[has]


def _ranked(order: Sequence[int] | NDArray[np.intp]) -> NDArray[np.int32]:
    """The inverse of a permutation."""
    ranks = np.empty(len(order), np.int32)
    ranks[order] = np.arange(len(order), dtype=np.int32)
    return ranks


@dataclass(frozen=True)
class Counts:
    """How often each n-gram occurs in each text: a compressed sparse row matrix.

    Attributes:
        indptr: where the entries of each row start, and where the last end: rows + 1.
        indices: the column of each entry; in a row in no particular order, none twice.
        data: the counts, above 0.
        lengths: for each column how many tokens (``word``) or characters its n-gram has.
        whole: for each column whether it is a word with the spaces around it; ``char_wb`` only.
        names: what the columns are called; absent in a copy by ``unnamed``.
        notes: what scikit-learn warns of with these settings.
        order: the columns' alphabetical ranks, where they have been worked out.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    data: NDArray[np.int32]
    lengths: NDArray[np.int16]
    whole: NDArray[np.bool_]
    names: Names | None
    notes: tuple[str, ...] = ()
    order: NDArray[np.int32] | None = None

    @property
    def rows(self) -> int:
        """The number of texts."""
        return len(self.indptr) - 1

    @property
    def columns(self) -> int:
        """The number of n-grams."""
        return len(self.lengths)

    def select(self, lo: int, hi: int) -> NDArray[np.bool_]:
        """Mask of the columns that a vectoriser with ``ngram_range=(lo, hi)`` has.

        The range lies within the one counted. ``char_wb`` has words shorter than ``lo``, too.
        """
        short = self.lengths < lo
        return (self.lengths <= hi) & (~short | self.whole)

    def terms(self, columns: NDArray[np.intp]) -> list[str]:
        """The texts of the n-grams of some columns."""
        return self._named.terms(columns)

    def ranks(self) -> NDArray[np.int32]:
        """For each column its place in the alphabetical order of all columns."""
        return self._named.ranks(self.lengths) if self.order is None else self.order

    def ranked(self) -> Counts:
        """A copy that knows its ranks."""
        return replace(self, order=self.ranks())

    def unnamed(self) -> Counts:
        """A copy without names, which is smaller to send to another process."""
        return replace(self, names=None)

    @property
    def _named(self) -> Names:
        if self.names is None:
            raise ValueError("these counts were made without names")
        return self.names


def count(
    texts: Sequence[str], block: str, settings: Mapping[str, Any], lo: int, hi: int
) -> Counts:
    """Count the n-grams of texts as scikit-learn's CountVectorizer does.

    Args:
        texts: one for each row.
        block: ``word``, ``char_wb`` or ``char``.
        settings: of a TfidfVectorizer; those that do not change its n-grams are not looked at.
        lo: the fewest tokens or characters of an n-gram.
        hi: the most, both of the widest range that will be asked for.

    Raises:
        Uncountable: there is no exact shortcut.
        ValueError: there is no n-gram at all, or scikit-learn does not take a setting.
    """
    vectorizer, notes = _vectorizer(block, settings, lo, hi)
    if lo < 1 or hi > _LONGEST:
        raise Uncountable(f"n-grams of {lo} to {hi}")
    counts = _BLOCKS[block](texts, vectorizer, lo, hi)
    if not counts.columns:
        raise ValueError("empty vocabulary; perhaps the documents only contain stop words")
    return replace(counts, notes=notes)


def _vectorizer(
    block: str, settings: Mapping[str, Any], lo: int, hi: int
) -> tuple[CountVectorizer, tuple[str, ...]]:
    """The vectoriser of these settings, and what it warns of."""
    given = {name: settings[name] for name in _SETTINGS if name in settings}
    vectorizer = CountVectorizer(analyzer=block, ngram_range=(lo, hi), vocabulary=["a"], **given)
    with noted() as notes:
        vectorizer.fit([""])  # checks the settings; the vocabulary is for it not to be empty
    return vectorizer, tuple(notes)


def _count_words(texts: Sequence[str], vectorizer: CountVectorizer, lo: int, hi: int) -> Counts:
    tokenize = tokenizer_for(vectorizer.token_pattern)
    given = vectorizer.get_stop_words() or ()
    stop_words = sorted(word for word in given if isinstance(word, str))  # others match no token
    tokenize.add(stop_words)
    trie = _Trie(lo, hi)
    for chunk in chunks(map(vectorizer.build_preprocessor(), texts)):
        trie.count(_without(len(stop_words), tokenize(chunk)))
    words = tuple(tokenize.words())
    if hi > 1 and any(" " in word for word in words[len(stop_words) :]):
        raise Uncountable("tokens that hold spaces make different n-grams look alike")
    return trie.counts(words)


def _without(stop_words: int, tokens: Tokens) -> Tokens:
    """Drop stop words; they have the lowest numbers."""
    if not stop_words:
        return tokens
    kept = tokens.ids >= stop_words
    before = np.concatenate(([0], np.cumsum(kept)))
    return Tokens(tokens.ids[kept], before[tokens.ends])


def _count_characters(
    texts: Sequence[str], vectorizer: CountVectorizer, lo: int, hi: int
) -> Counts:
    trie = _Trie(lo, hi)
    spaces = re.compile(r"\s\s+")
    for chunk in chunks(map(vectorizer.build_preprocessor(), texts)):
        trie.count(code_points([spaces.sub(" ", text) for text in chunk]))
    return trie.counts(None)


def _count_characters_in_words(
    texts: Sequence[str], vectorizer: CountVectorizer, lo: int, hi: int
) -> Counts:
    """(texts × distinct words) @ (distinct words × n-grams)."""
    tokenize = RunTokenizer(Runs(r"\S"))
    words = _Trie(1, 1)
    for chunk in chunks(map(vectorizer.build_preprocessor(), texts)):
        words.count(tokenize(chunk))
    grams = _Trie(lo, hi, whole=True)
    for chunk in chunks(f" {word} " for word in tokenize.words()):
        grams.count(code_points(chunk))
    texts_words, words_grams = words.counts(()), grams.counts(None)
    indptr, indices, data = _product(texts_words, words_grams)
    return replace(words_grams, indptr=indptr, indices=indices, data=data)


def _product(left: Counts, right: Counts) -> tuple[NDArray[np.int64], Indices, Indices]:
    """The matrix product. Its room is an upper bound; memory never written to is not used."""
    sizes = np.diff(right.indptr)
    most = int(sizes[left.indices].sum())
    indices, data = np.empty(most, np.int32), np.empty(most, np.int32)
    indptr = _multiply(
        left.indptr, left.indices, left.data, right.indptr, right.indices, right.data,
        np.full(right.columns, -1), indices, data,
    )  # fmt: skip
    return indptr, indices[: indptr[-1]], data[: indptr[-1]]


_BLOCKS = {
    "word": _count_words,
    "char": _count_characters,
    "char_wb": _count_characters_in_words,
}


_Parts = tuple[NDArray[np.uint64], NDArray[np.int16], Indices, Indices, int, NDArray[np.int64]]


class _Trie:
    """Counts the n-grams of rows of tokens, some rows at a time.

    With ``whole`` a row shorter than ``lo`` is an n-gram, too.
    """

    def __init__(self, lo: int, hi: int, *, whole: bool = False) -> None:
        self._range = lo, hi, whole
        self._slots = np.full((1 << 10, 2), _EMPTY, np.uint64)
        self._lengths = np.zeros(1 << 8, np.int16)
        self._indices = np.zeros(1 << 10, np.int32)
        self._data = np.zeros(1 << 10, np.int32)
        self._nodes = 0
        self._ends = [np.zeros(1, np.int64)]

    def count(self, tokens: Tokens) -> None:
        """Count the n-grams of more rows. Raises Uncountable if there are too many."""
        self._slots, self._lengths, self._indices, self._data, self._nodes, ends = _count_rows(
            tokens.ids, tokens.ends, *self._range,
            self._slots, self._lengths, self._indices, self._data,
            self._nodes, int(self._ends[-1][-1]),
        )  # fmt: skip
        if self._nodes > _MOST:
            raise Uncountable("more than 2**31 n-grams")
        self._ends.append(ends)

    def counts(self, words: tuple[str, ...] | None) -> Counts:
        """The counts of all rows so far."""
        lo, _, whole = self._range
        ends = np.concatenate(self._ends)
        names = self._names(words)
        lengths = self._lengths[: self._nodes]
        bounded = _bounded(names, lengths) if whole else np.zeros(self._nodes, np.bool_)
        kept = bounded | (lengths >= lo)
        indices, data = self._indices[: ends[-1]], self._data[: ends[-1]]
        if not kept.all():
            indices = (np.cumsum(kept, dtype=np.int32) - 1)[indices]
        names = replace(names, columns=np.flatnonzero(kept).astype(np.int32))
        return Counts(ends, indices, data, lengths[kept], bounded[kept], names)

    def _names(self, words: tuple[str, ...] | None) -> Names:
        used = self._slots[self._slots[:, 0] != _EMPTY]
        keys = np.empty(self._nodes, np.uint64)
        keys[used[:, 1] >> _HALF] = used[:, 0]
        prefixes = (keys >> _HALF).astype(np.uint32).view(np.int32)
        lasts = (keys & _LOW).astype(np.int32)
        return Names(prefixes, lasts, np.zeros(0, np.int32), words)


def _bounded(names: Names, lengths: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Whether an n-gram has a space at either end, so that it is a whole word."""
    ends: NDArray[np.bool_] = names.lasts == _SPACE
    begins = ends.copy()  # right for single characters; longer ones begin as their prefix does
    for length in range(2, int(lengths.max(initial=0)) + 1):
        longer = lengths == length
        begins[longer] = begins[names.prefixes[longer]]
    return begins & ends & (lengths > 1)


@compiled
def _home(key: np.uint64, slots: NDArray[np.uint64]) -> np.uint64:
    """The slot to look for a key first."""
    code = (key ^ (key >> _SHIFT)) * _MIX
    return (code ^ (code >> _HALF)) & np.uint64(len(slots) - 1)


@compiled
def _find(key: np.uint64, at: np.uint64, slots: NDArray[np.uint64]) -> np.uint64:
    """Where a key is from its home on, or the empty slot where it belongs."""
    last = np.uint64(len(slots) - 1)
    while slots[at, 0] != key and slots[at, 0] != _EMPTY:
        at = (at + _ONE) & last
    return at


@compiled
def _rehashed(slots: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The same table with twice the slots."""
    new = np.full((2 * len(slots), 2), _EMPTY, np.uint64)
    for old in range(len(slots)):
        key = slots[old, 0]
        if key != _EMPTY:
            at = _find(key, _home(key, new), new)
            new[at, 0], new[at, 1] = key, slots[old, 1]
    return new


@compiled
def _extend(
    tokens: NDArray[np.int32],
    slots: NDArray[np.uint64],
    grams: NDArray[np.uint64],
    found: NDArray[np.uint64],
    nodes: int,
) -> int:
    """Lengthen n-grams by a token each; those that are new get the next numbers.

    Args:
        tokens: one for each n-gram.
        slots: the hash table.
        grams: the numbers of the n-grams, before and after.
        found: their slots in the end.
        nodes: how many n-grams there are.

    Returns:
        How many there are then.
    """
    peeks = np.empty(len(tokens), np.uint64)
    for i in range(len(tokens)):
        grams[i] = grams[i] << _HALF | np.uint64(tokens[i])
        found[i] = _home(grams[i], slots)
        peeks[i] = slots[found[i], 0]
    for i in range(len(tokens)):
        key = grams[i]
        if peeks[i] != key:
            found[i] = _find(key, found[i], slots)
            if slots[found[i], 0] == _EMPTY:
                slots[found[i], 0], slots[found[i], 1] = key, np.uint64(nodes) << _HALF
                nodes += 1
        grams[i] = slots[found[i], 1] >> _HALF
    return nodes


@compiled
def _tally(  # noqa: PLR0913, PLR0917 - the parts of the trie and of the matrix
    found: NDArray[np.uint64],
    slots: NDArray[np.uint64],
    indices: NDArray[np.int32],
    data: NDArray[np.int32],
    first: int,
    filled: int,
) -> int:
    """Add n-grams to the entries of a row; returns where the entries end then.

    The place in a slot is one in an earlier row unless that entry is this n-gram's (a sparse set).
    """
    for slot in found:
        node = slots[slot, 1] >> _HALF
        place = first + np.int64(slots[slot, 1] & _LOW)
        if place < filled and indices[place] == node:
            data[place] += 1
        else:
            slots[slot, 1] = node << _HALF | np.uint64(filled - first)
            indices[filled], data[filled] = np.int32(node), 1
            filled += 1
    return filled


@compiled
def _count_rows(  # noqa: PLR0913, PLR0917 - the parts of the trie and of the matrix
    ids: NDArray[np.int32],
    ends: NDArray[np.int64],
    lo: int,
    hi: int,
    whole: bool,
    slots: NDArray[np.uint64],
    lengths: NDArray[np.int16],
    indices: NDArray[np.int32],
    data: NDArray[np.int32],
    nodes: int,
    filled: int,
) -> _Parts:
    """Count the n-grams of each row, a batch of each length at a time.

    A slot holds the key of an n-gram, and its number above its place among the row's entries.
    """
    row_ends = np.empty(len(ends), np.int64)
    found, grams = np.empty(_BATCH, np.uint64), np.empty(_BATCH, np.uint64)
    begin = 0
    for row in range(len(ends)):
        end, first = ends[row], filled
        least = min(lo, end - begin) if whole else lo
        for start in range(begin, end, _BATCH):
            grams.fill(_ROOT)
            for length in range(1, min(hi, end - start) + 1):
                tokens = ids[start + length - 1 : min(start + _BATCH + length - 1, end)]
                while 2 * (nodes + _BATCH) > len(slots):
                    slots = _rehashed(slots)
                known, nodes = nodes, _extend(tokens, slots, grams, found, nodes)
                lengths = with_room(lengths, nodes)
                for node in range(known, nodes):
                    lengths[node] = length
                if length >= least:
                    room = filled + len(tokens)
                    indices, data = with_room(indices, room), with_room(data, room)
                    filled = _tally(found[: len(tokens)], slots, indices, data, first, filled)
        begin = end
        row_ends[row] = filled
    return slots, lengths, indices, data, nodes, row_ends


@compiled
def _multiply(  # noqa: PLR0913, PLR0917 - the parts of three matrices
    left_ends: NDArray[np.int64],
    left_indices: NDArray[np.int32],
    left_data: NDArray[np.int32],
    right_ends: NDArray[np.int64],
    right_indices: NDArray[np.int32],
    right_data: NDArray[np.int32],
    places: NDArray[np.int64],
    indices: NDArray[np.int32],
    data: NDArray[np.int32],
) -> NDArray[np.int64]:
    """Multiply row by row; ``places`` says where each column was last written to."""
    indptr = np.zeros_like(left_ends)
    filled = 0
    for row in range(len(left_ends) - 1):
        first = filled
        for left in range(left_ends[row], left_ends[row + 1]):
            middle, times = left_indices[left], left_data[left]
            for right in range(right_ends[middle], right_ends[middle + 1]):
                column, product = right_indices[right], times * right_data[right]
                place = places[column]
                if place >= first:
                    data[place] += product
                else:
                    places[column] = filled
                    indices[filled], data[filled] = column, product
                    filled += 1
        indptr[row + 1] = filled
    return indptr

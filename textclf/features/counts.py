"""N-gram counts of each text, exactly those of scikit-learn's CountVectorizer.

The n-grams are the nodes of a trie: each is identified by the number of the n-gram without its last
token, and that token. The two numbers packed into 64 bits are the key of a hash table, so n-grams
are never spelled out while they are counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer

from textclf.captured_warnings import capture_warnings
from textclf.features.tokens import (
    RunPattern,
    RunTokenizer,
    Tokens,
    chunks,
    code_points,
    free_slots,
    grown,
    tokenizer_for,
)
from textclf.jit import compiled, entries_of, inlined

Indices = NDArray[np.int32]

CHUNK = 1 << 20
"""Characters counted at once; a single text may have more."""

COUNTED_BY = ("lowercase", "strip_accents", "token_pattern", "stop_words")
"""The parameters, besides the n-gram range, that decide which n-grams a text has."""

_LONGEST = int(np.iinfo(np.int16).max)
_MOST = int(np.iinfo(np.int32).max)
_SPACE = ord(" ")

_BATCH = 256
"""N-grams looked up together, so that the memory of one is fetched while another is handled."""

_ONE, _HALF, _LOW = np.uint64(1), np.uint64(32), np.uint64(0xFFFFFFFF)
_MIX, _SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(29)
_EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)
_ROOT = np.uint64(0xFFFFFFFF)
"""The prefix of n-grams of one token."""


class NoExactShortcut(Exception):
    """These settings or texts have no exact shortcut; scikit-learn has to count."""


@dataclass(frozen=True)
class NgramVocabulary:
    """The n-grams of counts as the nodes of a trie.

    Attributes:
        prefixes: the number of each n-gram without its last token, or -1 for single tokens.
        lasts: the last token of each n-gram.
        columns: the numbers of the n-grams that are columns.
        words: the texts of the tokens; ``None`` if tokens are code points.
    """

    prefixes: NDArray[np.int32]
    lasts: NDArray[np.int32]
    columns: NDArray[np.int32]
    words: tuple[str, ...] | None

    def terms(self, columns: NDArray[np.intp]) -> list[str]:
        """Spell out the n-grams of some columns."""
        glue = "" if self.words is None else " "
        nodes = self.columns[columns]
        texts = self._texts(nodes)
        at, nodes = _with_prefix(np.arange(len(nodes)), self.prefixes[nodes])
        while at.size:
            for place, text in zip(at.tolist(), self._texts(nodes), strict=True):
                texts[place] = f"{text}{glue}{texts[place]}"
            at, nodes = _with_prefix(at, self.prefixes[nodes])
        return texts

    def ranks(self, lengths: NDArray[np.int16]) -> NDArray[np.int32]:
        """Rank the columns alphabetically, given their numbers of tokens."""
        final, followed = self._orders()
        keys = np.full((lengths.max(initial=0), len(lengths)), -1, np.int32)
        place = lengths.astype(np.intp) - 1
        at, nodes, orders = np.arange(len(lengths)), self.columns, final
        while at.size:
            keys[place[at], at] = orders[self.lasts[nodes]]
            place[at] -= 1
            at, nodes = _with_prefix(at, self.prefixes[nodes])
            orders = followed
        return _inverse(np.lexsort(keys[::-1]))

    def _texts(self, nodes: NDArray[np.int32]) -> list[str]:
        spell = chr if self.words is None else self.words.__getitem__
        return list(map(spell, self.lasts[nodes].tolist()))

    def _orders(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Ranks of the tokens at the end of an n-gram, and of those followed by a space.

        The two differ because some control characters sort before the space.
        """
        if self.words is None:
            points = np.arange(self.lasts.max(initial=0) + 1, dtype=np.int32)
            return points, points
        spellings = [*self.words, *(f"{word} " for word in self.words)]
        ranks = _inverse(sorted(range(len(spellings)), key=spellings.__getitem__))
        return ranks[: len(self.words)], ranks[len(self.words) :]


def _with_prefix(
    at: NDArray[np.intp], prefixes: NDArray[np.int32]
) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Keep the n-grams that have a prefix."""
    has = prefixes >= 0
    return at[has], prefixes[has]


def _inverse(order: Sequence[int] | NDArray[np.intp]) -> NDArray[np.int32]:
    """The inverse of a permutation."""
    ranks = np.empty(len(order), np.int32)
    ranks[order] = np.arange(len(order), dtype=np.int32)
    return ranks


@dataclass(frozen=True)
class Counts:
    """The n-gram counts of texts, as a compressed sparse row (CSR) matrix.

    Attributes:
        indptr: (rows + 1,), where the entries of each row start, and where the last row ends.
        indices: the column of each entry; unsorted, none twice in a row.
        data: the counts, above 0.
        lengths: (columns,), the number of tokens (``word``) or characters of each n-gram.
        whole_words: (columns,), whether it is a word with its surrounding spaces (``char_wb``).
        vocabulary: the n-grams of the columns; absent in a copy ``without_vocabulary``.
        warnings: scikit-learn's warnings about the settings.
        order: (columns,), their alphabetical ranks, if they have been computed.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    data: NDArray[np.int32]
    lengths: NDArray[np.int16]
    whole_words: NDArray[np.bool_]
    vocabulary: NgramVocabulary | None
    warnings: tuple[str, ...] = ()
    order: NDArray[np.int32] | None = None

    @property
    def rows(self) -> int:
        """The number of texts."""
        return len(self.indptr) - 1

    @property
    def columns(self) -> int:
        """The number of n-grams."""
        return len(self.lengths)

    def in_range(self, lo: int, hi: int) -> NDArray[np.bool_]:
        """Mask of the columns that a vectorizer with ``ngram_range=(lo, hi)`` has.

        The range lies within the one counted. ``char_wb`` includes words shorter than ``lo``.
        """
        short = self.lengths < lo
        return (self.lengths <= hi) & (~short | self.whole_words)

    def terms(self, columns: NDArray[np.intp]) -> list[str]:
        """The texts of the n-grams of some columns.

        Raises:
            ValueError: this copy has no vocabulary.
        """
        return self._known_vocabulary.terms(columns)

    def ranks(self) -> NDArray[np.int32]:
        """The place of each column in the alphabetical order of all columns."""
        return self._known_vocabulary.ranks(self.lengths) if self.order is None else self.order

    def with_ranks(self) -> Counts:
        """Return a copy that holds its ranks."""
        return replace(self, order=self.ranks())

    def without_vocabulary(self) -> Counts:
        """Return a copy without the vocabulary, which is smaller to send to another process."""
        return replace(self, vocabulary=None)

    @property
    def _known_vocabulary(self) -> NgramVocabulary:
        if self.vocabulary is None:
            raise ValueError("these counts have no vocabulary")
        return self.vocabulary


def count(
    texts: Sequence[str], block: str, settings: Mapping[str, Any], lo: int, hi: int
) -> Counts:
    """Count the n-grams of texts as scikit-learn's CountVectorizer does.

    Args:
        texts: the texts, one for each row.
        block: ``word``, ``char_wb`` or ``char``.
        settings: parameters of a TfidfVectorizer; those that do not change its n-grams are ignored.
        lo: the smallest number of tokens or characters of an n-gram that will be needed.
        hi: the largest number.

    Raises:
        NoExactShortcut: there is no exact shortcut.
        ValueError: there is no n-gram at all, or scikit-learn does not accept a setting.
    """
    vectorizer, warnings = _checked_vectorizer(block, settings, lo, hi)
    if lo < 1 or hi > _LONGEST:
        raise NoExactShortcut(f"n-grams of {lo} to {hi}")
    counts = _BLOCKS[block](texts, vectorizer, lo, hi)
    if not counts.columns:
        raise ValueError("empty vocabulary; perhaps the documents only contain stop words")
    return replace(counts, warnings=warnings)


def _checked_vectorizer(
    block: str, settings: Mapping[str, Any], lo: int, hi: int
) -> tuple[CountVectorizer, tuple[str, ...]]:
    """A vectorizer whose settings scikit-learn has accepted, and its warnings."""
    given = {name: settings[name] for name in COUNTED_BY if name in settings}
    vectorizer = CountVectorizer(analyzer=block, ngram_range=(lo, hi), vocabulary=["a"], **given)
    with capture_warnings() as captured:
        vectorizer.fit([""])  # checks the settings; an empty vocabulary would be an error
    return vectorizer, tuple(captured)


def _count_words(texts: Sequence[str], vectorizer: CountVectorizer, lo: int, hi: int) -> Counts:
    tokenize = tokenizer_for(vectorizer.token_pattern)
    given = vectorizer.get_stop_words() or ()
    stop_words = sorted(word for word in given if isinstance(word, str))  # others match no token
    tokenize.add(stop_words)
    trie = _Trie(lo, hi)
    for chunk in chunks(map(vectorizer.build_preprocessor(), texts), CHUNK):
        trie.count(_without_stop_words(len(stop_words), tokenize(chunk)))
    words = tuple(tokenize.words())
    if hi > 1 and any(" " in word for word in words[len(stop_words) :]):
        raise NoExactShortcut("with spaces in tokens, different n-grams have the same text")
    return trie.counts(words)


def _without_stop_words(stop_words: int, tokens: Tokens) -> Tokens:
    """Drop the stop words, which have the lowest numbers."""
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
    for chunk in chunks(map(vectorizer.build_preprocessor(), texts), CHUNK):
        trie.count(code_points([spaces.sub(" ", text) for text in chunk]))
    return trie.counts(None)


def _count_characters_in_words(
    texts: Sequence[str], vectorizer: CountVectorizer, lo: int, hi: int
) -> Counts:
    """Count by the product (texts × distinct words) @ (distinct words × n-grams)."""
    tokenize = RunTokenizer(RunPattern(r"\S"))
    words = _Trie(1, 1)
    for chunk in chunks(map(vectorizer.build_preprocessor(), texts), CHUNK):
        words.count(tokenize(chunk))
    grams = _Trie(lo, hi, keep_short_rows=True)
    for chunk in chunks((f" {word} " for word in tokenize.words()), CHUNK):
        grams.count(code_points(chunk))
    texts_words, words_grams = words.counts(()), grams.counts(None)
    indptr, indices, data = _product(texts_words, words_grams)
    return replace(words_grams, indptr=indptr, indices=indices, data=data)


def _product(left: Counts, right: Counts) -> tuple[NDArray[np.int64], Indices, Indices]:
    """Multiply two matrices; the output is sized by an upper bound, and trimmed."""
    sizes = np.diff(right.indptr)
    most = int(sizes[left.indices].sum())
    indices, data = np.empty(most, np.int32), np.empty(most, np.int32)
    indptr = np.zeros_like(left.indptr)
    _multiply(
        left.indptr, left.indices, left.data, right.indptr, right.indices, right.data,
        np.full(right.columns, -1), indptr, indices, data,
    )  # fmt: skip
    return indptr, indices[: indptr[-1]], data[: indptr[-1]]


_BLOCKS = {
    "word": _count_words,
    "char": _count_characters,
    "char_wb": _count_characters_in_words,
}


class _Trie:
    """Counts the n-grams of rows of tokens, some rows at a time.

    With ``keep_short_rows`` a row shorter than ``lo`` is an n-gram, too.
    """

    def __init__(self, lo: int, hi: int, *, keep_short_rows: bool = False) -> None:
        self._range = lo, hi, keep_short_rows
        self._slots = np.full((1 << 10, 2), _EMPTY, np.uint64)
        self._lengths = np.zeros(1 << 8, np.int16)
        self._indices = np.zeros(1 << 10, np.int32)
        self._data = np.zeros(1 << 10, np.int32)
        self._nodes = self._filled = 0
        self._ends = [np.zeros(1, np.int64)]

    def count(self, tokens: Tokens) -> None:
        """Count the n-grams of more rows; raise NoExactShortcut if there are too many."""
        rows, row, token = len(tokens.ends), 0, 0
        ends, row_ends = np.concatenate(([0], tokens.ends)), np.full(rows + 1, self._filled)
        buffers = (
            np.empty(_BATCH, np.uint64),
            np.empty(_BATCH, np.uint64),
            np.empty(_BATCH, np.uint64),
        )
        while row < rows:
            row, token, self._nodes, self._filled, most = _count_rows(
                tokens.ids, ends, *self._range,
                self._slots, self._lengths, self._indices, self._data, row_ends, *buffers,
                row, token, self._nodes, self._filled,
            )  # fmt: skip
            self._grow(most)
        if self._nodes > _MOST:
            raise NoExactShortcut("more than 2**31 n-grams")
        self._ends.append(row_ends[1:])

    def _grow(self, most: int) -> None:
        """Make room for so many more n-grams."""
        self._lengths = grown(self._lengths, self._nodes + most)
        self._indices = grown(self._indices, self._filled + most)
        self._data = grown(self._data, self._filled + most)
        while 2 * (self._nodes + most) > len(self._slots):
            used, size = self._slots[self._slots[:, 0] != _EMPTY], 2 * len(self._slots)
            self._slots = np.full((size, 2), _EMPTY, np.uint64)
            homes = _hashed.py_func(used[:, 0])  # type: ignore[attr-defined]  # not compiled
            self._slots[free_slots(homes, size)] = used

    def counts(self, words: tuple[str, ...] | None) -> Counts:
        """Return the counts of all rows so far."""
        lo, _, keep_short_rows = self._range
        ends = np.concatenate(self._ends)
        vocabulary = self._vocabulary(words)
        lengths = self._lengths[: self._nodes]
        whole_words = np.zeros(self._nodes, np.bool_)
        if keep_short_rows:
            whole_words = _are_whole_words(vocabulary, lengths)
        kept = whole_words | (lengths >= lo)
        indices, data = self._indices[: ends[-1]], self._data[: ends[-1]]
        if not kept.all():
            indices = (np.cumsum(kept, dtype=np.int32) - 1)[indices]
        vocabulary = replace(vocabulary, columns=np.flatnonzero(kept).astype(np.int32))
        return Counts(ends, indices, data, lengths[kept], whole_words[kept], vocabulary)

    def _vocabulary(self, words: tuple[str, ...] | None) -> NgramVocabulary:
        used = self._slots[self._slots[:, 0] != _EMPTY]
        keys = np.empty(self._nodes, np.uint64)
        keys[used[:, 1] >> _HALF] = used[:, 0]
        prefixes = (keys >> _HALF).astype(np.uint32).view(np.int32)
        lasts = (keys & _LOW).astype(np.int32)
        return NgramVocabulary(prefixes, lasts, np.zeros(0, np.int32), words)


def _are_whole_words(vocabulary: NgramVocabulary, lengths: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Whether each n-gram has a space at both ends, so that it is a whole word."""
    ends: NDArray[np.bool_] = vocabulary.lasts == _SPACE
    begins = ends.copy()  # right for single characters; longer ones begin as their prefix does
    for length in range(2, int(lengths.max(initial=0)) + 1):
        longer = lengths == length
        begins[longer] = begins[vocabulary.prefixes[longer]]
    return begins & ends & (lengths > 1)


@inlined
def _hashed(key: Any) -> Any:
    """A hash of a key, or of each of an array."""
    code = (key ^ (key >> _SHIFT)) * _MIX
    return code ^ (code >> _HALF)


@inlined
def _extend(  # noqa: PLR0913, PLR0917 - the parts of the trie
    ids: NDArray[np.int32],
    first: int,
    count: int,
    slots: NDArray[np.uint64],
    grams: NDArray[np.uint64],
    places: NDArray[np.uint64],
    peeks: NDArray[np.uint64],
    nodes: int,
) -> int:
    """Extend n-grams by one token each; new n-grams get the next numbers.

    Args:
        ids: the tokens.
        first: the number of the token for the first n-gram; the others follow.
        count: the number of the n-grams.
        slots: the hash table.
        grams: the numbers of the n-grams, replaced by those of the longer ones.
        places: an output, the slots of the longer n-grams.
        peeks: a buffer.
        nodes: the number of n-grams in the table.

    Returns:
        The number of n-grams in the table afterwards.
    """
    last = np.uint64(len(slots) - 1)
    for i in range(count):
        grams[i] = grams[i] << _HALF | np.uint64(ids[first + i])
        places[i] = _hashed(grams[i]) & last
        peeks[i] = slots[places[i], 0]
    for i in range(count):
        key, at = grams[i], places[i]
        if peeks[i] != key:
            while slots[at, 0] != key and slots[at, 0] != _EMPTY:
                at = (at + _ONE) & last
            if slots[at, 0] == _EMPTY:
                slots[at, 0], slots[at, 1] = key, np.uint64(nodes) << _HALF
                nodes += 1
            places[i] = at
        grams[i] = slots[at, 1] >> _HALF
    return nodes


@inlined
def _tally(  # noqa: PLR0913, PLR0917 - the parts of the trie and of the matrix
    places: NDArray[np.uint64],
    count: int,
    slots: NDArray[np.uint64],
    indices: NDArray[np.int32],
    data: NDArray[np.int32],
    first: int,
    filled: int,
) -> int:
    """Add n-grams to the entries of a row; return where the entries end then.

    The place in a slot is from an earlier row unless that entry is this n-gram's (a sparse set).
    """
    for i in range(count):
        slot = places[i]
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
    keep_short_rows: bool,
    slots: NDArray[np.uint64],
    lengths: NDArray[np.int16],
    indices: NDArray[np.int32],
    data: NDArray[np.int32],
    row_ends: NDArray[np.int64],
    places: NDArray[np.uint64],
    grams: NDArray[np.uint64],
    peeks: NDArray[np.uint64],
    row: int,
    token: int,
    nodes: int,
    filled: int,
) -> tuple[int, int, int, int, int]:
    """Count the n-grams of each row, a batch of each length at a time.

    A slot holds the key of an n-gram and, in a second word, its number above its place among the
    entries of the row. The tokens of a row lie between its place in ``ends`` and the next, as its
    entries do in ``row_ends``. ``places``, ``grams`` and ``peeks`` are buffers for a batch.

    Returns:
        The row and the token where it ends, the numbers of n-grams and of entries, and how many
        of both have to be given room before it can go on; 0 if all rows are counted.
    """
    while row < len(ends) - 1:
        first, end = row_ends[row], ends[row + 1]
        while token < end:
            count = min(end - token, _BATCH)
            longest = min(hi, end - token)
            most = count * longest
            is_full = 2 * (nodes + most) > len(slots) or nodes + most > len(lengths)
            if is_full or filled + most > len(indices):
                return row, token, nodes, filled, most
            shortest = min(lo, end - ends[row]) if keep_short_rows else lo
            for i in range(count):
                grams[i] = _ROOT
            for length in range(1, longest + 1):
                begin, known = token + length - 1, nodes
                count = min(count, end - begin)
                nodes = _extend(ids, begin, count, slots, grams, places, peeks, nodes)
                for node in range(known, nodes):
                    lengths[node] = length
                if length >= shortest:
                    filled = _tally(places, count, slots, indices, data, first, filled)
            token = min(token + _BATCH, end)
        row += 1
        row_ends[row] = filled
    return row, token, nodes, filled, 0


@compiled
def _multiply(  # noqa: PLR0913, PLR0917 - the parts of three matrices
    left_ends: NDArray[np.int64],
    left_indices: NDArray[np.int32],
    left_data: NDArray[np.int32],
    right_ends: NDArray[np.int64],
    right_indices: NDArray[np.int32],
    right_data: NDArray[np.int32],
    places: NDArray[np.int64],
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    data: NDArray[np.int32],
) -> None:
    """Multiply row by row; ``places`` holds where each column was last written to."""
    filled = 0
    for row in range(len(left_ends) - 1):
        first = filled
        for left in entries_of(left_ends, row):
            times = left_data[left]
            for right in entries_of(right_ends, np.uint32(left_indices[left])):
                column, product = np.uint32(right_indices[right]), times * right_data[right]
                place = places[column]
                if place >= first:
                    data[place] += product
                else:
                    places[column] = filled
                    indices[filled], data[filled] = column, product
                    filled += 1
        indptr[row + 1] = filled

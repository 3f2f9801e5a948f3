"""Compiled loops that add up what the n-grams of texts contribute to their decision values.

Every n-gram is a slice of the tokens' bytes, which are side by side. N-grams that begin at the same
token share the work on their hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.jit import compiled, inlined
from textclf.scorer.hash_index import index_by_hash
from textclf.scorer.scorer import MOST_IN_SLOT, TOO_MANY_IN_SLOT, Table, damaged

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]
Values = NDArray[np.float64]

_ONES = np.uint32(0xFFFFFFFF)


class TokenBytes(NamedTuple):
    """The tokens of some texts in UTF-8, side by side.

    Attributes:
        buffer: their bytes.
        places: where each begins, and where the last one ends, (tokens + 1).
        segments: the number of tokens up to the end of each segment, which no n-gram crosses.
        texts: the number of segments up to the end of each text.
        separator: the bytes behind a token that an n-gram does not end with: 1 for a space, or 0.
    """

    buffer: Bytes
    places: Places
    segments: Places
    texts: Places
    separator: int


class Lookup(NamedTuple):
    """The arrays of a table, where they are in the scorer's file.

    Attributes:
        starts: for each slot of the hash table its first n-gram, (slots + 1).
        ends: where the bytes of each n-gram begin, and those of the last end, (n-grams + 1).
        text: the bytes of the n-grams.
        rows: idf and weights, (n-grams, 1 + outputs).
    """

    starts: NDArray[np.uint32]
    ends: NDArray[np.uint32]
    text: Bytes
    rows: Values

    @classmethod
    def from_table(cls, table: Table, name: str) -> Lookup:
        """View the arrays of a table.

        Raises:
            IntegrityError: an offset leads out of an array, where compiled code would follow it, or
                a lookup would take long.
        """
        rows, starts, ends, text = (
            np.frombuffer(
                table.buffer,
                kind,
                (array.end - array.begin) // np.dtype(kind).itemsize,
                array.begin,
            )
            for array, kind in zip(table.arrays, ("<f8", "<u4", "<u4", "<u1"), strict=True)
        )
        for offsets, last in ((starts, len(ends) - 1), (ends, len(text))):
            if offsets[0] != 0 or offsets[-1] != last or (offsets[1:] < offsets[:-1]).any():
                raise damaged(name, "its index leads out of it")
        if np.diff(starts).max() > MOST_IN_SLOT:
            raise damaged(name, TOO_MANY_IN_SLOT)
        return cls(starts, ends, text, rows.reshape(len(ends) - 1, -1))


class WordSet(NamedTuple):
    """Some words by their hash, as a scorer's file has its n-grams; see `Lookup`."""

    starts: NDArray[np.uint32]
    ends: NDArray[np.uint32]
    text: Bytes

    @classmethod
    def from_words(cls, words: Sequence[str]) -> WordSet:
        """Index words."""
        encoded = [word.encode("utf-8", "surrogatepass") for word in words]
        _, starts, ends, text = index_by_hash(encoded)
        return cls(starts.astype(np.uint32), ends.astype(np.uint32), np.frombuffer(text, np.uint8))


_CRC = np.zeros(256, np.uint32)
for _byte in range(256):
    _code = _byte
    for _ in range(8):
        _code = (_code >> 1) ^ (0xEDB88320 if _code & 1 else 0)
    _CRC[_byte] = _code


def room_for_ngrams(tokens: TokenBytes, lo: int, hi: int) -> Places:
    """Make the buffer that the n-grams of the text that has the most fit in, (n-grams, 3).

    Args:
        tokens: the tokens of the texts.
        lo: the smallest number of tokens of an n-gram.
        hi: the largest; a segment shorter than ``lo`` may be one n-gram.
    """
    lengths = np.diff(tokens.segments, prepend=0)
    longest = np.minimum(lengths, hi)
    sizes = (longest - lo + 1) * (2 * lengths + 2 - longest - lo) // 2
    totals = np.concatenate(([0], np.cumsum(np.where(lengths < lo, 1, sizes))))
    return np.empty((np.diff(totals[tokens.texts], prepend=0).max(initial=1), 3), np.int64)


@compiled
def add_contributions(  # noqa: PLR0913, PLR0917 - compiled code makes no objects
    tokens: TokenBytes,
    lookup: Lookup,
    lo: int,
    hi: int,
    keep_short: bool,
    binary: bool,
    sublinear: bool,
    norm: int,
    ngrams: Places,
    slots: Places,
    slot_of: Places,
    sums: Values,
    values: Values,
) -> None:
    """Add the contributions of the n-grams of each text to its decision values.

    Behind the tokens and the table come the settings of the block (``norm`` is 0, or 1 and 2 for
    ``l1`` and ``l2``), buffers, and the values to add to, (texts, outputs). ``slots`` are zeros, a
    power of 2 of them and at least twice as many as ``slot_of`` and n-grams.
    """
    for number in range(len(tokens.texts)):
        count = _hash_ngrams(tokens, number, lo, hi, keep_short, ngrams)
        _look_up(tokens.buffer, ngrams, count, lookup)
        count = _count_known(ngrams, count, slots, slot_of)
        _add_rows(ngrams, count, lookup.rows, binary, sublinear, norm, sums, values[number])


@compiled
def count_known(  # noqa: PLR0913, PLR0917 - as above
    tokens: TokenBytes,
    lookup: Lookup,
    lo: int,
    hi: int,
    keep_short: bool,
    ngrams: Places,
    counts: Places,
) -> None:
    """Add to the counts, (texts, 2), how many n-grams of each text are known, and of how many."""
    for number in range(len(tokens.texts)):
        count = _hash_ngrams(tokens, number, lo, hi, keep_short, ngrams)
        _look_up(tokens.buffer, ngrams, count, lookup)
        for ngram in range(count):
            counts[number, 0] += ngrams[ngram, 0] >= 0
        counts[number, 1] += count


@inlined
def _hash_ngrams(  # noqa: PLR0913, PLR0917 - as above
    tokens: TokenBytes, number: int, lo: int, hi: int, keep_short: bool, ngrams: Places
) -> int:
    """Write where each n-gram of a text begins and ends, and its hash; return how many there are.

    With ``keep_short`` a segment shorter than ``lo`` is an n-gram, too.
    """
    buffer, places, segments, texts, separator = tokens
    begin, end = texts[number - 1] if number else 0, texts[number]
    count = 0
    first = segments[begin - 1] if begin > 0 else 0
    for segment in range(begin, end):
        last = segments[segment]
        least = min(lo, last - first) if keep_short else lo
        for start in range(first, last):
            code, at = _ONES, places[start]
            for length in range(1, min(hi, last - start) + 1):
                stop = places[start + length] - separator
                while at < stop:
                    code = _CRC[(code ^ buffer[at]) & np.uint32(0xFF)] ^ (code >> np.uint32(8))
                    at += 1
                if length >= least:
                    ngrams[count, 0], ngrams[count, 1] = places[start], stop
                    ngrams[count, 2] = code ^ _ONES
                    count += 1
        first = last
    return count


@inlined
def _look_up(buffer: Bytes, ngrams: Places, count: int, lookup: Lookup) -> None:
    """Write the number of each n-gram to its first column, or -1.

    This takes two rounds, so that the memory of one n-gram is fetched while another is handled.
    """
    starts = lookup.starts
    for ngram in range(count):
        slot = ngrams[ngram, 2] & (len(starts) - 2)
        ngrams[ngram, 2] = np.int64(starts[slot]) << 32 | np.int64(starts[slot + 1])
    for ngram in range(count):
        low, high = ngrams[ngram, 2] >> 32, ngrams[ngram, 2] & 0xFFFFFFFF
        ngrams[ngram, 0] = _find(buffer, ngrams[ngram, 0], ngrams[ngram, 1], low, high, lookup)


@inlined
def _count_known(ngrams: Places, count: int, slots: Places, slot_of: Places) -> int:
    """Write number and count of each known n-gram to the first rows; return how many there are.

    A slot is in use if the place that it names is filled and names it in turn, so that no slot has
    to be cleared (a sparse set: Briggs and Torczon, 1993).
    """
    distinct = 0
    for ngram in range(count):
        entry = ngrams[ngram, 0]
        if entry < 0:
            continue
        slot = (entry * 0x9E3779B1 >> 7) & (len(slots) - 1)
        while True:
            place = slots[slot]
            if place >= distinct or slot_of[place] != slot:
                slots[slot], slot_of[distinct] = distinct, slot
                ngrams[distinct, 0], ngrams[distinct, 1] = entry, 1
                distinct += 1
                break
            if ngrams[place, 0] == entry:
                ngrams[place, 1] += 1
                break
            slot = (slot + 1) & (len(slots) - 1)
    return distinct


@inlined
def _add_rows(  # noqa: PLR0913, PLR0917 - as above
    counts: Places,
    count: int,
    rows: Values,
    binary: bool,
    sublinear: bool,
    norm: int,
    sums: Values,
    values: Values,
) -> None:
    """Add up the rows of n-grams times their counts, divided by their norm."""
    total = 0.0
    for output in range(len(sums)):
        sums[output] = 0.0
    for place in range(count):
        row = rows[counts[place, 0]]
        times = 1.0 if binary else float(counts[place, 1])
        value = (1.0 + np.log(times) if sublinear else times) * row[0]
        total += value * value if norm == 2 else abs(value)  # noqa: PLR2004 - the l2 norm
        for output in range(len(values)):
            sums[output] += value * row[1 + output]
    divisor = np.sqrt(total) if norm == 2 else total  # noqa: PLR2004
    if norm == 0 or divisor == 0:
        divisor = 1.0
    for output in range(len(values)):
        values[output] += sums[output] / divisor


@inlined
def _find(  # noqa: PLR0913, PLR0917 - as above
    buffer: Bytes, begin: int, end: int, low: int, high: int, words: Lookup | WordSet
) -> int:
    """Return the number of an n-gram, which is among those from low to high, or -1."""
    ends, text = words.ends, words.text
    for number in range(low, high):
        first = np.int64(ends[number])
        size = np.int64(ends[number + 1]) - first
        if size == end - begin:
            at = 0
            while at < size and text[first + at] == buffer[begin + at]:
                at += 1
            if at == size:
                return number
    return -1


@compiled
def drop_words(  # noqa: PLR0913, PLR0917 - as above
    buffer: Bytes,
    places: Places,
    segments: Places,
    words: WordSet,
    out: Bytes,
    out_places: Places,
    out_segments: Places,
) -> tuple[int, int]:
    """Copy tokens that are not in a set; the parameters are those of both, and the copies.

    Returns:
        The number of tokens that are left, and of their bytes.
    """
    filled, count, token = 0, 0, 0
    for segment in range(len(segments)):
        while token < segments[segment]:
            begin, end = places[token], places[token + 1]
            code = _ONES
            for at in range(begin, end - 1):
                code = _CRC[(code ^ buffer[at]) & np.uint32(0xFF)] ^ (code >> np.uint32(8))
            slot = np.int64(code ^ _ONES) & (len(words.starts) - 2)
            low, high = words.starts[slot], words.starts[slot + 1]
            if _find(buffer, begin, end - 1, low, high, words) < 0:
                out_places[count] = filled
                count += 1
                for at in range(begin, end):
                    out[filled] = buffer[at]
                    filled += 1
            token += 1
        out_segments[segment] = count
    out_places[count] = filled
    return count, filled

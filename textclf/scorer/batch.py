"""Many texts at once through a compiled scorer: compiled loops on all cores, the same answers.

The tokens of a text are laid side by side in one buffer, words with a space behind each, so that
every n-gram is a slice of it. N-grams that begin at the same token share the work on their hash.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate, chain
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from textclf.jit import compiled
from textclf.scorer.ngrams import Block, Runs, kept, preprocessor, without_long_spaces
from textclf.scorer.scorer import Scorer, Table, damaged

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]
Values = NDArray[np.float64]

CHUNK = 1 << 18
"""Characters that a thread handles at a time; one text may have more."""

_OTHER, _RUN, _SINGLE = 0, 1, 2
"""Kinds of characters: of no token, of a longest run, and those that are tokens on their own."""

_USUAL = 0x800
"""Characters that ``re`` is asked about first; of all only where a text has others."""

_NORMS = {None: 0, "l1": 1, "l2": 2}
_ONES = np.uint32(0xFFFFFFFF)


class Tokens(NamedTuple):
    """The tokens of some texts, side by side.

    Attributes:
        buffer: their bytes.
        places: where each begins, and where the last one ends.
        segments: no n-gram reaches from one segment to the next; the token where each ends.
        texts: the segment where each text ends.
        glue: 1 if there is a space behind each token that an n-gram does not end with.
    """

    buffer: Bytes
    places: Places
    segments: Places
    texts: Places
    glue: int


class Lookup(NamedTuple):
    """A table's arrays."""

    starts: NDArray[np.uint32]
    ends: NDArray[np.uint32]
    text: Bytes
    rows: Values


class BatchScorer:
    """A scorer for many texts; its methods may be called from any thread."""

    def __init__(self, scorer: Scorer) -> None:
        """Make one. Raises IntegrityError where the scorer's index leads astray."""
        self._scorer = scorer
        self._parts = [
            (block, _tokenizer(block), preprocessor(block), _lookup(table, scorer.name))
            for block, table in zip(scorer.settings.blocks, scorer.tables, strict=True)
        ]
        self._intercept = np.asarray(scorer.settings.intercept)

    def decide(self, texts: Sequence[str]) -> Values:
        """The decision values of texts, (texts, outputs). Raises IntegrityError."""
        return np.concatenate(
            [np.empty((0, len(self._intercept))), *self._in_threads(_chunks(texts))]
        )

    def _in_threads(self, chunks: Sequence[Sequence[str]]) -> Iterator[Values]:
        if len(chunks) < 2:  # noqa: PLR2004 - one needs no second thread
            yield from map(self._decide, chunks)
            return
        with ThreadPoolExecutor(cores()) as pool:
            yield from pool.map(self._decide, chunks)

    def _decide(self, texts: Sequence[str]) -> Values:
        values = np.tile(self._intercept, (len(texts), 1))
        prepared: dict[Any, list[str]] = {}
        for block, tokenize, prepare, lookup in self._parts:
            key = block.lowercase, block.strip_accents
            if key not in prepared:
                prepared[key] = list(map(prepare, texts))
            lo, hi = block.ngram_range
            _add(
                *tokenize(prepared[key]), *lookup, lo, hi, block.kind == "char_wb",
                block.binary, block.sublinear_tf, _NORMS[block.norm], values,
            )  # fmt: skip
        if not np.isfinite(values).all():
            raise damaged(self._scorer.name, "what comes out is not a number")
        return values

    def scores(self, decisions: Values) -> Values:
        """A score for each label, (texts, labels), from decision values."""
        settings = self._scorer.settings
        found = _LINKS[settings.link](decisions, settings.scale)
        if not np.isfinite(found).all():
            raise damaged(self._scorer.name, "what comes out is not a number")
        return found


def cores() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def label_indices(decisions: Values) -> Places:
    """The number of each text's label."""
    if decisions.shape[1] == 1:
        return (decisions[:, 0] > 0).astype(np.int64)
    numbers: Places = decisions.argmax(axis=1)
    return numbers


def _both(decisions: Values) -> Values:
    return decisions if decisions.shape[1] > 1 else np.column_stack([-decisions, decisions])


def _softmax(decisions: Values, scale: float) -> Values:
    values = scale * _both(decisions)
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    shares: Values = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _shares(parts: Values) -> Values:
    if parts.shape[1] == 1:
        return np.column_stack([1 - parts, parts])
    totals = parts.sum(axis=1, keepdims=True)
    return np.where(totals == 0, 1 / parts.shape[1], parts / np.where(totals == 0, 1, totals))


def _sigmoid(values: Values) -> Values:
    shares: Values = 1 / (1 + np.exp(-np.maximum(values, -700)))
    return shares


_LINKS: dict[str, Callable[[Values, float], Values]] = {
    "softmax": _softmax,
    "logistic": lambda decisions, _: _shares(_sigmoid(decisions)),
    "clip": lambda decisions, _: _shares((np.clip(decisions, -1, 1) + 1) / 2),
    "none": lambda decisions, _: _both(decisions),
}


def _chunks(texts: Sequence[str]) -> list[Sequence[str]]:
    found, begin, size = [], 0, 0
    for number, text in enumerate(texts):
        size += len(text) + 1
        if size >= CHUNK:
            found.append(texts[begin : number + 1])
            begin, size = number + 1, 0
    return [*found, texts[begin:]] if size else found


def _lookup(table: Table, name: str) -> Lookup:
    """The arrays of a table, where they lie. Raises IntegrityError if one leads out of another."""
    rows, starts, ends, text = (
        np.frombuffer(
            table.buffer, kind, (each.end - each.begin) // np.dtype(kind).itemsize, each.begin
        )
        for each, kind in zip(table.arrays, ("<f8", "<u4", "<u4", "<u1"), strict=True)
    )
    for offsets, last in ((starts, len(ends) - 1), (ends, len(text))):
        if offsets[0] != 0 or offsets[-1] != last or (offsets[1:] < offsets[:-1]).any():
            raise damaged(name, "its index leads out of it")
    return Lookup(starts, ends, text, rows.reshape(len(ends) - 1, -1))


def _tokenizer(block: Block) -> Callable[[Sequence[str]], Tokens]:
    if block.kind == "char":
        return _characters
    if block.kind == "char_wb":
        return _CharactersInWords()
    if block.runs is None:
        return _RegexWords(block)
    return _Words(block.runs, block.stop_words)


def _encoded(texts: Sequence[str]) -> tuple[Bytes, Places]:
    """The bytes of texts side by side, and where each ends."""
    parts = [text.encode("utf-8", "surrogatepass") for text in texts]
    ends = np.fromiter(accumulate(map(len, parts)), np.int64, len(parts))
    return np.frombuffer(b"".join(parts), np.uint8), ends


def _characters(texts: Sequence[str]) -> Tokens:
    data, ends = _encoded([without_long_spaces(text) for text in texts])
    places, segments = _split_characters(data, ends)
    return Tokens(data, places, segments, np.arange(1, len(texts) + 1), 0)


class _Kinds:
    """What ``re`` thinks of each character."""

    def __init__(self, run: str, single: str = "") -> None:
        self._classes = ((_RUN, run), (_SINGLE, single))
        self.table = self._of(_USUAL)

    def all(self) -> Bytes:
        """Of every character there is."""
        if len(self.table) == _USUAL:
            self.table = self._of(0x110000)
        return self.table

    def _of(self, count: int) -> Bytes:
        text = np.arange(count, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
        kinds = np.full(count, _OTHER, np.uint8)
        for kind, characters in self._classes:
            for found in re.finditer(f"{characters}+" if characters else "(?!)", text):
                kinds[found.start() : found.end()] = kind
        return kinds


class _CharactersInWords:
    def __init__(self) -> None:
        self._kinds = _Kinds(r"\S")

    def __call__(self, texts: Sequence[str]) -> Tokens:
        data, ends = _encoded(texts)
        found = _pad_words(data, ends, self._kinds.table)
        if found is None:
            found = _pad_words(data, ends, self._kinds.all())
        buffer, places, segments, ends = found
        return Tokens(buffer, places, segments, ends, 0)


class _Words:
    def __init__(self, runs: Runs, stop_words: Sequence[str]) -> None:
        characters, single = (r"\w", r"[^\w\s]") if runs.of == "word" else (r"\S", "")
        self._kinds = _Kinds(characters, single if runs.singles else "")
        self._least = runs.least
        self._stop_words = _set_of(stop_words) if stop_words else None

    def __call__(self, texts: Sequence[str]) -> Tokens:
        data, ends = _encoded(texts)
        found = _space_words(data, ends, self._kinds.table, self._least)
        if found is None:
            found = _space_words(data, ends, self._kinds.all(), self._least)
        buffer, places, segments = found
        if self._stop_words is not None:
            buffer, places, segments = _without(buffer, places, segments, *self._stop_words)
        return Tokens(buffer, places, segments, np.arange(1, len(texts) + 1), 1)


class _RegexWords:
    def __init__(self, block: Block) -> None:
        self._findall = re.compile(block.token_pattern).findall
        self._stop_words = frozenset(block.stop_words)

    def __call__(self, texts: Sequence[str]) -> Tokens:
        found = [kept(self._findall(text), self._stop_words) for text in texts]
        parts = [f"{token} ".encode("utf-8", "surrogatepass") for token in chain(*found)]
        places = np.fromiter(accumulate(map(len, parts), initial=0), np.int64, len(parts) + 1)
        segments = np.fromiter(accumulate(map(len, found)), np.int64, len(found))
        buffer = np.frombuffer(b"".join(parts), np.uint8)
        return Tokens(buffer, places, segments, np.arange(1, len(texts) + 1), 1)


def _set_of(words: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.uint32], Bytes]:
    """The index of some words, as a scorer has it."""
    encoded = [word.encode("utf-8", "surrogatepass") for word in words]
    slots = 1 << max(len(encoded) - 1, 0).bit_length()
    encoded.sort(key=lambda word: crc32(word) & (slots - 1))
    homes = [crc32(word) & (slots - 1) for word in encoded]
    starts = np.concatenate(([0], np.cumsum(np.bincount(homes, minlength=slots))))
    ends = np.concatenate(([0], np.cumsum([len(word) for word in encoded])))
    text = np.frombuffer(b"".join(encoded), np.uint8)
    return starts.astype(np.uint32), ends.astype(np.uint32), text


_CRC = np.zeros(256, np.uint32)
for _byte in range(256):
    _code = _byte
    for _ in range(8):
        _code = (_code >> 1) ^ (0xEDB88320 if _code & 1 else 0)
    _CRC[_byte] = _code


@compiled
def _width(byte: np.uint8) -> int:
    """How many bytes a character has, by its first."""
    return 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4  # noqa: PLR2004


@compiled
def _code_point(data: Bytes, at: int, width: int) -> int:
    """The character at some place."""
    code = int(data[at])
    if width > 1:
        code &= 0x7F >> width
        for more in range(1, width):
            code = code << 6 | (int(data[at + more]) & 0x3F)
    return code


@compiled
def _split_characters(data: Bytes, ends: Places) -> tuple[Places, Places]:
    """Where each character begins, and how many there are up to the end of each text."""
    places = np.empty(len(data) + 1, np.int64)
    segments = np.empty(len(ends), np.int64)
    count, at = 0, 0
    for text in range(len(ends)):
        while at < ends[text]:
            places[count] = at
            count += 1
            at += _width(data[at])
        segments[text] = count
    places[count] = at
    return places[: count + 1], segments


@compiled
def _pad_words(data: Bytes, ends: Places, kinds: Bytes) -> Any:
    """Each word with spaces around it: characters as tokens, words as segments."""
    buffer = np.empty(3 * len(data) + 3, np.uint8)
    places = np.empty(3 * len(data) + 3, np.int64)
    segments = np.empty(len(data) + 1, np.int64)
    texts = np.empty(len(ends), np.int64)
    filled, count, words, at = 0, 0, 0, 0
    for text in range(len(ends)):
        inside = False
        while at < ends[text]:
            width = _width(data[at])
            code = _code_point(data, at, width)
            if code >= len(kinds):
                return None
            if kinds[code] == _RUN:
                if not inside:
                    places[count], buffer[filled] = filled, 32
                    count, filled, inside = count + 1, filled + 1, True
                places[count] = filled
                count += 1
                for more in range(width):
                    buffer[filled] = data[at + more]
                    filled += 1
            elif inside:
                places[count], buffer[filled] = filled, 32
                count, filled, inside = count + 1, filled + 1, False
                segments[words] = count
                words += 1
            at += width
        if inside:
            places[count], buffer[filled] = filled, 32
            count, filled = count + 1, filled + 1
            segments[words] = count
            words += 1
        texts[text] = words
    places[count] = filled
    return buffer[:filled], places[: count + 1], segments[:words], texts


@compiled
def _space_words(data: Bytes, ends: Places, kinds: Bytes, least: int) -> Any:
    """Each token with a space behind it; a text is a segment."""
    buffer = np.empty(2 * len(data) + 1, np.uint8)
    places = np.empty(len(data) + 1, np.int64)
    segments = np.empty(len(ends), np.int64)
    filled, count, at = 0, 0, 0
    for text in range(len(ends)):
        length, begin, after = 0, at, at
        while after < ends[text] or length:
            kind, width = _OTHER, 1
            if after < ends[text]:
                width = _width(data[after])
                code = _code_point(data, after, width)
                if code >= len(kinds):
                    return None
                kind = kinds[code]
            if kind == _RUN:
                begin = begin if length else after
                length += 1
                after += width
                continue
            stop = after
            if length == 0 and kind == _SINGLE:
                begin, stop = after, after + width
            if length >= least or stop > after:
                places[count] = filled
                count += 1
                for place in range(begin, stop):
                    buffer[filled] = data[place]
                    filled += 1
                buffer[filled] = 32
                filled += 1
            if length == 0:
                after += width
            length = 0
        at = ends[text]
        segments[text] = count
    places[count] = filled
    return buffer[:filled], places[: count + 1], segments


@compiled
def _known(  # noqa: PLR0913, PLR0917 - flat arrays are what compiles
    buffer: Bytes,
    begin: int,
    end: int,
    low: int,
    high: int,
    ends: NDArray[np.uint32],
    text: Bytes,
) -> int:
    """The number of an n-gram, one of those from low to high, or -1."""
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
def _without(  # noqa: PLR0913, PLR0917 - as above
    buffer: Bytes,
    places: Places,
    segments: Places,
    starts: NDArray[np.uint32],
    ends: NDArray[np.uint32],
    text: Bytes,
) -> tuple[Bytes, Places, Places]:
    """Without the tokens of a set."""
    out, out_places = np.empty_like(buffer), np.empty_like(places)
    out_segments = np.empty_like(segments)
    filled, count, token = 0, 0, 0
    for segment in range(len(segments)):
        while token < segments[segment]:
            begin, end = places[token], places[token + 1]
            code = _ONES
            for at in range(begin, end - 1):
                code = _CRC[(code ^ buffer[at]) & np.uint32(0xFF)] ^ (code >> np.uint32(8))
            slot = np.int64(code ^ _ONES) & (len(starts) - 2)
            if _known(buffer, begin, end - 1, starts[slot], starts[slot + 1], ends, text) < 0:
                out_places[count] = filled
                count += 1
                for at in range(begin, end):
                    out[filled] = buffer[at]
                    filled += 1
            token += 1
        out_segments[segment] = count
    out_places[count] = filled
    return out[:filled], out_places[: count + 1], out_segments


@compiled
def _add(  # noqa: PLR0913, PLR0917 - as above
    buffer: Bytes,
    places: Places,
    segments: Places,
    texts: Places,
    glue: int,
    starts: NDArray[np.uint32],
    ends: NDArray[np.uint32],
    text: Bytes,
    rows: Values,
    lo: int,
    hi: int,
    whole: bool,
    binary: bool,
    sublinear: bool,
    norm: int,
    values: Values,
) -> None:
    """Add what the n-grams of each text weigh to its decision values."""
    grams = np.empty((1 << 10, 3), np.int64)
    slots, homes = np.zeros(1 << 11, np.int64), np.empty(1 << 10, np.int64)
    begin = 0
    for number in range(len(texts)):
        end = texts[number]
        count, grams = _spelled(buffer, places, segments, begin, end, glue, lo, hi, whole, grams)
        begin = end
        if len(homes) < len(grams):
            slots, homes = np.zeros(2 * len(grams), np.int64), np.empty(len(grams), np.int64)
        _look_up(buffer, grams[:count], starts, ends, text)
        count = _tally(grams[:count], slots, homes)
        _sum(grams[:count], rows, binary, sublinear, norm, values[number])


@compiled
def _spelled(  # noqa: PLR0913, PLR0917 - as above
    buffer: Bytes,
    places: Places,
    segments: Places,
    begin: int,
    end: int,
    glue: int,
    lo: int,
    hi: int,
    whole: bool,
    grams: Places,
) -> tuple[int, Places]:
    """The n-grams of some segments: where each begins and ends, and its hash.

    With ``whole`` a segment shorter than ``lo`` is an n-gram, too.
    """
    count = 0
    first = segments[begin - 1] if begin > 0 else 0
    for segment in range(begin, end):
        last = segments[segment]
        least = min(lo, last - first) if whole else lo
        for start in range(first, last):
            most = min(hi, last - start)
            while count + most > len(grams):
                grams = _longer(grams)
            code, at = _ONES, places[start]
            for length in range(1, most + 1):
                stop = places[start + length] - glue
                while at < stop:
                    code = _CRC[(code ^ buffer[at]) & np.uint32(0xFF)] ^ (code >> np.uint32(8))
                    at += 1
                if length >= least:
                    grams[count, 0], grams[count, 1] = places[start], stop
                    grams[count, 2] = code ^ _ONES
                    count += 1
        first = last
    return count, grams


@compiled
def _longer(grams: Places) -> Places:
    """A copy with twice the room."""
    new = np.empty((2 * len(grams), 3), np.int64)
    new[: len(grams)] = grams
    return new


@compiled
def _look_up(
    buffer: Bytes,
    grams: Places,
    starts: NDArray[np.uint32],
    ends: NDArray[np.uint32],
    text: Bytes,
) -> None:
    """Put the number of each n-gram in its first place, or -1.

    In two rounds, so that the memory of one is fetched while another is handled.
    """
    for gram in range(len(grams)):
        slot = grams[gram, 2] & (len(starts) - 2)
        grams[gram, 2] = np.int64(starts[slot]) << 32 | np.int64(starts[slot + 1])
    for gram in range(len(grams)):
        low, high = grams[gram, 2] >> 32, grams[gram, 2] & 0xFFFFFFFF
        grams[gram, 0] = _known(buffer, grams[gram, 0], grams[gram, 1], low, high, ends, text)


@compiled
def _tally(grams: Places, slots: Places, homes: Places) -> int:
    """Number and count of each known n-gram, in the first rows; return how many there are.

    A slot is taken if the place it names is filled and names it in turn, so none need be cleared.
    """
    distinct = 0
    for gram in range(len(grams)):
        entry = grams[gram, 0]
        if entry < 0:
            continue
        home = (entry * 0x9E3779B1 >> 7) & (len(slots) - 1)
        while True:
            place = slots[home]
            if place >= distinct or homes[place] != home:
                slots[home], homes[distinct] = distinct, home
                grams[distinct, 0], grams[distinct, 1] = entry, 1
                distinct += 1
                break
            if grams[place, 0] == entry:
                grams[place, 1] += 1
                break
            home = (home + 1) & (len(slots) - 1)
    return distinct


@compiled
def _sum(  # noqa: PLR0913, PLR0917 - as above
    counts: Places, rows: Values, binary: bool, sublinear: bool, norm: int, values: Values
) -> None:
    """Add up the rows of some n-grams, each as often as it counts, over their norm."""
    sums, total = np.zeros(len(values)), 0.0
    for place in range(len(counts)):
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

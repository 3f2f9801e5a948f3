"""The tokens of many texts as bytes side by side, ready to be made into n-grams."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized
from itertools import accumulate, chain

import numpy as np

from textclf.features.tokens import RunPattern, as_runs
from textclf.jit import compiled, inlined
from textclf.metadata.token_pattern import compile_token_pattern
from textclf.scorer.batch_ngrams import Bytes, Places, TokenBytes, WordSet, drop_words
from textclf.scorer.ngrams import Block, kept, single_spaced

_OTHER, _RUN, _SINGLE = 0, 1, 2
"""The kinds of `RunPattern.kinds`; compiled functions use constants of their own file."""

_USUAL = 0x800
"""The characters that are classified at first."""


def token_finder(block: Block) -> Callable[[Sequence[str]], TokenBytes]:
    """Return the function that finds the tokens of prepared texts; threads may share it."""
    if block.kind == "char":
        return _characters
    if block.kind == "char_wb":
        return _CharactersInWords()
    if runs := as_runs(block.token_pattern):
        return _RunsOfCharacters(runs, block.stop_words)
    findall = compile_token_pattern(block.token_pattern).findall
    ignored = frozenset(block.stop_words)
    return lambda texts: _regex_words([kept(findall(text), ignored) for text in texts])


def _characters(texts: Sequence[str]) -> TokenBytes:
    """Return the characters as tokens and the texts as segments."""
    texts = list(map(single_spaced, texts))
    buffer, _ = _encoded(texts)
    return TokenBytes(buffer, _characters_at(buffer), _ends(texts), _each(texts), 0)


class _CharactersInWords:
    """Finds the characters of words with a space on either side; the words are segments."""

    def __init__(self) -> None:
        self._kinds = _CharacterKinds(RunPattern(r"\S"))

    def __call__(self, texts: Sequence[str]) -> TokenBytes:
        buffer, _, ends = self._kinds.words(texts, least=1, padding=1)
        places = _characters_at(buffer)
        spaces = np.flatnonzero(buffer[places[:-1]] == ord(" "))
        return TokenBytes(buffer, places, spaces[1::2] + 1, ends, 0)


class _RunsOfCharacters:
    """Finds runs of characters, each with a space behind; the texts are segments."""

    def __init__(self, runs: RunPattern, stop_words: Sequence[str]) -> None:
        self._kinds = _CharacterKinds(runs)
        self._least = runs.least
        self._stop_words = WordSet.from_words(stop_words) if stop_words else None

    def __call__(self, texts: Sequence[str]) -> TokenBytes:
        words = self._kinds.words(texts, self._least, padding=0)
        if self._stop_words is not None:
            buffer, places, segments = map(np.empty_like, words)
            count, filled = drop_words(*words, self._stop_words, buffer, places, segments)
            words = buffer[:filled], places[: count + 1], segments
        return TokenBytes(*words, _each(texts), 1)


class _CharacterKinds:
    """A table of what ``re`` says of each character, of all only where a text has unusual ones."""

    def __init__(self, runs: RunPattern) -> None:
        self._runs = runs
        self._table = runs.kinds(range(_USUAL))

    def words(self, texts: Sequence[str], least: int, padding: int) -> tuple[Bytes, Places, Places]:
        """Return what ``_space_words`` writes, of the tokens of some texts."""
        data, ends = _encoded(texts)
        buffer = np.full((2 + padding) * len(data), ord(" "), np.uint8)
        places, segments = np.empty(len(data) + 1, np.int64), np.empty_like(ends)
        count, filled = _space_words(
            data, ends, self._table, least, padding, buffer, places, segments
        )
        if count < 0:
            self._table = self._runs.kinds(range(0x110000))
            return self.words(texts, least, padding)
        return buffer[:filled], places[: count + 1], segments


def _regex_words(tokens: Sequence[Sequence[str]]) -> TokenBytes:
    """Return the tokens of each text, each with a space behind; the texts are segments."""
    parts = [f"{token} ".encode("utf-8", "surrogatepass") for token in chain(*tokens)]
    places = np.fromiter(accumulate(map(len, parts), initial=0), np.int64, len(parts) + 1)
    buffer = np.frombuffer(b"".join(parts), np.uint8)
    return TokenBytes(buffer, places, _ends(tokens), _each(tokens), 1)


def _encoded(texts: Sequence[str]) -> tuple[Bytes, Places]:
    """Return the bytes of texts side by side, and where each ends."""
    parts = [text.encode("utf-8", "surrogatepass") for text in texts]
    return np.frombuffer(b"".join(parts), np.uint8), _ends(parts)


def _characters_at(buffer: Bytes) -> Places:
    """Return where each character begins, and where the last one ends."""
    return np.append(np.flatnonzero((buffer & 0xC0) != 0x80), len(buffer))  # noqa: PLR2004 - UTF-8


def _ends(sequences: Sequence[Sized]) -> Places:
    return np.fromiter(accumulate(map(len, sequences)), np.int64, len(sequences))


def _each(texts: Sequence[object]) -> Places:
    """Return the ends of texts that are a segment each."""
    return np.arange(1, len(texts) + 1)


@inlined
def _width(byte: np.uint8) -> int:
    """Return the number of bytes of a character, from its first byte."""
    return 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4  # noqa: PLR2004


@inlined
def _code_point(data: Bytes, at: int, width: int) -> int:
    """Return the code point of the character at a place."""
    code = int(data[at])
    if width > 1:
        code &= 0x7F >> width
        for offset in range(1, width):
            code = code << 6 | (int(data[at + offset]) & 0x3F)
    return code


@compiled
def _space_words(  # noqa: PLR0913, PLR0917 - flat arrays are what compiles
    data: Bytes,
    ends: Places,
    kinds: Bytes,
    least: int,
    padding: int,
    buffer: Bytes,
    places: Places,
    segments: Places,
) -> tuple[int, int]:
    """Copy each token with a space behind it, and ``padding`` spaces before it.

    The bytes are written to ``buffer``, which is full of spaces, where each token begins and the
    last one ends to ``places``, and the number of tokens up to the end of each text to
    ``segments``.

    Returns:
        The numbers of tokens and of their bytes; -1 if a character is not in the table of kinds.
    """
    filled, count, at = 0, 0, 0
    for text in range(len(ends)):
        length, begin, after = 0, at, at
        while after < ends[text] or length:
            kind, width = _OTHER, 1
            if after < ends[text]:
                width = _width(data[after])
                code = _code_point(data, after, width)
                if code >= len(kinds):
                    return -1, 0
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
                filled += padding
                for place in range(begin, stop):
                    buffer[filled] = data[place]
                    filled += 1
                filled += 1
            if length == 0:
                after += width
            length = 0
        at = ends[text]
        segments[text] = count
    places[count] = filled
    return count, filled

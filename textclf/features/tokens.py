"""Tokenizers that turn texts into numbered tokens, exactly those of scikit-learn.

The usual token patterns are runs of characters of one class. For these, compiled loops work on
arrays of code points, with a table of what Python's ``re`` thinks of each character. Any other
pattern is left to ``re``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from textclf.jit import compiled, inlined

OTHER, RUN, SINGLE = 0, 1, 2
"""Kinds of characters: in no token, in runs, and tokens of their own."""

_ONE, _HALF, _LOW = np.uint64(1), np.uint64(32), np.uint64(0xFFFFFFFF)
_SEED, _MIX, _SHIFT = np.uint64(0xCBF29CE484222325), np.uint64(0x9E3779B97F4A7C15), np.uint64(29)
_EMPTY = np.uint64(0)


@dataclass(frozen=True)
class Tokens:
    """The tokens of some texts.

    Attributes:
        ids: the numbers of the tokens, text after text.
        ends: (texts,), where the tokens of each text end in ``ids``.
    """

    ids: NDArray[np.int32]
    ends: NDArray[np.int64]


@dataclass(frozen=True)
class RunPattern:
    """A token pattern: the longest runs of one class of characters.

    Attributes:
        run: the class, as a regular expression.
        least: the length of the shortest run that is a token.
        singles: whether all other visible characters are tokens of their own.
    """

    run: str
    least: int = 1
    singles: bool = False

    def kinds(self, codes: range) -> NDArray[np.uint8]:
        """Ask ``re`` for the kinds of characters."""
        code_points = np.arange(codes.start, codes.stop, dtype="<u4")
        text = code_points.tobytes().decode("utf-32-le", "surrogatepass")
        kinds = np.full(len(text), OTHER, np.uint8)
        for kind, characters in [(SINGLE, r"\S")] * self.singles + [(RUN, self.run)]:
            for match in re.finditer(f"{characters}+", text):
                kinds[match.start() : match.end()] = kind
        return kinds


class Tokenizer(Protocol):
    """Numbers the tokens of texts in the order of their first occurrence."""

    def __call__(self, texts: Sequence[str]) -> Tokens:
        """Tokenize some texts."""

    def add(self, words: Sequence[str]) -> None:
        """Give these words the next numbers, whether or not they match the pattern."""

    def words(self) -> list[str]:
        """Return the tokens in the order of their numbers."""


def chunks(texts: Iterable[str], characters: int) -> Iterator[list[str]]:
    """Split texts into lists that each end with the text that makes up so many characters."""
    chunk: list[str] = []
    size = 0
    for text in texts:
        chunk.append(text)
        size += len(text)
        if size >= characters:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def code_points(texts: Sequence[str]) -> Tokens:
    """The characters of texts as tokens, numbered by their code points."""
    encoded = "".join(texts).encode("utf-32-le", "surrogatepass")
    ends = np.fromiter(accumulate(map(len, texts)), np.int64, len(texts))
    return Tokens(np.frombuffer(encoded, "<i4").astype(np.int32), ends)


def tokenizer_for(pattern: str) -> Tokenizer:
    """Make a tokenizer for a pattern, with the tokens of ``re.findall``."""
    runs = as_runs(pattern)
    return RunTokenizer(runs) if runs else RegexTokenizer(re.compile(pattern).findall)


def as_runs(pattern: str) -> RunPattern | None:
    r"""Recognize a token pattern that means runs of one class, in one of many spellings.

    The class is ``\S``, ``\w``, or ``\w`` and ranges of characters from U+0300 to U+0FFF, such as
    ``[\w\u0900-\u0963]``. Word boundaries around a longest run of ``\w`` are redundant.

    Returns:
        The runs, or ``None`` for any other pattern.
    """
    pattern = pattern.removeprefix("(?u)")
    if pattern in {r"\S+", r"[^\s]+"}:
        return RunPattern(r"\S")
    words = r"(?:\\b)?(?:((?:\\w)+)\+|\\w\{([1-9][0-9]{0,8}),\})(?:\\b)?(\|\[\^\\w\\s\])?"
    if match := re.fullmatch(words, pattern):
        least = int(match[2]) if match[2] else len(match[1]) // 2
        return RunPattern(r"\w", least, singles=bool(match[3]))
    code = r"\\u0[3-9a-f][0-9a-f]{2}"
    match = re.fullmatch(rf"(\[\\w(?:{code}-{code})+\])\+(\|\\S)?", pattern)
    return RunPattern(match[1], singles=bool(match[2])) if match else None


class RunTokenizer:
    """Finds tokens that are runs of characters."""

    def __init__(self, runs: RunPattern) -> None:
        self._runs = runs
        self._kinds = np.zeros(0, np.uint8)
        self._slots = np.zeros(1 << 10, np.uint64)
        self._chars = np.zeros(1 << 10, np.int32)
        self._ends = np.zeros(1 << 10, np.int64)
        self._count = 0

    def __call__(self, texts: Sequence[str]) -> Tokens:
        """Tokenize some texts."""
        text = code_points(texts)
        self._classify(int(text.ids.max(initial=0)))
        starts, stops = np.empty((2, len(text.ids)), np.int64)
        ends = np.empty(len(texts), np.int64)
        _find_runs(text.ids, text.ends, self._kinds, self._runs.least, starts, stops, ends)
        count = ends[-1] if len(ends) else 0
        return Tokens(self._number(text.ids, starts[:count], stops[:count]), ends)

    def add(self, words: Sequence[str]) -> None:
        """Give these words the next numbers, whether or not they match the pattern."""
        text = code_points(words)
        self._number(
            text.ids, text.ends - np.fromiter(map(len, words), np.int64, len(words)), text.ends
        )

    def words(self) -> list[str]:
        """Return the tokens in the order of their numbers."""
        ends = self._ends[: self._count + 1].tolist()
        text = self._chars[: ends[-1]].astype("<i4").tobytes().decode("utf-32-le", "surrogatepass")
        return [text[begin:end] for begin, end in pairwise(ends)]

    def _number(
        self, codes: NDArray[np.int32], starts: NDArray[np.int64], stops: NDArray[np.int64]
    ) -> NDArray[np.int32]:
        ids, done = np.empty(len(starts), np.int32), 0
        while done < len(starts):
            done, self._count = _intern(
                codes, starts, stops, self._slots, self._chars, self._ends, ids, done, self._count
            )
            if done < len(starts):
                self._grow(int(stops[done] - starts[done]))
        return ids

    def _grow(self, characters: int) -> None:
        """Make room for one more word."""
        self._ends = grown(self._ends, self._count + 2)
        self._chars = grown(self._chars, int(self._ends[self._count]) + characters)
        if 2 * (self._count + 1) > len(self._slots):
            used = self._slots[self._slots != _EMPTY]
            self._slots = np.zeros(2 * len(self._slots), np.uint64)
            self._slots[free_slots(used >> _HALF, len(self._slots))] = used

    def _classify(self, highest: int) -> None:
        """Learn the kinds of all code points up to one."""
        known = len(self._kinds)
        if highest >= known:
            size = 1 << max(highest.bit_length(), 8)
            new = self._runs.kinds(range(known, min(size, 0x110000)))
            self._kinds = np.concatenate((self._kinds, new))


class RegexTokenizer:
    """Finds tokens with ``re``."""

    def __init__(self, findall: Callable[[str], list[Any]]) -> None:
        self._findall = findall
        self._numbers: defaultdict[str, int] = defaultdict()
        self._numbers.default_factory = self._numbers.__len__

    def __call__(self, texts: Sequence[str]) -> Tokens:
        """Tokenize some texts."""
        tokens = list(map(self._findall, texts))
        ends = np.fromiter(accumulate(map(len, tokens)), np.int64, len(tokens))
        ids = map(self._numbers.__getitem__, chain.from_iterable(tokens))
        return Tokens(np.fromiter(ids, np.int32), ends)

    def add(self, words: Sequence[str]) -> None:
        """Give these words the next numbers, whether or not they match the pattern."""
        for word in words:
            self._numbers[word]

    def words(self) -> list[str]:
        """Return the tokens in the order of their numbers."""
        return list(self._numbers)


def grown(array: NDArray[Any], size: int) -> NDArray[Any]:
    """Return an array, or a copy of at least twice its length if it is shorter than ``size``."""
    if size <= len(array):
        return array
    longer = np.empty(max(size, 2 * len(array)), array.dtype)
    longer[: len(array)] = array
    return longer


def free_slots(homes: NDArray[np.uint64], size: int) -> NDArray[np.uint64]:
    """Find slots for the entries of an empty hash table of open addressing.

    Args:
        homes: where the search for each entry starts, modulo the size.
        size: the number of slots, a power of 2.
    """
    slots = homes & np.uint64(size - 1)
    _move_apart(slots, np.zeros(size, np.uint8))
    return slots


@compiled
def _move_apart(slots: NDArray[np.uint64], taken: NDArray[np.uint8]) -> None:
    """Move each entry to the next slot that is not taken."""
    for entry in range(len(slots)):
        at = slots[entry]
        while taken[at]:
            at = (at + _ONE) & np.uint64(len(taken) - 1)
        taken[at] = 1
        slots[entry] = at


@compiled
def _find_runs(  # noqa: PLR0913, PLR0917 - flat arrays are what compiles
    codes: NDArray[np.int32],
    text_ends: NDArray[np.int64],
    kinds: NDArray[np.uint8],
    least: int,
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> None:
    """Find where tokens start and stop, and how many there are up to the end of each text."""
    count, at = 0, 0
    for text in range(len(text_ends)):
        end = text_ends[text]
        while at < end:
            start, kind = at, kinds[codes[at]]
            at += 1
            if kind == RUN:
                while at < end and kinds[codes[at]] == RUN:
                    at += 1
            if kind == SINGLE or (kind == RUN and at - start >= least):
                starts[count], stops[count] = start, at
                count += 1
        ends[text] = count


@inlined
def _hashed(codes: NDArray[np.int32], start: int, stop: int) -> np.uint64:
    """A 32-bit hash that depends on every character of a word."""
    code = _SEED
    for at in range(start, stop):
        code = (code ^ np.uint64(codes[at])) * _MIX
    return (code ^ (code >> _SHIFT)) * _MIX >> _HALF


@inlined
def _same(  # noqa: PLR0913, PLR0917 - flat arrays are what compiles
    codes: NDArray[np.int32], start: int, stop: int, chars: NDArray[np.int32], begin: int, end: int
) -> bool:
    """Whether two words have the same characters."""
    at = 0
    if stop - start == end - begin:
        while start + at < stop and codes[start + at] == chars[begin + at]:
            at += 1
    return start + at == stop and begin + at == end


@compiled
def _intern(  # noqa: PLR0913, PLR0917 - the parts of the table
    codes: NDArray[np.int32],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    slots: NDArray[np.uint64],
    chars: NDArray[np.int32],
    ends: NDArray[np.int64],
    ids: NDArray[np.int32],
    done: int,
    count: int,
) -> tuple[int, int]:
    """Number words with a hash table of open addressing; new words get the next numbers.

    A slot holds 32 bits of the word's hash above its number + 1. ``chars`` holds the words one
    after the other: word n lies between ``ends[n]`` and ``ends[n + 1]``.

    Returns:
        The numbers of tokens that have their ``ids`` now, up to all or until the table has no room
        for one more word; and of words.
    """
    for token in range(done, len(starts)):
        start, stop, begin = starts[token], stops[token], ends[count]
        is_full = 2 * (count + 1) > len(slots) or count + 2 > len(ends)
        if is_full or begin + stop - start > len(chars):
            return token, count
        code = _hashed(codes, start, stop)
        at, number = code, -1
        while number < 0:
            at &= np.uint64(len(slots) - 1)
            slot = slots[at]
            after = np.int64(slot & _LOW)
            if slot == _EMPTY:
                number = count
            elif slot >> _HALF == code and _same(
                codes, start, stop, chars, ends[after - 1], ends[after]
            ):
                number = int(after) - 1
            else:
                at += _ONE
        ids[token] = number
        if number == count:
            for place in range(stop - start):
                chars[begin + place] = codes[start + place]
            count += 1
            ends[count] = begin + stop - start
            slots[at] = code << _HALF | np.uint64(count)
    return len(starts), count

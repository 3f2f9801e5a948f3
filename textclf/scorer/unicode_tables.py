"""How this Python classifies every character, as tables for readers in other languages."""

from __future__ import annotations

import functools
import re
import unicodedata

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.uint32]

_COUNT = 0x110000
_CASED = np.concatenate([np.arange(0x20000), np.arange(0xE0000, 0xE1000)]).astype(np.uint32)
"""Characters that may have a case or combine; others are ideographs, private or unassigned."""

_SIGMA, _FINAL, _LONG_LOWER = 0x3A3, 0x3C2, 0x130


@functools.cache
def tables(word: str = r"\w") -> dict[str, Table]:
    """Return ranges of characters (first, last), and what characters become in lower case.

    Args:
        word: the class of the characters that words consist of, as a regular expression.
    """
    ends, ends_before_letter = _sigma_ends_a_word(" "), _sigma_ends_a_word("A")
    combining = np.fromiter((unicodedata.combining(chr(code)) > 0 for code in _CASED), np.bool_)
    return {
        "word": _matching(f"{word}+"),
        "space": _matching(r"\s+"),
        "lower": _lower(),
        "cased": _ranges(_CASED[~ends]),
        "ignorable": _ranges(_CASED[ends & ~ends_before_letter]),
        "combining": _ranges(_CASED[combining]),
    }


def _text(codes: Table) -> str:
    return codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


def _codes(text: str) -> Table:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint32)


def _matching(pattern: str) -> Table:
    matches = re.finditer(pattern, _text(np.arange(_COUNT, dtype=np.uint32)))
    return np.asarray([(match.start(), match.end() - 1) for match in matches], np.uint32)


def _ranges(codes: Table) -> Table:
    mask = np.zeros(_COUNT + 2, np.int8)
    mask[codes + 1] = 1
    edges = np.flatnonzero(np.diff(mask))
    return np.column_stack([edges[::2], edges[1::2] - 1]).astype(np.uint32)


def _lower() -> Table:
    """Return each character that changes, and what it becomes; sigma as it does inside a word."""
    codes = np.arange(_COUNT, dtype=np.uint32)
    codes[_LONG_LOWER] = ord("a")  # the only one that becomes two
    lower = _codes(_text(codes).lower())
    changed = np.flatnonzero(lower != codes)
    rows = np.column_stack([codes[changed], lower[changed], np.zeros_like(lower[changed])])
    longer = [(_LONG_LOWER, *map(ord, chr(_LONG_LOWER).lower()))]
    return np.asarray(sorted([*map(tuple, rows.tolist()), *longer]), np.uint32)


def _sigma_ends_a_word(after: str) -> NDArray[np.bool_]:
    """Return for each character whether a sigma before it and ``after`` ends a word.

    Python has no function for which characters are cased or ignorable, but this shows it: before a
    space, a cased one does not end the word; before a letter, neither does an ignorable one.
    """
    probe = np.empty((len(_CASED), 5), np.uint32)
    probe[:] = [ord("A"), _SIGMA, 0, ord(after), ord(" ")]
    probe[:, 2] = _CASED
    probe[_LONG_LOWER, 2] = ord("I")  # cased, too, and keeps its length
    ends: NDArray[np.bool_] = _codes(_text(probe).lower()).reshape(-1, 5)[:, 1] == _FINAL
    return ends

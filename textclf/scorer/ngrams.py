"""Texts → n-grams, the same ones as those of scikit-learn's vectorisers, without importing it.

``docs/scorer-format.md`` says the rules in words, for other languages.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection
from typing import Annotated, Literal

import msgspec

from textclf.metadata.token_pattern import compile_token_pattern

_Length = Annotated[int, msgspec.Meta(ge=1, lt=1 << 31)]
"""A length that compiled code can count with."""

_SPACES = re.compile(r"\s\s+")


class Runs(msgspec.Struct, frozen=True):
    """A token pattern in plain terms: runs of word (or visible) characters of some length.

    With ``singles``, other visible characters are tokens on their own.
    """

    of: Literal["word", "visible"]
    least: _Length = 1
    singles: bool = False


class Block(msgspec.Struct, frozen=True):
    """One kind of n-grams, and how their counts are weighted: settings of a TfidfVectorizer.

    Attributes:
        kind: ``word``, ``char`` or ``char_wb``.
        ngram_range: the fewest and the most tokens or characters of an n-gram.
        lowercase: whether texts are lower-cased.
        strip_accents: ``ascii``, ``unicode`` or None.
        token_pattern: what a token is (``word`` only).
        runs: the same in plain terms, if it can be said in them.
        stop_words: tokens that are dropped.
        binary: whether an n-gram counts once, however often it occurs.
        sublinear_tf: whether a count c becomes 1 + ln c.
        norm: ``l1``, ``l2`` or None.
    """

    kind: Literal["word", "char", "char_wb"]
    ngram_range: tuple[_Length, _Length]
    lowercase: bool = True
    strip_accents: Literal["ascii", "unicode"] | None = None
    token_pattern: str = ""
    runs: Runs | None = None
    stop_words: list[str] = []
    binary: bool = False
    sublinear_tf: bool = False
    norm: Literal["l1", "l2"] | None = "l2"


def preprocessor(block: Block) -> Callable[[str], str]:
    """Return the function that prepares a text: lower case, accents."""
    strip = _STRIPPERS[block.strip_accents]
    if not block.lowercase:
        return strip
    return str.lower if strip is str else lambda text: strip(text.lower())


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join([char for char in decomposed if not unicodedata.combining(char)])


def _ascii_only(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")


_STRIPPERS: dict[str | None, Callable[[str], str]] = {
    None: str,
    "ascii": _ascii_only,
    "unicode": _without_accents,
}


def analyzer(block: Block) -> Callable[[str], list[str]]:
    """Return the function that lists the n-grams of a text, as often as they occur.

    Raises:
        ValueError: the token pattern is not one that is accepted.
    """
    prepare, (lo, hi) = preprocessor(block), block.ngram_range
    if block.kind == "char":
        return lambda text: _substrings(single_spaced(prepare(text)), lo, hi)
    if block.kind == "char_wb":
        return lambda text: [
            gram for word in prepare(text).split() for gram in _padded(f" {word} ", lo, hi)
        ]
    pattern = compile_token_pattern(block.token_pattern)
    stop_words = frozenset(block.stop_words)
    return lambda text: _joined(kept(pattern.findall(prepare(text)), stop_words), lo, hi)


def single_spaced(text: str) -> str:
    """Return the text with two or more white spaces in a row replaced by one space."""
    return _SPACES.sub(" ", text)


def kept(tokens: list[str], stop_words: Collection[str]) -> list[str]:
    """Return the tokens that are not stop words."""
    return [token for token in tokens if token not in stop_words] if stop_words else tokens


def _joined(tokens: list[str], lo: int, hi: int) -> list[str]:
    count = len(tokens)
    grams = tokens.copy() if lo == 1 else []
    for n in range(max(lo, 2), min(hi, count) + 1):
        grams += [" ".join(tokens[at : at + n]) for at in range(count - n + 1)]
    return grams


def _substrings(text: str, lo: int, hi: int) -> list[str]:
    count = len(text)
    return [
        text[at : at + n]
        for n in range(lo, min(hi, count) + 1)
        for at in range(count - n + 1)
    ]  # fmt: skip


def _padded(word: str, lo: int, hi: int) -> list[str]:
    """Return the substrings of a word, or the word if it is too short for any."""
    return _substrings(word, lo, hi) or [word]

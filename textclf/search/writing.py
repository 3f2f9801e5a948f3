"""How texts are written: with spaces between words or without, with combining marks or without."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

_SCRIPTS = {
    "Han": "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
    "Kana": "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9d",
    "Thai": "\u0e01-\u0e3a\u0e40-\u0e4e",
    "Lao": "\u0e81-\u0ece\u0edc-\u0edf",
    "Khmer": "\u1780-\u17d3\u17d7\u17dc\u17dd",
    "Myanmar": "\u1000-\u103f\u1050-\u108f\u109a-\u109d\uaa60-\uaa7f",
}
"""Scripts without spaces between words, and their letters and vowel signs."""

_UNSPACED = re.compile("|".join(f"(?P<{name}>[{span}]+)" for name, span in _SCRIPTS.items()))
_SPACED = re.compile(rf"[^\W\d_\uff21-\uff3a\uff41-\uff5a{''.join(_SCRIPTS.values())}]")
"""Letters of all other scripts but full-width Latin ones, which are used within Han and Kana."""

_MARKED = (
    r"\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u064b-\u0670\u0710-\u07f5"
    r"\u0900-\u0963\u0966-\u0df3\u0f71-\u0fbc"
)
"""Ranges of combining marks, and of characters between them that are no punctuation.

They are accents and other marks of any script, points of Hebrew and Arabic, and the vowel signs of
Syriac, Thaana, N'Ko, the scripts of India from Devanagari to Sinhala, and Tibetan.
"""

WORDS_WITH_MARKS = rf"[\w{_MARKED}]+|\S"
r"""The token pattern ``\w+|[^\w\s]``, but words include combining marks, which ``\w`` does not."""

_MARK = re.compile(rf"[{_MARKED}](?<!\w)")

_TEXTS, _CHARACTERS = 10_000, 1_000
"""The most texts that are looked at, and characters of each."""

_SOME, _MOST = 0.1, 0.8
"""The shares of writing without spaces from which both spaces are searched, and only one.

The first is also the share of texts with combining marks from which words include these.
"""

_NAMED = 0.05
"""The least share of its letters at which a script is named."""


@dataclass(frozen=True)
class Writing:
    """How much of some texts is written without spaces between words, and with combining marks.

    Attributes:
        unspaced: the share of letters in scripts without spaces, averaged over the texts, so that
            long texts count no more than short ones (0 to 1).
        scripts: these scripts, the most frequent first.
        marked: the share of the texts with combining marks that ``WORDS_WITH_MARKS`` counts as
            parts of words (0 to 1).
    """

    unspaced: float
    scripts: tuple[str, ...]
    marked: float = 0.0

    @classmethod
    def from_texts(cls, texts: Sequence[str]) -> Self:
        """Count the letters of up to 10,000 texts; those without letters do not count."""
        letters: Counter[str] = Counter()
        shares, marked = [], []
        for text in texts[:: -(-len(texts) // _TEXTS) or 1]:
            head = text[:_CHARACTERS]
            of_text, spaced = _count(head)
            letters += of_text
            if total := of_text.total() + spaced:
                shares.append(of_text.total() / total)
                marked.append(not head.isascii() and _MARK.search(head) is not None)
        named = [name for name, count in letters.most_common() if count >= _NAMED * letters.total()]
        return cls(_mean(shares), tuple(named), _mean(marked))

    @property
    def has_spaced(self) -> bool:
        """Whether enough is written with spaces to search word n-grams."""
        return self.unspaced < _MOST

    @property
    def has_unspaced(self) -> bool:
        """Whether enough is written without spaces to search character n-grams only."""
        return self.unspaced >= _SOME

    @property
    def has_marked(self) -> bool:
        """Whether the words of enough texts have combining marks to make these parts of tokens."""
        return self.has_spaced and self.marked >= _SOME


def _mean(shares: Sequence[float]) -> float:
    return sum(shares) / len(shares) if shares else 0.0


def _count(text: str) -> tuple[Counter[str], int]:
    """Count the letters of each script without spaces, and the letters of all other scripts."""
    unspaced: Counter[str] = Counter()
    if text.isascii():
        return unspaced, bool(_SPACED.search(text))
    for run in _UNSPACED.finditer(text):
        unspaced[str(run.lastgroup)] += len(run[0])
    return unspaced, len(_SPACED.findall(text)) if unspaced else bool(_SPACED.search(text))

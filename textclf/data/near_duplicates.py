"""Find texts that are nearly the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from math import ceil
from typing import Final

_SHARE: Final = 0.8
"""The share of their words that two near-duplicates have in common (Jaccard index)."""

_WORD: Final = re.compile(r"\w+")


def distinct_words(text: str) -> str:
    """Return the different words of a text, in lower case, in an order of their own.

    It is the same for texts that differ only in letter case, white space, punctuation, and the
    order and repetition of words. A text without words is returned as it is.
    """
    return " ".join(sorted(set(_WORD.findall(text.casefold())))) or text


def without_near_duplicates(texts: Sequence[str]) -> Iterator[int]:
    """Yield the index of each text that is a near-duplicate of none before it.

    Near-duplicates have 80% of their different words in common. All that a text can be a
    near-duplicate of share one of its rarest words, so that few need to be compared (R. Bayardo,
    Y. Ma and R. Srikant, "Scaling up all pairs similarity search", WWW 2007).

    Args:
        texts: the words of each text, as `distinct_words` returns them.
    """
    sets = [frozenset(text.split(" ")) for text in texts]
    frequencies = Counter(word for words in sets for word in words)
    having: dict[str, list[int]] = {}
    for index, words in enumerate(sets):
        rarest = sorted(words, key=lambda word: (frequencies[word], word))
        rarest = rarest[: len(words) - ceil(_SHARE * len(words)) + 1]
        others = {other for word in rarest for other in having.get(word, ())}
        if not any(_are_alike(words, sets[other]) for other in others):
            yield index
            for word in rarest:
                having.setdefault(word, []).append(index)


def _are_alike(words: frozenset[str], others: frozenset[str]) -> bool:
    fewer, more = sorted((len(words), len(others)))
    if fewer < _SHARE * more:
        return False
    shared = len(words & others)
    return shared >= _SHARE * (fewer + more - shared)

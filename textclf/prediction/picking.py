"""Pick the texts that are worth labelling next: those that a version is least sure of.

That is uncertainty sampling by the smallest margin (T. Scheffer, C. Decomain and S. Wrobel, "Active
hidden Markov models for information extraction", IDA 2001).
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from textclf.data.near_duplicates import distinct_words, without_near_duplicates

if TYPE_CHECKING:
    from textclf.data.table_rows import Batch
    from textclf.prediction.predictor import Predictor

_CANDIDATES: Final = 10
"""Texts that are kept for each one that is wanted, because some are near-duplicates of others."""

_NUMBER: Final = re.compile(r"\d+")


@dataclass(frozen=True)
class Picked:
    """A text worth labelling.

    Attributes:
        place: its line, or the number of its row.
        text: the text.
        row: the row that it is from, as its table has it.
        predicted: the label with the highest score.
        score: that score.
        margin: by how much it is above the next one.
    """

    place: int
    text: str
    row: Any
    predicted: str
    score: float
    margin: float


def pick(predictor: Predictor, batches: Iterable[Batch], number: int) -> list[Picked]:
    """Return the texts with the smallest margins, the smallest first, near-duplicates once.

    Texts that differ only in numbers count as near-duplicates. In memory are ten times as many
    texts as are wanted, and a batch.

    Args:
        predictor: the version.
        batches: the texts, with the rows they are from; rows without a text are left out.
        number: how many texts to pick; they may be fewer, if most are near-duplicates.
    """
    candidates = _Smallest(_CANDIDATES * number)
    for batch in batches:
        rows = [
            (place, text, row)
            for place, text, row in zip(batch.places, batch.texts, batch.rows, strict=True)
            if text and not text.isspace()
        ]
        predictions = predictor.predict([text for _, text, _ in rows])
        for (place, text, row), prediction in zip(rows, predictions, strict=True):
            (label, best), (_, second), *_ = prediction.scores.items()
            candidates.add(Picked(place, text, row, label, best, best - second))
    return [picked for _, picked in zip(range(number), candidates.distinct(), strict=False)]


class _Smallest:
    """The texts with the smallest margins so far, of texts with the same words the first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._heap: list[tuple[float, int, str, Picked]] = []  # the largest margin first
        self._words: set[str] = set()
        self._added = 0

    def add(self, picked: Picked) -> None:
        """Keep a text if its margin is small enough, in the place of the one with the largest."""
        self._added += 1
        if len(self._heap) == self._most and -picked.margin <= self._heap[0][0]:
            return
        words = distinct_words(_NUMBER.sub("0", picked.text))
        if words in self._words:
            return
        self._words.add(words)
        entry = (-picked.margin, -self._added, words, picked)
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, entry)
        else:
            self._words.remove(heapq.heappushpop(self._heap, entry)[2])

    def distinct(self) -> Iterator[Picked]:
        """Yield the texts without near-duplicates, the smallest margin first."""
        entries = sorted(self._heap, reverse=True)
        for index in without_near_duplicates([words for _, _, words, _ in entries]):
            yield entries[index][3]

"""A compiled scorer as a model: plain Python for few texts, compiled loops for many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import UNSET

from textclf.metadata.limits import Limits
from textclf.prediction.process_lock import ProcessLock
from textclf.scorer.scorer import Scorer, label_index

if TYPE_CHECKING:
    from textclf.prediction.explanation import Explanation
    from textclf.prediction.model import Prediction
    from textclf.scorer.batch import BatchScorer

_MANY = 100_000
"""Number of characters from which on it pays to load NumPy and the compiled loops."""
_OF_THE_LOOPS = ("numba", "numpy")
"""Libraries that an installation which only serves may lack: then all texts are few texts."""


class ScorerModel:
    """A compiled scorer as a `Model`; NumPy is imported only once there are many texts.

    Where NumPy or Numba is not installed, plain Python labels many texts, too, more slowly.
    """

    def __init__(self, scorer: Scorer) -> None:
        self.labels, self.score_type = scorer.labels, scorer.score_type
        settings = scorer.settings
        unknown = None if settings.abstain_unknown is UNSET else settings.abstain_unknown
        self.limits = Limits(settings.threshold, unknown)
        self._scorer = scorer
        self._lock = ProcessLock()
        self._batch: BatchScorer | None = None
        self._has_loops = True
        self._characters_seen = 0

    def score(self, texts: Sequence[str]) -> tuple[list[int], list[list[float]]]:
        """Return the label index of each text, and its score for every label."""
        batch = self._batch_for(texts)
        if batch is None:
            decisions = list(map(self._scorer.decide, texts))
            return list(map(label_index, decisions)), list(map(self._scorer.scores, decisions))
        from textclf.scorer.batch import label_indices

        values = batch.decide(texts)
        return label_indices(values).tolist(), batch.scores(values).tolist()

    def label_indices(self, texts: Sequence[str]) -> list[int]:
        """Return the label index of each text."""
        batch = self._batch_for(texts)
        if batch is None:
            return [label_index(self._scorer.decide(text)) for text in texts]
        from textclf.scorer.batch import label_indices

        indices: list[int] = label_indices(batch.decide(texts)).tolist()
        return indices

    def explain(self, prediction: Prediction, label_index: int) -> Explanation:
        """Return what the decision value of a label is made of."""
        from textclf.prediction.explanation import explain

        return explain(self._scorer, prediction, label_index)

    def count_known(self, texts: Sequence[str]) -> list[tuple[int, int]]:
        """Return how many n-grams of each text the model knows, and how many there are."""
        if self._batch is None:
            return list(map(self._scorer.count_known, texts))
        counts: list[tuple[int, int]] = self._batch.count_known(texts).tolist()
        return counts

    def _batch_for(self, texts: Sequence[str]) -> BatchScorer | None:
        """Return the scorer for many texts if these, together with earlier lists, are many.

        Once it is open, it labels single texts, too: it takes less time from 20 characters on.
        """
        several = len(texts) > 1 or len(texts[0]) >= _MANY
        if several and self._batch is None and self._has_loops:
            self._characters_seen += sum(map(len, texts))
            if self._characters_seen >= _MANY:
                self._open_batch()
        return self._batch

    def _open_batch(self) -> None:
        try:
            from textclf.scorer.batch import BatchScorer
        except ModuleNotFoundError as missing:
            if missing.name not in _OF_THE_LOOPS:
                raise
            self._has_loops = False
            return

        with self._lock.current():  # of two threads the second finds what the first has opened
            if self._batch is None:
                self._batch = BatchScorer(self._scorer)

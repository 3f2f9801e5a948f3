"""Texts of a request → predictions or explanations, within the limits: what all protocols share."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from starlette.requests import Request

from textclf.metadata.limits import Limits
from textclf.prediction.explanation import Explanation
from textclf.prediction.model import Prediction
from textclf.server.batching import Answer, Batcher
from textclf.server.exchange import exchange_of
from textclf.server.metrics import Metrics
from textclf.server.refusal import Refusal
from textclf.server.served_model import ServedModel
from textclf.server.settings import ServerSettings

MOST_CHARACTERS = 100_000
"""Characters of the texts of one request, which take about 0.2 seconds and 20 MB."""

_MOST_TEXTS = 100
_MOST_QUEUED = 4 * MOST_CHARACTERS
_THREADS = 2


@dataclass(frozen=True)
class Labelled:
    """The answer to a request.

    Attributes:
        model: the version that all predictions are from.
        predictions: one for each text.
        labels: the label of each text, ``None`` where the limits do not allow one.
        limits: these limits.
    """

    model: ServedModel
    predictions: Sequence[Prediction]
    labels: Sequence[str | None]
    limits: Limits


@dataclass(frozen=True)
class Labeller:
    """Labels the texts of requests."""

    batcher: Batcher
    metrics: Metrics
    settings: ServerSettings

    async def label(
        self, request: Request, texts: Sequence[str], limits: Limits | None = None
    ) -> Labelled:
        """Label the texts of a request.

        Args:
            request: the request.
            texts: its texts.
            limits: which texts have no label; by default the version's own.

        Raises:
            Refusal: there are too many texts, one is too long, or too much is waiting already.
        """
        self._require_within_limits(texts)
        limits = limits or Limits()
        exchange = exchange_of(request)
        exchange.hold(self._memory_of(texts))
        count_known = limits.abstain_unknown is not None
        answer = await self.batcher.predict(texts, count_known=count_known)
        labelled = _with_labels(answer, limits)
        exchange.version = answer.model.version
        exchange.texts += len(texts)
        exchange.characters += sum(map(len, texts))
        self.metrics.observe_predictions(answer.model, texts, labelled.labels)
        return labelled

    def _memory_of(self, texts: Sequence[str]) -> int:
        """Return how many bytes texts and their predictions take, about."""
        scores = len(texts) * len(self.batcher.model.predictor.labels)
        return 2 * sum(map(len, texts)) + 500 * len(texts) + 64 * scores

    def _require_within_limits(self, texts: Sequence[str]) -> None:
        most, longest = self.settings.max_texts, self.settings.max_characters
        if len(texts) > most:
            raise Refusal.too_large(
                f"{len(texts):,} texts, and at most {most:,} are taken at a time; "
                "send more requests, or stream them as application/jsonl"
            )
        for n, text in enumerate(texts):
            if len(text) > longest:
                raise Refusal.too_large(
                    f"text {n} has {len(text):,} characters, and at most {longest:,} are taken"
                )


def _with_labels(answer: Answer, limits: Limits) -> Labelled:
    """Return an answer with its labels. Raises UsageError if the limits make no sense."""
    limits.require_reachable(answer.model.predictor.score_type)
    limits = limits.or_else(answer.model.predictor.limits)
    labels = [
        prediction.label if limits.allow(prediction.score, prediction.known) else None
        for prediction in answer.predictions
    ]
    return Labelled(answer.model, answer.predictions, labels, limits)


class Explainer:
    """Explains texts in threads of its own, so that nothing else waits for one."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="textclf-explain")
        self._queued = 0

    async def explain(self, model: ServedModel, texts: Sequence[str]) -> list[Explanation]:
        """Explain what a model says about texts.

        Raises:
            Refusal: these are too many, or too many are waiting.
            UsageError: the model cannot be explained.
        """
        characters = sum(map(len, texts))
        if len(texts) > _MOST_TEXTS or characters > MOST_CHARACTERS:
            raise Refusal.too_large(
                f"at most {_MOST_TEXTS} texts and {MOST_CHARACTERS:,} characters are explained "
                f"at a time; these are {len(texts):,} and {characters:,}"
            )
        if self._queued + characters > _MOST_QUEUED:
            raise Refusal.overloaded("too many texts are waiting to be explained", "explain")
        self._queued += characters
        try:
            loop, explain = asyncio.get_running_loop(), model.predictor.explain
            return await loop.run_in_executor(self._pool, lambda: list(map(explain, texts)))
        finally:
            self._queued -= characters

    def close(self) -> None:
        """Let the threads end when they have explained their texts."""
        self._pool.shutdown(wait=False, cancel_futures=True)

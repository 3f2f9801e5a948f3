"""Explanations, a few at a time: one takes about fifty times as long as a prediction."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from textclf.prediction.explanation import Explanation
from textclf.server.refusal import Refusal
from textclf.server.served_model import ServedModel

MOST_CHARACTERS = 100_000
"""Characters of the texts of one request, which take about 0.2 seconds and 20 MB."""

_MOST_TEXTS = 100
_MOST_QUEUED = 4 * MOST_CHARACTERS
_THREADS = 2


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
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, _explain, model, texts)
        finally:
            self._queued -= characters

    def close(self) -> None:
        """Let the threads end when they have explained their texts."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _explain(model: ServedModel, texts: Sequence[str]) -> list[Explanation]:
    return [model.predictor.explain(text) for text in texts]

"""Requests that arrive together are labelled together, and a lone request never waits.

A batch is what arrived while the former one was labelled; there is no timer. A small batch takes
less time than handing it to a thread, so it is labelled in the event loop; a large one goes to a
thread, so that everything else, such as ``/healthz``, is answered meanwhile.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from textclf.prediction.model import Prediction
from textclf.server.refusal import Refusal
from textclf.server.served_model import ServedModel

_SMALL = 5_000
"""Characters that are labelled in the event loop, in about a millisecond."""

_LARGEST = 4_000_000
"""Characters from which on a batch takes no further request."""


@dataclass(frozen=True)
class Answer:
    """The predictions for the texts of one request.

    Attributes:
        model: the version that all of them are from.
        predictions: one for each text, with the best label whatever its score.
    """

    model: ServedModel
    predictions: Sequence[Prediction]


@dataclass(frozen=True, eq=False)
class _Request:
    texts: Sequence[str]
    characters: int
    answer: asyncio.Future[Answer]
    arrived: float
    count_known: bool


class Batcher:
    """Labels the texts of all requests, in batches.

    Args:
        model: returns the model to label the next batch with.
        max_queued: the most characters that wait; a request with more is refused.
        threads: how many large batches are labelled at a time.
        on_batch: called for each batch with the number of its texts and the seconds that its
            oldest request waited.
    """

    def __init__(
        self,
        model: Callable[[], ServedModel],
        *,
        max_queued: int,
        threads: int,
        on_batch: Callable[[int, float], None],
    ) -> None:
        self._model, self._on_batch = model, on_batch
        self._max_queued = max_queued
        self._queue: list[_Request] = []
        self._queued = 0
        self._scheduled = False
        self._idle = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="textclf-label")
        self._tasks = set[asyncio.Task[None]]()

    async def predict(self, texts: Sequence[str], *, count_known: bool = False) -> Answer:
        """Label texts, all with the same version.

        Args:
            texts: the texts.
            count_known: whether the predictions need the share of known n-grams, even if the
                version has no limit on it.

        Raises:
            Refusal: too many texts are waiting.
        """
        characters = sum(map(len, texts))
        if self._queue and self._queued + characters > self._max_queued:
            raise Refusal.overloaded("too many texts are waiting to be labelled", "queue_full")
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._queue.append(_Request(texts, characters, answer, time.perf_counter(), count_known))
        self._queued += characters
        self._schedule()
        return await answer

    @property
    def model(self) -> ServedModel:
        """The model that the next batch is labelled with."""
        return self._model()

    def close(self) -> None:
        """Let the threads end when they have labelled their batch."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _schedule(self) -> None:
        """Label what waits, once the requests that have arrived by now are in the queue."""
        if self._queue and self._idle and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._label_next_batch)

    def _label_next_batch(self) -> None:
        self._scheduled = False
        batch, characters = self._take_batch()
        if characters <= _SMALL:
            _resolve(batch, _try_to_label(self._model(), batch))
        else:
            self._idle -= 1
            task = asyncio.get_running_loop().create_task(self._label_in_thread(batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._schedule()

    def _take_batch(self) -> tuple[list[_Request], int]:
        """Take requests from the queue; return them and the number of their characters."""
        size = characters = 0
        for request in self._queue:
            characters += request.characters
            size += 1
            if characters >= _LARGEST:
                break
        batch, self._queue = self._queue[:size], self._queue[size:]
        self._queued -= characters
        texts = sum(len(request.texts) for request in batch)
        self._on_batch(texts, time.perf_counter() - batch[0].arrived)
        return batch, characters

    async def _label_in_thread(self, batch: Sequence[_Request]) -> None:
        loop = asyncio.get_running_loop()
        labelled = loop.run_in_executor(self._pool, _try_to_label, self._model(), batch)
        try:
            _resolve(batch, await labelled)
        finally:
            self._idle += 1
            self._schedule()


def _try_to_label(model: ServedModel, batch: Sequence[_Request]) -> list[Answer] | Exception:
    """Return an answer to each request, or what went wrong."""
    texts = [text for request in batch for text in request.texts]
    counted = model.predictor.abstain_unknown is not None or any(one.count_known for one in batch)
    try:
        labelled = model.predictor.predict(
            texts, threshold=-math.inf, abstain_unknown=0 if counted else None
        )
        predictions = iter(labelled)
    except Exception as error:  # noqa: BLE001 - it is raised where the answer is awaited
        return error
    return [Answer(model, [next(predictions) for _ in request.texts]) for request in batch]


def _resolve(batch: Sequence[_Request], answers: list[Answer] | Exception) -> None:
    """Wake up the requests whose clients are still there."""
    for n, request in enumerate(batch):
        if request.answer.done():
            continue
        if isinstance(answers, Exception):
            request.answer.set_exception(answers)
        else:
            request.answer.set_result(answers[n])

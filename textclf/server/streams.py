"""Rows as CSV or JSON Lines in, the same rows with their labels out, in constant memory.

A streamed body has no limit as a whole, but each line and each text has one, and only a few bodies
are answered at a time. What is wrong with the first rows is answered like any other request. After
that the answer has begun, so it ends without its last chunk, and the log says why.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass

import anyio
import anyio.from_thread
import anyio.to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from textclf.server.exchange import Exchange, exchange_of
from textclf.server.metrics import Metrics
from textclf.server.refusal import Refusal
from textclf.server.row_formats import ROW_FORMATS, Row, RowFormat
from textclf.server.served_model import ServedModel
from textclf.server.settings import ServerSettings

_ROWS = 500
"""Rows that are labelled together."""


@dataclass(frozen=True)
class Streamer:
    """Answers streamed bodies, each in a thread of its own.

    Attributes:
        model: returns the model for the next stream.
        metrics: where labels are counted.
        settings: the limits.
    """

    model: Callable[[], ServedModel]
    metrics: Metrics
    settings: ServerSettings
    limiter: anyio.CapacityLimiter

    def response(self, request: Request, media_type: str) -> Response:
        """Return the answer to a streamed body.

        Raises:
            Refusal: too many streams are being answered.
        """
        if not self.limiter.available_tokens:
            raise Refusal.overloaded("too many streams are being labelled", "streams")
        exchange = exchange_of(request)
        model = self.model()
        exchange.version = model.version
        rows = ROW_FORMATS[media_type](request.query_params.get("text_column", "text"))
        return _StreamedResponse(self, model, exchange, rows)

    def label(self, model: ServedModel, exchange: Exchange, rows: Sequence[Row]) -> None:
        """Add their labels and scores to rows.

        Raises:
            Refusal: a text is too long.
        """
        longest = self.settings.max_characters
        texts = [row.text for row in rows]
        if any(len(text) > longest for text in texts):
            raise Refusal.too_large(f"a text has more than {longest:,} characters, the limit")
        for row, prediction in zip(rows, model.predictor.predict(texts), strict=True):
            row.label, row.score = prediction.label, prediction.score
        exchange.texts += len(texts)
        exchange.characters += sum(map(len, texts))
        self.metrics.count_labels(model, [row.label for row in rows])


class _StreamedResponse(Response):
    """The answer to one streamed body; all its rows are labelled by the same version."""

    def __init__(
        self, streamer: Streamer, model: ServedModel, exchange: Exchange, rows: RowFormat
    ) -> None:
        super().__init__(media_type=rows.media_type)
        del self.headers["content-length"]
        self._streamer, self._model, self._exchange, self._rows = streamer, model, exchange, rows

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, and send the answer while it arrives."""
        request = Request(scope, receive)
        body = _Body(request.stream(), self._streamer.settings.body_timeout)
        started = False

        async def write(data: bytes, *, more: bool = True) -> None:
            nonlocal started
            if not started:
                start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
                await send(start)
                started = True
            await send({"type": "http.response.body", "body": data, "more_body": more})

        def run() -> None:
            for output in self._label(body):
                anyio.from_thread.run(write, output)

        await anyio.to_thread.run_sync(run, limiter=self._streamer.limiter)
        await write(b"", more=False)

    def _label(self, body: io.RawIOBase) -> Iterator[bytes]:
        """Yield the answer in parts; runs in a thread."""
        lines = _bounded_lines(body, 2 * self._streamer.settings.max_characters)
        rows = self._rows.read(lines)
        try:
            while batch := list(itertools.islice(rows, _ROWS)):
                self._streamer.label(self._model, self._exchange, batch)
                yield self._rows.write(batch)
        except UnicodeDecodeError as error:
            raise Refusal(415, f"the body is not UTF-8: {error}", "media_type") from None


class _Body(io.RawIOBase):
    """A request's body as a file, for a thread that reads it while it arrives."""

    def __init__(self, parts: AsyncIterator[bytes], timeout: float) -> None:
        self._parts, self._timeout = parts, timeout
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = anyio.from_thread.run(self._next_part)
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size

    async def _next_part(self) -> bytes:
        try:
            with anyio.fail_after(self._timeout):
                async for part in self._parts:
                    if part:
                        return part
        except TimeoutError:
            message = f"nothing arrived for {self._timeout:g} seconds"
            raise Refusal(408, message, "timeout", {"connection": "close"}) from None
        except ClientDisconnect:
            raise Refusal(400, "the client went away", "disconnected") from None
        return b""


def _bounded_lines(body: io.RawIOBase, longest: int) -> Iterator[str]:
    """Yield the lines of a body. Raises Refusal if one has too many characters."""
    file = io.TextIOWrapper(io.BufferedReader(body), "utf-8-sig", newline="\n")
    while line := file.readline(longest + 1):
        if len(line) > longest:
            raise Refusal.too_large(f"a line has more than {longest:,} characters, the limit")
        yield line

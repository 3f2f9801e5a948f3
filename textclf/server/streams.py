"""Rows as CSV or JSON Lines in, the same rows with their labels out, in constant memory.

A streamed body has no limit as a whole, but each line and each text has one, and only a few bodies
are answered at a time. What is wrong with the first rows is answered like any other request. After
that the answer has begun, so it ends without its last chunk, and the log says why.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass

import anyio
import anyio.from_thread
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from textclf.server.exchange import Exchange, exchange_of, require_plain
from textclf.server.metrics import Metrics
from textclf.server.pace import Pace, StreamSlots
from textclf.server.refusal import Refusal
from textclf.server.row_formats import ROW_FORMATS, Columns, Row, RowFormat
from textclf.server.served_model import ServedModel
from textclf.server.settings import ServerSettings

_ROWS = 500
"""Rows that are labelled together, at most."""

_CHARACTERS = 1_000_000
"""Characters of rows from which on they are labelled, however few they are."""


@dataclass(frozen=True)
class Streamer:
    """Answers streamed bodies, each in a thread of its own.

    Attributes:
        model: returns the model for the next stream.
        metrics: where labels are counted.
        settings: the limits.
        slots: for the streams that may be answered at a time.
    """

    model: Callable[[], ServedModel]
    metrics: Metrics
    settings: ServerSettings
    slots: StreamSlots

    def response(self, request: Request, media_type: str) -> Response:
        """Return the answer to a streamed body. Raises Refusal if it is compressed."""
        require_plain(request)
        exchange = exchange_of(request)
        model = self.model()
        exchange.version = model.version
        asked = request.query_params
        columns = Columns(
            **{name: asked.get(f"{name}_column", name) for name in ("text", "label", "score")}
        )
        return _StreamedResponse(self, model, exchange, ROW_FORMATS[media_type](columns))

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
        self.metrics.observe_predictions(model, texts, [row.label for row in rows])


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
        slots = self._streamer.slots
        pace = Pace(self._streamer.settings.body_timeout, slots)
        body = _Body(Request(scope, receive).stream(), pace)

        async def write(data: bytes, *, more: bool = True) -> bytes:
            await send({"type": "http.response.body", "body": data, "more_body": more})
            return data

        async def write_in_time(data: bytes) -> None:
            await pace.wait_for(write(data))

        def run() -> None:
            for output in self._label(body):
                anyio.from_thread.run(write_in_time, output)

        with slots.taken():
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await anyio.to_thread.run_sync(run, limiter=anyio.CapacityLimiter(1))
        await write(b"", more=False)

    def _label(self, body: io.RawIOBase) -> Iterator[bytes]:
        """Yield the answer in parts; runs in a thread."""
        lines = _RowLines(body, 2 * self._streamer.settings.max_characters)
        try:
            for batch in _batches(self._rows.read(lines), lines):
                self._streamer.label(self._model, self._exchange, batch)
                yield self._rows.write(batch)
        except UnicodeDecodeError as error:
            raise Refusal(415, f"the body is not UTF-8: {error}", "media_type") from None


def _batches(rows: Iterator[Row], lines: _RowLines) -> Iterator[list[Row]]:
    """Yield the rows in lists that are not too large."""
    batch, characters = list[Row](), 0
    for row in rows:
        batch.append(row)
        characters += lines.end_row()
        if len(batch) == _ROWS or characters >= _CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


class _Body(io.RawIOBase):
    """A request's body as a file, for a thread that reads it while it arrives."""

    def __init__(self, parts: AsyncIterator[bytes], pace: Pace) -> None:
        self._parts, self._pace = parts, pace
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
        """Return the next part; b"" at the end."""
        return await self._pace.wait_for(self._some_bytes())

    async def _some_bytes(self) -> bytes:
        async for part in self._parts:
            if part:
                return part
        return b""


class _RowLines:
    """The lines of a body.

    Raises Refusal if the lines of one row have too many characters: a line that does not end, or a
    quoted cell with any number of lines.
    """

    def __init__(self, body: io.RawIOBase, longest_row: int) -> None:
        self._file = io.TextIOWrapper(io.BufferedReader(body), "utf-8-sig", newline="\n")
        self._longest_row, self._characters = longest_row, 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(self._longest_row - self._characters + 1)
        if not line:
            raise StopIteration
        self._characters += len(line)
        if self._characters > self._longest_row:
            raise Refusal.too_large(
                f"a row has more than {self._longest_row:,} characters, the limit"
            )
        return line

    def end_row(self) -> int:
        """Return the number of characters since the row before."""
        characters, self._characters = self._characters, 0
        return characters

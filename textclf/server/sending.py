"""Sends an answer: what is large, in pieces that the client has to read in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.types import Message, Send

from textclf.server.exchange import SMALL, Exchange
from textclf.server.refusal import Refusal

_PIECE = 256 << 10

_SECONDS = 30.0
_SLOWEST = 100_000
"""An answer has to be read within these seconds, and one more for each so many bytes."""


class Sender:
    """Sends the messages of one answer, whose head waits for the first part of its body.

    Until then another answer can be sent instead, as when there is no memory for this one.

    Args:
        send: sends a message to the client.
        exchange: the request.
        add_headers: called with the head before it is sent.

    Attributes:
        status: the HTTP status, 500 until there is an answer.
        started: whether anything was sent.
    """

    def __init__(
        self, send: Send, exchange: Exchange, add_headers: Callable[[Message], None]
    ) -> None:
        self._send, self._exchange, self._add_headers = send, exchange, add_headers
        self._head: Message | None = None
        self.status, self.started = 500, False

    async def __call__(self, message: Message) -> None:
        """Send a message. Raises Refusal if there is no memory for it, or it is not read."""
        if message["type"] == "http.response.start":
            self._head = message
            return
        body = message.get("body", b"")
        if self._head is not None:
            if not message.get("more_body"):  # what it was made of is no longer held
                self._exchange.hold(len(body))
            head, self._head = self._head, None
            self.started, self.status = True, head["status"]
            self._add_headers(head)
            await self._send(head)
        if len(body) <= SMALL:
            await self._send(message)
        else:
            await self._send_large(message, body)

    async def _send_large(self, message: Message, body: bytes) -> None:
        try:
            async with asyncio.timeout(_SECONDS + len(body) / _SLOWEST):
                for at in range(0, len(body), _PIECE):
                    more = message.get("more_body", False) or at + _PIECE < len(body)
                    piece = body[at : at + _PIECE]
                    await self._send({**message, "body": piece, "more_body": more})
        except TimeoutError:
            raise Refusal(408, "the answer was not read in time", "timeout") from None

"""How many streams are answered at a time, and how slow their clients may be."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Iterator

import anyio
from starlette.requests import ClientDisconnect

from textclf.server.refusal import Refusal

_SLOWEST, _SLOWEST_WANTED = 1000, 100_000
"""Bytes a second that have to arrive or to be read, on average: usually, and while others wait."""

_WANTED_SECONDS = 60.0
"""For how long others are believed to wait after one was refused."""


class StreamSlots:
    """How many streams may be answered at a time; slow ones make way for those that are refused.

    Attributes:
        free: how many more.
    """

    def __init__(self, most: int) -> None:
        self.free = most
        self._wanted_until = 0.0

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Occupy one. Raises Refusal if none is free."""
        if not self.free:
            self._wanted_until = time.monotonic() + _WANTED_SECONDS
            raise Refusal.overloaded("too many streams are being labelled", "streams")
        self.free -= 1
        try:
            yield
        finally:
            self.free += 1

    def slowest(self) -> int:
        """Return the bytes a second that a stream has to have."""
        return _SLOWEST_WANTED if time.monotonic() < self._wanted_until else _SLOWEST


class Pace:
    """How fast a client sends and reads: bytes earn time, and waiting for the client takes it.

    A client that sends or reads a byte now and then would occupy a thread as long as it likes.
    """

    def __init__(self, most: float, slots: StreamSlots) -> None:
        self._most = self._left = most
        self._slots = slots

    async def wait_for(self, step: Awaitable[bytes]) -> bytes:
        """Return the bytes that a step receives or sends. Raises Refusal if the time is over."""
        begin, slowest = time.monotonic(), self._slots.slowest()
        try:
            with anyio.fail_after(self._left):
                part = await step
        except TimeoutError:
            message = f"less than {slowest:,} bytes a second arrived or were read"
            raise Refusal(408, message, "timeout", {"connection": "close"}) from None
        except ClientDisconnect:
            raise Refusal(400, "the client went away", "disconnected") from None
        earned = len(part) / slowest - (time.monotonic() - begin)
        self._left = min(self._most, self._left + earned)
        return part

"""A bound on the memory that all requests hold together."""

from __future__ import annotations

from textclf.server.refusal import Refusal

SMALL = 16 << 10
"""Bytes that any request may hold: the number of connections bounds these."""


class MemoryBudget:
    """Counts the bytes that requests hold: bodies, predictions, and answers until they are read.

    Args:
        most: how many these may be. A request that holds more alone is answered alone.

    Attributes:
        held: how many they hold.
    """

    def __init__(self, most: int) -> None:
        self._most, self.held = most, 0

    def change(self, before: int, now: int) -> None:
        """Note how many bytes a request held, and how many it will hold now.

        Raises:
            Refusal: others hold so much that these would be too many.
        """
        others = self.held - before
        if now > max(before, SMALL) and others and others + now > self._most:
            raise Refusal.overloaded("other requests hold too much memory", "memory")
        self.held = others + now

"""A log handler whose reader may stop reading: nothing that is logged waits for it."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable

_MOST_LINES = 10_000
"""Lines that wait to be written; a line has about 300 bytes."""

_PAUSE = 0.1
"""Seconds between two writes, so that many lines are written at once."""

_LAST_SECONDS = 1.0
"""How long the end of the process waits for the last lines to be written."""


class BackgroundHandler(logging.Handler):
    """Writes the lines of a log to a file in a thread, and drops those that are too many.

    Args:
        descriptor: the number of an open file, often a pipe or a terminal.
        on_dropped: called with the number of lines that were not written, because the reader is too
            slow, or because there is none.
    """

    def __init__(self, descriptor: int, on_dropped: Callable[[int], None]) -> None:
        super().__init__()
        self._descriptor, self._on_dropped = descriptor, on_dropped
        self._lines: deque[str] = deque()
        self._waiting, self._closed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="textclf-log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line of a record until it is written."""
        if len(self._lines) >= _MOST_LINES:
            self._on_dropped(1)
            return
        self._lines.append(self.format(record))
        if not self._waiting.is_set():
            self._waiting.set()

    def close(self) -> None:
        """Write what waits, unless nobody reads it."""
        self._closed.set()
        self._waiting.set()
        self._thread.join(_LAST_SECONDS)
        super().close()

    def _run(self) -> None:
        while not (self._closed.is_set() and not self._lines):
            self._waiting.wait()
            self._waiting.clear()
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            try:
                text = "".join(f"{line}\n" for line in lines)
                _write(self._descriptor, text.encode(errors="backslashreplace"))
            except OSError:  # nobody reads any more, or the disk is full
                self._on_dropped(len(lines))
            self._closed.wait(_PAUSE)


def _write(descriptor: int, data: bytes) -> None:
    """Write all of some bytes, however long that takes."""
    while data:
        data = data[os.write(descriptor, data) :]

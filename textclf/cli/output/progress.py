"""Progress of a long stream of predictions, on stderr."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from textclf.cli.output import render

Texts = TypeVar("Texts", bound=Sized)
"""Some texts: a list, or rows of a table."""

_SECONDS_BETWEEN_LINES = 5.0


class LabelledTexts:
    """Says on stderr, every few seconds, how many texts have been labelled."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._texts = 0
        self._start = self._last_line = time.monotonic()

    def watch(self, batches: Iterable[Texts]) -> Iterator[Texts]:
        """Yield the same batches; a batch is done when the next one is asked for."""
        for batch in batches:
            yield batch
            self._texts += len(batch)
            due = time.monotonic() - self._last_line >= _SECONDS_BETWEEN_LINES
            if due and not self._quiet:
                self._write()

    def end(self) -> None:
        """Write the total, if a line was written before."""
        if self._last_line != self._start:
            self._write()

    def _write(self) -> None:
        self._last_line = time.monotonic()
        speed = self._texts / (self._last_line - self._start)
        render.progress(f"{self._texts:,} texts labelled, {speed:,.0f} per second")

"""Progress of a long stream of predictions, on stderr."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from textclf.cli.output import render

Texts = TypeVar("Texts", bound=Sized)
"""Some texts: a list, or rows of a table."""

_SECONDS_BEFORE_TOTAL = 5.0


class LabelledTexts:
    """Counts the texts that have been labelled, and says how many there were in the end."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._texts = 0
        self._start = time.monotonic()

    def watch(self, batches: Iterable[Texts]) -> Iterator[Texts]:
        """Yield the same batches; a batch is done when the next one is asked for."""
        for batch in batches:
            yield batch
            self._texts += len(batch)

    def line(self) -> str:
        """Return how many texts have been labelled so far."""
        speed = self._texts / max(time.monotonic() - self._start, 0.001)
        return f"{self._texts:,} texts labelled, {speed:,.0f} per second"

    def end(self) -> None:
        """Write the total if it took long."""
        if not self._quiet and time.monotonic() - self._start >= _SECONDS_BEFORE_TOTAL:
            render.progress(self.line())

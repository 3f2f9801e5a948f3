"""Ctrl-C while the registry is being written."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def deferred_interrupts() -> Iterator[None]:
    """Obey a Ctrl-C at the end of the block, so that a change is made and told as a whole.

    A crash in the middle would be mended by the next command; who presses Ctrl-C should not have to
    know that. A second Ctrl-C is obeyed at once.
    """
    pending = False

    def note(_signal: int, _frame: object) -> None:
        nonlocal pending
        if pending:
            raise KeyboardInterrupt
        pending = True

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pending:
        raise KeyboardInterrupt

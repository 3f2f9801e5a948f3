"""Ctrl-C: obeyed at once, except in callbacks that lose it and while the registry is written."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_RETRY_SECONDS = 0.02


def obey_interrupts() -> None:
    """Make Ctrl-C a KeyboardInterrupt that compilation cannot swallow, unless it is ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)


def _interrupt(_signal: int, frame: FrameType | None) -> None:
    """Raise, or retry if in a callback of LLVM, whose exceptions ctypes prints and drops."""
    while frame and not frame.f_code.co_name.startswith("_raw_object_cache"):
        frame = frame.f_back
    if not frame:
        raise KeyboardInterrupt
    import threading

    arguments = (threading.get_ident(), signal.SIGINT)  # the main thread handles signals
    threading.Timer(_RETRY_SECONDS, signal.pthread_kill, arguments).start()


class InterruptedChange(BaseException):
    """A second Ctrl-C ended a change in the middle; only the top level handles this."""


@contextmanager
def deferred_interrupts(
    announce: Callable[[], None] = lambda: None,
) -> Iterator[Callable[[], bool]]:
    """Obey a Ctrl-C at the end of the block, so that a change is completed and reported.

    The next command would repair a change that was cut off, but users who press Ctrl-C should not
    need to know that. A second Ctrl-C is obeyed at once, as ``InterruptedChange``. What the block
    is given says whether there was one, so that a long change need not be completed as a whole.

    Args:
        announce: called at the first Ctrl-C, to say what is waited for.
    """
    pending = False

    def defer(_signal: int, _frame: object) -> None:
        nonlocal pending
        if pending:
            raise InterruptedChange
        pending = True
        announce()

    previous = signal.signal(signal.SIGINT, defer)
    try:
        yield lambda: pending
    finally:
        signal.signal(signal.SIGINT, previous)
    if pending:
        raise KeyboardInterrupt

"""Ctrl-C: obeyed at once, but not where it would be lost, nor while the registry is written."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_SOON = 0.02
"""Seconds."""


def obey_interrupts() -> None:
    """Make Ctrl-C a KeyboardInterrupt that compiling cannot swallow, unless it is ignored."""
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if usual and hasattr(signal, "pthread_kill"):  # not on Windows
        signal.signal(signal.SIGINT, _interrupt)


def _interrupt(_signal: int, frame: FrameType | None) -> None:
    """Raise, or try again soon: what a callback of LLVM raises, ctypes prints and drops."""
    while frame and not frame.f_code.co_name.startswith("_raw_object_cache"):
        frame = frame.f_back
    if not frame:
        raise KeyboardInterrupt
    import threading

    arguments = (threading.get_ident(), signal.SIGINT)  # of the main thread: it handles signals
    threading.Timer(_SOON, signal.pthread_kill, arguments).start()


class CutShort(BaseException):
    """Ended by a second Ctrl-C in the middle of a change; no code but the last place handles it."""


@contextmanager
def deferred_interrupts() -> Iterator[None]:
    """Obey a Ctrl-C at the end of the block, so that a change is made and told as a whole.

    A crash in the middle would be mended by the next command; who presses Ctrl-C should not have to
    know that. A second Ctrl-C is obeyed at once, as ``CutShort``.
    """
    pending = False

    def note(_signal: int, _frame: object) -> None:
        nonlocal pending
        if pending:
            raise CutShort
        pending = True

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pending:
        raise KeyboardInterrupt

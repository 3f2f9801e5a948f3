"""Warnings as values: capture those of one thread while others capture their own."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from textclf.formatting import first_line

_thread = threading.local()
_lock = threading.Lock()
_redirection = ExitStack()
_active = 0


@contextmanager
def capture_warnings() -> Iterator[list[str]]:
    """Capture this thread's warnings in a list of their first lines, each line once.

    The warnings module has one state for all threads, so the first capture redirects it and the
    last one restores it.
    """
    global _active  # noqa: PLW0603 - counts the captures under way
    outer, lines = getattr(_thread, "lines", None), list[str]()
    _thread.lines = lines
    with _lock:
        if not _active:
            _redirection.enter_context(warnings.catch_warnings())
            warnings.simplefilter("always")
            warnings.showwarning = _capture
        _active += 1
    try:
        yield lines
    finally:
        _thread.lines = outer
        with _lock:
            _active -= 1
            if not _active:
                _redirection.close()


def _capture(message: Warning | str, *_: object, **__: object) -> None:
    lines = getattr(_thread, "lines", None)
    if lines is not None and (line := first_line(message)) not in lines:
        lines.append(line)

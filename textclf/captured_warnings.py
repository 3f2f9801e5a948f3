"""Warnings as values: what a piece of work warns of, for threads side by side."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_thread = threading.local()
_lock = threading.Lock()
_redirection = ExitStack()
_active = 0


@contextmanager
def noted() -> Iterator[list[str]]:
    """Collect what this thread warns of meanwhile: the first lines, each once, in a list.

    The warnings module has one state for all threads, so the first that comes redirects it and the
    last that leaves puts it back.
    """
    global _active  # noqa: PLW0603 - counts the threads within
    outer, notes = getattr(_thread, "notes", None), list[str]()
    _thread.notes = notes
    with _lock:
        if not _active:
            _redirection.enter_context(warnings.catch_warnings())
            warnings.simplefilter("always")
            warnings.showwarning = _note
        _active += 1
    try:
        yield notes
    finally:
        _thread.notes = outer
        with _lock:
            _active -= 1
            if not _active:
                _redirection.close()


def first_line(message: object) -> str:
    """A message without its explanations."""
    return str(message).strip().partition("\n")[0].removesuffix(":")


def _note(message: Warning | str, *_: object, **__: object) -> None:
    notes = getattr(_thread, "notes", None)
    if notes is not None and (line := first_line(message)) not in notes:
        notes.append(line)

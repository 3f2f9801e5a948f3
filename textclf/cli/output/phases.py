"""What a command is doing, for as long as it takes: on a terminal a line that is written again."""

from __future__ import annotations

import contextlib
import gc
import threading
import time
from collections.abc import Callable, Iterator

from textclf.cli.output import render
from textclf.formatting import duration
from textclf.machine_code import compilation

_SECONDS_BEFORE_NAMED = 1.0
_SECONDS_BETWEEN_LINES = 5.0
_SECONDS_OF_COMPILING = 2.0
_TICK = 0.2

_COMPILING = "compiling, once for this installation"

ShowPhase = Callable[[str | Callable[[], str] | None], None]
"""Takes what is being done from now on: in words, as a function, or ``None`` if that is shown."""


@contextlib.contextmanager
def phases(*, quiet: bool) -> Iterator[ShowPhase]:
    """Name what takes longer than a second, while the block runs; compiling after two seconds.

    On a terminal it is a line that is written again and removed at the end; elsewhere a line every
    few seconds, and of compiling one.
    """
    if quiet:
        yield lambda _: None
        return
    display = _Display()
    watch = threading.Thread(target=display.run, daemon=True)
    watch.start()
    try:
        yield display.show
    finally:
        display.show(None)
        display.ended.set()
        watch.join()


@contextlib.contextmanager
def loading(show_phase: ShowPhase) -> Iterator[None]:
    """Name the phase of the imports in the block.

    They make many objects that stay, and looking for others among them takes a tenth of the time.
    """
    show_phase("loading the libraries")
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class _Display:
    def __init__(self) -> None:
        self.ended = threading.Event()
        self._lock = threading.Lock()
        self._phase: str | Callable[[], str] | None = None
        self._since = self._last_line = time.monotonic()
        self._told_of_compiling = False

    def show(self, phase: str | Callable[[], str] | None) -> None:
        """Take what is being done from now on."""
        with self._lock:
            self._phase, self._since = phase, time.monotonic()
            self._last_line = self._since
            render.remove_status()

    def run(self) -> None:
        """Show the phase until the end."""
        while not self.ended.wait(_TICK):
            with self._lock:
                if compilation.is_running and compilation.seconds > _SECONDS_OF_COMPILING:
                    self._write_compiling()
                elif self._phase is not None:
                    self._write(self._phase)

    def _write(self, phase: str | Callable[[], str]) -> None:
        now = time.monotonic()
        if render.has_status() and now - self._since >= _SECONDS_BEFORE_NAMED:
            render.status(self._line(phase, now))
        elif not render.has_status() and now - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._last_line = now
            render.progress(self._line(phase, now))

    def _write_compiling(self) -> None:
        if render.has_status():
            render.status(f"{_COMPILING}: {duration(compilation.seconds)}")
        elif not self._told_of_compiling:
            self._told_of_compiling = True
            render.progress(_COMPILING)

    def _line(self, phase: str | Callable[[], str], now: float) -> str:
        return phase() if callable(phase) else f"{phase}: {duration(now - self._since)}"

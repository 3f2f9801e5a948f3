"""What stderr says while a command runs: phases, the data that was read, texts, and transfers.

On a terminal it is one line that is written again and removed at the end.
"""

from __future__ import annotations

import contextlib
import gc
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import TYPE_CHECKING, TypeVar

from textclf.cli.output import render
from textclf.formatting import duration, escape_controls, size
from textclf.machine_code import compilation

if TYPE_CHECKING:
    from textclf.data.dataset import Dataset
    from textclf.registry.store.requests import Transfer


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


def show_reading(dataset: Dataset, *, quiet: bool) -> None:
    """Say on stderr how a data set was read, and warn of rows that were left out."""
    for note in [] if quiet else dataset.reading_notes:
        render.progress(note)
    for warning in dataset.reading_warnings:
        render.warning(warning)


_PATIENCE = 2.0
"""Seconds after which it is said what is waited for."""


class TransferLine:
    """One line on stderr that is written anew, and removed when no transfer lasts any more."""

    def __init__(self) -> None:
        self._lasting: list[Transfer] = []
        self._lock = threading.Lock()

    def show(self, transfer: Transfer) -> None:
        """Show the transfers that have lasted for two seconds, or remove the line."""
        now = time.monotonic()
        with self._lock:
            self._lasting = [one for one in self._lasting if one is not transfer]
            if not transfer.has_ended and now - transfer.began >= _PATIENCE:
                self._lasting.append(transfer)
            elif not transfer.has_ended:
                return
            if self._lasting:
                first = min(self._lasting, key=lambda one: one.began)
                others = f", and {len(self._lasting) - 1} more" if self._lasting[1:] else ""
                render.status(f"{_described(first)}, {duration(now - first.began)}{others}")
            else:
                render.remove_status()


def _described(transfer: Transfer) -> str:
    name = escape_controls(transfer.path.rpartition("/")[2] or transfer.path)
    if transfer.size is None:
        return f"{transfer.action} the bucket"
    done = "" if transfer.done is None else f"{size(transfer.done)} of "
    return f"{transfer.action} {name}, {done}{size(transfer.size)}"

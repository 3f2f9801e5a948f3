"""The main fields of all versions, kept in memory, so that pages of thousands are quick."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textclf.errors import TextclfError
from textclf.metadata.versions import parse_version
from textclf.registry.listing import ListedVersion, read_marks

if TYPE_CHECKING:
    from textclf.metadata.schema import Summary
    from textclf.registry.registry import Registry

_FRESH = 1.0
"""Seconds for which what was read is believed."""

_PATIENCE = 0.05
"""Seconds that are waited for what is newer."""


METRICS = {
    "macro_f1": "macro F1",
    "test_accuracy": "test accuracy",
    "best_cv_accuracy": "cv accuracy",
}
"""The metrics of a list: their names in a URL, and those for people."""

SORTS = ("version", "saved_at", "rows", *METRICS)
"""What a list can be sorted by."""


def sort_key(field: str) -> Callable[[ListedVersion], Any]:
    """Return what to sort by, highest first: what is not known comes last."""
    if field == "version":
        return lambda listed: parse_version(listed.version).to_tuple()[:3]

    def known_first(listed: ListedVersion) -> tuple[bool, Any]:
        value = getattr(listed, field)
        return value is not None, value or 0

    return known_first


@dataclass(frozen=True)
class Listing:
    """All versions, highest first, and the errors of those that cannot be read."""

    versions: Sequence[ListedVersion]
    problems: Sequence[str]


class VersionIndex:
    """Reads each version once, and afterwards only new ones.

    Listing ten thousand takes a second. Whoever asks waits for a moment, and then gets the list as
    it was before.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="textclf-versions")
        self._reading: Future[None] | None = None
        self._summaries: dict[str, Summary] = {}
        self._listing: Listing | None = None
        self._read_at = 0.0

    def listing(self) -> Listing:
        """Return all versions; what cannot be read is named.

        Raises:
            StoreError: the registry cannot be read.
        """
        reading = self._read_if_old()
        if reading is not None:
            known = self._listing is not None
            with contextlib.suppress(TimeoutError):
                reading.result(_PATIENCE if known else None)
        return self._listing or self.listing()

    def _read_if_old(self) -> Future[None] | None:
        """Return the reading that is going on or that is due, if one is."""
        with self._lock:
            if self._reading is None or self._reading.done():
                old = time.monotonic() - self._read_at > _FRESH
                self._reading = self._pool.submit(self._update) if old else None
            return self._reading

    def _update(self) -> None:
        self._listing = self._read()
        self._read_at = time.monotonic()

    def _read(self) -> Listing:
        marks = read_marks(self._registry)
        problems = [error.message for error in marks.problems] + self._read_summaries()
        listed = sorted(map(marks.listed, self._summaries.values()), key=sort_key("version"))
        return Listing(listed[::-1], problems)

    def _read_summaries(self) -> list[str]:
        """Read the versions that are not known yet; return why some cannot be read."""
        problems = []
        numbers = {str(version): version for version in self._registry.numbers()}
        self._summaries = {v: s for v, s in self._summaries.items() if v in numbers}
        unknown = [version for name, version in numbers.items() if name not in self._summaries]
        for read in self._registry.summaries(unknown):
            if isinstance(read, TextclfError):
                problems.append(read.message)
            else:
                self._summaries[read.version] = read
        return problems

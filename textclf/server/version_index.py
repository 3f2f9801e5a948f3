"""The main fields of all versions, kept in memory, so that pages of thousands are quick."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from textclf.errors import TextclfError
from textclf.metadata.channels import LATEST
from textclf.metadata.versions import parse_version

if TYPE_CHECKING:
    from textclf.metadata.schema import Summary
    from textclf.registry.registry import Registry

_FRESH = 1.0
"""Seconds for which what was read is believed."""

_PATIENCE = 0.05
"""Seconds that are waited for what is newer."""


@dataclass(frozen=True)
class ListedVersion:
    """A version as lists show it.

    Attributes:
        summary: the main fields of its metadata.
        channels: the channels in which it is promoted.
        tags: its tags.
        change: the difference of its macro F1 to that of the next lower version, if there is one.
    """

    summary: Summary
    channels: Sequence[str]
    tags: Mapping[str, str]
    change: float | None

    @property
    def promoted(self) -> bool:
        """Whether it is the promoted version."""
        return LATEST in self.channels

    def as_json(self) -> dict[str, Any]:
        """Return the fields that ``textclf versions list --json`` has."""
        return {
            "version": self.summary.version,
            "latest": self.promoted,
            "saved_at": self.summary.saved_at,
            "best_cv_accuracy": self.summary.best_cv_accuracy,
            "test_accuracy": self.summary.test_accuracy,
            "macro_f1": self.summary.test.metrics.macro_f1,
            "rows": self.summary.rows,
            "untrusted": self.summary.is_untrusted,
            "message": self.summary.message,
            "tags": dict(self.tags),
            "channels": list(self.channels),
        }


def _number(listed: ListedVersion) -> tuple[int, ...]:
    return parse_version(listed.summary.version).to_tuple()[:3]


def _unknown_last(value: float | None) -> tuple[bool, float]:
    """Return what to sort by, highest first: what is not known comes last."""
    return value is not None, value or 0.0


def _by_metric(
    value: Callable[[ListedVersion], float | None], listed: ListedVersion
) -> tuple[bool, float]:
    return _unknown_last(value(listed))


METRICS: dict[str, tuple[str, Callable[[ListedVersion], float | None]]] = {
    "macro_f1": ("macro F1", lambda listed: listed.summary.test.metrics.macro_f1),
    "test_accuracy": ("test accuracy", lambda listed: listed.summary.test_accuracy),
    "best_cv_accuracy": ("cv accuracy", lambda listed: listed.summary.best_cv_accuracy),
}
"""The metrics of a list: their names in a URL, those for people, and how to get them."""

SORTS: dict[str, Callable[[ListedVersion], Any]] = {
    "version": _number,
    "saved_at": lambda listed: listed.summary.saved_at,
    "rows": lambda listed: _unknown_last(listed.summary.rows),
    **{name: partial(_by_metric, value) for name, (_, value) in METRICS.items()},
}
"""What a list can be sorted by."""


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
        channels, unknown = self._registry.promoted_in()
        problems = [error.message for error in unknown]
        try:
            states = self._registry.events.version_states()
        except TextclfError as error:
            states = {}
            problems.append(error.message)
        problems += self._read_summaries()
        ordered = sorted(
            self._summaries.values(), key=lambda summary: parse_version(summary.version)
        )
        listed = [
            ListedVersion(
                summary,
                channels.get(summary.version, []),
                states[summary.version].tags if summary.version in states else {},
                _change(summary, ordered[n - 1] if n else None),
            )
            for n, summary in enumerate(ordered)
        ]
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


def _change(summary: Summary, before: Summary | None) -> float | None:
    if before is None:
        return None
    return summary.test.metrics.macro_f1 - before.test.metrics.macro_f1

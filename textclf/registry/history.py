"""Promotions and all other events of a registry, in one order."""

from __future__ import annotations

import contextlib
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from typing import Any, TypeVar

import msgspec

from textclf.errors import IntegrityError, TextclfError
from textclf.metadata.channels import LATEST
from textclf.metadata.verdict import Verdict
from textclf.registry.event_log import Event, EventKind
from textclf.registry.promotion_log import AppendOnlyLog, PromotionRecord
from textclf.registry.reader import RegistryReader

T = TypeVar("T", PromotionRecord, Event)

Entry = PromotionRecord | Event


@dataclass(frozen=True)
class History:
    """What happened in a registry.

    Attributes:
        promotions: all promotions in ``latest`` that can be read, oldest first.
        entries: these, those of other channels, and all other events, ordered by time.
        damaged: why the others cannot be read.
    """

    promotions: Sequence[PromotionRecord]
    entries: Sequence[Entry]
    damaged: Sequence[TextclfError]


def read_promotions(registry: RegistryReader, channel: str) -> History:
    """Return the promotions of one channel, as far as they can be read.

    Raises:
        UsageError: the name cannot be that of a channel.
    """
    damaged: list[TextclfError] = []
    records = list(_readable(registry.channel(channel), damaged))
    return History(records, records, damaged)


def read_history(registry: RegistryReader) -> History:
    """Return what happened in a registry, as far as it can be read."""
    damaged: list[TextclfError] = []
    latest, *others = registry.channels()
    promotions = list(_readable(latest, damaged))
    events = list(_readable(registry.events, damaged))
    entries = _by_time(promotions, events)
    for log in others:
        entries = list(merge(entries, _readable(log, damaged), key=lambda entry: entry.at))
    return History(promotions, list(_failures_last(entries)), damaged)


class HistoryFollower:
    """Gives the records that a registry gets from now on.

    Args:
        registry: the registry.
        channel: the channel whose promotions are followed; ``None``: those of all.
        events: whether refusals and other events are followed, too.

    Raises:
        StoreError: the logs cannot be listed.
    """

    def __init__(
        self, registry: RegistryReader, channel: str | None = None, *, events: bool = False
    ) -> None:
        self._registry, self._channel, self._events = registry, channel, events
        self._ends = {log.folder: log.last_number() for log in self._logs()}
        self._present = set(self._ends)

    def new_entries(self) -> Iterator[Entry | TextclfError]:
        """Yield what was added since the last call; the error in the place of a damaged record.

        Each log keeps its own order. A log that vanishes and comes back goes on where it was; a
        shorter one in its place is a new log. A log that became shorter at once was replaced; it is
        followed from its end.

        Raises:
            StoreError: the logs cannot be listed or read; nothing is lost if it is called again.
        """
        logs = [(log, log.numbers()) for log in self._logs()]
        for log, numbers in logs:
            end = self._ends.setdefault(log.folder, 0)
            if numbers and numbers[-1] < end:
                end = numbers[-1] if log.folder in self._present else 0
                self._ends[log.folder] = end
            for n in numbers[bisect_right(numbers, end) :]:
                try:
                    entry: Entry | TextclfError = log.read(n)
                except IntegrityError as error:
                    entry = error
                self._ends[log.folder] = n
                yield entry
        self._present = {log.folder for log, numbers in logs if numbers}

    def _logs(self) -> list[AppendOnlyLog[Any]]:
        registry, channel = self._registry, self._channel
        logs = [registry.channel(channel)] if channel else registry.channels()
        return [*logs, registry.events] if self._events else [*logs]


def entry_as_json(entry: Entry) -> dict[str, Any]:
    """Return an entry as ``textclf history --all --json`` has it."""
    if isinstance(entry, Event):
        fields = msgspec.to_builtins(entry)
        return {name: value for name, value in fields.items() if name != "token"}
    return {"kind": "promoted", **entry.as_json()}


def what_happened(record: PromotionRecord) -> str:
    """Return what a promotion was: ``promoted``, ``promoted in staging``, or ``rolled back``."""
    done = "promoted" if record.restores is None else "rolled back"
    return done if record.channel == LATEST else f"{done} in {record.channel}"


def unmet_rules(event: Event) -> Sequence[str]:
    """Return the requirements that a refused version did not meet; none for other events."""
    if event.kind != EventKind.REFUSED:
        return []
    with contextlib.suppress(msgspec.ValidationError):  # written by a later textclf
        verdict = msgspec.convert(event.detail, Verdict)
        return list(dict.fromkeys(check.rule for check in verdict.failed))
    return []


def _readable(log: AppendOnlyLog[T], damaged: list[TextclfError]) -> Iterator[T]:
    """Yield the records of a log, and add the errors of those that cannot be read to a list."""
    for entry in log.entries():
        if isinstance(entry, TextclfError):
            damaged.append(entry)
        else:
            yield entry


def _failures_last(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Yield entries with the events of who was not told of a promotion behind that promotion.

    They may have been written in the same second.
    """
    waiting: dict[str, list[Entry]] = {
        f"{e.channel} {e.n}": [] for e in entries if isinstance(e, PromotionRecord)
    }
    for entry in entries:
        if isinstance(entry, PromotionRecord):
            yield entry
            yield from waiting.pop(f"{entry.channel} {entry.n}", [])
        elif (
            entry.kind == EventKind.UNNOTIFIED
            and (later := waiting.get(f"{entry.detail.get('channel')} {entry.detail.get('n')}"))
            is not None
        ):
            later.append(entry)
        else:
            yield entry


def _by_time(records: Sequence[PromotionRecord], events: Sequence[Event]) -> list[Entry]:
    """Merge both by time; each keeps its own order, even where a clock was set back.

    In the same second a refusal follows the promotion of the version it was judged against, and
    comes before any other promotion, such as the one that overrides it.
    """
    entries: list[Entry] = []
    remaining = deque(records)
    for event in events:
        against = event.detail.get("against")
        while remaining and (
            remaining[0].at < event.at
            or (remaining[0].at == event.at and remaining[0].to == against)
        ):
            entries.append(remaining.popleft())
        entries.append(event)
    return [*entries, *remaining]

"""What is known of a remote registry: the digests of its files, and where its logs end.

What a log says now is always asked of the store, by listing what comes after the last record that
is known. That one small request also shows the last known record as it is now: if it is another
one, the registry is another one, and nothing that was known of it counts.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Protocol

import msgspec

from textclf.registry.layout import (
    EVENTS,
    PROMOTIONS,
    REGISTRY,
    is_log,
    never_changes,
    record_name,
    record_number,
)
from textclf.registry.store.base import Store
from textclf.registry.store.file_cache import FileCache, Index, LogEnd

_SAME_MOMENT = 1.0
"""Seconds in which a command that has listed a log does not list it a second time."""
_ON_A_PAGE = 500
"""Records of all logs that surely come with one request."""


class RemoteStore(Store, Protocol):
    """A store that tells what it identifies the content of its files by."""

    def stamps(self, folder: str, after: str = "") -> Mapping[str, str]:
        """Return the stamps of the records of logs below a folder, by their key without its own.

        It may return those of other files, too.

        Args:
            folder: the folder's key.
            after: only those whose key, without the folder's, sorts after this.
        """
        ...


class KnownRegistry:
    """What the cache has of one registry, kept in step with the store by listing its logs.

    Args:
        connect: returns the store; not called before anything is asked of it.
        url: its location, to find it in the cache.
        cache: the cache.
    """

    def __init__(self, connect: Callable[[], RemoteStore], url: str, cache: FileCache) -> None:
        self._connect, self._url, self._cache = connect, url, cache
        self._index = cache.index(url)
        self._learned: set[str] = set()
        self._listed: dict[str, tuple[list[str], float]] = {}
        self._all: tuple[list[str], float] = [], -math.inf

    @cached_property
    def store(self) -> RemoteStore:
        """The store."""
        return self._connect()

    @property
    def files(self) -> Mapping[str, str]:
        """The digest of each file that never changes, as far as it is known."""
        return self._index.files

    @property
    def is_known(self) -> bool:
        """Whether anything tells that the registry is still the same: the end of its first log."""
        return PROMOTIONS in self._index.logs

    def keep(self, contents: Mapping[str, bytes]) -> None:
        """Keep those files that never change in the cache."""
        kept = {key: data for key, data in contents.items() if never_changes(key)}
        digests = {key: self._cache.keep(data) for key, data in kept.items()}
        if digests and self.is_known:
            self._index.files |= digests
            self._cache.keep_index(self._index)

    # -- logs ------------------------------------------------------------------------------------

    def known_records(self, folder: str) -> list[str]:
        """Return the names of a log's records up to its known end; nothing is asked."""
        end = self._index.logs.get(folder)
        return _names_to(end.records) if end else []

    def just_listed(self, folder: str) -> Sequence[str] | None:
        """Return the keys below a folder of the registry's own, if they were listed just now."""
        keys, listed_at = self._all
        is_fresh = time.monotonic() - listed_at < _SAME_MOMENT
        return keys if is_fresh and folder.startswith(REGISTRY) else None

    def learn(self, folder: str) -> None:
        """List a log, unless this was done, for those who will ask for it in a moment."""
        if folder not in self._learned:
            self._listed[folder] = self.records(folder), time.monotonic()

    def records(self, folder: str) -> list[str]:
        """Return the names of a log's records now; as a rule this takes one small request."""
        if PROMOTIONS not in self._learned and self._takes_one_request():
            self._list_all()
        names, listed_at = self._listed.pop(folder, ([], -math.inf))
        is_fresh = time.monotonic() - listed_at < _SAME_MOMENT
        return names if is_fresh else self._list(folder)

    def _takes_one_request(self) -> bool:
        """Whether all records surely come with one request, or must all be asked for anyway."""
        return sum(log.records for log in self._index.logs.values()) <= _ON_A_PAGE

    def _list(self, folder: str) -> list[str]:
        """Ask for the records of a log from the last known one on; return the names of all."""
        return self._learn(folder, self.store.stamps(folder, self._before_end(folder)))

    def _list_all(self) -> None:
        """Ask for all records by one request, for those who will ask for them in a moment."""
        stamps = self.store.stamps(REGISTRY)
        parents = (f"{REGISTRY}/{key}".rpartition("/")[0] for key in stamps)
        folders = [PROMOTIONS, EVENTS, *self._index.logs, *filter(is_log, parents)]
        for folder in dict.fromkeys(folders):
            start = f"{folder.removeprefix(f'{REGISTRY}/')}/"
            own = {k.removeprefix(start): v for k, v in stamps.items() if k.startswith(start)}
            self._listed[folder] = self._learn(folder, own), time.monotonic()
        self._all = [f"{REGISTRY}/{key}" for key in stamps], time.monotonic()

    def _before_end(self, folder: str) -> str:
        """Return the name before that of the last known record, which is to be shown again."""
        end = self._index.logs.get(folder)
        return record_name(end.records - 1) if end and end.records else ""

    def _learn(self, folder: str, stamps: Mapping[str, str]) -> list[str]:
        """Compare what is listed with what is known, and return the names of all records."""
        end = self._index.logs.get(folder)
        if end and end.records and stamps.get(record_name(end.records)) != end.stamp:
            self._index = Index(self._url)  # it is another registry
            return self._list(folder)
        if end is None and folder == PROMOTIONS:
            self._index.files.clear()  # nothing tells whether the registry is still the same
        names = [*dict.fromkeys([*self.known_records(folder), *filter(record_number, stamps)])]
        if folder == EVENTS:
            self._forget_changed(names[end.records :] if end else None)
        self._note_end(folder, names, stamps)
        self._learned.add(folder)
        return names

    def _forget_changed(self, events: Sequence[str] | None) -> None:
        """Forget the files of versions that something was done to: one may have been pruned.

        Args:
            events: the names of the events since the last time; None if that is not known.
        """
        versions: set[str] = {key.split("/")[0] for key in self._index.files}
        if events is not None:
            keys = [f"{EVENTS}/{name}" for name in events]
            contents = dict(zip(keys, self.store.read_many(keys), strict=True))
            known = {key: data for key, data in contents.items() if isinstance(data, bytes)}
            self.keep(known)
            if len(known) == len(keys):
                versions = set(map(_version_of, known.values()))
        versions -= {EVENTS.split("/")[0]}
        for key in [key for key in self._index.files if key.split("/")[0] in versions]:
            del self._index.files[key]

    def _note_end(self, folder: str, names: Sequence[str], stamps: Mapping[str, str]) -> None:
        """Remember where a log ends, if it has no gaps, in which a record could still appear."""
        last = max(names, default="")
        records = record_number(last) or 0
        if sorted(names) != _names_to(records) or not (records or folder == EVENTS):
            return
        end = LogEnd(records, stamps.get(last, ""))
        if self._index.logs.get(folder) != end:
            self._index.logs[folder] = end
            self._cache.keep_index(self._index)


def _version_of(event: bytes) -> str:
    """Return the version that an event is about; nothing if it is damaged."""
    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
        content = msgspec.json.decode(event)
        return str(content.get("version", "")) if isinstance(content, dict) else ""
    return ""


def _names_to(last: int) -> list[str]:
    """Return the names of the records 1 to ``last``."""
    return [record_name(n) for n in range(1, last + 1)]

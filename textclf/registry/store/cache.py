"""A store that is far away, read through the cache: what never changes is fetched once.

What a log says now is always asked of the store, by listing what comes after the last record that
is known. That one small request also shows the last known record as it is now: if it is another
one, the registry is another one, and nothing that was known of it counts.

This is for reading. A program that changes the registry has to know whether a version is still
there, so it takes the store itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import mmap
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, Protocol

import msgspec

from textclf.errors import IntegrityError, StoreError, Unreachable
from textclf.files import LARGEST
from textclf.registry.layout import (
    EVENTS,
    PROMOTIONS,
    REGISTRY,
    is_log,
    never_changes,
    record_name,
    record_number,
)
from textclf.registry.store.base import (
    Incomplete,
    LogNames,
    Missing,
    Stamped,
    Store,
    View,
    check_key,
    names_of_logs,
)
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


class CachedStore(Store):
    """A remote store, read through the cache.

    Args:
        connect: returns the store; not called if the cache is enough.
        url: its location, for messages, and to find it in the cache.
        cache: the cache.
        offline: never ask the store: all that is known is in the cache.
        offline_ok: if the store cannot be reached, warn, and go on as if ``offline``.
    """

    def __init__(
        self,
        connect: Callable[[], RemoteStore],
        url: str,
        cache: FileCache,
        *,
        offline: bool = False,
        offline_ok: bool = False,
    ) -> None:
        self._connect = connect
        self._url = url
        self._cache = cache
        self._offline = offline
        self._offline_ok = offline_ok
        self._index = cache.index(url)
        self._learned: set[str] = set()
        self._listed: dict[str, tuple[list[str], float]] = {}
        self._all: tuple[list[str], float] = [], -math.inf

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy connects anew, and asks what is promoted before it uses the cache."""
        make = partial(CachedStore, offline=self._offline, offline_ok=self._offline_ok)
        return make, (self._connect, self._url, self._cache)

    @cached_property
    def _remote(self) -> RemoteStore:
        return self._connect()

    # -- reading ---------------------------------------------------------------------------------

    def read(self, key: str, most: int = LARGEST) -> bytes:
        known = self._known(key, most)
        if known is not None:
            return known
        data = self._asked(key).read(key, most)
        self._keep({key: data})
        return data

    def view(self, key: str, digest: str | None = None) -> View:
        """See Store: the file in the cache is mapped; it is checked when it is fetched."""
        if digest is None:
            return self.read(key)
        path = self._cache.find(digest)
        if path is None:
            data = self._asked(key).read(key)
            if hashlib.sha256(data).hexdigest() != digest:
                raise IntegrityError(
                    f"{self.locate(key)} is not the file that was published", hint="textclf verify"
                )
            self._keep({key: data})
            path = self._cache.find(digest)
            if path is None:  # there is no place for it
                return data
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def read_many(
        self, keys: Sequence[str], most: int = LARGEST
    ) -> Iterator[bytes | Missing | StoreError]:
        files = self._files()
        is_known = PROMOTIONS in self._index.logs
        if is_known and not self._offline and EVENTS not in self._learned:
            self._listed[EVENTS] = self._records(EVENTS), time.monotonic()
            files = self._files()
        missing = [key for key in keys if key not in files]
        fetched = iter(self._fetched(missing, most)) if missing else iter(())
        for key in keys:
            if key not in files:
                yield next(fetched)
                continue
            try:
                yield self.read(key, most)
            except (Missing, StoreError) as error:
                yield error

    def _fetched(self, keys: Sequence[str], most: int) -> Iterator[bytes | Missing | StoreError]:
        if self._offline:
            yield from (self._not_here(key) for key in keys)
            return
        new: dict[str, bytes] = {}
        try:
            for key, content in zip(keys, self._remote.read_many(keys, most), strict=True):
                if isinstance(content, bytes):
                    new[key] = content
                yield content
        finally:
            self._keep(new)

    def read_stamped(self, key: str) -> Stamped:
        return self._asked(key).read_stamped(key)

    def exists(self, key: str) -> bool:
        """See Store: this is always asked of the store, because a version may be pruned."""
        return key in self._index.files if self._offline else self._remote.exists(key)

    def names(self, folder: str = "", after: str = "") -> list[str]:
        if is_log(folder):
            return [name for name in self._records(folder) if name > after]
        keys, listed_at = self._all
        is_listed = folder.startswith(REGISTRY) and time.monotonic() - listed_at < _SAME_MOMENT
        if not self._offline and not is_listed:
            return self._remote.names(folder, after)
        if not folder:
            self._warn_of_absent()
        start = f"{folder}/" if folder else ""
        known = keys if is_listed else self._index.files
        below = (key.removeprefix(start).split("/")[0] for key in known if key.startswith(start))
        return [name for name in dict.fromkeys(below) if name > after]

    def log_names(self) -> LogNames:
        return names_of_logs(self)

    def folders_with(self, name: str) -> list[str]:
        if not self._offline:
            return self._remote.folders_with(name)
        self._warn_of_absent()
        parts = (key.split("/") for key in self._index.files)
        return [folder for folder, *rest in parts if rest == [name]]

    def locate(self, key: str = "") -> str:
        return f"{self._url}/{key}" if key else self._url

    def why_incomplete(self, folder: str) -> Incomplete:
        return self._asked(folder).why_incomplete(folder)

    def leftovers(self) -> list[str]:
        return self._asked("").leftovers()

    # -- writing, which the cache has no part in -------------------------------------------------

    def create(self, key: str, data: bytes) -> None:
        self._asked(key).create(key, data)

    def replace(self, key: str, data: bytes, seen: Stamped | None = None) -> None:
        self._asked(key).replace(key, data, seen)

    def create_all(self, folder: str, files: Mapping[str, bytes], *, resume: bool = False) -> None:
        self._asked(folder).create_all(folder, files, resume=resume)

    def remove(self, key: str) -> None:
        self._asked(key).remove(key)

    def remove_all(self, folder: str, *, first: str) -> None:
        self._asked(folder).remove_all(folder, first=first)

    def require_writable(self) -> None:
        self._asked("").require_writable()

    def sweep(self) -> None:
        self._asked("").sweep()

    # -- logs ------------------------------------------------------------------------------------

    def _records(self, folder: str) -> list[str]:
        """Return the names of a log's records; as a rule this takes one small request."""
        if not self._offline:
            try:
                return self._asked_records(folder)
            except Unreachable as error:
                self._go_offline(error)
        if PROMOTIONS not in self._index.logs:
            raise self._not_here("")
        end = self._index.logs.get(folder)
        return _names_to(end.records) if end else []

    def _asked_records(self, folder: str) -> list[str]:
        if PROMOTIONS not in self._learned and self._takes_one_request():
            self._list_all()
        names, listed_at = self._listed.pop(folder, ([], -math.inf))
        is_fresh = time.monotonic() - listed_at < _SAME_MOMENT
        return names if is_fresh else self._list(folder)

    def _takes_one_request(self) -> bool:
        """Whether all records surely come with one request, or must all be asked for anyway."""
        return sum(log.records for log in self._index.logs.values()) <= _ON_A_PAGE

    def _go_offline(self, error: Unreachable) -> None:
        if not (self._offline_ok and self._index.logs):
            raise error
        warnings.warn(f"{error}; going on with what is in the cache", stacklevel=2)
        self._offline = True

    def _list(self, folder: str) -> list[str]:
        """Ask for the records of a log from the last known one on; return the names of all."""
        return self._learn(folder, self._remote.stamps(folder, self._before_end(folder)))

    def _list_all(self) -> None:
        """Ask for all records by one request, for those who will ask for them in a moment."""
        stamps = self._remote.stamps(REGISTRY)
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
        known = _names_to(end.records) if end else []
        names = [*dict.fromkeys([*known, *filter(record_number, stamps)])]
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
            contents = dict(zip(keys, self._remote.read_many(keys), strict=True))
            known = {key: data for key, data in contents.items() if isinstance(data, bytes)}
            self._keep(known)
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

    # -- content ---------------------------------------------------------------------------------

    def _files(self) -> Mapping[str, str]:
        """Return the digests of what is known, once it is certain that the registry is the same."""
        if not self._offline and PROMOTIONS not in self._learned:
            self._listed[PROMOTIONS] = self._records(PROMOTIONS), time.monotonic()
        return self._index.files if self._index.logs.get(PROMOTIONS) else {}

    def _known(self, key: str, most: int) -> bytes | None:
        digest = self._files().get(key) if never_changes(check_key(key)) else None
        data = self._cache.read(digest) if digest else None
        if data is not None and len(data) > most:
            raise StoreError(f"cannot read {self.locate(key)}: it has more than {most:,} bytes")
        return data

    def _keep(self, contents: Mapping[str, bytes]) -> None:
        kept = {key: data for key, data in contents.items() if never_changes(key)}
        digests = {key: self._cache.keep(data) for key, data in kept.items()}
        if digests and PROMOTIONS in self._index.logs:
            self._index.files |= digests
            self._cache.keep_index(self._index)

    def _warn_of_absent(self) -> None:
        warnings.warn(
            f"only the versions in the cache are shown, because {self._url} is not reached",
            stacklevel=2,
        )

    def _asked(self, key: str) -> RemoteStore:
        if self._offline:
            raise self._not_here(key)
        return self._remote

    def _not_here(self, key: str) -> StoreError:
        return Unreachable(
            f"{self.locate(key)} is not in the cache, and the store is not asked",
            hint="unset TEXTCLF_OFFLINE and run the command once while the store can be reached",
        )


def _version_of(event: bytes) -> str:
    """Return the version that an event is about; nothing if it is damaged."""
    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
        content = msgspec.json.decode(event)
        return str(content.get("version", "")) if isinstance(content, dict) else ""
    return ""


def _names_to(last: int) -> list[str]:
    """Return the names of the records 1 to ``last``."""
    return [record_name(n) for n in range(1, last + 1)]

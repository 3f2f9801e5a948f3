"""A store that is far away, read through the cache: what never changes is fetched once.

This is for reading. A program that changes the registry has to know whether a version is still
there, so it takes the store itself.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from textclf.errors import IntegrityError, StoreError, Unreachable
from textclf.files import LARGEST, MappedFile
from textclf.registry.layout import EVENTS, PROMOTIONS, is_log, never_changes
from textclf.registry.store.base import (
    Incomplete,
    Missing,
    Stamped,
    Store,
    View,
    check_key,
)
from textclf.registry.store.file_cache import FileCache
from textclf.registry.store.known_registry import KnownRegistry, RemoteStore


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
        self._registry = KnownRegistry(connect, url, cache)

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy connects anew, and asks what is promoted before it uses the cache."""
        make = partial(CachedStore, offline=self._offline, offline_ok=self._offline_ok)
        return make, (self._connect, self._url, self._cache)

    @property
    def _remote(self) -> RemoteStore:
        return self._registry.store

    # -- reading ---------------------------------------------------------------------------------

    def read(self, key: str, most: int = LARGEST) -> bytes:
        known = self._known(key, most)
        if known is not None:
            return known
        data = self._asked(key).read(key, most)
        self._registry.keep({key: data})
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
            self._registry.keep({key: data})
            path = self._cache.find(digest)
            if path is None:  # there is no place for it
                return data
        with path.open("rb") as file:
            return MappedFile(file)

    def read_many(
        self, keys: Sequence[str], most: int = LARGEST
    ) -> Iterator[bytes | Missing | StoreError]:
        files = self._files()
        if self._registry.is_known:
            self._learn(EVENTS)
            files = self._files()
        missing = [key for key in keys if key not in files]
        fetched = iter(self._fetched(missing, most) if missing else ())
        for key in keys:
            if key not in files:
                yield next(fetched)
                continue
            try:
                yield self.read(key, most)
            except (Missing, StoreError) as error:
                yield error
        yield from fetched  # nothing more, but at its end it keeps what came

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
            self._registry.keep(new)

    def read_stamped(self, key: str) -> Stamped:
        return self._asked(key).read_stamped(key)

    def exists(self, key: str) -> bool:
        """See Store: this is always asked of the store, because a version may be pruned."""
        return key in self._registry.files if self._offline else self._remote.exists(key)

    def names(self, folder: str = "", after: str = "") -> list[str]:
        if is_log(folder):
            return [name for name in self._records(folder) if name > after]
        keys = self._registry.just_listed(folder)
        if not self._offline and keys is None:
            return self._remote.names(folder, after)
        if not folder:
            self._warn_of_absent()
        start = f"{folder}/" if folder else ""
        known = self._registry.files if keys is None else keys
        below = (key.removeprefix(start).split("/")[0] for key in known if key.startswith(start))
        return [name for name in dict.fromkeys(below) if name > after]

    def folders_with(self, name: str) -> list[str]:
        if not self._offline:
            return self._remote.folders_with(name)
        self._warn_of_absent()
        parts = (key.split("/") for key in self._registry.files)
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

    # -- logs ------------------------------------------------------------------------------------

    def _records(self, folder: str) -> list[str]:
        """Return the names of a log's records; as a rule this takes one small request."""
        if not self._offline:
            try:
                return self._registry.records(folder)
            except Unreachable as error:
                self._go_offline(error)
        if not self._registry.is_known:
            raise self._not_here("")
        return self._registry.known_records(folder)

    def _learn(self, folder: str) -> None:
        """List a log, unless this was done: its end tells whether what is known still counts."""
        if not self._offline:
            try:
                self._registry.learn(folder)
            except Unreachable as error:
                self._go_offline(error)

    def _go_offline(self, error: Unreachable) -> None:
        if not (self._offline_ok and self._registry.is_known):
            raise error
        warnings.warn(f"{error}; going on with what is in the cache", stacklevel=2)
        self._offline = True

    # -- content ---------------------------------------------------------------------------------

    def _files(self) -> Mapping[str, str]:
        """Return the digests of what is known, once it is certain that the registry is the same."""
        self._learn(PROMOTIONS)
        return self._registry.files if self._registry.is_known else {}

    def _known(self, key: str, most: int) -> bytes | None:
        digest = self._files().get(key) if never_changes(check_key(key)) else None
        data = self._cache.read(digest) if digest else None
        if data is not None and len(data) > most:
            raise StoreError(f"cannot read {self.locate(key)}: it has more than {most:,} bytes")
        return data

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

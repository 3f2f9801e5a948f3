"""A prefix of a bucket as a store: S3, Azure Blob Storage, Google Cloud Storage, through obstore.

Every write is conditional: it creates a key, or it updates the very content that its writer has
seen. So of writers at once exactly one succeeds.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from textclf.errors import StoreError
from textclf.files import LARGEST
from textclf.registry.layout import REGISTRY, is_log
from textclf.registry.store.base import (
    Changed,
    Exists,
    Incomplete,
    LogNames,
    Missing,
    Stamped,
    Store,
    back_off,
    check_key,
    check_name,
    is_key,
)
from textclf.registry.store.conditions import ConditionCheck
from textclf.registry.store.objects import ATTEMPTS, Objects, version_of

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Bucket


_ABANDONED = timedelta(days=1)
"""A folder that nobody has added to for so long was left by a writer that died."""

_LONGEST_CREATION = _ABANDONED.total_seconds() / 2


class ObjectStore(Store):
    """Objects below a prefix of a bucket.

    Args:
        bucket: the connected store of obstore.
        prefix: where the keys of this store begin, without a slash at its end; may be empty.
        url: the location for messages, without anything secret.
        server: what else tells this location from others with the same URL, such as an endpoint.
    """

    at_once = 16

    def __init__(self, bucket: Bucket, prefix: str, url: str, server: str = "") -> None:
        self.objects = Objects(bucket, prefix, url)
        self._written: dict[str, Stamped] = {}
        self._conditions = ConditionCheck(self.objects, f"{self.locate()} {server}".strip())

    # -- reading ---------------------------------------------------------------------------------

    def read(self, key: str, most: int = LARGEST) -> bytes:
        return self.objects.read(key, most)

    def read_stamped(self, key: str) -> Stamped:
        if key in self._written and self._is_unchanged(key, self._written[key]):
            return self._written[key]
        try:
            found = self.objects.get(key)
        except Missing:
            return Stamped(None, None)
        return Stamped(self.objects.content(key, found), version_of(found.meta))

    def _is_unchanged(self, key: str, written: Stamped) -> bool:
        """Whether what this process wrote is still there; it is not sent again to say so."""
        found = self.objects.head(key)
        return found is not None and version_of(found.meta) == written.stamp

    def exists(self, key: str) -> bool:
        return self.objects.head(key) is not None

    def names(self, folder: str = "", after: str = "") -> list[str]:
        found = self.objects.below(folder, after) if after else self.objects.names(folder)
        names = dict.fromkeys(key.split("/")[0] for key in found)
        return [name for name in names if is_key(name)]

    def stamps(self, folder: str, after: str = "") -> dict[str, str]:
        """Return the ETags of all files below a folder, by their key without the folder's.

        Args:
            folder: the folder's key.
            after: only those whose key, without the folder's, sorts after this.
        """
        found = self.objects.below(folder, after).items()
        return {key: str(meta["e_tag"]) for key, meta in found if is_key(key)}

    def log_names(self) -> LogNames:
        """See Store: a thousand records take a request, of however many logs."""
        found: dict[str, list[str]] = {}
        for key in self.stamps(REGISTRY):
            folder, _, name = f"{REGISTRY}/{key}".rpartition("/")
            if is_log(folder):
                found.setdefault(folder, []).append(name)
        return found

    def folders_with(self, name: str) -> list[str]:
        """See Store: all keys are listed, a thousand with a request."""
        parts = (key.split("/") for key in self.objects.below(""))
        return [folder for folder, *rest in parts if rest == [name] and is_key(folder)]

    def why_incomplete(self, folder: str) -> Incomplete:
        """See Store: going by the time of the last change, which the store records."""
        times = [meta["last_modified"] for meta in self.objects.below(folder).values()]
        if times and datetime.now(UTC) - max(times) > _ABANDONED:
            return Incomplete.ABANDONED
        return Incomplete.IN_PROGRESS

    # -- writing ---------------------------------------------------------------------------------

    def create(self, key: str, data: bytes) -> None:
        check_key(key)
        self._conditions.require_obeyed()
        self.objects.put(key, data, "create")

    def replace(self, key: str, data: bytes, seen: Stamped | None = None) -> None:
        check_key(key)
        self._conditions.require_obeyed()
        if seen is not None:
            self._replace(key, data, seen.stamp)
            return
        for attempt in range(ATTEMPTS):
            found = self.objects.head(key)
            try:
                self._replace(key, data, version_of(found.meta) if found else None)
            except Changed:
                back_off(attempt)
            else:
                return
        raise StoreError(f"cannot write {self.locate(key)}: others write it all the time")

    def _replace(self, key: str, data: bytes, stamp: Any) -> None:
        """Create a key, or update the content with a stamp. Raises Changed."""
        self._written.clear()  # it may be a large file
        try:
            version = self.objects.put(key, data, stamp or "create")
        except Exists:
            raise Changed(key) from None
        self._written[key] = Stamped(data, version)

    def create_all(self, folder: str, files: Mapping[str, bytes], *, resume: bool = False) -> None:
        """See Store: the first object, then all others at once, then the last one."""
        names = [check_name(folder, name) for name in files]
        self._conditions.require_obeyed()
        if set(self.names(folder)).difference(names[:-1] if resume else ()):
            raise Exists(folder)
        started = time.monotonic()

        def create(name: str) -> None:
            if time.monotonic() - started > _LONGEST_CREATION:
                raise StoreError(f"cannot write {self.locate(folder)}: it takes too long")
            try:
                self.objects.put(f"{folder}/{name}", files[name], "create")
            except Exists:
                if not resume or self.read(f"{folder}/{name}") != files[name]:
                    raise Exists(folder) from None

        for together in (names[:1], names[1:-1], names[1:][-1:]):
            with ThreadPoolExecutor(self.at_once) as pool:  # which waits for all, if one fails, too
                list(pool.map(create, together))

    def remove(self, key: str) -> None:
        self.objects.delete(key)

    def remove_all(self, folder: str, *, first: str) -> None:
        """See Store: one object after the other."""
        check_name(folder, first)
        for name in sorted(self.objects.below(folder), key=first.__ne__):
            self.remove(f"{folder}/{name}")

    def require_writable(self) -> None:
        """See Store. What remains is the finding that this store obeys conditions."""
        self._conditions.require_obeyed()
        self._conditions.require_creation()

    def locate(self, key: str = "") -> str:
        return self.objects.locate(key)

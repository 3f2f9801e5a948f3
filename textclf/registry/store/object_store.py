"""A prefix of a bucket as a store: S3, Azure Blob Storage, Google Cloud Storage, through obstore.

Every write is conditional: it creates a key, or it updates the very content that its writer has
seen. So of writers at once exactly one succeeds. A request whose answer is lost is sent again, and
then the store may say that the key exists, or has changed, because the first one came through. So
each write carries a random token in the object's user metadata, which is read back: if it is the
writer's own, the write has succeeded. S3 can also answer a conflict where nobody has won; then the
write is tried again.

No object is copied, and none is uploaded in parts: buckets may require conditional writes by
policy, and then both are refused.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from obstore.exceptions import AlreadyExistsError, PreconditionError

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
    View,
    back_off,
    check_key,
    check_name,
    is_key,
)
from textclf.registry.store.conditions import ConditionCheck
from textclf.registry.store.object_errors import FAILURES, EndlessConflict, is_missing, kind, reason

if TYPE_CHECKING:
    from obstore import GetResult, ObjectMeta, PutMode, PutResult, UpdateVersion
    from obstore.store import ObjectStore as Objects

TOKEN: Final = "textclftoken"  # noqa: S105 - the name of user metadata
"""Without a hyphen, which Azure refuses, and an underscore, which proxies may drop."""

_AT_ONCE = 16
"""Requests at the same time."""

_ATTEMPTS = 8
"""Of a write that meets a conflict in which nobody has won."""

_ABANDONED = timedelta(days=1)
"""A folder that nobody has added to for so long was left by a writer that died."""

_LONGEST_CREATION = _ABANDONED.total_seconds() / 2


class ObjectStore:
    """Objects below a prefix of a bucket.

    Args:
        objects: the connected store of obstore.
        prefix: where the keys of this store begin, without a slash at its end; may be empty.
        url: the location for messages, without anything secret.
        server: what else tells this location from others with the same URL, such as an endpoint.
    """

    def __init__(self, objects: Objects, prefix: str, url: str, server: str = "") -> None:
        self._objects = objects
        self._prefix = prefix
        self._url = url.rstrip("/")
        self._written: dict[str, Stamped] = {}
        self._conditions = ConditionCheck(self, f"{self._url} {server}".strip())

    # -- reading ---------------------------------------------------------------------------------

    def read(self, key: str, most: int = LARGEST) -> bytes:
        """See Store."""
        return self._content(key, self._get(key), most)

    def view(self, key: str, digest: str | None = None) -> View:  # noqa: ARG002 - this is no copy
        """See Store: the content is read."""
        return self.read(key)

    def read_many(
        self, keys: Sequence[str], most: int = LARGEST
    ) -> Iterator[bytes | Missing | StoreError]:
        """See Store."""

        def read(key: str) -> bytes | Missing | StoreError:
            try:
                return self.read(key, most)
            except (Missing, StoreError) as error:
                return error

        pool = ThreadPoolExecutor(min(_AT_ONCE, len(keys) or 1))
        try:
            yield from pool.map(read, keys)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # nobody waits for them after Ctrl-C

    def read_stamped(self, key: str) -> Stamped:
        """See Store."""
        if key in self._written and self._is_unchanged(key, self._written[key]):
            return self._written[key]
        try:
            found = self._get(key)
        except Missing:
            return Stamped(None, None)
        return Stamped(self._content(key, found, LARGEST), _version(found.meta))

    def _is_unchanged(self, key: str, written: Stamped) -> bool:
        """Whether what this process wrote is still there; it is not sent again to say so."""
        found = self._head(key)
        return found is not None and _version(found.meta) == written.stamp

    def exists(self, key: str) -> bool:
        """See Store."""
        return self._head(key) is not None

    def names(self, folder: str = "", after: str = "") -> list[str]:
        """See Store."""
        path = self._path(folder)
        start = f"{path}/" if path else ""
        with self._failures("list", folder):
            if after:
                paths = [m["path"] for m in self._list(path, offset=start + after)]
            else:
                listed = self._objects.list_with_delimiter(path or None)
                paths = [*listed["common_prefixes"], *(m["path"] for m in listed["objects"])]
        # what begins otherwise is a mark of the folder itself, which some programs make
        below = (path.removeprefix(start).split("/")[0] for path in paths if path.startswith(start))
        return [name for name in dict.fromkeys(below) if is_key(name)]

    def stamps(self, folder: str, after: str = "") -> dict[str, str]:
        """Return the ETags of all files below a folder, by their key without the folder's.

        Args:
            folder: the folder's key.
            after: only those whose key, without the folder's, sorts after this.
        """
        start = f"{self._path(folder)}/"
        with self._failures("list", folder):
            listed = self._list(self._path(folder), offset=start + after if after else None)
        tags = {meta["path"].removeprefix(start): str(meta["e_tag"]) for meta in listed}
        return {name: tag for name, tag in tags.items() if is_key(name)}

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
        with self._failures("list"):
            paths = [meta["path"] for meta in self._list(self._prefix)]
        start = f"{self._prefix}/" if self._prefix else ""
        parts = (path.removeprefix(start).split("/") for path in paths)
        return [folder for folder, *rest in parts if rest == [name] and is_key(folder)]

    def why_incomplete(self, folder: str) -> Incomplete:
        """See Store: going by the time of the last change, which the store records."""
        with self._failures("list", folder):
            times = [meta["last_modified"] for meta in self._list(self._path(folder))]
        if times and datetime.now(UTC) - max(times) > _ABANDONED:
            return Incomplete.ABANDONED
        return Incomplete.IN_PROGRESS

    # -- writing ---------------------------------------------------------------------------------

    def create(self, key: str, data: bytes) -> None:
        """See Store."""
        check_key(key)
        self._conditions.require_obeyed()
        self.create_unchecked(key, data)

    def replace(self, key: str, data: bytes, seen: Stamped | None = None) -> None:
        """See Store."""
        check_key(key)
        self._conditions.require_obeyed()
        if seen is not None:
            self._replace(key, data, seen.stamp)
            return
        for attempt in range(_ATTEMPTS):
            found = self._head(key)
            try:
                self._replace(key, data, _version(found.meta) if found else None)
            except Changed:
                back_off(attempt)
            else:
                return
        raise StoreError(f"cannot write {self.locate(key)}: others write it all the time")

    def _replace(self, key: str, data: bytes, stamp: Any) -> None:
        """Create a key, or update the content with a stamp. Raises Changed."""
        self._written.clear()  # it may be a large file
        try:
            version = self._put(key, data, stamp or "create")
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
                self._put(f"{folder}/{name}", files[name], "create")
            except Exists:
                if not resume or self.read(f"{folder}/{name}") != files[name]:
                    raise Exists(folder) from None

        for together in (names[:1], names[1:-1], names[1:][-1:]):
            with ThreadPoolExecutor(_AT_ONCE) as pool:  # which waits for all, if one fails, too
                list(pool.map(create, together))

    def remove(self, key: str) -> None:
        """See Store."""
        path = self._path(check_key(key))
        with contextlib.suppress(Missing), self._failures("remove", key):
            self._objects.delete(path)

    def remove_all(self, folder: str, *, first: str) -> None:
        """See Store: one object after the other."""
        check_name(folder, first)
        with self._failures("list", folder):
            paths = [meta["path"] for meta in self._list(self._path(folder))]
        start = f"{self._prefix}/" if self._prefix else ""
        for key in sorted((p.removeprefix(start) for p in paths), key=f"{folder}/{first}".__ne__):
            self.remove(key)

    def require_writable(self) -> None:
        """See Store. What remains is the finding that this store obeys conditions."""
        self._conditions.require_obeyed()
        self._conditions.require_creation()

    def leftovers(self) -> list[str]:
        """See Store: an object is written completely or not at all."""
        return []

    def sweep(self) -> None:
        """See Store."""

    def locate(self, key: str = "") -> str:
        """See Store."""
        return f"{self._url}/{key}" if key else self._url

    # -- requests --------------------------------------------------------------------------------

    def create_unchecked(self, key: str, data: bytes) -> None:
        """Create an object; for the check of conditions, which comes before `create`."""
        self._put(key, data, "create")

    def put_once(self, key: str, data: bytes, mode: PutMode) -> bool:
        """Write an object by one request; return False if the store says that there is a conflict.

        For the check of conditions: whoever else writes needs more than this answer.
        """
        path = self._path(key)
        with self._failures("write", key):
            try:
                self._objects.put(path, data, mode=mode, use_multipart=False)
            except (AlreadyExistsError, PreconditionError, FileNotFoundError) as conflict:
                if isinstance(conflict, FileNotFoundError) and not is_missing(conflict):
                    raise
                return False
        return True

    def _put(self, key: str, data: bytes, mode: Literal["create"] | UpdateVersion) -> UpdateVersion:
        """Create an object, or update it, and return its version.

        Raises:
            Exists: another writer was faster.
        """
        token = uuid.uuid4().hex
        path = self._path(key)
        for attempt in range(_ATTEMPTS):
            try:
                done = self._objects.put(
                    path, data, mode=mode, attributes={TOKEN: token}, use_multipart=False
                )
            except (AlreadyExistsError, PreconditionError):
                found = self._head(key)
            except FAILURES as error:
                if not (is_missing(error) or self._is_own(key, token)):
                    raise self._failure("write", key, error) from error
                found = self._head(key)
            else:
                return _version(done)
            if found and found.attributes.get(TOKEN) == token:
                return _version(found.meta)  # the acknowledgement was lost
            if (_version(found.meta) if found else "create") != mode:
                raise Exists(key)
            back_off(attempt)
        problem = f"{_ATTEMPTS} conflicts without a winner"
        raise EndlessConflict(f"cannot write {self.locate(key)}: {problem}")

    def _is_own(self, key: str, token: str) -> bool:
        with contextlib.suppress(StoreError):
            found = self._head(key)
            return found is not None and found.attributes.get(TOKEN) == token
        return False

    def _head(self, key: str) -> GetResult | None:
        """Return what is known of a key without its content; ``None`` if it does not exist."""
        with contextlib.suppress(Missing):
            return self._get(key, head=True)
        return None

    def _get(self, key: str, *, head: bool = False) -> GetResult:
        path = self._path(check_key(key))
        with self._failures("read", key):
            return self._objects.get(path, options={"head": head})

    def _content(self, key: str, found: GetResult, most: int) -> bytes:
        size = found.meta["size"]
        if size > most:
            limit = f"{most:,} bytes"
            raise StoreError(f"cannot read {self.locate(key)}: it has more than {limit}")
        with self._failures("read", key):
            data = bytes(found.bytes())
        if len(data) != size:
            raise StoreError(f"cannot read {self.locate(key)}: only a part of it was sent")
        return data

    def _list(self, path: str, offset: str | None = None) -> Sequence[ObjectMeta]:
        return self._objects.list(path or None, offset=offset).collect()

    def _path(self, key: str) -> str:
        if key:
            check_key(key)
        return "/".join(filter(None, (self._prefix, key)))

    @contextlib.contextmanager
    def _failures(self, verb: str, key: str = "") -> Iterator[None]:
        """Turn what obstore raises into Missing, or a StoreError with a sentence."""
        try:
            yield
        except FAILURES as error:
            if is_missing(error):
                raise Missing(key) from None
            raise self._failure(verb, key, error) from error

    def _failure(self, verb: str, key: str, error: BaseException) -> StoreError:
        return kind(error)(f"cannot {verb} {self.locate(key)}: {reason(error)}")


def _version(meta: ObjectMeta | PutResult) -> UpdateVersion:
    """Return what identifies the content of an object: S3 needs the one field, Google the other."""
    version: UpdateVersion = {}
    if e_tag := meta["e_tag"]:
        version["e_tag"] = e_tag
    if number := meta["version"]:
        version["version"] = number
    return version

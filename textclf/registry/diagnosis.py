"""Find out how a registry's place can be reached, and what may be done there."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textclf.errors import AccessDenied, StoreError, TextclfError
from textclf.formatting import size
from textclf.registry.layout import ALIAS, PROBES
from textclf.registry.open import open_registry
from textclf.registry.store import aws, connection
from textclf.registry.store.access import Access, response_headers
from textclf.registry.store.base import Store
from textclf.registry.store.file_cache import FileCache
from textclf.registry.store.http_client import API_KEY
from textclf.registry.store.location import Bucket, Cloud, Folder, Location, Server

if TYPE_CHECKING:
    from textclf.registry.store.object_store import ObjectStore

_CLOCK_SECONDS = 300
"""A clock that is off by this may be refused: AWS and Azure accept 15 minutes."""
_SERVERS = {
    Cloud.S3: "https://s3.{region}.amazonaws.com",
    Cloud.AZURE: "https://{account_name}.blob.core.windows.net",
    Cloud.GOOGLE: "https://storage.googleapis.com",
}
"""The clouds' own servers, by what a bucket is opened with."""
_READ_ONLY = "no; enough to list, show, predict, serve and verify"


@dataclass(frozen=True)
class Finding:
    """The answer to one question.

    Attributes:
        check: the question.
        ok: whether the answer is good; None if it is neither good nor bad.
        detail: the answer.
        hint: what to do, if it is not good.
    """

    check: str
    ok: bool | None
    detail: str
    hint: str | None = None


def diagnose(location: Location) -> Iterator[Finding]:
    """Yield what is found out about a location; the last finding may say why there are no more.

    What is written for it lies under a key of its own, and is removed.
    """
    match location:
        case Folder():
            yield from _diagnose_folder(location.path, open_registry(location).store)
        case Bucket():
            yield from _diagnose_bucket(location)
        case Server():
            yield from _diagnose_server(location)


def _diagnose_folder(path: Path, store: Store) -> Iterator[Finding]:
    if not path.exists():
        yield Finding("folder", ok=None, detail="does not exist yet; train creates it")
        return
    yield _tried("may list", store.names)
    yield _tried("may write", store.require_writable)
    with contextlib.suppress(OSError):
        yield Finding("free space", ok=None, detail=size(shutil.disk_usage(path).free))


def _diagnose_bucket(bucket: Bucket) -> Iterator[Finding]:
    try:
        access = connection.find_access(bucket)
        store = connection.open_store(bucket)
    except StoreError as error:
        yield _failed("credentials", error)
        return
    yield Finding("credentials", ok=True, detail=access.credentials)
    if access.region:
        yield Finding("region", ok=True, detail=access.region)
    if access.endpoint:
        yield Finding("server", ok=None, detail=access.endpoint)
    try:
        yield Finding("may list", ok=True, detail=f"yes, in {_milliseconds(store.names):.0f} ms")
        yield from _rights(store, _READ_ONLY)
    except AccessDenied as error:
        yield _failed("may list", error)
        yield from _rights(store, "no")
    except StoreError as error:
        yield _in_another_region(bucket, error) or _failed("may list", error)
        return
    yield _clock(bucket, access)
    yield _cache()


def _in_another_region(bucket: Bucket, error: StoreError) -> Finding | None:
    """Return the finding that the bucket is elsewhere, if it is, with the URL that names where."""
    if bucket.cloud is not Cloud.S3 or "in another region" not in error.message:
        return None
    region = aws.region_of(bucket)
    if region is None:
        unknown = "the bucket is in another region, and AWS does not say in which"
        return Finding("may list", ok=False, detail=unknown, hint="set AWS_REGION")
    hint = f"write {bucket._replace(region=None)}?region={region}, or set AWS_REGION={region}"
    return Finding("may list", ok=False, detail=f"the bucket is in {region}", hint=hint)


def _diagnose_server(server: Server) -> Iterator[Finding]:
    has_key = bool(os.environ.get(API_KEY))
    yield Finding("API key", ok=None, detail=API_KEY if has_key else f"none in {API_KEY}")
    try:
        store = connection.open_remote(server)
        yield Finding("may list", ok=True, detail=f"yes, in {_milliseconds(store.names):.0f} ms")
    except TextclfError as error:
        yield Finding("may list", ok=False, detail=error.message, hint=error.hint)
        return
    yield _tried("may read", lambda: store.exists(ALIAS))
    yield Finding("may write", ok=None, detail=_READ_ONLY)
    yield _cache()


def _milliseconds(request: Callable[[], object]) -> float:
    """Return how long a request takes once the connection is there."""
    request()
    began = time.monotonic()
    request()
    return 1000 * (time.monotonic() - began)


def _rights(store: ObjectStore, may_not_write: str) -> Iterator[Finding]:
    """Try out each verb, under a key that nobody else uses."""
    key = f"{PROBES}/{uuid.uuid4().hex}"
    yield _tried("may read", lambda: store.exists(key))
    creation = _tried("may create", lambda: store.objects.put(key, b"one", "create"), may_not_write)
    yield creation
    if not creation.ok:
        return
    yield _tried("may update", lambda: _update(store, key), "no; promote needs it")
    yield _tried("may delete", lambda: store.remove(key), "no; prune needs it")
    yield _conditions(store)


def _update(store: ObjectStore, key: str) -> None:
    seen: Any = store.read_stamped(key).stamp
    store.objects.put_once(key, b"two", seen)


def _conditions(store: ObjectStore) -> Finding:
    from textclf.registry.store.conditions import OBEDIENT_SERVERS, violated_condition

    check = "conditional writes"
    try:
        problem = violated_condition(store.objects)
    except StoreError as error:
        return _failed(check, error)
    if problem:
        detail = f"not obeyed: the server {problem}"
        return Finding(check, ok=False, detail=detail, hint=OBEDIENT_SERVERS)
    return Finding(check, ok=True, detail="obeyed")


def _tried(check: str, call: Callable[[], object], denied: str | None = None) -> Finding:
    """Return whether something can be done; what need not be allowed has words for a refusal."""
    try:
        call()
    except StoreError as error:
        if denied and isinstance(error, AccessDenied):
            return Finding(check, ok=None, detail=denied)
        return _failed(check, error)
    return Finding(check, ok=True, detail="yes")


def _failed(check: str, error: StoreError) -> Finding:
    hint = error.hint
    if hint is None and isinstance(error, AccessDenied):
        hint = "docs/remote.md has the rights that a reader needs"
    return Finding(check, ok=False, detail=error.message, hint=hint)


def _clock(bucket: Bucket, access: Access) -> Finding:
    """Compare the clock of this machine with the server's, which it tells with every answer."""
    from email.utils import parsedate_to_datetime

    certificates = aws.certificate() if bucket.cloud is Cloud.S3 else None
    server = access.endpoint or _SERVERS[bucket.cloud].format_map(access.config)
    date = response_headers(server, certificates).get("Date", "")
    try:
        apart = abs(time.time() - parsedate_to_datetime(date).timestamp())
    except (TypeError, ValueError):
        return Finding("clock", ok=None, detail="the server does not tell the time")
    return Finding(
        "clock",
        ok=apart < _CLOCK_SECONDS,
        detail=f"{apart:.0f} s apart from the server's",
        hint=None if apart < _CLOCK_SECONDS else "set the clock of this machine",
    )


def _cache() -> Finding:
    cache = FileCache.from_environment()
    if cache.folder is None:
        return Finding("cache", ok=None, detail="there is no home folder, so nothing is kept")
    place = next(p for p in (cache.folder, *cache.folder.parents) if p.exists())
    if not os.access(f"{place}/.", os.W_OK):  # which of a file does not exist
        return Finding(
            "cache", ok=None, detail=f"{cache.folder} cannot be written, so nothing is kept",
            hint="XDG_CACHE_HOME names another place",
        )  # fmt: skip
    used = f"{size(cache.size())} of at most {size(cache.limit)}"
    return Finding("cache", ok=True, detail=f"{cache.folder}, {used}")

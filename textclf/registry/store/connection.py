"""Connect to a bucket, with the credentials that the command line of its cloud would use.

A registry that is read through a textclf service is opened here, too.
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from textclf._version import __version__
from textclf.errors import StoreError, how_to_install
from textclf.registry.store import aws
from textclf.registry.store.access import Access, is_true, require_address
from textclf.registry.store.location import Bucket, Cloud, Server

if TYPE_CHECKING:
    from obstore.store import AzureStore, ClientConfig, GCSStore, RetryConfig, S3Store

    from textclf.registry.store.cache import CachedStore
    from textclf.registry.store.known_registry import RemoteStore
    from textclf.registry.store.object_store import ObjectStore
    from textclf.registry.store.requests import Watch

    Connected = S3Store | AzureStore | GCSStore

OFFLINE: Final = "TEXTCLF_OFFLINE"
"""The variable that says that no store is to be reached."""

_RETRIES: Final = 3
_RETRY_SECONDS: Final = 30
_LONGEST_REQUEST: Final = dt.timedelta(minutes=10)
"""A model of 1 GB takes that long at 2 MB/s; obstore's default is 30 seconds."""


def open_cached(
    location: Bucket | Server, *, offline_ok: bool = False, watch: Watch | None = None
) -> CachedStore:
    """Return a store that is read through the cache; it is connected when it is needed.

    Args:
        location: the bucket or the service.
        offline_ok: go on with what is in the cache if the store cannot be reached.
        watch: what is told of each request.
    """
    from textclf.registry.store.cache import CachedStore
    from textclf.registry.store.file_cache import FileCache

    cache, offline = FileCache.from_environment(), is_true(OFFLINE)
    connect = partial(open_remote, location, watch)
    return CachedStore(connect, str(location), cache, offline=offline, offline_ok=offline_ok)


def open_remote(location: Bucket | Server, watch: Watch | None = None) -> RemoteStore:
    """Return the store of a bucket or behind a service; nothing is sent yet.

    Raises:
        StoreError: it cannot be connected to.
        UsageError: it is a service that would be asked without encryption.
    """
    if isinstance(location, Bucket):
        return open_store(location, watch)
    from textclf.registry.store.http_store import open_server

    _require_online(location)
    return open_server(location, watch)


def open_store(bucket: Bucket, watch: Watch | None = None) -> ObjectStore:
    """Return the store of a bucket; nothing is sent yet. Raises StoreError."""
    _require_online(bucket)
    access = find_access(bucket)
    objects = connect(bucket, access)
    from textclf.registry.store.object_store import ObjectStore
    from textclf.registry.store.requests import Requests

    requests = cast("Connected", Requests(objects, watch))
    return ObjectStore(requests, bucket.prefix, str(bucket), access.endpoint or "")


def _require_online(location: Bucket | Server) -> None:
    if is_true(OFFLINE):
        raise StoreError(
            f"{OFFLINE} is set, so {location} is not reached; commands that only read it go on "
            "with what is in the cache",
            hint=f"unset {OFFLINE}",
        )


def find_access(bucket: Bucket) -> Access:
    """Return how a bucket is reached, without asking it for anything but its region.

    Raises:
        StoreError: there are no credentials, or they cannot be used.
    """
    match bucket.cloud:
        case Cloud.S3:
            return aws.find_access(bucket)
        case Cloud.AZURE:
            from textclf.registry.store import azure

            return azure.find_access(bucket)
        case Cloud.GOOGLE:
            from textclf.registry.store import google

            return google.find_access(bucket)


def connect(bucket: Bucket, access: Access) -> Connected:
    """Return obstore's store of a bucket; nothing is sent yet. Raises StoreError."""
    try:
        from obstore import store
        from obstore.exceptions import BaseError
    except ImportError:
        raise StoreError(
            f"{bucket} is read with the library obstore, which is not installed",
            hint=how_to_install("remote"),
        ) from None
    kinds = {Cloud.S3: store.S3Store, Cloud.AZURE: store.AzureStore, Cloud.GOOGLE: store.GCSStore}
    if access.endpoint:
        require_address(access.endpoint)
    more: dict[str, Any] = {"credential_provider": access.provider} if access.provider else {}
    try:
        opened: Connected = kinds[bucket.cloud](
            bucket.name,
            config=dict(access.config),
            client_options=_client_options(bucket),
            retry_config=_retries(),
            **more,
        )
    except (BaseError, ValueError) as error:
        from textclf.registry.store.object_errors import reason

        raise StoreError(f"cannot connect to {bucket}: {reason(error)}") from None
    return opened


def _client_options(bucket: Bucket) -> ClientConfig:
    options: ClientConfig = {
        "user_agent": f"textclf/{__version__}",
        "timeout": _LONGEST_REQUEST,
        "allow_http": is_true("AWS_ALLOW_HTTP") or bucket.cloud is not Cloud.S3,
    }
    if bucket.cloud is Cloud.S3 and (certificate := aws.certificate()):
        options["root_certificate"] = certificate
    return options


def _retries() -> RetryConfig:
    return {
        "max_retries": _RETRIES,
        "retry_timeout": dt.timedelta(seconds=_RETRY_SECONDS),
        "backoff": {
            "init_backoff": dt.timedelta(milliseconds=100),
            "max_backoff": dt.timedelta(seconds=5),
            "base": 2,
        },
    }

"""Open a registry: the one place where its location becomes a store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from textclf.errors import UsageError
from textclf.registry.registry import Registry
from textclf.registry.signing import PublicKey
from textclf.registry.store.base import Store
from textclf.registry.store.local import LocalStore
from textclf.registry.store.location import (
    Bucket,
    Folder,
    Location,
    Server,
    expand_home,
    parse_location,
)

if TYPE_CHECKING:
    from textclf.registry.store.requests import Watch

REQUIRED_KEY = "TEXTCLF_REQUIRE_SIGNATURE"
"""The variable that names the public key that versions must be signed for."""


def open_registry(
    models: str | Path | Location,
    signed_by: str | Path | None = None,
    *,
    read_only: bool = False,
    offline_ok: bool = False,
    watch: Watch | None = None,
) -> Registry:
    """Open the registry at a location, which need not exist yet.

    One that is read through a textclf service refuses every change.

    Args:
        models: the folder of the versions, or a URL; see `parse_location`.
        signed_by: the file of a public key; versions must be signed with it to be promoted or read.
            If not given, that of ``$TEXTCLF_REQUIRE_SIGNATURE``, if that is set.
        read_only: whether nothing will be changed, so that files that are far away may come from
            the cache, which spares most requests.
        offline_ok: whether to go on with what is in the cache, and a warning, if a bucket that is
            opened ``read_only`` cannot be reached.
        watch: what is told of each request to a bucket, to show how far it is.

    Raises:
        UsageError: it is no location, or the variable is set, but not to an absolute path.
    """
    key = key_of_environment() if signed_by is None else Path(signed_by)
    location = parse_location(models)
    store = (
        LocalStore(location.path)
        if isinstance(location, Folder)
        else _open_remote(location, watch, read_only=read_only, offline_ok=offline_ok)
    )
    return Registry(store, PublicKey(key) if key else None)


def _open_remote(
    location: Bucket | Server, watch: Watch | None, *, read_only: bool, offline_ok: bool
) -> Store:
    from textclf.registry.store import connection

    if read_only:
        return connection.open_cached(location, offline_ok=offline_ok, watch=watch)
    return connection.open_remote(location, watch)


def key_of_environment() -> Path | None:
    """Return the file of the public key that the environment requires, if it requires one.

    A relative path would be looked up in the current folder, where a stranger may have put a key.

    Raises:
        UsageError: the variable is not an absolute path.
    """
    name = os.environ.get(REQUIRED_KEY)
    if name is None:
        return None
    path = expand_home(name, REQUIRED_KEY)
    if not path.is_absolute():
        raise UsageError(
            f"{REQUIRED_KEY} is not an absolute path: {name!r}",
            hint="name the public key, a PEM file, from / or from ~",
        )
    return path

"""A bucket as a connected store of obstore, with what the environment says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obstore.store import S3Store

from textclf.errors import UsageError
from textclf.registry.store.location import Bucket, Cloud

if TYPE_CHECKING:
    from obstore.store import ObjectStore


def connect(bucket: Bucket) -> ObjectStore:
    """Return the store of a bucket. Raises UsageError."""
    if bucket.cloud is not Cloud.S3:
        raise UsageError(f"{bucket}: only S3 can be opened so far")
    return S3Store(bucket.name)

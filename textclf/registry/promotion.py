"""Promote a version: check it, append to the promotion log, let the alias follow."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable

import msgspec
from semver import Version

from textclf.errors import NoSuchVersion, StoreError
from textclf.metadata.schema import Metadata, sha256
from textclf.metadata.verdict import Verdict
from textclf.metadata.versions import parse_version
from textclf.registry.alias import sync_alias
from textclf.registry.promotion_log import PromotionRecord, current_user, utc_now
from textclf.registry.pruning import promotion_hold
from textclf.registry.reader import RegistryReader
from textclf.registry.store.base import Exists, retry_on_conflict

Judge = Callable[[Version | None], Verdict]
"""Judges a version about to be promoted, given the one that is promoted now."""


class Promotion(msgspec.Struct, frozen=True):
    """What a promotion did.

    Attributes:
        version: the version that is promoted now.
        previous: the one that was promoted before it.
        changed: whether a record was written: no if the version was promoted already.
        kept: the location of a copy of a foreign file in the alias's place, if there was one.
        gate: how the version came through the conditions set for it, if there were any.
    """

    version: str
    previous: str | None
    changed: bool
    kept: str | None = None
    gate: Verdict | None = None


def promote(
    registry: RegistryReader,
    choose: Callable[[PromotionRecord | None], Version],
    message: str | None,
    judge: Judge | None,
) -> Promotion:
    """Promote what ``choose`` returns for the head of the log; see `Registry.promote`."""
    return retry_on_conflict(lambda: _attempt(registry, choose, message, judge))


def _attempt(
    registry: RegistryReader,
    choose: Callable[[PromotionRecord | None], Version],
    message: str | None,
    judge: Judge | None,
) -> Promotion:
    """Promote once, going by what is promoted now. Raises Exists if another writer was faster."""
    head = registry.promotions.head()
    version = choose(head)
    metadata, data = _checked(registry, version)
    if head and head.to == str(version):
        kept = sync_alias(registry)
        return Promotion(str(version), head.previous, changed=False, kept=kept)
    gate = judge(parse_version(head.to) if head else None) if judge else None
    record = PromotionRecord(
        n=head.n + 1 if head else 1,
        at=utc_now(),
        to=str(version),
        sha256=metadata.artifact.sha256,
        metadata_sha256=sha256(data),
        by=current_user(),
        token=uuid.uuid4().hex,
        previous=head.to if head else None,
        message=message,
        gate=gate,
    )
    try:
        with promotion_hold(registry.store, registry.events, version):
            registry.promotions.create(record.n, record)
    except NoSuchVersion:
        _take_back(registry, record, head)
        raise
    return Promotion(
        str(version), record.previous, changed=True, kept=_follow(registry, record), gate=gate
    )


def _checked(registry: RegistryReader, version: Version) -> tuple[Metadata, bytes]:
    """Return a version's metadata and their bytes, once every file was checked."""
    metadata, data = registry.verified_metadata(version)
    for record in metadata.all_files():
        registry.read_recorded(version, record)
    return metadata, data


def _take_back(
    registry: RegistryReader, record: PromotionRecord, head: PromotionRecord | None
) -> None:
    """Promote again what was promoted before, if the record of a removed version was written."""
    if head is None or registry.promotions.head() != record:
        return
    back = msgspec.structs.replace(
        head,
        n=record.n + 1,
        at=utc_now(),
        by=current_user(),
        token=uuid.uuid4().hex,
        previous=record.to,
        message=f"{record.to} was pruned at the same time",
        gate=None,
    )
    with contextlib.suppress(Exists):  # another writer has promoted another version since
        registry.promotions.create(back.n, back)
    _follow(registry, back)


def _follow(registry: RegistryReader, record: PromotionRecord) -> str | None:
    try:
        return sync_alias(registry)
    except StoreError as error:
        error.hint = f"the log says {record.to} now; when this is repaired: textclf verify --repair"
        raise

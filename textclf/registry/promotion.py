"""Promote a version: check it, append to the promotion log, let the alias follow."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace
from semver import Version

from textclf.errors import NoSuchVersion, StoreError
from textclf.metadata.channels import LATEST, PREVIOUS
from textclf.metadata.schema import Metadata, sha256
from textclf.metadata.verdict import Verdict
from textclf.metadata.versions import parse_version
from textclf.registry.alias import sync_alias
from textclf.registry.naming import existing_version, nothing_promoted
from textclf.registry.promotion_log import PromotionLog, PromotionRecord, current_user, utc_now
from textclf.registry.pruning import promotion_hold
from textclf.registry.reader import RegistryReader
from textclf.registry.store.base import Exists, retry_on_conflict

if TYPE_CHECKING:
    from textclf.registry.registry import Registry

Judge = Callable[[Version | None], Verdict]
"""Judges a version about to be promoted, given the one that is promoted now."""


class Promotion(msgspec.Struct, frozen=True):
    """What a promotion did.

    Attributes:
        version: the version that is promoted now.
        previous: the one that was promoted before it.
        changed: whether a record was written: no if the version was promoted already, also where
            a rollback of several steps leads to it.
        kept: the location of a copy of a foreign file in the alias's place, if there was one.
        gate: how the version came through the conditions set for it, if there were any.
        channel: the channel in which it is promoted.
        restores: of a rollback, the number of the record that is in force again.
    """

    version: str
    previous: str | None
    changed: bool
    kept: str | None = None
    gate: Verdict | None = None
    channel: str = LATEST
    restores: int | None = None


class Target(msgspec.Struct, frozen=True):
    """What is to be promoted.

    Attributes:
        version: the version.
        restores: of a rollback, the number of the record that is in force again.
    """

    version: Version
    restores: int | None = None


Choice = Callable[[PromotionRecord | None], Target]
"""Returns what to promote, given the newest record of the channel."""

OnPromotion = Callable[[PromotionRecord], object]
"""Takes the record of a promotion once it is in the log and the alias has followed."""


def promote_chosen(
    registry: Registry,
    choose: Choice,
    message: str | None,
    judge: Judge | None,
    channel: str = LATEST,
) -> Promotion:
    """Promote what ``choose`` returns in a channel; see `Registry.promote`."""
    log = registry.channel(channel)
    return retry_on_conflict(lambda: _attempt(registry, log, choose, message, judge))


def rollback_target(
    registry: RegistryReader,
    log: PromotionLog,
    head: PromotionRecord | None,
    *,
    steps: int,
    to: Version | None,
) -> Target:
    """Return what a rollback promotes.

    Raises:
        NoSuchVersion: the log does not go back that far, or that version no longer exists.
    """
    if head is None:
        raise nothing_promoted(registry, log.channel)
    record = log.rollback_target(head, steps=steps, to=str(to) if to else None)
    if record is None:
        if to and head.to == str(to):  # it was gone back to already
            return Target(to)
        what = (
            f"{to} was not" if to else "nothing was" if steps == 1 else f"no {steps} versions were"
        )
        raise NoSuchVersion(f"{what} promoted before {head.to}", hint="textclf promote VERSION")
    name = PREVIOUS if steps == 1 else f"{steps} promotions back"
    return Target(existing_version(registry, name, record.to), record.n)


def _attempt(
    registry: Registry,
    log: PromotionLog,
    choose: Choice,
    message: str | None,
    judge: Judge | None,
) -> Promotion:
    """Promote once, going by what is promoted now. Raises Exists if another writer was faster."""
    head = log.head()
    target = choose(head)
    version = target.version
    metadata, data = _checked(registry, version)
    promotion = Promotion(
        str(version),
        head.to if head else None,
        changed=True,
        channel=log.channel,
        restores=target.restores,
    )
    if head and head.to == str(version):
        kept = _sync(registry, log)
        return replace(promotion, previous=head.previous, changed=False, kept=kept)
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
        channel=log.channel,
        restores=target.restores,
    )
    try:
        with promotion_hold(registry.store, registry.events, version):
            log.create(record.n, record)
    except NoSuchVersion:
        _take_back(registry, log, record, head)
        raise
    try:
        kept = _follow(registry, log, record)
    finally:
        registry.on_promotion(record)
    return replace(promotion, kept=kept, gate=gate)


def _checked(registry: RegistryReader, version: Version) -> tuple[Metadata, bytes]:
    """Return a version's metadata and their bytes, once every file was checked."""
    metadata, data = registry.verified_metadata(version)
    for record in metadata.all_files():
        registry.read_recorded(version, record)
    return metadata, data


def _take_back(
    registry: RegistryReader,
    log: PromotionLog,
    record: PromotionRecord,
    head: PromotionRecord | None,
) -> None:
    """Promote again what was promoted before, if the record of a removed version was written."""
    if head is None or log.head() != record:
        return
    back = replace(
        head,
        n=record.n + 1,
        at=utc_now(),
        by=current_user(),
        token=uuid.uuid4().hex,
        previous=record.to,
        message=f"{record.to} was pruned at the same time",
        gate=None,
        restores=head.n,
    )
    with contextlib.suppress(Exists):  # another writer has promoted another version since
        log.create(back.n, back)
    _follow(registry, log, back)


def _follow(registry: RegistryReader, log: PromotionLog, record: PromotionRecord) -> str | None:
    try:
        return _sync(registry, log)
    except StoreError as error:
        error.hint = f"the log says {record.to} now; when this is repaired: textclf verify --repair"
        raise


def _sync(registry: RegistryReader, log: PromotionLog) -> str | None:
    """Let the alias follow, which belongs to ``latest`` alone."""
    return sync_alias(registry) if log.channel == LATEST else None

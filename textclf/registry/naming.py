"""Which version a name means; and what to say where it means none: often the folder is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from semver import Version

from textclf.errors import NoSuchVersion
from textclf.metadata.channels import LATEST, PREVIOUS, is_channel
from textclf.metadata.schema import METADATA
from textclf.metadata.versions import parse_version
from textclf.registry.event_log import describe_pruning

if TYPE_CHECKING:
    from textclf.registry.promotion_log import PromotionRecord
    from textclf.registry.reader import RegistryReader


def resolve(registry: RegistryReader, name: str) -> Version:
    """Return the version that a name means; see `RegistryReader.resolve`."""
    if name == PREVIOUS:
        return _previous(registry)
    if is_channel(name):
        return promoted_version(registry, name, registry.channel(name).head())
    try:
        version = parse_version(name)
    except ValueError:
        raise NoSuchVersion(
            f"{name!r} is not a version: versions look like 1.1.0, latest or previous",
            hint="textclf versions list",
        ) from None
    if not registry.is_published(version):
        raise unknown_version(registry, version)
    return version


def _previous(registry: RegistryReader) -> Version:
    head = registry.promotions.head()
    if head is None:
        raise nothing_promoted(registry)
    if head.previous is None:
        raise NoSuchVersion(
            f"nothing was promoted before {head.to}", hint="textclf promote VERSION"
        )
    return existing_version(registry, PREVIOUS, head.previous)


def promoted_version(
    registry: RegistryReader, channel: str, head: PromotionRecord | None
) -> Version:
    """Return the promoted version of a channel, given the head of its log.

    Raises:
        NoSuchVersion: there is none, or it no longer exists.
    """
    if head is None:
        raise nothing_promoted(registry, channel)
    return existing_version(registry, channel, head.to)


def existing_version(registry: RegistryReader, name: str, number: str) -> Version:
    """Return the version with a number. Raises NoSuchVersion, with its name, if it is gone."""
    version = parse_version(number)
    if registry.metadata_or_none(version) is None:
        event = registry.events.version_state(version).pruned
        why = f"and {describe_pruning(event)}" if event else "whose folder no longer exists"
        raise NoSuchVersion(f"{name} is {number}, {why}", hint="textclf promote VERSION")
    return version


def unknown_version(registry: RegistryReader, version: Version) -> NoSuchVersion:
    """Return the error that a version is not published, with numbers that are close to it."""
    if event := registry.events.version_state(version).pruned:
        return NoSuchVersion(describe_pruning(event), hint="textclf versions list")
    known = registry.versions()
    if not known:
        return no_versions(registry, f"no version {version}")
    nearest = sorted(known, key=lambda other: _distance(other, version))[:3]
    return NoSuchVersion(
        f"no version {version}; the closest: {', '.join(map(str, sorted(nearest)))}",
        hint="textclf versions list",
    )


def _distance(one: Version, other: Version) -> tuple[int, ...]:
    return tuple(abs(a - b) for a, b in zip(one.to_tuple()[:3], other.to_tuple()[:3], strict=True))


def describe_absence(registry: RegistryReader) -> str | None:
    """Say why a location is no registry, after its name; ``None`` if it has a version or a log.

    Raises:
        StoreError: the place itself fails.
    """
    if registry.numbers() or registry.promotions.numbers() or registry.events.numbers():
        return None
    names = registry.store.names()
    if METADATA in names:
        return "is the folder of one version, not that of all versions"
    return "has no versions and no log" if names else "does not exist or is empty"


def no_versions(registry: RegistryReader, problem: str) -> NoSuchVersion:
    """Return the error that a version is needed where there is none at all."""
    why = describe_absence(registry) or "has no versions"
    return NoSuchVersion(
        f"{problem}: {registry.store.locate()} {why}",
        hint="textclf train publishes the first version; --models names another folder",
    )


def nothing_promoted(registry: RegistryReader, channel: str = LATEST) -> NoSuchVersion:
    """Return the error that no version was promoted in a channel, which may be a mistyped name."""
    if channel != LATEST:
        known = [
            log.channel for log in registry.channels() if log.channel == LATEST or log.numbers()
        ]
        return NoSuchVersion(
            f"{channel!r} is not a version such as 1.1.0, nor one of the channels "
            f"{', '.join(known)}",
            hint="textclf versions list",
        )
    if not registry.numbers():
        return no_versions(registry, "no version has been promoted yet")
    return NoSuchVersion(
        f"no version has been promoted yet in {registry.store.locate()}",
        hint="textclf promote VERSION",
    )

"""What to say where a registry was expected, and there are no versions: often the wrong folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textclf.errors import NoSuchVersion
from textclf.metadata.channels import LATEST
from textclf.metadata.schema import METADATA

if TYPE_CHECKING:
    from textclf.registry.reader import RegistryReader


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

"""Answers about what was copied from one registry to another."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from textclf.formatting import plural, size

if TYPE_CHECKING:
    from textclf.registry.copying import CopiedVersion
    from textclf.registry.mirroring import Mirrored


@dataclass(frozen=True)
class CopyAnswer:
    """The JSON of ``textclf versions push`` and ``textclf versions pull``."""

    source: str
    target: str
    versions: list[CopiedVersion]


@dataclass(frozen=True)
class MirrorAnswer:
    """The JSON of ``textclf mirror``."""

    source: str
    target: str
    changed: bool
    versions: list[str]
    removed: list[str]
    lost: list[str]
    promotions: int
    events: int
    signatures: int
    latest: str | None
    complete: bool

    @classmethod
    def from_mirroring(cls, done: Mirrored, source: str, target: str) -> MirrorAnswer:
        """Return the answer about what a mirroring did."""
        names = [field.name for field in fields(cls)[2:]]
        return cls(source, target, *(getattr(done, name) for name in names))


def copy_line(one: CopiedVersion, target: str) -> str:
    """Return what came of copying a version."""
    if one.changed:
        return f"copied {one.version} to {target}, {size(one.bytes)}"
    if one.signatures:
        added = plural(one.signatures, "signature")
        return f"{one.version} is already in {target}; added {added}"
    return f"{one.version} is already in {target} with the same content; nothing changed"


def mirror_line(done: Mirrored, source: str, target: str) -> str:
    """Return what a mirroring changed."""
    if not done.complete:
        number = plural(len(done.versions), "version")
        return f"copied {number} of {source} to {target}, and no log; run it again to complete it"
    latest = f"; latest: {done.latest}" if done.latest else ""
    if not done.changed:
        return f"{target} has all that {source} has{latest}; nothing changed"
    counts = {
        "version": len(done.versions),
        "promotion": done.promotions,
        "other event": done.events,
        "added signature": done.signatures,
    }
    copied = ", ".join(plural(number, noun) for noun, number in counts.items() if number)
    removed = f"removed {plural(len(done.removed), 'pruned version')}" if done.removed else ""
    changes = "; ".join(filter(None, (f"copied {copied}" if copied else "", removed)))
    return f"{target} mirrors {source}: {changes}{latest}"

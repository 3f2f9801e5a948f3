"""What ``textclf versions prune`` says in the end: what was removed, and what was kept and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textclf.cli.output import render
from textclf.formatting import escape_controls, plural

if TYPE_CHECKING:
    from textclf.metadata.schema import Summary

_NAMED = 5
"""Kept versions that are named."""


@dataclass(frozen=True)
class PrunedVersion:
    """A version that was removed, and the bytes of its files."""

    version: str
    bytes: int


@dataclass(frozen=True)
class KeptVersion:
    """A version that was kept, and the reason."""

    version: str
    why: str


@dataclass(frozen=True)
class PruneAnswer:
    """The JSON of ``textclf versions prune``."""

    dry_run: bool
    pruned: list[PrunedVersion]
    kept: list[KeptVersion]


def answer(removed: list[Summary], kept: dict[str, str], *, dry_run: bool) -> PruneAnswer:
    """Return the answer for programs."""
    pruned = [PrunedVersion(version.version, version.bytes) for version in removed]
    return PruneAnswer(dry_run, pruned, [KeptVersion(*entry) for entry in kept.items()])


def show(removed: list[Summary], kept: dict[str, str], *, dry_run: bool, quiet: bool) -> None:
    """Show how much was removed, and what was kept and why."""
    total = plural(len(removed) + len(kept), "version")
    if removed:
        verb = "would be removed" if dry_run else "removed"
        size = sum(version.bytes for version in removed)
        render.sentence(f"{len(removed)} of {total} {verb}, {size:,} bytes")
    else:
        render.sentence(f"0 of {total} to prune")
    if kept and not quiet:
        named = [f"{version} ({reason})" for version, reason in list(kept.items())[::-1][:_NAMED]]
        more = f" and {len(kept) - _NAMED} more" if len(kept) > _NAMED else ""
        render.sentence(escape_controls(f"kept: {', '.join(named)}{more}"))

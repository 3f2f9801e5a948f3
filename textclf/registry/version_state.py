"""Where each version stands, told from the events alone: its tags, and whether it was pruned.

Events are in one order for everybody, so whoever reads them comes to the same answer: of two that
tag and prune a version at once, the first one has its way.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from textclf.errors import UsageError
from textclf.registry.promotion_log import Event

_KEY = re.compile(r"\w[\w.-]{0,63}")
_LONGEST = 200


class EventKind(enum.StrEnum):
    """Kinds of events that change where a version stands; there are others."""

    TAGGED = "tagged"
    PRUNED = "pruned"
    KEPT = "kept"
    IMPORTED = "imported"


@dataclass(frozen=True)
class VersionState:
    """Of one version.

    Attributes:
        tags: keys and values, in the order of their keys.
        pruned: the event that says so; ``None`` where it was not, or was kept or imported since.
    """

    tags: Mapping[str, str] = field(default_factory=dict)
    pruned: Event | None = None

    def after(self, event: Event) -> VersionState:
        """Where it stands after the next event; a version that was pruned takes no tags."""
        match event.kind:
            case EventKind.TAGGED if self.pruned is None:
                return replace(self, tags=_changed(self.tags, event.detail))
            case EventKind.PRUNED:
                return replace(self, pruned=event)
            case EventKind.KEPT | EventKind.IMPORTED:
                return replace(self, pruned=None)
        return self


def version_states(events: Iterable[Event]) -> dict[str, VersionState]:
    """By version, of those that events tell of; oldest event first."""
    found: dict[str, VersionState] = {}
    for event in events:
        found[event.version] = found.get(event.version, VersionState()).after(event)
    return found


def check_tags(changes: Mapping[str, str | None]) -> None:
    """Raise UsageError where a key or a value is none."""
    for key, value in changes.items():
        if not _KEY.fullmatch(key):
            raise UsageError(
                f"{key!r} cannot be the key of a tag: letters, digits, _ . -, 64 at most",
                hint="textclf versions tag 1.0.0 approved-by=ada",
            )
        if value is not None and not 0 < len(value) <= _LONGEST:
            raise UsageError(
                f"the value of the tag {key} has {len(value)} characters, not 1 to {_LONGEST}",
                hint=None if value else f"--remove {key} takes the tag off",
            )


def _changed(tags: Mapping[str, str], changes: Mapping[str, Any]) -> dict[str, str]:
    """A value of ``None`` takes a tag off."""
    after = {**tags, **changes}
    return {key: str(after[key]) for key in sorted(after) if after[key] is not None}

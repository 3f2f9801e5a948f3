"""The event log, and the state of each version that it adds up to: its tags, and if it was pruned.

Events are all that was done to versions, or refused, other than promotions. They are in one order
for everybody, so all readers come to the same state: of two processes that tag and prune a version
at the same moment, the one whose event is first succeeds.
"""

from __future__ import annotations

import enum
import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from semver import Version

from textclf.errors import NoSuchVersion, UsageError
from textclf.metadata.versions import is_version
from textclf.registry import layout
from textclf.registry.promotion_log import AppendOnlyLog, current_user, raised, utc_now
from textclf.registry.store.base import LogNames, Store

_TAG_KEY: Final = r"\w[\w.-]{0,63}"
_LONGEST_VALUE = 200


class EventKind(enum.StrEnum):
    """The kinds of events that this version of textclf writes."""

    REFUSED = "refused"
    SIGNED = "signed"
    TAGGED = "tagged"
    PRUNED = "pruned"
    KEPT = "kept"
    REMOVED = "removed"
    IMPORTED = "imported"
    UNNOTIFIED = "unnotified"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done to a version, or refused, other than a promotion.

    Attributes:
        n: its number, from 1 without gaps.
        at: when (UTC).
        kind: an `EventKind`, or a kind that a later textclf has.
        version: the version's number.
        by: who, as user@host.
        message: why.
        token: random, so that writers tell their own event from another's.
        detail: further fields, which depend on the kind.
    """

    n: int
    at: str
    kind: str
    version: str
    by: str
    message: str | None = None
    token: str
    detail: dict[str, Any] = {}

    def fits(self, n: int) -> bool:
        """See LogRecord."""
        return self.n == n and is_version(self.version)


class VersionState(msgspec.Struct, frozen=True):
    """The state of one version.

    Attributes:
        tags: keys and values, sorted by key.
        pruned: the event of its removal; ``None`` if it was not pruned, or kept or imported since.
        removed: whether its removal was decided, so that it can no longer be kept.
    """

    tags: Mapping[str, str] = {}
    pruned: Event | None = None
    removed: bool = False

    def after(self, event: Event) -> VersionState:
        """Return the state after the next event; a version that was pruned takes no tags."""
        match event.kind:
            case EventKind.TAGGED if self.pruned is None:
                return replace(self, tags=_changed(self.tags, event.detail))
            case EventKind.PRUNED:
                return replace(self, pruned=event)
            case EventKind.REMOVED if self.pruned and event.detail.get("event") == self.pruned.n:
                return replace(self, removed=True)
            case EventKind.KEPT if not self.removed:
                return replace(self, pruned=None)
            case EventKind.IMPORTED:
                return replace(self, pruned=None, removed=False)
        return self


def version_states(events: Iterable[Event]) -> dict[str, VersionState]:
    """Return the state of every version that is named in the events, oldest first."""
    states: dict[str, VersionState] = {}
    for event in events:
        states[event.version] = states.get(event.version, VersionState()).after(event)
    return states


def _changed(tags: Mapping[str, str], changes: Mapping[str, Any]) -> dict[str, str]:
    after = {**tags, **changes}
    return {key: str(after[key]) for key in sorted(after) if after[key] is not None}


class EventLog(AppendOnlyLog[Event]):
    """The events of all versions."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, layout.EVENTS, Event, "an event")

    def append_event(
        self,
        kind: str,
        version: Version,
        *,
        message: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> Event:
        """Record that something was done to a version, or refused."""

        def make(n: int) -> Event:
            return Event(
                n=n, at=utc_now(), kind=kind, version=str(version), by=current_user(),
                message=message, token=uuid.uuid4().hex, detail=dict(detail or {}),
            )  # fmt: skip

        return self.append(make)

    def version_states(
        self, *, strict: bool = False, listed: LogNames | None = None
    ) -> dict[str, VersionState]:
        """Return the state of every version that has events.

        Args:
            strict: whether every event has to be read.
            listed: see `numbers`.

        Raises:
            IntegrityError: an event is damaged, if ``strict``; else such events are skipped.
            StoreError: an event cannot be read: nobody knows what it says.
        """
        if not strict:
            return version_states(self.readable_records(listed))
        return version_states(map(raised, self.known_entries(listed)))

    def removed_versions(self) -> set[str]:
        """Return the versions whose removal is decided; damaged events are skipped."""
        return {version for version, state in self.version_states().items() if state.removed}

    def pruned_versions(self) -> set[str]:
        """Return the versions that are marked as pruned; damaged events are skipped."""
        return {version for version, state in self.version_states().items() if state.pruned}

    def version_state(self, version: Version) -> VersionState:
        """Return the state of one version; damaged events are skipped."""
        return self.version_states().get(str(version), VersionState())

    def tag(
        self, version: Version, changes: Mapping[str, str | None], message: str | None
    ) -> Mapping[str, str]:
        """Set tags of a version, or remove them (``None``), and return all that it has then.

        Raises:
            UsageError: a key or a value is not valid.
            NoSuchVersion: the version was pruned in the meantime.
        """
        check_tags(changes)
        tags = self.version_state(version).tags
        if all(tags.get(key) == value for key, value in changes.items()):
            return tags
        self.append_event(EventKind.TAGGED, version, message=message, detail=changes)
        after = self.version_state(version)
        if after.pruned:
            raise NoSuchVersion(describe_pruning(after.pruned))
        return after.tags


def check_tags(changes: Mapping[str, str | None]) -> None:
    """Raise UsageError if a key or a value of a tag is not valid."""
    for key, value in changes.items():
        if not re.fullmatch(_TAG_KEY, key):
            raise UsageError(
                f"{key!r} cannot be the key of a tag: use letters, digits and _ . -, at most 64",
                hint="textclf versions tag 1.0.0 approved-by=ada",
            )
        if value is not None and not 0 < len(value) <= _LONGEST_VALUE:
            raise UsageError(
                f"the value of the tag {key} has {len(value)} characters, "
                f"not 1 to {_LONGEST_VALUE}",
                hint=None if value else f"--remove {key} removes the tag",
            )


def describe_pruning(event: Event) -> str:
    """Say that a version was pruned, when, by whom and why."""
    why = f": {event.message}" if event.message else ""
    return f"version {event.version} was pruned at {event.at} by {event.by}{why}"

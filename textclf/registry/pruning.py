"""Remove versions for good, while others promote and tag them, and whichever process dies.

A version is first marked as pruned in the event log: from then on it cannot be promoted or tagged.
Then the logs are read once more, and a second event says that it was kept, or that it is removed;
only then its files are. Any later process that finds the mark and files of the version can finish
the removal.

A promotion and a removal of the same version cannot both succeed. A promotion writes its record and
then looks for the mark; a removal writes the mark and then looks for the record. In whatever order,
one sees the other (T. Dekker's algorithm for two processes, with files that are created and read).
A promotion that sees the mark says that the version is kept, and a removal that sees no record says
that it is removed; all processes read both events in one order, and the first of them holds.

None of this rests on a clock. *Holds* only let a removal give way to a promotion that has not
written its record yet, so that the record need not be taken back. They are ignored when they are a
day old, by the clock of the process that looks.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from semver import Version

from textclf.errors import NoSuchVersion, StoreError
from textclf.formatting import tag_list
from textclf.metadata.schema import METADATA
from textclf.metadata.versions import parse_version
from textclf.registry import layout
from textclf.registry.event_log import EventKind, EventLog, describe_pruning
from textclf.registry.reader import RegistryReader
from textclf.registry.store.base import Stamped, Store, read_or_none

_ABANDONED = timedelta(days=1)
"""A hold of this age was left by a process that died: a promotion takes milliseconds."""


@contextlib.contextmanager
def promotion_hold(store: Store, events: EventLog, version: Version) -> Iterator[None]:
    """Keep a version from being pruned while its promotion is recorded.

    Raises:
        NoSuchVersion: it was pruned before, or was removed in spite of the hold.
    """
    key = layout.hold(version, uuid.uuid4().hex)
    # nothing is there, as nobody else has this key; creating it would leave a folder for good where
    # there are no hard links
    store.replace(key, datetime.now(UTC).isoformat().encode(), Stamped(None, None))
    try:
        _require_not_pruned(events, version)
        yield
        if events.version_state(version).pruned:  # by a process that ignores the hold
            events.append_event(EventKind.KEPT, version, message="it is being promoted")
            _require_not_pruned(events, version)
    finally:
        with contextlib.suppress(StoreError):  # it counts as abandoned one day
            store.remove(key)


def _require_not_pruned(events: EventLog, version: Version) -> None:
    if event := events.version_state(version).pruned:
        raise NoSuchVersion(describe_pruning(event), hint="textclf versions list")


def prune_exemptions(registry: RegistryReader) -> dict[str, str]:
    """Return the versions that are not pruned, and why.

    These are the promoted version of each channel, those that it could go back to in one step,
    and tagged ones.

    Raises:
        IntegrityError: a log is damaged, so that this is not known.
    """
    held = dict.fromkeys(_held(registry.store), "being promoted")  # first: a hold ends in the log
    listed = registry.store.log_names()
    in_use = [entry for log in registry.channels(listed) for entry in log.in_use(listed)]
    tagged = {
        version: f"tagged {tag_list(state.tags)}"
        for version, state in registry.events.version_states(strict=True, listed=listed).items()
        if state.tags
    }
    return {**held, **tagged, **dict(reversed(in_use))}


def _held(store: Store) -> Iterator[str]:
    for name in store.names(layout.HOLDS):
        key = f"{layout.HOLDS}/{name}"
        created = read_or_none(store, key)
        if created is None:
            continue  # released since
        if _is_abandoned(created):
            store.remove(key)
        else:
            yield layout.held_version(name)


def prune(
    registry: RegistryReader, version: Version, *, message: str | None, metadata_sha256: str
) -> str | None:
    """Remove a version; see `Registry.prune`."""
    if why := prune_exemptions(registry).get(str(version)):
        return why
    detail = {"metadata_sha256": metadata_sha256}
    registry.events.append_event(EventKind.PRUNED, version, message=message, detail=detail)
    return finish_removal(registry, version)


def finish_removal(registry: RegistryReader, version: Version) -> str | None:
    """Go on with a version that is marked as pruned; see `Registry.prune`."""
    while mark := registry.events.version_state(version).pruned:
        if why := prune_exemptions(registry).get(str(version)):
            registry.events.append_event(EventKind.KEPT, version, message=f"it is {why}")
            return why
        registry.events.append_event(EventKind.REMOVED, version, detail={"event": mark.n})
        if registry.events.version_state(version).removed:
            registry.store.remove_all(str(version), first=METADATA)
            return None
    return "being promoted"  # another process said first that the version is kept


def unfinished_removals(registry: RegistryReader) -> list[Version]:
    """Return versions that are marked as pruned and of which files are left."""
    states = registry.events.version_states()
    folders = set(registry.store.names())  # listed last: a removal may end at any moment
    return [
        parse_version(version)
        for version, state in states.items()
        if state.pruned and version in folders and registry.store.names(version)
    ]


def _is_abandoned(created: bytes) -> bool:
    try:
        return datetime.now(UTC) - datetime.fromisoformat(created.decode()) > _ABANDONED
    except (TypeError, ValueError):  # not written by textclf
        return True

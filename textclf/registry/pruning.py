"""Remove versions for good, while others promote and tag, and whoever dies in between.

A version is marked as pruned in the events first: from then on it cannot be promoted or tagged.
Then it is looked at once more, and either its folder goes, in one step, or a second event says that
it was kept. Whoever finds the mark and the folder together can go on from there.

A promotion and a removal of the same version cannot both succeed. The one who promotes lays down a
*hold* on the version, then looks whether it was pruned, then writes the log; the one who prunes
writes the event, then looks for holds, then into the log. Whatever the order, one sees the other.
(T. Dekker's algorithm for two processes, by files that are created and read.)
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from semver import Version

from textclf.errors import IntegrityError, NoSuchVersion, StoreError
from textclf.metadata.versions import parse_version
from textclf.registry.promotion_log import AppendOnlyLog, Event, PromotionRecord
from textclf.registry.store.base import Missing, Store
from textclf.registry.version_state import EventKind, VersionState, version_states

_HOLDS = ".registry/holds"
_ABANDONED = timedelta(days=1)
"""A hold this old was left by somebody who died: a promotion takes milliseconds."""

AppendEvent = Callable[..., Event]


class Pruner:
    """The marks, the holds and the folders of versions that are to go.

    Args:
        store: where the versions are.
        promotions: the promotion log.
        events: the events.
        append_event: writes an event.
    """

    def __init__(
        self,
        store: Store,
        promotions: AppendOnlyLog[PromotionRecord],
        events: AppendOnlyLog[Event],
        append_event: AppendEvent,
    ) -> None:
        self._store = store
        self._promotions = promotions
        self._events = events
        self._append_event = append_event
        self._read: dict[int, Event] = {}  # they never change

    def version_state(self, version: Version) -> VersionState:
        """Of one version; events that cannot be read are passed over."""
        return self.version_states().get(str(version), VersionState())

    def version_states(self) -> dict[str, VersionState]:
        """Of every version that events tell of; events that cannot be read are passed over."""
        return version_states(self._all_events(strict=False))

    def _all_events(self, *, strict: bool) -> Iterator[Event]:
        for n in self._events.numbers():
            try:
                self._read[n] = self._read.get(n) or self._events.read(n)
            except IntegrityError:  # told by verify
                if strict:
                    raise
                continue
            yield self._read[n]

    @contextlib.contextmanager
    def promotion_hold(self, version: Version) -> Iterator[None]:
        """A version that nobody prunes meanwhile. Raises NoSuchVersion where somebody has."""
        key = f"{_HOLDS}/{version}-{uuid.uuid4().hex}"
        self._store.replace(key, _now().isoformat().encode())
        try:
            if event := self.version_state(version).pruned:
                raise NoSuchVersion(describe_pruning(event), hint="textclf versions list")
            yield
        finally:
            with contextlib.suppress(StoreError):  # it will be old one day
                self._store.remove(key)

    def prune_exemptions(self) -> dict[str, str]:
        """Versions that are not pruned, and what they are: promoted, the one before, tagged.

        Raises:
            IntegrityError: the log or an event is damaged, so that nobody knows.
        """
        held = dict.fromkeys(self._held(), "being promoted")  # read first: a hold ends in the log
        head = self._promotions.head()
        found = version_states(self._all_events(strict=True))
        tagged = {
            version: "tagged " + " ".join(f"{key}={value}" for key, value in state.tags.items())
            for version, state in found.items()
            if state.tags
        }
        before = {head.previous: "previous"} if head and head.previous else {}
        return {**held, **tagged, **before, **({head.to: "latest"} if head else {})}

    def _held(self) -> Iterator[str]:
        for name in self._store.names(_HOLDS):
            with contextlib.suppress(Missing):  # let go of since
                if _is_abandoned(self._store.read(f"{_HOLDS}/{name}")):
                    self._store.remove(f"{_HOLDS}/{name}")
                else:
                    yield name.partition("-")[0]

    def prune(self, version: Version, *, message: str | None, metadata_sha256: str) -> str | None:
        """Remove a version.

        Returns:
            What it is that it was not removed for; ``None``: it is gone.
        """
        if why := self.prune_exemptions().get(str(version)):
            return why
        detail = {"metadata_sha256": metadata_sha256}
        self._append_event(EventKind.PRUNED, version, message=message, detail=detail)
        return self.finish(version)

    def finish(self, version: Version) -> str | None:
        """Go on where a version is marked and its folder is still there; see ``prune``."""
        if why := self.prune_exemptions().get(str(version)):
            self._append_event(EventKind.KEPT, version, message=f"it is {why}")
            return why
        self._store.remove(str(version))
        return None

    def unfinished(self) -> list[Version]:
        """Versions that are marked as pruned and still there."""
        there = set(self._store.names())
        return [
            parse_version(version)
            for version, state in self.version_states().items()
            if state.pruned and version in there
        ]


def _is_abandoned(hold: bytes) -> bool:
    try:
        return _now() - datetime.fromisoformat(hold.decode()) > _ABANDONED
    except (TypeError, ValueError):  # not written here, so nobody's
        return True


def describe_pruning(event: Event) -> str:
    """That a version was pruned, when, by whom and why."""
    why = f": {event.message}" if event.message else ""
    return f"version {event.version} was pruned at {event.at} by {event.by}{why}"


def _now() -> datetime:
    return datetime.now(UTC)

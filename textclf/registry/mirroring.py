"""Mirror a registry: its versions, logs, added signatures and alias, byte for byte.

The mirror is a registry at any moment, whatever process dies: versions come first, then the records
of logs, in their order, then the alias; what was pruned is removed last. Nothing that is there is
overwritten: a target whose logs are not the beginning of those of the source is refused before
anything is written.

The source may change meanwhile. What is copied is what was seen of its logs before its versions
were listed; then it is looked at again, until nothing has changed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from semver import Version

from textclf.errors import IntegrityError, NoSuchVersion, TextclfError
from textclf.metadata.schema import METADATA, SIGNATURE, sha256
from textclf.metadata.versions import parse_version
from textclf.registry import layout
from textclf.registry.alias import sync_alias
from textclf.registry.copying import absent_versions, in_parallel
from textclf.registry.naming import describe_absence, promoted_version
from textclf.registry.promotion_log import AppendOnlyLog
from textclf.registry.publisher import create_copy, reserved_numbers
from textclf.registry.registry import Registry
from textclf.registry.store.base import Exists, read_or_none

_PASSES = 20
"""How often the source is looked at: one that changes all the time is mirrored as it was."""


class Mirrored(msgspec.Struct, frozen=True):
    """What a mirroring did.

    Attributes:
        versions: the versions that were copied.
        removed: those that were removed, because they were pruned in the source.
        lost: those that are in the target alone, although the logs of both name them.
        promotions: the number of promotions that were copied, in all channels.
        events: the number of other events that were copied.
        signatures: the number of added signatures that were copied.
        latest: the version that is promoted in the target now.
        complete: whether the target has all that was seen of the source; no if asked to stop.
        kept: the location of a copy of a foreign file in the alias's place, if there was one.
    """

    versions: list[str]
    removed: list[str]
    lost: list[str]
    promotions: int
    events: int
    signatures: int
    latest: str | None
    complete: bool = True
    kept: str | None = None

    @property
    def changed(self) -> bool:
        """Whether the target was not the same before."""
        copied = self.promotions + self.events + self.signatures
        return bool(self.versions or self.removed or copied)


def mirror(
    source: Registry,
    target: Registry,
    *,
    at_once: int = 1,
    stop: Callable[[], bool] = lambda: False,
    tell: Callable[[str], None] = lambda _: None,
) -> Mirrored:
    """Let a registry have all that another one has, and nothing else.

    Args:
        source: the registry to be mirrored.
        target: the mirror: an empty location, or an earlier mirror of that registry.
        at_once: how many versions are copied at the same time.
        stop: asked before each version whether to begin no other; then no log is changed either.
        tell: called with the number of each version that was copied.

    Raises:
        NoSuchVersion: the source is no registry, or a version that is promoted there is lost.
        TextclfError: the target is the mirror of no earlier state of the source.
        IntegrityError: a version or a log is damaged, or a version lacks a required signature.
    """
    if absence := describe_absence(source):
        raise NoSuchVersion(f"there is nothing to mirror: {source.store.locate()} {absence}")
    return _Mirror(source, target, at_once, stop, tell).run()


@dataclass(frozen=True)
class _Seen:
    """What a registry had at one moment.

    Attributes:
        events: the numbers of all events.
        promotions: the numbers of all promotions, by channel; those of ``latest`` are the last.
        versions: the published versions but those whose removal is decided.
        signatures: the keys of all added signatures.
    """

    events: Sequence[int]
    promotions: dict[str, list[int]]
    versions: Sequence[Version]
    signatures: Sequence[str]

    @classmethod
    def from_registry(cls, registry: Registry) -> _Seen:
        """Look at a registry: at its events before its promotions, and these before its versions.

        A version whose removal is among the events is then not promoted, and a version that is
        promoted is there.
        """
        events = registry.events.numbers()
        latest, *others = registry.channels()
        promotions = {log.channel: log.numbers() for log in (*others, latest)}
        removed = registry.events.removed_versions()
        versions = [version for version in registry.versions() if str(version) not in removed]
        return cls(events, promotions, versions, _added_signatures(registry))


def _added_signatures(registry: Registry) -> list[str]:
    store = registry.store
    folders = [layout.added_signatures(name) for name in store.names(layout.SIGNATURES)]
    return sorted(f"{folder}/{name}" for folder in folders for name in store.names(folder))


@dataclass(frozen=True)
class _MissingRecords:
    """The log of the target, and the files of the records that it lacks, by number."""

    log: AppendOnlyLog[Any]
    files: dict[int, bytes]


class _Mirror:
    """One mirroring, and what it has done so far."""

    def __init__(
        self,
        source: Registry,
        target: Registry,
        at_once: int,
        stop: Callable[[], bool],
        tell: Callable[[str], None],
    ) -> None:
        self._source, self._target = source, target
        self._at_once, self._stop, self._tell = at_once, stop, tell
        self._copied: list[Version] = []
        self._removed: list[Version] = []
        self._lost: list[Version] = []
        self._promotions = self._events = self._signatures = 0
        self._kept: str | None = None
        self._complete = False

    def run(self) -> Mirrored:
        for _ in range(_PASSES):
            seen = _Seen.from_registry(self._source)
            self._copy(seen)
            if self._stop() or _Seen.from_registry(self._source) == seen:
                break
        latest = self._target.latest()
        return Mirrored(
            versions=list(map(str, sorted(self._copied))),
            removed=list(map(str, sorted(self._removed))),
            lost=list(map(str, self._lost)),
            promotions=self._promotions,
            events=self._events,
            signatures=self._signatures,
            latest=str(latest) if latest else None,
            complete=self._complete,
            kept=self._kept,
        )

    def _copy(self, seen: _Seen) -> None:
        """Let the target have what was seen of the source."""
        promotions = self._missing_promotions(seen)
        events = self._missing(self._source.events, self._target.events, seen.events)
        absent = absent_versions(self._source, self._target, seen.versions)
        self._find_lost(seen)
        if absent or events.files or any(missing.files for missing in promotions):
            self._target.store.require_writable()
        self._copy_versions(absent)
        self._copy_signatures(seen)
        if self._stop() or not self._has_promoted(seen):
            return
        if self._needs_removed():  # else the mirror would have a promoted version that is removed
            self._copy_promotions(promotions)
        self._events += self._copy_records(events)
        self._copy_promotions(promotions)
        self._kept = sync_alias(self._target) or self._kept
        self._remove_pruned(seen)
        self._complete = True

    # -- what is missing -------------------------------------------------------------------------

    def _missing_promotions(self, seen: _Seen) -> list[_MissingRecords]:
        for log in self._target.channels():
            if log.channel not in seen.promotions and log.numbers():
                raise self._diverged(log, "a channel that it does not have")
        return [
            self._missing(self._source.channel(channel), self._target.channel(channel), numbers)
            for channel, numbers in seen.promotions.items()
        ]

    def _missing(
        self, ours: AppendOnlyLog[Any], theirs: AppendOnlyLog[Any], numbers: Sequence[int]
    ) -> _MissingRecords:
        """Return the records that a log of the target lacks. Raises if it has others."""
        there = theirs.numbers()
        if set(there).difference(numbers):
            raise self._diverged(theirs, "records that it does not have")
        files = dict(zip(numbers, ours.files(numbers), strict=True))
        for n, file in zip(there, theirs.files(there), strict=True):
            if files.pop(n) != file:
                raise self._diverged(theirs, f"another record {n}")
        return _MissingRecords(theirs, files)

    def _find_lost(self, seen: _Seen) -> None:
        """Note the versions that are in the target alone, and that are not pruned in the source.

        Raises:
            TextclfError: the source has never had one of them.
        """
        removed = self._source.events.removed_versions()
        alone = [v for v in self._target.versions() if v not in seen.versions]
        self._lost = [version for version in alone if str(version) not in removed]
        known = reserved_numbers(self._source) if self._lost else set()
        for version in self._lost:
            if version not in known:
                raise self._refused(f"has {version}, which {self._source.store.locate()} never had")

    def _diverged(self, log: AppendOnlyLog[Any], what: str) -> TextclfError:
        return self._refused(
            f"is no mirror of {self._source.store.locate()}: {log.folder} has {what}"
        )

    def _refused(self, problem: str) -> TextclfError:
        return TextclfError(
            f"{self._target.store.locate()} {problem}; nothing was changed",
            hint="mirror into a new folder or prefix; textclf versions push copies versions into "
            "a registry that has its own",
        )

    # -- versions and signatures -----------------------------------------------------------------

    def _copy_versions(self, versions: Sequence[Version]) -> None:
        removed = self._target.events.removed_versions()

        def copy(version: Version) -> Version | None:
            if str(version) in removed:  # what is left of it is not what is imported again
                self._target.store.remove_all(str(version), first=METADATA)
            try:
                create_copy(self._target, version, self._files(version))
            except NoSuchVersion:  # it was pruned in the source meanwhile
                return None
            return version

        for version in in_parallel(copy, versions, at_once=self._at_once, stop=self._stop):
            if version is not None:
                self._copied.append(version)
                self._tell(str(version))

    def _files(self, version: Version) -> dict[str, bytes]:
        """Return the files that lie in the folder of a version, each checked."""
        source = self._source
        metadata, data = source.verified_metadata(version)
        signature = read_or_none(source.store, layout.version_file(version, SIGNATURE))
        return {
            METADATA: data,
            **({} if signature is None else {SIGNATURE: signature}),
            **{file.file: source.read_recorded(version, file) for file in metadata.all_files()},
        }

    def _copy_signatures(self, seen: _Seen) -> None:
        there = set(_added_signatures(self._target)) if seen.signatures else set()
        for key in seen.signatures:
            if key not in there:
                version = key.split("/")[-2]
                signature = self._source.store.read(key)
                if layout.added_signature(version, sha256(signature)) != key:
                    location = self._source.store.locate(key)
                    raise IntegrityError(
                        f"{location} is damaged: not the signature that was added",
                        hint="restore it from a copy, or remove it and sign the version again",
                    )
                with contextlib.suppress(Exists):
                    self._target.store.create(key, signature)
                    self._signatures += 1

    # -- logs, alias and removals ----------------------------------------------------------------

    def _has_promoted(self, seen: _Seen) -> bool:
        """Whether the target has every version that was seen to be promoted.

        One that it lacks may have been pruned in the source since.

        Raises:
            NoSuchVersion: it is lost.
        """
        for channel, numbers in seen.promotions.items():
            head = self._source.channel(channel).read(numbers[-1]) if numbers else None
            if head and not self._target.is_published(parse_version(head.to)):
                if _Seen.from_registry(self._source) == seen:
                    promoted_version(self._source, channel, head)
                return False
        return True

    def _needs_removed(self) -> bool:
        """Whether a version whose removal is decided is promoted in the target, or was just now."""
        heads = [head for log in self._target.channels() if (head := log.head())]
        needed = {number for head in heads for number in (head.to, head.previous)}
        return bool(needed & self._source.events.removed_versions())

    def _copy_promotions(self, promotions: Sequence[_MissingRecords]) -> None:
        for missing in promotions:
            self._promotions += self._copy_records(missing)

    def _copy_records(self, missing: _MissingRecords) -> int:
        """Create the records that a log lacks, in order, and return their number."""
        number = len(missing.files)
        for n in sorted(missing.files):
            key, file = layout.log_record(missing.log.folder, n), missing.files.pop(n)
            try:
                self._target.store.create(key, file)
            except Exists:
                if self._target.store.read(key) != file:
                    raise self._diverged(missing.log, f"another record {n}") from None
        return number

    def _remove_pruned(self, seen: _Seen) -> None:
        """Remove what was pruned in the source, as the events say that are here, too."""
        promoted = {head.to for log in self._target.channels() if (head := log.head())}
        removed = self._target.events.removed_versions() - promoted
        for version in self._target.numbers():
            if str(version) in removed and version not in seen.versions:
                self._target.store.remove_all(str(version), first=METADATA)
                self._removed.append(version)

"""Check all that is in a registry, name everything that is wrong, and repair what is derived."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Generic, NamedTuple, TypeVar

import msgspec
from semver import Version

from textclf.errors import IntegrityError, NoSuchVersion, StoreError, TextclfError
from textclf.metadata.schema import METADATA, SIGNATURE, FileRecord, file_problem, sha256
from textclf.metadata.versions import parse_version
from textclf.registry import layout
from textclf.registry.alias import is_published_model, sync_alias
from textclf.registry.naming import describe_absence
from textclf.registry.promotion_log import (
    AppendOnlyLog,
    LogRecord,
    PromotionLog,
    PromotionRecord,
)
from textclf.registry.pruning import finish_removal, unfinished_removals
from textclf.registry.publisher import abandoned_numbers
from textclf.registry.registry import Registry
from textclf.registry.store.base import Incomplete, Missing, read_or_none

T = TypeVar("T", bound=LogRecord)

_PAUSES = (0.0, 0.05, 0.25, 1.0)
"""Seconds before each further look at what seems wrong: others may finish their work meanwhile."""


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong: in which version (or none), in which file, and what."""

    version: str | None
    file: str
    problem: str


class Verification(msgspec.Struct, frozen=True):
    """The result of a check.

    Attributes:
        versions: the number of versions that were checked, without what writers have not completed.
        problems: all that is wrong.
        repaired: what was repaired before the check.
        failed: what could not be repaired, and why.
        repairable: whether a repair would help.
    """

    versions: int
    problems: tuple[Problem, ...]
    repaired: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    repairable: bool = False

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def verify(registry: Registry, *, repair: bool = False) -> Verification:
    """Check every file of every version, the logs and the alias.

    Args:
        registry: the registry.
        repair: first restore the alias, remove half-written work and finish removals that were
            begun; nothing else of versions and logs is ever changed.

    Raises:
        UsageError: signatures are required, and the key cannot be used.
    """
    if registry.signed_by:
        registry.signed_by.require_usable()
    repaired: list[str] = []
    failed: list[str] = []
    for step in _repairs(registry) if repair else ():
        try:
            repaired += step()
        except (IntegrityError, NoSuchVersion):
            pass  # a version or a log is damaged, so this is not known: the check names it
        except StoreError as error:
            failed.append(str(error))
    return msgspec.structs.replace(
        _Check(registry).run(), repaired=tuple(repaired), failed=tuple(failed)
    )


def _repairs(registry: Registry) -> Iterator[Callable[[], Iterable[str]]]:
    """Yield the steps of a repair, each independent of the others; each says what it did."""
    yield lambda: _sweep(registry)
    yield lambda: _remove_abandoned(registry)
    unfinished: list[Version] = []

    def find_unfinished() -> Iterable[str]:
        unfinished.extend(unfinished_removals(registry))
        return ()

    yield find_unfinished
    for version in unfinished:
        yield partial(_finish_removal, registry, version)
    yield lambda: _restore_alias(registry)


def _sweep(registry: Registry) -> Iterator[str]:
    if registry.store.leftovers():
        registry.store.sweep()
        if not registry.store.leftovers():
            yield "removed half-written work of writers that died"


def _remove_abandoned(registry: Registry) -> Iterator[str]:
    for version in abandoned_numbers(registry):
        registry.store.remove_all(str(version), first=METADATA)
        yield f"removed what was published of {version} by a writer that died"


def _finish_removal(registry: Registry, version: Version) -> Iterator[str]:
    why = finish_removal(registry, version)
    yield f"kept {version}: it is {why}" if why else f"finished removing {version}"


def _restore_alias(registry: Registry) -> Iterator[str]:
    if any(_alias_problems(registry, registry.promotions.head())):
        kept = sync_alias(registry)
        where = f"; the file that stood there is now {kept}" if kept else ""
        yield f"restored {registry.store.locate(layout.ALIAS)}{where}"


def _check_alias(registry: Registry) -> Iterator[Problem]:
    try:
        head = registry.promotions.head()
    except (IntegrityError, StoreError):  # a problem of the log
        return
    yield from _alias_problems(registry, head)


def _alias_problems(registry: Registry, head: PromotionRecord | None) -> Iterator[Problem]:
    data = read_or_none(registry.store, layout.ALIAS)
    if head and data is None:
        yield Problem(head.to, layout.ALIAS, f"is missing; {head.to} is promoted")
    elif head and data is not None and sha256(data) != _promoted_digest(registry, head):
        yield Problem(head.to, layout.ALIAS, f"is not the promoted version {head.to}")


def _promoted_digest(registry: Registry, head: PromotionRecord) -> str:
    """Return the digest of the promoted model by the version's metadata, which are checked, too."""
    with contextlib.suppress(NoSuchVersion, IntegrityError, StoreError):
        return registry.unverified_metadata(parse_version(head.to)).artifact.sha256
    return head.sha256  # of a version that is lost or damaged, which is a problem of its own


_Look = Callable[[], Iterable[Problem]]
"""Looks at a part of the registry, as it is at that moment, and returns what is wrong with it."""


def _persistent(looks: Sequence[_Look]) -> list[list[Problem]]:
    """Return the problems that each look finds whenever it is taken.

    Others may write meanwhile, and each look reads one file after the other: what was wrong between
    two of their steps is right a moment later.
    """
    found = [list(look()) for look in looks]
    for pause in _PAUSES:
        if not any(found):
            break
        time.sleep(pause)
        found = [
            problems and _still(problems, look) for problems, look in zip(found, looks, strict=True)
        ]
    return found


def _still(problems: Iterable[Problem], look: _Look) -> list[Problem]:
    now = set(look())
    return [problem for problem in problems if problem in now]


class _LogEntry(NamedTuple, Generic[T]):
    """A place in a log: its record or what is wrong, and whether the one before it is good."""

    key: str
    record: T | Problem
    follows: bool


class _Check:
    """One check of a registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store = registry.store
        self._digests: dict[str, str] = {}
        self._unfinished: set[str] = set()
        self._channels = [registry.promotions]
        with contextlib.suppress(StoreError):  # which is a problem of the promotion log
            self._channels = registry.channels()
            for entry in itertools.chain(*map(self._read_log, self._channels)):
                if not isinstance(entry.record, Problem):
                    self._digests.setdefault(entry.record.to, entry.record.metadata_sha256)

    def run(self) -> Verification:
        registry, events = self._registry, self._registry.events
        folders = list(map(str, registry.numbers()))
        lasting: list[_Look] = [
            partial(self._guarded, layout.PROMOTIONS, self._absence_problems),
            *(partial(self._guarded, v, partial(self._settled_problems, v), v) for v in folders),
            partial(self._guarded, layout.PROMOTIONS, self._lost_log_problems),
            *(
                partial(self._guarded, log.folder, partial(self._promotion_problems, log))
                for log in self._channels
            ),
            partial(self._guarded, events.folder, self._event_problems),
        ]
        derived: list[_Look] = [
            partial(self._guarded, layout.ALIAS, partial(_check_alias, registry)),
            partial(self._guarded, layout.STAGING, self._leftover_problems),
            partial(self._guarded, events.folder, self._half_pruned_problems),
            partial(self._guarded, events.folder, self._half_published_problems),
        ]
        found = _persistent([*lasting, *derived])
        problems = tuple(problem for problems in found for problem in problems)
        versions = len(folders) - len(self._unfinished)
        return Verification(versions, problems, repairable=any(found[len(lasting) :]))

    def _absence_problems(self) -> Iterator[Problem]:
        """Yield the problem that there is nothing to check, which nobody asks for on purpose."""
        if absence := describe_absence(self._registry):
            yield Problem(None, self._store.locate(), absence)

    def _guarded(self, key: str, look: _Look, version: str | None = None) -> Iterator[Problem]:
        """Yield problems, and if they cannot be looked for, that one: the check goes on."""
        try:
            yield from look()
        except StoreError as error:
            yield Problem(version, key, self._without_location(error, key))

    def _without_location(self, error: TextclfError, key: str) -> str:
        """Return the message of an error about a file that is named beside it."""
        if isinstance(error.__cause__, OSError):
            return f"cannot be read: {error.__cause__.strerror}"
        return str(error).removeprefix(f"{self._store.locate(key)} ")

    def _settled_problems(self, version: str) -> Iterator[Problem]:
        """Yield the problems of a version; none if it is pruned during the check."""
        with contextlib.suppress(NoSuchVersion, Missing):
            problems = list(self._version_problems(version))
            if version in self._store.names():
                yield from problems

    def _version_problems(self, version: str) -> Iterator[Problem]:
        key, number = layout.version_file(version, METADATA), parse_version(version)
        try:
            metadata = self._registry.unverified_metadata(number)
        except NoSuchVersion:
            if self._is_damaged(number):
                yield Problem(version, key, "is missing: this folder is not a version")
            else:
                self._unfinished.add(version)
            return
        except TextclfError as error:
            yield Problem(version, key, self._without_location(error, key))
            return
        digest = sha256(self._registry.metadata_bytes(number))
        if self._digests.get(version, digest) != digest:
            yield Problem(version, key, "was changed after its promotion")
        if problem := self._registry.signature_problem(number):
            yield Problem(version, key, problem)
        yield from self._file_problems(version, list(metadata.all_files()))
        published = {METADATA, SIGNATURE, *(record.file for record in metadata.all_files())}
        for name in sorted(set(self._store.names(version)) - published):
            file = layout.version_file(version, name)
            yield Problem(version, file, "was not published with this version")

    def _is_damaged(self, version: Version) -> bool:
        """Whether it is not a writer's work that a version's folder has no metadata.

        What writers that died have left is named elsewhere, because it can be repaired.
        """
        if self._is_pruned(version):
            return False
        match self._store.why_incomplete(str(version)):
            case Incomplete.DAMAGED:
                return True
            case Incomplete.IN_PROGRESS:
                return False
        return version not in abandoned_numbers(self._registry)

    def _file_problems(self, version: str, records: Sequence[FileRecord]) -> Iterator[Problem]:
        keys = [layout.version_file(version, record.file) for record in records]
        contents = self._store.read_many(keys)
        for key, record, content in zip(keys, records, contents, strict=True):
            if isinstance(content, StoreError):
                yield Problem(version, key, self._without_location(content, key))
                continue
            data = None if isinstance(content, Missing) else content
            if problem := file_problem(data, record):
                yield Problem(version, key, problem)

    def _promotion_problems(self, log: PromotionLog) -> Iterator[Problem]:
        previous: str | None = None
        entries = list(self._read_log(log))
        records = [entry.record for entry in entries if isinstance(entry.record, PromotionRecord)]
        versions = {record.n: record.to for record in records}
        never_pruned = self._never_pruned(log, versions)
        for entry in entries:
            key, record, follows = entry
            if isinstance(record, Problem):
                yield record
                continue
            if follows and record.previous != previous:
                yield Problem(
                    None, key, f"names {record.previous} as the previous version, not {previous}"
                )
            if record.restores and versions.get(record.restores, record.to) != record.to:
                edited = f"restores record {record.restores}, which is of another version"
                yield Problem(record.to, key, edited)
            if problem := self._promoted_problem(
                record, may_be_pruned=record.n not in never_pruned
            ):
                yield Problem(record.to, key, problem)
            previous = record.to

    def _never_pruned(self, log: PromotionLog, versions: Mapping[int, str]) -> set[int]:
        """Return the newest records of the versions that nobody can have pruned.

        They are the promoted version and the one before it. The one that a rollback promotes may
        have been pruned before the last rollback, when it was not the next to go back to.

        Args:
            log: the log of the channel.
            versions: the version of each of its records.
        """
        newest = {version: n for n, version in versions.items()}
        with contextlib.suppress(StoreError, IntegrityError):  # problems of the log
            if head := log.head():
                return {newest.get(version, 0) for version in (head.to, head.previous) if version}
        return set()

    def _lost_log_problems(self) -> Iterator[Problem]:
        log = self._registry.promotions
        with contextlib.suppress(StoreError):  # a problem of the alias
            alias = read_or_none(self._store, layout.ALIAS)
            if alias and not log.numbers() and is_published_model(self._registry, sha256(alias)):
                problem = f"is empty, but {layout.ALIAS} is a version of this registry"
                yield Problem(None, log.folder, problem)

    def _promoted_problem(self, record: PromotionRecord, *, may_be_pruned: bool) -> str | None:
        """Say what is wrong with a promotion."""
        version = parse_version(record.to)
        try:
            metadata = self._registry.unverified_metadata(version)
        except NoSuchVersion:
            if not self._is_pruned(version):
                return f"names version {version}, which does not exist"
            return None if may_be_pruned else f"names version {version}, which was pruned"
        except TextclfError:
            return None  # a problem of that version
        if metadata.artifact.sha256 != record.sha256:
            return "has another SHA-256 than the version's metadata"
        return None

    def _is_pruned(self, version: Version) -> bool:
        with contextlib.suppress(StoreError):  # a problem of the events
            return self._registry.events.version_state(version).pruned is not None
        return False

    def _event_problems(self) -> Iterator[Problem]:
        entries = self._read_log(self._registry.events)
        yield from (entry.record for entry in entries if isinstance(entry.record, Problem))

    def _read_log(self, log: AppendOnlyLog[T]) -> Iterator[_LogEntry[T]]:
        follows, previous = True, 0
        for n in log.numbers():
            key = layout.log_record(log.folder, n)
            if n != previous + 1:
                gap = Problem(None, key, f"record {previous + 1} is missing before it")
                yield _LogEntry(key, gap, follows=False)
                follows = False
            previous = n
            try:
                yield _LogEntry(key, log.read(n), follows)
                follows = True
            except TextclfError as error:
                damage = Problem(None, key, self._without_location(error, key))
                yield _LogEntry(key, damage, follows=False)
                follows = False

    def _leftover_problems(self) -> Iterator[Problem]:
        for key in self._store.leftovers():
            yield Problem(None, key, "was left by an interrupted writer")

    def _half_pruned_problems(self) -> Iterator[Problem]:
        with contextlib.suppress(StoreError):  # a problem of the event log
            for version in unfinished_removals(self._registry):
                yield Problem(str(version), str(version), "was pruned, but still exists")

    def _half_published_problems(self) -> Iterator[Problem]:
        for version in abandoned_numbers(self._registry):
            number = str(version)
            yield Problem(number, number, "was left half published by a writer that died")

"""Look at all that lies in a registry, name everything that is wrong, and mend what is derived."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import msgspec

from textclf.errors import IntegrityError, NoSuchVersion, StoreError, TextclfError
from textclf.metadata.schema import ARTIFACT, METADATA, SIGNATURE, file_problem, sha256
from textclf.metadata.versions import parse_version
from textclf.registry.promotion_log import AppendOnlyLog, Event, Numbered, PromotionRecord
from textclf.registry.pruning import Pruner
from textclf.registry.store.base import Missing, Store

if TYPE_CHECKING:
    from textclf.registry.registry import Registry

T = TypeVar("T", bound=Numbered)


class Problem(msgspec.Struct, frozen=True):
    """One thing found wrong: in which version (or none), in which file, and what."""

    version: str | None
    file: str
    problem: str


class Verification(msgspec.Struct, frozen=True):
    """How many version folders were read, all that is wrong, and whether a repair would help."""

    versions: int
    problems: tuple[Problem, ...]
    repaired: tuple[str, ...] = ()
    repairable: bool = False

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return not self.problems


@dataclass(frozen=True)
class Verifier:
    """Checks a registry: what it promises, and the logs and files that it keeps its promises by."""

    registry: Registry
    store: Store
    log: AppendOnlyLog[PromotionRecord]
    events: AppendOnlyLog[Event]
    pruner: Pruner

    def verify(self, *, repair: bool) -> Verification:
        """See `Registry.verify`."""
        repaired = tuple(self._repair()) if repair else ()
        folders = self.registry.numbers()
        digests = self.registry.promoted_metadata()
        lasting: list[Problem] = []
        for version in map(str, folders):
            found = self._problems(version, digests.get(version))
            lasting += self._named(version, found, version)
        lasting += self._named(self.log.folder, self._log_problems())
        lasting += self._named(self.events.folder, self._event_problems())
        derived: list[Problem] = []
        with contextlib.suppress(TextclfError):  # a problem of the log
            derived += self._named(ARTIFACT, self._alias_problems(self.log.head()))
        derived += self._named(".registry/staging", self._leftover_problems())
        derived += self._named(self.events.folder, self._half_pruned_problems())
        return Verification(len(folders), (*lasting, *derived), repaired, bool(derived))

    def _repair(self) -> Iterator[str]:
        if self.store.leftovers():
            self.store.sweep()
            if not self.store.leftovers():
                yield "removed half-written work of writers that died"
        for version in self.pruner.unfinished():
            with contextlib.suppress(IntegrityError):  # of a log: nobody knows if it is promoted
                why = self.pruner.finish(version)
                yield f"kept {version}: it is {why}" if why else f"finished removing {version}"
        with contextlib.suppress(IntegrityError, NoSuchVersion):
            # the version itself, or the log, is damaged: the check that follows names it
            if any(self._alias_problems(self.log.head())):
                kept = self.registry.sync_alias()
                told = f"; the file that stood there is now {kept}" if kept else ""
                yield f"restored {self.store.locate(ARTIFACT)}{told}"

    def _named(
        self, key: str, problems: Iterator[Problem], version: str | None = None
    ) -> Iterator[Problem]:
        """The problems, and, where they cannot be looked for, that: the others are named still."""
        try:
            yield from problems
        except StoreError as error:
            yield Problem(version, key, self._without_path(error, key))

    def _problems(self, name: str, promoted: str | None) -> Iterator[Problem]:
        """Of a version; none where it is pruned while it is looked at."""
        with contextlib.suppress(NoSuchVersion, Missing):
            found = list(self._version_problems(name, promoted))
            if name in self.store.names():
                yield from found

    def _version_problems(self, name: str, promoted: str | None) -> Iterator[Problem]:
        try:
            metadata = self.registry.unverified_metadata(parse_version(name))
        except NoSuchVersion:
            yield Problem(name, f"{name}/{METADATA}", "is missing: this folder is no version")
            return
        except TextclfError as error:
            key = f"{name}/{METADATA}"
            yield Problem(name, key, self._without_path(error, key))
            return
        if promoted and promoted != sha256(self.store.read(f"{name}/{METADATA}")):
            yield Problem(name, f"{name}/{METADATA}", "was changed after its promotion")
        if problem := self.registry.signature_problem(parse_version(name)):
            yield Problem(name, f"{name}/{METADATA}", problem)
        for record in metadata.all_files():
            key = f"{name}/{record.file}"
            try:
                problem = file_problem(self._read(key), record)
            except StoreError as error:
                problem = self._without_path(error, key)
            if problem:
                yield Problem(name, key, problem)
        published = {METADATA, SIGNATURE, *(each.file for each in metadata.all_files())}
        for file in sorted(set(self.store.names(name)) - published):
            yield Problem(name, f"{name}/{file}", "was not published with this version")

    def _lost_log_problems(self) -> Iterator[Problem]:
        try:
            alias = self._read(ARTIFACT)
        except StoreError:
            return  # a problem of the alias
        if (
            alias is not None
            and not self.log.numbers()
            and self.registry.is_published(sha256(alias))
        ):
            yield Problem(
                None, self.log.folder, f"is empty, but {ARTIFACT} is a version of this registry"
            )

    def _log_problems(self) -> Iterator[Problem]:
        yield from self._lost_log_problems()
        gone = {name for name, state in self.registry.version_states().items() if state.pruned}
        before: PromotionRecord | None = None
        for key, record, whole in self._read_through(self.log):
            if isinstance(record, Problem):
                yield record
                continue
            previous = before.to if before else None
            if whole and record.previous != previous:
                yield Problem(None, key, f"goes on from {record.previous}, not from {previous}")
            if record.to not in gone and (problem := self._promoted_problem(record)):
                yield Problem(record.to, key, problem)
            before = record

    def _event_problems(self) -> Iterator[Problem]:
        events = self._read_through(self.events)
        yield from (event for _, event, _ in events if isinstance(event, Problem))

    def _read_through(self, log: AppendOnlyLog[T]) -> Iterator[tuple[str, T | Problem, bool]]:
        """Key, and record or what is wrong with it; and whether all is well right before it."""
        whole, before = True, 0
        for n in log.numbers():
            key = log.key(n)
            if n != before + 1:
                yield key, Problem(None, key, f"record {before + 1} is missing before it"), False
                whole = False
            before = n
            try:
                record = log.read(n)
            except TextclfError as error:
                yield key, Problem(None, key, self._without_path(error, key)), False
                whole = False
                continue
            yield key, record, whole
            whole = True

    def _promoted_problem(self, record: PromotionRecord) -> str | None:
        try:
            metadata = self.registry.unverified_metadata(parse_version(record.to))
        except NoSuchVersion:
            return f"names version {record.to}, which does not exist"
        except TextclfError:
            return None  # a problem of that version
        if metadata.artifact.sha256 != record.sha256:
            return "has another SHA-256 than the version's metadata"
        return None

    def _without_path(self, error: TextclfError, key: str) -> str:
        """What an error says of a file, where the file is named beside it."""
        if isinstance(error.__cause__, OSError):
            return f"cannot be read: {error.__cause__.strerror}"
        return str(error).removeprefix(f"{self.store.locate(key)} ")

    def _alias_problems(self, head: PromotionRecord | None) -> Iterator[Problem]:
        found = self._read(ARTIFACT)
        digest = sha256(found) if found is not None else None
        if head and digest is None:
            yield Problem(head.to, ARTIFACT, f"is missing; promoted is {head.to}")
        elif head and digest != head.sha256:
            yield Problem(head.to, ARTIFACT, f"is not the promoted version {head.to}")

    def _leftover_problems(self) -> Iterator[Problem]:
        for name in self.store.leftovers():
            yield Problem(None, name, "was left by a writer that died")

    def _half_pruned_problems(self) -> Iterator[Problem]:
        for version in self.pruner.unfinished():
            yield Problem(str(version), str(version), "was pruned, but is still there")

    def _read(self, key: str) -> bytes | None:
        try:
            return self.store.read(key)
        except Missing:
            return None

"""Copy versions from one registry to another, each with all its files and under its own number.

A version arrives as it does by an import: its files are checked against the digests in its
metadata, the metadata appear last, and an event says where it came from. What is there already is
not sent again, so a copy that was interrupted is completed by doing it once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

import msgspec
from semver import Version

from textclf.errors import StoreError
from textclf.metadata.schema import LARGEST_METADATA, METADATA, sha256
from textclf.registry import layout
from textclf.registry.publisher import require_free
from textclf.registry.registry import Registry
from textclf.registry.store.base import Missing

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 4
"""Versions that are copied at the same time where a registry is far away; each is in memory."""


class CopiedVersion(msgspec.Struct, frozen=True):
    """What came of copying a version.

    Attributes:
        version: its number.
        changed: whether it was not there before.
        bytes: the size of its files, if they were sent.
        signatures: the number of signatures that were added to the version that was there.
    """

    version: str
    changed: bool
    bytes: int = 0
    signatures: int = 0


def copy_versions(
    source: Registry,
    target: Registry,
    versions: Sequence[Version],
    *,
    at_once: int = 1,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[CopiedVersion]:
    """Copy versions, and yield each when it is there; none is promoted.

    Args:
        source: where they are.
        target: where they are to be.
        versions: which ones; each is published in the source.
        at_once: how many are copied at the same time.
        stop: asked before each version whether to begin no other; those begun are completed.

    Raises:
        TextclfError: a number is, or was, that of another version in the target. If the target has
            that other version now, nothing was copied.
        IntegrityError: a version is damaged, or lacks the signature that the source or the target
            requires.
        NoSuchVersion: a version was pruned meanwhile.
    """
    pruned = target.events.pruned_versions()
    absent = set(absent_versions(source, target, versions))
    absent |= {version for version in versions if str(version) in pruned}
    if absent:
        target.store.require_writable()

    def copy(version: Version) -> CopiedVersion:
        return _copy(source, target, version, is_absent=version in absent)

    yield from in_parallel(copy, versions, at_once=at_once, stop=stop)


def absent_versions(
    source: Registry, target: Registry, versions: Sequence[Version]
) -> list[Version]:
    """Return those versions of the source that are not in the target.

    Raises:
        TextclfError: another version has the number there.
        StoreError: metadata cannot be read.
    """
    keys = [layout.version_file(version, METADATA) for version in versions]
    wanted = source.store.read_many(keys, LARGEST_METADATA)
    there = target.store.read_many(keys, LARGEST_METADATA)
    absent = []
    for version, ours, theirs in zip(versions, wanted, there, strict=True):
        for content in (ours, theirs):
            if isinstance(content, StoreError):
                raise content
        if isinstance(theirs, Missing):
            absent.append(version)
        elif isinstance(ours, bytes) and ours != theirs:
            require_free(target, version, sha256(ours))
    return absent


def unpruned_versions(target: Registry, versions: Iterable[Version]) -> list[Version]:
    """Return the versions that were not pruned in a registry."""
    pruned = target.events.pruned_versions()
    return [version for version in versions if str(version) not in pruned]


def _copy(
    source: Registry, target: Registry, version: Version, *, is_absent: bool
) -> CopiedVersion:
    if not is_absent:
        added = _add_signatures(source, target, version)
        target.metadata(version)  # raises if it lacks the signature that is required
        return CopiedVersion(str(version), changed=False, signatures=added)
    files = source.export_files(version)
    changed = target.import_version(version, files, source=source.store.locate())
    added = _add_signatures(source, target, version)
    size = sum(map(len, files.values())) if changed else 0
    return CopiedVersion(str(version), changed, size, added)


def _add_signatures(source: Registry, target: Registry, version: Version) -> int:
    """Add the signatures that a version has in the source, and return how many were missing."""
    data = source.metadata_bytes(version)
    there = target.signatures.read(version)
    ours = source.signatures.valid(source.signatures.read(version), data)
    missing = [signature for signature in dict.fromkeys(ours) if signature not in there]
    for signature in missing:
        target.signatures.add(version, data, lambda _, made=signature: made)  # type: ignore[misc]
    return len(missing)


def in_parallel(
    work: Callable[[T], R], items: Iterable[T], *, at_once: int, stop: Callable[[], bool]
) -> Iterator[R]:
    """Yield what ``work`` returns for each item, in the order in which it is done.

    No other is begun once ``stop`` says so, or one has failed; those begun are completed, and the
    first error is raised then. The thread that waits can be interrupted.
    """
    waiting = iter(items)
    running: set[Future[R]] = set()
    failure: BaseException | None = None
    pool = ThreadPoolExecutor(at_once)
    try:
        while True:
            while len(running) < at_once and failure is None and not stop():
                try:
                    running.add(pool.submit(work, next(waiting)))
                except StopIteration:
                    break
            if not running:
                break
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                error = future.exception()
                if error is None:
                    yield future.result()
                failure = failure or error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    if failure is not None:
        raise failure

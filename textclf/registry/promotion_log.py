"""Append-only logs of numbered JSON records, and the promotion log, which says what is latest."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from textclf.errors import IntegrityError, StoreError, TextclfError
from textclf.metadata.channels import LATEST, PREVIOUS
from textclf.metadata.schema import encode
from textclf.metadata.verdict import Verdict
from textclf.metadata.versions import is_version
from textclf.registry import layout
from textclf.registry.store.base import (
    LogNames,
    Missing,
    Store,
    read_or_none,
    retry_on_conflict,
)

_LARGEST_RECORD = 16 << 20
"""The most bytes of a record: that of a gate has a few for each label."""


class LogRecord(Protocol):
    """What an append-only log keeps, each under its number."""

    @property
    def n(self) -> int: ...  # noqa: D102 - documented by the class

    def fits(self, n: int) -> bool:
        """Whether this can be the record with that number: not one that somebody edited."""
        ...


T = TypeVar("T", bound=LogRecord)


class AppendOnlyLog(Generic[T]):
    """A folder of a store with one file for each record, ``00000001.json`` and so on.

    Args:
        store: the store.
        folder: the folder's key.
        record_type: the type of its records.
        noun: what a record is called in a message, with its article.
    """

    def __init__(self, store: Store, folder: str, record_type: type[T], noun: str) -> None:
        self._store = store
        self._record_type = record_type
        self._noun = noun
        self._cache: dict[int, T] = {}  # records never change
        self.folder = folder

    def numbers(self, listed: LogNames | None = None) -> list[int]:
        """Return the numbers of all records, lowest first.

        Args:
            listed: the names in the folders of all logs, if they were listed just now.
        """
        if listed is None:
            names = self._store.names(self.folder)
        else:
            names = list(listed.get(self.folder, ()))
        return sorted(n for n in map(layout.record_number, names) if n is not None)

    def read(self, n: int) -> T:
        """Return the record with a number.

        Raises:
            IntegrityError: it is missing or damaged.
            StoreError: it cannot be read.
        """
        try:
            data = self._store.read(layout.log_record(self.folder, n), _LARGEST_RECORD)
        except Missing:
            raise self._damage(n) from None
        record = self._parse(data, n)
        if record is None:
            raise self._damage(n)
        return record

    def _damage(self, n: int) -> IntegrityError:
        location = self._store.locate(layout.log_record(self.folder, n))
        return IntegrityError(
            f"{location} is damaged: not {self._noun}",
            hint="restore it from a backup; the versions themselves are not affected",
        )

    def _read_many(
        self, numbers: Sequence[int], known: dict[int, T]
    ) -> Iterator[T | IntegrityError | StoreError]:
        """Yield the records with these numbers, or what `read` raises, and note them as known."""
        keys = [layout.log_record(self.folder, n) for n in numbers if n not in known]
        contents = self._store.read_many(keys, _LARGEST_RECORD)
        for n in numbers:
            content = None if n in known else next(contents)
            if isinstance(content, bytes) and (record := self._parse(content, n)):
                known[n] = record
            if n in known:
                yield known[n]
            else:
                yield content if isinstance(content, StoreError) else self._damage(n)

    def files(self, numbers: Sequence[int]) -> Iterator[bytes]:
        """Yield the files of records as they are, each checked. Raises as `read` does."""
        keys = [layout.log_record(self.folder, n) for n in numbers]
        contents = self._store.read_many(keys, _LARGEST_RECORD)
        for n, content in zip(numbers, contents, strict=True):
            if isinstance(content, StoreError):
                raise content
            if isinstance(content, Missing) or self._parse(content, n) is None:
                raise self._damage(n)
            yield content

    def _parse(self, data: bytes, n: int) -> T | None:
        """Return the record with a number that a file holds; ``None`` if it does not."""
        try:
            record = msgspec.json.decode(data, type=self._record_type)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        return record if record.fits(n) and len(data) <= _LARGEST_RECORD else None

    def last_number(self, listed: LogNames | None = None) -> int:
        """Return the number of the newest record; 0 if there is none. See `numbers`."""
        return max(self.numbers(listed), default=0)

    def head(self, listed: LogNames | None = None) -> T | None:
        """Return the newest record. See `numbers`."""
        n = self.last_number(listed)
        return self.read(n) if n else None

    def is_head(self, record: T) -> bool:
        """Whether a record is still the newest one; cheaper than `head`.

        In a log that was replaced by another, however long, another record is in its place. The
        names come first, because a cache learns by them that the log is another one.
        """
        name, before = layout.record_name(record.n), layout.record_name(record.n - 1)
        if self._store.names(self.folder, after=before) != [name]:
            return False
        key = layout.log_record(self.folder, record.n)
        data = read_or_none(self._store, key, _LARGEST_RECORD)
        return data is not None and self._parse(data, record.n) == record

    def records(self) -> list[T]:
        """Return all records, oldest first. Raises IntegrityError or StoreError, as `read`."""
        return [raised(entry) for entry in self.entries()]

    def entries(self) -> Iterator[T | IntegrityError | StoreError]:
        """Yield all records, oldest first; in the place of one that cannot be read, the error."""
        return self._read_many(self.numbers(), {})

    def known_entries(
        self, listed: LogNames | None = None
    ) -> Iterator[T | IntegrityError | StoreError]:
        """Yield what `entries` does, each record as it was when first read here."""
        return self._read_many(self.numbers(listed), self._cache)

    def known_records(self) -> Sequence[T]:
        """Return the records that were read or written here before; nothing is read."""
        return list(self._cache.values())

    def readable_records(self, listed: LogNames | None = None) -> Iterator[T]:
        """Yield the records that are not damaged, oldest first; ``verify`` names the others.

        Raises:
            StoreError: one cannot be read: nobody knows what it says.
        """
        for entry in self.known_entries(listed):
            if not isinstance(entry, IntegrityError):
                yield raised(entry)

    def create(self, n: int, record: T) -> None:
        """Write the record with a number.

        Raises:
            Exists: another writer was faster.
            IntegrityError: the log has the highest number that there is; nothing was written.
        """
        if n > layout.LAST_RECORD:
            raise IntegrityError(
                f"{self._store.locate(self.folder)} has a record {layout.LAST_RECORD}, the highest "
                "number that there is, so nothing can be added",
                hint="textclf verify names the records that are out of order",
            )
        data = encode(record)
        if self._parse(data, n) is None:
            raise ValueError(f"could not be read back: {record}")
        self._store.create(layout.log_record(self.folder, n), data)

    def append(self, make: Callable[[int], T]) -> T:
        """Write the record that ``make`` returns for the next free number, and return it."""

        def attempt() -> T:
            n = self.last_number() + 1
            record = make(n)
            self.create(n, record)
            return record

        return retry_on_conflict(attempt)


def raised(entry: T | IntegrityError | StoreError) -> T:
    """Return an entry of a log. Raises it if it is an error."""
    if isinstance(entry, TextclfError):
        raise entry
    return entry


class PromotionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One promotion.

    Attributes:
        n: its number, from 1 without gaps.
        at: when (UTC).
        previous: the version that was promoted until then (``from`` in the file), if any.
        to: the version that was promoted.
        by: who, as user@host.
        message: why.
        sha256: digest of the version's artifact, by which ``verify`` detects an edited record.
        metadata_sha256: digest of its metadata file, which has the digests of all other files; the
            metadata must always be those of the version's first promotion.
        token: random, so that writers tell their own record from another's.
        gate: how the version came through the conditions set for it, if there were any.
        channel: the channel in which it was promoted.
        restores: of a rollback, the number of the record that is in force again.
    """

    n: int
    at: str
    previous: str | None = msgspec.field(name="from")
    to: str
    by: str
    message: str | None = None
    sha256: str
    metadata_sha256: str
    token: str
    gate: Verdict | None = None
    channel: str = LATEST
    restores: int | None = None

    def fits(self, n: int) -> bool:
        """See LogRecord."""
        return (
            self.n == n
            and is_version(self.to)
            and (self.previous is None or is_version(self.previous))
            and (self.restores is None or 0 < self.restores < n)
        )

    def as_json(self) -> dict[str, Any]:
        """Return the fields that ``textclf history --json`` has."""
        fields = msgspec.to_builtins(self)
        names = ("n", "at", "from", "to", "by", "message", "gate", "channel", "restores")
        return {name: fields[name] for name in names}


class PromotionLog(AppendOnlyLog[PromotionRecord]):
    """The promotions of one channel. The version of the newest record is the promoted one."""

    def __init__(self, store: Store, channel: str = LATEST) -> None:
        folder = layout.channel_log(channel)
        noun = "a promotion record" if channel == LATEST else f"a promotion record of {channel}"
        super().__init__(store, folder, PromotionRecord, noun)
        self.channel = channel

    def _parse(self, data: bytes, n: int) -> PromotionRecord | None:
        """See AppendOnlyLog: a record of another channel was moved here by somebody."""
        record = super()._parse(data, n)
        return record if record and record.channel == self.channel else None

    def create(self, n: int, record: PromotionRecord) -> None:
        """See AppendOnlyLog: its writer need not read it."""
        super().create(n, record)
        self._cache[n] = record

    def in_force(self, n: int) -> PromotionRecord:
        """Return the record whose promotion is in force after record ``n``.

        That is record ``n`` itself or, if that is a rollback, the one that it restored. It is of
        the same version, and earlier, or somebody has edited one of them: then it does not count.

        Raises:
            IntegrityError: a record is missing or damaged.
            StoreError: it cannot be read.
        """
        record = self.read(n)
        while record.restores is not None:
            restored = self.read(record.restores)
            if restored.to != record.to:
                break
            record = restored
        return record

    def rollback_target(
        self, head: PromotionRecord, *, steps: int = 1, to: str | None = None
    ) -> PromotionRecord | None:
        """Return the record that a rollback restores, if there is one.

        Each step goes back by one promotion that was in force, so that two rollbacks in a row go
        further back, and do not promote again what the first one took back.

        Args:
            head: the newest record.
            steps: how many promotions to go back.
            to: the version to go back to, instead.
        """
        record = self.in_force(head.n)
        while record.n > 1:
            record = self.in_force(record.n - 1)
            steps -= 1
            if record.to == to or (to is None and steps == 0):
                return record
        return None

    def in_use(self, listed: LogNames | None = None) -> Iterator[tuple[str, str]]:
        """Yield the versions that this channel needs, and why, the promoted one first.

        They are that one, the one before it, and the one that a rollback promotes.

        Args:
            listed: see `numbers`.

        Raises:
            IntegrityError: a record that says so is missing or damaged.
            StoreError: it cannot be read.
        """
        head = self.head(listed)
        if head is None:
            return
        yield head.to, self.channel
        before = PREVIOUS if self.channel == LATEST else f"{PREVIOUS} in {self.channel}"
        if head.previous is not None:
            yield head.previous, before
        if target := self.rollback_target(head):
            yield target.to, before


def utc_now() -> str:
    """Return the time as records have it: UTC, in whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def current_user() -> str:
    """Return who is at work, as records have it: user@host."""
    import getpass  # only commands that write need it

    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container may run without a user entry
        user = "unknown"
    return f"{user}@{platform.node()}".encode("utf-8", "backslashreplace").decode()

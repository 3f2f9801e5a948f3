"""Append-only logs of numbered JSON records in a store, and what stands in the registry's two.

The promotions say what is latest, and was. The events are all else that somebody did and that must
not be forgotten: promotions that were refused, versions that were tagged, pruned or imported.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from textclf.errors import IntegrityError
from textclf.metadata.schema import encode
from textclf.metadata.verdict import Verdict
from textclf.metadata.versions import is_version
from textclf.registry.store.base import Exists, Missing, Store


class PromotionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the promotion log.

    Attributes:
        n: its number, from 1 without gaps.
        at: when (UTC).
        previous: what was promoted until then (``from`` in the file), if anything.
        to: the version promoted.
        by: who, as user@host.
        message: why.
        sha256: digest of that version's artifact, so that the alias can be matched with the log.
        metadata_sha256: digest of its metadata file, which says all other digests.
        token: random; makes a record its writer's own even where two say the same.
        gate: how the version came through the conditions set for it, if there were any.
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

    def is_number(self, n: int) -> bool:
        """Whether this can be the log's record of that number: not edited by a careless hand."""
        return (
            self.n == n
            and is_version(self.to)
            and (self.previous is None or is_version(self.previous))
        )

    def as_json(self) -> dict[str, Any]:
        """As the contract shows it: ``from`` is what ``previous`` is here."""
        return {
            "n": self.n,
            "at": self.at,
            "from": self.previous,
            "to": self.to,
            "by": self.by,
            "message": self.message,
            "gate": self.gate,
        }


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something done to a version, or refused, other than a promotion.

    Attributes:
        n: its number, from 1 without gaps.
        at: when (UTC).
        kind: what, in one word.
        version: to which version.
        by: who, as user@host.
        message: why.
        token: random, as a record's.
        detail: what else is to be known of this kind of event.
    """

    n: int
    at: str
    kind: str
    version: str
    by: str
    message: str | None = None
    token: str
    detail: dict[str, Any] = {}

    def is_number(self, n: int) -> bool:
        """Whether this can be the event of that number."""
        return self.n == n and is_version(self.version)


class Numbered(Protocol):
    """What a journal keeps."""

    def is_number(self, n: int) -> bool:
        """Whether this can be the record of that number."""
        ...


T = TypeVar("T", bound=Numbered)


class AppendOnlyLog(Generic[T]):
    """One log: a folder of a store with a file for each record, ``00000001.json`` and so on.

    ``what`` is one of them in the words of a message.
    """

    def __init__(self, store: Store, folder: str, kind: type[T], what: str) -> None:
        self._store = store
        self._kind = kind
        self._what = what
        self.folder = folder

    def key(self, n: int) -> str:
        """Where the record of a number lies."""
        return f"{self.folder}/{n:08d}.json"

    def numbers(self) -> list[int]:
        """The numbers of all records there are, lowest first."""
        names = self._store.names(self.folder)
        return sorted(int(name[:8]) for name in names if re.fullmatch(r"[0-9]{8}\.json", name))

    def read(self, n: int) -> T:
        """The record of a number. Raises IntegrityError where it is missing or damaged."""
        key = self.key(n)
        try:
            record = msgspec.json.decode(self._store.read(key), type=self._kind)
        except (Missing, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            record = None
        if record is None or not record.is_number(n):
            raise IntegrityError(
                f"{self._store.locate(key)} is damaged: not {self._what}",
                hint="restore it from a backup; the versions themselves are not touched by this",
            )
        return record

    def has(self, n: int) -> bool:
        """Whether there is a record of a number; cheaper than to list them."""
        try:
            self._store.view(self.key(n))
        except Missing:
            return False
        return True

    def head(self) -> T | None:
        """The newest record."""
        numbers = self.numbers()
        return self.read(numbers[-1]) if numbers else None

    def records(self) -> list[T]:
        """All records, oldest first. Raises IntegrityError where one is damaged."""
        return [self.read(n) for n in self.numbers()]

    def create(self, n: int, record: T) -> None:
        """Write the record of a number. Raises Exists where a rival was faster."""
        self._store.create(self.key(n), encode(record))

    def append(self, make: Callable[[int], T]) -> T:
        """Write the next record, whatever its number comes to be."""
        while True:
            n = max(self.numbers(), default=0) + 1
            record = make(n)
            try:
                self.create(n, record)
            except Exists:
                continue  # a rival was faster
            return record

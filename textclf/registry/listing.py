"""Versions as lists show them: their main fields, the channels they are promoted in, their tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from textclf.errors import IntegrityError, StoreError, TextclfError
from textclf.metadata.channels import LATEST

if TYPE_CHECKING:
    from textclf.metadata.schema import Summary
    from textclf.registry.reader import RegistryReader


class ListedVersion(msgspec.Struct, frozen=True):
    """A version as lists show it, and an entry of the JSON of ``textclf versions list``."""

    version: str
    latest: bool
    saved_at: str
    best_cv_accuracy: float | None
    test_accuracy: float
    macro_f1: float
    rows: int | None
    message: str | None
    tags: Mapping[str, str]
    channels: Sequence[str]
    untrusted: bool

    @property
    def marks(self) -> list[str]:
        """What is shown behind its number: its channels, and whether it is untrusted."""
        return [*self.channels, *(["untrusted"] if self.untrusted else [])]

    @property
    def saved(self) -> str:
        """When it was saved (UTC), to the minute."""
        return self.saved_at[:16].replace("T", " ")


class Marks(msgspec.Struct, frozen=True):
    """The channels and tags of all versions.

    Attributes:
        channels: the channels in which a version is promoted, by its number.
        tags: the tags of versions that have some.
        problems: why others are not known.
    """

    channels: Mapping[str, Sequence[str]]
    tags: Mapping[str, Mapping[str, str]]
    problems: Sequence[TextclfError]

    def listed(self, summary: Summary) -> ListedVersion:
        """Return a version with its channels and tags."""
        channels = self.channels.get(summary.version, [])
        return ListedVersion(
            version=summary.version,
            latest=LATEST in channels,
            saved_at=summary.saved_at,
            best_cv_accuracy=summary.best_cv_accuracy,
            test_accuracy=summary.test_accuracy,
            macro_f1=summary.test.metrics.macro_f1,
            rows=summary.rows,
            message=summary.message,
            tags=self.tags.get(summary.version, {}),
            channels=channels,
            untrusted=summary.is_untrusted,
        )


def read_marks(registry: RegistryReader) -> Marks:
    """Return the channels and tags of all versions, as far as they can be read."""
    problems: list[TextclfError] = []
    channels = _channels(registry, problems)
    tags = {}
    try:
        states = registry.events.version_states().items()
        tags = {version: state.tags for version, state in states if state.tags}
    except StoreError as error:
        problems.append(error)
    return Marks(channels, tags, problems)


def _channels(registry: RegistryReader, problems: list[TextclfError]) -> dict[str, list[str]]:
    channels: dict[str, list[str]] = {}
    try:
        for log in registry.channels():
            try:
                if head := log.head():
                    channels.setdefault(head.to, []).append(log.channel)
            except (IntegrityError, StoreError) as error:
                problems.append(error)
    except StoreError as error:
        problems.append(error)
    return channels

"""What the logs of a registry say: which versions were promoted in which channel, and all else."""

from __future__ import annotations

from collections.abc import Iterator

from semver import Version

from textclf.metadata.channels import LATEST, is_channel, require_channel
from textclf.metadata.versions import parse_version
from textclf.registry import layout
from textclf.registry.event_log import EventLog
from textclf.registry.promotion_log import PromotionLog, PromotionRecord
from textclf.registry.store.base import LogNames, Store


class RegistryLogs:
    """The logs of one registry, to be read.

    Attributes:
        store: where all files are.
        promotions: the log that says which version is latest.
        events: the log of everything else that was done to versions, or refused.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.promotions = PromotionLog(store)
        self._logs = {LATEST: self.promotions}
        self.events = EventLog(store)

    def history(self, channel: str = LATEST) -> list[PromotionRecord]:
        """Return all promotions of a channel, oldest first."""
        return self.channel(channel).records()

    def channel(self, name: str) -> PromotionLog:
        """Return the promotion log of a channel, which may be empty.

        Raises:
            UsageError: the name cannot be that of a channel.
        """
        if name not in self._logs:
            self._logs[name] = PromotionLog(self.store, require_channel(name))
        return self._logs[name]

    def channels(self, listed: LogNames | None = None) -> list[PromotionLog]:
        """Return the promotion logs of all channels, that of ``latest`` first.

        Args:
            listed: the names in the folders of all logs, if they were listed just now.
        """
        if listed is None:
            names = self.store.names(layout.CHANNELS)
        else:
            names = list(map(layout.channel_of, listed))
        return [self.promotions, *map(self.channel, sorted(filter(is_channel, names)))]

    def promotions_of_all(self, listed: LogNames) -> Iterator[PromotionRecord]:
        """Yield the records of all channels that are not damaged, those of ``latest`` first."""
        for log in self.channels(listed):
            yield from log.readable_records(listed)

    def promoted(self, channel: str = LATEST) -> Version | None:
        """Return the promoted version of a channel."""
        head = self.channel(channel).head()
        return parse_version(head.to) if head else None

    def latest(self) -> Version | None:
        """Return the promoted version."""
        return self.promoted()

    def first_promotion(self, version: str) -> PromotionRecord | None:
        """Return a version's first promotion in any channel; it has the digest of its metadata.

        If one is known already, it is that one: all have the same digest.
        """
        for records in (self.known_promotions, self._all_promotions):
            for record in records():
                if record.to == version:
                    return record
        return None

    def known_promotions(self) -> Iterator[PromotionRecord]:
        """Yield the promotions in all channels that were read before; nothing is read."""
        for log in self._logs.values():
            yield from log.known_records()

    def _all_promotions(self) -> Iterator[PromotionRecord]:
        return self.promotions_of_all(self.store.log_names())

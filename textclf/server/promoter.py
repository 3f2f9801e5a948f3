"""Promotions and rollbacks that are asked for on a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textclf.metadata.channels import LATEST
from textclf.release.gate import Gate
from textclf.release.promote import RecordedEvidence, promote_through_gate

if TYPE_CHECKING:
    from textclf.registry.registry import Registry


@dataclass(frozen=True)
class Promoter:
    """Changes which version is promoted in a channel.

    Attributes:
        registry: the versions.
        gate: what a version must meet to be promoted.
        channel: the channel.
    """

    registry: Registry
    gate: Gate
    channel: str = LATEST

    def promoted(self) -> str | None:
        """Return the promoted version."""
        head = self.registry.channel(self.channel).head()
        return head.to if head else None

    def previous(self) -> str | None:
        """Return the version that a rollback promotes, if there is one."""
        log = self.registry.channel(self.channel)
        head = log.head()
        record = log.rollback_target(head) if head else None
        return record.to if record else None

    def promote(self, name: str, message: str) -> None:
        """Promote a version.

        Raises:
            GateRefused: it does not pass.
            NoSuchVersion, IntegrityError: as `Registry.promote`.
        """
        version = self.registry.resolve(name)
        evidence = RecordedEvidence(self.registry, version)
        promote_through_gate(
            self.registry, version, self.gate, evidence, message=message, channel=self.channel
        )

    def rollback(self, message: str, to: str | None) -> None:
        """Promote the version that was promoted before, or the one that a page named as that.

        So a form that is sent twice, or after another promotion, does what its button says.

        Raises:
            NoSuchVersion: it was not promoted before.
        """
        target = self.registry.resolve(to) if to else None
        self.registry.rollback(message=message, to=target, channel=self.channel)

"""Promotions and rollbacks that are asked for on a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textclf.release.gate import Gate
from textclf.release.promote import RecordedEvidence, promote

if TYPE_CHECKING:
    from textclf.registry.registry import Registry


@dataclass(frozen=True)
class Promoter:
    """Changes which version is promoted, through the gate of the server's settings."""

    registry: Registry
    gate: Gate

    def promote(self, name: str, message: str) -> None:
        """Promote a version.

        Raises:
            GateRefused: it does not pass.
            NoSuchVersion, IntegrityError: as `Registry.promote`.
        """
        version = self.registry.resolve(name)
        evidence = RecordedEvidence(self.registry, version)
        promote(self.registry, version, self.gate, evidence, message=message)

    def rollback(self, message: str) -> None:
        """Promote the version that was promoted before. Raises NoSuchVersion."""
        self.registry.rollback(message=message)

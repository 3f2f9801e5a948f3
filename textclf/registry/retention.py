"""Decide which versions to prune: all but the newest, the young and the exempted ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from textclf.errors import UsageError
from textclf.metadata.schema import Summary

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class RetentionDecision:
    """A version, and why it is kept; ``None`` if it is to be removed."""

    version: Summary
    keep_reason: str | None


@dataclass(frozen=True)
class RetentionPolicy:
    """Which versions are kept; one that no rule keeps is to be removed.

    Attributes:
        keep: number of versions that are kept, those saved last.
        older_than: age up to which versions are kept.
    """

    keep: int | None = None
    older_than: timedelta | None = None

    def decide(
        self, versions: Iterable[Summary], exemptions: Mapping[str, str], now: datetime
    ) -> list[RetentionDecision]:
        """Decide on each version, in the order in which they were saved.

        Args:
            versions: all versions.
            exemptions: versions that no rule removes, and why.
            now: the time from which ages are counted.
        """
        newest_first = sorted(versions, key=_age_order, reverse=True)
        decisions = [
            RetentionDecision(each, exemptions.get(each.version) or self._why(rank, each, now))
            for rank, each in enumerate(newest_first)
        ]
        return decisions[::-1]

    def _why(self, rank: int, version: Summary, now: datetime) -> str | None:
        if self.keep is not None and rank < self.keep:
            return f"one of the last {self.keep}"
        if self.older_than is not None and not _is_older(version.saved_at, now - self.older_than):
            return "not old enough"
        return None


def parse_age(text: str) -> timedelta:
    """Parse ``90d``, ``12w`` or ``36h``. Raises UsageError."""
    match = re.fullmatch(r"([0-9]{1,5})([hdw])", text)
    if not match:
        raise UsageError(
            f"{text!r} is not an age: write a number with h, d or w for hours, days or weeks",
            hint="90d",
        )
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _is_older(saved_at: str, then: datetime) -> bool:
    try:
        return datetime.fromisoformat(saved_at) < then
    except (TypeError, ValueError):  # edited by hand
        return False


def _age_order(version: Summary) -> tuple[str, tuple[int, ...]]:
    return version.saved_at, tuple(map(int, version.version.split(".")))

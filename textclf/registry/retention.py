"""Which versions to prune: all but the newest ones, the young ones and those that are protected."""

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
    """A version, and why it is kept; ``None``: it goes."""

    version: Summary
    keep_reason: str | None


@dataclass(frozen=True)
class RetentionPolicy:
    """What is kept; a version goes where neither rule keeps it.

    Attributes:
        keep: so many versions, those saved last.
        older_than: those that are not older.
    """

    keep: int | None = None
    older_than: timedelta | None = None

    def decide(
        self, versions: Iterable[Summary], protected: Mapping[str, str], now: datetime
    ) -> list[RetentionDecision]:
        """What becomes of each version; those saved first come first.

        Args:
            versions: all there are.
            protected: those that no rule removes, and why.
            now: what ages are counted from.
        """
        latest_first = sorted(versions, key=lambda each: (each.saved_at, _number(each)))[::-1]
        decisions = [
            RetentionDecision(
                each, protected.get(each.version) or self._why(place, each.saved_at, now)
            )
            for place, each in enumerate(latest_first)
        ]
        return decisions[::-1]

    def _why(self, place: int, saved_at: str, now: datetime) -> str | None:
        if self.keep is not None and place < self.keep:
            return f"one of the last {self.keep}"
        if self.older_than is not None and not _is_older(saved_at, now - self.older_than):
            return "not old enough"
        return None


def parse_age(text: str) -> timedelta:
    """Read ``90d``, ``12w`` or ``36h``. Raises UsageError."""
    found = re.fullmatch(r"([0-9]{1,5})([hdw])", text)
    if not found:
        raise UsageError(
            f"{text!r} is no age: a number with h, d or w for hours, days or weeks", hint="90d"
        )
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _is_older(saved_at: str, then: datetime) -> bool:
    try:
        return datetime.fromisoformat(saved_at) < then
    except (TypeError, ValueError):  # edited by hand: nobody knows
        return False


def _number(summary: Summary) -> tuple[int, ...]:
    return tuple(map(int, summary.version.split(".")))

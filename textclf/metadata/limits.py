"""Which texts get no label: what a version stores, and what a caller may ask for instead."""

from __future__ import annotations

import math
from numbers import Real
from typing import NamedTuple

from textclf.errors import UsageError
from textclf.formatting import percent


class Limits(NamedTuple):
    """Which texts get no label.

    Attributes:
        threshold: those with a lower score; ``None`` for none of them.
        abstain_unknown: those with a smaller share of known n-grams; ``None`` for none.
    """

    threshold: float | None = None
    abstain_unknown: float | None = None

    def or_else(self, own: Limits) -> Limits:
        """Return these limits, and those of a version in place of the ones that are ``None``."""
        return Limits(
            own.threshold if self.threshold is None else self.threshold,
            own.abstain_unknown if self.abstain_unknown is None else self.abstain_unknown,
        )

    def allow(self, score: float, known: float | None) -> bool:
        """Return whether a text gets a label."""
        return (self.threshold is None or score >= self.threshold) and (
            self.abstain_unknown is None or known is None or known >= self.abstain_unknown
        )

    def require_reachable(self, score_type: str) -> None:
        """Raise UsageError if a limit is wrong for scores of a type: a probability is 0 to 1.

        A threshold of minus infinity is that of nobody: every score reaches it.
        """
        require_shares(abstain_unknown=self.abstain_unknown)
        if self.threshold is None or self.threshold == -math.inf:
            return
        if score_type == "probability":
            require_shares(threshold=self.threshold)
        elif not isinstance(self.threshold, Real) or math.isnan(self.threshold):
            raise UsageError(f"threshold={self.threshold!r} is not a number")

    def __str__(self) -> str:
        """Return under which conditions a text gets no label; nothing if it always gets one."""
        conditions = {
            f"its score is below {self.threshold}": self.threshold,
            f"less than {percent(self.abstain_unknown)} of its n-grams are known": (
                self.abstain_unknown
            ),
        }
        return " or ".join(text for text, limit in conditions.items() if limit is not None)

    def given(self) -> dict[str, float]:
        """Return the limits that are not ``None``, by their names."""
        return {name: value for name, value in self._asdict().items() if value is not None}


def require_shares(**given: float | None) -> None:
    """Raise UsageError if an argument is not between 0 and 1; ``None`` is none."""
    for name, share in given.items():
        if share is not None and not (isinstance(share, Real) and 0 <= share <= 1):
            raise UsageError(f"{name}={share!r} is not a number between 0 and 1")

"""How a version did at a gate, as the promotion log keeps it."""

from __future__ import annotations

import msgspec

PASSED, REFUSED, FORCED = "passed", "refused", "forced"


class JudgedRows(msgspec.Struct, frozen=True):
    """The rows that a version was judged on.

    ``scored`` is false where the metrics were those recorded at its training. ``path`` and
    ``sha256`` are of a file; the test rows may have been split off the training file instead.
    ``train_overlap`` is the share of them that the version was trained on, or its lower limit;
    ``None`` if it is not known.
    """

    rows: int
    rows_sha256: str
    scored: bool
    path: str | None = None
    sha256: str | None = None
    train_overlap: float | None = None


class Check(msgspec.Struct, frozen=True):
    """One condition, and how it came out.

    Attributes:
        rule: ``accuracy>=0.9``, ``max-regression 0.01``, or ``train_overlap<=0.05``.
        metric: which value it is about.
        least: what that had to be at least; ``None`` where this cannot be said.
        value: what it is.
        before: what it is for the promoted version, if the rule asks.
        passed: whether the condition is met.
        reason: why it is not met, or cannot be judged.
    """

    rule: str
    metric: str
    least: float | None
    value: float | None
    before: float | None
    passed: bool
    reason: str | None = None


class Verdict(msgspec.Struct, frozen=True):
    """How a version came through a gate.

    ``verdict`` is ``passed``, ``refused``, or ``forced`` where it was promoted although refused;
    ``against`` the version that was promoted then.
    """

    verdict: str
    against: str | None
    on: JudgedRows
    checks: list[Check]

    @property
    def failed(self) -> list[Check]:
        """The conditions that are not met."""
        return [check for check in self.checks if not check.passed]

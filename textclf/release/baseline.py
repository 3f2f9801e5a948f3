"""The promoted version, as what a new version is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from textclf.evaluation.metadata_diff import Delta, class_deltas, metric_deltas
from textclf.metadata.schema import Metrics


class BaselineDelta(msgspec.Struct, frozen=True):
    """How the metrics of a new version differ from those of the baseline on the same rows.

    Attributes:
        against: the number of the baseline.
        metrics: accuracy, macro F1 and weighted F1.
        per_class: the F1 of each class, the largest loss first.
        train_overlap: see `Baseline`.
        unavailable_reason: why there are no differences.
    """

    against: str
    metrics: list[Delta]
    per_class: list[Delta]
    train_overlap: float = msgspec.field(default=0.0, name="seen")
    unavailable_reason: str | None = msgspec.field(default=None, name="excuse")


@dataclass(frozen=True)
class Baseline:
    """The promoted version on some labelled rows.

    Attributes:
        version: its number; ``None`` if no version is promoted.
        metrics: its metrics on these rows.
        unavailable_reason: why it has no metrics on them.
        train_overlap: the share of these rows that it was trained on, and on which it looks better
            than it is (estimated, 0 to 1).
    """

    version: str | None = None
    metrics: Metrics | None = None
    unavailable_reason: str | None = None
    train_overlap: float = 0.0

    def delta(self, metrics: Metrics) -> BaselineDelta | None:
        """Return the metrics of a new version less these; ``None`` without a promoted version."""
        if self.version is None:
            return None
        overall, per_class = [], []
        if self.metrics is not None:
            overall = metric_deltas(self.metrics, metrics)
            per_class = class_deltas(self.metrics, metrics)
        return BaselineDelta(
            self.version, overall, per_class, self.train_overlap, self.unavailable_reason
        )

"""The promoted version, as what a new version is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from textclf.evaluation.metadata_diff import Delta, class_deltas, metric_deltas
from textclf.evaluation.records import McNemar
from textclf.evaluation.train_overlap import is_notable
from textclf.metadata.schema import Metrics

if TYPE_CHECKING:
    from textclf.evaluation.scored_rows import ScoredRows


class BaselineDelta(msgspec.Struct, frozen=True):
    """How the metrics of a new version differ from those of the baseline on the same rows.

    Attributes:
        against: the number of the baseline.
        metrics: accuracy, macro F1 and weighted F1.
        per_class: the F1 of each class, the largest loss first.
        train_overlap: see `Baseline`.
        unavailable_reason: why there are no differences.
        mcnemar: whether the two are correct on different numbers of rows by more than chance, the
            baseline as ``a``; ``None`` if the baseline could not label the rows.
    """

    against: str
    metrics: list[Delta]
    per_class: list[Delta]
    train_overlap: float | None = msgspec.field(default=0.0, name="seen")
    unavailable_reason: str | None = msgspec.field(default=None, name="excuse")
    mcnemar: McNemar | None = None

    @property
    def is_worse(self) -> bool:
        """Whether the new version is worse by more than chance, on rows new to both."""
        fair = not is_notable(self.train_overlap)
        return fair and self.mcnemar is not None and self.mcnemar.b_is_worse


@dataclass(frozen=True)
class Baseline:
    """The promoted version on some labelled rows.

    Attributes:
        version: its number; ``None`` if no version is promoted.
        metrics: its metrics on these rows.
        unavailable_reason: why it has no metrics on them.
        train_overlap: the share of these rows that it was trained on, or its lower limit (0 to 1);
            ``None`` if its training rows are not known.
        labels: what it predicts for them, if it could be opened.
    """

    version: str | None = None
    metrics: Metrics | None = None
    unavailable_reason: str | None = None
    train_overlap: float | None = 0.0
    labels: Sequence[str] | None = None

    def delta(self, new: ScoredRows, metrics: Metrics) -> BaselineDelta | None:
        """Return the difference that a new version makes; ``None`` without a promoted version.

        Args:
            new: the new version on the rows.
            metrics: its metrics.
        """
        if self.version is None:
            return None
        overall, per_class, mcnemar = [], [], None
        if self.metrics is not None:
            overall = metric_deltas(self.metrics, metrics)
            per_class = class_deltas(self.metrics, metrics)
        if self.labels is not None:
            from textclf.evaluation.paired import paired_test  # NumPy

            mcnemar = paired_test(new.rows.labels, self.labels, new.predicted)
        return BaselineDelta(
            self.version, overall, per_class, self.train_overlap, self.unavailable_reason, mcnemar
        )

"""What an evaluation finds, as values: intervals, tests, calibration. They need no NumPy."""

from __future__ import annotations

import msgspec


class Interval(msgspec.Struct, frozen=True):
    """A value and the bounds of its confidence interval."""

    value: float
    low: float
    high: float


class IntervalMethod(msgspec.Struct, frozen=True):
    """How confidence intervals are computed: see `textclf.evaluation.statistics`."""

    name: str = "percentile bootstrap"
    confidence: float = 0.95
    resamples: int = 2_000
    seed: int = 0


_SHOWN_CUTOFFS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""The cutoffs that people are shown."""

METHOD = IntervalMethod()
"""How all intervals of accuracy and F1 are computed."""


class Intervals(msgspec.Struct, frozen=True):
    """Accuracy and macro F1 with their confidence intervals."""

    accuracy: Interval
    macro_f1: Interval
    method: IntervalMethod


SIGNIFICANCE = 0.05
"""The level of McNemar's test."""


class McNemar(msgspec.Struct, frozen=True):
    """The rows that only one version labels correctly, and the p-value of McNemar's exact test."""

    only_a_right: int
    only_b_right: int
    p_value: float

    @property
    def is_significant(self) -> bool:
        """Whether one version is correct on more rows by more than chance."""
        return self.p_value < SIGNIFICANCE

    @property
    def b_is_worse(self) -> bool:
        """Whether the second version is correct on fewer rows by more than chance."""
        return self.is_significant and self.only_b_right < self.only_a_right


class ReliabilityBin(msgspec.Struct, frozen=True):
    """The rows whose predicted label has a probability above ``low`` and up to ``high``.

    ``confidence`` is the mean of these probabilities, ``accuracy`` the share of correct rows.
    """

    low: float
    high: float
    rows: int
    confidence: float
    accuracy: float


class Calibration(msgspec.Struct, frozen=True):
    """How well probabilities agree with outcomes: see `textclf.evaluation.statistics`.

    ``log_loss`` and ``brier`` are means over the rows; ``bins`` is the reliability diagram that the
    expected calibration error is computed from.
    """

    expected_calibration_error: float
    log_loss: float
    brier: float
    bins: list[ReliabilityBin]


class Cutoff(msgspec.Struct, frozen=True):
    """What it costs to label all rows ``positive`` whose probability of it is at least ``at``.

    ``precision`` is ``None`` if there are no such rows. ``false_positives`` counts those that have
    the other label, ``false_negatives`` the rows below ``at`` that have the label.
    """

    at: float
    precision: float | None
    recall: float
    false_positives: int
    false_negatives: int


class TwoLabels(msgspec.Struct, frozen=True):
    """How well a model with two labels ranks rows: see `textclf.evaluation.two_labels`.

    Attributes:
        positive: the label that fewer rows have; if both have as many, the second.
        roc_auc: the area under the ROC curve, which is the same for both labels.
        average_precision: of each label.
        cutoffs: on the probability of ``positive``, ascending; empty for a version without
            probabilities.
    """

    positive: str
    roc_auc: float
    average_precision: dict[str, float]
    cutoffs: list[Cutoff]

    @property
    def shown_cutoffs(self) -> list[Cutoff]:
        """The cutoffs that people are shown."""
        return [cutoff for cutoff in self.cutoffs if cutoff.at in _SHOWN_CUTOFFS]

"""What a report shows of a version beyond its metadata: the form of its ``report.json``."""

from __future__ import annotations

import msgspec

from textclf.evaluation.records import Intervals, ReliabilityBin, TwoLabels


class Threshold(msgspec.Struct, frozen=True):
    """What accepting only labels with a probability of at least ``at`` would do.

    ``answered`` is the share of rows that would keep their label, ``accuracy`` the share of these
    that is correct; ``None`` if there are none.
    """

    at: float
    answered: float
    accuracy: float | None


class Probabilities(msgspec.Struct, frozen=True):
    """How well probabilities agree with outcomes, and what thresholds on them would do.

    ``calibration_error`` is the expected calibration error over ``bins``.
    """

    bins: list[ReliabilityBin]
    calibration_error: float
    log_loss: float
    thresholds: list[Threshold]


class Ngram(msgspec.Struct, frozen=True):
    """An n-gram, its feature block (``word``, ``char_wb`` or ``char``), and its weight."""

    block: str
    ngram: str
    weight: float


class Mistake(msgspec.Struct, frozen=True):
    """A row labelled wrong: its place in its file, both labels, and their scores.

    ``truth_score`` is ``None`` for a label that the model does not know; ``text`` is the beginning
    of the row's text, if texts may be shown.
    """

    place: int | str
    truth: str
    predicted: str
    score: float
    truth_score: float | None
    text: str | None = None


class ReportData(msgspec.Struct, frozen=True):
    """The content of a version's ``report.json``.

    Attributes:
        rows_sha256: the digest of the rows that it was gathered from.
        score_type: ``probability``, or ``decision`` for a version without probabilities.
        probabilities: ``None`` for a version without probabilities.
        ngrams: for each label the n-grams with the largest weights, largest first.
        mistakes: the mistakes with the highest scores, highest first.
        texts: whether the mistakes have their texts.
        intervals: the confidence intervals; ``None`` in a file written before they were stored.
        two_labels: ``None`` for a version with more labels, or in a file written before.
    """

    rows_sha256: str
    score_type: str
    probabilities: Probabilities | None
    ngrams: dict[str, list[Ngram]]
    mistakes: list[Mistake]
    texts: bool
    intervals: Intervals | None = None
    two_labels: TwoLabels | None = None

"""What a report shows of a version beyond its metadata: the form of its ``report.json``."""

from __future__ import annotations

import msgspec


class Bin(msgspec.Struct, frozen=True):
    """Rows whose label was given with a probability above ``low``, up to ``high``.

    ``confidence`` is the mean of these probabilities, ``accuracy`` the share that was right.
    """

    low: float
    high: float
    rows: int
    confidence: float
    accuracy: float


class Threshold(msgspec.Struct, frozen=True):
    """Taking only labels given with a probability of ``at`` or more.

    ``answered`` is the share of rows that then have a label, ``accuracy`` the share of these that
    is right; ``None`` where there are none.
    """

    at: float
    answered: float
    accuracy: float | None


class Probabilities(msgspec.Struct, frozen=True):
    """Whether probabilities mean what they say, and what a threshold on them would do.

    ``calibration_error`` is how far ``confidence`` and ``accuracy`` are apart, over all rows.
    """

    bins: list[Bin]
    calibration_error: float
    log_loss: float
    thresholds: list[Threshold]


class Ngram(msgspec.Struct, frozen=True):
    """A feature: its block (``word``, ``char_wb``, ``char``), the n-gram, and its weight."""

    block: str
    ngram: str
    weight: float


class Mistake(msgspec.Struct, frozen=True):
    """A row labelled wrong: where it stands in its file, and the scores of both labels.

    ``text`` is the beginning of it, where texts may be shown; ``truth_score`` is ``None`` for a
    label that the model does not know.
    """

    place: int | str
    truth: str
    predicted: str
    score: float
    truth_score: float | None
    text: str | None = None


class Evidence(msgspec.Struct, frozen=True):
    """All of a version's ``report.json``.

    Attributes:
        rows_sha256: of the rows it was gathered on.
        score_type: ``probability``, or ``decision`` of versions without probabilities.
        probabilities: where there are any.
        ngrams: of each label those with the largest weights, largest first.
        mistakes: those with the highest scores, highest first.
        texts: whether the mistakes have their texts.
    """

    rows_sha256: str
    score_type: str
    probabilities: Probabilities | None
    ngrams: dict[str, list[Ngram]]
    mistakes: list[Mistake]
    texts: bool

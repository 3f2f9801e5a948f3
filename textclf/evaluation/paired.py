"""Compare two versions on the same rows: how far they differ, and whether by more than chance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from textclf.data.dataset import Dataset
from textclf.evaluation import statistics
from textclf.evaluation.metrics import confused_pairs, label_codes, measure
from textclf.evaluation.records import METHOD, Interval, IntervalMethod, McNemar
from textclf.evaluation.statistics import Floats
from textclf.evaluation.train_overlap import train_overlap
from textclf.metadata.schema import ClassMetrics, Confusion, Metadata, Metrics


@dataclass(frozen=True)
class MetricPair:
    """A metric of both versions and its difference, each with its confidence interval."""

    name: str
    before: Interval
    after: Interval
    delta: Interval


@dataclass(frozen=True)
class ClassDelta:
    """A class in both versions: its number of rows, its metrics, and the change of its F1.

    The metrics are ``None`` for a version that predicts the class for no row, if no row has it.
    """

    label: str
    rows: int
    before: ClassMetrics | None
    after: ClassMetrics | None
    delta: float


class ConfusionDelta(msgspec.Struct, frozen=True):
    """The number of rows of a label that were predicted as another, before and after."""

    label: str
    predicted: str = msgspec.field(name="taken_for")
    before: int
    after: int


@dataclass(frozen=True)
class Flip:
    """A row that the versions label differently, by its number in the data set."""

    row: int
    before: str
    after: str


class PairedComparison(msgspec.Struct, frozen=True):
    """Version ``b`` compared with version ``a``, both scored on the same rows.

    Attributes:
        path: of the data set.
        sha256: of its file.
        rows: the number of rows.
        train_overlap_a: the share of them that ``a`` was trained on, or its lower limit (0 to 1);
            ``None`` if its training rows are not known.
        train_overlap_b: the same of ``b``.
        metrics: accuracy and macro F1.
        method: how their intervals were computed.
        mcnemar: McNemar's exact test.
        per_class: the classes, the largest loss of F1 first.
        confusions: mistakes that became more or fewer, the largest change first.
        fixed: the number of flipped rows that only ``b`` labels correctly.
        broken: the number of flipped rows that only ``a`` labels correctly.
        flips: all rows whose label flipped.
    """

    path: str
    sha256: str
    rows: int
    train_overlap_a: float | None = msgspec.field(name="seen_by_a")
    train_overlap_b: float | None = msgspec.field(name="seen_by_b")
    metrics: list[MetricPair]
    method: IntervalMethod
    mcnemar: McNemar
    per_class: list[ClassDelta]
    confusions: list[ConfusionDelta]
    fixed: int
    broken: int
    flips: list[Flip]


def compare_predictions(
    rows: Dataset,
    predicted: tuple[Sequence[str], Sequence[str]],
    metadata: tuple[Metadata, Metadata],
) -> PairedComparison:
    """Compare what two versions predict for the same labelled rows.

    Args:
        rows: the rows.
        predicted: the label that each version predicts for each row.
        metadata: of both versions.
    """
    before, after = (measure(rows.labels, labels) for labels in predicted)
    codes = {label: code for code, label in enumerate(sorted({*rows.labels}.union(*predicted)))}
    truth, one, other = (label_codes(labels, codes) for labels in (rows.labels, *predicted))
    resampled = statistics.bootstrap(truth, one, other)
    test = paired_test(rows.labels, *predicted)
    overlap_a, overlap_b = train_overlap(rows, *(m.sketch for m in metadata))
    return PairedComparison(
        path=rows.path,
        sha256=rows.sha256,
        rows=len(rows),
        train_overlap_a=overlap_a,
        train_overlap_b=overlap_b,
        metrics=[
            _pair("accuracy", before.accuracy, after.accuracy, *(s.accuracy for s in resampled)),
            _pair("macro F1", before.macro_f1, after.macro_f1, *(s.macro_f1 for s in resampled)),
        ],
        method=METHOD,
        mcnemar=test,
        per_class=_class_deltas(before, after),
        confusions=_confusion_deltas(before.confusion, after.confusion),
        fixed=test.only_b_right,
        broken=test.only_a_right,
        flips=list(_flips(*predicted)),
    )


def paired_test(truth: Sequence[str], a: Sequence[str], b: Sequence[str]) -> McNemar:
    """Test whether one of two versions is correct on more rows by more than chance.

    Args:
        truth: the true label of each row.
        a: the label that the first version predicts for it.
        b: the label that the second version predicts for it.
    """
    right = [(x == label, y == label) for label, x, y in zip(truth, a, b, strict=True)]
    only_a, only_b = right.count((True, False)), right.count((False, True))
    return McNemar(only_a, only_b, statistics.mcnemar(only_a, only_b))


def _pair(name: str, before: float, after: float, one: Floats, other: Floats) -> MetricPair:
    return MetricPair(
        name,
        statistics.interval(before, one),
        statistics.interval(after, other),
        statistics.interval(after - before, other - one),
    )


def _class_deltas(before: Metrics, after: Metrics) -> list[ClassDelta]:
    """Compare every label that occurs, also one that only one of the versions predicts."""
    deltas = []
    for label in sorted(before.per_class.keys() | after.per_class.keys()):
        one, other = before.per_class.get(label), after.per_class.get(label)
        delta = (other.f1 if other else 0.0) - (one.f1 if one else 0.0)
        rows = max(metrics.support for metrics in (one, other) if metrics)
        deltas.append(ClassDelta(label, rows, one, other, delta))
    return sorted(deltas, key=lambda delta: delta.delta)


def _confusion_deltas(before: Confusion, after: Confusion) -> list[ConfusionDelta]:
    one, other = (
        {(pair.label, pair.predicted): pair.rows for pair in confused_pairs(confusion)}
        for confusion in (before, after)
    )
    changed = [
        ConfusionDelta(*pair, one.get(pair, 0), other.get(pair, 0))
        for pair in sorted(one.keys() | other.keys())
        if one.get(pair, 0) != other.get(pair, 0)
    ]
    return sorted(changed, key=lambda delta: -abs(delta.after - delta.before))


def _flips(before: Sequence[str], after: Sequence[str]) -> Iterator[Flip]:
    for row, (one, other) in enumerate(zip(before, after, strict=True)):
        if one != other:
            yield Flip(row, one, other)

"""Two versions on the same rows: how far they differ, whether by more than chance, and where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from textclf.data.dataset import Dataset
from textclf.evaluation import statistics
from textclf.evaluation.metrics import label_codes, measure
from textclf.evaluation.statistics import Floats, Interval, Method
from textclf.metadata.schema import ClassMetrics, Confusion, Metadata, Metrics
from textclf.metadata.sketch import Sketch
from textclf.prediction.predictor import Predictor


@dataclass(frozen=True)
class Pair:
    """A metric of both versions and its difference, each with its interval."""

    name: str
    before: Interval
    after: Interval
    delta: Interval


@dataclass(frozen=True)
class McNemar:
    """Rows that only one of the versions has right, and how rarely chance is as uneven."""

    only_a_right: int
    only_b_right: int
    p_value: float


@dataclass(frozen=True)
class ClassDelta:
    """A class in both versions: how many rows it has, its metrics, the change of its F1.

    A class that no row has and that a version gives to none is ``None`` there.
    """

    label: str
    rows: int
    before: ClassMetrics | None
    after: ClassMetrics | None
    delta: float


@dataclass(frozen=True)
class ConfusionDelta:
    """How many rows of ``label`` were ``taken_for`` another, before and after."""

    label: str
    taken_for: str
    before: int
    after: int


@dataclass(frozen=True)
class Flip:
    """A row that the versions label differently, by its number in the data set."""

    row: int
    before: str
    after: str


@dataclass(frozen=True)
class SideBySide:
    """Version ``b`` seen from version ``a``, both scored on the same rows.

    Attributes:
        path: of the data set.
        sha256: of its file.
        rows: how many it has.
        seen_by_a: share of them that stood in the training data of ``a`` (estimated).
        seen_by_b: likewise.
        metrics: accuracy and macro F1.
        method: of their intervals; both versions are scored on the same resampled rows.
        mcnemar: McNemar's exact test.
        per_class: the worst loss first.
        confusions: mistakes that became more or fewer, the largest change first.
        fixed: flipped rows that only ``b`` has right.
        broken: flipped rows that only ``a`` has right.
        flips: all rows whose label flipped.
    """

    path: str
    sha256: str
    rows: int
    seen_by_a: float
    seen_by_b: float
    metrics: list[Pair]
    method: Method
    mcnemar: McNemar
    per_class: list[ClassDelta]
    confusions: list[ConfusionDelta]
    fixed: int
    broken: int
    flips: list[Flip]


def compare_on(
    rows: Dataset, a: Predictor, b: Predictor, of: tuple[Metadata, Metadata]
) -> SideBySide:
    """Score two versions on the same rows; ``of`` are their metadata."""
    labels_a, labels_b = a.label(rows.texts), b.label(rows.texts)
    before, after = measure(rows.labels, labels_a), measure(rows.labels, labels_b)
    numbers = {label: n for n, label in enumerate(sorted({*rows.labels, *labels_a, *labels_b}))}
    truth, one, other = (label_codes(each, numbers) for each in (rows.labels, labels_a, labels_b))
    resampled = statistics.bootstrap(truth, one, other)
    only_a = int(np.count_nonzero((one == truth) & (other != truth)))
    only_b = int(np.count_nonzero((other == truth) & (one != truth)))
    sketch = Sketch.from_rows(rows.texts, rows.labels)
    return SideBySide(
        path=rows.path,
        sha256=rows.sha256,
        rows=len(rows),
        seen_by_a=round(sketch.containment_in(of[0].data.sketch), 3),
        seen_by_b=round(sketch.containment_in(of[1].data.sketch), 3),
        metrics=[
            _pair("accuracy", before.accuracy, after.accuracy, *(s.accuracy for s in resampled)),
            _pair("macro F1", before.macro_f1, after.macro_f1, *(s.macro_f1 for s in resampled)),
        ],
        method=Method(),
        mcnemar=McNemar(only_a, only_b, statistics.mcnemar(only_a, only_b)),
        per_class=_classes(before, after),
        confusions=_confusions(before.confusion, after.confusion),
        fixed=only_b,
        broken=only_a,
        flips=list(_flips(labels_a, labels_b)),
    )


def _pair(name: str, before: float, after: float, one: Floats, other: Floats) -> Pair:
    return Pair(
        name,
        statistics.interval(before, one),
        statistics.interval(after, other),
        statistics.interval(after - before, other - one),
    )


def _classes(before: Metrics, after: Metrics) -> list[ClassDelta]:
    """Every label that occurs, also one that only one of the versions gives."""
    found = []
    for label in sorted(before.per_class.keys() | after.per_class.keys()):
        one, other = before.per_class.get(label), after.per_class.get(label)
        delta = (other.f1 if other else 0.0) - (one.f1 if one else 0.0)
        rows = max(each.support for each in (one, other) if each)
        found.append(ClassDelta(label, rows, one, other, delta))
    return sorted(found, key=lambda each: each.delta)


def _confusions(before: Confusion, after: Confusion) -> list[ConfusionDelta]:
    one, other = _mistakes(before), _mistakes(after)
    changed = [
        ConfusionDelta(*pair, one.get(pair, 0), other.get(pair, 0))
        for pair in sorted(one.keys() | other.keys())
        if one.get(pair, 0) != other.get(pair, 0)
    ]
    return sorted(changed, key=lambda each: -abs(each.after - each.before))


def _mistakes(confusion: Confusion) -> dict[tuple[str, str], int]:
    labels = confusion.labels
    return {
        (label, labels[n]): count
        for label, row in zip(labels, confusion.matrix, strict=True)
        for n, count in enumerate(row)
        if count and labels[n] != label
    }


def _flips(before: list[str], after: list[str]) -> Iterator[Flip]:
    for row, (one, other) in enumerate(zip(before, after, strict=True)):
        if one != other:
            yield Flip(row, one, other)

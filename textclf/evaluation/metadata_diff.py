"""Compare two versions by their metadata alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from textclf.metadata.json_values import differ, flatten
from textclf.metadata.schema import ClassMetrics, DataRecord, Metadata, Metrics
from textclf.metadata.sketch import Sketch


class Change(msgspec.Struct, frozen=True):
    """A value that differs; ``None`` for a version that does not have it."""

    name: str
    before: Any
    after: Any


class Delta(msgspec.Struct, frozen=True):
    """A metric in both versions and its change; ``None`` for a version that does not have it."""

    name: str
    before: float | None
    after: float | None
    delta: float | None


class RowChanges(msgspec.Struct, frozen=True):
    """The number of distinct training rows in both versions, added and removed from a to b.

    They are ``exact`` if the rows are the same or few, and otherwise estimated from sketches.
    """

    shared: int
    added: int
    removed: int
    exact: bool


class Comparison(msgspec.Struct, frozen=True):
    """Version ``b`` compared with version ``a``.

    Attributes:
        a: the number of the first version.
        b: the number of the second version.
        same_test_rows: whether the metrics are of the same rows.
        rows_in_common: the share of the larger training set that both have (estimated, 0 to 1);
            ``None`` if the training rows of either are not known.
        rows: how the training rows changed, if they are known.
        params: changed parameters of the winner.
        search: changed settings of the search, and its space.
        data: changed properties of the data sets.
        environment: changed versions of Python, libraries and code.
        metrics: all metrics over all classes.
        per_class: the F1 of all classes of either version, the largest loss first.
    """

    a: str
    b: str
    same_test_rows: bool
    rows_in_common: float | None
    rows: RowChanges | None
    params: list[Change]
    search: list[Change]
    data: list[Change]
    environment: list[Change]
    metrics: list[Delta]
    per_class: list[Delta]


def compare_metadata(a: Metadata, b: Metadata) -> Comparison:
    """Compare two versions without opening their models or their data."""
    return Comparison(
        a=a.version,
        b=b.version,
        same_test_rows=a.test.rows_sha256 == b.test.rows_sha256,
        rows_in_common=round(a.sketch.overlap(b.sketch), 3) if a.sketch and b.sketch else None,
        rows=_rows(a.sketch, b.sketch) if a.sketch and b.sketch else None,
        params=_changes(a.best_params, b.best_params),
        search=_changes(_search(a), _search(b)),
        data=_changes(_data(a), _data(b)),
        environment=_changes(_environment(a), _environment(b)),
        metrics=[
            _delta("cv accuracy", a.best_cv_accuracy, b.best_cv_accuracy),
            *metric_deltas(a.test.metrics, b.test.metrics),
        ],
        per_class=class_deltas(a.test.metrics, b.test.metrics),
    )


def _changes(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Change]:
    before, after = flatten(a), flatten(b)
    names = dict.fromkeys([*before, *after])
    return [
        Change(name, before.get(name), after.get(name))
        for name in names
        if differ(before.get(name), after.get(name))
    ]


def _search(metadata: Metadata) -> Mapping[str, Any]:
    return metadata.recipe().search if metadata.search else {}


def _rows(one: Sketch, other: Sketch) -> RowChanges:
    shared = round(one.shared_rows(other))
    exact = one == other or (one.is_exact and other.is_exact)
    return RowChanges(shared, other.distinct - shared, one.distinct - shared, exact)


def _data(metadata: Metadata) -> dict[str, Any]:
    data, test = metadata.data, metadata.test
    return {
        **({} if data is None else _training(data)),
        "test": test.path or f"split {test.split}",
        "test rows": test.rows,
    }


def _training(data: DataRecord) -> dict[str, Any]:
    return {
        "path": data.path,
        "sha256": data.sha256,
        "rows": data.rows,
        "skipped rows": data.skipped_rows,
        "rows labelled": data.labels,
    }


def _environment(metadata: Metadata) -> dict[str, Any]:
    return {
        "python": metadata.environment.python,
        "platform": metadata.environment.platform,
        **metadata.environment.libraries,
        "textclf": metadata.code.textclf,
        "textclf source": metadata.code.sha256,
        "git commit": metadata.code.git_commit,
        "uncommitted changes": metadata.code.dirty,
    }


def metric_deltas(a: Metrics, b: Metrics) -> list[Delta]:
    """Return the changes of the metrics over all classes."""
    return [
        _delta("test accuracy", a.accuracy, b.accuracy),
        _delta("macro F1", a.macro_f1, b.macro_f1),
        _delta("weighted F1", a.weighted_f1, b.weighted_f1),
    ]


def class_deltas(a: Metrics, b: Metrics) -> list[Delta]:
    """Return the changes of the F1 of all classes, the largest loss first."""
    before = {label: c.f1 for label, c in a.per_class.items()}
    after = {label: c.f1 for label, c in b.per_class.items()}
    labels = sorted(before.keys() | after.keys())
    deltas = [_delta(f"f1[{label}]", before.get(label), after.get(label)) for label in labels]
    return sorted(deltas, key=lambda d: (d.delta is None, d.delta or 0.0))


def class_change(
    before: ClassMetrics | None, after: ClassMetrics | None, metric: str
) -> float | None:
    """Return the change of a metric of a class; ``None`` if a version does not have the class."""
    one, other = (None if c is None else float(getattr(c, metric)) for c in (before, after))
    return difference(one, other)


def difference(before: float | None, after: float | None) -> float | None:
    """Return a change; ``None`` if one of the values is not known."""
    return None if before is None or after is None else after - before


def _delta(name: str, before: float | None, after: float | None) -> Delta:
    return Delta(name, before, after, difference(before, after))

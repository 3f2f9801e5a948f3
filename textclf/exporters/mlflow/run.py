"""What a run in MLflow says of a version: parameters, metrics, tags and data sets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from semver import Version

from textclf.metadata.schema import Metadata

DIGEST_TAG: Final = "textclf.metadata_sha256"
"""The tag by which a version is found again, whatever number MLflow has given to it."""

_LONGEST_VALUE: Final = 6000
"""The most characters of a parameter in MLflow."""

_LONGEST_DIGEST: Final = 36
"""The most characters of a data set's digest in MLflow."""

_NOT_IN_A_NAME: Final = re.compile(r"[^\w .-]|^[ .]|[ .]$", re.ASCII)
"""What the name of a metric cannot have, on every system that a server may run on."""


@dataclass(frozen=True)
class DataSet:
    """A data set of a run.

    Attributes:
        name: its file.
        digest: the first characters of the SHA-256 of its rows.
        context: ``training`` or ``testing``.
        profile: the number of rows, as JSON.
    """

    name: str
    digest: str
    context: str
    profile: str


@dataclass(frozen=True)
class Run:
    """A run in MLflow.

    Attributes:
        name: its name.
        model: the name of the model in the run, which has no dot.
        milliseconds: when it was (Unix time).
        params: the parameters.
        metrics: the metrics.
        tags: the tags, of the run and of the registered version.
        data: the data sets.
    """

    name: str
    model: str
    milliseconds: int
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    data: Sequence[DataSet]


def alias_of(version: Version) -> str:
    """Return the alias of a version, ``v1-1-0``: MLflow allows no dots, and has ``v1`` itself."""
    return f"v{str(version).replace('.', '-')}"


def describe_run(version: Version, metadata: Metadata, digest: str) -> Run:
    """Return the run of a version.

    Args:
        version: the version.
        metadata: all that is known of it.
        digest: the SHA-256 of its metadata file.
    """
    return Run(
        name=f"textclf {version}",
        model=alias_of(version),
        milliseconds=round(datetime.fromisoformat(metadata.saved_at).timestamp() * 1000),
        params={
            name: _text(value)[:_LONGEST_VALUE]
            for name, value in _params(metadata).items()
            if value is not None
        },
        metrics=dict(_metrics(metadata)),
        tags={
            DIGEST_TAG: digest,
            "textclf.version": str(version),
            "textclf.model_sha256": metadata.artifact.sha256,
            **({"textclf.message": metadata.message[:500]} if metadata.message else {}),
        },
        data=_data_sets(metadata),
    )


def _params(metadata: Metadata) -> dict[str, Any]:
    test, pipeline = metadata.test, metadata.pipeline
    return {
        **metadata.best_params,
        **_training_params(metadata),
        "pipeline": " → ".join(pipeline.steps) if pipeline else None,
        "data.labels": len(metadata.labels),
        "test.path": test.path or metadata.training[0].path,
        "test.rows": test.rows,
        "test.rows_sha256": test.rows_sha256,
        "threshold": metadata.threshold,
        "abstain_unknown": metadata.abstain_unknown,
    }


def _training_params(metadata: Metadata) -> dict[str, Any]:
    """Return what is known of the search and of the training rows."""
    params: dict[str, Any] = {}
    if search := metadata.search:
        names = ("method", "scoring", "folds", "seed")
        params = {f"search.{name}": getattr(search, name) for name in names}
        params["search.candidates"] = len(search.candidates)
    if data := metadata.data:
        names = ("path", "sha256", "rows", "rows_sha256")
        params |= {f"data.{name}": getattr(data, name) for name in names}
    return params


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _metrics(metadata: Metadata) -> Iterator[tuple[str, float]]:
    """Yield cross-validated and test metrics, those of each class with its label in their name."""
    metrics = metadata.test.metrics
    if metadata.best_cv_accuracy is not None:
        yield "cv_accuracy", metadata.best_cv_accuracy
    yield "test_accuracy", metrics.accuracy
    yield "test_macro_f1", metrics.macro_f1
    yield "test_weighted_f1", metrics.weighted_f1
    if metrics.roc_auc is not None:
        yield "test_roc_auc", metrics.roc_auc
    for name, (label, scores) in zip(
        metric_names(list(metrics.per_class)), metrics.per_class.items(), strict=True
    ):
        yield f"test_precision_{name}", scores.precision
        yield f"test_recall_{name}", scores.recall
        yield f"test_f1_{name}", scores.f1
        if label in (metrics.average_precision or {}):
            yield f"test_average_precision_{name}", (metrics.average_precision or {})[label]


def metric_names(labels: Sequence[str]) -> list[str]:
    """Return what labels are called in the names of metrics, each in another way.

    Characters that such a name cannot have become ``_``; a number is added to what is not unique.
    """
    names: list[str] = []
    taken = {"macro", "weighted"}
    for label in labels:
        plain = _NOT_IN_A_NAME.sub("_", label)[:100] or "_"
        name, n = plain, 2
        while name.casefold() in taken:
            name, n = f"{plain}_{n}", n + 1
        taken.add(name.casefold())
        names.append(name)
    return names


def _data_sets(metadata: Metadata) -> Sequence[DataSet]:
    data, test = metadata.data, metadata.test
    tested_on = test.path or metadata.training[0].path
    rows = [(tested_on, test.rows_sha256, "testing", test.rows)]
    if data:
        rows.insert(0, (data.path, data.rows_sha256, "training", data.rows))
    return [
        DataSet(name[-500:], digest[:_LONGEST_DIGEST], context, json.dumps({"num_rows": number}))
        for name, digest, context, number in rows
    ]

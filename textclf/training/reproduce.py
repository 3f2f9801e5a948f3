"""Train a version again from its metadata alone, and say whether the same model came out."""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from textclf.artifact.unpickler import load_pipeline
from textclf.data.dataset import Dataset, OnBadRows, ReadOptions, read_dataset
from textclf.errors import DataError, IntegrityError, TextclfError, UsageError
from textclf.evaluation.metadata_diff import Change, compare_metadata
from textclf.metadata.schema import ARTIFACT, DataRecord, Metadata, TestRecord
from textclf.metadata.sketch import Sketch
from textclf.search.fit import FoldResult
from textclf.search.space_check import check_space
from textclf.training.job import Job, SearchSettings, prepare
from textclf.training.train import train

_UNUSABLE = (TextclfError, AttributeError, TypeError, ValueError, IndexError)
"""What comes of a model of other libraries."""

_ROUNDING = 1e-9


class Outcome(enum.StrEnum):
    """How the model that came out compares with the recorded one, the best first."""

    SAME_BYTES = "same bytes"
    SAME_PREDICTIONS = "same predictions"
    DIFFERENT = "different"


@dataclass(frozen=True)
class Predictions:
    """What two models say of the test rows.

    Attributes:
        rows: how many there are.
        labelled_otherwise: how many get another label.
        largest_difference: of a probability of any label; ``None`` where a model has none.
    """

    rows: int
    labelled_otherwise: int
    largest_difference: float | None


@dataclass(frozen=True)
class Reproduction:
    """What came out of training a version again.

    Attributes:
        version: which.
        outcome: in short.
        recorded: SHA-256 of its model file.
        made: of the model that came out.
        predictions: of both models; ``None`` where the recorded one does not work with the
            libraries here.
        environment: what differs: libraries first, then the platform, then the code.
        params: of the winners, where they differ.
        scores: that the metadata record and that did not come out.
    """

    version: str
    outcome: Outcome
    recorded: str
    made: str
    predictions: Predictions | None
    environment: list[Change]
    params: list[Change]
    scores: list[Change]


# -- what was trained ------------------------------------------------------------------------------


def recorded_job(metadata: Metadata, data: Path | None = None, test: Path | None = None) -> Job:
    """The job that made a version: its rows, checked, and its settings.

    Args:
        metadata: of the version.
        data: where the training data is now, if it has moved.
        test: likewise the test data.

    Raises:
        UsageError: ``test`` is given where the test rows were split off the training data.
        DataError: the rows are not there, or are not the recorded ones.
    """
    record, tested = metadata.data, metadata.test
    if test and tested.path is None:
        raise UsageError(
            f"{metadata.version} was tested on a part of its training data, not on a file",
            hint="leave --test out",
        )
    options = _options(metadata)
    rows = _read(record.path, data, options, "--data")
    test_rows = None if tested.path is None else _read(tested.path, test, options, "--test")
    names = ("space", "scoring", "folds", "seed", "method", "sample")
    recorded = {name: getattr(metadata.search, name) for name in names}
    settings = SearchSettings(**recorded, threshold=metadata.threshold)
    job = prepare(rows, test_rows, tested.split or 0.0, options, settings)
    _check(job.train, record, metadata, "--data")
    _check(job.test, tested, metadata, "--test")
    return job


def same_files(job: Job, metadata: Metadata) -> bool:
    """Whether the rows are from the very files that were recorded, not only the same rows."""
    test = job.split is not None or job.test.sha256 == metadata.test.sha256
    return test and job.train.sha256 == metadata.data.sha256


def _options(metadata: Metadata) -> ReadOptions:
    try:
        return msgspec.convert(metadata.data.read, ReadOptions, strict=False)
    except msgspec.ValidationError as error:
        raise IntegrityError(
            f"the metadata of {metadata.version} do not say how its data was read: {error}"
        ) from None


def _read(recorded: str, moved: Path | None, options: ReadOptions, flag: str) -> Dataset:
    """Rows that cannot be used are left out: if there were none then, the digest will tell."""
    path = moved or Path(recorded)
    if not moved and not os.path.exists(path):  # noqa: PTH110 - Path.exists may raise
        raise DataError(f"{recorded} is not there", hint=f"{flag} FILE, where it has moved")
    return read_dataset(path, replace(options, on_bad_rows=OnBadRows.SKIP))


def _check(rows: Dataset, record: DataRecord | TestRecord, metadata: Metadata, flag: str) -> None:
    """Raise DataError unless these are the recorded rows, in their order."""
    if rows.rows_sha256 == record.rows_sha256:
        return
    use = "trained" if isinstance(record, DataRecord) else "tested"
    if rows.sha256 == (record.sha256 or metadata.data.sha256):
        raise DataError(
            f"{rows.path} is the file that {metadata.version} was {use} on, but other rows come "
            f"out of it: textclf {metadata.code.textclf} read it as {metadata.data.format}, this "
            f"one reads {rows.format}",
            hint="a name that ends as before, or that textclf",
        )
    raise DataError(
        f"{rows.path} is not what {metadata.version} was {use} on: {len(rows)} rows where "
        f"{record.rows} are recorded{_in_common(rows, record)}",
        hint=f"{flag} FILE, where the recorded rows are",
    )


def _in_common(rows: Dataset, record: DataRecord | TestRecord) -> str:
    if not isinstance(record, DataRecord):
        return ""
    share = record.sketch.overlap(Sketch.from_rows(rows.texts, rows.labels))
    return f", about {share:.0%} of them the same"


# -- what comes out --------------------------------------------------------------------------------


def reproduce(
    metadata: Metadata,
    artifact: bytes,
    job: Job,
    *,
    jobs: int | None = None,
    on_fit: Callable[[FoldResult], object] = lambda _: None,
) -> Reproduction:
    """Train a version again and compare; nothing is published.

    Args:
        metadata: of the version.
        artifact: its model file.
        job: what ``recorded_job`` gave.
        jobs: how many fits go on at once; ``None`` is one for each core.
        on_fit: called with each result of the search as it comes.

    Raises:
        TextclfError: it cannot be trained with the libraries here.
        IntegrityError: the metadata record scores that this model never had.
    """
    try:
        check_space(job.settings.space, _where)
        made, model, *_ = train(job, metadata.version, metadata.bump, jobs=jobs, on_fit=on_fit)
    except (UsageError, DataError) as error:  # space and data were good enough once
        raise TextclfError(
            f"{metadata.version} cannot be trained again with the libraries here: {error}",
            hint=f"textclf versions show {metadata.version} lists those it was made with",
        ) from None
    predictions = _compared(artifact, model, job.test.texts)
    comparison = compare_metadata(metadata, made)
    found = Reproduction(
        version=metadata.version,
        outcome=_outcome(artifact == model, predictions),
        recorded=metadata.artifact.sha256,
        made=made.artifact.sha256,
        predictions=predictions,
        environment=comparison.environment,
        params=comparison.params,
        scores=list(_scores(metadata, made)),
    )
    _require_true_scores(found, metadata, made)
    return found


def _where(*names: str, grid: int = 0) -> str:
    return f"{'.'.join(names)} in grid {grid + 1}"


def _outcome(same: bool, predictions: Predictions | None) -> Outcome:
    if same:
        return Outcome.SAME_BYTES
    alike = predictions is not None and not predictions.labelled_otherwise
    return Outcome.SAME_PREDICTIONS if alike else Outcome.DIFFERENT


def _compared(recorded: bytes, made: bytes, texts: Sequence[str]) -> Predictions | None:
    try:
        (before, shares), (after, new_shares) = (_predicted(m, texts) for m in (recorded, made))
    except _UNUSABLE:
        return None
    difference = None
    if shares is not None and new_shares is not None and shares.shape == new_shares.shape:
        difference = float(np.abs(shares - new_shares).max())
    return Predictions(len(texts), int((before != after).sum()), difference)


def _predicted(model: bytes, texts: Sequence[str]) -> tuple[Any, Any]:
    """Labels, and the probabilities of all labels where there are any."""
    pipeline = load_pipeline(model, name=ARTIFACT)
    shares = pipeline.predict_proba(texts) if hasattr(pipeline, "predict_proba") else None
    return pipeline.predict(texts), shares


def _scores(recorded: Metadata, made: Metadata) -> Iterator[Change]:
    comparison = compare_metadata(recorded, made)
    for delta in (*comparison.metrics, *comparison.per_class):
        if delta.delta is None or abs(delta.delta) > _ROUNDING:
            yield Change(delta.name, delta.before, delta.after)
    pairs = zip(recorded.search.candidates, made.search.candidates, strict=False)
    for number, (before, after) in enumerate(pairs, 1):
        if not _alike(before.fold_scores, after.fold_scores):
            name = f"fold scores of candidate {number}"
            yield Change(name, before.fold_scores, after.fold_scores)


def _alike(before: Sequence[float | None], after: Sequence[float | None]) -> bool:
    """``None``, of a fold that could not be fitted, is like itself."""
    return len(before) == len(after) and all(
        a == b or (a is not None and b is not None and abs(a - b) <= _ROUNDING)
        for a, b in zip(before, after, strict=True)
    )


def _require_true_scores(found: Reproduction, recorded: Metadata, made: Metadata) -> None:
    """The same model of the same libraries and code has the same scores, or somebody wrote others.

    Raises:
        IntegrityError: as it says.
    """
    here, there = (
        (each.environment.python, each.environment.libraries, each.code.sha256)
        for each in (made, recorded)
    )
    if found.outcome is Outcome.SAME_BYTES and found.scores and here == there:
        false = found.scores[0]
        raise IntegrityError(
            f"the metadata of {found.version} are not true: its model comes out to the byte, but "
            f"{false.name} is {false.after}, where {false.before} is recorded",
            hint="restore metadata.json from a backup; textclf verify says more",
        )

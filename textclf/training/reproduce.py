"""Train a version again from its metadata alone, and compare the model with the recorded one."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from textclf.artifact.unpickler import load_pipeline
from textclf.errors import DataError, IntegrityError, TextclfError, UsageError
from textclf.evaluation.metadata_diff import Change, Comparison, compare_metadata
from textclf.evaluation.scored_rows import ScoredRows
from textclf.metadata.schema import ARTIFACT, Metadata
from textclf.search.fit import FoldResult
from textclf.search.space_check import check_space
from textclf.training.job import Job
from textclf.training.phases import OnPhase
from textclf.training.train import Trained, train

_INCOMPATIBLE = (TextclfError, AttributeError, TypeError, ValueError, IndexError)
"""What a model of other libraries may raise."""

_UNTRAINABLE = (UsageError, DataError, ValueError, LookupError, TypeError)
"""What recorded settings may raise that these libraries do not know."""

_ROUNDING = 1e-9


class Outcome(enum.StrEnum):
    """How the reproduced model compares with the recorded one, the best outcome first."""

    SAME_BYTES = "same bytes"
    SAME_PREDICTIONS = "same predictions"
    DIFFERENT = "different"


class PredictionComparison(msgspec.Struct, frozen=True):
    """How the predictions of two models for the same rows differ.

    Attributes:
        rows: the number of rows.
        changed_labels: the number of rows with different labels.
        largest_difference: of the probabilities of any label; ``None`` if a model has none.
    """

    rows: int
    changed_labels: int = msgspec.field(name="labelled_otherwise")
    largest_difference: float | None


@dataclass(frozen=True)
class Reproduction:
    """The result of training a version again.

    Attributes:
        version: the number of the version.
        outcome: the comparison in short.
        recorded: the SHA-256 of the recorded model file.
        made: the SHA-256 of the reproduced one.
        predictions: the comparison of their predictions for the test rows; ``None`` if the recorded
            model does not work with the libraries installed here.
        environment: differences of the libraries, the platform and the code, in this order.
        params: differences of the winners' parameters.
        scores: recorded scores that were not reproduced.
    """

    version: str
    outcome: Outcome
    recorded: str
    made: str
    predictions: PredictionComparison | None
    environment: list[Change]
    params: list[Change]
    scores: list[Change]


def same_files(job: Job, metadata: Metadata) -> bool:
    """Return whether the rows come from the recorded files, and are not only the same rows."""
    test = job.split is not None or job.test.sha256 == metadata.test.sha256
    return test and job.train.sha256 == metadata.training[0].sha256


def reproduce(  # noqa: PLR0913 - what is shown of the training
    metadata: Metadata,
    artifact: bytes,
    job: Job,
    *,
    jobs: int | None = None,
    on_fit: Callable[[FoldResult], object] = lambda _: None,
    on_phase: OnPhase = lambda _: None,
) -> Reproduction:
    """Train a version again and compare the models; nothing is published.

    Args:
        metadata: the version's.
        artifact: the content of its model file.
        job: its job, from `recorded_job`.
        jobs: the number of fits at once; ``None`` is one for each core.
        on_fit: called with each result of the search as it comes.
        on_phase: called with each phase as it begins.

    Raises:
        TextclfError: it cannot be trained with the libraries installed here.
        IntegrityError: the metadata records scores that this model never had.
    """
    try:
        check_space(job.settings.space, _where)
        made = train(
            job, metadata.version, metadata.bump, jobs=jobs, on_fit=on_fit, on_phase=on_phase
        )
    except _UNTRAINABLE as error:  # what is recorded was valid when the version was made
        raise TextclfError(
            f"{metadata.version} cannot be trained again with the libraries installed here: "
            f"{error}",
            hint=f"textclf versions show {metadata.version} lists its libraries",
        ) from None
    predictions = _compare_predictions(artifact, made)
    comparison = compare_metadata(metadata, made.metadata)
    reproduction = Reproduction(
        version=metadata.version,
        outcome=_outcome(artifact == made.artifact, predictions),
        recorded=metadata.artifact.sha256,
        made=made.metadata.artifact.sha256,
        predictions=predictions,
        environment=comparison.environment,
        params=comparison.params,
        scores=list(_score_changes(metadata, made.metadata, comparison)),
    )
    _require_true_scores(reproduction, metadata, made.metadata)
    return reproduction


def _where(*names: str, grid: int = 0) -> str:
    return f"{'.'.join(names)} in grid {grid + 1}"


def _outcome(same_bytes: bool, predictions: PredictionComparison | None) -> Outcome:
    if same_bytes:
        return Outcome.SAME_BYTES
    same_labels = predictions is not None and not predictions.changed_labels
    return Outcome.SAME_PREDICTIONS if same_labels else Outcome.DIFFERENT


def _compare_predictions(artifact: bytes, made: Trained) -> PredictionComparison | None:
    """Compare the recorded model with the reproduced one; ``None`` if it does not work here."""
    rows, models = made.scored.rows, [made.scored.model]
    if artifact == made.artifact:
        return PredictionComparison(len(rows), 0, 0.0 if made.scored.has_probabilities else None)
    try:
        models.append(load_pipeline(artifact, name=ARTIFACT))
        again, recorded = (ScoredRows.from_pipeline(model, rows) for model in models)
    except _INCOMPATIBLE:
        return None
    difference = None
    both_probabilities = recorded.has_probabilities and again.has_probabilities
    if both_probabilities and recorded.scores.shape == again.scores.shape:
        difference = float(np.abs(recorded.scores - again.scores).max())
    labels = zip(recorded.predicted, again.predicted, strict=True)
    changed = sum(before != after for before, after in labels)
    return PredictionComparison(len(rows), changed, difference)


def _score_changes(recorded: Metadata, made: Metadata, comparison: Comparison) -> Iterator[Change]:
    for delta in (*comparison.metrics, *comparison.per_class):
        if delta.delta is None or abs(delta.delta) > _ROUNDING:
            yield Change(delta.name, delta.before, delta.after)
    pairs = zip(recorded.training[1].candidates, made.training[1].candidates, strict=False)
    for number, (before, after) in enumerate(pairs, 1):
        if not _equal_scores(before.fold_scores, after.fold_scores):
            name = f"fold scores of candidate {number}"
            yield Change(name, before.fold_scores, after.fold_scores)


def _equal_scores(before: Sequence[float | None], after: Sequence[float | None]) -> bool:
    """Return whether fold scores are equal; a fold that could not be fitted equals itself."""
    return len(before) == len(after) and all(
        a == b or (a is not None and b is not None and abs(a - b) <= _ROUNDING)
        for a, b in zip(before, after, strict=True)
    )


def _require_true_scores(reproduction: Reproduction, recorded: Metadata, made: Metadata) -> None:
    """Raise IntegrityError if the same model, libraries and code gave other scores than recorded.

    Somebody must have edited the recorded scores then.
    """
    here, there = (
        (one.environment.python, one.environment.libraries, one.code.sha256)
        for one in (made, recorded)
    )
    if reproduction.outcome is Outcome.SAME_BYTES and reproduction.scores and here == there:
        change = reproduction.scores[0]
        raise IntegrityError(
            f"the metadata of {reproduction.version} has been changed: the reproduced model is the "
            f"same to the byte, but {change.name} is {change.after}, and {change.before} is "
            "recorded",
            hint="restore metadata.json from a backup; see textclf verify",
        )

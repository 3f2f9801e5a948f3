"""A pipeline that was fitted outside of textclf → the files of a version, and its test."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from textclf import files
from textclf.artifact.foreign.normalise import normalise
from textclf.artifact.foreign.plain import (
    CannotNormalise,
    feature_kinds,
    kind,
    known_parameters,
    steps_of,
)
from textclf.artifact.model_file import dump, to_bytes
from textclf.artifact.skops_file import is_skops, open_skops
from textclf.artifact.unpickler import load_pipeline, read_foreign
from textclf.artifact.unsafe import load_anything, load_object
from textclf.data.dataset import Dataset
from textclf.data.label_spelling import written_in_several_ways
from textclf.errors import DataError, IntegrityError, TextclfError, UnsafeModel, UsageError
from textclf.evaluation.scored_rows import ScoredRows
from textclf.formatting import first_line, plural
from textclf.metadata.limits import Limits
from textclf.metadata.schema import ARTIFACT, Opened, PipelineRecord, sha256
from textclf.scorer.scorer import SCORER
from textclf.scorer.writer import CannotCompile, compile_scorer
from textclf.training.scorer_check import ScorerMismatch, check_scorer

_TIE = 1e-9
"""If the two highest scores of a text are closer than this, rounding decides on its label."""

_UNSAFE = "if you trust the file: --unsafe-load opens it, and publishes it as untrusted"


@dataclass(frozen=True)
class ForeignModel:
    """A fitted pipeline, and whether it may be used as it is.

    Attributes:
        pipeline: the pipeline, or another classifier of texts.
        trusted: whether its own code may be run; otherwise it is only read.
        path: the file that it is from.
        sha256: the digest of that file.
    """

    pipeline: Any
    trusted: bool = True
    path: str | None = None
    sha256: str | None = None

    @classmethod
    def from_object(cls, pipeline: Any) -> ForeignModel:
        """Take a pipeline that this program has. Raises TypeError if it is none."""
        if not hasattr(pipeline, "predict"):
            raise TypeError(f"not a fitted scikit-learn pipeline: {type(pipeline).__name__}")
        return cls(getattr(pipeline, "best_estimator_", pipeline))

    @classmethod
    def from_path(cls, path: Path, *, unsafe: bool) -> ForeignModel:
        """Read and open a file, as `from_file` does. Raises UsageError if it cannot be read."""
        try:
            data = files.read_bytes(path)
        except OSError as error:
            reason = error.strerror or error
            raise UsageError(f"the model file {path} cannot be read: {reason}") from None
        return cls.from_file(data, name=path.as_posix(), unsafe=unsafe)

    @classmethod
    def from_file(cls, data: bytes, *, name: str, unsafe: bool) -> ForeignModel:
        """Open a file that ``joblib.dump``, ``pickle.dump`` or ``skops.io.dump`` has written.

        Args:
            data: its content.
            name: its name, for messages and for the record.
            unsafe: whether code in it may be run.

        Raises:
            UnsafeModel: it holds something that may run code.
            IntegrityError: it cannot be opened, or holds no classifier.
        """
        opened = _open(data, name, unsafe=unsafe)
        if not hasattr(opened, "predict"):
            raise IntegrityError(f"{name} holds a {type(opened).__name__}, which is no classifier")
        pipeline = getattr(opened, "best_estimator_", opened)
        return cls(pipeline, trusted=unsafe, path=name, sha256=sha256(data))


def _open(data: bytes, name: str, *, unsafe: bool) -> Any:
    if is_skops(data):
        return open_skops(data, name=name, unsafe=unsafe)
    return load_object(data, name=name) if unsafe else read_foreign(data, name=name)


@dataclass(frozen=True)
class Tested:
    """What a version is made of, and its predictions for the test rows.

    Attributes:
        artifact: the content of the model file.
        scored: the model, loaded from its bytes, and its predictions.
        record: what is known of the pipeline, and how it is opened.
        parameters: what is known of its parameters.
        files: further files: the compiled scorer.
    """

    artifact: bytes
    scored: ScoredRows
    record: PipelineRecord
    parameters: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)


def prepare_foreign(model: ForeignModel, rows: Dataset, limits: Limits | None = None) -> Tested:
    """Bring a pipeline into textclf's form if that can be done, and score it on the test rows.

    The scorer is compared with the pipeline on all rows. What cannot be compiled is opened by the
    restricted loader, and what that cannot open is kept as it is.

    Args:
        model: the pipeline.
        rows: the test rows.
        limits: which texts the version gives no label.

    Raises:
        UnsafeModel: the pipeline may not be run, and cannot be brought into textclf's form.
        DataError: the pipeline knows none of the rows' labels.
        UsageError: the pipeline cannot label texts, has no scores, or has a threshold and no
            probabilities.
    """
    try:
        artifact, scored = _normalised(model, rows)
        opened_by, reason, compiled = _compiled(scored, limits or Limits())
    except CannotNormalise as error:
        if not model.trusted:
            raise UnsafeModel(
                f"{model.path} cannot be opened without running code from it: {error}", hint=_UNSAFE
            ) from None
        return _untrusted(model, rows, str(error))
    except TextclfError:
        raise
    except Exception as error:
        if model.trusted:
            raise
        raise IntegrityError(
            f"{model.path} is damaged, or was made to look like a model"
        ) from error
    return _tested(model, artifact, scored, opened_by, reason, compiled)


def _compiled(scored: ScoredRows, limits: Limits) -> tuple[Opened, str | None, dict[str, bytes]]:
    """Return what opens the model, why it is not the scorer, and the files of the scorer."""
    try:
        scorer = compile_scorer(scored.model, **limits.given())
        check_scorer(scorer, scored)
    except (CannotCompile, ScorerMismatch) as error:
        return Opened.RESTRICTED, error.message, {}
    return Opened.SCORER, None, {SCORER: scorer}


def _normalised(model: ForeignModel, rows: Dataset) -> tuple[bytes, ScoredRows]:
    """Return the model file in textclf's form, and its predictions.

    Raises:
        CannotNormalise: there is no such form, or it labels a row differently.
    """
    artifact = to_bytes(normalise(model.pipeline))
    try:
        opened = load_pipeline(artifact, name=ARTIFACT)
    except IntegrityError as error:
        cause = error.__cause__ or error
        raise CannotNormalise(f"it holds {cause}") from error
    scored = ScoredRows.from_pipeline(opened, rows)
    if model.trusted:
        _require_same_labels(scored, _labels(model.pipeline, rows))
    return artifact, scored


def _require_same_labels(scored: ScoredRows, expected: list[str]) -> None:
    ranked = np.sort(scored.scores, axis=1)
    tied = ranked[:, -1] - ranked[:, -2] <= _TIE
    differ = (np.asarray(scored.predicted) != np.asarray(expected)) & ~tied
    if differ.any():
        raise CannotNormalise(
            f"textclf's form of it labels {int(differ.sum())} of {len(expected)} test rows "
            "differently"
        )


def _labels(pipeline: Any, rows: Dataset) -> list[str]:
    """Return the labels that a pipeline predicts. Raises UsageError if it cannot label texts."""
    try:
        return [str(label) for label in np.asarray(pipeline.predict(list(rows.texts))).tolist()]
    except Exception as error:  # whatever a foreign class raises
        raise UsageError(
            _failure("label a list of texts", error),
            hint="publish takes a fitted classifier of texts: pipeline.predict(['a text'])",
        ) from error


def _failure(what: str, error: Exception) -> str:
    return f"the pipeline cannot {what}: {type(error).__name__}: {first_line(error)}"


def _untrusted(model: ForeignModel, rows: Dataset, reason: str) -> Tested:
    """Keep a pipeline as it is, as bytes that can be loaded again."""
    _labels(model.pipeline, rows)
    pipeline = model.pipeline
    if not isinstance(pipeline, Pipeline) or len(pipeline) == 1:
        pipeline = Pipeline([("features", "passthrough"), ("classifier", pipeline)])
    try:
        artifact = dump(pipeline)
    except Exception as error:
        raise UsageError(
            _failure("be saved", error),
            hint="functions in it need a module and a name: no lambda, nothing defined inline",
        ) from error
    if not hasattr(pipeline, "predict_proba") and not hasattr(pipeline, "decision_function"):
        raise UsageError(
            f"{kind(steps_of(pipeline)[-1][1])} has neither predict_proba nor decision_function: "
            "a version needs scores",
        )
    labels = np.asarray(getattr(pipeline, "classes_", [None])).tolist()
    if not all(isinstance(label, str) for label in labels):
        raise UsageError(
            "the labels of the pipeline are not text, and it cannot be compiled: " + reason,
            hint="fit it with labels that are str",
        )
    scored = _scored(load_anything(artifact, name=ARTIFACT), rows, labels)
    return _tested(model, artifact, scored, Opened.UNTRUSTED, reason, {})


def _scored(pipeline: Pipeline, rows: Dataset, labels: list[str]) -> ScoredRows:
    """Score the rows by a foreign class. Raises UsageError if what it returns makes no sense."""
    try:
        scored = ScoredRows.from_pipeline(pipeline, rows)
        sound = scored.scores.shape == (len(rows), len(labels)) and np.isfinite(scored.scores).all()
    except Exception as error:  # whatever a foreign class raises
        raise UsageError(
            _failure("score a list of texts", error),
        ) from error
    if not sound or not set(scored.predicted) <= set(labels):
        raise UsageError(
            f"the pipeline does not give a label of its own and {plural(len(labels), 'score')} "
            "for each text",
        )
    return scored


def _tested(  # noqa: PLR0913, PLR0917 - the parts of the result
    model: ForeignModel,
    artifact: bytes,
    scored: ScoredRows,
    opened_by: Opened,
    reason: str | None,
    files: dict[str, bytes],
) -> Tested:
    labels = [str(label) for label in scored.model.classes_.tolist()]
    _require_known_label(scored.rows, labels)
    steps = steps_of(model.pipeline)
    record = PipelineRecord(
        opened_by,
        reason,
        steps=[kind(step) for _, step in steps],
        features=feature_kinds(model.pipeline),
        classifier=kind(steps[-1][1]),
        labels=labels,
        path=model.path,
        sha256=model.sha256,
    )
    return Tested(artifact, scored, record, known_parameters(model.pipeline), files)


def _require_known_label(rows: Dataset, labels: list[str]) -> None:
    if not rows.label_counts.keys() & set(labels):
        similar = written_in_several_ways(sorted({*rows.label_counts, *labels}))
        raise DataError(
            f"{rows.path} has none of the labels that the pipeline knows: it has "
            f"{', '.join(sorted(rows.label_counts)[:5])}, and the pipeline knows "
            f"{', '.join(labels[:5])}",
            hint="write the labels as the pipeline does"
            if similar
            else "check the column of the labels",
        )

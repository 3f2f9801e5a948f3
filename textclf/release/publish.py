"""Publish a pipeline that was fitted elsewhere: test it, publish it, judge it and promote it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from textclf.data.dataset import Dataset, ReadOptions
from textclf.data.quality import find_test_problems
from textclf.errors import UsageError
from textclf.evaluation.scored_rows import ScoredRows
from textclf.metadata.limits import Limits
from textclf.metadata.schema import PIPELINE_SCHEMA, BumpRecord, Metadata
from textclf.metadata.sketch import Sketch
from textclf.registry.registry import Registry
from textclf.registry.signing import Signer
from textclf.release.promote import LiveEvidence
from textclf.release.publication import (
    PageMaker,
    ReleaseCallbacks,
    ReleaseOptions,
    ReleaseResult,
    live_baseline,
    publish_and_promote,
    read_rows,
)
from textclf.training.foreign_model import ForeignModel, Tested, prepare_foreign
from textclf.training.phases import Phase
from textclf.training.provenance import code, environment
from textclf.training.train import Trained, data_record


@dataclass(frozen=True)
class PublishRequest:
    """What to publish, and what is to become of it.

    Attributes:
        model: the fitted pipeline.
        test: the test data.
        train: the data that it was fitted on, if it is known.
        read: how the data is read.
        limits: which texts the version gives no label.
        options: the number of the version, and what is to become of it.
    """

    model: ForeignModel
    test: Path | Dataset
    train: Path | Dataset | None = None
    read: ReadOptions = field(default_factory=ReadOptions)
    limits: Limits = field(default_factory=Limits)
    options: ReleaseOptions = field(default_factory=ReleaseOptions)


def publish(
    registry: Registry,
    request: PublishRequest,
    *,
    sign: Signer | None = None,
    report: Callable[[ScoredRows], PageMaker] | None = None,
    callbacks: ReleaseCallbacks | None = None,
) -> ReleaseResult:
    """Test a fitted pipeline, publish it, and promote it if it passes the gate.

    Nothing is published if nothing has changed since the base version and the bump is ``auto``, or
    in a dry run, whose result has the metadata that the version would get. A version that the gate
    refuses is published and not promoted.

    Args:
        registry: where the version is published.
        request: what to publish, and what is to become of it.
        sign: signs the metadata of the version.
        report: makes the files for readers of the version from its scored test rows.
        callbacks: what is called meanwhile.

    Raises:
        UnsafeModel: the pipeline may not be run, and cannot be opened otherwise.
        UsageError: the pipeline cannot label texts, or has no scores, or a threshold and no
            probabilities, or a share of known n-grams and none that can be counted.
        DataError: the data cannot be read, or has other labels.
        StoreError: the registry cannot be written to.
    """
    callbacks, options = callbacks or ReleaseCallbacks(), request.options
    callbacks.on_phase(Phase.READING)
    test = _read(request.test, request.read, callbacks)
    train = _read(request.train, request.read, callbacks) if request.train is not None else None
    callbacks.on_phase(Phase.TESTING)
    started = time.perf_counter()
    tested = prepare_foreign(request.model, test, request.limits)
    _require_applicable(request.limits, tested)
    callbacks.on_problems(find_test_problems(test, tested.record.labels, train))
    metadata = _metadata(request, tested, train, time.perf_counter() - started)
    plan = registry.plan(
        metadata.recipe(), metadata.sketch, requested=options.bump, base=options.base
    )
    if plan.version is None:
        return ReleaseResult(plan)
    numbered = msgspec.structs.replace(metadata, version=str(plan.version), bump=plan.bump)
    if options.dry_run:
        return ReleaseResult(plan, tested=numbered)
    registry.store.require_writable()
    callbacks.on_phase(Phase.COMPARING)
    evidence = LiveEvidence(registry, test)
    baseline = live_baseline(registry, evidence, test)
    model = Trained(numbered, tested.artifact, tested.files, tested.scored)
    return publish_and_promote(
        registry, ReleaseResult(plan), model, options, evidence, baseline,
        sign=sign, report=report, callbacks=callbacks,
    )  # fmt: skip


def _read(data: Path | Dataset, options: ReadOptions, callbacks: ReleaseCallbacks) -> Dataset:
    rows = read_rows(data, options)
    callbacks.on_read(rows)
    return rows


def _require_applicable(limits: Limits, tested: Tested) -> None:
    if limits.abstain_unknown is not None and not tested.files:
        raise UsageError(
            f"it cannot be said which n-grams {tested.record.classifier} knows, because it is not "
            f"compiled: {tested.record.reason}",
            hint="leave --abstain-unknown out",
        )
    if limits.threshold is not None and not tested.scored.has_probabilities:
        raise UsageError(
            f"the scores of {tested.record.classifier} are decision values, and a threshold is one "
            "of probabilities",
            hint="CalibratedClassifierCV(…, ensemble=False) gives it probabilities",
        )


def _metadata(
    request: PublishRequest, tested: Tested, train: Dataset | None, seconds: float
) -> Metadata:
    """Return what is known, still without the number and the time of publication."""
    from textclf.artifact.model_file import describe

    data = None
    if train:
        sketch = Sketch.from_rows(train.texts, train.labels)
        data = data_record(train, request.read, sketch)
    test = tested.scored.test_record(data.sketch if data else None)
    return Metadata(
        version="",
        saved_at="",
        best_params=tested.parameters,
        best_cv_accuracy=None,
        test_accuracy=test.metrics.accuracy,
        schema=PIPELINE_SCHEMA,
        task="text-classification",
        bump=BumpRecord(request.options.bump, "none", [], None),
        artifact=describe(tested.artifact),
        data=data,
        test=test,
        search=None,
        environment=environment(),
        code=code(),
        message=request.options.message,
        seconds={"test": round(seconds, 3)},
        threshold=request.limits.threshold,
        abstain_unknown=request.limits.abstain_unknown,
        pipeline=tested.record,
    )

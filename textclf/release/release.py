"""The release of a version: train, publish, judge and promote, as one flow that returns values."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from textclf.data.dataset import Dataset, ReadOptions
from textclf.data.quality import TOLD_WHEN_READ, DataProblem, Severity, find_problems
from textclf.data.small_labels import LabelLimits, limit_labels
from textclf.data.split import read_test
from textclf.errors import DataError, UsageError
from textclf.evaluation.scored_rows import ScoredRows
from textclf.registry.registry import Registry
from textclf.registry.signing import Signer
from textclf.release.promote import LiveEvidence
from textclf.release.publication import (
    JobSummary,
    PageMaker,
    ReleaseCallbacks,
    ReleaseOptions,
    ReleaseResult,
    live_baseline,
    publish_and_promote,
    read_rows,
)
from textclf.search.grid_search import Runner
from textclf.training.job import Job, SearchSettings, prepare
from textclf.training.phases import Phase
from textclf.training.recorded import Addition, Moved, extended_job
from textclf.training.train import train


@dataclass(frozen=True)
class ReleaseRequest:
    """What to train, and what is to become of it.

    Attributes:
        data: the training data: a path, or rows; ``None`` if rows are added.
        search: the search space and how it is searched.
        read: how the data is read; if rows are added, how those are.
        labels: how many rows a label needs.
        test: the test data; ``None`` splits test rows off the training data.
        test_named: whether somebody named the test data. What only lies beside the training data is
            not used if it has no labels.
        test_share: the share of rows that is split off then (0 to 1), by a hash of the text.
        add: data whose rows are added to those of the base.
        moved: where the recorded data of the base is then, if it has moved; see `Moved`.
        options: the number of the version, and what is to become of it.
    """

    data: Path | Dataset | None
    search: SearchSettings
    read: ReadOptions = field(default_factory=ReadOptions)
    labels: LabelLimits = field(default_factory=LabelLimits)
    test: Path | Dataset | None = None
    test_named: bool = True
    test_share: float = 0.2
    add: Sequence[Path | Dataset] = ()
    moved: Sequence[Path | Dataset] = ()
    options: ReleaseOptions = field(default_factory=ReleaseOptions)


def release(  # noqa: PLR0913 - the request, and the machinery that carries it out
    registry: Registry,
    request: ReleaseRequest,
    *,
    jobs: int | None = None,
    cluster: AbstractContextManager[Runner | None] | None = None,
    sign: Signer | None = None,
    report: Callable[[ScoredRows], PageMaker] | None = None,
    callbacks: ReleaseCallbacks | None = None,
) -> ReleaseResult:
    """Train the next version on labelled data, publish it, and promote it if it passes the gate.

    Nothing is trained if nothing has changed since the base version and the bump is ``auto``, or in
    a dry run. A version that the gate refuses is published and not promoted.

    Args:
        registry: where the version is published.
        request: what to train, and what is to become of it.
        jobs: the number of fits at once; ``None`` is one for each core.
        cluster: a context that gives what does the fits of the search; ``None``: this process.
        sign: signs the metadata of the version.
        report: makes the files for readers of the version from its scored test rows.
        callbacks: what is called while the release runs.

    Raises:
        DataError: the data cannot be read, trained or tested on.
        StoreError: the registry cannot be written to.
        ClusterError: the cluster cannot be reached or fails.
        TextclfError: the version could not be trained, or is published and could not be promoted
            for another reason than the gate; the hint says so.
    """
    callbacks, options = callbacks or ReleaseCallbacks(), request.options
    callbacks.on_phase(Phase.READING)
    started = time.perf_counter()
    job = _extend(registry, request, callbacks) if request.add else _read_job(request, callbacks)
    read_seconds = time.perf_counter() - started
    callbacks.on_phase(Phase.CHECKING)
    callbacks.on_problems(_check_data(job))
    plan = registry.plan(job.recipe(), job.sketch, requested=options.bump, base=options.base)
    result = ReleaseResult(plan, JobSummary.from_job(job))
    if plan.version is None or options.dry_run:
        return result
    registry.store.require_writable()
    callbacks.on_plan(plan, job)
    callbacks.on_phase(Phase.COMPARING)
    evidence = LiveEvidence(registry, job.test)
    baseline = live_baseline(registry, evidence, job.test)
    with cluster or nullcontext() as run, callbacks.search(job) as on_fit:
        trained = train(
            job,
            str(plan.version),
            plan.bump,
            message=options.message,
            jobs=jobs,
            run=run,
            read_seconds=read_seconds,
            on_fit=on_fit,
            on_phase=callbacks.on_phase,
        )
    return publish_and_promote(
        registry, result, trained, options, evidence, baseline,
        sign=sign, report=report, callbacks=callbacks,
    )  # fmt: skip


def _read_job(request: ReleaseRequest, callbacks: ReleaseCallbacks) -> Job:
    """Read the data and return the job."""
    if request.data is None:
        raise UsageError("there is nothing to train on")
    rows = read_rows(request.data, request.read)
    test_rows = _read_test_rows(request, callbacks)
    rows, test_rows = limit_labels(rows, test_rows, request.labels)
    for dataset in (rows, test_rows):
        if dataset is not None:
            callbacks.on_read(dataset)
    return prepare(rows, test_rows, request.test_share, request.read, request.search)


def _extend(registry: Registry, request: ReleaseRequest, callbacks: ReleaseCallbacks) -> Job:
    """Read the data of the base and what is added to it, and return the job."""
    assert request.options.base is not None  # a caller that adds rows has resolved it
    additions = [Addition(read_rows(data, request.read), request.read) for data in request.add]
    metadata = registry.metadata(request.options.base)
    moved = Moved(request.moved, request.test)
    job, notes = extended_job(metadata, additions, request.search, request.labels, moved)
    for (rows, _), note in zip(additions, notes, strict=True):
        callbacks.on_read(replace(rows, notes=(*rows.notes, note)))
    for rows in [job.train] if job.split else [job.train, job.test]:  # what is left out of all rows
        callbacks.on_read(replace(rows, bad_rows=(), notes=(), tool=None, misread=None))
    return job


def _read_test_rows(request: ReleaseRequest, callbacks: ReleaseCallbacks) -> Dataset | None:
    if request.test is None or isinstance(request.test, Dataset):
        return request.test
    rows, problem = read_test(request.test, request.read, named=request.test_named)
    if problem:
        callbacks.on_unlabelled(problem)
    return rows


def _check_data(job: Job) -> tuple[DataProblem, ...]:
    """Return what is suspicious in the rows. Raises DataError if they cannot be trained on.

    What is wrong with single rows, or with the encoding, was told when the data was read.
    """
    found = find_problems(job.train, job.test, folds=job.settings.folds)
    problems = tuple(problem for problem in found if problem.kind not in TOLD_WHEN_READ)
    for problem in problems:
        if problem.severity is Severity.ERROR:
            path, folds = shlex.quote(job.train.path), job.settings.folds
            hint = None if job.parts else f"textclf check {path} --cv {folds}"
            raise DataError(f"{job.train.path}: {problem.message}", hint=hint)
    return problems

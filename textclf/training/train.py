"""Train a version: from a job to a tested model and its metadata."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from multiprocessing.pool import ThreadPool
from typing import Any, NamedTuple, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from textclf.artifact.model_file import describe, to_bytes
from textclf.artifact.unpickler import load_pipeline
from textclf.data.dataset import Dataset, ReadOptions
from textclf.evaluation.scored_rows import ScoredRows
from textclf.features.counts import Counts
from textclf.features.tfidf import CountCache, WeightedCounts, join
from textclf.metadata.schema import (
    MOST_BAD_ROWS,
    SCHEMA,
    BumpRecord,
    Candidate,
    DataPart,
    DataRecord,
    Metadata,
    SearchRecord,
)
from textclf.metadata.sketch import Sketch
from textclf.scorer.scorer import SCORER
from textclf.scorer.writer import compile_scorer
from textclf.search.calibration import calibrate, needs_calibration
from textclf.search.fit import FoldResult
from textclf.search.grid_search import Runner, grid_search, in_threads, stratified_folds
from textclf.search.refit import refit
from textclf.search.results import WinnerDecisions, best, summarize
from textclf.search.space import CandidateParams
from textclf.training.job import Job, SearchSettings
from textclf.training.phases import OnPhase, Phase
from textclf.training.scorer_check import check_scorer

_COEFFICIENTS = 50_000_000
"""The most coefficients of a model that was searched on a sample: 400 MB."""


class Trained(NamedTuple):
    """The result of a training.

    Attributes:
        metadata: the metadata, still without the time of publication.
        artifact: the content of the model file.
        files: further files of the version, by name: the compiled scorer.
        scored: the model, loaded from its bytes, and its predictions for the test rows.
    """

    metadata: Metadata
    artifact: bytes
    files: dict[str, bytes]
    scored: ScoredRows


def train(  # noqa: PLR0913 - what the record needs beside the job
    job: Job,
    version: str,
    bump: BumpRecord,
    *,
    message: str | None = None,
    jobs: int | None = None,
    run: Runner | None = None,
    read_seconds: float = 0.0,
    on_fit: Callable[[FoldResult], object] = lambda _: None,
    on_phase: OnPhase = lambda _: None,
) -> Trained:
    """Search, refit the winner on all training rows, compile and test it, and describe it.

    Args:
        job: what is trained.
        version: the number planned for it; another one may be given at publication.
        bump: how that number was chosen.
        message: why, in the user's words.
        jobs: the number of fits at once; ``None`` is one for each core.
        run: does the fits of the search; ``None``: threads of this process.
        read_seconds: the seconds that reading the data took, for the record.
        on_fit: called with each result of the search as it comes.
        on_phase: called with each phase as it begins.

    Raises:
        DataError: there are too few rows for the folds, or no candidate could be fitted.
        CannotCompile: the winner's weights are infinite or not numbers.
        ScorerMismatch: the compiled scorer and the model disagree.
    """
    seconds = {"read": round(read_seconds, 3)}
    with _timed(seconds, "search"):
        outcome = _search(job, run or in_threads(jobs), on_fit, on_phase)
    on_phase(Phase.FITTING)
    features = outcome.winner.features
    with (
        _timed(seconds, "refit"),
        meanwhile(CountCache.from_texts, job.test.texts, [features]) as count,
    ):
        winner, model = _refit(job, outcome)
    on_phase(Phase.TESTING)
    with _compiling(model, job.settings) as compiled:
        with _timed(seconds, "publish"):
            artifact = to_bytes(model)
            record = describe(artifact)
        with _timed(seconds, "test"):  # of the bytes that clients load, by the loader they use
            opened = load_pipeline(artifact, name=record.file)
            scored = score_counted(opened, job.test, count().counts_for(features))
            scorer = compiled()
            check_scorer(scorer, scored)
            test = scored.test_record(job.sketch, job.split, job.split_method)
    metadata = Metadata(
        version=version,
        saved_at="",
        best_params=winner.flattened(),
        best_cv_accuracy=outcome.best.accuracy or 0.0,
        test_accuracy=test.metrics.accuracy,
        schema=SCHEMA,
        task="text-classification",
        bump=bump,
        artifact=record,
        data=data_record(job.train, job.options, job.sketch, job.parts),
        test=test,
        search=_search_record(job, outcome.candidates),
        environment=job.environment,
        code=job.code,
        message=message,
        seconds=seconds,
        threshold=job.settings.threshold,
        abstain_unknown=job.settings.abstain_unknown,
    )
    return Trained(metadata, artifact, {SCORER: scorer}, scored)


def _compiling(
    model: Pipeline, settings: SearchSettings
) -> AbstractContextManager[Callable[[], bytes]]:
    """Compile the scorer of a model while the block runs."""
    return meanwhile(
        compile_scorer,
        model,
        threshold=settings.threshold,
        abstain_unknown=settings.abstain_unknown,
    )


@dataclass(frozen=True)
class _SearchOutcome:
    """What the search found, and what the refit needs.

    Attributes:
        candidates: the record of each candidate.
        winner: the parameters of the best one.
        best: its record.
        cache: the n-gram counts of the rows searched.
        labels: of the held-out rows, fold by fold.
        decisions: the winner's decision values for these rows, if it has no probabilities.
    """

    candidates: list[Candidate]
    winner: CandidateParams
    best: Candidate
    cache: CountCache
    labels: NDArray[np.str_]
    decisions: NDArray[np.floating[Any]] | None


def _search(
    job: Job, run: Runner, on_fit: Callable[[FoldResult], object], on_phase: OnPhase
) -> _SearchOutcome:
    settings, candidates = job.settings, job.candidates()
    on_phase(Phase.COUNTING)
    rows = _sample(job)
    texts = [job.train.texts[row] for row in rows]
    labels = np.asarray([job.train.labels[row] for row in rows])
    folds = stratified_folds(labels, settings.folds, settings.seed)
    cache = CountCache.from_texts(texts, [candidate.features for candidate in candidates])
    on_phase(Phase.SEARCHING)
    fits = grid_search(
        texts,
        labels,
        candidates,
        folds,
        scoring=settings.scoring,
        seed=settings.seed,
        method=settings.method,
        cache=cache,
        run=run,
    )
    decisions = WinnerDecisions(labels, folds, in_rounds=settings.method == "race")
    results = summarize(candidates, decisions.collect(_reported(fits, on_fit)))
    winner = best(results)
    held_out = np.concatenate([labels[fold[1]] for fold in folds])
    return _SearchOutcome(
        results, candidates[winner], results[winner], cache, held_out, decisions.of_winner(winner)
    )


def _sample(job: Job) -> NDArray[np.intp]:
    """Return the rows to search: all, or a stratified sample with enough rows for the folds."""
    if not job.sample_size:
        return np.arange(len(job.train))
    share = job.sample_size / len(job.train)
    shuffled = np.random.default_rng(job.settings.seed).permutation(len(job.train))
    _, codes = np.unique(np.asarray(job.train.labels), return_inverse=True)
    by_label = np.split(
        shuffled[np.argsort(codes[shuffled], kind="stable")], np.cumsum(np.bincount(codes))[:-1]
    )
    chosen = [rows[: max(job.settings.folds, round(share * len(rows)))] for rows in by_label]
    return np.sort(np.concatenate(chosen))


def _refit(job: Job, outcome: _SearchOutcome) -> tuple[CandidateParams, Pipeline]:
    """Fit the winner to all rows and calibrate it; its vocabularies may be limited to fit them."""
    winner = outcome.winner
    caches = [outcome.cache]
    if job.sample_size:
        caches = [CountCache.from_texts(job.train.texts, [winner.features])]
        winner = _limit_vocabularies(winner, caches[0], len(job.train.label_counts))
    model = refit(caches.pop(), job.train.labels, winner, job.settings.seed)  # which may free it
    fitted = model.named_steps["classifier"]
    if needs_calibration(fitted) and outcome.decisions is not None:
        model.set_params(classifier=calibrate(fitted, outcome.decisions, outcome.labels))
    return winner, model


def _limit_vocabularies(winner: CandidateParams, cache: CountCache, labels: int) -> CandidateParams:
    """Limit the vocabularies of the winner on a sample to `_COEFFICIENTS`, for all rows."""
    if cache.vocabulary_size(winner.features) * labels <= _COEFFICIENTS:
        return winner
    most = _COEFFICIENTS // labels // len(winner.features)
    features = {
        block: {**settings, "max_features": min(settings.get("max_features") or most, most)}
        for block, settings in winner.features.items()
    }
    return replace(winner, features=features)


def _reported(
    fits: Iterator[FoldResult], on_fit: Callable[[FoldResult], object]
) -> Iterator[FoldResult]:
    for fit in fits:
        on_fit(fit)
        yield fit


def _search_record(job: Job, candidates: list[Candidate]) -> SearchRecord:
    settings = job.settings
    return SearchRecord(
        space=settings.space,
        scoring=settings.scoring,
        folds=settings.folds,
        seed=settings.seed,
        candidates=candidates,
        method=settings.method,
        sample=job.sample_size,
        neighbourhood_of=settings.neighbourhood_of,
    )


def data_record(
    data: Dataset, read: ReadOptions, sketch: Sketch, parts: Sequence[DataPart] = ()
) -> DataRecord:
    """Return the record of training rows: how they were read, their sketch, and their files."""
    return DataRecord(
        path=data.path,
        sha256=data.sha256,
        rows=len(data),
        labels=data.label_counts,
        sketch=sketch,
        rows_sha256=data.rows_sha256,
        format=data.format,
        read=read.as_recorded(),
        skipped_rows=len(data.bad_rows),
        bad_rows=list(data.bad_rows[:MOST_BAD_ROWS]),
        tool=data.tool,
        left_out=dict(data.left_out),
        dropped_labels=dict(data.dropped_labels),
        parts=list(parts),
    )


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[name] = round(time.perf_counter() - start, 3)


P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def meanwhile(
    function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> Iterator[Callable[[], T]]:
    """Call a function in a thread while the block runs; both have ended when the block is left.

    The block is given what returns the result, or raises the function's error. If the block itself
    fails or is interrupted, the function is not waited for.
    """
    with ThreadPool(1) as pool:  # of daemons: none of them keeps the process
        result = pool.apply_async(function, args, kwargs)
        yield result.get
        result.wait()


_CHUNK = 2_000
"""Rows of which there is a matrix at a time."""


def score_counted(model: Pipeline, rows: Dataset, counts: Sequence[Counts]) -> ScoredRows:
    """Predict labels and scores for the rows.

    Args:
        model: a fitted pipeline.
        rows: labelled rows.
        counts: the counts of their n-grams for each block of its features; if there are none,
            scikit-learn counts.
    """
    if not counts:
        return ScoredRows.from_pipeline(model, rows)
    vectorizers = [block for _, block in model.named_steps["features"].transformer_list]
    blocks = list(map(WeightedCounts.by_vectorizer, vectorizers, counts))
    chunks = (
        np.arange(start, min(start + _CHUNK, len(rows))) for start in range(0, len(rows), _CHUNK)
    )
    return ScoredRows.from_matrices(model, rows, (join(blocks, chunk) for chunk in chunks))

"""The main job: data in, a tested model and all that must be known of it out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from textclf.artifact import model_file as artifact
from textclf.artifact.unpickler import load_pipeline
from textclf.evaluation.metrics import measure
from textclf.evaluation.scored_rows import ScoredRows
from textclf.features.tfidf import CountCache
from textclf.metadata.schema import (
    SCHEMA,
    BumpRecord,
    Candidate,
    DataRecord,
    Metadata,
    SearchRecord,
    TestRecord,
)
from textclf.scorer.scorer import SCORER
from textclf.scorer.writer import compiled_scorer
from textclf.search.calibration import calibrate, needs_calibration
from textclf.search.fit import FoldResult
from textclf.search.grid_search import Runner, grid_search, in_threads, stratified_folds
from textclf.search.refit import refit
from textclf.search.results import WinnerDecisions, best, summarize
from textclf.search.space import CandidateParams
from textclf.training.job import Job
from textclf.training.scorer_check import prove

_COEFFICIENTS = 50_000_000
"""Of a model whose rows were too many to search all of: 400 MB."""


class Trained(NamedTuple):
    """What a training made.

    Attributes:
        metadata: all that is recorded, still without the time of publication.
        artifact: the bytes of the model file.
        files: further files of the version, by name: the scorer.
        scored: the model as it will be opened, with the test rows and what it says of them.
    """

    metadata: Metadata
    artifact: bytes
    files: dict[str, bytes]
    scored: ScoredRows


def train(  # noqa: PLR0913 - what the record needs of its surroundings
    job: Job,
    version: str,
    bump: BumpRecord,
    *,
    message: str | None = None,
    jobs: int | None = None,
    run: Runner | None = None,
    read_seconds: float = 0.0,
    on_fit: Callable[[FoldResult], object] = lambda _: None,
) -> Trained:
    """Search, refit the winner on all training rows, compile and test it, and describe it.

    Args:
        job: what is trained.
        version: the number planned for it; publishing may have to take the next.
        bump: how that number came about.
        message: why, in the user's words.
        jobs: how many fits go on at once; ``None`` is one for each core.
        run: what does the fits of the search, if not threads of this process.
        read_seconds: how long reading the data took, for the record.
        on_fit: called with each result of the search as it comes.

    Raises:
        DataError: too few rows for the folds, or no candidate could be fitted.
        CannotCompile: the winner's weights are infinite or not numbers.
        Disagreement: the compiled scorer does not say what the model says.
    """
    seconds = {"read": round(read_seconds, 3)}
    with _timed(seconds, "search"):
        found = _search(job, run or in_threads(jobs), on_fit)
    with _timed(seconds, "refit"):
        winner, model = _final(job, found)
    with _timed(seconds, "publish"):
        data = artifact.to_bytes(model)
        record = artifact.describe(data)
    with _timed(seconds, "test"):  # of what will be opened, by the loader that will open it
        scored = ScoredRows.from_pipeline(load_pipeline(data, name=record.file), job.test)
        scorer = compiled_scorer(scored.model, threshold=job.settings.threshold)
        prove(scored, scorer)
        metrics = measure(job.test.labels, scored.predicted)
    metadata = Metadata(
        version=version,
        saved_at="",
        best_params=winner.flattened(),
        best_cv_accuracy=found.best.accuracy or 0.0,
        test_accuracy=metrics.accuracy,
        schema=SCHEMA,
        task="text-classification",
        bump=bump,
        artifact=record,
        data=_data_record(job),
        test=TestRecord(
            rows=len(job.test),
            rows_sha256=job.test.rows_sha256,
            metrics=metrics,
            path=job.test.path if job.split is None else None,
            sha256=job.test.sha256 if job.split is None else None,
            split=job.split,
            skipped_rows=len(job.test.bad_rows),
        ),
        search=_search_record(job, found),
        environment=job.environment,
        code=job.code,
        message=message,
        seconds=seconds,
        threshold=job.settings.threshold,
    )
    return Trained(metadata, data, {SCORER: scorer}, scored)


@dataclass(frozen=True)
class _Found:
    """What the search found, and what is needed to go on.

    Attributes:
        candidates: how each did.
        winner: the best of them.
        best: how that did.
        cache: the counts of the rows searched.
        labels: of the rows that were held out, fold by fold.
        decisions: the winner's decision values for them, if it has no probabilities.
    """

    candidates: list[Candidate]
    winner: CandidateParams
    best: Candidate
    cache: CountCache
    labels: NDArray[np.str_]
    decisions: NDArray[np.floating[Any]] | None


def _search(job: Job, run: Runner, on_fit: Callable[[FoldResult], object]) -> _Found:
    settings, candidates = job.settings, job.candidates()
    rows = _sample(job)
    texts = [job.train.texts[row] for row in rows]
    labels = np.asarray([job.train.labels[row] for row in rows])
    folds = stratified_folds(labels, settings.folds, settings.seed)
    cache = CountCache.from_texts(texts, [candidate.features for candidate in candidates])
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
    results = summarize(candidates, decisions.collect(_seen(fits, on_fit)))
    winner = best(results)
    held_out = np.concatenate([labels[fold[1]] for fold in folds])
    return _Found(
        results, candidates[winner], results[winner], cache, held_out, decisions.of_winner(winner)
    )


def _sample(job: Job) -> NDArray[np.intp]:
    """The rows to search: all, or of each label its share, and enough for the folds."""
    if not job.sampled:
        return np.arange(len(job.train))
    share = job.sampled / len(job.train)
    shuffled = np.random.default_rng(job.settings.seed).permutation(len(job.train))
    _, codes = np.unique(np.asarray(job.train.labels), return_inverse=True)
    by_label = np.split(
        shuffled[np.argsort(codes[shuffled], kind="stable")], np.cumsum(np.bincount(codes))[:-1]
    )
    chosen = [rows[: max(job.settings.folds, round(share * len(rows)))] for rows in by_label]
    return np.sort(np.concatenate(chosen))


def _final(job: Job, found: _Found) -> tuple[CandidateParams, Pipeline]:
    """The winner on all rows, with probabilities; its parameters may be limited to fit them."""
    winner = found.winner
    caches = [found.cache]
    if job.sampled:
        caches = [CountCache.from_texts(job.train.texts, [winner.features])]
        winner = _affordable(winner, caches[0], len(job.train.label_counts))
    model = refit(caches.pop(), job.train.labels, winner, job.settings.seed)  # which may drop it
    fitted = model.named_steps["classifier"]
    if needs_calibration(fitted) and found.decisions is not None:
        model.set_params(classifier=calibrate(fitted, found.decisions, found.labels))
    return winner, model


def _affordable(winner: CandidateParams, cache: CountCache, labels: int) -> CandidateParams:
    """The winner of a sample, with its vocabularies limited to what there is room for."""
    if cache.vocabulary_size(winner.features) * labels <= _COEFFICIENTS:
        return winner
    most = _COEFFICIENTS // labels // len(winner.features)
    features = {
        block: {**settings, "max_features": min(settings.get("max_features") or most, most)}
        for block, settings in winner.features.items()
    }
    return replace(winner, features=features)


def _search_record(job: Job, found: _Found) -> SearchRecord:
    settings = job.settings
    return SearchRecord(
        space=settings.space,
        scoring=settings.scoring,
        folds=settings.folds,
        seed=settings.seed,
        candidates=found.candidates,
        method=settings.method,
        sample=job.sampled,
    )


def _seen(
    fits: Iterator[FoldResult], on_fit: Callable[[FoldResult], object]
) -> Iterator[FoldResult]:
    for fit in fits:
        on_fit(fit)
        yield fit


def _data_record(job: Job) -> DataRecord:
    data = job.train
    return DataRecord(
        path=data.path,
        sha256=data.sha256,
        rows=len(data),
        labels=data.label_counts,
        sketch=job.sketch,
        rows_sha256=data.rows_sha256,
        format=data.format,
        read={name: value and str(value) for name, value in asdict(job.options).items()},
        skipped_rows=len(data.bad_rows),
    )


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[name] = round(time.perf_counter() - start, 3)

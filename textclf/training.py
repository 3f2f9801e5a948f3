"""The main job: data in, a tested model and all that must be known of it out."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import cast

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline

from textclf import artifact, evaluation
from textclf.dataset import Dataset, ReadOptions
from textclf.errors import DataError
from textclf.metadata import (
    SCHEMA,
    BumpRecord,
    Code,
    DataRecord,
    Environment,
    Metadata,
    SearchRecord,
    Space,
    TestRecord,
    recipe_of,
)
from textclf.safe_load import load_pipeline
from textclf.search import Fit, best, grid_search, pipeline, stratified_folds, summarize
from textclf.sketch import Sketch
from textclf.space import Point, points
from textclf.versions import Recipe

_LONGEST_LABEL = 1_000
"""Characters; NumPy keeps every row's label in an array as wide as the longest."""


@dataclass(frozen=True)
class Settings:
    """How the search goes: space, scorer, number of folds, seed."""

    space: Space
    scoring: str = "accuracy"
    folds: int = 5
    seed: int = 0


@dataclass(frozen=True)
class Job:
    """Everything that decides the outcome of a training.

    Attributes:
        train: the rows trained on.
        test: the rows tested on.
        split: their share, where the test rows were split off the training file.
        options: how both files were read.
        settings: how the search goes.
        environment: the libraries at work.
        code: textclf itself.
    """

    train: Dataset
    test: Dataset
    split: float | None
    options: ReadOptions
    settings: Settings
    environment: Environment
    code: Code

    def recipe(self) -> Recipe:
        """What the number of the version depends on."""
        search = asdict(self.settings)
        return recipe_of(
            search.pop("space"),
            search,
            labels=frozenset(self.train.label_counts),
            rows=self.train.rows_sha256,
            test=self.test.rows_sha256,
            environment=self.environment,
            code=self.code,
        )

    @cached_property
    def sketch(self) -> Sketch:
        """Sketch of the training rows."""
        return Sketch.of(self.train.texts, self.train.labels)

    def points(self) -> list[Point]:
        """The candidates."""
        return points(self.settings.space)


def prepare(
    train: Dataset, test: Dataset | None, share: float, options: ReadOptions, settings: Settings
) -> Job:
    """Bring together what a training needs; without test data, split off a stratified share.

    Raises:
        DataError: a label is absurdly long, or the rows cannot be split so that every label is on
            both sides.
    """
    longest = max(train.label_counts, key=len)
    if len(longest) > _LONGEST_LABEL:
        raise DataError(
            f"{train.path} has a label of {len(longest):,} characters: {longest[:30]!r}…",
            hint="is --label-column right?",
        )
    split = None if test is not None else share
    if test is None:
        train, test = _split(train, share, settings.seed)
    return Job(train, test, split, options, settings, artifact.environment(), artifact.code())


def _split(dataset: Dataset, share: float, seed: int) -> tuple[Dataset, Dataset]:
    try:
        rest, held_out = train_test_split(
            np.arange(len(dataset)), test_size=share, stratify=dataset.labels, random_state=seed
        )
    except ValueError:
        raise DataError(
            f"a share of {share:g} cannot be split off {dataset.path} as test rows: with "
            f"{len(dataset)} rows of {len(dataset.label_counts)} labels not every label would be "
            "on both sides",
            hint="more rows, test data of its own with --test FILE, or another --test-size",
        ) from None
    return _rows(dataset, rest), replace(_rows(dataset, held_out), bad_rows=())


def _rows(dataset: Dataset, numbers: Sequence[int]) -> Dataset:
    numbers = sorted(numbers)
    return replace(
        dataset,
        texts=tuple(dataset.texts[n] for n in numbers),
        labels=tuple(dataset.labels[n] for n in numbers),
        places=cast("Sequence[int]", [dataset.places[n] for n in numbers]),
    )


def train(  # noqa: PLR0913 - what the record needs of its surroundings
    job: Job,
    version: str,
    bump: BumpRecord,
    *,
    message: str | None = None,
    jobs: int | None = None,
    read_seconds: float = 0.0,
    on_fit: Callable[[Fit], object] = lambda _: None,
) -> tuple[Metadata, bytes]:
    """Search, refit the winner on all training rows, test it, and describe it.

    Args:
        job: what is trained.
        version: the number planned for it; publishing may have to take the next.
        bump: how that number came about.
        message: why, in the user's words.
        jobs: processes for the search.
        read_seconds: how long reading the data took, for the record.
        on_fit: called with each result of the search as it comes.

    Returns:
        The metadata, still without the time of publication, and the artifact's bytes.

    Raises:
        DataError: too few rows for the folds, or no candidate could be fitted.
    """
    seconds = {"read": round(read_seconds, 3)}
    with _timed(seconds, "search"):
        search = _search(job, jobs, on_fit)
        winner = best(search.candidates)
    with _timed(seconds, "refit"):
        model = _refit(job, job.points()[winner])
    with _timed(seconds, "publish"):
        data = artifact.to_bytes(model)
        record = artifact.describe(data)
    with _timed(seconds, "test"):  # of what will be opened, by the loader that will open it
        model = load_pipeline(data, name=record.file)
        metrics = evaluation.measure(job.test.labels, model.predict(job.test.texts).tolist())
    metadata = Metadata(
        version=version,
        saved_at="",
        best_params=search.candidates[winner].params,
        best_cv_accuracy=search.candidates[winner].accuracy or 0.0,
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
        search=search,
        environment=job.environment,
        code=job.code,
        message=message,
        seconds=seconds,
    )
    return metadata, data


def _search(job: Job, jobs: int | None, on_fit: Callable[[Fit], object]) -> SearchRecord:
    settings, candidates = job.settings, job.points()
    folds = stratified_folds(job.train.labels, settings.folds, settings.seed)
    fits = grid_search(
        job.train.texts,
        job.train.labels,
        candidates,
        folds,
        scoring=settings.scoring,
        seed=settings.seed,
        jobs=jobs,
    )
    return SearchRecord(
        space=settings.space,
        scoring=settings.scoring,
        folds=settings.folds,
        seed=settings.seed,
        candidates=summarize(candidates, _seen(fits, on_fit)),
    )


def _seen(fits: Iterator[Fit], on_fit: Callable[[Fit], object]) -> Iterator[Fit]:
    for fit in fits:
        on_fit(fit)
        yield fit


def _refit(job: Job, winner: Point) -> Pipeline:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the folds have told of them
        return pipeline(winner, job.settings.seed).fit(
            job.train.texts, np.asarray(job.train.labels)
        )


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

"""The job of a training: its rows, its settings, and the software that does it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer_names
from sklearn.model_selection import train_test_split

from textclf.data.dataset import Dataset, ReadOptions
from textclf.data.split import BY_TEXT, split_by_text, take_rows
from textclf.errors import DataError, UsageError
from textclf.formatting import excerpt
from textclf.metadata.bump import Recipe
from textclf.metadata.schema import Code, DataPart, Environment, Space, build_recipe
from textclf.metadata.sketch import Sketch
from textclf.search.space import (
    CandidateParams,
    SpaceSource,
    list_candidates,
    parse_space,
    preset_space,
)
from textclf.search.space_check import check_space
from textclf.search.writing import Writing
from textclf.training.provenance import code, environment

_SAMPLE = 50_000
"""Rows that are searched at most with a built-in search space."""

_UNEQUAL, _FEW = 20, 200
"""How many times the rows of the smallest label the largest has where labels are very unequal; and
the rows of a label, on average, up to which weighting them was measured to gain."""

_LONGEST_LABEL = 1_000
"""The most characters of a label: NumPy keeps labels in an array as wide as the longest."""


@dataclass(frozen=True)
class SearchSettings:
    """What is searched, and how.

    Attributes:
        space: the search space.
        scoring: the name of the scikit-learn scorer that the search maximises.
        folds: the number of folds of the cross-validation.
        seed: of the folds, of the test split, and of classifiers with a random state.
        method: ``exact`` or ``race``.
        sample: the most rows to search; of more rows a stratified sample is searched.
        threshold: the score below which the version gives a text no label; it does not affect the
            metrics.
        abstain_unknown: the share of known n-grams below which it gives none; likewise.
        neighbourhood_of: the space of an earlier search whose winner's neighbourhood is searched.
        preset: the name of the built-in search space, which depends on the writing of the texts.
    """

    space: Space
    scoring: str = "accuracy"
    folds: int = 5
    seed: int = 0
    method: str = "exact"
    sample: int | None = None
    threshold: float | None = None
    abstain_unknown: float | None = None
    neighbourhood_of: Space | None = None
    preset: str | None = None

    def __post_init__(self) -> None:
        """Raise UsageError if there is no such metric, or settings contradict each other."""
        if self.scoring not in get_scorer_names():
            raise UsageError(
                f'scikit-learn has no metric "{excerpt(self.scoring)}" to maximise',
                hint="accuracy, f1_macro or another of sklearn.metrics.get_scorer_names()",
            )
        if self.method == "race" and self.scoring != "accuracy":
            raise UsageError(
                f"--search race compares accuracies, so it cannot use --scoring {self.scoring}",
                hint="--search exact, or --scoring accuracy",
            )


def search_settings(
    source: SpaceSource, *, sample: int | None = None, **settings: Any
) -> SearchSettings:
    """Return the settings of a search, with its space parsed and checked.

    Args:
        source: the search space.
        sample: the most rows to search; 0 is no limit; ``None`` is 50,000 for a built-in space, and
            no limit for another.
        **settings: the other fields of `SearchSettings`.

    Raises:
        UsageError: the search space is not valid.
    """
    space = parse_space(source)
    check_space(space, source.where)
    if sample is None:
        sample = _SAMPLE if source.preset else 0
    return SearchSettings(space, sample=sample or None, preset=source.preset, **settings)


@dataclass(frozen=True)
class Job:
    """Everything that decides the outcome of a training.

    Attributes:
        train: the training rows.
        test: the test rows.
        split: the share of rows that was split off as test rows; ``None`` if they have a file.
        split_method: how: ``text-hash``; ``None`` if they have a file, or were split off in the way
            of textclf before it split by the text.
        options: how the files were read.
        settings: what is searched, and how.
        environment: the versions of the libraries.
        code: the version of textclf.
        parts: the files of the training rows, if there are several.
        added: the number of rows that are new since the version that they were added to; ``None``
            if none were to be added.
        writing: that of the training rows, if the search space depends on it.
    """

    train: Dataset
    test: Dataset
    split: float | None
    split_method: str | None
    options: ReadOptions
    settings: SearchSettings
    environment: Environment
    code: Code
    parts: tuple[DataPart, ...] = ()
    added: int | None = None
    writing: Writing | None = None

    def recipe(self) -> Recipe:
        """Return what the number of the version depends on."""
        search = {**asdict(self.settings), "sample": self.sample_size}
        del search["preset"]  # the space that was searched is what counts
        space, whole = search.pop("space"), search.pop("neighbourhood_of")
        recipe = build_recipe(
            whole or space,
            search,
            labels=frozenset(self.train.label_counts),
            rows=self.train.rows_sha256,
            test=self.test.rows_sha256,
            environment=self.environment,
            code=self.code,
        )
        return replace(recipe, added=self.added or 0)

    @cached_property
    def sketch(self) -> Sketch:
        """The sketch of the training rows."""
        return Sketch.from_rows(self.train.texts, self.train.labels)

    @property
    def is_unequal(self) -> bool:
        """Whether labels are so unequal, and so small, that a search of their weights pays."""
        counts = self.train.label_counts.values()
        return max(counts) >= _UNEQUAL * min(counts) and sum(counts) <= _FEW * len(counts)

    def candidates(self) -> list[CandidateParams]:
        """Return the candidates of the search space."""
        return list_candidates(self.settings.space)

    @property
    def sample_size(self) -> int | None:
        """The number of rows that are searched; ``None`` for all of them."""
        most = self.settings.sample
        return most if most and len(self.train) > most else None


def prepare(  # noqa: PLR0913 - rows, how they are split, and what is done with them
    train: Dataset,
    test: Dataset | None,
    share: float,
    options: ReadOptions,
    settings: SearchSettings,
    *,
    split_method: str | None = BY_TEXT,
) -> Job:
    """Return a job; without test rows, a share of the training rows is split off.

    Args:
        train: the training rows.
        test: the test rows, if they have a file of their own.
        share: the share of rows to split off otherwise (0 to 1).
        options: how the files were read.
        settings: what to search, and how.
        split_method: how to split rows off; see `Job`.

    Raises:
        DataError: a label is far too long, or the rows cannot be split.
    """
    longest = max(train.label_counts, key=len)
    if len(longest) > _LONGEST_LABEL:
        raise DataError(
            f"{train.path} has a label of {len(longest):,} characters: {excerpt(longest, 30)!r}",
            hint="check --label-column",
        )
    if test is not None:
        job = Job(train, test, None, None, options, settings, environment(), code())
    else:
        split = split_by_text if split_method == BY_TEXT else _stratified_split
        train, test = split(train, share, settings.seed)
        job = Job(train, test, share, split_method, options, settings, environment(), code())
    return _adapt_preset(job, settings.preset) if settings.preset else job


def _adapt_preset(job: Job, preset: str) -> Job:
    """Return a job with the search space that a preset has for its texts and labels."""
    writing = Writing.from_texts(job.train.texts)
    space = preset_space(preset, writing, unequal=job.is_unequal)
    return replace(job, settings=replace(job.settings, space=space), writing=writing)


def _stratified_split(dataset: Dataset, share: float, seed: int) -> tuple[Dataset, Dataset]:
    """Split as textclf did before it split by the text, to train versions of then again.

    Raises:
        DataError: the rows cannot be split so that both parts have every label.
    """
    try:
        parts = train_test_split(
            np.arange(len(dataset)), test_size=share, stratify=dataset.labels, random_state=seed
        )
    except ValueError as error:
        raise DataError(f"{dataset.path} cannot be split as it was: {error}") from None
    train, test = (take_rows(dataset, sorted(part)) for part in parts)
    return train, replace(test, bad_rows=())

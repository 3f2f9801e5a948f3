"""What a training is made of: the rows, the settings, and the software at work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import cast

import numpy as np
from sklearn.model_selection import train_test_split

from textclf.data.dataset import Dataset, ReadOptions
from textclf.errors import DataError
from textclf.metadata.bump import Recipe
from textclf.metadata.schema import Code, Environment, Space, build_recipe
from textclf.metadata.sketch import Sketch
from textclf.search.space import CandidateParams, list_candidates
from textclf.training.provenance import code, environment

_LONGEST_LABEL = 1_000
"""Characters; NumPy keeps every row's label in an array as wide as the longest."""


@dataclass(frozen=True)
class SearchSettings:
    """How the search goes.

    Attributes:
        space: what is searched.
        scoring: the name of scikit-learn's scorer.
        folds: how many.
        seed: of the folds, of a split, of classifiers that have a random state.
        method: ``exact`` or ``race``.
        sample: the most rows to search; of more, a stratified sample is.
        threshold: below this score the version gives a text no label; its metrics are without it.
    """

    space: Space
    scoring: str = "accuracy"
    folds: int = 5
    seed: int = 0
    method: str = "exact"
    sample: int | None = None
    threshold: float | None = None


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
    settings: SearchSettings
    environment: Environment
    code: Code

    def recipe(self) -> Recipe:
        """What the number of the version depends on."""
        search = {**asdict(self.settings), "sample": self.sampled}
        return build_recipe(
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
        return Sketch.from_rows(self.train.texts, self.train.labels)

    def candidates(self) -> list[CandidateParams]:
        """The candidates."""
        return list_candidates(self.settings.space)

    @property
    def sampled(self) -> int | None:
        """How many rows are searched, where it is not all of them."""
        most = self.settings.sample
        return most if most and len(self.train) > most else None


def prepare(
    train: Dataset,
    test: Dataset | None,
    share: float,
    options: ReadOptions,
    settings: SearchSettings,
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
    return Job(train, test, split, options, settings, environment(), code())


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

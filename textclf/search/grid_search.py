"""Cross-validated grid search with the scores and the winner of scikit-learn's GridSearchCV.

``grid_search`` takes the candidates of a search space and yields one ``FoldResult`` for each
candidate and fold, in any order. Every text is tokenized and counted once; each fold's matrices are
derived from the counts and shared by all candidates with the same features; the linear SVMs of all
classes and costs are solved side by side. Whatever has no such shortcut is left to scikit-learn.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from textclf.errors import DataError
from textclf.features.tfidf import CountCache
from textclf.search.estimators import depends_on_column_order, one_blas_thread
from textclf.search.fit import FitTask, Fold, FoldResult, Group, fit_task
from textclf.search.racing import Race
from textclf.search.space import CandidateParams

Labels = Sequence[str] | NDArray[np.str_]

Runner = Callable[[Sequence[FitTask], NDArray[np.str_], CountCache], Iterator[list[FoldResult]]]
"""Runs tasks, given the labels and the counts of all rows; yields their results in any order."""


def stratified_folds(labels: Labels, folds: int, seed: int, what: str = "rows") -> list[Fold]:
    """Split rows, or ``what`` is labelled, into the folds of ``StratifiedKFold``, shuffled.

    Raises:
        DataError: there is one label only, or every label has fewer rows than there are folds.
    """
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # find_problems of data.quality reports small labels
        try:
            return list(splitter.split(np.zeros(len(labels)), np.asarray(labels)))
        except ValueError:
            raise DataError(
                f"{len(labels)} {what} are too few for {folds} folds",
                hint=f"more {what}, or fewer folds with --cv",
            ) from None


def in_threads(jobs: int | None = None) -> Runner:
    """Make a runner that uses threads: nothing is copied, and the work runs without the GIL.

    Args:
        jobs: the number of threads; ``None`` is one for each core.
    """

    def run(
        tasks: Sequence[FitTask], labels: NDArray[np.str_], cache: CountCache
    ) -> Iterator[list[FoldResult]]:
        pool = joblib.Parallel(
            n_jobs=min(jobs or -1, len(tasks)),
            backend="threading",
            return_as="generator_unordered",
            pre_dispatch="n_jobs",
        )
        calls = (
            joblib.delayed(fit_task)(task, labels, cache.texts, *task.counts(cache))
            for task in tasks
        )
        with one_blas_thread():
            yield from pool(calls)

    return run


def grid_search(  # noqa: PLR0913 - each is a setting of the search
    texts: Sequence[str],
    labels: Labels,
    candidates: Sequence[CandidateParams],
    folds: Sequence[Fold],
    *,
    scoring: str,
    seed: int,
    jobs: int | None = None,
    method: str = "exact",
    cache: CountCache | None = None,
    run: Runner | None = None,
) -> Iterator[FoldResult]:
    """Fit and score every candidate on every fold; yield the results as they come.

    Args:
        texts: the training texts.
        labels: their labels, as many.
        candidates: the candidates of the search space.
        folds: pairs of row numbers, to train and to score on.
        scoring: the name of a scikit-learn scorer.
        seed: the random state of classifiers that have one.
        jobs: the number of tasks that run at once; ``None`` is one for each core.
        method: ``exact``, or ``race``: a candidate that is clearly behind after a fold is left out
            of the remaining folds.
        cache: the counts of the texts, if they have been counted already.
        run: the runner of the tasks; threads of this process by default.
    """
    cache = cache or CountCache.from_texts(texts, [candidate.features for candidate in candidates])
    run = run or in_threads(jobs)
    all_labels = np.asarray(labels)
    race = Race(len(candidates))
    numbered = list(enumerate(folds))
    rounds = [numbered] if method == "exact" else [[fold] for fold in numbered]
    for round_folds in rounds:
        tasks = [
            FitTask(group, number, fold, scoring, seed)
            for number, fold in round_folds
            for group in _group_by_features(candidates, race.running)
        ]
        tasks.sort(key=lambda task: _place(task, cache))
        for results in run(tasks, all_labels, cache):
            for result in results:
                race.record(result.candidate, result.fold, result.correct, result.cost)
                yield result
        race.eliminate()


def _place(task: FitTask, cache: CountCache) -> tuple[bool, float]:
    """Sort a task among others: first one fold of all candidates, so that there are scores of all.

    Then those that take long, so that towards the end all threads have something to do.
    """
    work = sum(len(table.indices) for table in task.counts(cache)) * len(task.group)
    return task.number > 0, -(work or math.inf)  # scikit-learn takes longest to vectorize itself


def _group_by_features(
    candidates: Sequence[CandidateParams], running: Collection[int]
) -> list[Group]:
    """Group the candidates that are still running by their features."""
    groups: dict[str, list[tuple[int, CandidateParams]]] = {}
    for number, candidate in enumerate(candidates):
        if number in running:
            key = repr((candidate.features, depends_on_column_order(candidate)))
            groups.setdefault(key, []).append((number, candidate))
    return list(groups.values())

"""Cross-validated grid search with the scores and the winner of scikit-learn's GridSearchCV.

The engine is the function ``grid_search``: points of a search space in, one ``Fit`` for each
(candidate, fold) out, in any order. Every text is tokenised and counted once; each fold's matrices
are derived from the counts and shared by all candidates with the same features; linear SVMs of all
classes and costs are solved side by side. What has no such shortcut takes scikit-learn's own road.
"""

from __future__ import annotations

import importlib
import math
import threading
import time
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.metrics import get_scorer
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC

from textclf.captured_warnings import first_line, noted
from textclf.errors import DataError
from textclf.features.counts import Counts
from textclf.features.tfidf import Bank, feature_union, weigh
from textclf.metadata.schema import Candidate
from textclf.search.calibration import aligned
from textclf.search.column_merging import alike
from textclf.search.racing import Race
from textclf.search.space import CLASSIFIERS, Point
from textclf.search.svm.linear_svc import decide, is_solvable

Labels = Sequence[str] | NDArray[np.str_]
Rows = NDArray[np.intp]
Fold = tuple[Rows, Rows]
"""Row numbers to train on, row numbers to score on."""

_FAILURES = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""Of a candidate that cannot be fitted: as in GridSearchCV it scores NaN and the search goes on."""


_LIBLINEAR = threading.Lock()
"""It has one generator for the process, which every fit seeds: two at once are no longer alike."""


@dataclass(frozen=True)
class Fit:
    """One candidate on one fold; a candidate that scikit-learn could not fit scores NaN.

    Attributes:
        candidate: its number.
        fold: the number of the fold.
        score: by the scorer of the search.
        seconds: the classifier's own time and an equal share of what was done for several.
        notes: what scikit-learn warned of.
        hits: for each row scored on, whether its label was found.
        decisions: their decision values, where the model has no probabilities; (rows,) for two
            classes, else (rows, classes).
    """

    candidate: int
    fold: int
    score: float
    seconds: float
    notes: tuple[str, ...] = ()
    hits: NDArray[np.bool_] | None = None
    decisions: NDArray[np.float32] | None = None

    @property
    def accuracy(self) -> float:
        """The share of rows labelled right."""
        return math.nan if self.hits is None else float(self.hits.mean())


def classifier(point: Point, seed: int) -> Any:
    """The unfitted classifier of a candidate; ``seed`` is its random state unless it sets one."""
    kind = getattr(importlib.import_module(CLASSIFIERS[point.classifier]), point.classifier)
    estimator = kind(**point.settings)
    if "random_state" in estimator.get_params() and "random_state" not in point.settings:
        estimator.set_params(random_state=seed)
    return estimator


def pipeline(point: Point, seed: int) -> Pipeline:
    """The unfitted pipeline of a candidate."""
    return Pipeline(
        [("features", feature_union(point.features)), ("classifier", classifier(point, seed))]
    )


def stratified_folds(labels: Labels, folds: int, seed: int) -> list[Fold]:
    """The folds of ``StratifiedKFold``, shuffled with the seed.

    Raises:
        DataError: there is one label only, or every label has fewer rows than there are folds.
    """
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # small labels are told of by checks.find_problems
        try:
            return list(splitter.split(np.zeros(len(labels)), np.asarray(labels)))
        except ValueError:
            raise DataError(
                f"{len(labels)} rows are too few for {folds} folds",
                hint="more rows, or fewer folds with --cv",
            ) from None


Group = Sequence[tuple[int, Point]]
"""Candidates with the same features, each with its number."""


@dataclass(frozen=True)
class Task:
    """Candidates that share their features, to be fitted and scored on one fold.

    Attributes:
        group: the candidates.
        number: of the fold.
        fold: its rows.
        scoring: the name of a scikit-learn scorer.
        seed: random state of classifiers that have one.
    """

    group: Group
    number: int
    fold: Fold
    scoring: str
    seed: int

    def counts(self, bank: Bank) -> tuple[Counts, ...]:
        """The counts of its features; none where it has to take the plain road."""
        point = self.group[0][1]
        return () if _minds_order(point) else bank.counts(point.features)


Runner = Callable[[Sequence[Task], NDArray[np.str_], Bank], Iterator[list[Fit]]]
"""Does tasks, given the labels and the counts of all rows; results come in any order."""


def in_threads(jobs: int | None = None) -> Runner:
    """Do tasks in threads of this process: nothing is copied, and the work runs without the GIL.

    Args:
        jobs: how many go on at once; ``None`` is one for each core.
    """

    def run(tasks: Sequence[Task], labels: NDArray[np.str_], bank: Bank) -> Iterator[list[Fit]]:
        pool = joblib.Parallel(
            n_jobs=min(jobs or -1, len(tasks)),
            backend="threading",
            return_as="generator_unordered",
            pre_dispatch="n_jobs",
        )
        calls = (joblib.delayed(do)(task, labels, bank.texts, *task.counts(bank)) for task in tasks)
        results: Iterator[list[Fit]] = pool(calls)
        return results

    return run


def grid_search(  # noqa: PLR0913 - each is a setting of the search
    texts: Sequence[str],
    labels: Labels,
    candidates: Sequence[Point],
    folds: Sequence[Fold],
    *,
    scoring: str,
    seed: int,
    jobs: int | None = None,
    method: str = "exact",
    bank: Bank | None = None,
    run: Runner | None = None,
) -> Iterator[Fit]:
    """Fit and score every candidate on every fold; yield results as they come.

    Args:
        texts: the training texts.
        labels: their labels, as many.
        candidates: what is searched.
        folds: row numbers to train and to score on.
        scoring: the name of a scikit-learn scorer.
        seed: random state of classifiers that have one.
        jobs: how many tasks go on at once; ``None`` is one for each core.
        method: ``exact``, or ``race``: a candidate that is clearly behind after a fold is left out
            of the folds to come.
        bank: the counts, where they have been taken already.
        run: what does the tasks, if not threads of this process.
    """
    bank = bank or Bank.of(texts, [point.features for point in candidates])
    run = run or in_threads(jobs)
    y = np.asarray(labels)
    race = Race(len(candidates))
    rounds = [[*enumerate(folds)]] if method == "exact" else [[one] for one in enumerate(folds)]
    for some in rounds:
        tasks = [
            Task(group, number, fold, scoring, seed)
            for group in _groups(candidates, race.running)
            for number, fold in some
        ]
        for fits in run(tasks, y, bank):
            for fit in fits:
                race.add(fit.candidate, fit.fold, fit.hits)
                yield fit
        race.drop()


def _groups(candidates: Sequence[Point], running: Collection[int]) -> list[Group]:
    """Those still running, by their features."""
    groups: dict[str, list[tuple[int, Point]]] = {}
    for number, point in enumerate(candidates):
        if number in running:
            key = repr((point.features, _minds_order(point)))
            groups.setdefault(key, []).append((number, point))
    return list(groups.values())


def _minds_order(point: Point) -> bool:
    """Whether the order of the columns changes the outcome: liblinear's for the l1 norm does."""
    return point.settings.get("penalty") == "l1" or point.settings.get("l1_ratio") == 1


@dataclass(frozen=True)
class _Split:
    """The matrices of a fold: rows to train on and rows to score on, as weighted and merged."""

    train: csr_matrix
    held_out: csr_matrix

    @cached_property
    def merged(self) -> _Split:
        """The same problem in fewer columns, for what is regularised by ‖w‖² alone."""
        merge = alike(self.train)
        return _Split(merge.apply(self.train), merge.apply(self.held_out))


def _split(
    point: Point, fold: Fold, texts: NDArray[np.object_], counts: Sequence[Counts]
) -> _Split:
    """From counts where there are any, else by scikit-learn's own vectorisers."""
    train, held_out = fold
    if not counts:
        union = feature_union(point.features)
        return _Split(union.fit_transform(texts[train]), union.transform(texts[held_out]))
    learned = [
        (weigh(table, block, settings, train), table)
        for (block, settings), table in zip(point.features.items(), counts, strict=True)
    ]
    return _Split(
        *(
            hstack([weighting.transform(table, rows) for weighting, table in learned], format="csr")
            for rows in fold
        )
    )


def do(
    task: Task, labels: NDArray[np.str_], texts: NDArray[np.object_], *counts: Counts
) -> list[Fit]:
    """Fit the candidates of a task on the training rows of its fold, and score them.

    Args:
        task: what to do.
        labels: of all rows.
        texts: all of them; not looked at where there are counts.
        *counts: of all rows, for each block of features; none for the plain road.
    """
    group, fold, seed = task.group, task.fold, task.seed
    start = time.perf_counter()
    models: dict[int, Any] = {}
    with noted() as notes:
        notes += [note for table in counts for note in table.notes]
        try:
            split = _split(group[0][1], fold, texts, counts)
            models = _decided(split, labels[fold[0]], group, seed)
        except _FAILURES as error:
            return [_failed(candidate, task.number, error) for candidate, _ in group]
    shared = (time.perf_counter() - start) / len(group)
    truth = labels[fold[1]]
    # of accuracy the scorer would predict once more, and check for longer than that takes
    scorer = None if task.scoring == "accuracy" else get_scorer(task.scoring)

    def fit_one(candidate: int, point: Point) -> Fit:
        begin = time.perf_counter()
        with noted() as more:
            try:
                model, matrix = models.get(candidate), split.held_out
                if model is None:
                    model, matrix = _fitted(classifier(point, seed), split, labels[fold[0]])
                seconds = shared + time.perf_counter() - begin
                hits = model.predict(matrix) == truth
                score = scorer(model, matrix, truth) if scorer else hits.mean()
                decisions = _decisions(model, matrix)
            except _FAILURES as error:
                return _failed(candidate, task.number, error)
        told = tuple(dict.fromkeys([*notes, *more]))
        return Fit(candidate, task.number, float(score), seconds, told, hits, decisions)

    return [fit_one(candidate, point) for candidate, point in group]


def _decided(split: _Split, labels: NDArray[np.str_], group: Group, seed: int) -> dict[int, Any]:
    """The linear SVMs of a group, all at once, by number of the candidate."""
    svms = {
        number: estimator
        for number, point in group
        if is_solvable(estimator := classifier(point, seed))
    }
    for estimator in svms.values():
        pin_dual(estimator, split.train)
    if not svms:
        return {}
    merged = split.merged
    found = decide(list(svms.values()), merged.train, labels, merged.held_out)
    return {number: model for number, model in zip(svms, found, strict=True) if model}


def pin_dual(estimator: Any, matrix: csr_matrix) -> None:
    """LinearSVC decides by the shape; what counts is the shape before columns were merged."""
    if getattr(estimator, "dual", None) == "auto" and estimator.loss == "squared_hinge":
        rows, columns = matrix.shape
        estimator.set_params(dual=bool(rows < columns and estimator.penalty == "l2"))


def _fitted(estimator: Any, split: _Split, labels: NDArray[np.str_]) -> tuple[Any, csr_matrix]:
    """The estimator fitted on the smallest matrix that is the same to it; and the rows to score."""
    if sees_products_only(estimator):
        pin_dual(estimator, split.train)
        if takes_same_road(estimator, split.train, split.merged.train):
            split = split.merged
    with _LIBLINEAR if _is_of_liblinear(estimator) else nullcontext():
        return estimator.fit(split.train, labels), split.held_out


def _is_of_liblinear(estimator: Any) -> bool:
    return type(estimator) is LinearSVC or getattr(estimator, "solver", None) == "liblinear"


def sees_products_only(estimator: Any) -> bool:
    """Whether what it looks for follows from the inner products of rows: L2-regularised models."""
    settings = estimator.get_params()
    match type(estimator).__name__:
        case "LinearSVC":
            return bool(settings["penalty"] == "l2")
        case "LogisticRegression":
            plain = settings["penalty"] in {"l2", "deprecated"}
            return plain and settings.get("l1_ratio") in {None, 0}
        case "RidgeClassifier":
            return not settings["positive"]
        case "SGDClassifier":
            return bool(settings["penalty"] == "l2")
    return False


def takes_same_road(estimator: Any, matrix: csr_matrix, merged: csr_matrix) -> bool:
    """Whether it takes the same road on merged columns: Ridge chooses one by the shape."""
    rows, columns = matrix.shape
    is_ridge = type(estimator).__name__ == "RidgeClassifier"
    return not is_ridge or (columns > rows) == (merged.shape[1] > rows)


def _decisions(model: Any, matrix: csr_matrix) -> NDArray[np.float32] | None:
    """Decision values, of models that have no probabilities of their own."""
    if hasattr(model, "predict_proba"):
        return None
    values: NDArray[np.float32] = model.decision_function(matrix).astype(np.float32)
    return values


def _failed(candidate: int, fold: int, error: Exception) -> Fit:
    return Fit(candidate, fold, math.nan, 0.0, (first_line(error),))


class BestDecisions:
    """Keeps the decision values of the candidate that leads and of those under way: they are large.

    Args:
        labels: of the rows searched.
        folds: of the search.
        in_rounds: whether it goes fold by fold, as a race does; who misses a round was given up.
    """

    def __init__(
        self, labels: NDArray[np.str_], folds: Sequence[Fold], *, in_rounds: bool = False
    ) -> None:
        self._classes = np.unique(labels)
        self._known = [np.unique(labels[train]) for train, _ in folds]
        self._in_rounds, self._round = in_rounds, 0
        self._under_way: dict[int, list[Fit]] = {}
        self._leader: list[Fit] = []
        self._highest = (-math.inf, 0)

    def watch(self, fits: Iterable[Fit]) -> Iterator[Fit]:
        """Pass fits on without their decision values."""
        for fit in fits:
            if self._in_rounds and fit.fold > self._round:
                self._next_round(fit.fold)
            mine = self._under_way.setdefault(fit.candidate, [])
            mine.append(fit)
            if len(mine) == len(self._known):
                self._compare(self._under_way.pop(fit.candidate))
            yield replace(fit, decisions=None)

    def of(self, candidate: int) -> NDArray[np.floating[Any]] | None:
        """Of all held-out rows, fold by fold; ``None`` if the candidate has none.

        Raises:
            LookupError: it is not the winner.
        """
        if not self._leader or self._leader[0].candidate != candidate:
            raise LookupError(f"candidate {candidate} is not the one that leads")
        found = [
            aligned(fit.decisions, self._known[fit.fold], self._classes)
            for fit in self._leader
            if fit.decisions is not None
        ]
        return np.concatenate(found) if len(found) == len(self._known) else None

    def _next_round(self, fold: int) -> None:
        self._round = fold
        self._under_way = {n: fits for n, fits in self._under_way.items() if len(fits) >= fold}

    def _compare(self, fits: list[Fit]) -> None:
        fits.sort(key=lambda fit: fit.fold)  # a mean depends on the order, by rounding
        reached = float(np.mean([fit.score for fit in fits])), -fits[0].candidate
        if reached > self._highest and not math.isnan(reached[0]):
            self._leader, self._highest = fits, reached


def summarize(candidates: Sequence[Point], fits: Iterable[Fit]) -> list[Candidate]:
    """Gather the fits of each candidate, in the candidates' order."""
    by_candidate: dict[int, list[Fit]] = {number: [] for number in range(len(candidates))}
    for fit in fits:
        by_candidate[fit.candidate].append(fit)
    return [
        _candidate(candidates[n], sorted(f, key=lambda fit: fit.fold))
        for n, f in by_candidate.items()
    ]


def _candidate(point: Point, fits: Sequence[Fit]) -> Candidate:
    scores = [fit.score for fit in fits]
    return Candidate(
        params=point.params,
        mean=_number(np.mean(scores)),
        std=_number(np.std(scores)),
        fold_scores=[_number(score) for score in scores],
        accuracy=_number(np.mean([fit.accuracy for fit in fits])),
        fit_seconds=round(float(np.mean([fit.seconds for fit in fits])), 4),
        notes=list(dict.fromkeys(note for fit in fits for note in fit.notes)),
    )


def _number(value: Any) -> float | None:
    """JSON has no NaN."""
    return None if math.isnan(value) else float(value)


def best(candidates: Sequence[Candidate]) -> int:
    """The number of the winner: the highest mean score, the first of equals, as in GridSearchCV.

    One that was given up in a race, and so has fewer fold scores than others, does not win.

    Raises:
        DataError: no candidate could be fitted.
    """
    folds = max((len(candidate.fold_scores) for candidate in candidates), default=0)
    scored = [
        (candidate.mean, -number)
        for number, candidate in enumerate(candidates)
        if candidate.mean is not None and len(candidate.fold_scores) == folds
    ]
    if not scored:
        notes = (note for candidate in candidates for note in candidate.notes)
        why = next(notes, "no reason given")
        raise DataError(f"no candidate of the search space could be fitted: {why}")
    return -max(scored)[1]

"""Cross-validated grid search with the scores and the winner of scikit-learn's GridSearchCV.

The engine is the function ``grid_search``: points of a search space in, one ``Fit`` for each
(candidate, fold) out, in any order. Candidates that differ only in the classifier share the matrix
of a fold.
"""

from __future__ import annotations

import importlib
import math
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, get_scorer
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline

from textclf.errors import DataError
from textclf.features import feature_union
from textclf.metadata import Candidate
from textclf.space import CLASSIFIERS, Point

Rows = NDArray[np.intp]
Fold = tuple[Rows, Rows]
"""Row numbers to train on, row numbers to score on."""

_FAILURES = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""Of a candidate that cannot be fitted: as in GridSearchCV it scores NaN and the search goes on."""

_SMALL = 5_000_000
"""Characters to vectorise in all, below which starting processes takes longer than it saves."""


@dataclass(frozen=True)
class Fit:
    """One candidate on one fold; a candidate that scikit-learn could not fit scores NaN.

    ``seconds`` is the classifier's own time and an equal share of the time for the fold's matrix.
    """

    candidate: int
    fold: int
    score: float
    accuracy: float
    seconds: float
    notes: tuple[str, ...] = ()


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


def stratified_folds(labels: Sequence[str], folds: int, seed: int) -> list[Fold]:
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


def grid_search(  # noqa: PLR0913 - each is a setting of the search
    texts: Sequence[str],
    labels: Sequence[str],
    candidates: Sequence[Point],
    folds: Sequence[Fold],
    *,
    scoring: str,
    seed: int,
    jobs: int | None = None,
) -> Iterator[Fit]:
    """Fit and score every candidate on every fold; yield results as they come.

    Args:
        texts: the training texts.
        labels: their labels, as many.
        candidates: what is searched.
        folds: row numbers to train and to score on.
        scoring: the name of a scikit-learn scorer.
        seed: random state of classifiers that have one.
        jobs: processes; ``None`` is one for each core, or one in all where the work is small.
    """
    x, y = np.asarray(texts, dtype=object), np.asarray(labels)
    groups = _groups(candidates)
    calls = [
        joblib.delayed(_fit_group)(x, y, group, number, fold, scoring, seed)
        for group in groups
        for number, fold in enumerate(folds)
    ]
    work = sum(map(len, texts)) * len(calls)
    jobs = min(jobs or (1 if work < _SMALL else -1), len(calls))
    pool = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", pre_dispatch="n_jobs")
    with _interrupts_ignored():
        results = pool(calls)
    for fits in results:
        yield from fits


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Worker processes started meanwhile inherit this: Ctrl-C is the main process's business.

    It ends them; on their own they would each print a traceback.
    """
    if threading.current_thread() is not threading.main_thread():  # where signals cannot be set
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _groups(candidates: Sequence[Point]) -> list[list[tuple[int, Point]]]:
    """Candidates with the same features, each with its number."""
    groups: dict[str, list[tuple[int, Point]]] = {}
    for number, point in enumerate(candidates):
        groups.setdefault(repr(point.features), []).append((number, point))
    return list(groups.values())


def _fit_group(  # noqa: PLR0913, PLR0917 - what a worker needs to know
    texts: NDArray[np.object_],
    labels: NDArray[np.str_],
    group: Sequence[tuple[int, Point]],
    fold: int,
    rows: Fold,
    scoring: str,
    seed: int,
) -> list[Fit]:
    train, held_out = rows
    start = time.perf_counter()
    union = feature_union(group[0][1].features)
    try:
        fitted, notes = _quietly(lambda: union.fit_transform(texts[train]))
        unseen = union.transform(texts[held_out])
    except _FAILURES as error:
        return [_failed(number, fold, error) for number, _ in group]
    shared = (time.perf_counter() - start) / len(group)
    scorer = get_scorer(scoring)

    def fit_one(number: int, point: Point) -> Fit:
        begin = time.perf_counter()
        try:
            model, told = _quietly(lambda: classifier(point, seed).fit(fitted, labels[train]))
            seconds = shared + time.perf_counter() - begin
            truth = labels[held_out]
            (score, accuracy), more = _quietly(lambda: _scores(model, unseen, truth, scorer))
        except _FAILURES as error:
            return _failed(number, fold, error)
        return Fit(number, fold, score, accuracy, seconds, notes + told + more)

    return [fit_one(number, point) for number, point in group]


def _scores(
    model: Any, matrix: Any, truth: NDArray[np.str_], scorer: Callable[..., float]
) -> tuple[float, float]:
    return float(scorer(model, matrix, truth)), float(accuracy_score(truth, model.predict(matrix)))


def _quietly(work: Callable[[], Any]) -> tuple[Any, tuple[str, ...]]:
    """Run it; what it warns of comes back as notes instead of on stderr."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = work()
    return result, tuple(dict.fromkeys(_first_line(w.message) for w in caught))


def _failed(number: int, fold: int, error: Exception) -> Fit:
    return Fit(number, fold, math.nan, math.nan, 0.0, (_first_line(error),))


def _first_line(message: object) -> str:
    return str(message).strip().partition("\n")[0].removesuffix(":")


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

    Raises:
        DataError: no candidate could be fitted.
    """
    scored = [
        (candidate.mean, -number)
        for number, candidate in enumerate(candidates)
        if candidate.mean is not None
    ]
    if not scored:
        why = next(
            (note for candidate in candidates for note in candidate.notes), "no reason given"
        )
        raise DataError(f"no candidate of the search space could be fitted: {why}")
    return -max(scored)[1]

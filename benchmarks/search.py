"""The search of textclf against scikit-learn's GridSearchCV: the same grid, the same folds.

Both sides only search, without a refit, with one worker per core. Each run has its own process, and
the sides take turns. Reading is not timed, and neither is a first search over a few rows, which
loads (or compiles) Numba's functions and starts GridSearchCV's workers. The ratio is that of the
median times, with the smallest and largest ratio of one pair of runs. The memory is the peak of the
process and its workers. The difference is the largest difference of a score on any fold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.children import Measured, alone, alternate, measure
from benchmarks.options import Options
from benchmarks.ratios import Ratio, Side
from benchmarks.sets import DataSet, Rows, read_rows

Features = Mapping[str, Mapping[str, list[Any]]]

COSTS = (0.1, 0.3, 1, 3)
"""C of LinearSVC."""

GRIDS: Mapping[str, Features] = {
    "words": {"word": {"ngram_range": [(1, 1), (1, 2)], "min_df": [1, 2]}},
    "chars": {
        "char_wb": {"ngram_range": [(2, 5)], "min_df": [1, 2], "sublinear_tf": [False, True]}
    },
    "joined": {
        "word": {"ngram_range": [(1, 2)], "min_df": [1, 2], "sublinear_tf": [True]},
        "char_wb": {"ngram_range": [(2, 5)], "min_df": [2], "sublinear_tf": [True]},
    },
}
"""Alternatives for each vectoriser's parameters; every combination is tried with every C."""

MODES: Mapping[str, Mapping[str, Any]] = {"exact": {}, "race": {"method": "race"}}
"""What a mode of the search adds to the arguments of ``grid_search``."""

FOLDS, SEED = 5, 0
_ROWS = {"20ng": 4_000, "imdb": 5_000}
_MOST_ROWS = 12_000
"""Of other sets; GridSearchCV needs hours for more."""


@dataclass(frozen=True)
class Scores:
    """The score of each candidate (outer) on each fold, and the number of the winner."""

    folds: Sequence[Sequence[float | None]]
    winner: int

    def difference(self, other: Scores) -> float:
        """The largest difference of two scores of the same candidate on the same fold.

        A race does not run them all.
        """
        return max(
            abs(score - its)
            for scores, others in zip(self.folds, other.folds, strict=True)
            for score, its in zip(scores, others, strict=False)
            if score is not None and its is not None
        )


@dataclass(frozen=True)
class SearchRow:
    """One grid on one set. ``ratio``: how many times as long GridSearchCV takes."""

    set: str
    rows: int
    labels: int
    features: str
    search: str
    candidates: int
    folds: int
    ours: Side
    theirs: Side
    ratio: Ratio
    same_winner: bool
    largest_difference: float

    def cells(self) -> dict[str, str]:
        """The line of the table."""
        return {
            "set": self.set,
            "rows": f"{self.rows:,}",
            "labels": str(self.labels),
            "features": self.features,
            "fits": f"{self.candidates} × {self.folds}",
            "search": self.search,
            "textclf": self.ours.time,
            "GridSearchCV": self.theirs.time,
            "ratio": str(self.ratio),
            "same winner": "yes" if self.same_winner else "no",
            "difference": f"{self.largest_difference:.1g}",
            "memory": self.ours.memory,
            "GridSearchCV, memory": self.theirs.memory,
        }


def run(data: DataSet, options: Options) -> Iterator[SearchRow]:
    """Compare on one set, grid by grid."""
    most = options.rows or _ROWS.get(data.name, _MOST_ROWS)
    for features in options.features:
        ours, theirs = alternate(
            partial(alone, _ours, data.train, most, features, options.search),
            partial(alone, _theirs, data.train, most, features),
            options.repeat,
        )
        yield _compared(data.name, features, options.search, ours, theirs)


def _compared(
    name: str,
    features: str,
    mode: str,
    ours: Sequence[_Run],
    theirs: Sequence[_Run],
) -> SearchRow:
    our_side, their_side = (Side.of([run.search for run in runs]) for runs in (ours, theirs))
    pairs = [(a.search.value, b.search.value) for a, b in zip(ours, theirs, strict=True)]
    return SearchRow(
        set=name,
        rows=ours[0].rows,
        labels=ours[0].labels,
        features=features,
        search=mode,
        candidates=len(ours[0].search.value.folds),
        folds=FOLDS,
        ours=our_side,
        theirs=their_side,
        ratio=Ratio.of(their_side.seconds, our_side.seconds),
        same_winner=all(our.winner == their.winner for our, their in pairs),
        largest_difference=max(our.difference(their) for our, their in pairs),
    )


@dataclass(frozen=True)
class _Run:
    rows: int
    labels: int
    search: Measured[Scores]


def _warm_run(rows: Rows, search: Callable[[Rows], Scores]) -> _Run:
    search(_few(rows))
    return _Run(len(rows.texts), len(set(rows.labels)), measure(partial(search, rows)))


def _few(rows: Rows) -> Rows:
    """Rows to warm up with: some of each of the three most frequent labels."""
    frequent = [label for label, _ in Counter(rows.labels).most_common(3)]
    numbers = [[n for n, its in enumerate(rows.labels) if its == label] for label in frequent]
    return rows.take([n for of_label in numbers for n in of_label[: 4 * FOLDS]])


def _ours(path: Path, most: int, features: str, mode: str) -> _Run:
    from textclf.search.grid_search import grid_search, stratified_folds
    from textclf.search.results import best, summarize
    from textclf.search.space import list_candidates

    tables = {block: dict(table) for block, table in GRIDS[features].items()}
    grid = {"features": tables, "classifier": {"LinearSVC": {"C": list(COSTS)}}}
    candidates = list_candidates([grid])

    def search(rows: Rows) -> Scores:
        folds = stratified_folds(rows.labels, FOLDS, SEED)
        arguments = {"scoring": "accuracy", "seed": SEED, "jobs": -1, **MODES[mode]}
        fits = grid_search(rows.texts, rows.labels, candidates, folds, **arguments)
        found = summarize(candidates, fits)
        return Scores([candidate.fold_scores for candidate in found], best(found))

    return _warm_run(read_rows(path, most), search)


def _theirs(path: Path, most: int, features: str) -> _Run:
    import numpy as np
    from joblib.externals.loky import get_reusable_executor
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    estimator, grid = _pipeline(GRIDS[features])
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)

    def search(rows: Rows) -> Scores:
        search = GridSearchCV(
            estimator, grid, scoring="accuracy", cv=splitter, n_jobs=-1, refit=False
        )
        search.fit(np.array(rows.texts, dtype=object), np.array(rows.labels))
        found = [search.cv_results_[f"split{fold}_test_score"] for fold in range(FOLDS)]
        return Scores(np.array(found).T.tolist(), int(search.best_index_))

    run = _warm_run(read_rows(path, most), search)
    get_reusable_executor().shutdown()  # else the end of this process waits until they are idle
    return run


def _pipeline(features: Features) -> tuple[Any, dict[str, list[Any]]]:
    """The pipeline and the grid that one writes by hand; the union only where there are two."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import FeatureUnion, Pipeline
    from sklearn.svm import LinearSVC

    blocks = [(block, TfidfVectorizer(analyzer=block)) for block in features]
    union = len(blocks) > 1
    steps = [
        ("features", FeatureUnion(blocks) if union else blocks[0][1]),
        ("classifier", LinearSVC(random_state=SEED)),
    ]
    grid = {
        f"features__{block}__{name}" if union else f"features__{name}": values
        for block, table in features.items()
        for name, values in table.items()
    }
    return Pipeline(steps), {"classifier__C": list(COSTS), **grid}

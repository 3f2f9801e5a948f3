"""Counting n-grams: ``textclf.features.counts.count`` against scikit-learn's CountVectorizer.

Each run has its own process, and the sides take turns. Reading is not timed, and neither is a first
count of a few texts. The ratio is that of the median times, with the smallest and largest ratio of
one pair of runs. The memory is the peak of the process while it counts, including the texts and the
libraries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.children import Measured, alone, alternate, measure
from benchmarks.options import Options
from benchmarks.ratios import Ratio, Side
from benchmarks.sets import DataSet, read_rows

BLOCKS = {"words": ("word", 1, 2), "chars": ("char_wb", 2, 5)}
"""Analyzer and n-gram range; both are what a joined grid counts."""

_MOST_ROWS = 100_000
_FEW = 50
_Size = tuple[int, int, int]
"""Of a matrix: its columns, its entries, and their sum."""


@dataclass(frozen=True)
class CountRow:
    """One kind of n-grams of one set. ``ratio``: how many times as long CountVectorizer takes."""

    set: str
    rows: int
    features: str
    columns: int
    ours: Side
    theirs: Side
    ratio: Ratio
    same: bool

    def cells(self) -> dict[str, str]:
        """The line of the table."""
        block, low, high = BLOCKS[self.features]
        return {
            "set": self.set,
            "rows": f"{self.rows:,}",
            "n-grams": f"{block} {low}–{high}",
            "columns": f"{self.columns:,}",
            "textclf": self.ours.time,
            "CountVectorizer": self.theirs.time,
            "ratio": str(self.ratio),
            "same size and sum": "yes" if self.same else "no",
            "memory": self.ours.memory,
            "CountVectorizer, memory": self.theirs.memory,
        }


def run(data: DataSet, options: Options) -> Iterator[CountRow]:
    """Compare on one set."""
    most = options.rows or _MOST_ROWS
    for features in [name for name in BLOCKS if name in options.features]:
        ours, theirs = alternate(
            partial(alone, _ours, data.train, most, features),
            partial(alone, _theirs, data.train, most, features),
            options.repeat,
        )
        our_side, their_side = (Side.of([run for _, run in runs]) for runs in (ours, theirs))
        yield CountRow(
            set=data.name,
            rows=ours[0][0],
            features=features,
            columns=ours[0][1].value[0],
            ours=our_side,
            theirs=their_side,
            ratio=Ratio.of(their_side.seconds, our_side.seconds),
            same=all(
                our[1].value == their[1].value for our, their in zip(ours, theirs, strict=True)
            ),
        )


def _ours(path: Path, most: int, features: str) -> tuple[int, Measured[_Size]]:
    from textclf.features.counts import count

    block, low, high = BLOCKS[features]

    def counted(texts: Sequence[str]) -> _Size:
        counts = count(texts, block, {}, low, high)
        return counts.columns, len(counts.indices), int(counts.data.sum())

    return _warm_run(path, most, counted)


def _theirs(path: Path, most: int, features: str) -> tuple[int, Measured[_Size]]:
    from sklearn.feature_extraction.text import CountVectorizer

    block, low, high = BLOCKS[features]

    def counted(texts: Sequence[str]) -> _Size:
        matrix = CountVectorizer(analyzer=block, ngram_range=(low, high)).fit_transform(texts)
        return matrix.shape[1], matrix.nnz, int(matrix.sum())

    return _warm_run(path, most, counted)


def _warm_run(
    path: Path, most: int, counted: Callable[[Sequence[str]], _Size]
) -> tuple[int, Measured[_Size]]:
    texts = read_rows(path, most).texts
    counted(texts[:_FEW])
    return len(texts), measure(partial(counted, texts))

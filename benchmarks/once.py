"""The whole of ``textclf train`` against one plain fit of its winner by scikit-learn.

textclf runs as a command with its default search space, from reading to the published version; what
Numba compiles is on disk. The other side is a program that imports scikit-learn, reads the training
file with the ``csv`` module, and fits the winner to all rows: a ``TfidfVectorizer`` for each kind
of n-grams, and ``LinearSVC``. It searches, tests and saves nothing. Both are timed as whole
processes, in turns.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks import plain_fit
from benchmarks.children import Measured, run_python
from benchmarks.options import Options
from benchmarks.ratios import Ratio, Side
from benchmarks.report import Skipped
from benchmarks.sets import DataSet
from benchmarks.train import train, warm_up


@dataclass(frozen=True)
class OnceRow:
    """One set: both sides, and how many times as long as the plain fit ``textclf train`` took."""

    set: str
    rows: int
    winner: dict[str, Any]
    ours: Side
    theirs: Side
    ratio: Ratio

    def cells(self) -> dict[str, str]:
        """The line of the table."""
        return {
            "set": self.set,
            "rows": f"{self.rows:,}",
            "textclf train": self.ours.time,
            "memory": self.ours.memory,
            "one plain fit": self.theirs.time,
            "its memory": self.theirs.memory,
            "ratio": str(self.ratio),
        }


def run(data: DataSet, options: Options) -> Iterator[OnceRow | Skipped]:
    """Compare on one set, in turns."""
    warm_up()
    ours, theirs = list[Measured[Any]](), list[Measured[Any]]()
    for _ in range(options.repeat):
        ours.append(train(data))
        theirs.append(_plain_fit(data, ours[-1].value["best_params"]))
    metadata = ours[-1].value
    yield OnceRow(
        set=data.name,
        rows=metadata["data"]["rows"],
        winner=metadata["best_params"],
        ours=Side.of(ours),
        theirs=Side.of(theirs),
        ratio=Ratio.of([run.seconds for run in ours], [run.seconds for run in theirs]),
    )


def _plain_fit(data: DataSet, winner: dict[str, Any]) -> Measured[str]:
    """Fit the winner in a process that has nothing to do with textclf."""
    parameters = {name: value for name, value in winner.items() if name != "classifier"}
    return run_python(plain_fit.__file__, str(data.train), json.dumps(parameters))

"""Wrong labels: how many of them are in the first rows that ``textclf check --labels`` lists.

Of 10% of the training rows the label is changed to another one, each with the same probability. The
first 5% of all rows could hold half of the changed ones, and the first 10% all of them. Each run
changes other labels; the shares are means over the runs, the time is the median of the whole
command. "unchanged" is what it lists of the data as they are.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.children import Measured, run_textclf
from benchmarks.options import Options
from benchmarks.ratios import Side
from benchmarks.sets import DataSet, Rows, read_rows, write_rows

_CHANGED = 0.1
_FIRST = (0.05, 0.1, 0.15)


@dataclass(frozen=True)
class LabelsRow:
    """One set; ``found`` has the share of the changed labels in the first rows, run by run."""

    set: str
    rows: int
    listed: Sequence[int]
    confident: Sequence[int]
    unchanged: Sequence[int]
    found: dict[str, list[float]]
    ours: Side

    def cells(self) -> dict[str, str]:
        """The line of the table."""
        return {
            "set": self.set,
            "rows": f"{self.rows:,}",
            "changed": f"{round(_CHANGED * self.rows):,}",
            "listed": f"{mean(self.listed):,.0f}",
            "confidently": f"{mean(self.confident):,.0f}",
            **{f"in the first {first}": f"{mean(v):.1%}" for first, v in self.found.items()},
            "unchanged: listed, confidently": " and ".join(f"{n:,}" for n in self.unchanged),
            "time": self.ours.time,
        }


def run(data: DataSet, options: Options) -> Iterator[LabelsRow]:
    """Measure one set."""
    read = read_rows(data.train)
    rows = Rows([" ".join(text.split()) for text in read.texts], read.labels)  # a line for each row
    total = len(rows.labels)
    unchanged = _check(rows).value
    changed = [_changed(rows.labels, seed) for seed in range(options.repeat)]
    runs = [_check(Rows(rows.texts, labels)) for labels in changed]
    wrong = [{n for n in range(total) if labels[n] != rows.labels[n]} for labels in changed]
    listed = [[_row(suspect) for suspect in run.value["rows"]] for run in runs]
    yield LabelsRow(
        set=data.name,
        rows=total,
        listed=[len(numbers) for numbers in listed],
        confident=[run.value["confident"] for run in runs],
        unchanged=(len(unchanged["rows"]), unchanged["confident"]),
        found={
            f"{first:.0%}": [
                len(own.intersection(numbers[: round(first * total)])) / len(own)
                for own, numbers in zip(wrong, listed, strict=True)
            ]
            for first in _FIRST
        },
        ours=Side.of(runs),
    )


def _changed(labels: Sequence[str], seed: int) -> list[str]:
    """Return the labels, of which some are changed."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    names = sorted(set(labels))
    changed = list(labels)
    for n in chance.sample(range(len(labels)), round(_CHANGED * len(labels))):
        changed[n] = chance.choice([name for name in names if name != labels[n]])
    return changed


def _check(rows: Rows) -> Measured[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        write_rows(path, rows)
        done = run_textclf("check", str(path), "--labels", "--json", "--quiet")
    answer: dict[str, Any] = json.loads(done.value)["suspect_labels"]
    return Measured(answer, done.seconds, done.peak_bytes)


def _row(suspect: dict[str, Any]) -> int:
    """Return the number of a row, of which the first is on line 2."""
    return int(suspect["where"].rpartition(":")[2]) - 2

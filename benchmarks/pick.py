"""What to label next: 500 rows that ``textclf pick`` chooses, against 500 at random.

A version is trained on 500 of the training rows, chosen at random, and then on these and 500 of the
others. Each run begins with other rows; the accuracies are those on the test rows, means over the
runs, with the smallest and the largest difference.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from benchmarks.children import run_textclf
from benchmarks.options import Options
from benchmarks.sets import DataSet, Rows, read_rows, shuffled, write_rows

_LABELLED = 500


@dataclass(frozen=True)
class PickRow:
    """One set: the accuracies (0 to 1) run by run."""

    set: str
    labelled: int
    first: Sequence[float]
    at_random: Sequence[float]
    picked: Sequence[float]

    def cells(self) -> dict[str, str]:
        """The line of the table."""
        gains = [100 * (a - b) for a, b in zip(self.picked, self.at_random, strict=True)]
        return {
            "set": self.set,
            f"{self.labelled:,} rows": f"{mean(self.first):.1%}",
            f"and {self.labelled:,} at random": f"{mean(self.at_random):.1%}",
            f"or {self.labelled:,} picked": f"{mean(self.picked):.1%}",
            "difference": f"{mean(gains):+.1f} ({min(gains):+.1f} to {max(gains):+.1f})",
        }


def run(data: DataSet, options: Options) -> Iterator[PickRow]:
    """Measure one set."""
    rows = read_rows(data.train)
    number = min(_LABELLED, len(rows.texts) // 3)
    runs = [_accuracies(data, shuffled(rows, seed), number) for seed in range(options.repeat)]
    yield PickRow(data.name, number, *zip(*runs, strict=True))


def _accuracies(data: DataSet, rows: Rows, number: int) -> tuple[float, float, float]:
    """Return the accuracy with the first rows, with as many more, and with as many picked."""
    first, more = range(number), range(number, 2 * number)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = ["--models", str(folder / "models")]
        before = _train(data, rows.take(first), folder)
        pool = Rows(rows.texts[number:], rows.labels[number:])
        (folder / "pool.jsonl").write_text(
            "".join(json.dumps({"text": text}) + "\n" for text in pool.texts), encoding="utf-8"
        )
        found = run_textclf(
            "pick", str(folder / "pool.jsonl"), "--n", str(number), "--json", "--quiet", *models
        )
        places = [one["where"].rpartition(":")[2] for one in json.loads(found.value)["picked"]]
        picked = [number + int(place) - 1 for place in places]
        return (
            before,
            _train(data, rows.take([*first, *more]), folder),
            _train(data, rows.take([*first, *picked]), folder),
        )


def _train(data: DataSet, rows: Rows, folder: Path) -> float:
    """Train and promote the next version; return its accuracy on the test rows."""
    write_rows(folder / "train.csv", rows)
    files = [str(folder / "train.csv"), "--test", str(data.test)]
    models = ["--models", str(folder / "models")]
    done = run_textclf("train", *files, *models, "--bump", "minor", "--json", "--quiet")
    return float(json.loads(done.value)["test_accuracy"])

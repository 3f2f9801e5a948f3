"""How the time and the memory of the whole ``textclf train`` grow with the number of rows.

Each size is a random sample of the training rows that includes the smaller samples, with a tenth as
many test rows. Rows are never repeated: a set that is too small for two of the sizes is left out.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.children import alone
from benchmarks.options import Options
from benchmarks.ratios import Side
from benchmarks.report import Skipped
from benchmarks.sets import DataSet, read_rows, shuffled, write_rows
from benchmarks.train import train, warm_up

_TEST_SHARE = 10


@dataclass(frozen=True)
class GrowthRow:
    """One size; ``parts`` are the seconds that the last run's metadata tells of each part."""

    set: str
    rows: int
    characters: int
    ours: Side
    parts: dict[str, float]
    accuracy: float

    def cells(self) -> dict[str, str]:
        """The line of the table."""
        seconds = median(self.ours.seconds)
        return {
            "set": self.set,
            "rows": f"{self.rows:,}",
            "characters": f"{self.characters:,}",
            "time": self.ours.time,
            "per million characters": f"{seconds / self.characters * 1e6:.3g} s",
            "memory": self.ours.memory,
            "parts": ", ".join(f"{part} {time:.3g} s" for part, time in self.parts.items()),
            "test accuracy": f"{100 * self.accuracy:.1f}%",
        }


def run(data: DataSet, options: Options) -> Iterator[GrowthRow | Skipped]:
    """Measure the sizes that the set has."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows, characters = alone(_write_samples, data, folder, options.sizes)
        if len(characters) < 2:  # noqa: PLR2004 - a line has two ends
            yield Skipped(data.name, f"its {rows:,} rows are too few for two of the sizes")
            return
        warm_up()
        for size in options.sizes:
            if size in characters:
                yield _grown(data.name, folder / str(size), characters[size], options.repeat)
            else:
                yield Skipped(data.name, f"it has {rows:,} rows, not {size:,}")


def _grown(name: str, folder: Path, characters: int, repeat: int) -> GrowthRow:
    runs = [train(DataSet(name, folder / "train.csv", folder / "test.csv")) for _ in range(repeat)]
    metadata = runs[-1].value
    return GrowthRow(
        set=name,
        rows=metadata["data"]["rows"],
        characters=characters,
        ours=Side.of(runs),
        parts=metadata["seconds"],
        accuracy=metadata["test"]["metrics"]["accuracy"],
    )


def _write_samples(
    data: DataSet, folder: Path, sizes: tuple[int, ...]
) -> tuple[int, dict[int, int]]:
    """Write a folder for each size there is; return the rows in all, and the characters by size."""
    train, test = shuffled(read_rows(data.train), 0), shuffled(read_rows(data.test), 0)
    written = {}
    for size in sizes:
        if size <= len(train.texts):
            (folder / str(size)).mkdir()
            few = max(1, size // _TEST_SHARE)
            write_rows(folder / str(size) / "train.csv", train.take(range(size)))
            write_rows(folder / str(size) / "test.csv", test.take(range(min(few, len(test.texts)))))
            written[size] = sum(map(len, train.texts[:size]))
    return len(train.texts), written

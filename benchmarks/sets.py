"""Data sets to measure on: folders with a training file and a test file beside it."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from textclf.data.dataset import read_dataset
from textclf.errors import UsageError

SAMPLE = Path(__file__).parent.parent / "data"
"""The data set that comes with textclf."""


@dataclass(frozen=True)
class DataSet:
    """A data set on disk: its name and its two files."""

    name: str
    train: Path
    test: Path


@dataclass(frozen=True)
class Rows:
    """Labelled texts, two sequences of one length."""

    texts: Sequence[str]
    labels: Sequence[str]

    def take(self, numbers: Sequence[int]) -> Rows:
        """Some of the rows, in the order of the numbers."""
        return Rows([self.texts[n] for n in numbers], [self.labels[n] for n in numbers])


def find_sets(folder: Path, names: Sequence[str] = ()) -> list[DataSet]:
    """The data set that a folder is, or those that are folders in it; only those named, if any.

    Raises:
        UsageError: there are none, or one of the names is not among them.
    """
    folders = [folder, *sorted(folder.glob("*/"))]
    sets = {found.name: found for each in folders if (found := _set_in(each))}
    if not sets:
        raise UsageError(f"no train.csv with a test.csv beside it in {folder.name} or its folders")
    if unknown := [name for name in names if name not in sets]:
        raise UsageError(f"no set {unknown[0]}; there are: {', '.join(sets)}")
    return [sets[name] for name in names or sets]


def _set_in(folder: Path) -> DataSet | None:
    for ending in ("csv", "csv.gz"):
        train, test = folder / f"train.{ending}", folder / f"test.{ending}"
        if train.exists() and test.exists():
            return DataSet(folder.resolve().name, train, test)
    return None


def read_rows(path: Path, most: int | None = None) -> Rows:
    """All rows of a file, or as many as asked for: always the same ones, in the file's order."""
    data = read_dataset(path)
    rows = Rows(data.texts, data.labels)
    if most is None or most >= len(data):
        return rows
    return rows.take(sorted(random.Random(0).sample(range(len(data)), most)))  # noqa: S311 - a sample


def shuffled(rows: Rows, seed: int) -> Rows:
    """The same rows in an order that the seed decides."""
    return rows.take(random.Random(seed).sample(range(len(rows.texts)), len(rows.texts)))  # noqa: S311 - no secret


def write_rows(path: Path, rows: Rows) -> None:
    """Write rows as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label"))
        writer.writerows(zip(rows.texts, rows.labels, strict=True))

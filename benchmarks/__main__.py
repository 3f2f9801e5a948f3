"""``python -m benchmarks``: measure side by side, print tables, and write them to files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from benchmarks import (
    count,
    growth,
    labels,
    once,
    pick,
    predict,
    search,
    serve,
    start,
    train,
    unknown,
)
from benchmarks.children import alone
from benchmarks.options import Options
from benchmarks.report import Report, Row, Skipped, surroundings
from benchmarks.sets import SAMPLE, DataSet, find_sets
from textclf.errors import TextclfError, UsageError

PARTS = {
    "search": search, "count": count, "train": train, "once": once, "growth": growth,
    "predict": predict, "start": start, "serve": serve, "unknown": unknown,
    "labels": labels, "pick": pick,
}  # fmt: skip
RESULTS = Path(__file__).parent / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; return the exit code."""
    given = _parser().parse_args(arguments)
    options = Options(
        given.repeat, given.features, given.rows, given.search, given.sizes, given.vocabularies
    )
    try:
        parts = _chosen(given.parts or PARTS, PARTS)
        _chosen(given.features, search.GRIDS)
        sets = find_sets(given.data, given.sets)
        for part in parts:
            _run(part, sets, options, given.results)
    except TextclfError as error:
        _tell(f"error: {error}")
        return error.exit_code
    return 0


def _run(part: str, sets: Sequence[DataSet], options: Options, results: Path) -> None:
    """Measure set by set; what is there so far is on disk at any time."""
    about = (PARTS[part].__doc__ or "").strip()
    report = Report(part, about, alone(surroundings), options.repeat)
    for data in sets:
        _tell(f"{part}: {data.name}")
        for found in _found(part, data, options):
            report.add(found)
            report.write(results)
    sys.stdout.write(report.markdown() + "\n")
    sys.stdout.flush()


def _found(part: str, data: DataSet, options: Options) -> Iterator[Row | Skipped]:
    """What one part finds on one set; a set that fails does not end the run."""
    try:
        yield from PARTS[part].run(data, options)
    except (TextclfError, RuntimeError) as error:  # the latter, too, of a process that was killed
        yield Skipped(data.name, str(error))


def _chosen(names: Collection[str], known: Collection[str]) -> Collection[str]:
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"{unknown[0]!r} is not one of {', '.join(known)}")
    return names


def _tell(message: str) -> None:
    sys.stderr.write(f"{message}\n")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(_count(size) for size in _names(text))


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all if none is named")
    add("--data", type=Path, default=SAMPLE, metavar="FOLDER",
        help="a set (train.csv and test.csv, may be gzipped) or a folder of sets")  # fmt: skip
    add("--sets", type=_names, default=(), metavar="A,B", help="the sets to measure (all)")
    add("--repeat", type=_count, default=3, metavar="N", help="runs of each side (3)")
    add("--features", type=_names, default=tuple(search.GRIDS), metavar="A,B",
        help="in search and count: words, chars, joined (all)")  # fmt: skip
    add("--rows", type=_count, metavar="N", help="at most this many rows, in search and count")
    add("--search", choices=search.MODES, default="exact", help="the search mode (exact)")
    add("--sizes", type=_sizes, default=(10_000, 100_000, 1_000_000), metavar="N,N",
        help="numbers of rows, in growth (10000,100000,1000000)")  # fmt: skip
    add("--vocabularies", type=_sizes, default=(10_000, 200_000, 1_000_000), metavar="N,N",
        help="numbers of n-grams of the models, in start (10000,200000,1000000)")  # fmt: skip
    add("--results", type=Path, default=RESULTS, metavar="FOLDER",
        help="the folder for JSON and Markdown")  # fmt: skip
    return parser


if __name__ == "__main__":
    sys.exit(main())

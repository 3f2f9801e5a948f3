"""The whole of ``textclf train`` against fastText with autotune, given the same wall time.

textclf runs as a command with its default search space, from reading to the published version. It
has run before on the sample data, so that the functions that Numba compiles are cached on disk.
fastText gets that time, rounded up to whole seconds, for its autotune on all cores. Its texts are
lower-cased, with spaces around punctuation, its lines are shuffled, and autotune validates on a
stratified fifth of them; its time is from reading to the predictions for the test rows. "refitted"
is fastText trained again on all rows with the settings of autotune, in additional time.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.children import Measured, run_textclf, within
from benchmarks.options import Options
from benchmarks.report import Skipped
from benchmarks.sets import SAMPLE, DataSet, Rows, find_sets, read_rows, shuffled

_SHARE = 0.2
_FOUND = ("lr", "dim", "epoch", "minCount", "minn", "maxn", "wordNgrams", "bucket")
"""What autotune settles, of fastText's arguments."""
_PATIENCE = 10
"""fastText is killed after so many times what it was given: on few rows autotune may never end."""


@dataclass(frozen=True)
class Outcome:
    """Accuracy and macro F1 on the test rows, the wall time in seconds, the peak memory in bytes.

    The memory of fastText is not looked at.
    """

    accuracy: float
    macro_f1: float
    seconds: float
    peak_bytes: int | None = None


@dataclass(frozen=True)
class TrainRow:
    """One set: the outcomes run by run; those of fastText are empty where it could not run."""

    set: str
    rows: int
    ours: Sequence[Outcome]
    theirs: Sequence[Outcome]
    refitted: Sequence[Outcome]

    def cells(self) -> dict[str, str]:
        """The line of the table."""
        return {
            "set": self.set,
            "rows": f"{self.rows:,}",
            **_cells("textclf", self.ours),
            "memory": f"{max(each.peak_bytes or 0 for each in self.ours) / 2**20:,.0f} MiB",
            **_cells("fastText", self.theirs),
            **_cells("refitted", self.refitted),
        }


def _cells(name: str, outcomes: Sequence[Outcome]) -> dict[str, str]:
    return {
        name: _percent([outcome.accuracy for outcome in outcomes]),
        f"{name}, macro F1": _percent([outcome.macro_f1 for outcome in outcomes]),
        f"{name}, time": f"{median(o.seconds for o in outcomes):.3g} s" if outcomes else "–",
    }


def _percent(values: Sequence[float]) -> str:
    """The median, and the spread where there is one."""
    if not values:
        return "–"
    middle, low, high = (f"{100 * v:.1f}" for v in (median(values), min(values), max(values)))
    return f"{middle}%" if low == high else f"{middle}% ({low}–{high})"


def run(data: DataSet, options: Options) -> Iterator[TrainRow | Skipped]:
    """Compare on one set, in turns."""
    ours, theirs, refitted = list[Outcome](), list[Outcome](), list[Outcome]()
    warm_up()
    rows = 0
    if not find_spec("fasttext"):
        yield Skipped(data.name, "fastText is not installed (it needs a C++ compiler)")
    for seed in range(options.repeat):
        outcome, rows = _ours(data)
        ours.append(outcome)
        if find_spec("fasttext"):
            try:
                duration = math.ceil(outcome.seconds)
                tuned, again = within(_PATIENCE * duration + 60, _theirs, data, duration, seed)
            except RuntimeError as error:  # of fastText itself, and of a process that died
                yield Skipped(data.name, f"fastText, {duration} s: {error}")
                continue
            theirs.append(tuned)
            refitted.append(again)
    yield TrainRow(data.name, rows, ours, theirs, refitted)


def train(data: DataSet) -> Measured[dict[str, Any]]:
    """Run the whole of ``textclf train``; the value is the metadata of the version published."""
    with tempfile.TemporaryDirectory() as models:
        files = [str(data.train), "--test", str(data.test), "--models", models]
        run = run_textclf("train", *files, "--json", "--quiet")
    return Measured(json.loads(run.value), run.seconds, run.peak_bytes)


def warm_up() -> None:
    """Train on the sample, so that everything is compiled and on disk."""
    train(find_sets(SAMPLE)[0])


def _ours(data: DataSet) -> tuple[Outcome, int]:
    run = train(data)
    metadata = run.value
    metrics = metadata["test"]["metrics"]
    outcome = Outcome(metrics["accuracy"], metrics["macro_f1"], run.seconds, run.peak_bytes)
    return outcome, metadata["data"]["rows"]


def _theirs(data: DataSet, duration: int, seed: int) -> tuple[Outcome, Outcome]:
    """FastText as autotune leaves it, and trained once more on all rows."""
    import joblib

    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # autotune shows its progress, whatever one says
    fasttext = importlib.import_module("fasttext")  # it has no types
    start = time.perf_counter()
    rows, test = shuffled(read_rows(data.train), seed), read_rows(data.test)
    numbers = {label: f"__label__{n}" for n, label in enumerate(sorted(set(rows.labels)))}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rest, validation = _split(rows)
        for part, which in (("all", rows), ("train", rest), ("valid", validation)):
            (folder / part).write_text(_lines(which, numbers), encoding="utf-8")
        common = {"thread": joblib.cpu_count(), "seed": seed, "verbose": 0}
        model = fasttext.train_supervised(
            input=str(folder / "train"),
            autotuneValidationFile=str(folder / "valid"),
            autotuneDuration=duration,
            **common,
        )
        tuned = _outcome(model, test, numbers, start)
        found = {name: getattr(model, name) for name in _FOUND}
        model = fasttext.train_supervised(input=str(folder / "all"), **found, **common)
        return tuned, _outcome(model, test, numbers, start)


def _split(rows: Rows) -> tuple[Rows, Rows]:
    """Of each label the first rows for validation, the others to train on."""
    counts, seen = Counter(rows.labels), Counter[str]()
    sides: tuple[list[int], list[int]] = ([], [])
    for number, label in enumerate(rows.labels):
        seen[label] += 1
        sides[seen[label] <= _SHARE * counts[label]].append(number)
    return rows.take(sides[0]), rows.take(sides[1])


def _lines(rows: Rows, numbers: dict[str, str]) -> str:
    pairs = zip(rows.texts, rows.labels, strict=True)
    return "".join(f"{numbers[label]} {prepared(text)}\n" for text, label in pairs)


def prepared(text: str) -> str:
    """One line, lower-cased, punctuation apart; the underline too, lest a word be a label."""
    return " ".join(re.sub(r"([^\w\s]|_)", r" \1 ", text.lower()).replace("\0", " ").split())


def _outcome(model: Any, test: Rows, numbers: dict[str, str], start: float) -> Outcome:
    """Of a list of texts; fastText's binding ends each with a line end, as in training."""
    from textclf.evaluation.metrics import measure

    labels = {number: label for label, number in numbers.items()}
    found, _ = model.predict([prepared(text) for text in test.texts])
    predicted = [labels[each[0]] if each else "" for each in found]
    seconds = time.perf_counter() - start
    metrics = measure(test.labels, predicted)
    return Outcome(metrics.accuracy, metrics.macro_f1, seconds)

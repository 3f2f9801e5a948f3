"""Labelling many texts, and one at a time: textclf against scikit-learn and fastText.

``textclf train`` trains one model, words 1-2 and LinearSVC. Both textclf (``load().label``, the
compiled scorer) and scikit-learn (``joblib.load``, ``pipeline.predict``) label the test rows with
it, in turns, each in its own process, which has labelled a few texts before; opening the model is
not timed. fastText has 5 epochs and words 1-2; lower-casing its texts and adding spaces
around punctuation is timed. Texts per second are medians of the runs. The time for one text is the
mean of single calls on up to 500 test rows. Differences are the test rows to which textclf and the
pipeline give different labels.
"""

from __future__ import annotations

import importlib
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.children import alone, run_textclf
from benchmarks.options import Options
from benchmarks.ratios import Ratio
from benchmarks.report import Skipped
from benchmarks.sets import DataSet, read_rows, shuffled
from benchmarks.train import prepared

_GRID = r"""
[features.word]
ngram_range = [[1, 2]]
sublinear_tf = true
token_pattern = '\w+|[^\w\s]'
[classifier.LinearSVC]
C = [1]
"""
_SINGLE = 500
_WARM = 200_000
"""Characters that are labelled before: enough for textclf to load its loops for many texts."""

_LEAST = 1.0
"""Seconds that are labelled at least, over and over."""


@dataclass(frozen=True)
class Speed:
    """Texts a second when many are labelled at once, seconds for a single one, and the labels."""

    texts_per_second: float
    seconds_for_one: float
    labels: Sequence[str]


@dataclass(frozen=True)
class PredictRow:
    """One set. Ratios: how many times as many texts a second textclf labels."""

    set: str
    rows: int
    ours: Sequence[float]
    sklearn: Sequence[float]
    fasttext: Sequence[float]
    one: Sequence[float]
    sklearn_one: Sequence[float]
    over_sklearn: Ratio
    over_fasttext: Ratio | None
    differences: int

    def cells(self) -> dict[str, str]:
        """The line of the table."""
        return {
            "set": self.set,
            "rows": f"{self.rows:,}",
            "textclf, texts/s": f"{median(self.ours):,.0f}",
            "scikit-learn": f"{median(self.sklearn):,.0f}",
            "ratio": str(self.over_sklearn),
            "fastText": f"{median(self.fasttext):,.0f}" if self.fasttext else "–",
            "ratio to fastText": str(self.over_fasttext) if self.over_fasttext else "–",
            "one text": f"{1e3 * median(self.one):.2f} ms",
            "scikit-learn, one text": f"{1e3 * median(self.sklearn_one):.2f} ms",
            "differences": str(self.differences),
        }


def run(data: DataSet, options: Options) -> Iterator[PredictRow | Skipped]:
    """Compare on one set."""
    with tempfile.TemporaryDirectory() as name:
        models = _trained(data, Path(name))
        found: list[tuple[Speed, ...]] = []
        for _ in range(options.repeat):
            sides = [alone(_ours, models, data), alone(_sklearn, models, data)]
            if find_spec("fasttext"):
                sides.append(alone(_fasttext, data))
            found.append(tuple(sides))
    if not find_spec("fasttext"):
        yield Skipped(data.name, "fastText is not installed (it needs a C++ compiler)")
    ours, sklearn, *rest = zip(*found, strict=True)
    ours_speed, sklearn_speed = _speeds(ours), _speeds(sklearn)
    fasttext = _speeds(rest[0]) if rest else []
    yield PredictRow(
        set=data.name,
        rows=len(ours[0].labels),
        ours=ours_speed,
        sklearn=sklearn_speed,
        fasttext=fasttext,
        one=[speed.seconds_for_one for speed in ours],
        sklearn_one=[speed.seconds_for_one for speed in sklearn],
        over_sklearn=Ratio.of(ours_speed, sklearn_speed),
        over_fasttext=Ratio.of(ours_speed, fasttext) if fasttext else None,
        differences=sum(a != b for a, b in zip(ours[0].labels, sklearn[0].labels, strict=True)),
    )


def _speeds(runs: Sequence[Speed]) -> list[float]:
    return [speed.texts_per_second for speed in runs]


def _trained(data: DataSet, folder: Path) -> Path:
    (folder / "grid.toml").write_text(_GRID, encoding="utf-8")
    files = [str(data.train), "--test", str(data.test), "--models", str(folder / "models")]
    run_textclf("train", *files, "--grid", str(folder / "grid.toml"), "--cv", "2", "--quiet")
    return folder / "models"


def _ours(models: Path, data: DataSet) -> Speed:
    from textclf import load

    predictor = load(models)
    return _measured(predictor.label, predictor.predict, read_rows(data.test).texts)


def _sklearn(models: Path, data: DataSet) -> Speed:
    import joblib

    pipeline = joblib.load(models / "text_classifier.joblib")
    return _measured(
        lambda texts: pipeline.predict(texts).tolist(),
        lambda text: pipeline.predict([text]),
        read_rows(data.test).texts,
    )


def _fasttext(data: DataSet) -> Speed:
    import joblib

    fasttext = importlib.import_module("fasttext")  # it has no types
    rows = shuffled(read_rows(data.train), 0)
    numbers = {label: f"__label__{n}" for n, label in enumerate(sorted(set(rows.labels)))}
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "train"
        pairs = zip(rows.texts, rows.labels, strict=True)
        path.write_text("".join(f"{numbers[b]} {prepared(a)}\n" for a, b in pairs), "utf-8")
        model = fasttext.train_supervised(
            input=str(path), wordNgrams=2, verbose=0, thread=joblib.cpu_count()
        )
    labels = {number: label for label, number in numbers.items()}

    def label(texts: Sequence[str]) -> list[str]:
        found, _ = model.predict([prepared(text) for text in texts])
        return [labels[each[0]] if each else "" for each in found]

    return _measured(label, lambda text: label([text]), read_rows(data.test).texts)


def _enough(texts: Sequence[str]) -> list[str]:
    found, size = [], 0
    for text in itertools.cycle(texts):
        found.append(text)
        size += len(text)
        if size >= _WARM:
            break
    return found


def _measured(
    label: Callable[[Sequence[str]], list[str]],
    one: Callable[[str], Any],
    texts: Sequence[str],
) -> Speed:
    label(_enough(texts))
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < _LEAST or not done:
        labels = label(texts)
        done += len(texts)
    many = done / (time.perf_counter() - start)
    single = texts[:_SINGLE]
    start = time.perf_counter()
    for text in single:
        one(text)
    return Speed(many, (time.perf_counter() - start) / len(single), labels)

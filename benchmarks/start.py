"""Labelling one text from the shell, with models of growing size; the whole process is timed.

``textclf predict TEXT`` is compared with ``textclf --version`` (the time of Python and the command
line alone), with a Python program that opens the same model with joblib and predicts, and with one
that uses a fastText model of as many words (dimension 100, the default). The models have the labels
of the set, the words of its first test text and invented words, and random weights: the time to
open a model does not depend on its weights. Each figure is the median of five times the number of
runs asked for; the sides take turns, in an empty folder, with all files in the page cache.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from benchmarks.children import alone, run_textclf
from benchmarks.options import Options
from benchmarks.report import Skipped
from benchmarks.sets import SAMPLE, DataSet, find_sets, read_rows

_RUNS = 5
_JOBLIB = "import sys, joblib; print(joblib.load(sys.argv[1]).predict([sys.argv[2]])[0])"
_FASTTEXT = "import sys, fasttext; print(fasttext.load_model(sys.argv[1]).predict([sys.argv[2]]))"


@dataclass(frozen=True)
class StartRow:
    """One size of model: the seconds of each run."""

    set: str
    labels: int
    features: int
    version: Sequence[float]
    ours: Sequence[float]
    joblib: Sequence[float]
    fasttext: Sequence[float]

    def cells(self) -> dict[str, str]:
        """The line of the table."""
        ours = median(self.ours)
        theirs = median(self.fasttext) if self.fasttext else None
        return {
            "set": self.set,
            "labels": str(self.labels),
            "n-grams": f"{self.features:,}",
            "textclf --version": f"{1e3 * median(self.version):.0f} ms",
            "textclf predict": f"{1e3 * ours:.0f} ms",
            "over --version": f"{ours / median(self.version):.2f}",
            "joblib": f"{1e3 * median(self.joblib):,.0f} ms",
            "faster": f"{median(self.joblib) / ours:.1f} ×",
            "fastText": f"{1e3 * theirs:,.0f} ms" if theirs else "–",
            "faster than fastText": f"{theirs / ours:.1f} ×" if theirs else "–",
        }


def run(data: DataSet, options: Options) -> Iterator[StartRow | Skipped]:
    """Measure each size, with the labels of one set."""
    test = read_rows(data.test)
    text = " ".join(test.texts[0].split())[:2000]
    labels = sorted(set(test.labels))
    if not find_spec("fasttext"):
        yield Skipped(data.name, "fastText is not installed (it needs a C++ compiler)")
    for features in options.vocabularies:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            alone(_publish, folder / "models", labels, text, features)
            if find_spec("fasttext"):
                alone(_train_fasttext, folder, labels, text, features)
            yield StartRow(
                data.name, len(labels), features, *_timed(folder, text, _RUNS * options.repeat)
            )


def _timed(folder: Path, text: str, runs: int) -> tuple[list[float], ...]:
    """The seconds of each command, in turns."""
    textclf = [sys.executable, "-m", "textclf"]
    models, python = str(folder / "models"), [sys.executable, "-c"]
    commands = [
        [*textclf, "--version"],
        [*textclf, "predict", "--models", models, "--", text],
        [*python, _JOBLIB, f"{models}/text_classifier.joblib", text],
    ]
    if (folder / "fasttext.bin").exists():
        commands.append([*python, _FASTTEXT, str(folder / "fasttext.bin"), text])
    seconds: list[list[float]] = [[], [], [], []]
    surroundings = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for turn in range(runs + 1):
        for side, command in enumerate(commands):
            begin = time.perf_counter()
            subprocess.run(  # noqa: S603 - as put together here
                command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True,
                cwd=folder, env=surroundings,
            )  # fmt: skip
            if turn:  # before, nothing is in the page cache, and no byte code on disk
                seconds[side].append(time.perf_counter() - begin)
    return tuple(seconds)


def _words(text: str, features: int) -> list[str]:
    own = dict.fromkeys(text.lower().split())
    return [*own, *(f"word{n}" for n in range(features - len(own)))][:features]


def _publish(models: Path, labels: Sequence[str], text: str, features: int) -> None:
    """A version with a model of that size: the metadata are of another, the files its own."""
    import msgspec
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import FeatureUnion, Pipeline
    from sklearn.svm import LinearSVC

    from textclf import LocalStore, Registry
    from textclf.artifact import model_file as artifact
    from textclf.scorer.scorer import SCORER
    from textclf.scorer.writer import compile_scorer

    [sample] = find_sets(SAMPLE)
    grid = models.parent / "grid.toml"
    grid.write_text("[features.word]\n[classifier.ComplementNB]\n", encoding="utf-8")
    run_textclf("train", str(sample.train), "--grid", str(grid), "--models", str(models), "-q")
    words = sorted(_words(text, features))
    vectorizer = TfidfVectorizer(token_pattern=r"\S+")  # noqa: S106 - no password
    vectorizer.vocabulary_ = {word: number for number, word in enumerate(words)}
    vectorizer.idf_ = np.ones(features)
    classifier = LinearSVC()
    classifier.classes_ = np.asarray(labels)
    outputs = 1 if len(labels) == 2 else len(labels)  # noqa: PLR2004 - of two, one value tells
    classifier.coef_ = np.random.default_rng(0).normal(size=(outputs, features))
    classifier.intercept_ = np.zeros(outputs)
    pipeline = Pipeline(
        [("features", FeatureUnion([("word", vectorizer)])), ("classifier", classifier)]
    )
    registry = Registry(LocalStore(models))
    metadata = registry.metadata(registry.resolve("latest"))
    data = artifact.to_bytes(pipeline)
    made = msgspec.structs.replace(metadata, artifact=artifact.describe(data))
    published = registry.publish(made, data, {SCORER: compile_scorer(pipeline)})
    registry.promote(registry.resolve(published.version))


def _train_fasttext(folder: Path, labels: Sequence[str], text: str, features: int) -> None:
    import importlib

    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # it shows its progress, whatever one says
    fasttext = importlib.import_module("fasttext")  # it has no types
    words = _words(text, features)
    random.Random(0).shuffle(words)  # noqa: S311 - no secret
    size = min(100, max(1, len(words) // len(labels)))
    lines = (
        f"__label__{at // size % len(labels)} {' '.join(words[at : at + size])}\n"
        for at in range(0, len(words), size)
    )
    (folder / "train").write_text("".join(lines), encoding="utf-8")
    model = fasttext.train_supervised(
        input=str(folder / "train"), epoch=1, minCount=1, bucket=0, verbose=0
    )
    model.save_model(str(folder / "fasttext.bin"))

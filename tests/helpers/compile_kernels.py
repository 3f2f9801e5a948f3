"""Compile what Numba compiles, before many processes would each do it at the same time.

A small training and a batch of predictions call the compiled functions; Numba keeps the machine
code beside the sources, where it stays until they change.
"""

import contextlib
import sys
import tempfile
from pathlib import Path

from paths import TRAIN

from textclf.cli.app import run

GRID = r"""
[[space]]
features.word.ngram_range = [[1, 2]]
features.word.min_df = [1, 2]
features.char_wb.ngram_range = [[2, 3]]
classifier.LinearSVC.C = [0.1, 1]

[[space]]
features.word.token_pattern = '\w+|[^\w\s]'
classifier.LinearSVC.C = [0.1, 1]
classifier.LinearSVC.dual = false

[[space]]
features.char.ngram_range = [[1, 3]]
features.char.max_features = 500
classifier.ComplementNB.alpha = 1
"""


def main():
    """Train, and predict the training texts; return the exit code."""
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        Path("grid.toml").write_text(GRID, "utf-8")
        texts = TRAIN.read_text("utf-8").splitlines()
        Path("train.csv").write_text("\n".join(texts[:200]) + "\n", "utf-8")
        Path("texts.txt").write_text("\n".join(texts), "utf-8")
        with Path("output.txt").open("w") as output, contextlib.redirect_stdout(output):
            run(["train", "train.csv", "--grid", "grid.toml", "--cv", "2", "--quiet"])
            return run(["predict", "--file", "texts.txt"])


if __name__ == "__main__":
    sys.exit(main())

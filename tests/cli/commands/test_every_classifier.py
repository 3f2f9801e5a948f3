"""Every classifier of a search space, through every command that opens the models it makes."""

import csv
import itertools
import json
import random

import pytest
from effort import cases

from textclf.search.space import CLASSIFIERS

FEATURES = {
    "words": "[features.word]\n",
    "joined": "[features.word]\nmin_df = 2\n[features.char_wb]\nngram_range = [[2, 3]]\n",
}
ROWS = {2: 12, 3: 8, 77: 3}
"""Training rows of each label, by the number of labels."""


def write_rows(path, labels, each, seed):
    """Write rows whose words mostly belong to their label."""
    dice = random.Random(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["text", "label"])
        for n in range(labels * each):
            topics = [n % labels if dice.random() < 0.8 else dice.randrange(labels)] * 4
            words = [f"word{topic}{dice.choice('abc')}" for topic in topics]
            writer.writerow([f"{' '.join(words)} {seed}x{n}", f"label {n % labels:02}"])


@pytest.mark.parametrize(
    ("features", "labels"),
    cases([("words", 2), ("joined", 3)], list(itertools.product(FEATURES, ROWS))),
)
@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_every_classifier_goes_through_every_command(cli, empty, classifier, features, labels):
    """A model of any classifier is published, labels, is explained, compared and reproduced."""
    write_rows(empty / "train.csv", labels, ROWS[labels], seed=1)
    write_rows(empty / "test.csv", labels, 2, seed=2)
    (empty / "grid.toml").write_text(f"{FEATURES[features]}[classifier.{classifier}]\n")
    train = ["train", "train.csv", "--test", "test.csv", "--grid", "grid.toml", "--cv", "2"]
    for arguments in (
        train,
        [*train, "--bump", "patch", "--seed", "1"],
        ["versions", "report", "1.0.0", "1.0.1", "--data", "test.csv", "-o", "report.html"],
        ["versions", "compare", "1.0.0", "1.0.1", "--data", "test.csv"],
        ["evaluate", "test.csv"],
        ["predict", "--explain", "word0a word1b"],
        ["reproduce", "1.0.1"],
        ["verify"],
    ):
        outcome = cli(*arguments)
        assert outcome.code == 0, (arguments, outcome)
    [prediction] = json.loads(cli("predict", "--json", "word0a word0b word0c").out)["predictions"]
    assert prediction["label"] == "label 00"

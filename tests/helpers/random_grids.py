"""Random grids on random rows against GridSearchCV, for as long as one likes; outside the suite.

    python tests/helpers/random_grids.py --minutes 60 --data FOLDER

prints every fold score that differs by a row or more, as JSON with all that repeats it, and at
last how many cases were compared. ``--data`` names folders with data sets (``train.csv``, possibly
gzipped, with the columns text and label); without it, the rows are those of the sample data.
"""

import argparse
import csv
import gzip
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
from paths import ROOT
from search_oracle import found_scores, theirs

from textclf.search.grid_search import stratified_folds
from textclf.search.space import BLOCKS, list_candidates

CLASSIFIER_VALUES = {
    "LinearSVC": {
        "C": [0.1, 1, 10],
        "class_weight": [None, "balanced"],
        "loss": ["squared_hinge", "hinge"],
        "dual": ["auto", True, False],
        "tol": [1e-4, 1e-2],
        "max_iter": [1000, 5],
        "fit_intercept": [True, False],
    },
    "LogisticRegression": {
        "C": [0.1, 1, 10],
        "class_weight": [None, "balanced"],
        "solver": ["lbfgs", "newton-cg", "liblinear"],
        "max_iter": [100, 5],
    },
    "RidgeClassifier": {
        "alpha": [0, 0.1, 1, 10],
        "max_iter": [None, None, 3],
        "class_weight": [None, "balanced"],
        "solver": ["auto", "lsqr", "cholesky", "svd"],
        "fit_intercept": [True, False],
    },
    "SGDClassifier": {
        "alpha": [1e-4, 1e-3],
        "loss": ["hinge", "log_loss", "modified_huber"],
        "penalty": ["l2", "l1", "elasticnet"],
        "average": [False, True],
    },
    "ComplementNB": {"alpha": [0.01, 1], "norm": [True, False]},
    "MultinomialNB": {"alpha": [0.01, 1], "fit_prior": [True, False]},
}

VECTORIZER_VALUES = {
    "binary": [True, False],
    "lowercase": [True, False],
    "max_df": [0.3, 0.9, 1.0, 8],
    "max_features": [None, 20, 150],
    "min_df": [1, 2, 0.02, 60],
    "ngram_range": [[1, 1], [1, 2], [2, 3], [3, 3]],
    "norm": ["l1", "l2", None],
    "smooth_idf": [True, False],
    "stop_words": [None, "english", ["the", "it's"]],
    "strip_accents": [None, "ascii", "unicode"],
    "sublinear_tf": [True, False],
    "token_pattern": [r"\w+", r"\w+|[^\w\s]", r"\S+", r"\w+ \w+"],
    "use_idf": [True, False],
}

MORE_VALUES = {
    "LinearSVC": {"penalty": ["l2", "l1"], "intercept_scaling": [1, 3], "C": [0.01, 30, 1000]},
    "LogisticRegression": {
        "solver": ["saga", "sag"],
        "l1_ratio": [0, 0.5, 1],
        "fit_intercept": [False],
        "tol": [1e-2],
        "C": [100],
    },
    "RidgeClassifier": {
        "solver": ["sag", "saga", "sparse_cg", "lbfgs"],
        "positive": [False, True],
        "tol": [1e-2],
        "alpha": [0, 1e-3, 100],
        "max_iter": [None, 3],
    },
    "SGDClassifier": {
        "loss": ["squared_hinge", "perceptron", "huber", "squared_error"],
        "learning_rate": ["optimal", "adaptive", "invscaling", "constant"],
        "eta0": [0.01, 0.1],
        "early_stopping": [False, True],
        "class_weight": [None, "balanced"],
        "max_iter": [1000, 5],
    },
    "ComplementNB": {"alpha": [0, 1e-10, 10], "fit_prior": [True, False]},
    "MultinomialNB": {"alpha": [0, 1e-10, 10]},
}
"""Further values, with which a case takes longer or scikit-learn often fails.

``newton-cholesky`` is left out: it needs memory for the square of the number of columns.
"""

MORE_FEATURES = {"max_features": [500, 2000], "min_df": [3], "max_df": [0.1]}


def values_of(name):
    """All values of the parameters of a classifier."""
    few, more = CLASSIFIER_VALUES[name], MORE_VALUES[name]
    return {key: [*few.get(key, []), *more.get(key, [])] for key in {**few, **more}}


def draw_table(dice, values, most):
    """Some parameters with a value each, one of them perhaps with two."""
    names = dice.sample(sorted(values), dice.randint(0, min(most, len(values))))
    return {
        name: dice.sample(
            values[name], 1 + (n == 0 < len(values[name]) - 1 and dice.random() < 0.3)
        )
        for n, name in enumerate(names)
    }


def draw_grid(dice):
    """One or two blocks of features and a classifier."""
    features = {key: [*v, *MORE_FEATURES.get(key, [])] for key, v in VECTORIZER_VALUES.items()}
    blocks = dice.sample(BLOCKS, dice.choice([1, 1, 2]))
    name = dice.choice(sorted(CLASSIFIER_VALUES))
    return {
        "features": {block: draw_table(dice, features, 4) for block in blocks},
        "classifier": {name: draw_table(dice, values_of(name), 4)},
    }


def draw_rows(dice, sets):
    """Some rows of a data set, with 2 to 20 labels, or texts of very few different words."""
    labels = dice.choice([2, 2, 3, 4, 7, 12, 20])
    size = dice.choice([40, 90, 200, 480])
    if dice.random() < 0.2:
        words = [f"w{n}" for n in range(dice.choice([5, 30, 200]))]
        texts = [" ".join(dice.choices(words, k=dice.randint(1, 8))) for _ in range(size)]
        return texts, [f"c{hash_of(text, labels)}" for text in texts]
    rows = dice.choice(sets)
    counts = Counter(label for _, label in rows)
    known = [label for label, count in counts.items() if count > 3]
    kept = set(dice.sample(known, min(labels, len(known))))
    rows = [row for row in rows if row[1] in kept]
    rows = dice.sample(rows, min(size, len(rows)))
    return [text for text, _ in rows], [label for _, label in rows]


def hash_of(text, labels):
    """A label that mostly follows from the first word."""
    return (int(text.split()[0][1:]) + len(text) // 9) % labels


def differences(sample, grid, folds):
    """The scores that differ: each with its candidate, the fold, the number of rows, and both."""
    candidates = list_candidates([grid])
    mine, _ = found_scores(sample, candidates, folds)
    for candidate, ours, oracle in zip(
        candidates, mine, theirs(sample, candidates, folds), strict=True
    ):
        for number, (_, held_out) in enumerate(folds):
            rows = abs(ours[number] - oracle[number]) * len(held_out)
            failed = np.isnan(ours[number]) != np.isnan(oracle[number])
            if failed or rows > 0.01:
                yield {
                    "candidate": candidate.flattened(), "fold": number, "rows": rows,
                    "of": len(held_out), "ours": ours[number], "theirs": oracle[number],
                }  # fmt: skip


def read_rows(path):
    """The rows of a data set, read without textclf."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        rows = [(row["text"][:600], row["label"]) for row in csv.DictReader(file)]
    return random.Random(0).sample(rows, min(len(rows), 3000))


def main():
    """Compare for as long as asked; the exit code is 1 if a score differs by more than a row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=0, help="of the first case; 1 more each")
    parser.add_argument("--data", type=Path, nargs="*", default=[ROOT / "data"])
    given = parser.parse_args()
    csv.field_size_limit(1 << 24)
    sets = [read_rows(path) for folder in given.data for path in sorted(folder.glob("train.csv*"))]
    end, seed, off = time.monotonic() + 60 * given.minutes, given.seed, Counter()
    while time.monotonic() < end:
        dice = random.Random(seed)
        grid, sample, count = draw_grid(dice), draw_rows(dice, sets), dice.choice([2, 3, 4])
        try:
            folds = stratified_folds(sample[1], count, 7)
        except Exception as error:  # noqa: BLE001 - too few rows
            off[type(error).__name__] += 1
            seed += 1
            continue
        for found in differences(sample, grid, folds):
            off["one row" if 0.5 < found["rows"] < 1.5 else "more"] += 1
            about = {"seed": seed, "rows of the set": len(sample[0]), "labels": len({*sample[1]})}
            sys.stdout.write(json.dumps(about | found) + "\n")
            sys.stdout.flush()
        seed += 1
    sys.stdout.write(json.dumps({"cases": seed - given.seed, "differences": off}) + "\n")
    return int(off["more"] > 0)


if __name__ == "__main__":
    sys.exit(main())

"""GridSearchCV as the oracle of the search, and the rows that both search."""

import math
import warnings

import numpy as np
from sklearn.model_selection import GridSearchCV

from textclf.search.estimators import build_pipeline
from textclf.search.grid_search import grid_search, stratified_folds
from textclf.search.results import summarize

FOLDS = 4


def ours(sample, candidates, *, scoring="accuracy", jobs=1):
    texts, labels = sample
    folds = stratified_folds(labels, FOLDS, seed=7)
    fits = grid_search(texts, labels, candidates, folds, scoring=scoring, seed=7, jobs=jobs)
    return summarize(candidates, fits)


def their_scores(point, texts, labels, folds, scoring):
    """GridSearchCV's scores of one candidate on each fold, NaN where it failed."""
    estimator = build_pipeline(point, 7)
    search = GridSearchCV(
        estimator, {"classifier": [estimator.named_steps["classifier"]]},
        cv=folds, scoring=scoring, refit=False,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            search.fit(np.array(texts, object), np.array(labels))
        except ValueError as error:
            assert "fits failed" in str(error)  # noqa: PT017 - any other one is raised
            return [math.nan] * len(folds)
    return [float(search.cv_results_[f"split{k}_test_score"][0]) for k in range(len(folds))]


def theirs(sample, candidates, folds, scoring="accuracy"):
    return [their_scores(point, *sample, folds, scoring) for point in candidates]


def found_scores(sample, candidates, folds, **how):
    """Our scores of each candidate on each fold, NaN where it failed, and the candidates."""
    given_settings = {"scoring": "accuracy", "seed": 7, "jobs": 1} | how
    found = summarize(candidates, grid_search(*sample, candidates, folds, **given_settings))
    scores = [[math.nan if s is None else s for s in one.fold_scores] for one in found]
    return scores, found


def relabelled(texts, labels, classes):
    """The sample's labels made into two, three or nine."""
    if classes == 2:
        return ["bad" if label == "negative" else "other" for label in labels]
    if classes == 9:
        return [f"{label}{len(text) % 3}" for text, label in zip(texts, labels, strict=True)]
    return labels


def rows_of_phrases():
    """Texts with more words than there are texts, and fewer phrases that the words stand in."""
    numbers = np.random.default_rng(1)
    phrases = [" ".join(f"p{phrase}w{word}" for word in range(20)) for phrase in range(40)]
    picks = [numbers.choice(40, 5) for _ in range(90)]
    texts = [" ".join(phrases[number] for number in pick) for pick in picks]
    labels = [f"c{pick[0] % 3}" for pick in picks]
    return texts, labels

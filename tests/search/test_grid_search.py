"""The search against its oracle, scikit-learn's GridSearchCV."""

import math

import numpy as np
import pytest
from effort import cases
from hypothesis import given, settings
from hypothesis import strategies as st
from random_grids import CLASSIFIER_VALUES, VECTORIZER_VALUES
from search_oracle import FOLDS, found_scores, ours, relabelled, theirs
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC

from textclf.errors import DataError
from textclf.search.estimators import build_classifier, build_pipeline
from textclf.search.grid_search import grid_search, stratified_folds
from textclf.search.results import best
from textclf.search.space import (
    BLOCKS,
    CLASSIFIERS,
    VECTORIZER_PARAMETERS,
    CandidateParams,
    SpaceSource,
    list_candidates,
    parse_space,
)

GRIDS = {
    "words": """
        [features.word]
        ngram_range = [[1, 1], [1, 2]]
        min_df = [1, 2]
        [classifier.LinearSVC]
        C = [0.1, 1]
    """,
    "characters": """
        [features.char_wb]
        ngram_range = [[2, 3]]
        sublinear_tf = [true, false]
        [classifier.RidgeClassifier]
        alpha = [0.5, 2]
    """,
    "joined, several classifiers": """
        [features.word]
        token_pattern = '\\w+|[^\\w\\s]'
        [features.char]
        ngram_range = [[1, 3]]
        max_features = [500]
        [classifier.ComplementNB]
        alpha = [0.1, 1]
        [classifier.SGDClassifier]
        alpha = [1e-4]
        [classifier.LogisticRegression]
        C = [1, 10]
        class_weight = "balanced"
    """,
    "a union": """
        [[space]]
        features.word.binary = [true, false]
        classifier.MultinomialNB.alpha = [0.1, 1]
        [[space]]
        features.char_wb.ngram_range = [[3, 4]]
        classifier.LinearSVC.C = 0.5
    """,
}


def grids_of(space):
    """The same space as param_grid, one dictionary for each classifier."""
    for grid in space:
        for name, given_settings in grid["classifier"].items():
            tables = {"classifier": [build_classifier(CandidateParams({}, name, {}), 7)]}
            tables |= {f"classifier__{key}": values for key, values in given_settings.items()}
            for block, table in grid["features"].items():
                for key, values in table.items():
                    as_given = [tuple(v) if key == "ngram_range" else v for v in values]
                    tables[f"features__{block}__{key}"] = as_given
            yield (
                build_pipeline(CandidateParams({b: {} for b in grid["features"]}, name, {}), 7),
                tables,
            )


@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro"])
@pytest.mark.parametrize("name", GRIDS)
def test_scores_and_winner_are_those_of_grid_search_cv(sample, name, scoring):
    """Every fold score of every candidate is GridSearchCV's to the last bit, so is the winner."""
    space = parse_space(SpaceSource(name, GRIDS[name]))
    found = ours(sample, list_candidates(space), scoring=scoring)
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=7)
    texts, labels = np.array(sample[0], object), np.array(sample[1])
    theirs, means, deviations, params = [], [], [], []
    for estimator, tables in grids_of(space):
        search = GridSearchCV(estimator, tables, cv=splitter, scoring=scoring, refit=False)
        search.fit(texts, labels)
        results = search.cv_results_
        theirs += zip(*(results[f"split{k}_test_score"] for k in range(FOLDS)), strict=True)
        means += results["mean_test_score"].tolist()
        deviations += results["std_test_score"].tolist()
        params += results["params"]
    assert [list(scores) for scores in theirs] == [c.fold_scores for c in found]
    assert means == [c.mean for c in found]
    assert deviations == [c.std for c in found]
    assert best(found) == means.index(max(means))
    assert all(c.fit_seconds > 0 for c in found)
    for candidate, their in zip(found, params, strict=True):
        expected = {k: list(v) if isinstance(v, tuple) else v for k, v in their.items()}
        expected["classifier"] = type(expected["classifier"]).__name__
        assert candidate.params == expected


def test_the_winner_is_that_of_a_plain_pipeline(sample):
    """The whole of GridSearchCV over one grid picks the same candidate with the same mean."""
    plain = Pipeline([("tfidf", TfidfVectorizer()), ("svm", LinearSVC(random_state=7))])
    grid = {"tfidf__ngram_range": [(1, 1), (1, 2)], "svm__C": [0.1, 1, 10]}
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=7)
    search = GridSearchCV(plain, grid, cv=splitter).fit(np.array(sample[0], object), sample[1])
    text = """
        [features.word]
        ngram_range = [[1, 1], [1, 2]]
        [classifier.LinearSVC]
        C = [0.1, 1, 10]
    """
    found = ours(sample, list_candidates(parse_space(SpaceSource("grid", text))))
    winner = found[best(found)]
    assert winner.mean == search.best_score_
    assert winner.params["classifier__C"] == search.best_params_["svm__C"]
    assert (
        tuple(winner.params["features__word__ngram_range"])
        == (search.best_params_["tfidf__ngram_range"])
    )


def test_results_come_while_the_search_goes_on(sample, monkeypatch):
    """Each (candidate, fold) is yielded once, and the first before the last is computed."""
    texts, labels = sample
    candidates = list_candidates(parse_space(SpaceSource("grid", GRIDS["words"])))
    folds = stratified_folds(labels, FOLDS, 0)
    fitted = []
    scorer = get_scorer("f1_macro")
    monkeypatch.setattr(
        "textclf.search.fit.get_scorer",
        lambda _: lambda *given: (fitted.append(1), scorer(*given))[1],
    )
    fits = grid_search(texts, labels, candidates, folds, scoring="f1_macro", seed=0, jobs=1)
    first = next(fits)
    done = len(fitted)
    rest = list(fits)
    assert done < len(fitted)
    pairs = {(fit.candidate, fit.fold) for fit in [first, *rest]}
    assert len(pairs) == 1 + len(rest) == len(candidates) * FOLDS


def test_long_tasks_come_before_short_ones(sample):
    """After one fold of all candidates, so that no thread is left with a long one at the end."""
    texts, labels = sample
    blocks = {"one": {"word": {}}, "both": {"word": {}, "char": {}}}
    candidates = [CandidateParams(block, "ComplementNB", {}) for block in blocks.values()]
    folds = stratified_folds(labels, 3, 0)
    fits = grid_search(texts, labels, candidates, folds, scoring="accuracy", seed=0, jobs=1)
    order = [(fit.fold, list(blocks)[fit.candidate]) for fit in fits]
    early, late = [(0, "both"), (0, "one")], [(1, "one"), (2, "one")]
    assert order == [*early, (1, "both"), (2, "both"), *late]


def test_accuracy_is_known_whatever_is_maximised(sample):
    """Beside the score of another metric stands the accuracy that GridSearchCV gives for it."""
    candidates = list_candidates(parse_space(SpaceSource("grid", GRIDS["words"])))
    by_accuracy = ours(sample, candidates)
    by_f1 = ours(sample, candidates, scoring="f1_macro")
    assert [c.accuracy for c in by_f1] == [c.mean for c in by_accuracy]
    assert [c.mean for c in by_f1] != [c.mean for c in by_accuracy]


def test_too_few_rows_for_the_folds_are_refused():
    """Where every label has fewer rows than there are folds, the answer is a sentence."""
    with pytest.raises(DataError, match="4 rows are too few for 5 folds"):
        stratified_folds(["a", "b", "a", "b"], 5, 0)


def test_the_folds_are_those_of_stratified_k_fold():
    """Folds are shuffled with the seed and stratified, row for row as scikit-learn's."""
    labels = ["a"] * 9 + ["b"] * 5
    theirs = StratifiedKFold(3, shuffle=True, random_state=11).split(labels, labels)
    for (train, held_out), (train_, held_out_) in zip(
        stratified_folds(labels, 3, 11), theirs, strict=True
    ):
        assert train.tolist() == train_.tolist()
        assert held_out.tolist() == held_out_.tolist()


@st.composite
def tables(draw, values, most):
    """Draw some parameters, each with one value, but one of them may have two."""
    names = draw(st.lists(st.sampled_from(sorted(values)), unique=True, max_size=most))
    drawn = {name: [draw(st.sampled_from(values[name]))] for name in names}
    if names and draw(st.booleans()):
        other = draw(st.sampled_from(values[names[0]]))
        drawn[names[0]] += [other] * (other not in drawn[names[0]])
    return drawn


@st.composite
def random_grids(draw):
    """Draw one or two blocks of features and a classifier."""
    blocks = draw(st.lists(st.sampled_from(BLOCKS), unique=True, min_size=1, max_size=2))
    name = draw(st.sampled_from(sorted(CLASSIFIER_VALUES)))
    return {
        "features": {block: draw(tables(VECTORIZER_VALUES, 4)) for block in blocks},
        "classifier": {name: draw(tables(CLASSIFIER_VALUES[name], 3))},
    }


def test_every_parameter_is_drawn():
    """The tables that random grids are made of know all settings and classifiers of a space."""
    assert set(VECTORIZER_VALUES) == set(VECTORIZER_PARAMETERS)
    assert set(CLASSIFIER_VALUES) == set(CLASSIFIERS)


@settings(deadline=None, max_examples=cases(10, 25), derandomize=True)
@given(
    random_grids(),
    st.integers(0, 1000),
    st.sampled_from([2, 3, 9]),
    st.sampled_from(["accuracy", "f1_macro"]),
)
def test_random_grids_score_as_in_grid_search_cv(whole, grid, start, classes, scoring):
    """Any settings that a space can have: the same fold scores, missing where a fit fails there."""
    rows = slice(start, start + 90)
    texts, labels = whole[0][rows], relabelled(whole[0][rows], whole[1][rows], classes)
    candidates = list_candidates([grid])
    folds = stratified_folds(labels, 3, 7)
    scores, found = found_scores((texts, labels), candidates, folds, scoring=scoring)
    expected = theirs((texts, labels), candidates, folds, scoring)
    for candidate, mine, their in zip(candidates, scores, expected, strict=True):
        assert np.array_equal(mine, their, equal_nan=True), candidate
    means = [np.mean(their) for their in expected]
    if not all(map(math.isnan, means)):
        assert best(found) == np.nanargmax(means)


def test_the_number_of_threads_changes_nothing(sample):
    """Two threads give the same scores, correct rows, decisions, costs and warnings as one."""
    space = parse_space(SpaceSource("grid", GRIDS["joined, several classifiers"]))
    candidates = [
        *list_candidates(space),
        CandidateParams({"word": {}}, "LogisticRegression", {"max_iter": 2}),
    ]
    folds = stratified_folds(sample[1], 3, 7)
    runs = []
    for jobs in (1, 2, None):
        fits = list(grid_search(*sample, candidates, folds, scoring="accuracy", seed=7, jobs=jobs))
        fits.sort(key=lambda fit: (fit.candidate, fit.fold))
        runs.append(
            [
                (
                    fit.candidate, fit.fold, fit.score, fit.cost, fit.warnings,
                    fit.correct.tolist(), None if fit.decisions is None else fit.decisions.tolist(),
                )
                for fit in fits
            ]
        )  # fmt: skip
    assert runs[0] == runs[1] == runs[2]

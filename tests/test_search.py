"""The search against its oracle, scikit-learn's GridSearchCV."""

import csv
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC

from textclf.errors import DataError
from textclf.search import best, classifier, grid_search, pipeline, stratified_folds, summarize
from textclf.space import Point, SpaceSource, parse_space, points

SAMPLE = Path(__file__).parent.parent / "data" / "train.csv"
FOLDS = 4

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
    "joined, several classifiers, some with a random state": """
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


@pytest.fixture(scope="module")
def sample():
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:300]
    return [row["text"] for row in rows], [row["label"] for row in rows]


def ours(sample, candidates, *, scoring="accuracy", jobs=1):
    texts, labels = sample
    folds = stratified_folds(labels, FOLDS, seed=7)
    fits = grid_search(texts, labels, candidates, folds, scoring=scoring, seed=7, jobs=jobs)
    return summarize(candidates, fits)


def grids_of(space):
    """The same space as param_grid, one dictionary for each classifier."""
    for grid in space:
        for name, settings in grid["classifier"].items():
            tables = {"classifier": [classifier(Point({}, name, {}), 7)]}
            tables |= {f"classifier__{key}": values for key, values in settings.items()}
            for block, table in grid["features"].items():
                for key, values in table.items():
                    as_given = [tuple(v) if key == "ngram_range" else v for v in values]
                    tables[f"features__{block}__{key}"] = as_given
            yield pipeline(Point({b: {} for b in grid["features"]}, name, {}), 7), tables


@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro"])
@pytest.mark.parametrize("name", GRIDS)
def test_scores_and_winner_are_those_of_grid_search_cv(sample, name, scoring):
    """Every fold score of every candidate is GridSearchCV's to the last bit, so is the winner."""
    space = parse_space(SpaceSource(name, GRIDS[name]))
    found = ours(sample, points(space), scoring=scoring)
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
        told = {k: list(v) if isinstance(v, tuple) else v for k, v in their.items()}
        told["classifier"] = type(told["classifier"]).__name__
        assert candidate.params == told


def test_the_winner_is_the_one_that_a_plain_pipeline_gives(sample):
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
    found = ours(sample, points(parse_space(SpaceSource("grid", text))))
    winner = found[best(found)]
    assert winner.mean == search.best_score_
    assert winner.params["classifier__C"] == search.best_params_["svm__C"]
    assert (
        tuple(winner.params["features__word__ngram_range"])
        == (search.best_params_["tfidf__ngram_range"])
    )


def test_the_number_of_processes_changes_nothing(sample):
    """Two worker processes give the same scores as one process."""
    candidates = points(parse_space(SpaceSource("grid", GRIDS["words"])))
    alone, together = ours(sample, candidates), ours(sample, candidates, jobs=2)
    assert [c.fold_scores for c in alone] == [c.fold_scores for c in together]


def test_results_come_while_the_search_goes_on(sample, monkeypatch):
    """Each (candidate, fold) is yielded once, and the first before the last is computed."""
    texts, labels = sample
    candidates = points(parse_space(SpaceSource("grid", GRIDS["words"])))
    folds = stratified_folds(labels, FOLDS, 0)
    fitted = []
    scorer = get_scorer("accuracy")
    monkeypatch.setattr(
        "textclf.search.get_scorer",
        lambda _: lambda *given: (fitted.append(1), scorer(*given))[1],
    )
    fits = grid_search(texts, labels, candidates, folds, scoring="accuracy", seed=0, jobs=1)
    first = next(fits)
    done = len(fitted)
    rest = list(fits)
    assert done < len(fitted)
    pairs = {(fit.candidate, fit.fold) for fit in [first, *rest]}
    assert len(pairs) == 1 + len(rest) == len(candidates) * FOLDS


def test_accuracy_is_known_whatever_is_maximised(sample):
    """Beside the score of another metric stands the accuracy that GridSearchCV gives for it."""
    candidates = points(parse_space(SpaceSource("grid", GRIDS["words"])))
    by_accuracy = ours(sample, candidates)
    by_f1 = ours(sample, candidates, scoring="f1_macro")
    assert [c.accuracy for c in by_f1] == [c.mean for c in by_accuracy]
    assert [c.mean for c in by_f1] != [c.mean for c in by_accuracy]


def test_any_failure_of_a_fit_loses_only_its_candidate(sample):
    """A combination that ends in a TypeError scores nothing, as in GridSearchCV."""
    odd = Point({"word": {}}, "RidgeClassifier", {"solver": "svd", "fit_intercept": False})
    good = Point({"word": {}}, "ComplementNB", {})
    assert best(ours(sample, [odd, good])) == 1


def test_of_equals_the_first_candidate_wins(sample):
    """A tie goes to the candidate that stands first, as in GridSearchCV."""
    twin = Point({"word": {}}, "ComplementNB", {"alpha": 1})
    assert best(ours(sample, [twin, twin, twin])) == 0


def test_a_candidate_that_cannot_be_fitted_loses_and_says_why(sample):
    """As in GridSearchCV, a failed fit scores nothing and the search goes on."""
    bad = Point({"word": {"min_df": 5000}}, "ComplementNB", {})
    good = Point({"word": {}}, "ComplementNB", {})
    found = ours(sample, [bad, good])
    assert found[0].mean is None
    assert found[0].fold_scores == [None] * FOLDS
    assert "min_df" in found[0].notes[0]
    assert best(found) == 1


def test_no_candidate_at_all_is_an_error_with_the_reason(sample):
    """Where every candidate fails, the first reason is the answer."""
    found = ours(sample, [Point({"word": {"min_df": 5000}}, "ComplementNB", {})])
    with pytest.raises(DataError, match="min_df"):
        best(found)


def test_warnings_become_notes(sample):
    """What scikit-learn warns of is kept with the candidate and never printed."""
    hasty = Point({"word": {}}, "LogisticRegression", {"max_iter": 1})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = ours(sample, [hasty])
    assert any("converge" in note for note in found[0].notes)


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


def test_the_pipeline_of_a_point_is_plain_scikit_learn(sample):
    """A refitted winner predicts as a pipeline written by hand."""
    texts, labels = sample
    point = Point({"word": {"ngram_range": [1, 2]}}, "ComplementNB", {"alpha": 0.3})
    by_hand = Pipeline(
        [("tfidf", TfidfVectorizer(ngram_range=(1, 2))), ("nb", ComplementNB(alpha=0.3))]
    )
    expected = by_hand.fit(texts, labels).predict(texts)
    assert pipeline(point, 0).fit(texts, labels).predict(texts).tolist() == expected.tolist()


def test_a_candidate_that_cannot_be_scored_loses(sample, monkeypatch):
    """Where the scorer fails, the score is missing and the reason kept, as in GridSearchCV."""

    def refuse(*_):
        raise ValueError("not for these labels")

    monkeypatch.setattr("textclf.search.get_scorer", lambda _: refuse)
    [found] = ours(sample, [Point({"word": {}}, "ComplementNB", {})])
    assert found.mean is None
    assert found.notes == ["not for these labels"]

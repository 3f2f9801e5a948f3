"""The search against its oracle, scikit-learn's GridSearchCV."""

import gc
import math
import warnings
import weakref

import numpy as np
import pytest
from effort import cases
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_data import sample_rows
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC

from textclf.errors import DataError
from textclf.features.tfidf import CountCache
from textclf.search.estimators import build_classifier, build_pipeline
from textclf.search.fit import FoldResult
from textclf.search.grid_search import grid_search, stratified_folds
from textclf.search.refit import refit
from textclf.search.results import WinnerDecisions, best, summarize
from textclf.search.space import (
    BLOCKS,
    CLASSIFIERS,
    VECTORIZER_PARAMETERS,
    CandidateParams,
    SpaceSource,
    list_candidates,
    parse_space,
)

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


@pytest.fixture(scope="module")
def whole():
    return sample_rows()


@pytest.fixture(scope="module")
def sample(whole):
    return whole[0][:200], whole[1][:200]


def ours(sample, candidates, *, scoring="accuracy", jobs=1):
    texts, labels = sample
    folds = stratified_folds(labels, FOLDS, seed=7)
    fits = grid_search(texts, labels, candidates, folds, scoring=scoring, seed=7, jobs=jobs)
    return summarize(candidates, fits)


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


def test_accuracy_is_known_whatever_is_maximised(sample):
    """Beside the score of another metric stands the accuracy that GridSearchCV gives for it."""
    candidates = list_candidates(parse_space(SpaceSource("grid", GRIDS["words"])))
    by_accuracy = ours(sample, candidates)
    by_f1 = ours(sample, candidates, scoring="f1_macro")
    assert [c.accuracy for c in by_f1] == [c.mean for c in by_accuracy]
    assert [c.mean for c in by_f1] != [c.mean for c in by_accuracy]


def test_any_failure_of_a_fit_loses_only_its_candidate(sample):
    """A combination that ends in a TypeError scores nothing, as in GridSearchCV."""
    odd = CandidateParams(
        {"word": {}}, "RidgeClassifier", {"solver": "svd", "fit_intercept": False}
    )
    good = CandidateParams({"word": {}}, "ComplementNB", {})
    assert best(ours(sample, [odd, good])) == 1


def test_of_equals_the_first_candidate_wins(sample):
    """A tie goes to the candidate that stands first, as in GridSearchCV."""
    twin = CandidateParams({"word": {}}, "ComplementNB", {"alpha": 1})
    assert best(ours(sample, [twin, twin, twin])) == 0


def test_a_candidate_that_cannot_be_fitted_loses_and_says_why(sample):
    """As in GridSearchCV, a failed fit scores nothing and the search goes on."""
    bad = CandidateParams({"word": {"min_df": 5000}}, "ComplementNB", {})
    good = CandidateParams({"word": {}}, "ComplementNB", {})
    found = ours(sample, [bad, good])
    assert found[0].mean is None
    assert found[0].fold_scores == [None] * FOLDS
    assert "min_df" in found[0].notes[0]
    assert best(found) == 1


def test_no_candidate_at_all_is_an_error_with_the_reason(sample):
    """Where every candidate fails, the first reason is the answer."""
    found = ours(sample, [CandidateParams({"word": {"min_df": 5000}}, "ComplementNB", {})])
    with pytest.raises(DataError, match="min_df"):
        best(found)


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
    point = CandidateParams({"word": {"ngram_range": [1, 2]}}, "ComplementNB", {"alpha": 0.3})
    by_hand = Pipeline(
        [("tfidf", TfidfVectorizer(ngram_range=(1, 2))), ("nb", ComplementNB(alpha=0.3))]
    )
    expected = by_hand.fit(texts, labels).predict(texts)
    assert build_pipeline(point, 0).fit(texts, labels).predict(texts).tolist() == expected.tolist()


def test_a_candidate_that_cannot_be_scored_loses(sample, monkeypatch):
    """Where the scorer fails, the score is missing and the reason kept, as in GridSearchCV."""

    def refuse(*_):
        raise ValueError("not for these labels")

    monkeypatch.setattr("textclf.search.fit.get_scorer", lambda _: refuse)
    [found] = ours(sample, [CandidateParams({"word": {}}, "ComplementNB", {})], scoring="f1_macro")
    assert found.mean is None
    assert found.notes == ["not for these labels"]


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
        "alpha": [0.1, 1, 10],
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


def rounding_decides(candidate, texts, labels, folds, scoring):
    """Whether SGD has other scores in scikit-learn as soon as the columns have another order."""
    if candidate.classifier != "SGDClassifier":
        return False
    union, model = (step for _, step in build_pipeline(candidate, 7).steps)
    x, y, scorer = np.array(texts, object), np.array(labels), get_scorer(scoring)
    for train, held_out in folds:
        try:
            matrices = union.fit_transform(x[train]), union.transform(x[held_out])
        except ValueError:
            return False
        scores = set()
        for seed in range(4):
            order = np.random.default_rng(seed).permutation(matrices[0].shape[1])
            first, second = (matrix[:, order] for matrix in matrices)
            scores.add(scorer(clone(model).fit(first, y[train]), second, y[held_out]))
        if len(scores) > 1:
            return True
    return False


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
    if any(rounding_decides(candidate, texts, labels, folds, scoring) for candidate in candidates):
        return
    for candidate, mine, their in zip(candidates, scores, expected, strict=True):
        assert np.array_equal(mine, their, equal_nan=True), candidate
    means = [np.mean(their) for their in expected]
    if not all(map(math.isnan, means)):
        assert best(found) == np.nanargmax(means)


@pytest.mark.parametrize("pattern", [r"\w+ \w+", r"\S+\s*", "(?s)."])
def test_tokens_that_hold_spaces_are_left_to_scikit_learn(sample, pattern):
    """A pattern whose n-grams cannot be told apart is left to scikit-learn, and is right."""
    candidates = [
        CandidateParams(
            {"word": {"token_pattern": pattern, "ngram_range": [1, 2]}}, "LinearSVC", {"C": cost}
        )
        for cost in (0.1, 1)
    ]
    folds = stratified_folds(sample[1], 2, 7)
    scores, found = found_scores(sample, candidates, folds)
    assert scores == theirs(sample, candidates, folds)
    assert not any(candidate.notes for candidate in found)


@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro"])
def test_a_label_may_be_missing_from_a_training_fold(sample, scoring):
    """Rows of a label that was not trained on are wrong; with one label left no model is."""
    labels = np.array(sample[1])
    rows = np.arange(len(labels))
    missing = np.flatnonzero(labels == "neutral")
    lonely = np.flatnonzero(labels == "positive")
    folds = [(np.setdiff1d(rows, missing), missing), (rows[::2], rows[1::2]), (lonely, rows[:50])]
    candidates = [
        CandidateParams({"word": {"min_df": 2}}, name, {})
        for name in ("LinearSVC", "ComplementNB", "RidgeClassifier", "LogisticRegression")
    ]
    scores, found = found_scores(sample, candidates, folds, scoring=scoring)
    for mine, expected in zip(scores, theirs(sample, candidates, folds, scoring), strict=True):
        assert mine == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert scores[0][0] == 0
    assert math.isnan(scores[0][2])
    assert any("class" in note for note in found[0].notes)


def test_the_number_of_threads_changes_nothing(sample):
    """Two threads give the same scores, hits, decisions and notes as one."""
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
                    fit.candidate, fit.fold, fit.score, fit.warnings, fit.correct.tolist(),
                    None if fit.decisions is None else fit.decisions.tolist(),
                )
                for fit in fits
            ]
        )  # fmt: skip
    assert runs[0] == runs[1] == runs[2]


def test_hits_and_decisions_are_those_of_the_fitted_model(sample):
    """Of each row held out it is known if it was labelled right, and how sure the model was."""
    texts, labels = np.array(sample[0], object), np.array(sample[1])
    candidates = [CandidateParams({"word": {}}, name, {}) for name in ("LinearSVC", "ComplementNB")]
    folds = stratified_folds(sample[1], 3, 7)
    fits = grid_search(*sample, candidates, folds, scoring="accuracy", seed=7, jobs=1)
    for fit in fits:
        train, held = folds[fit.fold]
        model = build_pipeline(candidates[fit.candidate], 7).fit(texts[train], labels[train])
        assert fit.correct.tolist() == (model.predict(texts[held]) == labels[held]).tolist()
        assert fit.accuracy == fit.score
        if fit.candidate == 0:
            assert fit.decisions == pytest.approx(model.decision_function(texts[held]), abs=2e-2)
        else:
            assert fit.decisions is None


def rows_of_phrases():
    """Texts with more words than there are texts, and fewer phrases that the words stand in."""
    numbers = np.random.default_rng(1)
    phrases = [" ".join(f"p{phrase}w{word}" for word in range(20)) for phrase in range(40)]
    picks = [numbers.choice(40, 5) for _ in range(90)]
    texts = [" ".join(phrases[number] for number in pick) for pick in picks]
    labels = [f"c{pick[0] % 3}" for pick in picks]
    return texts, labels


@pytest.mark.parametrize("tolerance", [1e-4, 2e-4])
def test_linear_svc_sees_the_shape_before_columns_were_merged(tolerance):
    """Many columns become fewer than there are rows, and it still solves the dual problem."""
    texts, labels = rows_of_phrases()
    point = CandidateParams({"word": {}}, "LinearSVC", {"C": 1000, "tol": tolerance})
    folds = stratified_folds(labels, 2, 7)
    for fit in grid_search(texts, labels, [point], folds, scoring="accuracy", seed=7, jobs=1):
        train, held = (np.array(texts, object)[rows] for rows in folds[fit.fold])
        model = build_pipeline(point, 7).fit(train, np.array(labels)[folds[fit.fold][0]])
        own = model.decision_function(held)
        assert fit.decisions == pytest.approx(own, abs=2e-2)
        model.set_params(classifier__dual=False).fit(train, np.array(labels)[folds[fit.fold][0]])
        assert abs(model.decision_function(held) - own).max() > 0.1


UNCONVERGED = [
    CandidateParams({"word": {}}, "LogisticRegression", {"max_iter": 1}),
    CandidateParams({"word": {}}, "LinearSVC", {"max_iter": 1}),
]


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("action", ["error", "ignore", "default"])
def test_warnings_become_notes_of_their_candidates(sample, jobs, action, capfd):
    """What scikit-learn warns of is kept with the candidate, never printed, and no error."""
    calm = CandidateParams({"word": {}}, "ComplementNB", {})
    apart = CandidateParams({"word": {"stop_words": ["isn't"]}}, "ComplementNB", {})
    with warnings.catch_warnings():
        warnings.simplefilter(action)
        before = warnings.showwarning, warnings.filters, list(warnings.filters)
        *hasty, told, quiet = ours(sample, [*UNCONVERGED, apart, calm], jobs=jobs)
        assert (warnings.showwarning, warnings.filters, list(warnings.filters)) == before
    for candidate in hasty:
        assert [note for note in candidate.notes if "converge" in note]
    assert "stop_words" in told.notes[0]
    assert quiet.notes == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_on_the_way_leaves_warnings_as_they_were(sample, jobs, monkeypatch):
    """What is no failure of a fit ends the search, and warnings are shown again."""

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("textclf.search.fit.get_scorer", lambda _: stop)
    before = warnings.showwarning, list(warnings.filters)
    with pytest.raises(KeyboardInterrupt):
        ours(sample, UNCONVERGED[:1] * 4, jobs=jobs, scoring="f1_macro")
    assert (warnings.showwarning, list(warnings.filters)) == before


@pytest.mark.parametrize(
    "settings_of_bad",
    [{"class_weight": {"no such": 1}}, {"loss": "hinge", "dual": False}, {"C": -1.0}],
)
def test_a_bad_candidate_does_not_take_its_neighbours_with_it(sample, settings_of_bad):
    """Candidates share the matrix of a fold, not their failures."""
    candidates = [
        CandidateParams({"word": {}}, "LinearSVC", {}),
        CandidateParams({"word": {}}, "LinearSVC", settings_of_bad),
        CandidateParams({"word": {}}, "LinearSVC", {"C": 0.1}),
    ]
    folds = stratified_folds(sample[1], 2, 7)
    scores, found = found_scores(sample, candidates, folds)
    expected = theirs(sample, candidates, folds)
    assert scores == [pytest.approx(one, abs=0, nan_ok=True) for one in expected]
    assert math.isnan(scores[1][0])
    assert found[1].notes
    assert not found[0].notes


def test_the_seed_is_the_random_state_unless_the_candidate_has_one():
    """Classifiers that draw numbers draw them from the seed of the search."""
    assert build_classifier(CandidateParams({}, "LinearSVC", {}), 7).random_state == 7
    assert (
        build_classifier(CandidateParams({}, "SGDClassifier", {"random_state": 3}), 7).random_state
        == 3
    )
    assert not hasattr(build_classifier(CandidateParams({}, "ComplementNB", {}), 7), "random_state")


def test_what_minds_the_order_of_the_columns_has_scikit_learn_s_own(sample):
    """Liblinear's answer to the l1 norm depends on it, so scikit-learn vectorizes the texts."""
    text = """
        [features.char_wb]
        ngram_range = [[2, 2]]
        [classifier.LinearSVC]
        penalty = ["l1", "l2"]
        dual = false
        tol = 0.01
    """
    texts, labels = sample
    candidates = list_candidates(parse_space(SpaceSource("grid", text)))
    found = ours(sample, candidates)
    x, y = np.array(texts, object), np.array(labels)
    for candidate, point in zip(found, candidates, strict=True):
        for score, (train, held) in zip(
            candidate.fold_scores, stratified_folds(labels, FOLDS, seed=7), strict=True
        ):
            assert score == build_pipeline(point, 7).fit(x[train], y[train]).score(x[held], y[held])


@pytest.mark.parametrize("labels", [2, 3])
def test_the_newer_name_of_the_l1_norm_is_known(sample, labels):
    """``l1_ratio = 1`` is that norm: the columns stay in scikit-learn's order."""
    texts, labels = sample[0][:120], relabelled(sample[0], sample[1], labels)[:120]
    settings_of_it = {"solver": "liblinear", "l1_ratio": 1, "C": 5, "tol": 0.05}
    candidates = [
        CandidateParams({"char_wb": {"ngram_range": [2, 2]}}, "LogisticRegression", settings_of_it),
        CandidateParams({"char_wb": {"ngram_range": [2, 2]}}, "LogisticRegression", {}),
    ]
    folds = stratified_folds(labels, 2, 7)
    assert found_scores((texts, labels), candidates, folds)[0] == [
        pytest.approx(one, abs=0, nan_ok=True) for one in theirs((texts, labels), candidates, folds)
    ]


def test_liblinear_draws_the_same_numbers_whatever_runs_beside_it(sample):
    """It has one generator for the process; fits in two threads do not disturb each other's."""
    candidates = [
        CandidateParams({"word": {"min_df": df}}, "LinearSVC", given_settings | {"max_iter": 4})
        for df in (1, 2, 3)
        for given_settings in (
            {"penalty": "l1", "dual": False}, {"multi_class": "crammer_singer"},
            {"loss": "hinge"}, {"dual": False, "fit_intercept": False},
        )
    ]  # fmt: skip
    folds = stratified_folds(sample[1], 3, 7)

    def decisions(jobs):
        fits = grid_search(*sample, candidates, folds, scoring="accuracy", seed=7, jobs=jobs)
        return {(fit.candidate, fit.fold): fit.decisions.tolist() for fit in fits}

    alone = decisions(1)
    assert len(alone) == len(candidates) * 3
    for _ in range(3):
        assert decisions(2) == alone


def test_ridge_takes_the_road_that_it_takes_on_all_columns():
    """It chooses one by the shape, and only on one of them ``max_iter`` counts."""
    texts, labels = rows_of_phrases()
    point = CandidateParams({"word": {}}, "RidgeClassifier", {"alpha": 1e-3, "max_iter": 2})
    folds = stratified_folds(labels, 2, 7)
    for fit in grid_search(texts, labels, [point], folds, scoring="accuracy", seed=7, jobs=1):
        train, held = (np.array(texts, object)[rows] for rows in folds[fit.fold])
        model = build_pipeline(point, 7).fit(train, np.array(labels)[folds[fit.fold][0]])
        assert fit.decisions == pytest.approx(model.decision_function(held), abs=1e-3)
    whole = refit(CountCache.from_texts(texts, [point.features]), labels, point, 7)
    plain = build_pipeline(point, 7).fit(texts, labels)
    assert whole.decision_function(texts) == pytest.approx(plain.decision_function(texts), abs=1e-4)


@pytest.mark.parametrize(
    ("name", "given_settings", "exact"),
    [
        ("LinearSVC", {}, 1e-3),
        ("LinearSVC", {"dual": False, "C": 0.1}, 1e-6),
        ("LinearSVC", {"penalty": "l1", "dual": False}, 1e-6),
        ("LogisticRegression", {}, 1e-2),
        ("LogisticRegression", {"solver": "liblinear"}, 1e-2),
        ("RidgeClassifier", {}, 1e-3),
        ("RidgeClassifier", {"solver": "cholesky", "fit_intercept": False}, 1e-9),
        ("SGDClassifier", {}, 0),
        ("ComplementNB", {}, 0),
        ("MultinomialNB", {}, 0),
    ],
)
@pytest.mark.parametrize("labels", [2, 3])
def test_the_final_model_is_the_one_that_scikit_learn_fits(
    sample, name, given_settings, exact, labels
):
    """The same vocabulary and idf; decision values as close as its solver's tolerance lets them."""
    if given_settings.get("solver") == "liblinear" and labels > 2:
        pytest.skip("scikit-learn refuses it")
    texts, labels = sample[0], relabelled(sample[0], sample[1], labels)
    features = {"word": {"ngram_range": [1, 2]}, "char_wb": {"ngram_range": [2, 3], "min_df": 2}}
    point = CandidateParams(features, name, given_settings)
    own, plain = (
        refit(CountCache.from_texts(texts, [features]), labels, point, 7),
        build_pipeline(point, 7),
    )
    plain.fit(texts, labels)
    for (_, mine), (_, theirs_) in zip(
        own["features"].transformer_list, plain["features"].transformer_list, strict=True
    ):
        assert mine.vocabulary_ == theirs_.vocabulary_
        assert mine.idf_.tolist() == theirs_.idf_.tolist()
    assert own.predict(texts).tolist() == plain.predict(texts).tolist()
    how = "decision_function" if hasattr(plain, "decision_function") else "predict_log_proba"
    values = getattr(plain, how)(texts)
    assert getattr(own, how)(texts) == pytest.approx(values, abs=exact, rel=1e-12)


def fits_of(means, folds, order):
    """Fits with decision values that tell of which candidate and fold they are."""
    for candidate, fold in order:
        values = np.full(len(folds[fold][1]), 10 * candidate + fold, np.float32)
        yield FoldResult(candidate, fold, means[candidate][fold], 0.1, decisions=values)


@pytest.mark.parametrize("order", ["by candidate", "by fold", "shuffled"])
@pytest.mark.parametrize(
    "means", [[[0.1, 0.2, 0.3], [0.3, 0.1, 0.2]], [[math.nan] * 3, [0.7] * 3, [0.7] * 3]]
)
def test_the_decisions_that_are_kept_are_the_winner_s(order, means):
    """Whatever order fits come in, of equals the first, and never one that could not be fitted."""
    labels = np.array(["a", "b"] * 6)
    folds = stratified_folds(labels, 3, 7)
    every = [(candidate, fold) for candidate in range(len(means)) for fold in range(3)]
    if order == "by fold":
        every.sort(key=lambda one: one[1])
    if order == "shuffled":
        np.random.default_rng(0).shuffle(every)
    kept = WinnerDecisions(labels, folds)
    candidates = [
        CandidateParams({"word": {}}, "LinearSVC", {"C": n + 1}) for n in range(len(means))
    ]
    winner = best(summarize(candidates, kept.collect(fits_of(means, folds, every))))
    of_folds = np.split(kept.of_winner(winner), 3)
    assert [set(values.tolist()) for values in of_folds] == [{10 * winner + k} for k in range(3)]
    with pytest.raises(LookupError):
        kept.of_winner(winner + 1)


@pytest.mark.parametrize("in_rounds", [True, False])
def test_decisions_that_can_no_longer_be_wanted_are_let_go(in_rounds):
    """Those of the leader stay, of who was beaten or given up none: there may be thousands."""
    labels = np.array(["a", "b"] * 6)
    folds = stratified_folds(labels, 3, 7)
    order = [(candidate, fold) for candidate in range(50) for fold in range(3)]
    if in_rounds:  # 1 and 2 run all rounds, the others one
        order = [(candidate, 0) for candidate in range(50)] + [(1, 1), (2, 1), (1, 2), (2, 2)]
    alive = []

    def watched():
        for fit in fits_of([[0.5] * 3] * 50, folds, order):
            alive.append(weakref.ref(fit.decisions))
            yield fit

    kept = WinnerDecisions(labels, folds, in_rounds=in_rounds)
    most = [sum(ref() is not None for ref in alive) for _ in kept.collect(watched())]
    gc.collect()
    assert sum(ref() is not None for ref in alive) == 3
    assert max(most[52:] if in_rounds else most) <= 7

"""Probabilities for classifiers that have none, against scikit-learn's own calibration."""

import io

import joblib
import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from sample_data import sample_rows
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import cross_val_predict
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC

from textclf.artifact.model_file import to_bytes
from textclf.search.calibration import align_decisions, calibrate, needs_calibration
from textclf.search.estimators import build_pipeline
from textclf.search.grid_search import stratified_folds
from textclf.search.space import CandidateParams

NAMES = np.array(["a", "b", "c", "d"])
UNCALIBRATED = [
    LinearSVC(),
    RidgeClassifier(),
    *(SGDClassifier(loss=loss) for loss in ("hinge", "squared_hinge", "perceptron", "huber")),
]


@pytest.fixture(scope="module")
def sample():
    texts, labels = sample_rows()
    return np.array(texts, dtype=object), np.array(labels)


def share(sample, labels):
    """The rows of some labels."""
    chosen = np.isin(sample[1], labels)
    return sample[0][chosen], sample[1][chosen]


def held_out_decisions(model, texts, labels, folds):
    """As a search has them: every row decided by the model of the fold that did not see it."""
    return cross_val_predict(model, texts, labels, cv=folds, method="decision_function")


def with_probabilities(model, texts, labels, folds):
    """The pipeline fitted on all rows, its classifier calibrated."""
    decisions = held_out_decisions(model, texts, labels, folds).astype(np.float32)
    fitted = clone(model).fit(texts, labels)
    last = calibrate(fitted["classifier"], decisions, labels)
    return Pipeline([*fitted.steps[:-1], ("classifier", last)])


def identity(labels):
    """A classifier whose decision values are its input; (rows, 1) for two labels."""
    width = 1 if labels == 2 else labels
    model = LinearSVC().fit(np.eye(labels)[:, :width], NAMES[:labels])
    model.coef_, model.intercept_ = np.eye(width), np.zeros(width)
    return model


def decided(rows):
    """Rows of decision values as a classifier gives them: a plain row of two labels' margins."""
    table = np.array(rows, dtype=np.float64)
    return table[:, 0] if table.shape[1] == 1 else table


# --- which


@pytest.mark.parametrize("classifier", UNCALIBRATED, ids=str)
def test_what_has_no_probabilities_needs_them(classifier):
    """Support vector machines, ridge and SGD by a margin have decision values only."""
    assert needs_calibration(classifier)


@pytest.mark.parametrize(
    "classifier",
    [
        LogisticRegression(),
        MultinomialNB(),
        ComplementNB(),
        SGDClassifier(loss="log_loss"),
        SGDClassifier(loss="modified_huber"),
        calibrate(identity(3), np.zeros((0, 3)), NAMES[:0]),
    ],
    ids=str,
)
def test_what_has_probabilities_needs_none(classifier):
    """A classifier with probabilities of its own keeps them, a calibrated one too."""
    assert not needs_calibration(classifier)


# --- the oracle


@pytest.mark.parametrize("labels", [["negative", "positive"], ["negative", "neutral", "positive"]])
@pytest.mark.parametrize(
    ("classifier", "settings"),
    [("LinearSVC", {"C": 0.3}), ("RidgeClassifier", {}), ("SGDClassifier", {"loss": "hinge"})],
)
def test_probabilities_are_those_of_scikit_learn(sample, classifier, settings, labels):
    """On real rows and the same folds, scikit-learn's own calibration gives the same."""
    texts, truth = share(sample, labels)
    folds = stratified_folds(truth.tolist(), 5, 0)
    model = build_pipeline(CandidateParams({"word": {}}, classifier, settings), 0)
    oracle = CalibratedClassifierCV(model, method="temperature", ensemble=False, cv=folds)
    oracle.fit(texts, truth)
    ours = with_probabilities(model, texts, truth, folds)
    unseen = ["great", "broke after two days", "", "on Tuesday?", *texts[:300]]
    assert np.allclose(ours.predict_proba(unseen), oracle.predict_proba(unseen), atol=1e-6, rtol=0)
    assert ours.predict(unseen).tolist() == oracle.predict(unseen).tolist()


def test_it_is_what_fit_would_have_left(sample):
    """The attributes, inside and out, are those that scikit-learn's fit leaves, type for type.

    But for one: its inner classifier has the numbers of the labels, ours the labels themselves.
    """
    texts, truth = sample
    folds = stratified_folds(truth.tolist(), 5, 0)
    features = build_pipeline(CandidateParams({"word": {}}, "LinearSVC", {}), 0)[:-1]
    matrix = features.fit_transform(texts)
    svm = LinearSVC(random_state=0)
    decisions = held_out_decisions(svm, matrix, truth, folds)
    oracle = CalibratedClassifierCV(svm, method="temperature", ensemble=False, cv=folds)
    oracle.fit(matrix, truth).set_params(cv=None)
    ours = calibrate(clone(svm).fit(matrix, truth), decisions, truth)
    oracle.calibrated_classifiers_[0].estimator.classes_ = oracle.classes_

    def described(thing):
        if isinstance(thing, np.ndarray):
            return thing.dtype.str, thing.tolist()
        if isinstance(thing, list):
            return [described(item) for item in thing]
        if hasattr(thing, "__dict__") and not isinstance(thing, np.generic):
            return type(thing), {name: described(part) for name, part in vars(thing).items()}
        return type(thing), thing

    assert described(ours) == described(oracle)


def test_likelihood_is_better_than_without_a_temperature(sample):
    """On rows that nothing was fitted on, the fitted temperature beats a temperature of 1."""
    texts, truth = sample
    model = build_pipeline(CandidateParams({"word": {}}, "LinearSVC", {}), 0)
    folds = stratified_folds(truth[::2].tolist(), 5, 0)
    fitted = with_probabilities(model, texts[::2], truth[::2], folds)
    classifier = fitted["classifier"].calibrated_classifiers_[0].estimator
    plain = calibrate(classifier, np.zeros((0, 3)), truth[:0])
    matrix = fitted[:-1].transform(texts[1::2])
    column = np.searchsorted(classifier.classes_, truth[1::2])

    def loss(calibration):
        return -np.log(calibration.predict_proba(matrix)[np.arange(len(column)), column]).mean()

    assert loss(fitted["classifier"]) < loss(plain)


# --- as an object


def test_bytes_are_the_same_for_the_same_input(sample):
    """Two runs on the same rows give the same file, byte for byte."""
    texts, truth = sample[0][:300], sample[1][:300]
    model = build_pipeline(CandidateParams({"word": {}}, "LinearSVC", {}), 0)
    folds = stratified_folds(truth.tolist(), 5, 0)
    once, again = (to_bytes(with_probabilities(model, texts, truth, folds)) for _ in range(2))
    assert once == again


def test_joblib_alone_opens_it(sample):
    """The file is one of scikit-learn; the classifier keeps its name among the steps."""
    texts, truth = sample[0][:300], sample[1][:300]
    model = build_pipeline(CandidateParams({"word": {}}, "LinearSVC", {}), 0)
    ours = with_probabilities(model, texts, truth, stratified_folds(truth.tolist(), 5, 0))
    opened = joblib.load(io.BytesIO(to_bytes(ours)))
    assert list(opened.named_steps) == ["features", "classifier"]
    assert opened.classes_.tolist() == ["negative", "neutral", "positive"]
    assert opened["classifier"].estimator.get_params() == LinearSVC(random_state=0).get_params()
    assert np.array_equal(opened.predict_proba(texts), ours.predict_proba(texts))
    assert "textclf" not in {type(part).__module__.split(".")[0] for _, part in opened.steps}


def test_the_classifier_is_left_as_it_was():
    """Calibrating does not touch the classifier; its decision values stay to be had."""
    classifier = identity(3)
    before = {name: str(value) for name, value in vars(classifier).items()}
    model = calibrate(classifier, np.eye(3), NAMES[:3])
    assert {name: str(value) for name, value in vars(classifier).items()} == before
    assert model.calibrated_classifiers_[0].estimator is classifier


# --- labels stay

WIDE = st.floats(-1e300, 1e300, allow_nan=False, width=64)
NEAR = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.25, 0.5, 1.0, 1000.0])
ANY = st.one_of(WIDE, NEAR, st.sampled_from([np.inf, -np.inf]))


@st.composite
def problems(draw):
    """Number of labels, out-of-fold decision values and labels, decision values to label."""
    labels = draw(st.integers(2, 4))
    width = 1 if labels == 2 else labels
    rows = st.lists(ANY, min_size=width, max_size=width)
    known = draw(st.lists(st.tuples(rows, st.integers(0, labels - 1)), max_size=8))
    new = st.lists(st.one_of(WIDE, NEAR), min_size=width, max_size=width)
    return labels, known, draw(st.lists(new, min_size=1, max_size=8))


def is_clear(row):
    """Whether the best value is ahead by more than rounding, or level with others."""
    best, *rest = sorted([-row[0], row[0]] if len(row) == 1 else row, reverse=True)
    return all(best == value or best - value > 1e-9 * max(1, abs(best)) for value in rest)


@given(problems())
@example((2, [([5.0], 1), ([-5.0], 0)], [[0.0], [-0.0], [1e-9], [1e300]]))  # at its upper bound
@example((2, [([5.0], 0), ([-5.0], 1)], [[1e-6], [-1e-6], [0.0]]))  # all wrong: at its lower bound
@example((3, [([1.0, 1.0, 1.0], 0)] * 3, [[0.0, 0.0, 0.0], [0.0, 1.0, 1.0]]))  # constant
@example((3, [([1e300, 0.0, 0.0], 1), ([0.0, 1.0, 0.0], 1)], [[0.0, 0.0, 1.0]]))  # one is huge
@example((3, [([np.inf, -np.inf, 0.0], 0)], [[0.0, 0.5, 0.5]]))  # adds up to 1, as probabilities do
@example((4, [([0.0, 1.0, 2.0, -1.0], 2)], [[0.0, 1.0, 0.0, 3.0]]))  # labels missing
@example((3, [], [[3.0, 2.0, 1.0]]))  # no rows
def test_labels_are_the_classifier_s_own(problem):
    """Whatever the temperature was fitted on, the label stays, ties included."""
    labels, known, new = problem
    classifier = identity(labels)
    shape = (len(known), classifier.coef_.shape[0])
    decisions = decided(np.reshape([values for values, _ in known], shape))
    model = calibrate(classifier, decisions, NAMES[[number for _, number in known] or []])
    rows = np.array([row for row in new if is_clear(row)])
    assume(len(rows))
    assert model.predict(rows).tolist() == classifier.predict(rows).tolist()
    probabilities = model.predict_proba(rows)
    assert probabilities.shape == (len(rows), labels)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


@given(problems())
def test_the_order_of_the_labels_stays(problem):
    """No label is more probable than one with a higher decision value."""
    labels, known, new = problem
    assume(labels > 2)
    decisions = np.reshape([values for values, _ in known], (len(known), labels))
    model = calibrate(identity(labels), decisions, NAMES[[number for _, number in known] or []])
    rows = np.array(new)
    ranks = np.argsort(rows, axis=1, kind="stable")
    ordered = np.take_along_axis(model.predict_proba(rows), ranks, axis=1)
    assert (np.diff(ordered, axis=1) >= 0).all()


def test_a_label_that_no_held_out_row_has_keeps_its_place():
    """The columns are the classifier's labels, not those of the held-out rows."""
    decisions = np.array([[2.0, 0.0, 1.0], [1.0, 0.0, 2.0], [0.0, 1.0, 3.0]])
    model = calibrate(identity(3), decisions, np.array(["a", "c", "c"]))
    assert model.classes_.tolist() == ["a", "b", "c"]
    assert model.predict(np.eye(3)).tolist() == ["a", "b", "c"]


# --- folds that lack a label


def test_a_fold_that_knows_all_labels_is_taken_as_it_is():
    """Nothing to align, for two labels and more."""
    for values, labels in ((np.arange(3.0), 2), (np.eye(3), 3)):
        assert np.array_equal(align_decisions(values, NAMES[:labels], NAMES[:labels]), values)


@pytest.mark.parametrize("number", [3, 4])
def test_a_label_that_a_fold_does_not_know_is_impossible_there(number):
    """Its column is -inf, the others are in their places; two of more labels become columns."""
    known = np.array(["a", "c"]) if number == 3 else np.array(["a", "c", "d"])
    values = np.array([0.5, -2]) if number == 3 else np.array([[-0.5, 0.5, -1], [2, -2, -3.0]])
    table = align_decisions(values.astype(np.float32), known, NAMES[:number])
    assert table.dtype == np.float32
    assert table[:, :3].tolist() == [[-0.5, -np.inf, 0.5], [2, -np.inf, -2]]


def test_rows_of_a_label_that_their_fold_does_not_know_are_left_out():
    """They tell nothing of the temperature: it is as if they were not there."""
    values = np.array([[1.0, 0.5, -1.0], [0.5, 1.0, 0.0], [0.2, 0.0, 1.0], [1.0, 0.2, 0.1]])
    truth = np.array(["a", "b", "c", "c"])
    without = calibrate(identity(3), values, truth).predict_proba(values)
    unknown = align_decisions(np.array([3.0, -2.0]), np.array(["a", "c"]), NAMES[:3])
    more = np.vstack([values, unknown]), np.array([*truth, "b", "b"])
    assert np.array_equal(calibrate(identity(3), *more).predict_proba(values), without)


def test_without_rows_the_temperature_is_one():
    """Nothing to fit on: the softmax of the decision values as they are."""
    model = calibrate(identity(3), np.zeros((0, 3)), NAMES[:0])
    exponents = np.exp([3.0, 2.0, 1.0])
    assert model.predict_proba([[3.0, 2.0, 1.0]])[0] == pytest.approx(exponents / exponents.sum())


def test_what_is_not_a_number_is_an_error():
    """A decision value that is not a number cannot be calibrated with."""
    with pytest.raises(ValueError, match="NaN"):
        calibrate(identity(3), np.array([[1.0, np.nan, 0.0]]), NAMES[:1])


@pytest.mark.parametrize(
    ("labels", "shape"), [(3, (2, 2)), (3, (2,)), (3, (1, 3)), (2, (2, 2)), (2, (2, 1)), (2, (3,))]
)
def test_decision_values_of_another_shape_are_an_error(labels, shape):
    """Values of a fold that lacks a label, or of other rows, are not mistaken for others."""
    with pytest.raises(ValueError, match="does not match"):
        calibrate(identity(labels), np.zeros(shape), NAMES[:2])

"""Linear SVMs of many classes decided at once, against LinearSVC itself."""

import numpy as np
import pytest
from effort import cases
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sample_data import sample_rows
from scipy.sparse import csr_matrix, vstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from textclf.search.svm.dual import DualSolver
from textclf.search.svm.linear_svc import held_out_decisions, is_solvable

NOISE = 2e-4
"""How far LinearSVC itself is from the optimum: below it, which class is ahead is an accident."""


@pytest.fixture(scope="module")
def rows():
    texts, labels = sample_rows(600)
    return np.array(texts, object), np.array(labels)


def svm(**given_settings):
    return LinearSVC(**({"dual": True, "random_state": 7} | given_settings))


def assert_decided_alike(estimators, train, labels, held):
    """Compare every label on the held-out rows, and roughly the values, with LinearSVC's own."""
    before = train.copy()
    found = held_out_decisions(estimators, train, labels, held)
    assert len(found) == len(estimators)
    for estimator, decided in zip(estimators, found, strict=True):
        own = LinearSVC(**estimator.get_params()).fit(before, labels)
        values = own.decision_function(held)
        assert decided.decision_function(held) == pytest.approx(values, abs=2e-2)
        assert decided.classes_.tolist() == own.classes_.tolist()
        best = np.sort(values if values.ndim == 2 else np.c_[-values, values] / 2, axis=1)
        clear = best[:, -1] - best[:, -2] > NOISE
        assert clear.any()
        assert decided.predict(held)[clear].tolist() == own.predict(held)[clear].tolist()


@pytest.mark.parametrize(
    "weight", [None, "balanced", {"negative": 3, "neutral": 0.5, "positive": 1}]
)
@pytest.mark.parametrize(
    "features",
    [
        {"ngram_range": (1, 2)},
        {"analyzer": "char_wb", "ngram_range": (2, 3), "sublinear_tf": True},
        {"norm": None, "use_idf": False},
    ],
)
def test_labels_of_the_sample_are_those_of_linear_svc(rows, features, weight):
    """Real texts and a path of costs: every held-out row gets LinearSVC's label."""
    texts, labels = rows
    vectorizer = TfidfVectorizer(**features)
    train, held = vectorizer.fit_transform(texts[:400]), vectorizer.transform(texts[400:])
    estimators = [svm(C=cost, class_weight=weight) for cost in (0.03, 0.3, 1, 3, 10)]
    assert_decided_alike(estimators, train, labels[:400], held)


def random_problem(seed, classes, rows=90, columns=40):
    """Rows of norm 1 of classes that overlap, with every class there."""
    generator = np.random.default_rng(seed)
    codes = np.concatenate([np.arange(classes), generator.integers(0, classes, rows - classes)])
    dense = generator.random((rows, columns)) * (generator.random((rows, columns)) < 0.3)
    dense[np.arange(rows), codes % columns] += 0.6 * generator.random(rows)
    return csr_matrix(normalize(dense)), np.char.add("c", codes.astype(str))


def near_ties(model, matrix, gaps):
    """Mixtures of two rows for which the best two classes are closer than each of the gaps."""
    found = []
    for number in range(matrix.shape[0] - 1):
        ends = [matrix[number], matrix[number + 1]]
        low, high = 0.0, 1.0
        first = model.predict(ends[0])
        while high - low > 1e-12:
            middle = (low + high) / 2
            row = ends[0] * (1 - middle) + ends[1] * middle
            best = np.sort(model.decision_function(row)[0])
            if best[-1] - best[-2] < gaps[number % len(gaps)]:
                found.append(row)
                break
            low, high = (middle, high) if model.predict(row) == first else (low, middle)
    return vstack(found, format="csr")


@settings(deadline=None, max_examples=cases(3, 6), derandomize=True, phases=[Phase.generate])
@given(st.integers(0, 10**6), st.integers(3, 12), st.sampled_from([0.1, 1, 10]))
def test_rows_between_two_classes_get_the_label_of_linear_svc(seed, classes, cost):
    """Where the best two classes are all but equal, the label is still LinearSVC's."""
    matrix, labels = random_problem(seed, classes)
    own = svm(C=cost).fit(matrix, labels)
    held = near_ties(own, matrix, (5e-3, 2e-3, 1e-3, 5e-4))
    assert held.shape[0] > 5
    assert_decided_alike([svm(C=cost)], matrix, labels, held)


@settings(deadline=None, max_examples=cases(6, 15), derandomize=True, phases=[Phase.generate])
@given(st.integers(0, 10**6), st.integers(3, 30), st.data())
def test_random_rows_get_the_labels_of_linear_svc(seed, classes, data):
    """Any number of classes, several costs and class weights at once."""
    matrix, labels = random_problem(seed, classes)
    each = st.fixed_dictionaries({str(label): st.floats(0.2, 5) for label in np.unique(labels)})
    weights = st.none() | st.just("balanced") | each
    estimator = st.builds(svm, C=st.sampled_from([0.05, 0.3, 1, 5]), class_weight=weights)
    estimators = data.draw(st.lists(estimator, min_size=1, max_size=5))
    held, _ = random_problem(seed + 1, classes)
    assert_decided_alike(estimators, matrix, labels, held)


@pytest.mark.parametrize("weight", [None, "balanced", {"negative": 3, "positive": 0.5}])
@pytest.mark.parametrize("labels_kept", [2, 3])
def test_in_the_primal_decisions_are_those_of_liblinear(rows, labels_kept, weight):
    """The steps are liblinear's; from C = 1 on rounding grows on the way, in liblinear as well."""
    texts, labels = rows
    some = np.isin(labels, ["negative", "positive", "neutral"][:labels_kept])
    texts, labels = texts[some], labels[some]
    most = len(texts) * 2 // 3
    vectorizer = TfidfVectorizer(min_df=2)
    train, held = vectorizer.fit_transform(texts[:most]), vectorizer.transform(texts[most:])
    exact = {0.01: 1e-9, 0.1: 1e-7, 1: 1e-2, 10: 1e-1}
    estimators = [svm(C=cost, dual=False, class_weight=weight) for cost in exact]
    found = held_out_decisions(estimators, train, labels[:most], held)
    for estimator, decided in zip(estimators, found, strict=True):
        own = estimator.fit(train, labels[:most]).decision_function(held)
        assert decided.decision_function(held) == pytest.approx(own, abs=exact[estimator.C])


@settings(deadline=None, max_examples=cases(6, 15), derandomize=True, phases=[Phase.generate])
@given(st.integers(0, 10**6), st.integers(2, 30), st.data())
def test_in_the_primal_any_number_of_problems_is_solved(seed, classes, data):
    """Up to 150 problems pass through a block of sixteen, each to its own solution."""
    matrix, labels = random_problem(seed, classes)
    estimator = st.builds(svm, C=st.sampled_from([0.05, 0.3, 1, 5]), dual=st.just(value=False))
    estimators = data.draw(st.lists(estimator, min_size=1, max_size=5))
    held, _ = random_problem(seed + 1, classes)
    assert_decided_alike(estimators, matrix, labels, held)


def test_primal_and_dual_side_by_side():
    """Estimators of both kinds are decided each in its own way."""
    matrix, labels = random_problem(5, 6)
    held, _ = random_problem(6, 6)
    assert_decided_alike([svm(), svm(dual=False), svm(C=0.1)], matrix, labels, held)


@pytest.mark.parametrize("classes", [2, 4])
def test_class_weights_that_do_not_fit_are_left_to_liblinear(classes):
    """What is wrong with them is for it to say; the others are decided all the same."""
    matrix, labels = random_problem(5, classes)
    found = held_out_decisions([svm(), svm(class_weight={"other": 1})], matrix, labels, matrix)
    assert found[1] is None
    assert found[0].predict(matrix).tolist() == svm().fit(matrix, labels).predict(matrix).tolist()


@pytest.mark.parametrize("dual", [True, False])
@pytest.mark.parametrize("classes", [2, 4])
def test_a_class_that_costs_nothing_is_left_to_liblinear(classes, dual):
    """A weight of zero makes an infinity, which it knows what to do with."""
    matrix, labels = random_problem(5, classes)
    estimators = [svm(dual=dual), svm(dual=dual, class_weight={"c0": 0, "c1": 1})]
    found = held_out_decisions(estimators, matrix, labels, matrix)
    assert found[0] is not None
    assert found[1] is None


@pytest.mark.parametrize("weight", [None, "balanced", {"c0": 3, "c1": 0.5}])
def test_two_classes_are_one_problem(weight):
    """Their decision values are one column, and labels LinearSVC's."""
    matrix, labels = random_problem(0, 2)
    held, _ = random_problem(1, 2)
    estimators = [svm(C=cost, class_weight=weight) for cost in (0.1, 1, 10)]
    assert_decided_alike(estimators, matrix, labels, held)


@pytest.mark.parametrize("classes", [2, 6])
def test_costs_are_decided_alike_one_after_the_other(monkeypatch, classes):
    """Where all at once would take too much memory the labels are LinearSVC's, too."""
    matrix, labels = random_problem(5, classes)
    held, _ = random_problem(6, classes)
    sizes = []

    class Watched(DualSolver):
        def __init__(self, train, codes, problems):
            sizes.append(len(problems))
            super().__init__(train, codes, problems)

    monkeypatch.setattr("textclf.search.svm.linear_svc.DualSolver", Watched)
    monkeypatch.setattr("textclf.search.svm.linear_svc._MAX_BYTES", 0)
    assert_decided_alike([svm(C=cost) for cost in (0.1, 1, 10)], matrix, labels, held)
    assert sizes == [1 if classes == 2 else classes] * 3
    assert held_out_decisions([svm(), svm(C=1e9)], matrix, labels, held)[1] is None


def test_one_class_is_left_to_scikit_learn():
    """It says what is wrong with that."""
    matrix, _ = random_problem(0, 2)
    assert held_out_decisions([svm()], matrix, np.full(matrix.shape[0], "a"), matrix) == [None]


def test_what_does_not_converge_is_left_to_liblinear():
    """It has to say itself that it stopped early; the other costs are decided all the same."""
    matrix, labels = random_problem(1, 4)
    held, _ = random_problem(2, 4)
    assert held_out_decisions([svm(C=1e9)], matrix, labels, held) == [None]
    found = held_out_decisions([svm(), svm(C=1e9), svm(C=0.1)], matrix, labels, held)
    assert found[1] is None
    for estimator, decided in ((svm(), found[0]), (svm(C=0.1), found[2])):
        own = estimator.fit(matrix, labels)
        assert decided.predict(held).tolist() == own.predict(held).tolist()


def test_in_the_primal_it_stops_where_rounding_lets_it_go_no_further():
    """As liblinear does, without a warning; what was found until then is the solution."""
    numbers = np.random.default_rng(0)
    matrix = csr_matrix(numbers.normal(size=(4000, 6)))
    labels = np.where(np.arange(4000) < 3, "rare", "usual")
    own = svm(C=1e-6, dual=False, tol=1e-4).fit(matrix, labels)
    (found,) = held_out_decisions([svm(C=1e-6, dual=False)], matrix, labels, matrix)
    assert found.decision_function(matrix) == pytest.approx(own.decision_function(matrix), abs=1e-9)


def test_rows_without_features_are_decided_by_the_intercepts():
    """An empty held-out row is labelled as LinearSVC labels it."""
    matrix, labels = random_problem(2, 4)
    empty = csr_matrix((3, matrix.shape[1]))
    (found,) = held_out_decisions([svm()], matrix, labels, empty)
    own = svm().fit(matrix, labels)
    assert found.predict(empty).tolist() == own.predict(empty).tolist()
    assert found.decision_function(empty)[0] == pytest.approx(own.intercept_, abs=1e-2)


def test_unsorted_rows_are_decided_alike():
    """The order of the entries within a row does not matter."""
    matrix, labels = random_problem(3, 6)
    held, _ = random_problem(4, 6)
    mixed = matrix.copy()
    for start, end in zip(mixed.indptr, mixed.indptr[1:], strict=False):
        mixed.indices[start:end] = mixed.indices[start:end][::-1].copy()
        mixed.data[start:end] = mixed.data[start:end][::-1].copy()
    mixed.has_sorted_indices = False
    assert_decided_alike([svm(C=cost) for cost in (0.1, 1, 10)], mixed, labels, held)


@pytest.mark.parametrize(
    ("estimator", "solvable"),
    [
        (LinearSVC(C=3, class_weight="balanced", random_state=1), True),
        (LinearSVC(dual=False), True),
        (LinearSVC(C=-1), False),
        (LinearSVC(penalty="l1"), False),
        (LinearSVC(loss="hinge"), False),
        (LinearSVC(tol=1e-3), False),
        (LinearSVC(max_iter=10), False),
        (LinearSVC(fit_intercept=False), False),
        (LinearSVC(intercept_scaling=2), False),
        (LinearSVC(multi_class="crammer_singer"), False),
        (type("Other", (LinearSVC,), {})(), False),
        (TfidfVectorizer(), False),
    ],
)
def test_only_the_usual_linear_svc_is_solved_here(estimator, solvable):
    """Whatever changes the problem, or where its solution stops, is scikit-learn's own business."""
    assert is_solvable(estimator) is solvable

import msgspec
import pytest
import registries

from textclf.evaluation.metadata_diff import Change, Delta, compare_metadata
from textclf.metadata.schema import ClassMetrics


@pytest.fixture
def one():
    return registries.metadata("1.0.0")


@pytest.fixture
def other(one):
    """Return a function that makes version 1.1.0, which differs in the given fields only."""

    def make(part=None, **changes):
        if part:
            changes = {part: msgspec.structs.replace(getattr(one, part), **changes)}
        return registries.metadata("1.1.0", **changes)

    return make


def classes(**f1):
    return {
        label: ClassMetrics(precision=1.0, recall=1.0, f1=value, support=2)
        for label, value in f1.items()
    }


def test_equal_versions_have_no_changes(one, other):
    """Nothing is listed but the metrics, which have not changed."""
    found = compare_metadata(one, other())
    assert (found.a, found.b) == ("1.0.0", "1.1.0")
    assert found.same_test_rows
    assert found.rows_in_common == 1.0
    assert found.params == found.search == found.data == found.environment == []
    assert [m.name for m in found.metrics] == [
        "cv accuracy", "test accuracy", "macro F1", "weighted F1",
    ]  # fmt: skip
    assert {m.delta for m in [*found.metrics, *found.per_class]} == {0.0}


def test_only_what_changed_is_listed(one, other):
    """Parameters that changed or that only one version has are listed, no others."""
    found = compare_metadata(one, other(best_params={"classifier": "LinearSVC", "C": 3.0, "x": 1}))
    assert found.params == [Change("C", 1.0, 3.0), Change("x", None, 1)]
    back = compare_metadata(other(best_params={"classifier": "LinearSVC"}), one)
    assert back.params == [Change("C", None, 1.0)]


def test_a_count_that_became_a_share_is_listed(one, other):
    """1 and 1.0 are different values to scikit-learn, and so they are here."""
    found = compare_metadata(one, other(best_params={"classifier": "LinearSVC", "C": 1}))
    assert [repr(change) for change in found.params] == ["Change(name='C', before=1.0, after=1)"]


def test_the_search_is_compared_by_setting(one, other):
    """The space and the settings of the search are compared one by one."""
    space = [{**one.search.space[0], "classifier": {"LinearSVC": {"C": [0.1]}}}]
    found = compare_metadata(one, other("search", folds=3, space=space))
    assert found.search == [
        Change("classifier.LinearSVC.C", [0.1, 1.0], [0.1]),
        Change("folds", 5, 3),
    ]


def test_the_data_are_compared(one, other):
    """Other rows, labels or files are listed, and the share of common rows is given."""
    sketch = registries.sketch(range(20, 60))
    found = compare_metadata(one, other("data", rows=41, labels={"pos": 41}, sketch=sketch))
    assert found.data == [
        Change("rows", 40, 41),
        Change("rows labelled.neg", 20, None),
        Change("rows labelled.pos", 20, 41),
    ]
    assert found.rows_in_common == 0.5


def test_other_test_rows(one, other):
    """Metrics on other test rows are marked as such; a split is named by its share."""
    found = compare_metadata(one, other("test", rows_sha256="u" * 64, path=None, split=0.2, rows=9))
    assert not found.same_test_rows
    assert found.data == [Change("test", "data/test.csv", "split 0.2"), Change("test rows", 4, 9)]


def test_the_environment_is_compared(one, other):
    """Libraries and code that changed are listed."""
    found = compare_metadata(one, other("environment", python="3.12.0", libraries={"numpy": "2.1"}))
    assert found.environment == [
        Change("python", "3.11.7", "3.12.0"),
        Change("scikit-learn", "1.6.0", None),
        Change("numpy", "2.0.0", "2.1"),
    ]
    assert compare_metadata(one, other("code", git_commit="abc")).environment == [
        Change("git commit", None, "abc")
    ]


def test_a_delta_is_the_second_value_less_the_first(one, other):
    """Deltas are positive where the second version is better."""
    found = compare_metadata(one, other(best_cv_accuracy=0.5))
    assert found.metrics[0] == Delta("cv accuracy", 0.7, 0.5, pytest.approx(-0.2))
    assert compare_metadata(other(best_cv_accuracy=0.5), one).metrics[0].delta > 0


def test_the_worst_class_comes_first(one, other):
    """Classes are ordered by their loss; one that only one version has comes last."""

    def tested(make, **f1):
        metrics = msgspec.structs.replace(one.test.metrics, per_class=classes(**f1))
        return make("test", metrics=metrics)

    before = tested(other, a=0.5, b=0.9, c=0.7, gone=0.1)
    after = tested(other, a=0.6, b=0.2, c=0.6, new=0.9)
    found = compare_metadata(before, after).per_class
    assert [d.name for d in found] == ["f1[b]", "f1[c]", "f1[a]", "f1[gone]", "f1[new]"]
    assert [d.delta is None for d in found] == [False, False, False, True, True]
    assert found[3:] == [Delta("f1[gone]", 0.1, None, None), Delta("f1[new]", None, 0.9, None)]
    assert compare_metadata(registries.metadata(), one).per_class[0].delta == 0.0

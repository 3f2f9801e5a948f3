"""Gates: how their conditions are parsed, and which versions pass."""

import contextlib

import msgspec
import pytest
import registries
from hypothesis import given
from hypothesis import strategies as st

from textclf.errors import UsageError
from textclf.metadata.verdict import JudgedRows
from textclf.release.baseline import Baseline
from textclf.release.gate import Gate, Requirement, judge, parse_requirement, parse_share

ON = JudgedRows(4, "t" * 64, scored=False)


def gate(*require, **limits):
    return Gate(tuple(map(parse_requirement, require)), **limits)


@pytest.fixture
def metrics():
    return registries.metrics


@pytest.mark.parametrize(
    ("text", "requirement"),
    [
        ("accuracy>=0.9", Requirement("accuracy", None, 0.9)),
        ("accuracy=0.9", Requirement("accuracy", None, 0.9)),
        (" macro_f1 >= 90% ", Requirement("macro_f1", None, 0.9)),
        ("f1[spam]>=1", Requirement("f1", "spam", 1.0)),
        ("recall[a]b>=c = ]]>=0", Requirement("recall", "a]b>=c = ]", 0.0)),
        ("accuracy>=0.123456789", Requirement("accuracy", None, 0.123456789)),
        ("precision[two words\n]=.5", Requirement("precision", "two words\n", 0.5)),
    ],
)
def test_requirements_are_read(text, requirement):
    """`>=` and `=` both mean at least; a label is whatever is between the brackets."""
    assert parse_requirement(text) == requirement
    assert parse_requirement(str(requirement)) == requirement


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accuracy", "is not a requirement"),
        ("accuracy>0.9", "is not a requirement"),
        ("accuracy<=0.9", "is not a requirement"),
        ("", "is not a requirement"),
        ("f1[spam]", "is not a requirement"),
        ("f1>=0.9", "there is no metric 'f1'"),
        ("accuracy[spam]>=0.9", "there is no metric 'accuracy'"),
        ("accuracy>=1.1", "not between 0 and 1"),
        ("accuracy>=-0.1", "not between 0 and 1"),
        ("accuracy>=nan", "not between 0 and 1"),
        ("accuracy>=x", "not between 0 and 1"),
        ("accuracy>=101%", "not between 0 and 1"),
    ],
)
def test_malformed_requirements_are_usage_errors(text, said):
    """Other forms, unknown metrics and values that are not shares are refused."""
    with pytest.raises(UsageError, match=said):
        parse_requirement(text)


@given(st.text(max_size=20))
def test_any_text_is_parsed_or_a_usage_error(text):
    """No text that a user types raises another exception."""
    for read in (parse_requirement, parse_share):
        with contextlib.suppress(UsageError):
            read(text)


def test_every_metric_can_be_required(metrics):
    """Metrics over all classes and of one class can be; the check records their value."""
    required = gate(
        "accuracy=0.75", "macro_f1=0.75", "weighted_f1=0.75", "f1[neg]=0.5", "precision[pos]=1",
        "recall[neg]=0.5",
    )  # fmt: skip
    verdict = judge(required, metrics(), Baseline(), ON)
    assert verdict.verdict == "passed"
    assert [check.value for check in verdict.checks] == [0.75, 0.75, 0.75, 0.5, 1.0, 0.5]
    assert [check.least for check in verdict.checks] == [0.75, 0.75, 0.75, 0.5, 1.0, 0.5]


def test_a_metric_below_its_requirement_is_refused(metrics):
    """One unmet condition is enough; its reason has the value and the requirement."""
    verdict = judge(gate("accuracy=0.7", "f1[neg]=0.51"), metrics(), Baseline(), ON)
    assert verdict.verdict == "refused"
    [check] = verdict.failed
    assert check.reason == "f1[neg] is 0.5000, below 0.51"


def test_a_label_without_rows_is_refused_and_a_near_one_named(metrics):
    """A class that was not tested does not meet a requirement for its F1."""
    [check] = judge(gate("f1[ne]=0"), metrics(), Baseline(), ON).failed
    assert check.value is None
    assert check.reason == "no test row has the label 'ne'; did you mean 'neg'?"


@pytest.mark.parametrize(
    ("accuracy", "limit", "verdict"),
    [(0.89, 0.01, "passed"), (0.889, 0.01, "refused"), (0.95, 0.0, "passed"), (0.9, 0.0, "passed")],
)
def test_accuracy_may_fall_by_the_limit(metrics, accuracy, limit, verdict):
    """A regression of exactly the limit passes in spite of rounding; an improvement always does."""
    before = Baseline("1.0.0", metrics(accuracy=0.9))
    found = judge(Gate(max_regression=limit), metrics(accuracy=accuracy), before, ON)
    assert found.verdict == verdict
    assert found.against == "1.0.0"
    assert [check.metric for check in found.checks] == ["accuracy", "macro_f1"]


def test_macro_f1_is_limited_as_well(metrics):
    """Accuracy may be unchanged although a small class has become much worse."""
    verdict = judge(
        Gate(max_regression=0.01), metrics(f1_neg=0.1), Baseline("1.0.0", metrics()), ON
    )
    [check] = verdict.failed
    assert (check.metric, check.before, check.value) == ("macro_f1", 0.75, 0.55)


def test_all_classes_that_fell_too_far_are_listed_or_else_the_worst(metrics):
    """A class that improved does not compensate for one that became worse."""
    limit = Gate(max_class_regression=0.1)
    before = Baseline("1.0.0", metrics(f1_neg=0.5, f1_pos=0.5))
    lost = judge(limit, metrics(f1_neg=0.3, f1_pos=0.9), before, ON)
    assert [check.metric for check in lost.checks] == ["f1[neg]"]
    assert lost.failed[0].reason == "f1[neg] is 0.3000, more than 0.1 below 0.5000"
    both = judge(limit, metrics(f1_neg=0.3, f1_pos=0.2), before, ON)
    assert [check.metric for check in both.checks] == ["f1[pos]", "f1[neg]"]
    fine = judge(limit, metrics(f1_neg=0.45, f1_pos=0.9), before, ON)
    assert [(check.metric, check.passed) for check in fine.checks] == [("f1[neg]", True)]


def test_a_class_that_is_missing_counts_as_0(metrics):
    """A class that the test of the new version does not have has the F1 0."""
    after = msgspec.structs.replace(metrics(), per_class={"pos": metrics().per_class["pos"]})
    verdict = judge(Gate(max_class_regression=0.4), after, Baseline("1.0.0", metrics()), ON)
    assert [check.metric for check in verdict.failed] == ["f1[neg]"]


def test_without_a_promoted_version_there_is_no_regression(metrics):
    """The first version cannot regress."""
    verdict = judge(Gate((), 0.0, 0.0), metrics(), Baseline(), ON)
    assert (verdict.verdict, verdict.against, verdict.checks) == ("passed", None, [])


def test_a_condition_that_cannot_be_judged_is_not_met(metrics):
    """If the promoted version was tested on different rows, its limits refuse the new one."""
    before = Baseline("1.0.0", unavailable_reason="1.0.0 was tested on different rows")
    verdict = judge(Gate((), 0.5, 0.5), metrics(), before, ON)
    assert [check.reason for check in verdict.failed] == [
        "max-regression 0.5 cannot be judged: 1.0.0 was tested on different rows",
        "max-class-regression 0.5 cannot be judged: 1.0.0 was tested on different rows",
    ]
    assert judge(gate("accuracy=0.1"), metrics(), before, ON).verdict == "passed"


def test_a_joined_gate_has_the_conditions_of_both():
    """It has all requirements, without duplicates, and the stricter limits."""
    one = gate("accuracy=0.9", max_regression=0.1)
    other = gate("accuracy=0.9", "macro_f1=0.8", max_regression=0.05, max_class_regression=0.2)
    both = gate("accuracy=0.9", "macro_f1=0.8", max_regression=0.05, max_class_regression=0.2)
    assert one.joined(other) == other.joined(one) == both
    assert not Gate().joined(Gate())
    assert Gate(max_regression=0.0)

"""Gates: how conditions are written, and what passes them."""

import contextlib

import msgspec
import pytest
import registries
from hypothesis import given
from hypothesis import strategies as st

from textclf.errors import UsageError
from textclf.metadata.verdict import Rows
from textclf.release.baseline import Baseline
from textclf.release.gate import Gate, Requirement, judge, parse_requirement, parse_share

ON = Rows(4, "t" * 64, scored=False)


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
    """At least, with a sign or without; a label is whatever stands in the brackets."""
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
        ("f1>=0.9", "no metric is called 'f1'"),
        ("accuracy[spam]>=0.9", "no metric is called 'accuracy'"),
        ("accuracy>=1.1", "not between 0 and 1"),
        ("accuracy>=-0.1", "not between 0 and 1"),
        ("accuracy>=nan", "not between 0 and 1"),
        ("accuracy>=x", "not between 0 and 1"),
        ("accuracy>=101%", "not between 0 and 1"),
    ],
)
def test_what_is_no_requirement_is_refused(text, said):
    """Other forms, unknown metrics and values that are no shares are errors of usage."""
    with pytest.raises(UsageError, match=said):
        parse_requirement(text)


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused(text):
    """Nothing that is typed is more than an error of usage."""
    for read in (parse_requirement, parse_share):
        with contextlib.suppress(UsageError):
            read(text)


def test_every_metric_can_be_required(metrics):
    """Overall and per class; the value recorded is the metric's own."""
    required = gate(
        "accuracy=0.75", "macro_f1=0.75", "weighted_f1=0.75", "f1[neg]=0.5", "precision[pos]=1",
        "recall[neg]=0.5",
    )  # fmt: skip
    verdict = judge(required, metrics(), Baseline(), ON)
    assert verdict.verdict == "passed"
    assert [check.value for check in verdict.checks] == [0.75, 0.75, 0.75, 0.5, 1.0, 0.5]
    assert [check.least for check in verdict.checks] == [0.75, 0.75, 0.75, 0.5, 1.0, 0.5]


def test_what_is_less_than_required_is_refused(metrics):
    """One unmet condition refuses; it says what is and what had to be."""
    verdict = judge(gate("accuracy=0.7", "f1[neg]=0.51"), metrics(), Baseline(), ON)
    assert verdict.verdict == "refused"
    [check] = verdict.failed
    assert check.reason == "f1[neg] is 0.5000, below 0.51"


def test_a_label_without_rows_is_refused_and_a_near_one_named(metrics):
    """A class that was not tested has no F1 to be good enough."""
    [check] = judge(gate("f1[ne]=0"), metrics(), Baseline(), ON).failed
    assert check.value is None
    assert check.reason == "no test row has the label 'ne'; did you mean 'neg'?"


@pytest.mark.parametrize(
    ("accuracy", "limit", "verdict"),
    [(0.89, 0.01, "passed"), (0.889, 0.01, "refused"), (0.95, 0.0, "passed"), (0.9, 0.0, "passed")],
)
def test_accuracy_may_be_so_much_lower(metrics, accuracy, limit, verdict):
    """A regression of exactly the limit passes, in spite of rounding; better always does."""
    before = Baseline("1.0.0", metrics(accuracy=0.9))
    found = judge(Gate(max_regression=limit), metrics(accuracy=accuracy), before, ON)
    assert found.verdict == verdict
    assert found.against == "1.0.0"
    assert [check.metric for check in found.checks] == ["accuracy", "macro_f1"]


def test_macro_f1_may_not_be_lower_either(metrics):
    """The accuracy may be the same while a small class is lost."""
    verdict = judge(
        Gate(max_regression=0.01), metrics(f1_neg=0.1), Baseline("1.0.0", metrics()), ON
    )
    [check] = verdict.failed
    assert (check.metric, check.before, check.value) == ("macro_f1", 0.75, 0.55)


def test_every_class_that_lost_too_much_is_named_or_else_the_worst(metrics):
    """A class that gains does not make up for one that loses."""
    limit = Gate(max_class_regression=0.1)
    before = Baseline("1.0.0", metrics(f1_neg=0.5, f1_pos=0.5))
    lost = judge(limit, metrics(f1_neg=0.3, f1_pos=0.9), before, ON)
    assert [check.metric for check in lost.checks] == ["f1[neg]"]
    assert lost.failed[0].reason == "f1[neg] is 0.3000, more than 0.1 below 0.5000"
    both = judge(limit, metrics(f1_neg=0.3, f1_pos=0.2), before, ON)
    assert [check.metric for check in both.checks] == ["f1[pos]", "f1[neg]"]
    fine = judge(limit, metrics(f1_neg=0.45, f1_pos=0.9), before, ON)
    assert [(check.metric, check.passed) for check in fine.checks] == [("f1[neg]", True)]


def test_a_class_that_is_gone_has_lost_all(metrics):
    """A class that the new version's test does not have counts as 0."""
    after = msgspec.structs.replace(metrics(), per_class={"pos": metrics().per_class["pos"]})
    verdict = judge(Gate(max_class_regression=0.4), after, Baseline("1.0.0", metrics()), ON)
    assert [check.metric for check in verdict.failed] == ["f1[neg]"]


def test_without_a_promoted_version_there_is_no_regression(metrics):
    """The first version cannot be worse than the one before."""
    verdict = judge(Gate((), 0.0, 0.0), metrics(), Baseline(), ON)
    assert (verdict.verdict, verdict.against, verdict.checks) == ("passed", None, [])


def test_what_cannot_be_judged_is_refused(metrics):
    """A promoted version that was tested on other rows does not let the new one slip through."""
    before = Baseline("1.0.0", unavailable_reason="1.0.0 was tested on other rows")
    verdict = judge(Gate((), 0.5, 0.5), metrics(), before, ON)
    assert [check.reason for check in verdict.failed] == [
        "max-regression 0.5 cannot be judged: 1.0.0 was tested on other rows",
        "max-class-regression 0.5 cannot be judged: 1.0.0 was tested on other rows",
    ]
    assert judge(gate("accuracy=0.1"), metrics(), before, ON).verdict == "passed"


def test_joined_gates_are_both():
    """All requirements, each once, and the stricter limits."""
    one = gate("accuracy=0.9", max_regression=0.1)
    other = gate("accuracy=0.9", "macro_f1=0.8", max_regression=0.05, max_class_regression=0.2)
    both = gate("accuracy=0.9", "macro_f1=0.8", max_regression=0.05, max_class_regression=0.2)
    assert one.joined(other) == other.joined(one) == both
    assert not Gate().joined(Gate())
    assert Gate(max_regression=0.0)

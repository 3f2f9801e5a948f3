import re

import pytest

from textclf.data.dataset import OnBadRows, ReadOptions, read_dataset
from textclf.data.quality import Severity, find_problems
from textclf.errors import DataError


@pytest.fixture
def data(tmp_path):
    """Return a function that writes rows to a CSV file and reads it."""

    def write(name, *rows):
        path = tmp_path / name
        path.write_text("text,label\n" + "".join(f"{row}\n" for row in rows))
        return read_dataset(path, ReadOptions(on_bad_rows=OnBadRows.SKIP))

    return write


def only(problems, kind):
    (problem,) = problems
    assert problem.kind == kind
    return problem


def names(problem):
    """Return the examples without the folder of the files."""
    return [re.sub(r"[^ (]*/", "", example) for example in problem.examples]


GOOD = ("a,x", "b,x", "c,y", "d,y")


def test_nothing_wrong(data):
    """A data set with nothing wrong has no problems, with or without a test set."""
    train = data("train.csv", *GOOD)
    assert find_problems(train, folds=2) == ()
    assert find_problems(train, data("test.csv", "e,x", "f,y"), folds=2) == ()


def test_bad_rows(data):
    """Skipped rows of both sets are an error, each with its reason."""
    train, test = data("train.csv", *GOOD, "e,"), data("test.csv", "f,x", "g,y", ",y")
    problem = only(find_problems(train, test, folds=2), "bad-rows")
    assert (problem.severity, problem.count) == (Severity.ERROR, 2)
    assert problem.message == "2 rows cannot be used; --on-bad-rows skip leaves such rows out"
    assert names(problem) == ["train.csv:6: no label", "test.csv:4: empty text"]


def test_few_bad_rows(data):
    """As many as training leaves out are a warning."""
    train = data("train.csv", *(f"{n},{n % 2}" for n in range(99)), "e,")
    problem = only(find_problems(train, folds=2), "bad-rows")
    assert (problem.severity, problem.count) == (Severity.WARNING, 1)
    assert problem.message == "1 row cannot be used; it will be left out"


def test_bad_rows_that_are_to_be_left_out(data):
    """They are a warning where they are left out, and an error where none may be bad."""
    many, few = (
        data("a.csv", *GOOD, "e,"),
        data("b.csv", *(f"{n},{n % 2}" for n in range(99)), "e,"),
    )
    for train, policy, severity in (
        (many, OnBadRows.SKIP, Severity.WARNING),
        (few, OnBadRows.FAIL, Severity.ERROR),
    ):
        found = find_problems(train, folds=2, on_bad_rows=policy)
        assert only(found, "bad-rows").severity is severity


def test_one_label(data):
    """One label is an error."""
    problem = only(find_problems(data("a.csv", "a,x", "b,x"), folds=2), "one-label")
    assert (problem.severity, problem.count, problem.examples) == (
        Severity.ERROR,
        1,
        ("x: 2 rows",),
    )


def test_no_usable_rows(data):
    """A data set of bad rows alone cannot be skipped through: it is refused."""
    with pytest.raises(DataError, match="has a label"):
        data("a.csv", "a,", "b,")


def test_too_few_rows(data):
    """Where every label is too small for the folds, that is one error."""
    problem = only(find_problems(data("a.csv", *GOOD)), "too-few-rows")
    assert (problem.severity, problem.count) == (Severity.ERROR, 2)
    assert problem.examples == ("x: 2 rows", "y: 2 rows")


def test_small_label(data):
    """Where some labels are too small for the folds, that is a warning that names them."""
    problem = only(find_problems(data("a.csv", *GOOD, "e,z"), folds=2), "small-label")
    assert (problem.severity, problem.count) == (Severity.WARNING, 1)
    assert problem.examples == ("z: 1 row",)


def test_duplicates(data):
    """A row that repeats text and label points to the first such row, whatever stands between."""
    problems = find_problems(data("a.csv", *GOOD, "a,x", "b,y", "b,y", "a,x"), folds=2)
    duplicates, contradictions = problems
    assert (duplicates.kind, duplicates.severity) == ("duplicates", Severity.WARNING)
    assert duplicates.count == 3
    assert names(duplicates) == [
        "a.csv:6: repeats a.csv:2: a",
        "a.csv:8: repeats a.csv:7: b",
        "a.csv:9: repeats a.csv:2: a",
    ]
    assert (contradictions.kind, contradictions.count) == ("contradictions", 1)
    assert names(contradictions) == ["a.csv:3: b: x (a.csv:3), y (a.csv:7)"]


def test_test_overlap(data):
    """Texts in both sets are counted once each, whatever their labels."""
    train, test = data("train.csv", *GOOD), data("test.csv", "a,x", "a,x", "b,y", "e,y")
    problem = only(find_problems(train, test, folds=2), "test-overlap")
    assert (problem.severity, problem.count) == (Severity.WARNING, 2)
    assert names(problem)[0] == "test.csv:2: also in train.csv:2: a"


def test_label_differences(data):
    """Labels in only one of the sets are two warnings."""
    train, test = data("train.csv", *GOOD), data("test.csv", "e,x", "f,z")
    unseen, absent = find_problems(train, test, folds=2)
    assert (unseen.kind, unseen.examples) == ("unseen-label", ("z: 1 row",))
    assert (absent.kind, absent.examples) == ("absent-label", ("y: 2 rows",))
    assert {unseen.severity, absent.severity} == {Severity.WARNING}
    assert unseen.message == "the test set has 1 label never seen in training"


def test_errors_first_and_five_examples(data):
    """Errors come before warnings; of many examples five are given, shortened and on one line."""
    long = '"' + "word\n" * 50 + '",x'
    problems = find_problems(data("a.csv", *[long] * 9, "b,x"), folds=2)
    assert [problem.kind for problem in problems] == ["one-label", "duplicates"]
    assert problems[1].count == 8
    assert len(problems[1].examples) == 5
    text = problems[1].examples[0].rpartition(": ")[2]
    assert text.startswith(r"word\nword")
    assert text.endswith("…")
    assert "\n" not in text


@pytest.mark.parametrize(
    "other",
    [
        *("Café", "CAFÉ", "cafe\u0301", "café\u200b", "\ufeffcafé", "\u0441\u0430fé", "café."),
        *('"""café"""', "'café'", "[café]", "\u201ccafé\u201d", "\uff43afé"),
    ],
)
def test_labels_written_in_several_ways(data, other):
    """Labels that differ only in how they are written are a warning that shows each of them."""
    problems = find_problems(data("a.csv", *GOOD, "e,café", "f,café", f"g,{other}", "h,z"), folds=1)
    problem = next(problem for problem in problems if problem.kind == "label-spelling")
    assert (problem.severity, problem.count) == (Severity.WARNING, 1)
    assert problem.message == "the data has 1 label written in several ways"
    assert '"café" = caf\\xe9 (2 rows)' in problem.examples[0]
    assert problem.examples[0].count("(1 row)") == 1


@pytest.mark.parametrize(
    ("labels", "kind", "examples"),
    [
        ("1 1.0 2", "label-spelling", ['"1" (2 rows), "1.0" (2 rows)']),
        ("a-b a_b c", "label-spelling", ['"a-b" (2 rows), "a_b" (2 rows)']),
        ("nan x y", "missing-label", ["nan: 2 rows"]),
        ("\\N NULL x", "missing-label", ["NULL: 2 rows", "\\N: 2 rows"]),
        ("2|5 2 5", "several-labels", ["2|5: 2 rows"]),
        ("['a'] ['b'] c", "several-labels", ["['a']: 2 rows", "['b']: 2 rows"]),
        ("a;b a c", "several-labels", ["a;b: 2 rows"]),
        ("C C++ C#", None, []),
        ("-1 1 +1", None, []),
        ("none other a/c", None, []),
        ("DESC:def DESC:desc comp.sys.ibm comp.sys", None, []),
    ],
)
def test_labels_that_may_not_be_meant(data, labels, kind, examples):
    """What looks like a missing label, a list of labels or a second spelling is a warning."""
    rows = [f"{n}{label},{label}" for label in labels.split() for n in "xy"]
    problems = find_problems(data("a.csv", *rows), folds=1)
    assert [problem.kind for problem in problems] == ([kind] if kind else [])
    assert [one for problem in problems for one in problem.examples] == examples


def test_label_written_differently_in_the_test_set(data):
    """Spellings of a label in both sets are compared."""
    train, test = data("train.csv", *GOOD), data("test.csv", "e,X", "f,y")
    problems = find_problems(train, test, folds=2)
    assert problems[0].examples == ('"X" (1 row), "x" (2 rows)',)

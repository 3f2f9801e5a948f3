import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semver import Version

from textclf.errors import TextclfError
from textclf.metadata.bump import Recipe, infer_bump
from textclf.metadata.json_values import differ, flatten
from textclf.metadata.versions import Bump, is_version, next_version, parse_version

SPACE = [
    {
        "features": {"word": {"ngram_range": [[1, 1], [1, 2]], "min_df": [1, 2]}},
        "classifier": {"LinearSVC": {"C": [0.1, 1.0]}},
    }
]
BASE = Recipe(
    labels=frozenset({"neg", "pos"}),
    features=frozenset({"word"}),
    classifiers=frozenset({"LinearSVC"}),
    search={"space": SPACE, "scoring": "accuracy", "folds": 5, "seed": 0},
    rows="r1",
    test="t1",
    code="c1",
    libraries={"python": "3.11.7", "numpy": "2.0.0"},
)

LARGEST = 999_999_999
numbers = st.one_of(st.integers(0, 30), st.integers(LARGEST - 1, LARGEST))
versions = st.builds(Version, numbers, numbers, numbers)
small = st.builds(Version, *[st.integers(0, 3)] * 3)
bumps = st.sampled_from(Bump)


def changed(**changes):
    return dataclasses.replace(BASE, **changes)


def space_with(name, parameter, values):
    return [{**SPACE[0], "classifier": {name: {parameter: values}}}]


# --- how they are written -------------------------------------------------------------------------


@given(versions)
def test_a_version_is_read_as_it_is_written(version):
    """Writing a version and reading it gives it back, with or without a v."""
    assert parse_version(str(version)) == version == parse_version(f"v{version}")
    assert is_version(str(version))


@pytest.mark.parametrize(
    "text",
    ["", "1", "1.0", "1.0.0.0", "01.0.0", "1.0.0-rc1", "1.0.0+x", "vv1.0.0", "1.0.0\n", " 1.0.0",
     "1.0.-1", "1.0.٣", "latest", "1.0.0/..", "V1.0.0", "1000000000.0.0", "1.0." + "9" * 5000],
)  # fmt: skip
def test_what_is_not_a_version(text):
    """Anything but three plain numbers is refused, and is no version's folder."""
    with pytest.raises(ValueError, match=r"is not of the form"):
        parse_version(text)
    assert not is_version(text)


def test_a_folder_name_has_no_v():
    """v1.0.0 names a version for people, but no folder."""
    assert not is_version("v1.0.0")


# --- the next number ------------------------------------------------------------------------------


@given(st.one_of(st.none(), small), bumps, st.sets(small))
def test_a_number_is_never_given_twice(base, bump, taken):
    """The next number is free, and greater than its base."""
    version = next_version(base, bump, taken)
    assert version not in taken
    assert base is None or version > base


@given(small, bumps, st.sets(small))
def test_the_next_number_stays_on_its_line(base, bump, taken):
    """A patch keeps major and minor, a minor keeps the major; what follows the bump is 0."""
    version = next_version(base, bump, taken)
    kept = {Bump.PATCH: 2, Bump.MINOR: 1, Bump.MAJOR: 0}[bump]
    assert version.to_tuple()[:kept] == base.to_tuple()[:kept]
    assert not any(version.to_tuple()[kept + 1 : 3])
    line = [v for v in taken if v.to_tuple()[:kept] == base.to_tuple()[:kept]]
    assert all(version > other for other in line)


@given(small, bumps)
def test_alone_the_next_number_is_semver_s(base, bump):
    """With nothing in the way the number is the one Semantic Versioning gives."""
    assert next_version(base, bump, {base}) == getattr(base, f"bump_{bump}")()


@pytest.mark.parametrize(
    ("base", "bump", "taken", "expected"),
    [
        (None, Bump.MAJOR, "", "1.0.0"),
        (None, Bump.PATCH, "", "1.0.0"),
        (None, Bump.MAJOR, "1.0.0 1.3.0", "2.0.0"),
        ("1.1.0", Bump.PATCH, "1.1.0 1.1.3 1.2.0", "1.1.4"),
        ("1.1.0", Bump.MINOR, "1.1.0 1.4.2 2.0.0", "1.5.0"),
        ("1.1.0", Bump.MAJOR, "1.1.0 2.0.0 3.1.0", "4.0.0"),
        ("1.1.5", Bump.PATCH, "1.1.0", "1.1.6"),
        ("1.9.9", Bump.PATCH, "1.9.9", "1.9.10"),
    ],
)
def test_an_older_line_goes_on_above_all_it_has(base, bump, taken, expected):
    """From an older version the number goes on above the highest of its line."""
    base = parse_version(base) if base else None
    assert str(next_version(base, bump, {parse_version(v) for v in taken.split()})) == expected


@given(st.one_of(st.none(), versions), bumps, st.sets(versions), st.sets(versions))
def test_the_next_number_can_be_read_back_or_there_is_none(base, bump, used, reserved):
    """Whatever was used or reserved, a number that nobody could read is never returned."""
    try:
        version = next_version(base, bump, used, reserved)
    except TextclfError:
        assert any(LARGEST in v.to_tuple() for v in (base, *used, *reserved) if v)
        return
    assert parse_version(str(version)) == version
    assert version not in used | reserved


@pytest.mark.parametrize(
    ("reserved", "expected"),
    [("999999999.0.0", "2.0.0"), ("2.0.0 3.0.0 999999999.0.0", "4.0.0"), ("1.0.0", "2.0.0")],
)
def test_a_reserved_number_is_passed_over_and_reserves_none_below_it(reserved, expected):
    """The next number is above all that was used, and steps over what is only reserved."""
    base = parse_version("1.0.0")
    numbers = {parse_version(v) for v in reserved.split()}
    assert str(next_version(base, Bump.MAJOR, {base}, numbers)) == expected


# --- which bump -----------------------------------------------------------------------------------

RULES = [
    ("major", {"labels": frozenset({"pos", "neutral"})}, 1.0,
     "labels changed: added neutral; removed neg"),
    ("major", {"features": frozenset({"word", "char"})}, 1.0,
     "kinds of features searched changed: added char"),
    ("major", {"classifiers": frozenset({"LinearSVC", "ComplementNB"})}, 1.0,
     "classifiers searched changed: added ComplementNB"),
    ("major", {"rows": "r2"}, 0.49, "a new data set: about 49% of the rows in common"),
    ("minor", {"search": {**BASE.search, "space": space_with("LinearSVC", "C", [0.1, 3.0])}}, 1.0,
     "space.1.classifier.LinearSVC.C: [0.1, 1.0] → [0.1, 3.0]"),
    ("minor", {"search": {**BASE.search, "space": space_with("LinearSVC", "loss", ["hinge"])}}, 1.0,
     "space.1.classifier.LinearSVC.loss: not set → ['hinge']"),
    ("minor", {"search": {**BASE.search, "space": [*SPACE, *SPACE]}}, 1.0,
     "space.2.classifier.LinearSVC.C: not set → [0.1, 1.0]"),
    ("minor", {"search": {**BASE.search, "scoring": "f1_macro"}}, 1.0,
     "scoring: accuracy → f1_macro"),
    ("minor", {"search": {**BASE.search, "folds": 3}}, 1.0, "folds: 5 → 3"),
    ("minor", {"search": {**BASE.search, "seed": 1}}, 1.0, "seed: 0 → 1"),
    ("patch", {"rows": "r2"}, 0.5, "some training rows changed: about 50% in common"),
    ("patch", {"test": "t2"}, 1.0, "the test rows changed"),
    ("patch", {"code": "c2"}, 1.0, "the code of textclf changed"),
    ("patch", {"libraries": {"python": "3.11.7", "numpy": "2.1.0"}}, 1.0, "numpy: 2.0.0 → 2.1.0"),
    ("patch", {"libraries": {"python": "3.12.0", "numpy": "2.0.0"}}, 1.0,
     "python: 3.11.7 → 3.12.0"),
]  # fmt: skip


@pytest.mark.parametrize(("bump", "changes", "common", "reason"), RULES)
def test_each_rule_of_the_contract(bump, changes, common, reason):
    """One change fires its rule of the contract's table, and the reason names the change."""
    found = infer_bump(BASE, changed(**changes), rows_in_common=common)
    assert found.bump == bump
    assert reason in found.reasons


@pytest.mark.parametrize("is_first", [True, False])
def test_who_has_fitted_a_model_is_a_minor_change(is_first):
    """How it was found is known of one of them only."""
    ours, theirs = BASE, changed(fitted_elsewhere=True)
    base, new, reason = (
        (theirs, ours, "fitted elsewhere → trained by textclf")
        if is_first
        else (ours, theirs, "trained by textclf → fitted elsewhere")
    )
    found = infer_bump(base, new, rows_in_common=None)
    assert (found.bump, found.reasons) == ("minor", (reason,))


def test_nothing_changed():
    """The same recipe calls for no version, and gives no reason."""
    found = infer_bump(BASE, changed(), rows_in_common=1.0)
    assert (found.bump, found.reasons) == (None, ())


@given(st.lists(st.sampled_from(RULES), min_size=1))
def test_the_highest_rule_wins(rules):
    """When several rules fire, the highest bump is taken, with reasons of that rank only."""
    changes = {name: value for _, more, _, _ in rules for name, value in more.items()}
    common = min(share for _, _, share, _ in rules)
    alone = {
        infer_bump(BASE, changed(**{name: value}), rows_in_common=common).bump
        for name, value in changes.items()
    }
    found = infer_bump(BASE, changed(**changes), rows_in_common=common)
    order = [Bump.MAJOR, Bump.MINOR, Bump.PATCH]
    assert found.bump == min(alone, key=order.index)
    assert found.reasons
    assert len(set(found.reasons)) == len(found.reasons)


def test_all_reasons_are_listed():
    """Every rule of the rank that fired gives its reason."""
    found = infer_bump(BASE, changed(rows="r2", test="t2", code="c2"), rows_in_common=0.9)
    assert found.bump == "patch"
    assert len(found.reasons) == 3


def test_many_labels_are_counted_not_listed():
    """A hundred new labels make one short reason."""
    labels = frozenset(f"label {n:03d}" for n in range(100))
    (reason,) = infer_bump(BASE, changed(labels=BASE.labels | labels), rows_in_common=1.0).reasons
    assert reason.endswith("label 004 and 95 more")


@pytest.mark.parametrize(
    ("before", "after"), [(1, 1.0), ([1], [1.0]), (True, 1), ([[1, 2]], [[1, 2.0]]), (0, False)]
)
def test_a_count_is_not_a_share(before, after):
    """min_df = 1 and min_df = 1.0 mean different things to scikit-learn: that is a change."""
    assert differ(before, after)
    changes = {"search": {**BASE.search, "space": space_with("LinearSVC", "C", after)}}
    base = changed(search={**BASE.search, "space": space_with("LinearSVC", "C", before)})
    assert infer_bump(base, changed(**changes), rows_in_common=1.0).bump == "minor"


def test_what_json_does_not_tell_apart_is_the_same():
    """Tuples and lists, and tables in another order, are no change."""
    assert not differ((1, 2), [1, 2])
    assert not differ([{"a": 1, "b": 2}], [{"b": 2, "a": 1}])


def test_flatten():
    """Nested tables and lists of tables get dotted names; empty ones and other lists stay."""
    nested = {"a": {"b": {"c": 1}}, "l": [{"x": 1}, {"x": 2}], "t": (1, 2), "e": {}, "n": []}
    assert flatten(nested) == {"a.b.c": 1, "l.1.x": 1, "l.2.x": 2, "t": [1, 2], "e": {}, "n": []}

"""Which versions a policy removes."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.errors import UsageError
from textclf.metadata.schema import Summary
from textclf.registry.retention import RetentionPolicy, parse_age

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def summary(version, saved_at):
    raw = {
        "version": version, "saved_at": saved_at, "best_cv_accuracy": 0.5, "test_accuracy": 0.5,
        "schema": 1, "message": None, "artifact": {"bytes": 1}, "data": {"rows": 1},
        "test": {"metrics": {"macro_f1": 0.5}},
    }  # fmt: skip
    return msgspec.convert(raw, Summary)


def aged(**days):
    """Versions (``v1_2_3=5``: 1.2.3, five days old)."""
    return [
        summary(name[1:].replace("_", "."), f"{NOW - timedelta(days=n):%Y-%m-%dT%H:%M:%SZ}")
        for name, n in days.items()
    ]


def gone(policy, versions, **protected):
    names = {name[1:].replace("_", "."): why for name, why in protected.items()}
    return [v.version.version for v in policy.decide(versions, names, NOW) if v.keep_reason is None]


LINE = aged(v1_0_0=40, v1_1_0=30, v2_0_0=20, v1_1_1=10, v2_1_0=0)


def test_the_last_saved_are_kept():
    """Those saved last are kept, not the highest: an older line may still get patches."""
    assert gone(RetentionPolicy(keep=2), LINE) == ["1.0.0", "1.1.0", "2.0.0"]
    assert gone(RetentionPolicy(keep=0), LINE) == ["1.0.0", "1.1.0", "2.0.0", "1.1.1", "2.1.0"]
    assert gone(RetentionPolicy(keep=9), LINE) == []


def test_the_young_are_kept():
    """A version of exactly that age is not older."""
    assert gone(RetentionPolicy(older_than=timedelta(days=20)), LINE) == ["1.0.0", "1.1.0"]


def test_a_version_goes_only_where_no_rule_keeps_it():
    """Two rules keep more than one."""
    assert gone(RetentionPolicy(keep=4, older_than=timedelta(days=20)), LINE) == ["1.0.0"]
    assert gone(RetentionPolicy(keep=1, older_than=timedelta(days=35)), LINE) == ["1.0.0"]


def test_of_the_same_second_the_higher_one_is_newer():
    """As numbers, not as text."""
    same = aged(v1_2_0=1, v1_10_0=1, v1_9_0=1)
    assert gone(RetentionPolicy(keep=1), same) == ["1.2.0", "1.9.0"]


def test_what_cannot_be_dated_is_not_old():
    """An age that nobody knows is no reason to remove anything."""
    assert (
        gone(RetentionPolicy(older_than=timedelta()), [summary("1.0.0", "2026-02-31T00:00:00Z")])
        == []
    )


days = st.integers(0, 100)


@given(
    st.lists(days, max_size=12),
    st.sets(st.integers(0, 11)),
    st.none() | st.integers(0, 12),
    st.none() | days,
)
def test_every_version_is_judged_and_the_protected_never_go(ages, protected, keep, older):
    """Whatever the rules, each version is judged once, and one with a reason stays for it."""
    versions = aged(**{f"v1_{n}_0": age for n, age in enumerate(ages)})
    why = {f"1.{n}.0": "tagged" for n in protected}
    policy = RetentionPolicy(keep, None if older is None else timedelta(days=older))
    decisions = policy.decide(versions, why, NOW)
    assert sorted(v.version.version for v in decisions) == sorted(v.version for v in versions)
    assert all(v.keep_reason == "tagged" for v in decisions if v.version.version in why)
    if keep is not None:
        assert sum(v.keep_reason is not None for v in decisions) >= min(keep, len(versions))


def test_ages():
    """Hours, days and weeks."""
    ages = {"36h": timedelta(hours=36), "90d": timedelta(days=90), "12w": timedelta(weeks=12)}
    assert {text: parse_age(text) for text in ages} == ages
    for text in ("", "90", "d", "-1d", "1.5d", "90 d", "3m", "٣d", "999999d", "90d\n"):
        with pytest.raises(UsageError, match="is not an age"):
            parse_age(text)

"""The state of versions that follows from their events."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.errors import UsageError
from textclf.registry.event_log import Event, VersionState, check_tags, version_states

NUMBERS = itertools.count(1)


def event(kind, version="1.0.0", **detail):
    return Event(
        n=next(NUMBERS), at="2026-01-01T00:00:00Z", kind=kind, version=version, by="ada@vm",
        token="t", detail=detail,
    )  # fmt: skip


def of(*events):
    return version_states(events).get("1.0.0", VersionState())


def test_the_newest_value_of_a_tag_counts():
    """A tag is put on, changed and taken off by later events; keys stand in their order."""
    first, second = event("tagged", prod="eu", owner="ada"), event("tagged", prod="us", a="1")
    assert dict(of(first).tags) == {"owner": "ada", "prod": "eu"}
    assert list(of(first, second).tags.items()) == [("a", "1"), ("owner", "ada"), ("prod", "us")]
    assert dict(of(first, second, event("tagged", prod=None, none=None)).tags) == {
        "a": "1",
        "owner": "ada",
    }


def test_each_version_has_its_own():
    """Events of one version say nothing of another."""
    found = version_states([event("tagged", a="1"), event("pruned", "1.1.0")])
    assert dict(found["1.0.0"].tags) == {"a": "1"}
    assert found["1.0.0"].pruned is None
    assert found["1.1.0"].pruned


def test_a_pruned_version_takes_no_tags():
    """Who tags it later is too late, whatever becomes of it; who came first has his way."""
    before, pruned, after = event("tagged", a="1"), event("pruned"), event("tagged", b="2")
    state = of(before, pruned, after)
    assert (dict(state.tags), state.pruned) == ({"a": "1"}, pruned)
    kept = of(before, pruned, after, event("kept"))
    assert (dict(kept.tags), kept.pruned) == ({"a": "1"}, None)


@pytest.mark.parametrize("kind", ["kept", "imported"])
def test_what_was_kept_or_brought_back_is_not_pruned(kind):
    """Until it is pruned again."""
    assert of(event("pruned"), event(kind)).pruned is None
    assert of(event("pruned"), event(kind), event("pruned")).pruned


def test_the_first_of_kept_and_removed_decides():
    """A version is kept or removed by whichever is said first; the other changes nothing."""
    pruned, kept = event("pruned"), event("kept")
    removed = event("removed", event=pruned.n)
    assert of(pruned, removed, kept).removed
    assert of(pruned, removed, kept).pruned == pruned
    assert of(pruned, kept, removed) == VersionState()
    assert of(pruned, removed, event("imported")) == VersionState()


def test_a_removal_is_of_one_mark():
    """A process that slept while its mark was overruled does not decide on a later one."""
    first, second = event("pruned"), event("pruned")
    stale = event("removed", event=first.n)
    assert not of(first, event("kept"), second, stale).removed
    assert of(first, event("kept"), second, stale, event("kept")).pruned is None


@given(st.lists(st.sampled_from(["refused", "pruned", "kept", "tagged", "imported", "odd"])))
def test_other_events_change_nothing(kinds):
    """Kinds of events that this file does not know are as if they were not there."""
    known = [kind for kind in kinds if kind not in ("refused", "odd")]
    one, other = (of(*(event(kind, key="v") for kind in some)) for some in (kinds, known))
    assert one.tags == other.tags
    assert bool(one.pruned) == bool(other.pruned)


@pytest.mark.parametrize("key", ["", "a b", "a=b", "-a", ".", "x" * 65, "a\n", "\x1b"])
def test_a_key_is_a_word(key):
    """Anything else is refused, so that a tag can be typed."""
    with pytest.raises(UsageError, match="cannot be the key of a tag"):
        check_tags({key: "value"})


def test_values_are_short_and_not_empty():
    """An empty value would look like none; a long one is no tag."""
    check_tags({"schlüssel.1-x_y": "any thing = \x1b", "gone": None})
    for value in ("", "x" * 201):
        with pytest.raises(UsageError, match="characters, not 1 to 200"):
            check_tags({"key": value})

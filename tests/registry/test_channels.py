"""Channels: promoted versions by other names than latest, each with a log of its own."""

import pytest
import registries
from registries import model, refusal

from textclf.errors import NoSuchVersion, UsageError
from textclf.metadata.versions import parse_version as V  # noqa: N812
from textclf.registry.history import read_history
from textclf.registry.verification import verify


@pytest.fixture
def three(root):
    """Three versions; 1.2.0 is latest, and 1.1.0 is in staging, before it 1.0.0."""
    registry = registries.open_registry(root)
    for number in ("1.0.0", "1.1.0", "1.2.0"):
        registries.publish(registry)
        registry.promote(V(number))
    registry.promote(V("1.0.0"), channel="staging")
    registry.promote(V("1.1.0"), channel="staging", message="try it")
    return registry


def test_a_channel_is_a_name_for_a_version(three, root):
    """It resolves like latest, which it does not move; the alias follows latest alone."""
    assert str(three.resolve("staging")) == "1.1.0"
    assert str(three.promoted("staging")) == "1.1.0"
    assert str(three.latest()) == "1.2.0"
    assert registries.alias(root) == model(root, "1.2.0")
    assert [log.channel for log in three.channels()] == ["latest", "staging"]


def test_each_channel_has_a_log_and_a_rollback_of_its_own(three):
    """With the same records."""
    done = three.rollback(channel="staging", message="no")
    assert (done.version, done.previous, done.channel) == ("1.0.0", "1.1.0", "staging")
    records = three.history("staging")
    assert [(r.n, r.to, r.channel, r.restores) for r in records] == [
        (1, "1.0.0", "staging", None),
        (2, "1.1.0", "staging", None),
        (3, "1.0.0", "staging", 1),
    ]
    assert len(three.history()) == 3
    message, _ = refusal(NoSuchVersion, three.rollback, channel="staging")
    assert message == "nothing was promoted before 1.0.0"


def test_promoting_again_changes_nothing(three):
    """As in latest."""
    done = three.promote(V("1.1.0"), channel="staging")
    assert not done.changed
    assert len(three.history("staging")) == 2


def test_a_gate_compares_with_the_version_of_the_channel(three):
    """Not with latest."""
    compared = []

    def judge(promoted):
        compared.append(str(promoted))

    three.promote(V("1.2.0"), channel="staging", judge=judge)
    assert compared == ["1.1.0"]


@pytest.mark.parametrize(
    "name", ["previous", "1.0.0", "v1", "v1.0.0", "", "Staging", "a/b", "..", "a" * 65]
)
def test_a_name_cannot_look_like_a_version_or_leave_its_folder(three, name):
    """Nothing is written."""
    message, _ = refusal(UsageError, three.promote, V("1.0.0"), channel=name)
    assert "cannot be the name of a channel" in message
    assert [log.channel for log in three.channels()] == ["latest", "staging"]


def test_an_unknown_channel_is_told_with_the_known_ones(three):
    """It may have been meant as a version."""
    message, hint = refusal(NoSuchVersion, three.resolve, "shadow")
    assert message == (
        "'shadow' is not a version such as 1.1.0, nor one of the channels latest, staging"
    )
    assert hint == "textclf versions list"


def test_what_a_channel_needs_is_not_pruned(three):
    """Its version, and the one that a rollback would promote."""
    assert three.prune(V("1.1.0")) == "previous"
    three.promote(V("1.0.0"))
    three.promote(V("1.2.0"))
    assert three.prune(V("1.1.0")) == "staging"
    three.promote(V("1.2.0"), channel="staging")
    assert three.prune(V("1.1.0")) == "previous in staging"


def test_the_history_has_all_channels_in_the_order_of_time(three):
    """Promotions of latest by themselves, too."""
    known = read_history(three)
    assert len(known.promotions) == 3
    assert len(known.entries) == 5
    assert [entry.at for entry in known.entries] == sorted(entry.at for entry in known.entries)


def test_verify_checks_the_logs_of_channels(three, root):
    """A record that names another version, is missing, or belongs to another channel."""
    assert verify(three).ok
    folder = root / ".registry/channels/staging"
    (folder / "00000001.json").write_bytes((folder / "00000002.json").read_bytes())
    problems = {problem.file for problem in verify(three).problems}
    assert ".registry/channels/staging/00000001.json" in problems
    (root / ".registry/promotions/00000003.json").replace(folder / "00000003.json")
    assert any("channel latest" in problem.problem for problem in verify(three).problems)


def test_metadata_may_not_change_after_a_promotion_in_any_channel(three, root):
    """The first promotion has their digest."""
    registries.publish(three)
    three.promote(V("1.3.0"), channel="shadow")
    path = root / "1.3.0/metadata.json"
    path.write_bytes(path.read_bytes() + b" ")
    message, _ = refusal(Exception, three.metadata, V("1.3.0"))
    assert "was changed after its promotion" in message

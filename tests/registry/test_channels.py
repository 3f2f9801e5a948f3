"""Channels: promoted versions by other names than latest, each with a log of its own."""

import shutil

import pytest
import registries
from registries import model, refusal

from textclf.errors import IntegrityError, NoSuchVersion, UsageError
from textclf.metadata.versions import parse_version as V  # noqa: N812
from textclf.registry.history import read_history, read_promotions
from textclf.registry.listing import read_marks
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
    assert "is damaged: not a promotion record of staging" in said(three)


def said(registry):
    return [problem.problem for problem in verify(registry).problems]


STAGING = ".registry/channels/staging"


@pytest.mark.parametrize("restores", [2, 3, 0, -1, "1"])
def test_a_rollback_cannot_restore_itself_or_what_comes_later(three, root, restores):
    """Such a record was edited: it is named, and no command follows it without an end."""
    three.promote(V("1.2.0"), channel="staging")
    registries.edit(root / STAGING / "00000002.json", restores=restores)
    assert said(three) == ["is damaged: not a promotion record of staging"]
    assert str(three.resolve("staging")) == "1.2.0"
    with pytest.raises(IntegrityError, match=r"staging/00000002\.json is damaged"):
        three.rollback(channel="staging")


def test_a_rollback_that_restores_another_version_is_named_and_not_followed(three, root):
    """A promotion in force is always of the version that its record names."""
    three.promote(V("1.2.0"), channel="staging")
    three.rollback(channel="staging")
    registries.edit(root / STAGING / "00000004.json", restores=1)
    assert said(three) == ["restores record 1, which is of another version"]
    three.promote(V("1.0.0"), channel="staging")
    assert three.rollback(channel="staging").version == "1.1.0"


def test_what_is_no_channel_is_not_taken_for_one(three, root):
    """Files, folders with other names, and copies of a log under another name."""
    channels = root / ".registry/channels"
    (channels / "notes").write_text("?")
    for name in ("Backup", ".hidden", "1.0.0", "v1"):
        (channels / name).mkdir()
        (channels / name / "00000001.json").write_text("?")
    (channels / "empty").mkdir()
    assert verify(three).ok
    marks = read_marks(three)
    assert marks.channels == {"1.2.0": ["latest"], "1.1.0": ["staging"]}
    assert marks.problems == []
    message, _ = refusal(NoSuchVersion, three.resolve, "notes")
    assert message.endswith("nor one of the channels latest, staging")
    shutil.copytree(channels / "staging", channels / "copy")
    assert said(three) == ["is damaged: not a promotion record of copy"] * 2


@pytest.mark.parametrize("channel", ["latest", "staging"])
def test_a_channel_whose_log_is_damaged_hides_no_other(three, root, channel):
    """It is named once; what the other says is shown, and nothing is pruned."""
    folder, n = (".registry/promotions", 3) if channel == "latest" else (STAGING, 2)
    (root / folder / f"{n:08d}.json").write_bytes(b"{}")
    marks = read_marks(three)
    (error,) = marks.problems
    assert marks.channels == (
        {"1.1.0": ["staging"]} if channel == "latest" else {"1.2.0": ["latest"]}
    )
    assert f"{n:08d}.json is damaged" in str(error)
    known = read_history(three)
    assert (len(known.entries), len(known.damaged)) == (4, 1)
    assert len(read_promotions(three, channel).damaged) == 1
    other = "staging" if channel == "latest" else "latest"
    assert read_promotions(three, other).damaged == []
    with pytest.raises(IntegrityError):
        three.prune(V("1.0.0"))
    three.promote(V("1.0.0"), channel=other)


def test_what_a_rollback_would_promote_has_to_be_there(three, root):
    """After a rollback, it is not the version before; it is neither pruned nor lost unnoticed."""
    registries.publish(three)
    three.promote(V("1.3.0"))
    three.rollback()
    assert three.prune(V("1.1.0")) == "previous"
    registries.remove(root, "1.1.0")
    assert "names version 1.1.0, which does not exist" in said(three)
    message, _ = refusal(NoSuchVersion, three.rollback)
    assert message.startswith("previous is 1.1.0")


@pytest.mark.parametrize("channel", ["latest", "staging"])
def test_a_rollback_may_lead_to_where_the_version_before_was_pruned(three, channel):
    """It was not the next to go back to when it was pruned: nothing is wrong with the registry."""
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        three.promote(V(version))
        three.promote(V(version), channel="staging")
    assert three.prune(V("1.0.0")) is None
    three.rollback(channel=channel)
    assert said(three) == []
    message, _ = refusal(NoSuchVersion, lambda: three.rollback(channel=channel))
    assert "version 1.0.0 was pruned at" in message


@pytest.mark.parametrize("steps", [1, 2])
def test_nothing_is_rolled_back_in_a_channel_that_is_none(three, steps):
    """As little as its version is found."""
    for call in (three.rollback, lambda channel, **_: three.resolve(channel)):
        message, _ = refusal(NoSuchVersion, call, channel="stagign", steps=steps)
        assert message.startswith("'stagign' is not a version such as 1.1.0, nor one of")


def test_metadata_may_not_change_after_a_promotion_in_any_channel(three, root):
    """The first promotion has their digest."""
    registries.publish(three)
    three.promote(V("1.3.0"), channel="shadow")
    path = root / "1.3.0/metadata.json"
    path.write_bytes(path.read_bytes() + b" ")
    message, _ = refusal(Exception, three.metadata, V("1.3.0"))
    assert "was changed after its promotion" in message

"""The two append-only logs."""

import pytest
import registries

from textclf.errors import IntegrityError, StoreError
from textclf.metadata.versions import parse_version
from textclf.registry.history import HistoryFollower, unmet_rules
from textclf.registry.verification import verify

V = parse_version


FIELDS = ["n", "at", "from", "to", "by", "message", "gate", "channel", "restores"]


def test_history(two):
    """The log tells when, from, to, who and why, oldest first."""
    two.rollback(message="slow")
    records = [record.as_json() for record in two.history()]
    assert [list(r) for r in records] == [FIELDS] * 3
    assert [(r["n"], r["from"], r["to"]) for r in records] == [
        (1, None, "1.0.0"), (2, "1.0.0", "1.1.0"), (3, "1.1.0", "1.0.0"),
    ]  # fmt: skip
    assert records[2]["message"] == "slow"
    assert all("@" in r["by"] and r["at"].endswith("Z") for r in records)


def test_a_record_is_never_overwritten(two, root):
    """What is in the log stays as it is, byte by byte."""
    before = {p.name: p.read_bytes() for p in (root / registries.LOG).iterdir()}
    two.rollback()
    after = {p.name: p.read_bytes() for p in (root / registries.LOG).iterdir()}
    assert before.items() < after.items()


def test_files_that_are_not_records_are_ignored(two, root):
    """Backups and strangers in the log's folder are no records."""
    for name in ("00000001.json~", "3.json", "00000003", "x.json", "٠٠٠٠٠٠٠٣.json"):
        (root / ".registry/promotions" / name).write_text("?")
    assert [r.n for r in two.history()] == [1, 2]
    assert verify(two).ok
    assert two.rollback().version == "1.0.0"


def test_events_are_kept_in_their_order(two):
    """Each has the next number, who and when, and survives as it was written."""
    first = two.events.append_event(
        "refused", V("1.1.0"), message="worse", detail={"accuracy": [0.9, 0.8]}
    )
    second = two.events.append_event("removed", V("1.0.0"))
    assert two.events.records() == [first, second]
    assert [(event.n, event.kind) for event in two.events.records()] == [
        (1, "refused"),
        (2, "removed"),
    ]
    assert verify(two).ok


def test_a_record_that_is_missing_is_damage(two):
    """Whoever asks for it by its number is told where it should be."""
    with pytest.raises(IntegrityError, match=r"promotions/0*9\.json is damaged: not a"):
        two.promotions.read(9)


def test_nothing_is_written_that_could_not_be_read(two):
    """A record says which one it is."""
    with pytest.raises(ValueError, match="could not be read back"):
        two.promotions.create(9, two.history()[0])
    assert [record.n for record in two.history()] == [1, 2]


def test_a_record_that_cannot_be_read_is_an_error(two, root):
    """Nobody knows what it says."""
    record = root / registries.LOG / "00000002.json"
    record.unlink()
    record.symlink_to(record.name)
    with pytest.raises(StoreError, match="cannot read"):
        list(two.promotions.files([1, 2]))


def test_a_follower_gets_the_error_in_the_place_of_a_damaged_record(two, root):
    """And what comes after it."""
    follower = HistoryFollower(two)
    two.rollback()
    two.promote(V("1.1.0"))
    (root / registries.LOG / "00000003.json").write_text("?")
    damaged, promoted = follower.new_entries()
    assert isinstance(damaged, IntegrityError)
    assert promoted.n == 4


def test_a_follower_goes_on_when_the_registry_comes_back(two, root, tmp_path):
    """What it gave already does not come again; a new registry in its place has new records."""
    follower = HistoryFollower(two)
    two.rollback()
    assert [record.n for record in follower.new_entries()] == [3]
    root.rename(tmp_path / "aside")
    assert list(follower.new_entries()) == []
    (tmp_path / "aside").rename(root)
    assert list(follower.new_entries()) == []
    two.promote(V("1.1.0"))
    assert [record.n for record in follower.new_entries()] == [4]
    root.rename(tmp_path / "aside")
    assert list(follower.new_entries()) == []
    registries.filled(root, "1.0.0")
    assert [record.n for record in follower.new_entries()] == [1]


def test_the_reasons_of_a_later_textclf_are_not_guessed(two):
    """What a refusal tells is shown only if it is understood."""
    event = two.events.append_event("refused", V("1.1.0"), detail={"verdict": "in verse"})
    assert unmet_rules(event) == []


@pytest.mark.parametrize("error", [OSError, KeyError])
def test_who_has_no_name_is_unknown(two, monkeypatch, error):
    """A container may run without a user entry."""

    def nobody():
        raise error

    monkeypatch.setattr("getpass.getuser", nobody)
    two.rollback()
    assert two.history()[-1].by.startswith("unknown@")

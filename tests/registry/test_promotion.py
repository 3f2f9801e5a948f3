"""Promoting and rolling back, and what is not promoted."""

import pytest
import registries
from registries import model, refusal, remove

from textclf.errors import IntegrityError, NoSuchVersion
from textclf.metadata.schema import ARTIFACT
from textclf.metadata.versions import parse_version

V = parse_version


def test_promoting_forward_and_back(two, root):
    """Each promotion is one record and one copy of the version's file."""
    back = two.promote(V("1.0.0"), message="oops")
    assert (back.version, back.previous, back.changed, back.kept) == ("1.0.0", "1.1.0", True, None)
    assert registries.alias(root) == model(root, "1.0.0")
    assert two.latest() == V("1.0.0")
    again = two.promote(V("1.1.0"))
    assert (again.previous, again.changed) == ("1.0.0", True)
    assert registries.alias(root) == model(root, "1.1.0")
    assert [r["to"] for r in registries.log(root)] == ["1.0.0", "1.1.0", "1.0.0", "1.1.0"]
    assert registries.violations(root, settled=True) == []


def test_promoting_again_changes_nothing(two, root):
    """Promoting what is promoted writes no record and tells what was before."""
    before = {p: p.stat().st_mtime_ns for p in root.rglob("*") if p.is_file()}
    done = two.promote(V("1.1.0"))
    assert (done.version, done.previous, done.changed) == ("1.1.0", "1.0.0", False)
    assert {p: p.stat().st_mtime_ns for p in root.rglob("*") if p.is_file()} == before
    assert len(registries.log(root)) == 2


@pytest.mark.parametrize("damage", ["flipped", "missing", "truncated"])
def test_a_damaged_version_is_not_promoted(root, damage):
    """The file is checked before the log is written: a damaged one changes nothing."""
    registry = registries.filled(root, "1.0.0")
    path = root / "1.1.0" / ARTIFACT
    data = path.read_bytes()
    match damage:
        case "flipped":
            path.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
        case "missing":
            path.unlink()
        case "truncated":
            path.write_bytes(data[:-1])
    message, hint = refusal(IntegrityError, registry.promote, V("1.1.0"))
    assert str(path) in message
    assert hint == "textclf verify"
    assert len(registries.log(root)) == 1
    assert registries.alias(root) == model(root, "1.0.0")


@pytest.mark.parametrize("damage", ["other", "missing"])
def test_a_version_with_a_damaged_further_file_is_not_promoted(root, damage):
    """Every file of a version is checked before the log is written, not the model alone."""
    registry = registries.filled(root, "1.0.0", files=registries.FURTHER)
    path = root / "1.1.0/notes.md"
    path.write_bytes(b"# Other") if damage == "other" else path.unlink()
    message, hint = refusal(IntegrityError, registry.promote, V("1.1.0"))
    assert str(path) in message
    assert hint == "textclf verify"
    assert len(registries.log(root)) == 1


def test_an_unknown_version_is_not_promoted(two, root):
    """What is not published cannot be promoted, and nothing is written."""
    refusal(NoSuchVersion, two.promote, V("9.9.9"))
    assert len(registries.log(root)) == 2


def test_rolling_back_twice_goes_further_back(two, root):
    """It does not promote again what the one before it took back; the log says what it did."""
    registries.publish(two)
    two.promote(V("1.2.0"))
    assert [two.rollback(message=f"{n}").version for n in range(2)] == ["1.1.0", "1.0.0"]
    assert registries.alias(root) == model(root, "1.0.0")
    assert [r["restores"] for r in registries.log(root)] == [None, None, None, 2, 1]
    message, _ = refusal(NoSuchVersion, two.rollback)
    assert message == "nothing was promoted before 1.0.0"


def test_after_a_promotion_a_rollback_undoes_that(two):
    """Also where it followed a rollback."""
    registries.publish(two)
    two.rollback()
    two.promote(V("1.2.0"))
    assert [two.rollback().version for _ in range(1)] == ["1.0.0"]
    two.promote(V("1.1.0"))
    assert two.rollback().version == "1.0.0"


def test_rolling_back_by_steps_or_to_a_version(two):
    """As far as the log goes back, and only to what was promoted before."""
    registries.publish(two)
    two.promote(V("1.2.0"))
    assert two.rollback(steps=2).version == "1.0.0"
    two.promote(V("1.2.0"))
    assert two.rollback(to=V("1.0.0")).version == "1.0.0"
    again = two.rollback(to=V("1.0.0"))
    assert (again.version, again.changed) == ("1.0.0", False)
    two.promote(V("1.1.0"))
    message, _ = refusal(NoSuchVersion, two.rollback, steps=9)
    assert message == "no 9 versions were promoted before 1.1.0"
    message, _ = refusal(NoSuchVersion, two.rollback, to=V("1.3.0"))
    assert message == "1.3.0 was not promoted before 1.1.0"


def test_rolling_back_to_a_deleted_version(two, root):
    """What was promoted before is gone: it is said, and nothing changes."""
    remove(root, "1.0.0")
    message, _ = refusal(NoSuchVersion, two.rollback)
    assert message == "previous is 1.0.0, whose folder no longer exists"
    assert len(registries.log(root)) == 2

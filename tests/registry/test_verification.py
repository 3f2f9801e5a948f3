"""What verify finds, and what a repair changes."""

import json
import os
import shutil

import msgspec
import pytest
import registries
from registries import edit, model, refusal, remove

from textclf.errors import IntegrityError, NoSuchVersion
from textclf.metadata.schema import ARTIFACT, METADATA
from textclf.metadata.versions import parse_version
from textclf.registry.verification import Problem, verify

V = parse_version
RECORD = ".registry/promotions/{:08d}.json"


def found(registry, **options):
    return [(p.version, p.file, p.problem) for p in verify(registry, **options).problems]


def test_an_intact_registry_has_no_problems(two):
    """Nothing is wrong with what only textclf has written."""
    two.rollback()
    registries.publish(two)
    checked = verify(two)
    assert (checked.ok, checked.versions, checked.problems) == (True, 3, ())
    assert verify(two, repair=True).repaired == ()


VERSION_DAMAGE = {
    "flipped": (
        lambda d: (d / ARTIFACT).write_bytes(b"\0" + (d / ARTIFACT).read_bytes()[1:]),
        ARTIFACT, "is not the file that was published",
    ),
    "emptied": (
        lambda d: (d / ARTIFACT).write_bytes(b""),
        ARTIFACT, "is not the file that was published",
    ),
    "no model": (lambda d: (d / ARTIFACT).unlink(), ARTIFACT, "is missing"),
    "no metadata": (lambda d: (d / METADATA).unlink(), METADATA, "is missing"),
    "unreadable model": (
        lambda d: ((d / ARTIFACT).unlink(), (d / ARTIFACT).symlink_to(ARTIFACT)),
        ARTIFACT, "cannot be read",
    ),
    "no json": (lambda d: (d / METADATA).write_text("{"), METADATA, "is damaged"),
    "empty json": (lambda d: (d / METADATA).write_text("{}"), METADATA, "is damaged"),
    "newer": (lambda d: edit(d / METADATA, schema=99), METADATA, "later textclf (schema 99"),
    "other number": (
        lambda d: edit(d / METADATA, version="1.2.0"), METADATA, "says it is version 1.2.0",
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", VERSION_DAMAGE)
@pytest.mark.parametrize("promoted", [True, False], ids=["promoted", "not promoted"])
def test_a_damaged_version_is_named(root, damage, promoted):
    """Each kind of damage to a version is found once, under its version and file."""
    registry = registries.filled(root, "1.0.0", *(["1.1.0"] if promoted else []))
    break_it, file, problem = VERSION_DAMAGE[damage]
    break_it(root / "1.1.0")
    checked = verify(registry)
    of_version = [p for p in checked.problems if p.file.startswith("1.1.0/")]
    assert len(of_version) == 1
    assert of_version[0].version == "1.1.0"
    assert of_version[0].file == f"1.1.0/{file}"
    assert problem in of_version[0].problem
    others = [p for p in checked.problems if p not in of_version]
    expected = [RECORD.format(2)] if promoted and damage == "no metadata" else []
    assert [p.file for p in others] == expected
    assert not checked.ok


def test_metadata_edited_after_the_promotion_is_named(root):
    """The log knows the digest of a promoted version's metadata, so an edit is found."""
    registry = registries.filled(root, "1.0.0")
    edit(root / "1.0.0" / METADATA, test_accuracy=0.99)
    problem = ("1.0.0", f"1.0.0/{METADATA}", "was changed after its promotion")
    assert found(registry) == found(registry, repair=True) == [problem]


def test_every_damaged_record_is_named(two, root):
    """The first damaged record does not hide the others, nor what follows a gap."""
    for version in ("1.0.0", "1.1.0", "1.0.0"):
        two.promote(V(version))
    (root / RECORD.format(1)).write_text("{")
    (root / RECORD.format(2)).write_text("{")
    (root / RECORD.format(4)).unlink()
    assert [file for _, file, _ in found(two)] == [RECORD.format(n) for n in (1, 2, 5)]


def test_a_deleted_version_that_was_promoted_is_named(two, root):
    """A record that names a version without a folder is a problem."""
    remove(root, "1.0.0")
    problem = "names version 1.0.0, which does not exist"
    assert found(two) == [("1.0.0", RECORD.format(1), problem)]


@pytest.mark.parametrize("edited", [True, False])
def test_a_wrong_alias_is_named_and_repaired(two, root, edited):
    """An alias that is missing or not the promoted file is named, and --repair restores it."""
    if edited:
        (root / ARTIFACT).write_bytes(b"edited")
    else:
        (root / ARTIFACT).unlink()
    problem = "is not the promoted version 1.1.0" if edited else "is missing; 1.1.0 is promoted"
    assert found(two) == [("1.1.0", ARTIFACT, problem)]
    before = registries.version_files(root)
    repaired = verify(two, repair=True)
    assert repaired.ok
    assert len(repaired.repaired) == 1
    assert repaired.repaired[0].startswith(f"restored {root / ARTIFACT}")
    assert ("replaced" in repaired.repaired[0]) == edited, "where the edited file is now, is told"
    assert registries.alias(root) == model(root, "1.1.0")
    assert registries.version_files(root) == before


EDITS = [
    ({"sha256": "0" * 64}, "has another SHA-256 than the version's metadata"),
    ({"from": None}, "names None as the previous version, not 1.0.0"),
    ({"to": "7.0.0"}, "names version 7.0.0, which does not exist"),
    ({"to": "../x"}, "is damaged: not a promotion record"),
    ({"from": "../x"}, "is damaged: not a promotion record"),
    ({"n": 3}, "is damaged: not a promotion record"),
    ({"n": "2"}, "is damaged: not a promotion record"),
]


@pytest.mark.parametrize("edited", EDITS, ids=lambda e: str(e[0])[:20])
@pytest.mark.parametrize("head", [True, False], ids=["head", "inside"])
def test_an_edited_record_is_named(two, root, edited, head):
    """Each field of the log that the registry goes by is checked, in the head and below it."""
    changes, problem = edited
    if not head:
        two.promote(V("1.0.0"))
    before = registries.version_files(root)
    edit(root / RECORD.format(2), **changes)
    for repair in (False, True):
        problems = found(two, repair=repair)
        assert any(f == RECORD.format(2) and problem in p for _, f, p in problems)
        assert {f for _, f, _ in problems} <= {RECORD.format(2), RECORD.format(3), ARTIFACT}
    assert registries.version_files(root) == before


@pytest.mark.parametrize(
    "garbage", [b"", b"{", b"null", b"[]", b"\xff", b"[" * 100_000, b'{"n": 2, "to": "\xff"}']
)
def test_a_garbage_record_is_named(two, root, garbage):
    """A record that is no record is named by its file, and stops what would build on it."""
    (root / RECORD.format(2)).write_bytes(garbage)
    problem = (None, RECORD.format(2), "is damaged: not a promotion record")
    assert found(two) == [problem]
    assert found(two, repair=True) == found(two)
    for ask in (two.latest, two.history, two.rollback, lambda: two.promote(V("1.0.0"))):
        message, hint = refusal(IntegrityError, ask)
        assert message == f"{root / RECORD.format(2)} {problem[2]}"
        assert "backup" in hint


def test_a_gap_in_the_log_is_named(two, root):
    """A record that is missing in the middle is named with the one after it."""
    two.rollback()
    (root / RECORD.format(2)).unlink()
    assert found(two) == [(None, RECORD.format(3), "record 2 is missing before it")]


def test_a_gap_is_named_once(two, root):
    """What follows a gap in its order is not blamed for it."""
    for version in ("1.0.0", "1.1.0"):
        two.promote(V(version))
    (root / RECORD.format(1)).unlink()
    assert found(two) == [(None, RECORD.format(2), "record 1 is missing before it")]


def test_what_was_not_published_is_named(two, root):
    """A file or folder that was added to a version is named, and left alone by --repair."""
    (root / "1.0.0/notes.txt").write_bytes(b"mine")
    (root / "1.1.0/folder").mkdir()
    strangers = [
        (version, f"{version}/{name}", "was not published with this version")
        for version, name in (("1.0.0", "notes.txt"), ("1.1.0", "folder"))
    ]
    assert found(two) == found(two, repair=True) == strangers
    assert (root / "1.0.0/notes.txt").read_bytes() == b"mine"


def test_stale_work_is_named_and_swept(two, root):
    """What a dead writer left a day ago is named, and --repair removes it; fresh work is left."""
    for name in ("stale", "fresh"):
        (root / registries.STAGING / name).write_bytes(b"half")
    os.utime(root / registries.STAGING / "stale", (0, 0))
    problem = "was left by an interrupted writer"
    assert found(two) == [(None, ".registry/staging/stale", problem)]
    repaired = verify(two, repair=True)
    assert repaired.ok
    assert repaired.repaired == ("removed half-written work of writers that died",)
    assert registries.staged(root) == ["fresh"]


def test_repair_changes_no_version_and_no_record(two, root):
    """With everything damaged at once --repair changes alias and staging, and nothing else."""
    registries.publish(two)
    (root / "1.0.0" / ARTIFACT).write_bytes(b"damaged")
    (root / "1.2.0" / METADATA).unlink()
    (root / ARTIFACT).unlink()
    (root / registries.STAGING / "stale").write_bytes(b"half")
    os.utime(root / registries.STAGING / "stale", (0, 0))
    versions, log = registries.version_files(root), registries.log(root)
    checked = verify(two, repair=True)
    assert registries.version_files(root) == versions
    assert registries.log(root) == log
    assert registries.alias(root) == model(root, "1.1.0")
    assert registries.staged(root) == []
    assert [p.file for p in checked.problems] == [f"1.0.0/{ARTIFACT}", f"1.2.0/{METADATA}"]


def test_an_alias_of_a_damaged_version_is_not_repaired(two, root):
    """A damaged model is not copied into the alias, which stays missing and is named."""
    (root / "1.1.0" / ARTIFACT).write_bytes(b"damaged")
    (root / ARTIFACT).unlink()
    checked = verify(two, repair=True)
    assert checked.repaired == ()
    assert {p.file for p in checked.problems} == {ARTIFACT, f"1.1.0/{ARTIFACT}"}
    assert not (root / ARTIFACT).exists()


def test_a_foreign_file_is_not_a_problem_if_nothing_is_promoted(root):
    """Before the first promotion the alias's place is not textclf's."""
    root.mkdir()
    (root / ARTIFACT).write_bytes(b"hand-made")
    registry = registries.filled(root, versions=1)
    assert verify(registry, repair=True).ok
    assert registries.alias(root) == b"hand-made"


def test_a_lost_log_is_named(two, root):
    """The alias is a copy of a version, so something was promoted, and no log says so."""
    shutil.rmtree(root / ".registry")
    problem = (
        None,
        ".registry/promotions",
        f"is empty, but {ARTIFACT} is a version of this registry",
    )
    assert found(two) == [problem]
    assert two.promote(V("1.0.0")).kept is None  # what stands there is no stranger
    assert found(two) == []


def test_a_problem_is_as_the_contract_shows_it():
    """In JSON a problem has the contract's three fields."""
    fields = json.loads(msgspec.json.encode(Problem("1.0.0", "f", "p")))
    assert list(fields) == ["version", "file", "problem"]


@pytest.mark.parametrize("harm", ["gap", "garbage"])
def test_a_damaged_event_is_named(two, root, harm):
    """A gap among the events, or one that cannot be read; everything else goes on."""
    for _ in range(3):
        two.events.append_event("refused", V("1.1.0"))
    path = root / ".registry/events/00000002.json"
    path.write_bytes(b"{}")
    if harm == "gap":
        path.unlink()
    (problem,) = verify(two).problems
    assert "record 2 is missing" in problem.problem or "not an event" in problem.problem
    assert two.promote(V("1.0.0")).changed


@pytest.mark.parametrize("version", ["1.1.0", "1.0.0"], ids=["latest", "previous"])
def test_what_is_latest_or_previous_has_to_be_there_whatever_events_say(two, root, version):
    """An event calls a version pruned that is latest, or was before it, and its folder is gone."""
    two.events.append_event("pruned", V(version))
    remove(root, version)
    record = RECORD.format(2 if version == "1.1.0" else 1)
    assert (version, record, f"names version {version}, which was pruned") in found(two)
    with pytest.raises(NoSuchVersion):
        two.resolve("latest" if version == "1.1.0" else "previous")


def test_a_version_that_was_promoted_long_ago_may_be_pruned(two):
    """The log names it for ever, and nothing is wrong."""
    registries.publish(two)
    two.promote(V("1.2.0"))
    assert two.prune(V("1.0.0")) is None
    assert found(two) == []

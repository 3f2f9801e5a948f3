"""The file that clients load, and files that were in its place."""

import hashlib

import msgspec
import pytest
import registries
from obstore.store import MemoryStore
from registries import model, refusal, remove

from textclf.errors import IntegrityError
from textclf.metadata.schema import ARTIFACT, METADATA
from textclf.metadata.versions import parse_version
from textclf.registry.registry import Registry
from textclf.registry.store.object_store import ObjectStore
from textclf.registry.verification import verify

V = parse_version


@pytest.mark.usefixtures("two")
def test_the_alias_is_a_copy(root):
    """An editor of the alias in place cannot reach the version."""
    assert not (root / ARTIFACT).is_symlink()
    assert not (root / ARTIFACT).samefile(root / "1.1.0" / ARTIFACT)
    assert (root / ARTIFACT).stat().st_nlink == 1


@pytest.mark.parametrize("damage", ["missing", "edited", "older"])
def test_promoting_again_repairs_the_alias(two, root, damage):
    """An alias that is gone, edited or out of date follows the log after any promotion."""
    match damage:
        case "missing":
            (root / ARTIFACT).unlink()
        case "edited":
            (root / ARTIFACT).write_bytes(b"edited")
        case "older":
            (root / ARTIFACT).write_bytes(model(root, "1.0.0"))
    done = two.promote(V("1.1.0"))
    assert not done.changed
    assert registries.alias(root) == model(root, "1.1.0")
    assert (done.kept is not None) == (damage == "edited")
    assert registries.violations(root, settled=True) == []


def test_a_foreign_file_is_kept(root):
    """A model that was in the place of the alias is kept, and its new location is returned."""
    root.mkdir()
    (root / ARTIFACT).write_bytes(b"hand-made")
    done = registries.filled(root, versions=1).promote(V("1.0.0"))
    kept = root / registries.REPLACED / f"{hashlib.sha256(b'hand-made').hexdigest()[:12]}.joblib"
    assert done.kept == str(kept)
    assert kept.read_bytes() == b"hand-made"
    assert registries.alias(root) == model(root, "1.0.0")


def test_the_same_foreign_file_again_is_kept_once(two, root):
    """A file that is kept already is not kept twice; another one gets another name."""
    kept = set()
    for data in (b"one", b"one", b"two"):
        (root / ARTIFACT).write_bytes(data)
        kept.add(two.promote(V("1.1.0")).kept)
    assert len(kept) == 2
    files = (root / registries.REPLACED).iterdir()
    assert sorted(p.read_bytes() for p in files) == [b"one", b"two"]


def test_another_model_under_the_promoted_number_is_refused(two, root):
    """A promoted version whose folder was swapped is refused, whether the alias is there or not."""
    remove(root, "1.1.0")
    (root / "1.1.0").mkdir()
    (root / "1.1.0" / ARTIFACT).write_bytes(b"swapped")
    made = registries.metadata("1.1.0", b"swapped")
    (root / "1.1.0" / METADATA).write_bytes(msgspec.json.encode(made))
    before = registries.alias(root)
    for _ in range(2):
        message, _ = refusal(IntegrityError, two.promote, V("1.1.0"))
        assert message.endswith("1.1.0/metadata.json was changed after its promotion")
        (root / ARTIFACT).unlink(missing_ok=True)
    assert two.promote(V("1.0.0")).changed, "another version can be promoted"
    assert registries.alias(root) == model(root, "1.0.0") != before


@pytest.mark.parametrize("act", ["promote", "rollback", "repair"])
def test_a_replaced_alias_is_restored_whatever_the_record_says(two, root, act):
    """An alias is restored, and its file kept, even if the digest in the record was edited to fit.

    The alias is compared with the promoted version itself.
    """
    planted = b"planted"
    (root / ARTIFACT).write_bytes(planted)
    registries.edit(root / registries.LOG / "00000002.json", sha256=registries.sha256(planted))
    assert "is not the promoted version 1.1.0" in str(verify(two).problems)
    match act:
        case "promote":
            done = two.promote(V("1.1.0"))
            assert (done.changed, bool(done.kept)) == (False, True)
        case "rollback":
            assert two.rollback().kept
        case "repair":
            assert "restored" in str(verify(two, repair=True).repaired)
    assert registries.alias(root) == model(root, str(two.latest()))
    assert [path.read_bytes() for path in (root / registries.REPLACED).iterdir()] == [planted]


def test_a_model_that_only_metadata_claim_is_kept(two, root):
    """A file in the alias's place is kept unless a version has it, whatever metadata claim."""
    (root / ARTIFACT).write_bytes(b"mine")
    claim = registries.metadata("3.0.0", b"mine")
    (root / "3.0.0").mkdir()
    (root / "3.0.0" / METADATA).write_bytes(msgspec.json.encode(claim))
    assert two.promote(V("1.1.0")).kept
    (root / ARTIFACT).write_bytes(b"mine")
    (root / "3.0.0" / ARTIFACT).write_bytes(b"mine")
    assert not two.promote(V("1.1.0")).kept, "3.0.0 has it"


def test_an_alias_that_somebody_else_moves_meanwhile_is_the_last_promoted(monkeypatch):
    """Whoever comes second looks at the log again."""
    objects = MemoryStore()
    one, other = (Registry(ObjectStore(objects, "reviews", "memory://reviews")) for _ in "ab")
    for _ in range(2):
        registries.publish(one)
    one.promote(V("1.0.0"))
    replace = one.store.replace

    def late(key, *arguments):
        if key == ARTIFACT:
            monkeypatch.undo()
            registries.publish(other)
            other.promote(V("1.2.0"))
        replace(key, *arguments)

    monkeypatch.setattr(one.store, "replace", late)
    one.promote(V("1.1.0"))
    assert one.latest() == V("1.2.0")
    assert one.store.read(ARTIFACT) == one.store.read(f"1.2.0/{ARTIFACT}")

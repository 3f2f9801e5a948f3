"""The file that clients load, and files that were in its place."""

import hashlib

import msgspec
import pytest
import registries
from registries import model, refusal, remove

from textclf.errors import IntegrityError
from textclf.metadata.schema import ARTIFACT, METADATA
from textclf.metadata.versions import parse_version

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
    """A promoted version whose folder was swapped for another is refused: the log knows better."""
    remove(root, "1.1.0")
    (root / "1.1.0").mkdir()
    (root / "1.1.0" / ARTIFACT).write_bytes(b"swapped")
    made = registries.metadata("1.1.0", b"swapped")
    (root / "1.1.0" / METADATA).write_bytes(msgspec.json.encode(made))
    before = registries.alias(root)
    assert not two.promote(V("1.1.0")).changed
    (root / ARTIFACT).unlink()
    message, _ = refusal(IntegrityError, two.promote, V("1.1.0"))
    assert message == "1.1.0 is not the version that was promoted (its SHA-256 differs)"
    assert two.promote(V("1.0.0")).changed, "another version can be promoted"
    assert registries.alias(root) == model(root, "1.0.0") != before

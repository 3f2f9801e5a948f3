"""Which versions there are, what their names mean, and what is in them."""

import json
import shutil

import pytest
import registries
from registries import FURTHER, refusal, remove
from semver import Version

from textclf.errors import IntegrityError, NoSuchVersion
from textclf.metadata.schema import METADATA
from textclf.metadata.versions import Bump, parse_version
from textclf.registry.verification import verify

V = parse_version


def test_versions_are_ordered_as_numbers(empty):
    """1.10.0 comes after 1.9.0; summaries come highest first."""
    for _ in range(12):
        registries.publish(empty)
    names = [f"1.{n}.0" for n in range(12)]
    assert [str(v) for v in empty.versions()] == names
    assert [s.version for s in empty.summaries()] == names[::-1]
    assert empty.highest() == Version(1, 11, 0)


def test_a_folder_without_metadata_is_not_a_version(two, root):
    """A version without metadata.json is not listed, not the highest, and cannot be resolved."""
    (root / "1.1.0" / METADATA).unlink()
    assert two.versions() == [V("1.0.0")]
    assert two.highest() == V("1.0.0")
    assert [s.version for s in two.summaries()] == ["1.0.0"]
    message, _ = refusal(NoSuchVersion, two.resolve, "1.1.0")
    assert message == "no version 1.1.0; the closest: 1.0.0"


def test_an_empty_registry_is_asked(empty, root):
    """A folder that is not there is a registry of nothing, and asking does not create it."""
    assert (empty.versions(), empty.history()) == ([], [])
    assert (empty.latest(), empty.highest()) == (None, None)
    assert not verify(empty).ok
    assert verify(empty, repair=True).repaired == ()
    assert not root.exists()


@pytest.mark.usefixtures("two")
def test_a_moved_registry_is_the_same(root, tmp_path):
    """Nothing on disk names a location: a registry that was moved works as before."""
    root.rename(tmp_path / "elsewhere")
    moved = registries.open_registry(tmp_path / "elsewhere")
    assert verify(moved).ok
    assert not root.exists()
    assert moved.rollback().version == "1.0.0"
    text = b"".join(p.read_bytes() for p in (tmp_path / "elsewhere").rglob("*.json"))
    assert str(tmp_path).encode() not in text


@pytest.mark.parametrize("name", ["../1.0.0/metadata.json", "/etc/passwd", "", ".", ".."])
def test_a_file_never_lies_outside_the_version(empty, root, name):
    """A metadata file that names one elsewhere is damaged."""
    registries.publish(empty)
    path = root / "1.0.0/metadata.json"
    record = json.loads(path.read_bytes())
    record["files"] = [{"file": name, "sha256": "0" * 64, "bytes": 1}]
    path.write_text(json.dumps(record), "utf-8")
    with pytest.raises(IntegrityError, match=r"metadata\.json is damaged"):
        empty.file(V("1.0.0"), "notes.md")


def test_a_copied_folder_is_not_a_second_version(two, root):
    """A folder that says it is another version is refused by promote and left out of the list."""
    shutil.copytree(root / "1.0.0", root / "5.0.0")
    message, _ = refusal(IntegrityError, two.promote, V("5.0.0"))
    assert message == f"{root / '5.0.0' / METADATA} says it is version 1.0.0"
    listed = [s.version for s in two.summaries() if not isinstance(s, IntegrityError)]
    assert listed == ["1.1.0", "1.0.0"]


def test_resolving(two):
    """Numbers with and without v, latest and previous name versions."""
    names = ["1.0.0", "v1.0.0", "latest", "previous"]
    assert [str(two.resolve(name)) for name in names] == ["1.0.0", "1.0.0", "1.1.0", "1.0.0"]


@pytest.mark.parametrize(
    "name", ["", "1.0", "Latest", "1.0.0/../x", "../1.0.0", "1.0.0-rc1", "x\0", "९.0.0"]
)
def test_what_is_not_a_name(two, name):
    """Anything else is no version, and the error shows what one looks like."""
    message, hint = refusal(NoSuchVersion, two.resolve, name)
    assert message == f"{name!r} is not a version: versions look like 1.1.0, latest or previous"
    assert hint == "textclf versions list"


def test_the_error_of_an_unknown_version_names_the_nearest(empty):
    """A number that is not there is answered with those near it, in order."""
    for bump in (Bump.MAJOR, Bump.MINOR, Bump.MAJOR, Bump.MINOR, Bump.PATCH, Bump.MAJOR):
        registries.publish(empty, bump)
    message, hint = refusal(NoSuchVersion, empty.resolve, "2.1.3")
    assert message == "no version 2.1.3; the closest: 2.0.0, 2.1.0, 2.1.1"
    assert hint == "textclf versions list"


def test_resolving_where_nothing_is(empty, root):
    """Each name says what is missing and where, and which command comes first."""
    nowhere = f"{root} does not exist or is empty"
    for name, problem in (
        ("1.0.0", "no version 1.0.0"),
        ("latest", "no version has been promoted yet"),
    ):
        message, hint = refusal(NoSuchVersion, empty.resolve, name)
        assert message == f"{problem}: {nowhere}"
        assert "--models" in hint
        assert "textclf train" in hint
    version = registries.publish(empty)
    promote = "textclf promote VERSION"
    unpromoted = f"no version has been promoted yet in {root}"
    for name in ("latest", "previous"):
        assert refusal(NoSuchVersion, empty.resolve, name) == (unpromoted, promote)
    within = registries.open_registry(root / version.version)
    message, _ = refusal(NoSuchVersion, within.resolve, "latest")
    assert "is the folder of one version" in message
    empty.promote(V("1.0.0"))
    nothing = ("nothing was promoted before 1.0.0", promote)
    assert refusal(NoSuchVersion, empty.resolve, "previous") == nothing
    assert refusal(NoSuchVersion, empty.rollback) == nothing


def test_the_latest_was_deleted(two, root):
    """Latest names a folder that is gone: it is said which, and what there is."""
    remove(root, "1.1.0")
    message, _ = refusal(NoSuchVersion, two.resolve, "latest")
    assert message == "latest is 1.1.0, whose folder no longer exists"


RELYING = {
    "promote": lambda registry, version: registry.promote(version),
    "roll back": lambda registry, _: registry.rollback(),
    "rely on its metadata": lambda registry, version: registry.metadata(version),
    "open its model": lambda registry, version: registry.artifact(version),
    "open another file": lambda registry, version: registry.file(version, "notes.md"),
    "export": lambda registry, version: registry.export_files(version),
    "sign": lambda registry, version: registry.sign(version, lambda _: b"signature"),
}


@pytest.mark.parametrize("use", RELYING)
def test_a_version_edited_after_its_promotion_is_not_relied_on(root, use):
    """Metadata that differ from those at the version's first promotion are refused by every use."""
    registry = registries.filled(root, "1.0.0", "1.1.0", "1.0.0", "1.1.0", files=FURTHER)
    registries.edit(root / "1.0.0" / METADATA, test_accuracy=0.99)
    with pytest.raises(IntegrityError, match=r"1\.0\.0/metadata\.json was changed after its prom"):
        RELYING[use](registry, V("1.0.0"))
    record = root / registries.LOG / "00000003.json"
    digest = registries.sha256((root / "1.0.0" / METADATA).read_bytes())
    registries.edit(record, metadata_sha256=digest)  # a later record changes nothing
    with pytest.raises(IntegrityError, match="was changed after its promotion"):
        RELYING[use](registry, V("1.0.0"))
    assert registry.unverified_metadata(V("1.0.0")).test_accuracy == 0.99
    assert registry.latest() == V("1.1.0")

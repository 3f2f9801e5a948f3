"""Publishing versions, and the numbers that they get."""

import errno
import os

import msgspec
import pytest
import registries
from registries import model, refusal, remove

from textclf.errors import IntegrityError, StoreError
from textclf.metadata.schema import ARTIFACT, METADATA, FileRecord, Metadata, decode
from textclf.metadata.versions import Bump, parse_version
from textclf.registry.publisher import reserved_numbers
from textclf.registry.verification import verify

V = parse_version


def test_a_published_version_is_on_disk(empty, root):
    """Publishing makes a folder of exactly two files, and stamps number and time into one."""
    data = registries.artifact()
    made = registries.metadata("1.0.0", data, saved_at="")
    published = empty.publish(made, data)
    assert sorted(p.name for p in (root / "1.0.0").iterdir()) == [METADATA, ARTIFACT]
    assert model(root, "1.0.0") == data
    written = decode((root / "1.0.0" / METADATA).read_bytes(), Metadata, name="x")
    assert written == published == msgspec.structs.replace(made, saved_at=published.saved_at)
    assert published.saved_at.endswith("Z")
    assert registries.staged(root) == []


def test_further_files_are_part_of_the_version(empty, root):
    """They lie beside the model, their digests stand in the metadata, and verify reads them."""
    data = registries.artifact()
    published = empty.publish(registries.metadata("1.0.0", data), data, {"notes.md": b"# Notes"})
    version = V(published.version)
    assert published.files == [FileRecord("notes.md", registries.sha256(b"# Notes"), 7)]
    assert empty.metadata(version).files == published.files
    assert empty.file(version, "notes.md") == b"# Notes"
    assert empty.file(version, "other.md") is None
    assert verify(empty).ok
    (root / "1.0.0/notes.md").write_bytes(b"# Other")
    assert [problem.file for problem in verify(empty).problems] == ["1.0.0/notes.md"]
    with pytest.raises(IntegrityError, match="not the file that was published"):
        empty.file(version, "notes.md")


def test_pages_are_made_of_the_metadata_with_its_number(empty, root):
    """They know number and time, whatever number was planned, and are files like others."""
    registries.publish(empty)
    seen = []

    def pages(metadata):
        seen.append(metadata)
        return {"page.html": metadata.version.encode()}

    data = registries.artifact()
    published = empty.publish(
        registries.metadata("1.0.0", data), data, {"notes.md": b"# Notes"}, pages=pages
    )
    assert published.version != "1.0.0"
    assert (root / published.version / "page.html").read_text() == published.version
    assert [record.file for record in published.files] == ["notes.md", "page.html"]
    assert msgspec.structs.replace(published, files=[]) == seen[-1]
    assert verify(empty).ok


def test_publishing_promotes_nothing(root):
    """A new version is not the latest until it is promoted."""
    registry = registries.filled(root, versions=1)
    assert registry.versions() == [V("1.0.0")]
    assert registry.latest() is None
    assert not (root / ARTIFACT).exists()


def test_a_number_that_another_writer_has_is_not_given_again(empty, root):
    """If the planned number is published meanwhile, the next is given; nothing is overwritten."""
    registries.publish(empty)
    mine, theirs = (registries.metadata("1.1.0", data) for data in (b"mine", b"theirs"))
    bump = msgspec.structs.replace(mine.bump, applied="minor", base="1.0.0")
    empty.publish(msgspec.structs.replace(theirs, bump=bump), b"theirs")
    before = registries.version_files(root)
    published = empty.publish(msgspec.structs.replace(mine, bump=bump), b"mine")
    assert published.version == "1.2.0"
    assert model(root, "1.2.0") == b"mine"
    assert before.items() <= registries.version_files(root).items()
    assert registries.violations(root) == []


def test_a_number_is_not_given_again_that_was_given_and_pruned_meanwhile(two, root, monkeypatch):
    """The folder is free again, but the log has named the number; the next is given."""
    other, create_all = registries.open_registry(root), two.store.create_all

    def hesitant(*arguments, **options):
        monkeypatch.undo()
        assert other.prune(V(registries.publish(other).version)) is None
        create_all(*arguments, **options)

    monkeypatch.setattr(two.store, "create_all", hesitant)
    assert registries.publish(two).version == "1.3.0"
    assert sorted(other.versions()) == [V("1.0.0"), V("1.1.0"), V("1.3.0")]
    assert verify(two).ok


def test_two_first_versions(empty):
    """Two that train into an empty registry at once get two numbers."""
    first = [empty.publish(registries.metadata("1.0.0", d), d).version for d in (b"a", b"b")]
    assert first == ["1.0.0", "2.0.0"]


def test_a_number_that_was_reserved_while_training_is_not_given(two, root):
    """A number that was promoted and deleted during a training is not given to that training."""
    planned = registries.metadata("1.1.0", b"late")
    bump = msgspec.structs.replace(planned.bump, applied="minor", base="1.0.0")
    remove(root, "1.1.0")
    published = two.publish(msgspec.structs.replace(planned, bump=bump), b"late")
    assert published.version == "1.2.0"


def test_foreign_folders_are_ignored(empty, root):
    """Folders that are no versions are ignored; one with a version's name burns its number."""
    for name in ("v1.0.0", "1.0", "notes", "1.0.0-rc1", "01.0.0"):
        (root / name).mkdir(parents=True)
    assert empty.versions() == []
    (root / "1.0.0").mkdir()
    (root / "1.0.0" / "README").write_text("mine")
    assert empty.versions() == []
    data = registries.artifact()
    assert empty.publish(registries.metadata("1.0.0", data), data).version == "2.0.0"
    assert [p.name for p in (root / "1.0.0").iterdir()] == ["README"]


def test_publishing_sweeps_what_the_dead_left(empty, root):
    """Stale half-written work is gone after the next publication, fresh work is not."""
    for name, age in (("stale", 0), ("fresh", None)):
        folder = root / registries.STAGING / name
        folder.mkdir(parents=True)
        (folder / "half").write_bytes(b"")
        if age is not None:
            os.utime(folder, (age, age))
    registries.publish(empty)
    assert registries.staged(root) == ["fresh"]


def test_a_number_that_an_event_names_is_not_given_again(two, root):
    """Even where its folder is gone and it was never promoted."""
    registries.publish(two)
    two.events.append_event("removed", V("1.2.0"))
    remove(root, "1.2.0")
    assert registries.publish(two).version == "1.3.0"


def test_a_folder_that_cannot_be_written_is_refused_before_the_search(two, root, monkeypatch):
    """Where a version could not be published, it is said at once; else no trace is left."""
    before = sorted(root.rglob("*"))
    two.store.require_writable()
    assert sorted(root.rglob("*")) == before

    def refuse(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "link", refuse)
    message, _ = refusal(StoreError, two.store.require_writable)
    assert "Read-only file system" in message
    assert sorted(root.rglob("*")) == before


@pytest.fixture
def plan():
    """Return a function that plans a training like the one all versions come from, but changed."""

    def ask(registry, requested="auto", start=None, rows=range(40), **changes):
        recipe = registries.metadata().recipe()
        for name, value in changes.items():
            recipe = type(recipe)(**{**vars(recipe), name: value})
        start = V(start) if start else None
        return registry.plan(recipe, registries.sketch(rows), requested=requested, base=start)

    return ask


def test_the_first_plan(plan, empty):
    """The first version is 1.0.0, whatever bump is asked for."""
    for requested in ("auto", "patch", "minor", "major"):
        planned = plan(empty, requested)
        assert str(planned.version) == "1.0.0"
        assert (planned.bump.requested, planned.bump.base) == (requested, None)
        assert planned.bump.reasons == ["the first version"]


def test_without_changes_there_is_no_new_version(plan, two):
    """The recipe of the highest version again gives no number, and says so."""
    planned = plan(two)
    assert (planned.version, planned.inferred) == (None, None)
    assert planned.bump.reasons == ["nothing changed since 1.1.0"]


@pytest.mark.parametrize(
    ("requested", "expected"), [("patch", "1.1.1"), ("minor", "1.2.0"), ("major", "2.0.0")]
)
def test_an_explicit_bump_overrides(plan, two, requested, expected):
    """A bump that is asked for gives a version even when nothing changed."""
    planned = plan(two, requested)
    assert str(planned.version) == expected
    assert (planned.bump.requested, planned.bump.applied) == (requested, requested)
    assert planned.inferred is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"code": "other"}, ("1.1.1", "patch")),
        ({"search": {"folds": 3}}, ("1.2.0", "minor")),
        ({"labels": frozenset("ab")}, ("2.0.0", "major")),
        ({"rows": range(30, 70)}, ("2.0.0", "major")),
    ],
)
def test_an_inferred_bump(plan, two, changes, expected):
    """Auto gives the number that the changes call for, from the highest version."""
    planned = plan(two, **changes)
    assert (str(planned.version), planned.bump.applied) == expected
    assert planned.inferred == expected[1]
    assert planned.bump.base == "1.1.0"
    assert planned.bump.reasons


def test_the_plan_has_the_inferred_bump_beside_the_requested_one(plan, two):
    """A patch is asked for where the labels changed: it is a patch, and the reasons say more."""
    planned = plan(two, "patch", labels=frozenset("ab"))
    assert (str(planned.version), planned.inferred) == ("1.1.1", Bump.MAJOR)
    assert planned.bump.reasons[0].startswith("labels changed")


def test_going_on_from_an_older_line(plan, two, root):
    """From an older version its line goes on, above what it has; the base is that version."""
    registries.publish(two, Bump.PATCH, base="1.0.0")
    registries.publish(two, Bump.MAJOR)
    assert str(plan(two, "patch", "1.0.0").version) == "1.0.2"
    assert str(plan(two, "minor", "1.0.0").version) == "1.2.0"
    assert str(plan(two, "major", "1.0.0").version) == "3.0.0"
    assert plan(two, start="1.0.0").bump.reasons == ["nothing changed since 1.0.0"]
    remove(root, "1.0.1")
    assert str(plan(two, "patch", "1.0.0").version) == "1.0.1", "never promoted: free again"


def test_a_promoted_number_stays_reserved(plan, two, root):
    """A version that was promoted once and deleted by hand never gives its number away."""
    remove(root, "1.1.0")
    assert str(plan(two, "minor").version) == "1.2.0"
    assert V("1.1.0") in reserved_numbers(two)
    remove(root, "1.0.0")
    assert str(plan(two).version) == "2.0.0"


def test_a_damaged_base_is_an_error(plan, two, root):
    """Without the base's metadata nothing can be inferred: the file is named."""
    (root / "1.1.0" / METADATA).write_text("{")
    message, _ = refusal(IntegrityError, plan, two)
    assert "1.1.0/metadata.json is damaged" in message

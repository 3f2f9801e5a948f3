"""Copying single versions from one registry to another."""

import pytest
import registries
from keys import write_pair
from registries import refusal

from textclf.errors import IntegrityError, NoSuchVersion, StoreError, TextclfError
from textclf.metadata.versions import parse_version
from textclf.registry.copying import copy_versions, in_parallel, unpruned_versions
from textclf.registry.registry import Registry
from textclf.registry.signing import PublicKey, load_signer
from textclf.registry.store.local import LocalStore
from textclf.registry.verification import verify

V = parse_version


@pytest.fixture
def three(root):
    """Return a registry of 1.0.0, 1.1.0 and 1.2.0; the last was promoted."""
    return registries.filled(root, "1.2.0", versions=3, files=registries.FURTHER)


@pytest.fixture
def other(tmp_path):
    return registries.open_registry(tmp_path / "other")


def copy(source, target, *numbers, **options):
    """Copy versions, and return what came of each by its number."""
    copies = copy_versions(source, target, [V(n) for n in numbers], **options)
    return {one.version: one for one in copies}


@pytest.mark.parametrize("at_once", [1, 3])
def test_versions_arrive_with_all_files_and_are_not_promoted(three, other, root, at_once):
    """Each has the same files; nothing is promoted; an event says where it came from."""
    done = copy(three, other, "1.0.0", "1.1.0", "1.2.0", at_once=at_once)
    assert all(one.changed and one.bytes for one in done.values())
    assert registries.version_files(other.store.root) == registries.version_files(root)
    assert other.latest() is None
    assert {(e.kind, e.detail["from"]) for e in other.events.records()} == {("imported", str(root))}
    assert verify(other).ok


def test_a_second_time_nothing_changes(three, other):
    """What is there with the same metadata is not sent again."""
    copy(three, other, "1.0.0")
    before = registries.plain_files(other.store.root)
    assert not copy(three, other, "1.0.0")["1.0.0"].changed
    assert registries.plain_files(other.store.root) == before


def test_another_version_of_the_number_is_an_error_before_anything_is_copied(three, other):
    """Numbers are not reused; the versions before it in the list are not copied either."""
    registries.publish(other)
    registries.publish(other)
    registries.remove(other.store.root, "1.0.0")
    message, hint = refusal(TextclfError, copy, three, other, "1.0.0", "1.1.0")
    assert message == f"1.1.0 is another version in {other.store.root}; numbers are not reused"
    assert "versions push" in hint
    assert registries.version_folders(other.store.root) == ["1.1.0"]


def test_a_number_that_was_that_of_another_version_is_an_error(three, other):
    """A number that was pruned stays reserved for the version that had it."""
    registries.filled(other.store.root, "1.1.0", "1.2.0", versions=3)
    other.prune(V("1.0.0"))
    message, _ = refusal(TextclfError, copy, three, other, "1.0.0")
    assert message.startswith("1.0.0 was another version in ")


def test_a_version_that_was_pruned_there_is_brought_back_only_by_its_number(three, other):
    """Who copies all versions does not bring back what was removed on purpose."""
    copy(three, other, "1.0.0", "1.1.0", "1.2.0")
    other.prune(V("1.0.0"))
    assert unpruned_versions(other, three.versions()) == [V("1.1.0"), V("1.2.0")]
    assert copy(three, other, "1.0.0")["1.0.0"].changed
    assert other.is_published(V("1.0.0"))
    assert verify(other).ok


def test_a_damaged_version_is_not_copied(three, other, root):
    """A file that is not what was published is an error, and leaves nothing of its version."""
    (root / "1.1.0/notes.md").write_bytes(b"# Other\n")
    with pytest.raises(IntegrityError, match=r"notes\.md is not the file that was published"):
        copy(three, other, "1.0.0", "1.1.0", "1.2.0")
    assert registries.version_folders(other.store.root) == ["1.0.0"]


def test_a_version_that_does_not_exist(three, other):
    """It is said which version there is none of, and nothing is written."""
    with pytest.raises(NoSuchVersion, match=r"no version 9\.9\.9"):
        copy(three, other, "9.9.9")
    assert not registries.version_folders(other.store.root)


def test_signatures_go_along_also_those_added_after_a_copy(three, other, tmp_path):
    """A registry that requires a signature takes a version that has it, sooner or later."""
    private, public = write_pair(tmp_path, "one")
    strict = Registry(LocalStore(other.store.root), PublicKey(public))
    with pytest.raises(IntegrityError, match="is not signed"):
        copy(three, strict, "1.0.0")
    copy(three, other, "1.0.0")
    with pytest.raises(IntegrityError, match="is not signed"):
        copy(three, strict, "1.0.0")
    three.sign(V("1.0.0"), load_signer(private))
    three.sign(V("1.1.0"), load_signer(private))
    done = copy(three, strict, "1.0.0", "1.1.0")
    assert (done["1.0.0"].changed, done["1.0.0"].signatures) == (False, 1)
    assert done["1.1.0"].changed
    assert copy(three, strict, "1.0.0")["1.0.0"].signatures == 0
    assert strict.promote(V("1.0.0")).changed
    assert verify(strict).ok


def test_who_stops_gets_what_was_begun(three, other):
    """Once asked to stop, no other version is begun, and those begun are complete."""
    asked = iter([False, True, True, True])
    done = copy(three, other, "1.0.0", "1.1.0", "1.2.0", stop=lambda: next(asked))
    assert list(done) == ["1.0.0"]
    assert registries.version_folders(other.store.root) == ["1.0.0"]
    assert verify(other).ok


def test_after_an_error_those_begun_are_completed():
    """The first error is raised when all that was begun is done; nothing else is begun."""
    begun = []

    def work(number):
        begun.append(number)
        if number == 2:
            raise ValueError(number)
        return number

    results = in_parallel(work, range(1, 9), at_once=1, stop=lambda: False)
    assert next(results) == 1
    with pytest.raises(ValueError, match="2"):
        list(results)
    assert begun == [1, 2]


def test_metadata_that_cannot_be_read_are_an_error_before_anything_is_copied(three, other, root):
    """Nobody knows which version it is."""
    (root / "1.1.0/metadata.json").unlink()
    (root / "1.1.0/metadata.json").symlink_to("metadata.json")
    with pytest.raises(StoreError, match=r"cannot read .*1\.1\.0/metadata\.json"):
        copy(three, other, "1.0.0", "1.1.0")
    assert other.versions() == []

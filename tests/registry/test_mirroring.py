"""Mirroring a registry as a whole."""

import shutil

import pytest
import registries
from keys import write_pair
from registries import LOG, plain_files, refusal

from textclf.errors import IntegrityError, NoSuchVersion, TextclfError
from textclf.metadata.versions import parse_version
from textclf.registry.mirroring import Mirrored, mirror
from textclf.registry.publisher import reserved_numbers
from textclf.registry.registry import Registry
from textclf.registry.signing import PublicKey, load_signer
from textclf.registry.store.local import LocalStore
from textclf.registry.verification import verify

V = parse_version
CHANGES = ("put", "create", "replace", "create_all", "remove", "remove_all")


@pytest.fixture
def source(root, tmp_path):
    """Return a registry with all that one can have: see `fill`."""
    return fill(root, tmp_path)


def fill(root, keys):
    """Make a registry of which a version was pruned, with tags, a channel and signatures."""
    registry = registries.filled(root, "1.0.0", "1.1.0", "1.2.0", versions=4,
                                 files=registries.FURTHER)  # fmt: skip
    registry.promote(V("1.3.0"), channel="staging")
    registry.tag(V("1.2.0"), {"prod": "eu"})
    registry.prune(V("1.0.0"))
    private, _ = write_pair(keys, "one")
    registry.sign(V("1.1.0"), load_signer(private))
    return registry


@pytest.fixture
def target(tmp_path):
    return registries.open_registry(tmp_path / "mirror")


def the_same(source, target):
    return plain_files(source.store.root) == plain_files(target.store.root)


def test_a_mirror_has_the_same_files(source, target):
    """Versions, logs of all channels, events, signatures and the alias are the same bytes."""
    told = []
    done = mirror(source, target, tell=told.append)
    assert the_same(source, target)
    assert told == done.versions == ["1.1.0", "1.2.0", "1.3.0"]
    assert (done.promotions, done.latest, done.removed, done.lost) == (4, "1.2.0", [], [])
    assert done.events == len(source.events.records())
    assert done.signatures == 1
    assert verify(target).ok
    assert target.promoted("staging") == V("1.3.0")
    assert V("1.0.0") in reserved_numbers(target)


def test_a_second_time_nothing_changes(source, target):
    """A mirror of what has not changed writes nothing."""
    mirror(source, target)
    times = {p: p.stat().st_mtime_ns for p in target.store.root.rglob("*") if p.is_file()}
    done = mirror(source, target)
    assert done == Mirrored([], [], [], 0, 0, 0, "1.2.0")
    assert not done.changed
    assert {p: p.stat().st_mtime_ns for p in target.store.root.rglob("*") if p.is_file()} == times


def test_what_has_changed_since_is_mirrored(source, target):
    """New versions, promotions, rollbacks and tags arrive; what was pruned is removed."""
    mirror(source, target)
    registries.publish(source)
    source.promote(V("1.4.0"))
    source.rollback()
    source.rollback()
    source.promote(V("1.3.0"))
    source.promote(V("1.4.0"))
    source.prune(V("1.1.0"))
    source.tag(V("1.2.0"), {"prod": None})
    source.prune(V("1.2.0"))  # which is the promoted one of the mirror until now
    done = mirror(source, target)
    assert the_same(source, target)
    assert (done.versions, done.removed, done.latest) == (["1.4.0"], ["1.1.0", "1.2.0"], "1.4.0")
    assert verify(target).ok


def test_a_version_that_was_brought_back_is_back_in_the_mirror(source, target):
    """A pruned version that was imported again is copied again."""
    registries.publish(source)
    exported = source.export_files(V("1.4.0"))
    mirror(source, target)
    source.prune(V("1.4.0"))
    assert mirror(source, target).removed == ["1.4.0"]
    source.import_version(V("1.4.0"), exported, source="a test")
    assert mirror(source, target).versions == ["1.4.0"]
    assert the_same(source, target)


def test_a_version_lost_in_the_source_is_kept(source, target, root):
    """It is named, so that it can be brought back from the mirror."""
    mirror(source, target)
    registries.remove(root, "1.1.0")
    assert mirror(source, target).lost == ["1.1.0"]
    assert target.is_published(V("1.1.0"))
    source.import_version(V("1.1.0"), target.export_files(V("1.1.0")), source="the mirror")
    assert mirror(source, target).lost == []


def promoted(target):
    target.promote(V("1.1.0"))


def tagged(target):
    target.tag(V("1.1.0"), {"a": "b"})


def promoted_elsewhere(target):
    target.promote(V("1.1.0"), channel="shadow")


@pytest.mark.parametrize("change", [promoted, tagged, promoted_elsewhere])
def test_a_mirror_that_was_changed_is_refused(source, target, change):
    """A log with records of its own is overwritten by nothing, and nothing else is written."""
    mirror(source, target)
    change(target)
    registries.publish(source)
    before = plain_files(target.store.root)
    message, hint = refusal(TextclfError, mirror, source, target)
    assert message.startswith(f"{target.store.root} is no mirror of {source.store.root}: .registry")
    assert "new folder or prefix" in hint
    assert plain_files(target.store.root) == before


def test_the_registry_of_somebody_else_is_refused(source, tmp_path):
    """Another log of the same length, another version, or one that the source never had."""
    for name, numbers, versions in (("a", ("1.0.0", "1.1.0"), 2), ("b", (), 2), ("c", (), 7)):
        other = registries.filled(tmp_path / name, *numbers, versions=versions)
        if name == "c":
            for version in other.versions()[:-1]:
                registries.remove(tmp_path / name, str(version))
        before = plain_files(tmp_path / name)
        with pytest.raises(TextclfError, match=r"no mirror of|another version in|never had"):
            mirror(source, other)
        assert plain_files(tmp_path / name) == before


def test_a_damaged_source_is_no_source(source, target, root):
    """A damaged record or file is named, and the logs of the mirror stay as they are."""
    mirror(source, target)
    registries.publish(source, files=registries.FURTHER)
    source.promote(V("1.4.0"))
    (root / "1.4.0/notes.md").write_bytes(b"# Other\n")
    before = plain_files(target.store.root)
    with pytest.raises(IntegrityError, match=r"notes\.md"):
        mirror(source, target)
    (root / LOG / "00000002.json").write_bytes(b"{}")
    with pytest.raises(IntegrityError, match="not a promotion record"):
        mirror(source, target)
    assert plain_files(target.store.root) == before


def test_a_promoted_version_that_is_lost_is_an_error(source, target, root):
    """A mirror without its latest version is no mirror: no log is copied."""
    registries.remove(root, "1.2.0")
    with pytest.raises(NoSuchVersion, match=r"latest is 1\.2\.0, whose folder no longer exists"):
        mirror(source, target)
    assert target.history() == []


def test_nothing_is_no_registry(target, root):
    """A location without versions is not mirrored."""
    with pytest.raises(NoSuchVersion, match="there is nothing to mirror"):
        mirror(registries.open_registry(root), target)
    assert not target.store.root.exists()


def test_a_required_signature_is_required_of_each_version(source, target, tmp_path):
    """A mirror of signed versions has no unsigned one."""
    key = PublicKey(tmp_path / "one.pub")
    strict = [Registry(LocalStore(one.store.root), key) for one in (source, target)]
    with pytest.raises(IntegrityError, match="is not signed"):
        mirror(*strict)
    for version in ("1.2.0", "1.3.0"):
        source.sign(V(version), load_signer(tmp_path / "one.key"))
    mirror(*strict)
    assert the_same(source, target)


def test_the_file_of_somebody_else_in_the_place_of_the_alias_is_kept(source, target):
    """It is moved aside, as promote does."""
    target.store.replace("text_classifier.joblib", b"hand-made")
    done = mirror(source, target)
    assert (target.store.root / done.kept).read_bytes() == b"hand-made"
    assert the_same(source, target)


class Changing(LocalStore):
    """A store of a registry that others change while it is read."""

    def __init__(self, root):
        super().__init__(root)
        self.changes = iter(())

    def read(self, key, *arguments):
        """Let others do the next thing once a model was read."""
        data = super().read(key, *arguments)
        if key.endswith("text_classifier.joblib"):
            next(self.changes, None)
        return data


def test_what_is_promoted_and_pruned_meanwhile_is_there_in_the_end(root, tmp_path, target):
    """The source is looked at again, until nothing has changed."""
    writer = fill(root, tmp_path)

    def changes():
        registries.publish(writer)
        yield writer.promote(V("1.4.0"))
        yield writer.promote(V("1.3.0"))
        writer.tag(V("1.2.0"), {"prod": None})
        yield writer.prune(V("1.2.0"))

    busy = Registry(Changing(root))
    busy.store.changes = changes()
    done = mirror(busy, target)
    assert the_same(writer, target)
    assert done.latest == "1.3.0"
    assert next(busy.store.changes, None) is None
    assert verify(target).ok


class Death(BaseException):
    """The process has died."""


class Mortal(LocalStore):
    """A store that dies before its n-th change."""

    def __init__(self, root, n):
        super().__init__(root)
        self.left = n

    def __getattribute__(self, name):
        if name in CHANGES:
            self.left -= 1
            if self.left < 0:
                raise Death
        return super().__getattribute__(name)


def died(source, root, steps):
    """Mirror, and die before a change of the target; return whether there were so many."""
    try:
        mirror(source, Registry(Mortal(root, steps)))
    except Death:
        return True
    return False


@pytest.mark.parametrize("earlier", [False, True])
def test_a_mirror_that_died_at_any_step_is_completed_by_the_next(source, tmp_path, earlier):
    """At each step nothing is torn or out of order, and the next run makes it the same."""
    if earlier:
        mirror(source, registries.open_registry(tmp_path / "earlier"))
    registries.publish(source)
    for version in ("1.4.0", "1.3.0"):
        source.promote(V(version))
    source.tag(V("1.2.0"), {"prod": None})
    for version in ("1.1.0", "1.2.0"):
        source.prune(V(version))
    for steps in range(100):
        target = registries.open_registry(tmp_path / str(steps))
        if earlier:
            shutil.copytree(tmp_path / "earlier", target.store.root)
        if not died(source, target.store.root, steps):
            break
        passing = {f"{v}, latest or previous, is not there" for v in ("1.0.0", "1.1.0", "1.2.0")}
        assert set(registries.violations(target.store.root)) <= passing  # between two records
        mirror(source, target)
        assert the_same(source, target)
    assert 10 < steps < 99


def test_the_answer_is_told_in_fields():
    """Whatever was copied or removed counts as a change."""
    same = Mirrored([], [], ["1.0.0"], 0, 0, 0, None)
    assert not same.changed
    assert Mirrored([], ["1.0.0"], [], 0, 0, 0, None).changed


def test_a_source_that_changes_all_the_time_is_mirrored_as_it_was(root, tmp_path, target):
    """There is an end to it; the next mirroring has the rest."""
    writer = fill(root, tmp_path)
    done = mirror(writer, target, tell=lambda _: registries.publish(writer))
    assert done.complete
    assert len(target.versions()) < len(writer.versions())
    mirror(writer, target)
    assert the_same(writer, target)


def test_a_version_that_is_pruned_while_it_is_copied_is_not_missed(root, tmp_path, target):
    """Nor if it was promoted when the mirroring began: the source is looked at again."""
    writer = fill(root, tmp_path)

    def change():
        if writer.latest() == V("1.2.0"):
            registries.publish(writer)
            writer.promote(V("1.4.0"))
            writer.promote(V("1.3.0"))
            writer.tag(V("1.2.0"), {"prod": None})
            writer.prune(V("1.2.0"))
        return False

    done = mirror(writer, target, stop=change)
    assert done.versions == ["1.1.0", "1.3.0", "1.4.0"]
    assert the_same(writer, target)


def test_an_added_signature_that_is_another_is_refused(source, target, root):
    """Its name says what it holds."""
    [signature] = (root / ".registry/signatures").rglob("*.sig")
    signature.write_bytes(b"another")
    with pytest.raises(IntegrityError, match="is damaged: not the signature that was added"):
        mirror(source, target)


@pytest.mark.parametrize("theirs", ["the same", "another"])
def test_a_record_that_another_mirroring_has_copied_meanwhile(source, target, monkeypatch, theirs):
    """The same one is no problem; any other is, and is named."""
    create = target.store.create

    def late(key, data):
        if key.startswith(f"{LOG}/"):
            monkeypatch.undo()
            create(key, data if theirs == "the same" else data.replace(b"1.0.0", b"9.9.9"))
        create(key, data)

    monkeypatch.setattr(target.store, "create", late)
    if theirs == "the same":
        mirror(source, target)
        assert the_same(source, target)
    else:
        with pytest.raises(TextclfError, match="has another record 1"):
            mirror(source, target)

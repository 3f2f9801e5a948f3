"""The numbers of versions and records: each that is given can be read, and every search ends."""

import contextlib
import json
import math

import msgspec
import pytest
import registries
from memory_store import MemoryStore

from textclf.errors import IntegrityError, StoreError, TextclfError
from textclf.metadata.schema import METADATA
from textclf.metadata.versions import Bump, parse_version
from textclf.registry import layout
from textclf.registry.registry import Registry
from textclf.registry.store.base import MOST_CONFLICTS, Exists
from textclf.registry.store.local import LocalStore
from textclf.registry.verification import verify

V = parse_version
HIGHEST = "999999999.0.0"


@pytest.fixture(params=["local", "memory"])
def store(request, root):
    """Return an empty store of each kind."""
    return LocalStore(root) if request.param == "local" else MemoryStore()


@pytest.fixture
def registry(store):
    """Return a registry of 1.0.0 and 1.1.0, promoted in this order."""
    registry = Registry(store)
    for version in ("1.0.0", "1.1.0"):
        registries.publish(registry)
        registry.promote(V(version))
    return registry


def test_a_folder_without_metadata_reserves_its_own_number_only(registry):
    """Numbers go on below a folder that is not a version, and step over it."""
    for version in (HIGHEST, "2.0.0", "1.2.0"):
        registry.store.create(f"{version}/notes.txt", b"mine")
    assert registries.publish(registry, Bump.MAJOR).version == "3.0.0"
    assert registries.publish(registry, base="1.1.0").version == "1.3.0"
    assert registries.publish(registry, Bump.MAJOR).version == "4.0.0"


def test_after_the_highest_number_there_is_a_sentence_and_nothing_is_written(registry):
    """An imported version has the highest major: the next is refused, and all else works."""
    other = Registry(MemoryStore())
    other.publish(registries.metadata(HIGHEST, b"model"), b"model")
    assert registry.import_version(V(HIGHEST), other.export_files(V(HIGHEST)), source="a test")
    before = registry.numbers()
    with pytest.raises(TextclfError, match="no major number follows 999999999") as refused:
        registries.publish(registry, Bump.MAJOR)
    assert refused.value.exit_code == 1
    assert "--from" in refused.value.hint
    assert registry.numbers() == before
    assert registries.publish(registry).version == "999999999.1.0"
    assert registries.publish(registry, base="1.1.0").version == "1.2.0"
    assert registry.promote(V("1.2.0")).changed
    assert verify(registry).ok


def test_a_number_that_is_taken_while_training_has_no_successor(registry):
    """The planned number was the last one and another writer has it: nothing is written."""
    bump = msgspec.structs.replace(
        registries.metadata().bump, applied="major", base="999999998.0.0"
    )
    planned = registries.metadata(HIGHEST, b"model", bump=bump)
    registry.publish(planned, b"model")
    with pytest.raises(TextclfError, match="no major number follows"):
        registry.publish(planned, b"model")


@pytest.mark.parametrize("wrong", [{"test_accuracy": math.nan}, {"schema": 99}], ids=str)
def test_metadata_that_nobody_could_read_are_not_published(registry, wrong):
    """What would be damaged the moment it is written is refused, and nothing is written."""
    before = registry.numbers()
    with pytest.raises(IntegrityError):
        registry.publish(registries.metadata("2.0.0", b"model", **wrong), b"model")
    assert registry.numbers() == before


def renumber(registry, log, n):
    """Add a copy of the newest record of a log under another number."""
    record = json.loads(registry.store.read(layout.log_record(log.folder, log.last_number())))
    registry.store.create(layout.log_record(log.folder, n), json.dumps(record | {"n": n}).encode())


def test_after_the_last_record_nothing_is_promoted(registry):
    """A planted record has the highest number: promoting is refused, and verify names it."""
    renumber(registry, registry.promotions, layout.LAST_RECORD)
    before = registry.promotions.numbers()
    for _ in range(2):
        with pytest.raises(IntegrityError, match="has a record 99999999, the highest number"):
            registry.promote(V("1.0.0"))
    assert registry.promotions.numbers() == before
    assert registry.latest() == V("1.1.0")
    assert not registry.store.names(layout.HOLDS)
    assert "record 3 is missing before it" in {p.problem for p in verify(registry).problems}


def test_after_the_last_event_nothing_is_tagged_or_pruned(registry):
    """A planted event has the highest number: what would need another is refused, and undone."""
    registries.publish(registry)
    registry.tag(V("1.0.0"), {"prod": "eu"})
    renumber(registry, registry.events, layout.LAST_RECORD)
    for change in (
        lambda: registry.tag(V("1.1.0"), {"prod": "us"}),
        lambda: registry.prune(V("1.2.0")),
    ):
        with pytest.raises(IntegrityError, match="has a record 99999999"):
            change()
    assert registry.is_published(V("1.2.0"))


def always_taken(store):
    """Let a store say of everything that it exists already, and list nothing new."""

    def refuse(key, *_):
        raise Exists(key)

    store.create = store.create_all = refuse


def always_outrun(store):
    """Let another writer always have created what is to be created."""
    create = store.create

    def outrun(key, data):
        with contextlib.suppress(Exists):
            create(key, data)
        raise Exists(key)

    store.create = outrun


@pytest.mark.parametrize(
    "change",
    [
        registries.publish,
        lambda registry: registry.promote(V("1.0.0")),
        lambda registry: registry.tag(V("1.0.0"), {"prod": "eu"}),
    ],
    ids=["publish", "promote", "tag"],
)
def test_a_conflict_that_never_resolves_ends_in_a_sentence(registry, change):
    """A place that refuses every new key is given up after so many attempts."""
    always_taken(registry.store)
    with pytest.raises(StoreError, match=f"of {MOST_CONFLICTS} attempts each found it there"):
        change(registry)


def test_a_writer_that_is_always_outrun_gives_up():
    """Another process that is always faster does not keep a writer for ever."""
    registry = Registry(MemoryStore())
    registries.publish(registry)
    always_outrun(registry.store)
    with pytest.raises(StoreError, match="cannot be created"):
        registry.tag(V("1.0.0"), {"prod": "eu"})
    assert len(registry.events.numbers()) == MOST_CONFLICTS
    assert f"1.0.0/{METADATA}" in registry.store.objects

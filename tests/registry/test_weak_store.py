"""The registry on a store that promises no more than an object store, where writers die anywhere.

Every operation is run once for each of its requests, and dies just before it. After each death,
readers must find nothing torn or lost, and the next commands must work.
"""

import contextlib
import itertools
import json

import pytest
import registries
from memory_store import MemoryStore
from object_operations import EXPORTED, OPERATIONS, three, violations

from textclf.errors import NoSuchVersion, TextclfError
from textclf.metadata.schema import ARTIFACT, METADATA, SIGNATURE
from textclf.metadata.versions import parse_version
from textclf.registry import layout, pruning
from textclf.registry.publisher import reserved_numbers
from textclf.registry.registry import Registry
from textclf.registry.verification import verify

V = parse_version


class Death(BaseException):
    """The process has died: nothing catches this but the test."""


def dying_store(objects, request, store_class=MemoryStore):
    """Return a store whose user dies before a request."""

    def hook(number):
        if number == request:
            raise Death

    store = store_class(objects)
    store.before_request = hook
    return store


def test_all_operations_work():
    """Nothing in the registry needs more than the store promises."""
    objects = three()
    registry = Registry(MemoryStore(objects))
    registry.tag(V("1.0.0"), {"prod": "eu"})
    assert registry.rollback().version == "1.1.0"
    assert registry.prune(V("1.0.0")) == "tagged prod=eu"
    registry.tag(V("1.0.0"), {"prod": None})
    assert registry.prune(V("1.0.0")) is None
    assert not [key for key in objects if key.startswith("1.0.0/")]
    assert objects[layout.ALIAS] == objects[f"1.1.0/{ARTIFACT}"]
    assert list(violations(objects)) == []
    assert verify(registry).ok


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_death_before_any_request_loses_nothing(operation):
    """Readers see no half of anything, and the next training, promotion and repair work."""
    setup, act = OPERATIONS[operation]
    for request in itertools.count(1):
        objects = setup()
        before = set(Registry(MemoryStore(objects)).versions())
        try:
            act(Registry(dying_store(objects, request)))
        except Death:
            pass
        else:
            break
        assert list(violations(objects)) == [], request
        registry = Registry(MemoryStore(objects))
        lost = before - set(registry.versions())
        assert lost <= ({V("1.0.0")} if operation == "prune" else set())
        new = V(registries.publish(registry).version)
        assert new not in before
        assert registry.promote(new).changed
        registry.store.writers_died = True
        assert verify(registry, repair=True).ok
        assert list(violations(objects)) == []
    assert request > 5
    assert list(violations(objects)) == []


class Careless(MemoryStore):
    """A store that creates the files of a folder in the reverse order."""

    def create_all(self, folder, files, **options):
        """Create the metadata first."""
        super().create_all(folder, dict(reversed(files.items())), **options)


def test_a_store_that_breaks_the_promise_is_found_out():
    """The check of this file finds a version whose metadata appeared first."""
    found = []
    for request in range(1, 30):
        objects = three()
        with contextlib.suppress(Death):
            publish = OPERATIONS["publish"][1]
            publish(Registry(dying_store(objects, request, Careless)))
        found += violations(objects)
    assert found


RIVALS = {
    "promote": lambda registry: registry.promote(V("1.0.0")).version,
    "tag": lambda registry: dict(registry.tag(V("1.0.0"), {"prod": "eu"})),
    "prune": lambda registry: registry.prune(V("1.0.0")),
}


@pytest.mark.parametrize(("first", "second"), [*itertools.permutations(RIVALS, 2)])
def test_of_two_at_once_none_undoes_what_the_other_has_done(first, second):
    """One does all its work between any two requests of the other: no acknowledged work is lost."""
    for request in itertools.count(1):
        objects, answers = three(), {}

        def act(name, registry, answers=answers):
            try:
                answers[name] = RIVALS[name](registry)
            except NoSuchVersion as error:
                answers[name] = error

        def interrupt(number, request=request, objects=objects, act=act):
            if number == request:
                act(second, Registry(MemoryStore(objects)))

        store = MemoryStore(objects)
        store.before_request = interrupt
        act(first, Registry(store))
        is_there = f"1.0.0/{METADATA}" in objects
        if "prune" in answers:
            assert is_there == (answers["prune"] is not None)
        for name, answer in answers.items():
            assert name == "prune" or is_there or isinstance(answer, NoSuchVersion), request
        assert list(violations(objects)) == []
        assert verify(Registry(MemoryStore(objects))).ok
        if second not in answers:
            break


def foreign():
    """Return the files of a version 1.3.0 that was published and signed in another registry."""
    registry = Registry(MemoryStore(three()))
    published = registries.publish(registry, files=registries.FURTHER)
    return {**registry.export_files(V(published.version)), SIGNATURE: b"a signature"}


@pytest.mark.parametrize("first", ["publish", "import"])
def test_a_number_is_not_given_to_a_new_version_and_an_imported_one(first):
    """One publishes what would be 1.3.0 while the other imports it: their files never mix."""
    files = foreign()
    acts = {
        "publish": lambda r: registries.publish(r, files=registries.FURTHER).version,
        "import": lambda r: r.import_version(V("1.3.0"), files, source="a test"),
    }
    [second] = acts.keys() - {first}
    for request in itertools.count(1):
        objects, answers = three(), {}

        def act(name, registry, answers=answers):
            try:
                answers[name] = acts[name](registry)
            except TextclfError:
                answers[name] = "refused"

        def interrupt(number, request=request, objects=objects, act=act):
            if number == request:
                act(second, Registry(MemoryStore(objects)))

        store = MemoryStore(objects)
        store.before_request = interrupt
        act(first, Registry(store))
        if second not in answers:
            break
        imported = answers["import"] is True
        assert answers["publish"] == ("1.4.0" if imported else "1.3.0"), request
        assert (objects[f"1.3.0/{METADATA}"] == files[METADATA]) == imported
        assert verify(Registry(MemoryStore(objects))).ok
    assert request > 5


def test_a_version_that_is_pruned_during_a_check_is_not_a_problem():
    """Another process prunes a version between any two requests of verify, which names nothing."""
    for request in itertools.count(1):
        objects = three()
        registry = Registry(MemoryStore(objects))
        registry.promote(V("1.0.0"))
        registry.promote(V("1.1.0"))
        registry.promote(V("1.2.0"))
        pruning = []

        def prune(number, request=request, objects=objects, pruning=pruning):
            if number == request:
                pruning.append(Registry(MemoryStore(objects)).prune(V("1.0.0")))

        store = MemoryStore(objects)
        store.before_request = prune
        assert verify(Registry(store)).problems == (), request
        if not pruning:
            break
        assert pruning == [None]


def without_metadata(objects, version):
    return {key: data for key, data in objects.items() if key != f"{version}/{METADATA}"}


def half_published():
    """Return the objects of a registry with a version 1.3.0 whose metadata are not there."""
    objects = three()
    published = registries.publish(Registry(MemoryStore(objects)), files=registries.FURTHER)
    assert published.version == "1.3.0"
    return without_metadata(objects, "1.3.0")


def test_a_version_that_is_being_published_is_no_problem():
    """Files without metadata that a writer may be about to complete are no version and no error."""
    objects = half_published()
    registry = Registry(MemoryStore(objects))
    assert "1.3.0" not in map(str, registry.versions())
    assert V("1.3.0") in reserved_numbers(registry)
    with pytest.raises(NoSuchVersion, match=r"no version 1\.3\.0"):
        registry.promote(V("1.3.0"))
    verification = verify(registry, repair=True)
    assert (verification.ok, verification.versions) == (True, 3)
    assert not verification.repaired
    assert f"1.3.0/{ARTIFACT}" in objects


def test_what_a_writer_has_left_that_died_is_removed_by_a_repair():
    """Once no writer can be at work any more, verify names the files, and a repair removes them."""
    objects = half_published()
    store = MemoryStore(objects)
    store.writers_died = True
    registry = Registry(store)
    verification = verify(registry)
    [problem] = verification.problems
    assert (problem.version, problem.problem) == (
        "1.3.0", "was left half published by a writer that died",
    )  # fmt: skip
    assert verification.repairable
    assert verify(registry, repair=True).repaired == (
        "removed what was published of 1.3.0 by a writer that died",
    )
    assert not [key for key in objects if key.startswith("1.3.0/")]
    assert verify(registry).ok


def test_a_version_that_was_promoted_and_lost_its_metadata_is_not_removed():
    """Nobody's work is to blame, and the metadata may be restored: it is named and left alone."""
    objects = without_metadata(three(), "1.1.0")
    store = MemoryStore(objects)
    store.writers_died = True
    verification = verify(Registry(store), repair=True)
    assert f"1.1.0/{ARTIFACT}" in objects
    assert {(p.file, p.problem) for p in verification.problems} == {
        (f"1.1.0/{METADATA}", "is missing: this folder is not a version"),
        (".registry/promotions/00000001.json", "names version 1.1.0, which does not exist"),
    }


def test_a_half_removed_version_is_named_once_and_its_removal_finished():
    """After the metadata the other files may remain; verify --repair removes them."""
    objects = three()
    Registry(MemoryStore(objects)).events.append_event("pruned", V("1.0.0"))
    objects = without_metadata(objects, "1.0.0")
    registry = Registry(MemoryStore(objects))
    [problem] = verify(registry).problems
    assert (problem.file, problem.problem) == ("1.0.0", "was pruned, but still exists")
    with pytest.raises(NoSuchVersion, match="was pruned"):
        registry.resolve("1.0.0")
    assert verify(registry, repair=True).ok
    assert not [key for key in objects if key.startswith("1.0.0/")]


def test_a_half_removed_version_is_not_imported_over():
    """The import says that a repair comes first, and works after it."""
    objects, files = dict(EXPORTED[0]), EXPORTED[1]
    objects["1.0.0/notes.md"] = files["notes.md"]
    registry = Registry(MemoryStore(objects))
    with pytest.raises(TextclfError, match="cannot be imported while") as caught:
        registry.import_version(V("1.0.0"), files, source="a test")
    assert "verify --repair" in caught.value.hint
    assert verify(registry, repair=True).repaired == ("finished removing 1.0.0",)
    assert registry.import_version(V("1.0.0"), files, source="a test")
    assert registry.export_files(V("1.0.0")) == files


def test_an_import_goes_on_where_another_has_died():
    """A version is imported again after a death before any request, and is complete then."""
    files = foreign()
    for request in itertools.count(1):
        objects = three()
        try:
            registry = Registry(dying_store(objects, request))
            registry.import_version(V("1.3.0"), files, source="a test")
        except Death:
            pass
        else:
            break
        registry = Registry(MemoryStore(objects))
        is_there = f"1.3.0/{METADATA}" in objects
        imported = registry.import_version(V("1.3.0"), files, source="a test")
        assert imported != is_there, request
        assert registry.export_files(V("1.3.0")) == files
        assert verify(registry).ok
    assert request > 5


def test_files_of_another_writer_are_not_completed():
    """What another has begun to publish is not mixed with what is imported under its number."""
    objects = half_published()
    before = dict(objects)
    with pytest.raises(TextclfError, match="cannot be imported while") as caught:
        Registry(MemoryStore(objects)).import_version(V("1.3.0"), foreign(), source="a test")
    assert "another writer may be publishing it" in caught.value.hint
    assert objects == before


def test_the_model_appears_first_and_the_metadata_last():
    """The model claims the number; whatever the order in an archive, the metadata complete it."""
    objects, files = dict(EXPORTED[0]), dict(reversed(EXPORTED[1].items()))
    store = MemoryStore(objects)
    orders = []
    store.create_all = lambda _, files, **_options: orders.append(list(files))
    store.remove_all = lambda _, *, first: orders.append(first)
    registry = Registry(store)
    registries.publish(registry, files=registries.FURTHER)
    registry.import_version(V("1.0.0"), files, source="a test")
    pruning.prune(Registry(store), V("1.0.0"), message=None, metadata_sha256="?")
    published, imported, removed = orders
    assert published[0] == imported[0] == ARTIFACT
    assert published[-1] == imported[-1] == METADATA
    assert removed == METADATA
    assert json.loads(files[METADATA])["version"] == "1.0.0"

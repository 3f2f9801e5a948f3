"""A registry that is copied from one bucket to another, where one request goes wrong.

``make test`` strikes a few requests of one copy, ``make test-faults`` all of each (``faults``).
"""

from datetime import timedelta

import pytest
import registries
from faulty_bucket import FAULTS, WRITING, Death, FaultyBucket, contents, filled
from memory_store import MemoryStore
from object_operations import V, three, violations

from textclf.errors import StoreError
from textclf.registry.copying import copy_versions
from textclf.registry.layout import PROBES
from textclf.registry.mirroring import mirror
from textclf.registry.registry import Registry
from textclf.registry.store import object_store, objects
from textclf.registry.store.object_store import ObjectStore
from textclf.registry.verification import verify

PREFIX = "team/reviews"


def full():
    """Return the objects of a registry with a pruned version, a tag and a second channel."""
    store = MemoryStore(three())
    registry = Registry(store)
    registry.prune(V("1.0.0"))
    registry.promote(V("1.1.0"), channel="staging")
    registry.tag(V("1.1.0"), {"prod": "eu"})
    return store.objects


def grown(objects):
    """Return what became of the objects of a registry: two promotions, and the first is pruned."""
    store = MemoryStore(dict(objects))
    registry = Registry(store)
    for _ in range(2):
        registry.promote(V(registries.publish(registry, files=registries.FURTHER).version))
    registry.tag(V("1.1.0"), {"prod": None})
    registry.promote(V("1.4.0"), channel="staging")
    registry.promote(V("1.3.0"), channel="staging")
    registry.prune(V("1.1.0"))
    return store.objects


def push(source, target):
    list(copy_versions(source, target, source.versions()))


FULL = full()
GROWN = grown(FULL)
COPIES = {
    "push": (push, FULL, {}),
    "mirror": (mirror, FULL, {}),
    "mirror again": (mirror, GROWN, FULL),
}


def plain(objects):
    return {key: data for key, data in objects.items() if registries.is_plain(key)}


def opened(bucket):
    return Registry(ObjectStore(bucket, PREFIX, f"test://{PREFIX}"))


class Attempt:
    """One copy, in which a request to one of the two buckets goes wrong, and what came of it."""

    def __init__(self, name, fault, at, *, at_source):
        self.copy, self.objects, there = COPIES[name]
        contents_of = (self.objects, there) if at_source else (there, self.objects)
        self.struck, untouched = (filled(each, PREFIX) for each in contents_of)
        self.fault, self.bucket = fault, FaultyBucket(self.struck, at, FAULTS[fault])
        buckets = (self.struck, untouched) if at_source else (untouched, self.struck)
        self.ours, self.theirs = buckets
        self.error = None
        faulty = (self.bucket, untouched) if at_source else (untouched, self.bucket)
        try:
            self.copy(*map(opened, faulty))
        except (Death, StoreError) as raised:
            self.error = raised

    def again(self):
        """Copy without a fault, and return what the target has then."""
        self.copy(opened(self.ours), opened(self.theirs))
        return plain(contents(self.theirs, PREFIX))

    def problems(self):
        """Yield everything that is wrong after it, and after the copies that follow it."""
        passing = "was pruned" if self.copy is mirror else "-"  # latest is, between two records
        found = violations(contents(self.theirs, PREFIX))
        yield from (problem for problem in found if passing not in problem)
        if self.fault in ("retried", "conflict") and self.error:
            yield f"it failed: {self.error}"
        is_write = self.fault == "lost" and self.bucket.struck == "put"
        if self.error and is_write and PROBES not in str(self.error):
            yield f"the writer did not know its own work: {self.error}"
        after = self.again()
        if self.copy is mirror and after != plain(self.objects):
            yield "next: it is not the same"
        if self.again() != after:
            yield "then: something was changed"
        if plain(contents(self.ours, PREFIX)) != plain(self.objects):
            yield "the source was changed"
        yield from (f"verify: {p.file} {p.problem}" for p in verify(opened(self.theirs)).problems)


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    """Wait for nobody, and take every writer that is not done for dead."""
    for module in (object_store, objects):
        monkeypatch.setattr(module, "back_off", lambda _attempt: None)
    monkeypatch.setattr(object_store, "_ABANDONED", timedelta(seconds=-1))


CASES = [
    pytest.param(name, fault, at_source, step, marks=[pytest.mark.faults] * (step == 1))
    for at_source, faults in ((False, FAULTS), (True, ("before", "failed")))
    for name in COPIES
    for fault in faults
    for step in ((1, 37) if name == "mirror again" else (1,))
]


@pytest.mark.parametrize(("name", "fault", "at_source", "step"), CASES)
def test_a_copy_in_which_a_request_goes_wrong_is_completed_by_the_next(
    name, fault, at_source, step
):
    """Nothing is torn or doubled at any moment, and a mirror is the same as its source then."""
    found, at, attempt = [], 1, None
    while attempt is None or attempt.bucket.struck:
        attempt = Attempt(name, fault, at, at_source=at_source)
        where = f"{fault} at request {at} {attempt.bucket.struck}"
        found += [f"{where}: {problem}" for problem in attempt.problems()]
        at += step
    assert found == []
    assert at > (10 if FAULTS[fault] in WRITING else 20)

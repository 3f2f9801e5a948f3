"""A registry in a bucket, where one request goes wrong: at each request, in each way.

``make test`` runs one operation, ``make test-faults`` all (marked ``faults``).
"""

from datetime import timedelta

import pytest
import registries
from faulty_bucket import FAULTS, WRITING, Death, FaultyBucket, contents, filled
from object_operations import OPERATIONS, V, violations

from textclf.errors import StoreError
from textclf.registry.layout import PROBES
from textclf.registry.registry import Registry
from textclf.registry.store import object_store, objects
from textclf.registry.store.base import Exists
from textclf.registry.store.object_store import ObjectStore
from textclf.registry.verification import verify

PREFIX = "team/reviews"
STARTS = {"publish the first": (dict, OPERATIONS["publish"][1]), **OPERATIONS}
GROWTH = {"publish the first": 1, "publish": 1, "import": 1, "prune": -1}
"""The number of versions that an operation adds."""
RECORDS = {
    **dict.fromkeys(("promote", "rollback"), (1, 0)),
    **dict.fromkeys(("promote in a new channel", "rollback in a channel"), (1, 0)),
    "tag": (0, 1), "prune": (0, 2), "import": (0, 1),
}  # fmt: skip
"""The number of promotions and of events that it writes."""
QUICK = "tag"


def opened(bucket, store=ObjectStore):
    return Registry(store(bucket, PREFIX, f"test://{PREFIX}"))


def outcome_of(operation, registry):
    """Carry out an operation; return what it raised."""
    try:
        STARTS[operation][1](registry)
    except (Death, StoreError) as error:
        return error
    return None


def sizes(bucket):
    """Return the number of versions, of promotions and of events."""
    registry = opened(bucket.objects)
    return (
        len(registry.versions()),
        sum(log.last_number() for log in registry.channels()),
        registry.events.last_number(),
    )


def problems(operation, fault, bucket, error, before):
    """Yield everything that is wrong after an operation in which a request went wrong."""
    found = contents(bucket.objects, PREFIX)
    yield from violations(found)
    registry = opened(bucket.objects)
    grown, *written = (now - then for now, then in zip(sizes(bucket), before, strict=True))
    if fault in ("retried", "conflict") and error:
        yield f"it failed: {error}"
    if fault == "lost" and error and bucket.struck == "put" and PROBES not in str(error):
        yield f"the writer did not know its own work: {error}"
    if error is None and grown != GROWTH.get(operation, 0):
        yield f"acknowledged, but {grown} new versions"
    if error is None and tuple(written) != RECORDS.get(operation, (0, 0)):
        yield f"acknowledged, but {written} new records"
    if abs(grown) > 1:
        yield f"{grown} new versions"
    if error is None:
        yield from (f"verify: {p.file} {p.problem}" for p in verify(registry).problems)
    yield from problems_of_the_next_commands(registry, bucket)


def problems_of_the_next_commands(registry, bucket):
    known = set(registry.versions())
    new = V(registries.publish(registry).version)
    if new in known or not registry.promote(new).changed:
        yield f"next: {new} was given twice"
    if not verify(registry, repair=True).ok:
        yield "next: verify --repair leaves problems"
    yield from (f"next: {v}" for v in violations(contents(bucket.objects, PREFIX)))


def strike(operation, fault, store=ObjectStore):
    """Let each request of an operation go wrong in turn; return their number and all problems."""
    setup = STARTS[operation][0]
    found, at, bucket = [], 0, None
    while bucket is None or bucket.struck:
        at += 1
        bucket = FaultyBucket(filled(setup(), PREFIX), at, FAULTS[fault])
        before = sizes(bucket)
        error = outcome_of(operation, opened(bucket, store))
        where = f"{operation}, {fault} at request {at} {bucket.struck}"
        found += [f"{where}: {p}" for p in problems(operation, fault, bucket, error, before)]
    return at - 1, found


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    """Wait for nobody, and take every writer that is not done for dead."""
    for module in (object_store, objects):
        monkeypatch.setattr(module, "back_off", lambda _attempt: None)
    monkeypatch.setattr(object_store, "_ABANDONED", timedelta(seconds=-1))


CASES = [
    pytest.param(operation, fault, marks=[pytest.mark.faults] * (operation != QUICK))
    for operation in STARTS
    for fault in FAULTS
]


@pytest.mark.parametrize(("operation", "fault"), CASES)
def test_no_request_that_goes_wrong_loses_anything(operation, fault):
    """Readers see nothing torn or lost, lost answers are no conflicts, the next commands work."""
    requests, found = strike(operation, fault)
    assert found == []
    assert requests >= (2 if FAULTS[fault] in WRITING else 8)


class Trusting(ObjectStore):
    """A store that takes every answer for the truth, as most code does."""

    def __init__(self, *given):
        super().__init__(*given)
        self.objects.put = self._put

    def _put(self, key, data, mode):
        if not self.objects.put_once(key, data, mode):
            raise Exists(key)


@pytest.mark.parametrize("fault", ["lost", "retried", "conflict"])
def test_a_store_that_believes_every_answer_is_found_out(fault):
    """The check of this file finds a writer that does not read back what it has written."""
    _, found = strike("tag", fault, Trusting)
    assert found

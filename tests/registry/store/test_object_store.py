"""The object store: servers that break conditions, conflicts, denied requests, partial answers."""

import json
import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
import registries
from faulty_bucket import contents
from obstore.exceptions import (
    AlreadyExistsError,
    GenericError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import MemoryStore as Objects

from textclf.errors import StoreError
from textclf.metadata.versions import parse_version
from textclf.registry.layout import PROBES
from textclf.registry.registry import Registry
from textclf.registry.store import object_store, objects
from textclf.registry.store.base import Changed, Exists, Incomplete, Stamped
from textclf.registry.store.object_store import ObjectStore

PREFIX = "team/reviews"
V = parse_version


class Bucket:
    """Obstore's store in memory, of which a test changes methods."""

    def __init__(self, objects=None):
        self.objects = objects or Objects()
        self.calls = []

    def __getattr__(self, name):
        method = getattr(self.objects, name)

        def call(*arguments, **options):
            self.calls.append(name)
            return method(*arguments, **options)

        return call


def opened(bucket, server=""):
    return ObjectStore(bucket, PREFIX, "s3://bucket/team/reviews", server)


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    for module in (object_store, objects):
        monkeypatch.setattr(module, "back_off", lambda _attempt: None)


# --- servers that ignore conditions ---------------------------------------------------------------


class IgnoresCreation(Bucket):
    """Overwrites where it should create, as rclone's server does."""

    def put(self, path, data, mode=None, **options):
        """Drop If-None-Match."""
        return self.objects.put(path, data, mode=None if mode == "create" else mode, **options)


class IgnoresUpdate(Bucket):
    """Overwrites where it should update what was seen."""

    def put(self, path, data, mode=None, **options):
        """Drop If-Match, unless there is nothing: then refuse."""
        if isinstance(mode, dict) and self.objects.list(path.rpartition("/")[0]).collect():
            mode = None
        return self.objects.put(path, data, mode=mode, **options)


class UpdatesNothing(Bucket):
    """Creates where it should update, as MinIO did before August 2025."""

    def put(self, path, data, mode=None, **options):
        """Drop If-Match if the key does not exist."""
        there = [meta["path"] for meta in self.objects.list().collect()]
        if isinstance(mode, dict) and path not in there:
            mode = None
        return self.objects.put(path, data, mode=mode, **options)


class RefusesCreation(Bucket):
    """Has If-None-Match inverted, as a server of Ceph had."""

    def put(self, path, data, mode=None, **options):
        """Refuse what does not exist."""
        if mode == "create":
            raise AlreadyExistsError(path)
        return self.objects.put(path, data, mode=mode, **options)


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        (IgnoresCreation, "creates an object a second time"),
        (IgnoresUpdate, "updates an object that has changed"),
        (UpdatesNothing, "updates an object that does not exist"),
        (RefusesCreation, "refuses to create an object that does not exist"),
    ],
)
def test_a_server_that_breaks_conditions_is_refused(kind, problem):
    """Every verb that writes says what the server does; nothing is written, nothing is left."""
    for write in (
        lambda store: store.require_writable(),
        lambda store: store.create("key", b"1"),
        lambda store: store.replace("key", b"1"),
        lambda store: store.create_all("folder", {"a": b"1"}),
    ):
        bucket = kind()
        with pytest.raises(StoreError, match=problem) as caught:
            write(opened(bucket))
        assert "s3://bucket/team/reviews cannot keep a registry" in str(caught.value)
        assert contents(bucket.objects, PREFIX) == {}


def test_a_server_is_tried_out_once():
    """The finding is kept in the registry, so that the next process asks for it and no more."""
    objects = Objects()
    first, second = Bucket(objects), Bucket(objects)
    store = opened(first)
    store.create("one", b"1")
    store.create("two", b"2")
    [name] = [key for key in contents(objects, PREFIX) if key.startswith(PROBES)]
    finding = json.loads(contents(objects, PREFIX)[name])
    assert finding == {"server": "s3://bucket/team/reviews", "conditional_writes": "obeyed"}
    opened(second).create("three", b"3")
    assert second.calls == ["get", "put"]


def test_a_finding_is_of_one_server():
    """A registry that was copied to another server is tried out there."""
    objects = Objects()
    opened(Bucket(objects), "https://one.example").create("one", b"1")
    with pytest.raises(StoreError, match="cannot keep a registry"):
        opened(IgnoresCreation(objects), "https://two.example").create("two", b"2")


# --- answers that are not what they seem ----------------------------------------------------------


def test_a_conflict_without_end_is_an_error():
    """If the store says again and again that there is a conflict and nobody wins, writing fails."""

    class Busy(Bucket):
        def put(self, path, data, mode=None, **options):
            if PROBES in path:
                return self.objects.put(path, data, mode=mode, **options)
            raise AlreadyExistsError(path)

    with pytest.raises(StoreError, match="conflicts without a winner"):
        opened(Busy()).create("key", b"1")


def test_an_error_that_is_no_conflict_is_told_as_it_is():
    """A request that did not come through is that error, also if another has created the key."""

    class Broken(Bucket):
        def put(self, path, data, mode=None, **options):
            if PROBES not in path:
                self.objects.put(path, b"theirs")
                raise GenericError("connection refused\n\nDebug source:\nsecret")
            return self.objects.put(path, data, mode=mode, **options)

    with pytest.raises(StoreError, match=r"^cannot write \S+/key: connection refused$"):
        opened(Broken()).create("key", b"1")


def test_content_that_changed_is_not_replaced():
    """Of two writers that have seen the same content one replaces it, and the other is told."""
    store = opened(Bucket())
    nothing = store.read_stamped("alias")
    assert nothing == Stamped(None, None)
    store.replace("alias", b"1", nothing)
    with pytest.raises(Changed):
        store.replace("alias", b"2", nothing)
    seen = store.read_stamped("alias")
    store.replace("alias", b"2", seen)
    with pytest.raises(Changed):
        store.replace("alias", b"3", seen)
    store.remove("alias")
    with pytest.raises(Changed):
        store.replace("alias", b"3", store.read_stamped("other")._replace(stamp=seen.stamp))
    assert store.read_stamped("alias").data is None


def test_content_that_others_write_all_the_time_is_an_error():
    """Whoever replaces whatever is there tries a few times, and gives up with a sentence."""

    class Contended(Bucket):
        def put(self, path, data, mode=None, **options):
            if path.endswith("alias"):
                self.objects.put(path, str(len(self.calls)).encode())
            return self.objects.put(path, data, mode=mode, **options)

    with pytest.raises(StoreError, match=r"^cannot write \S+/alias: others write it all the time$"):
        opened(Contended()).replace("alias", b"ours")


def test_a_folder_that_takes_too_long_is_given_up(monkeypatch):
    """Before others take its writer for dead, and remove what is there of it."""
    monkeypatch.setattr(object_store, "_LONGEST_CREATION", -1.0)
    store = opened(Bucket())
    with pytest.raises(StoreError, match=r"^cannot write \S+/1\.0\.0: it takes too long$"):
        store.create_all("1.0.0", {"model": b"1", "metadata.json": b"{}"})
    assert store.names("1.0.0") == []


def test_content_of_which_a_part_was_sent_is_an_error():
    """As some proxies send it, with the size of the whole."""

    class Cut(Bucket):
        def get(self, path, **options):
            found = self.objects.get(path, **options)
            return SimpleNamespace(meta=found.meta, attributes={}, bytes=lambda: b"12")

    bucket = Cut()
    bucket.objects.put(f"{PREFIX}/key", b"123")
    with pytest.raises(StoreError, match="key: only a part of it was sent"):
        opened(bucket).read("key")


def test_equal_content_is_not_taken_for_one_s_own():
    """Another writer that creates the same content has won all the same."""
    store = opened(Bucket())
    opened(store.objects.bucket).create("key", b"same")
    with pytest.raises(Exists):
        store.create("key", b"same")


DENIED = "<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (DENIED, r"access denied \(403\); where the credentials may not list the bucket"),
        ("", r"access denied \(403\)"),
        (DENIED.replace("AccessDenied", "SignatureDoesNotMatch"), "SignatureDoesNotMatch: Access"),
        ("<Code>RequestTimeTooSkewed</Code>", "RequestTimeTooSkewed"),
    ],
)
def test_a_denied_request_says_what_the_server_says(answer, sentence):
    """403 is explained: of a missing file, too, it is the answer to who may not list the bucket."""

    class Denying(Bucket):
        def get(self, *_arguments, **_options):
            raise PermissionDeniedError(answer)

        list_with_delimiter = get

    with pytest.raises(StoreError, match=rf"^cannot read s3://\S+/1.0.0/x: {sentence}"):
        opened(Denying()).read("1.0.0/x")
    with pytest.raises(
        StoreError, match=rf"^cannot list \S+/1.0.0: {sentence.partition(';')[0]}"
    ) as no:
        opened(Denying()).names("1.0.0")
    assert "missing files" not in no.value.message


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (UnauthenticatedError("401"), r"the credentials are not accepted \(401\)"),
        (
            GenericError("HTTP error: error sending request\n\nDebug source:\nkind: TimedOut"),
            r"the store cannot be reached \(no answer in time\)",
        ),
        (
            GenericError(
                "HTTP error at https://a.example/c\n\nDebug source:\nInvalidCertificate(Un)"
            ),
            r"https://a.example cannot be reached \(its certificate is not trusted: AWS_CA_BUNDLE",
        ),
        (
            GenericError("HTTP error at https://a.example/c\n\nDebug source:\nInvalidMessage(x)"),
            (
                r"https://a.example cannot be reached \(it does not speak TLS, so its URL may "
                r"begin with http://\)"
            ),
        ),
    ],
    ids=["unauthenticated", "slow", "not trusted", "not encrypted"],
)
def test_a_failed_request_says_why(error, sentence):
    """Of what a library shows, only the reason."""

    class Failing(Bucket):
        def get(self, *_arguments, **_options):
            raise error

    with pytest.raises(StoreError, match=rf"^cannot read s3://\S+/1.0.0/x: {sentence}"):
        opened(Failing()).read("1.0.0/x")


def test_a_folder_that_nobody_writes_any_more_is_abandoned(monkeypatch):
    """Going by when the store saw it last."""
    store = opened(Bucket())
    store.objects.put("1.0.0/a", b"a", "create")
    assert store.why_incomplete("1.0.0") is Incomplete.IN_PROGRESS
    monkeypatch.setattr(object_store, "_ABANDONED", timedelta(-1))
    assert store.why_incomplete("1.0.0") is Incomplete.ABANDONED
    assert store.why_incomplete("2.0.0") is Incomplete.IN_PROGRESS


def test_what_was_begun_is_completed_if_it_is_the_same():
    """Only if that is asked for."""
    store, files = opened(Bucket()), {"a": b"a", "b": b"b", "metadata.json": b"{}"}
    store.objects.put("1.0.0/a", b"a", "create")
    with pytest.raises(Exists):
        store.create_all("1.0.0", files)
    with pytest.raises(Exists):
        store.create_all("1.0.0", {**files, "a": b"another"}, resume=True)
    store.create_all("1.0.0", files, resume=True)
    assert {name: store.read(f"1.0.0/{name}") for name in files} == files


def test_a_signature_in_a_url_is_not_shown():
    """What a library's message says of a URL is shown without its query."""

    class Failing(Bucket):
        def list_with_delimiter(self, *_arguments):
            raise GenericError("error for url (https://a.example/c?sv=1&sig=SECRET): timed out")

    with pytest.raises(StoreError) as caught:
        opened(Failing()).names()
    assert "SECRET" not in str(caught.value)
    assert re.search(r"cannot list s3://bucket/team/reviews: .*timed out$", str(caught.value))


def test_a_lost_bucket_is_no_missing_key():
    """A bucket that does not exist is an error, not an empty registry."""

    class Lost(Bucket):
        def get(self, *_arguments, **_options):
            raise FileNotFoundError("404 <Code>NoSuchBucket</Code>")

        def put(self, *_arguments, **_options):
            raise FileNotFoundError("404 <Code>NoSuchBucket</Code>")

    for act in (
        lambda store: store.read("key"),
        lambda store: store.create("key", b""),
        lambda store: store.objects.put_once("key", b"", "create"),
    ):
        with pytest.raises(StoreError, match="the bucket does not exist"):
            act(opened(Lost()))


# --- what it costs --------------------------------------------------------------------------------


@pytest.fixture
def many():
    """Return a bucket with 30 versions, of which two were promoted."""
    bucket = Bucket()
    registry = Registry(opened(bucket))
    for _ in range(30):
        registries.publish(registry, files=registries.FURTHER)
    registry.promote(V("1.0.0"))
    registry.promote(V("1.29.0"))
    bucket.calls.clear()
    return bucket


@pytest.mark.parametrize(
    ("act", "listings", "others"),
    [
        (lambda registry: registry.numbers(), 1, 0),
        (lambda registry: registry.versions(), 1, 0),
        (lambda registry: registry.highest(), 1, 1),
        (lambda registry: registry.is_published(V("1.7.0")), 0, 1),
        (lambda registry: list(registry.summaries()), 1, 30),
        (lambda registry: registry.resolve("latest"), 1, 2),
        (lambda registry: registry.history(), 1, 2),
        (lambda registry: registry.tag(V("1.0.0"), {"a": "b"}), 3, 4),
        (lambda registry: registry.promote(V("1.0.0")), 7, 21),
        (lambda registry: registries.publish(registry, files=registries.FURTHER), 7, 9),
        (lambda registry: registry.rollback(), 7, 24),
        (lambda registry: registry.prune(V("1.7.0")), 9, 16),
        (lambda registry: registry.promote(V("1.1.0"), channel="staging"), 4, 10),
    ],
    ids=[
        "numbers", "versions", "highest", "is published", "summaries", "latest", "history", "tag",
        "promote", "publish", "rollback", "prune", "promote in a channel",
    ],
)  # fmt: skip
def test_what_is_done_takes_few_requests(many, act, listings, others):
    """The number of requests does not grow with that of the versions, unless all are read."""
    act(Registry(opened(many)))
    counted = sum(call.startswith("list") for call in many.calls)
    assert counted <= listings
    assert len(many.calls) - counted <= others

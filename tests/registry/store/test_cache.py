"""The cache of remote files: what is asked of the store, what is not, and what it survives."""

import copy
import hashlib
import mmap
import os
import time
from pathlib import Path

import obstore
import pytest
import registries
from obstore.store import MemoryStore

from textclf.errors import IntegrityError, StoreError, Unreachable, UsageError
from textclf.metadata.schema import METADATA
from textclf.metadata.versions import parse_version
from textclf.registry.layout import EVENTS, log_record
from textclf.registry.listing import read_marks
from textclf.registry.registry import Registry
from textclf.registry.store.base import Incomplete, Missing
from textclf.registry.store.cache import CachedStore
from textclf.registry.store.file_cache import FileCache, Index
from textclf.registry.store.object_store import ObjectStore

V = parse_version
URL = "memory://bucket/reviews"
FILE = "words.bin"


class Bucket:
    """A bucket in memory that counts requests and can be down."""

    def __init__(self):
        self.objects, self.requests, self.is_down = MemoryStore(), [], False
        self.broken = None

    def __getattr__(self, name):
        verb = getattr(self.objects, name)

        def request(*arguments, **options):
            self.requests.append(f"{name} {arguments[0] if arguments else ''}")
            if self.is_down or arguments[:1] == (self.broken,):
                raise obstore.exceptions.GenericError("HTTP error: error sending request")
            return verb(*arguments, **options)

        return request


@pytest.fixture
def bucket():
    return Bucket()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def reader(bucket, folder):
    """Return a function that opens the registry through the cache, as another process does."""

    def open_it(limit=10**9, **options):
        def connect():
            return ObjectStore(bucket, "reviews", URL)

        return Registry(CachedStore(connect, URL, FileCache(folder, limit), **options))

    return open_it


@pytest.fixture
def writer(bucket):
    return Registry(ObjectStore(bucket, "reviews", URL))


@pytest.fixture
def two(writer):
    """Publish and promote 1.0.0 and 1.1.0."""
    for version in ("1.0.0", "1.1.0"):
        registries.publish(writer, files=registries.FURTHER)
        writer.promote(V(version))


def read_latest(registry):
    version = registry.resolve("latest")
    return version, bytes(registry.view(version, FILE))


def requests_of(bucket, call):
    bucket.requests.clear()
    result = call()
    return result, bucket.requests


@pytest.mark.usefixtures("two")
def test_with_a_warm_cache_one_request_finds_the_promoted_version(bucket, reader, writer):
    """The second reader asks only what is promoted now; a promotion since is seen at once."""
    first, asked = requests_of(bucket, lambda: read_latest(reader()))
    assert len(asked) == 4
    again, asked = requests_of(bucket, lambda: read_latest(reader()))
    assert (again, len(asked)) == (first, 1)
    assert first == (V("1.1.0"), registries.FURTHER[FILE])
    writer.promote(V("1.0.0"))
    assert read_latest(reader())[0] == V("1.0.0")


@pytest.mark.usefixtures("two")
def test_known_versions_are_listed_with_two_requests(bucket, reader):
    """Metadata is never read twice, so the number of versions does not matter."""

    def list_all():
        registry = reader()
        return len(list(registry.summaries())), registry.latest(), registry.events.version_states()

    first, _ = requests_of(bucket, list_all)
    again, asked = requests_of(bucket, list_all)
    assert again == first
    assert len(asked) == 2


@pytest.mark.usefixtures("two")
def test_with_a_warm_cache_one_request_finds_what_is_promoted_in_a_channel(bucket, reader, writer):
    """And two list all versions, with all channels; a promotion since is seen at once."""
    writer.promote(V("1.0.0"), channel="staging")

    def read_staging():
        registry = reader()
        version = registry.resolve("staging")
        return version, bytes(registry.view(version, FILE))

    def list_all():
        registry = reader()
        return len(list(registry.summaries())), read_marks(registry)

    for read, requests in ((read_staging, 1), (list_all, 2)):
        first, _ = requests_of(bucket, read)
        again, asked = requests_of(bucket, read)
        assert (again, len(asked)) == (first, requests)
    assert read_staging()[0] == V("1.0.0")
    writer.promote(V("1.1.0"), channel="staging")
    assert read_staging()[0] == V("1.1.0")


@pytest.mark.usefixtures("two")
def test_files_are_mapped_from_the_cache(reader):
    """A scorer is opened from the cache as it is from a disk, without reading all of it."""
    read_latest(reader())
    view = reader().view(V("1.1.0"), FILE)
    assert isinstance(view, mmap.mmap)


@pytest.mark.usefixtures("two")
def test_a_version_that_was_pruned_since_is_not_found(reader, writer):
    """Whether a version is there is asked of the store, even if its files are in the cache."""
    assert reader().metadata(V("1.0.0"))
    registries.publish(writer)
    writer.promote(V("1.2.0"))
    assert writer.prune(V("1.0.0")) is None
    assert "1.0.0" not in map(str, reader().versions())
    assert not reader().is_published(V("1.0.0"))


@pytest.mark.usefixtures("two")
def test_a_version_whose_removal_was_interrupted_is_not_listed(bucket, reader, writer):
    """Of a version that is being pruned files may remain; known metadata do not bring it back."""
    for _ in range(2):
        assert [s.version for s in reader().summaries()] == ["1.1.0", "1.0.0"]
    registries.publish(writer)
    writer.promote(V("1.2.0"))
    assert writer.prune(V("1.0.0")) is None
    bucket.objects.put("reviews/1.0.0/left.bin", b"left")
    for _ in range(2):
        assert [s.version for s in reader().summaries()] == ["1.2.0", "1.1.0"]
        latest = reader()
        latest.latest()
        assert [s.version for s in latest.summaries()] == ["1.2.0", "1.1.0"]


@pytest.mark.parametrize("first", ["summaries", "latest", "events"])
@pytest.mark.parametrize("promotions", [1, 2, 3])
@pytest.mark.usefixtures("two")
def test_another_registry_in_the_same_place_is_noticed(bucket, reader, writer, promotions, first):
    """If the bucket is emptied and filled again, nothing old is used, however long its log is."""
    writer.tag(V("1.0.0"), {"x": "1"})
    writer.tag(V("1.0.0"), {"x": "2"})
    for registry in (reader(), reader()):
        list(registry.summaries())
        read_latest(registry)
        registry.events.version_states()
    bucket.objects = MemoryStore()
    other = Registry(ObjectStore(bucket, "reviews", URL))
    for n in range(promotions):
        registries.publish(other)
        other.promote(V(f"1.{n}.0"))
    other.tag(V("1.0.0"), {"a": "1"})
    other.tag(V("1.0.0"), {"b": "2"})
    registry = reader()
    if first == "summaries":
        assert len(list(registry.summaries())) == promotions
    if first == "events":
        assert registry.events.records() == other.events.records()
    version = registry.resolve("latest")
    assert version == V(f"1.{promotions - 1}.0")
    assert registry.metadata_bytes(version) == other.metadata_bytes(version)
    assert registry.events.records() == other.events.records()


@pytest.mark.usefixtures("two")
def test_a_follower_notices_another_registry_in_the_same_place(bucket, reader):
    """The record that it knows has another content there, although its number is the same."""
    registry = reader()
    head = registry.promotions.head()
    answer, asked = requests_of(bucket, lambda: registry.promotions.is_head(head))
    assert answer
    assert len(asked) == 1
    bucket.objects = MemoryStore()
    other = Registry(ObjectStore(bucket, "reviews", URL))
    for version in ("1.0.0", "1.1.0"):
        registries.publish(other)
        other.promote(V(version))
    assert not registry.promotions.is_head(head)
    assert copy.copy(registry).promotions.head() == other.promotions.head()


@pytest.mark.usefixtures("two")
def test_offline_only_the_cache_is_asked(bucket, reader):
    """With TEXTCLF_OFFLINE what was used before works; the rest is an error that says so."""
    read_latest(reader())
    bucket.is_down = True
    (version, data), asked = requests_of(bucket, lambda: read_latest(reader(offline=True)))
    assert (version, data, asked) == (V("1.1.0"), registries.FURTHER[FILE], [])
    with pytest.warns(UserWarning, match="only the versions in the cache"):
        assert [s.version for s in reader(offline=True).summaries()] == ["1.1.0"]
    for call in (
        lambda registry: registry.artifact(version),
        lambda registry: registry.view(version, "notes.md"),
        lambda registry: registry.promote(version),
    ):
        with pytest.raises(StoreError, match="not in the cache"):
            call(reader(offline=True))


def test_offline_an_unknown_registry_is_an_error(reader):
    """With an empty cache it is not said that there are no versions."""
    with pytest.raises(StoreError, match="is not in the cache"):
        reader(offline=True).latest()


@pytest.mark.usefixtures("two")
def test_offline_a_store_has_what_the_cache_has(bucket, reader):
    """Files and folders that are known; nothing is said of any other."""
    read_latest(reader())
    bucket.is_down = True
    store = reader(offline=True).store
    known, unknown = store.read_many([f"1.1.0/{METADATA}", "1.1.0/notes.md"])
    assert isinstance(known, bytes)
    assert isinstance(unknown, StoreError)
    with pytest.warns(UserWarning, match="only the versions in the cache"):
        assert store.folders_with(METADATA) == ["1.1.0"]
    for call in (lambda: store.why_incomplete("1.2.0"), store.require_writable):
        with pytest.raises(StoreError, match="not in the cache"):
            call()


@pytest.mark.usefixtures("two")
def test_what_is_not_cached_is_asked_of_the_store(reader):
    """What a version lacks, and whether one may write."""
    store = reader().store
    assert store.why_incomplete("1.2.0") is Incomplete.IN_PROGRESS
    store.require_writable()


@pytest.mark.usefixtures("two")
def test_a_known_file_that_is_lost_everywhere_is_missing(bucket, reader, folder):
    """The others are read all the same; one that is longer than allowed is an error."""
    read_latest(reader())
    store = reader().store
    with pytest.raises(StoreError, match="it has more than 3 bytes"):
        store.read(f"1.1.0/{METADATA}", 3)
    for path in (folder / "blobs").rglob("*"):
        if path.is_file():
            path.unlink()
    bucket.objects.delete(f"reviews/1.1.0/{METADATA}")
    lost, other = store.read_many([f"1.1.0/{METADATA}", f"1.1.0/{FILE}"])
    assert isinstance(lost, Missing)
    assert other == registries.FURTHER[FILE]


@pytest.mark.usefixtures("two")
def test_logs_that_are_long_are_asked_for_one_by_one(reader, writer, monkeypatch):
    """What is known of versions holds only if no event says otherwise."""
    summaries = list(reader().summaries())
    monkeypatch.setattr("textclf.registry.store.known_registry._ON_A_PAGE", 0)
    writer.tag(V("1.0.0"), {"a": "b"})
    assert list(reader().summaries()) == summaries


@pytest.mark.usefixtures("two")
def test_if_an_event_cannot_be_read_everything_is_asked_for_again(bucket, reader, writer):
    """Nobody knows which version it is about."""
    metadata = reader().metadata_bytes(V("1.1.0"))
    writer.tag(V("1.0.0"), {"a": "b"})
    _, asked = requests_of(bucket, lambda: list(reader().summaries()))
    assert f"get reviews/1.1.0/{METADATA}" not in asked
    writer.tag(V("1.0.0"), {"a": "c"})
    bucket.broken = f"reviews/{log_record(EVENTS, 2)}"
    found, asked = requests_of(bucket, lambda: reader().metadata_bytes(V("1.1.0")))
    assert found == metadata
    assert f"get reviews/1.1.0/{METADATA}" in asked


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("event", [b"{", b"[]", b"\xff", bytes(1)])
def test_a_damaged_event_changes_nothing_of_what_is_known(bucket, reader, event):
    """It is a problem of the log, for verify to name."""
    known = read_latest(reader())
    bucket.objects.put(f"reviews/{log_record(EVENTS, 1)}", event)
    assert read_latest(reader()) == known


@pytest.mark.usefixtures("two")
def test_if_the_store_is_down_the_cache_is_used_where_that_was_allowed(bucket, reader):
    """With --offline-ok there is a warning and the last known version; without, an error."""
    known = read_latest(reader())
    bucket.is_down = True
    with pytest.raises(Unreachable):
        read_latest(reader())
    with pytest.warns(UserWarning, match="going on with what is in the cache"):
        assert read_latest(reader(offline_ok=True)) == known


def test_nothing_is_made_up_where_the_cache_is_empty(bucket, reader):
    """With --offline-ok and nothing known, it is an error all the same."""
    bucket.is_down = True
    with pytest.raises(Unreachable):
        read_latest(reader(offline_ok=True))


@pytest.mark.usefixtures("two")
def test_a_file_that_is_not_what_was_published_is_refused_and_not_kept(bucket, reader, folder):
    """What is fetched is checked against its digest before it is used."""
    bucket.objects.put(f"reviews/1.1.0/{FILE}", b"x" * len(registries.FURTHER[FILE]))
    for _ in range(2):
        with pytest.raises(IntegrityError, match="is not the file that was published"):
            read_latest(reader())
    assert hashlib.sha256(b"x" * len(registries.FURTHER[FILE])).hexdigest() not in names(folder)


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("damage", [b"", b"{", b"[1]", b"\xff"])
def test_a_damaged_cache_is_filled_again(reader, folder, damage):
    """Whatever happens to the files of the cache, they are fetched again."""
    known = read_latest(reader())
    for path in folder.rglob("*"):
        if path.is_file() and path.stat().st_size < 20_000 and path.name != digest_of(FILE):
            path.write_bytes(damage)
    assert read_latest(reader()) == known
    assert reader().metadata(V("1.1.0"))


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("place", ["file", "none"])
def test_a_cache_that_cannot_be_written_is_worked_around(reader, folder, place):
    """Everything works without a cache; one warning says that files are fetched each time."""
    if place == "file":
        folder.write_text("not a folder")
    else:
        folder.parent.joinpath("x").touch()
        folder.symlink_to("/proc/none")
    registry = reader()
    with pytest.warns(UserWarning, match="cannot be written") as warned:
        assert read_latest(registry)[1] == registries.FURTHER[FILE]
    assert len(warned) == 1


@pytest.mark.usefixtures("two")
def test_without_a_home_there_is_no_cache(bucket):
    """In a container without a home nothing is kept, and nothing is said."""
    store = CachedStore(lambda: ObjectStore(bucket, "reviews", URL), URL, FileCache(None))
    assert read_latest(Registry(store))[1] == registries.FURTHER[FILE]
    cache = FileCache(None)
    assert (cache.size(), cache.registries(), cache.clear()) == (0, [], 0)


def test_what_is_known_of_another_registry_is_not_used(folder):
    """Whatever file it is in."""
    cache = FileCache(folder)
    cache.keep_index(Index("s3://a", {"x": "digest"}))
    [file] = (folder / "registries").iterdir()
    cache.keep_index(Index("s3://b"))
    for path in (folder / "registries").iterdir():
        path.write_bytes(file.read_bytes())
    assert cache.index("s3://a").files == {"x": "digest"}
    assert cache.index("s3://b") == Index("s3://b")
    assert [(known.files, known.bytes) for known in cache.registries()] == [(0, 0), (0, 0)]


def test_the_least_recently_used_files_go_first(folder):
    """The size stays within the limit; what is used stays."""
    cache = FileCache(folder, 1000)
    digests = [cache.keep(bytes([n]) * 300) for n in range(3)]
    for age, digest in enumerate(digests):
        used = time.time() - 10_000 * (3 - age)
        os.utime(folder / "blobs" / digest[:2] / digest, (used, used))
    (folder / "blobs/lost").symlink_to("none")
    assert cache.find(digests[0])  # used now
    last = FileCache(folder, 1000).keep(b"x" * 300)
    assert [bool(cache.find(digest)) for digest in (*digests, last)] == [True, False, True, True]
    assert cache.size() <= 1000


def test_a_file_beyond_the_limit_is_not_kept(folder):
    """It would remove everything else and then itself."""
    cache = FileCache(folder, 100)
    small = cache.keep(b"small")
    large = cache.keep(b"x" * 101)
    assert cache.find(small)
    assert cache.find(large) is None


@pytest.mark.parametrize(
    ("given", "limit"),
    [("100", 100), ("1.5 GB", 1_500_000_000), ("20kb", 20_000), ("2M", 2_000_000), ("", None)],
)
def test_the_limit_is_a_variable(monkeypatch, tmp_path, given, limit):
    """TEXTCLF_CACHE_SIZE takes a size with a unit; XDG_CACHE_HOME says where the cache is."""
    monkeypatch.setenv("TEXTCLF_CACHE_SIZE", given)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache = FileCache.from_environment()
    assert cache.folder == tmp_path / "textclf"
    assert cache.limit == (limit or 5_000_000_000)
    monkeypatch.setenv("TEXTCLF_CACHE_SIZE", "much")
    with pytest.raises(UsageError, match="TEXTCLF_CACHE_SIZE is not a size"):
        FileCache.from_environment()


@pytest.mark.parametrize("home", ["~", "relative"])
def test_a_home_that_is_none_gets_no_cache(monkeypatch, home):
    """No folder ~ or relative appears where the command runs."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", home)
    assert FileCache.from_environment().folder is None


@pytest.mark.usefixtures("two")
def test_a_missing_key_is_missing(reader):
    """The cache does not invent content, nor remember its absence."""
    store = reader().store
    with pytest.raises(Missing):
        store.read(f"9.9.9/{METADATA}")
    assert not store.exists(f"9.9.9/{METADATA}")
    assert [type(c) for c in store.read_many([f"9.9.9/{METADATA}", f"1.1.0/{METADATA}"])] == [
        Missing,
        bytes,
    ]


def digest_of(name):
    return hashlib.sha256(registries.FURTHER[name]).hexdigest()


def names(folder: Path):
    return {path.name for path in folder.rglob("*")}

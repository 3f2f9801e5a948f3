"""What the registry relies on in any store; content is looked at behind the store's back."""

import errno
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from cloud_servers import CLOUDS
from memory_store import MemoryStore
from obstore.store import MemoryStore as Objects
from predictors import published
from served import serving

from textclf.errors import StoreError
from textclf.registry.layout import PROBES
from textclf.registry.store.base import LONGEST_KEY, Exists, Missing, Store
from textclf.registry.store.cache import CachedStore
from textclf.registry.store.file_cache import FileCache
from textclf.registry.store.http_store import HttpStore
from textclf.registry.store.local import LocalStore
from textclf.registry.store.object_store import ObjectStore
from textclf.server.shared_store import SharedStore

STAGING = ".registry/staging"


@dataclass
class LocalBackend:
    """A store, and access to its content that uses none of its code."""

    root: Path

    def store(self) -> Store:
        """Open it."""
        return LocalStore(self.root)

    def raw(self) -> dict[str, bytes]:
        """Everything that is stored, without what is staged."""
        return {
            key: path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file()
            and not (key := path.relative_to(self.root).as_posix()).startswith(STAGING)
            and "/." not in f"/{key}"
        }

    def put(self, key: str, data: bytes) -> None:
        """Store something as somebody else would."""
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


class MemoryBackend:
    """A store that promises no more than an object store can."""

    def __init__(self):
        self.objects = {}

    def store(self) -> Store:
        """Open it."""
        return MemoryStore(self.objects)

    def raw(self) -> dict[str, bytes]:
        """Everything that is stored."""
        return dict(self.objects)

    def put(self, key: str, data: bytes) -> None:
        """Store something as somebody else would."""
        self.objects[key] = data


class ObjectBackend:
    """A prefix of a bucket."""

    def __init__(self, objects, prefix):
        self.objects, self.prefix = objects, prefix

    def store(self) -> Store:
        """Open it."""
        return ObjectStore(self.objects, self.prefix, f"test://bucket/{self.prefix}")

    def raw(self) -> dict[str, bytes]:
        """Everything that is stored, without the finding that conditions are obeyed."""
        paths = [meta["path"] for meta in self.objects.list(self.prefix).collect()]
        keys = {path: path.removeprefix(f"{self.prefix}/") for path in paths}
        return {
            key: bytes(self.objects.get(path).bytes())
            for path, key in keys.items()
            if not key.startswith(PROBES)
        }

    def put(self, key: str, data: bytes) -> None:
        """Store something as somebody else would."""
        self.objects.put(f"{self.prefix}/{key}", data)


def on_cloud(request, name):
    """Return a new prefix on a server."""
    cloud = request.getfixturevalue(name)
    return ObjectBackend(cloud.objects(), cloud.new_prefix())


class CachedBackend(ObjectBackend):
    """The same, read through a cache."""

    def __init__(self, root):
        super().__init__(Objects(), "team/reviews")
        self.cache = FileCache(root)

    def store(self) -> Store:
        """Open it."""
        return CachedStore(super().store, "memory://bucket/team/reviews", self.cache)


def without_links(monkeypatch):
    """Let this be a file system without hard links, such as exFAT."""

    def refuse(*_arguments, **_options):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)


class AnyKey(SharedStore):
    """What a server shows, without the restriction to keys that a registry has."""

    def content(self, key):
        """Return the content of a key."""
        return self._store.view(key)

    def exists(self, key):
        """Whether a key has content."""
        return self._store.exists(key)

    def names(self, folder, after):
        """Return what is directly in a folder."""
        return self._store.names(folder, after)

    def is_shared_folder(self, _folder):
        """Whether it is shown."""
        return True


class ServedBackend(LocalBackend):
    """A folder, read through a service."""

    def __init__(self, root, service, url):
        super().__init__(root)
        service.shared = AnyKey(SimpleNamespace(store=LocalStore(root)))
        self.url = url

    def store(self) -> Store:
        """Open it."""
        return HttpStore(self.url)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service whose registry does not matter, and its URL."""
    sample = ["good", "bad"] * 4, ["positive", "negative"] * 4
    registry, _ = published(tmp_path_factory.mktemp("served") / "models", sample, "ComplementNB")
    with serving(registry) as served:
        yield served.service, f"http://127.0.0.1:{served.port}"


def served(request):
    """Return a folder behind the service."""
    root = request.getfixturevalue("tmp_path") / "models"
    return ServedBackend(root, *request.getfixturevalue("service"))


BACKENDS = {  # another backend is one more line
    "local": lambda request: LocalBackend(request.getfixturevalue("tmp_path") / "models"),
    "without links": lambda request: (
        without_links(request.getfixturevalue("monkeypatch"))
        or LocalBackend(request.getfixturevalue("tmp_path") / "models")
    ),
    "memory": lambda _: MemoryBackend(),
    "objects": lambda _: ObjectBackend(Objects(), "team/reviews"),
    "cached": lambda request: CachedBackend(request.getfixturevalue("tmp_path") / "cache"),
    **{name: lambda request, name=name: on_cloud(request, name) for name in CLOUDS},
}


READ_ONLY = {"served": served}
ALL = BACKENDS | READ_ONLY

reads_only = pytest.mark.parametrize("backend", ALL, indirect=True)
"""For tests of what a store that cannot be written does, too."""


@pytest.fixture(params=BACKENDS)
def backend(request):
    return ALL[request.param](request)


@pytest.fixture
def store(backend):
    return backend.store()


BAD_KEYS = [
    "../x", "a/../../x", "..", "/etc/passwd", "/", "a/..", ".", "./a", "a/./b", "a//b", "a/",
    "a\\b", "a\nb", "a\0", "\x7f", "a\x85", "\ud800", "x" * (LONGEST_KEY + 1),
    "é" * (LONGEST_KEY // 2 + 1),
]  # fmt: skip
CONTENTS = [b"", b"x", b"\0\xff\r\n", b"x" * 1_000_000]


@pytest.mark.parametrize("data", CONTENTS, ids=len)
def test_what_is_stored_is_read(store, backend, data):
    """Created and replaced content comes back byte by byte, and lies there under its key."""
    store.create("a/b/new", data)
    store.replace("a/b/other", data)
    store.create_all("f", {"one": data, "two": b"2"})
    assert [store.read(k) for k in ("a/b/new", "a/b/other", "f/one")] == [data] * 3
    assert bytes(store.view("f/one")) == data
    assert backend.raw() == {"a/b/new": data, "a/b/other": data, "f/one": data, "f/two": b"2"}


def test_a_key_needs_no_folder_before(store, backend):
    """Every verb that writes makes the folders above its key."""
    store.create("a/b", b"1")
    store.replace("c/d", b"2")
    store.create_all("e/f", {"g": b"3"})
    assert backend.raw() == {"a/b": b"1", "c/d": b"2", "e/f/g": b"3"}


@reads_only
def test_content_of_others_is_read(store, backend):
    """What was put there by other means is read and listed like any."""
    backend.put("1.0.0/file", b"theirs")
    assert store.read("1.0.0/file") == b"theirs"
    assert store.names() == ["1.0.0"]


@reads_only
@pytest.mark.parametrize("key", ["x", "no/such/key", "a", "a/b/c"])
def test_reading_what_is_not_there(store, backend, key):
    """A key without content is Missing: also a folder, and what lies below a file."""
    backend.put("a/b", b"")
    with pytest.raises(Missing):
        store.read(key)


def test_create_happens_once(store, backend):
    """A key that exists is not created again; its content stays."""
    store.create("log/1", b"first")
    with pytest.raises(Exists):
        store.create("log/1", b"second")
    backend.put("log/2", b"theirs")
    with pytest.raises(Exists):
        store.create("log/2", b"mine")
    assert backend.raw() == {"log/1": b"first", "log/2": b"theirs"}


def test_replace_takes_the_place_of_anything(store, backend):
    """Replacing needs no content before, and leaves only the new one."""
    store.replace("alias", b"a longer first content")
    backend.put("alias", b"an edit")
    store.replace("alias", b"new")
    assert backend.raw() == {"alias": b"new"}


@reads_only
def test_a_key_with_too_much_content_is_refused(store, backend):
    """Of a key that has more than a reader takes, no more is read."""
    backend.put("key", b"x" * 10)
    assert store.read("key", 10) == b"x" * 10
    with pytest.raises(StoreError, match="more than"):
        store.read("key", 9)


def test_a_folder_is_created_once(store, backend):
    """A folder that exists is not touched, not even by files it does not have."""
    store.create_all("1.0.0", {"a": b"1", "b": b"2"})
    with pytest.raises(Exists):
        store.create_all("1.0.0", {"c": b"3"})
    backend.put("1.1.0/theirs", b"t")
    with pytest.raises(Exists):
        store.create_all("1.1.0", {"a": b"1"})
    assert backend.raw() == {"1.0.0/a": b"1", "1.0.0/b": b"2", "1.1.0/theirs": b"t"}


def test_nothing_else_is_removed(store, backend):
    """A file, or a folder with all in it, is removed; a second call does nothing."""
    store.create("a/b", b"1")
    store.create("a/c", b"2")
    store.create_all("f", {"one": b"1", "two": b"2"})
    for _ in range(2):
        store.remove("a/b")
        store.remove_all("f", first="two")
        store.remove("nowhere/x")
        store.remove_all("nowhere", first="x")
        assert backend.raw() == {"a/c": b"2"}
    assert store.names(STAGING) == []
    store.create_all("f", {"three": b"3"})
    assert store.read("f/three") == b"3"


def test_a_file_stands_in_a_folder_s_way(store, backend):
    """A file that has the folder's name stays: the folder exists, or is beside it in a bucket."""
    backend.put("1.0.0", b"a file")
    try:
        store.create_all("1.0.0", {"a": b"1"})
    except Exists:
        assert backend.raw() == {"1.0.0": b"a file"}
    else:
        assert backend.raw() == {"1.0.0": b"a file", "1.0.0/a": b"1"}


@reads_only
def test_names_after_another(store, backend):
    """Names can be listed from one of them on, in the order of their bytes."""
    for n in (1, 2, 10):
        backend.put(f"log/{n:08d}.json", b"")
    assert sorted(store.names("log", after="00000001.json")) == ["00000002.json", "00000010.json"]
    assert store.names("log", after="00000010.json") == []
    assert store.names("nowhere", after="00000001.json") == []


@reads_only
def test_several_keys_are_read_at_once(store, backend):
    """Contents come in the order of the keys; an error stands in the place of what is missing."""
    for n in range(40):
        backend.put(f"folder/{n}", b"%d" % n)
    keys = [f"folder/{n}" for n in range(39, -1, -1)]
    contents = list(store.read_many([*keys, "folder/none"], 2))
    assert contents[:-1] == [key.removeprefix("folder/").encode() for key in keys]
    assert isinstance(contents[-1], Missing)
    assert list(store.read_many([])) == []


def test_the_mark_of_a_folder_is_no_name_in_it(store):
    """Programs that show a bucket as folders create empty objects whose key ends in a slash."""
    if not isinstance(store, ObjectStore):
        pytest.skip("a folder on a disk is one")
    store.create("folder/file", b"")
    store.remove("folder/file")  # SeaweedFS keeps the folder
    assert store.names("folder") == store.folders_with("file") == []


@reads_only
def test_existence(store, backend):
    """A key exists once something is stored under it."""
    backend.put("a/b", b"")
    assert store.exists("a/b")
    assert not store.exists("a/c")
    assert not store.exists("a/b/c")


@reads_only
def test_folders_with_a_file(store, backend):
    """Those at the top that hold a file of that name are found, whatever else they hold."""
    for key in ("1.0.0/marker", "1.0.0/a", "1.1.0/a", "x/y/marker", "marker", "2.0.0/marker"):
        backend.put(key, b"")
    assert sorted(store.folders_with("marker")) == ["1.0.0", "2.0.0"]


def test_content_that_was_seen_is_replaced(store, backend):
    """A writer that has seen what is there replaces it; that there was nothing is seen, too."""
    nothing = store.read_stamped("alias")
    assert nothing.data is None
    store.replace("alias", b"1", nothing)
    first = store.read_stamped("alias")
    assert first.data == b"1"
    store.replace("alias", b"2", first)
    assert backend.raw() == {"alias": b"2"}


@reads_only
def test_names(store, backend):
    """Names are those directly below; a folder that is not there has none, nor has a file."""
    assert store.names() == []
    for key in ("1.0.0/a", "1.0.0/b", "alias", "log/1"):
        backend.put(key, b"")
    assert sorted(store.names()) == ["1.0.0", "alias", "log"]
    assert sorted(store.names("1.0.0")) == ["a", "b"]
    assert store.names("nowhere") == store.names("alias") == store.names("alias/x") == []


@reads_only
@pytest.mark.parametrize("key", BAD_KEYS)
@pytest.mark.usefixtures("store")
def test_what_is_not_a_key_is_refused(backend, tmp_path, key):
    """Every verb refuses a key that is not valid before anything happens."""
    store = backend.store()
    for verb in (
        lambda: store.read(key),
        lambda: store.read_stamped(key),
        lambda: store.exists(key),
        lambda: store.view(key),
        lambda: store.names(key),
        lambda: store.create(key, b"x"),
        lambda: store.replace(key, b"x"),
        lambda: store.create_all(key, {"a": b"x"}),
        lambda: store.create_all("folder", {"good": b"x", key: b"x"}),
        lambda: store.remove(key),
        lambda: store.remove_all(key, first="a"),
    ):
        with pytest.raises(ValueError, match=r"not a key|not the name of a file"):
            verb()
    assert backend.raw() == {}
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@reads_only
def test_only_the_root_is_a_folder_without_a_name(store):
    """An empty key is refused by every verb but the list of what is at the top."""
    assert store.names() == store.names("") == []
    for verb in (store.read, store.view, store.remove):
        with pytest.raises(ValueError, match="not a key"):
            verb("")


def test_the_longest_key_can_be_used(store):
    """A key of the greatest length can be created, listed, read and removed."""
    folder = "f" * (LONGEST_KEY // 2)
    name = "k" * (LONGEST_KEY - len(folder) - 1)
    store.create(f"{folder}/{name}", b"x")
    assert store.read(f"{folder}/{name}") == b"x"
    assert name in store.names(folder)
    store.remove(f"{folder}/{name}")
    assert name not in store.names(folder)


@reads_only
@pytest.mark.parametrize("name", ["a\nb", "a\\b", "\x7f"])
def test_names_that_cannot_be_keys_are_not_listed(store, backend, name):
    """What somebody else has put there under such a name is left out, and all others are listed."""
    try:
        backend.put(f"1.0.0/{name}", b"theirs")
    except ValueError:
        pytest.skip("obstore cannot write such a key")
    backend.put("1.0.0/file", b"theirs")
    names = store.names("1.0.0")
    assert "file" in names
    assert name not in names


def test_reading_creates_nothing(store, tmp_path):
    """A store that is only asked leaves no trace, not even its folder."""
    store.names()
    store.leftovers()
    store.sweep()
    with pytest.raises(Missing):
        store.read("x")
    assert list(tmp_path.iterdir()) == []


def test_one_of_many_creators_wins(store, backend):
    """Of many that create one key at once a single one succeeds; the content is the winner's."""
    won, start = [], threading.Barrier(8)

    def create(n):
        start.wait()
        try:
            store.create("key", b"%d" % n)
            store.create_all(f"f{n}", {"x": b""})
        except Exists:
            return
        won.append(n)

    threads = [threading.Thread(target=create, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = won
    assert backend.raw() == {"key": b"%d" % winner, f"f{winner}/x": b""}


def test_a_reader_never_sees_half_of_a_replacement(store):
    """While a key is replaced again and again, every read returns one complete content."""
    store.replace("alias", b"0" * 300_000)
    done = threading.Event()

    def write():
        for n in range(30):
            store.replace("alias", b"%d" % (n % 10) * 300_000)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while True:
        data = store.read("alias")
        assert len(data) == 300_000
        assert data.count(data[:1]) == len(data)
        if done.is_set():
            break
    writer.join()


def test_a_folder_grows_in_order_and_shrinks_from_its_marker(store):
    """A reader that sees the last file of a folder can read all others, until the first goes."""
    files = {name: name.encode() for name in ("model", "notes", "marker")}
    done, seen = threading.Event(), []

    def write():
        for n in range(40 if isinstance(store, LocalStore) else 8):
            store.create_all(f"f{n}", files)
            store.remove_all(f"f{n}", first="marker")
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        for folder in store.names():
            before = store.names(folder)
            after = store.names(folder)
            if folder.startswith("f") and "marker" in before and "marker" in after:
                seen.append(sorted(before))
    writer.join()
    assert all(names == sorted(files) for names in seen)


def test_of_many_that_create_a_folder_one_wins(store, backend):
    """Of many writers of one folder a single one succeeds, and all files are its own."""
    won, start = [], threading.Barrier(8)

    def create(n):
        start.wait()
        try:
            store.create_all("folder", {"model": b"%d" % n, "marker": b"%d" % n})
        except Exists:
            return
        won.append(n)

    threads = [threading.Thread(target=create, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = won
    assert backend.raw() == dict.fromkeys(["folder/model", "folder/marker"], b"%d" % winner)


def test_a_service_changes_nothing(request):
    """Every verb that writes is refused in a sentence that says where to write."""
    backend = served(request)
    store = backend.store()
    for verb in (
        lambda: store.create("key", b"x"),
        lambda: store.replace("key", b"x"),
        lambda: store.create_all("folder", {"a": b"x"}),
        lambda: store.remove("key"),
        lambda: store.remove_all("folder", first="a"),
        store.require_writable,
    ):
        with pytest.raises(StoreError, match="is read-only") as refused:
            verb()
        assert "the folder or the bucket" in refused.value.hint
    assert backend.raw() == {}

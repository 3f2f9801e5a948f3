"""What the registry relies on, of any store; the files are looked at behind the store's back."""

import errno
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from textclf.errors import StoreError
from textclf.registry.store.base import Exists, Missing, Store
from textclf.registry.store.local import LocalStore

# --- any store ------------------------------------------------------------------------------------

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


def without_links(monkeypatch):
    """Let this be a file system without hard links, such as exFAT."""

    def refuse(*_arguments, **_options):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)


BACKENDS = {  # another backend is one more line
    "local": lambda root, _: LocalBackend(root),
    "without links": lambda root, patch: without_links(patch) or LocalBackend(root),
}


@pytest.fixture(params=BACKENDS)
def backend(request, tmp_path, monkeypatch):
    return BACKENDS[request.param](tmp_path / "models", monkeypatch)


@pytest.fixture
def store(backend):
    return backend.store()


BAD_KEYS = ["../x", "a/../../x", "..", "/etc/passwd", "/", "a/.."]
CONTENTS = [b"", b"x", b"\0\xff\r\n", b"x" * 1_000_000]


@pytest.mark.parametrize("data", CONTENTS, ids=len)
def test_what_is_stored_is_read(store, backend, data):
    """Created and replaced content comes back byte by byte, and lies there under its key."""
    store.create("a/b/new", data)
    store.replace("a/b/other", data)
    store.create_all("f", {"one": data, "two": b"2"})
    assert [store.read(k) for k in ("a/b/new", "a/b/other", "f/one")] == [data] * 3
    assert backend.raw() == {"a/b/new": data, "a/b/other": data, "f/one": data, "f/two": b"2"}


def test_a_key_needs_no_folder_before(store, backend):
    """Every verb that writes makes the folders above its key."""
    store.create("a/b", b"1")
    store.replace("c/d", b"2")
    store.create_all("e/f", {"g": b"3"})
    assert backend.raw() == {"a/b": b"1", "c/d": b"2", "e/f/g": b"3"}


def test_content_of_others_is_read(store, backend):
    """What was put there by other means is read and listed like any."""
    backend.put("1.0.0/file", b"theirs")
    assert store.read("1.0.0/file") == b"theirs"
    assert store.names() == ["1.0.0"]


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


def test_a_folder_appears_once_and_whole(store, backend):
    """A folder that exists is not touched, not even by files it does not have."""
    store.create_all("1.0.0", {"a": b"1", "b": b"2"})
    with pytest.raises(Exists):
        store.create_all("1.0.0", {"c": b"3"})
    backend.put("1.1.0/theirs", b"t")
    with pytest.raises(Exists):
        store.create_all("1.1.0", {"a": b"1"})
    assert backend.raw() == {"1.0.0/a": b"1", "1.0.0/b": b"2", "1.1.0/theirs": b"t"}


def test_what_is_removed_is_gone_as_a_whole(store, backend):
    """A file, or a folder with all in it; nothing else goes, and a second time does nothing."""
    store.create("a/b", b"1")
    store.create("a/c", b"2")
    store.create_all("f", {"one": b"1", "two": b"2"})
    for _ in range(2):
        store.remove("a/b")
        store.remove("f")
        store.remove("nowhere/x")
        assert backend.raw() == {"a/c": b"2"}
    assert store.names(STAGING) == []
    store.create_all("f", {"three": b"3"})
    assert store.read("f/three") == b"3"


def test_a_file_stands_in_a_folder_s_way(store, backend):
    """Where a file has the folder's name, the folder exists already."""
    backend.put("1.0.0", b"a file")
    with pytest.raises(Exists):
        store.create_all("1.0.0", {"a": b"1"})
    assert backend.raw() == {"1.0.0": b"a file"}


def test_names(store, backend):
    """Names are those directly below; a folder that is not there has none, nor has a file."""
    assert store.names() == []
    for key in ("1.0.0/a", "1.0.0/b", "alias", "log/1"):
        backend.put(key, b"")
    assert sorted(store.names()) == ["1.0.0", "alias", "log"]
    assert sorted(store.names("1.0.0")) == ["a", "b"]
    assert store.names("nowhere") == store.names("alias") == store.names("alias/x") == []


@pytest.mark.parametrize("key", BAD_KEYS)
def test_keys_stay_inside(store, backend, tmp_path, key):
    """A key that is absolute or climbs is refused by every verb, before anything happens."""
    for verb in (
        lambda: store.read(key),
        lambda: store.names(key),
        lambda: store.create(key, b"x"),
        lambda: store.replace(key, b"x"),
        lambda: store.create_all(key, {"a": b"x"}),
    ):
        with pytest.raises(ValueError, match="not a key"):
            verb()
    assert backend.raw() == {}
    assert list(tmp_path.iterdir()) == []


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
    """While a key is replaced again and again, every read gives one whole content."""
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


def test_an_interrupted_folder_leaves_nothing(store, backend):
    """What goes wrong while the files are given leaves no folder behind."""

    class Interrupted(dict):
        def items(self):
            yield "a", b"1"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.create_all("1.0.0", Interrupted())
    assert backend.raw() == {}
    assert "1.0.0" not in store.names()
    assert store.names(STAGING) == []


# --- a file system without hard links ----------------------------------------------------------


@pytest.fixture
def linkless(tmp_path, monkeypatch):
    without_links(monkeypatch)
    return LocalStore(tmp_path / "models")


def test_who_finds_a_claim_without_its_file_finishes_it(linkless, tmp_path):
    """A creator that died between claim and file has won: the next one writes the file for it."""
    linkless.create("log/1", b"first")
    (tmp_path / "models/log/1").unlink()  # as if it had not come to that
    with pytest.raises(Exists):
        linkless.create("log/1", b"second")
    assert linkless.read("log/1") == b"first"


def test_an_interrupted_creator_leaves_its_claim_or_nothing(linkless, monkeypatch):
    """When the disk fails before the claim, the key is free; after it, the claim is finished."""

    def fail(*_arguments):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Path, "replace", fail)  # the last step
    with pytest.raises(StoreError, match="Input/output error"):
        linkless.create("log/1", b"first")
    monkeypatch.undo()
    without_links(monkeypatch)
    with pytest.raises(Exists):
        linkless.create("log/1", b"second")
    assert linkless.read("log/1") == b"first"
    assert linkless.names(STAGING) == []


def test_files_of_others_are_not_claimed(linkless, tmp_path):
    """A key that was written without a claim, on another file system, exists all the same."""
    (tmp_path / "models/log").mkdir(parents=True)
    (tmp_path / "models/log/1").write_bytes(b"theirs")
    with pytest.raises(Exists):
        linkless.create("log/1", b"mine")
    assert linkless.names("log") == ["1"]


def test_a_folder_without_links_can_be_written(linkless):
    """The check before a long search knows that links are not needed; it leaves nothing."""
    linkless.require_writable()
    assert linkless.names(STAGING) == []


# --- the local store ------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def local(root):
    return LocalStore(root)


VERBS = {
    "create": lambda store: store.create("k", b"x"),
    "replace": lambda store: store.replace("k", b"x"),
    "create_all": lambda store: store.create_all("k", {"a": b"x", "b": b"y"}),
}
READS = {
    "read": lambda store: store.read("k"),
    "names": lambda store: store.names(),
    "leftovers": lambda store: store.leftovers(),
}


@pytest.mark.parametrize("verb", [*VERBS, *READS])
@pytest.mark.parametrize("below", [".", "deeper/down"])
def test_a_file_in_the_folder_s_place(tmp_path, verb, below):
    """Where the models folder, or one above it, is a file, every verb says so."""
    (tmp_path / "models").write_text("I am a file")
    with pytest.raises(StoreError, match=r"models is not a folder") as caught:
        (VERBS | READS)[verb](LocalStore(tmp_path / "models" / below))
    assert "--models" in caught.value.hint
    assert (tmp_path / "models").read_text() == "I am a file"


@pytest.mark.parametrize("verb", VERBS)
def test_a_link_to_nowhere_in_the_folder_s_place(tmp_path, verb):
    """A dangling link is no folder, and is not followed into one."""
    (tmp_path / "models").symlink_to(tmp_path / "gone")
    with pytest.raises(StoreError, match="models is not a folder"):
        VERBS[verb](LocalStore(tmp_path / "models"))
    assert not (tmp_path / "gone").exists()


@pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("verb", VERBS)
def test_a_read_only_folder(root, local, verb):
    """A folder without permission to write gives a sentence with the system's words."""
    root.mkdir()
    root.chmod(0o500)
    try:
        with pytest.raises(StoreError, match=r"cannot write .*k: Permission denied"):
            VERBS[verb](local)
    finally:
        root.chmod(0o700)
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize(
    "step",
    [
        ("create", "fsync"), ("create", "link"), ("create", "mkdir"),
        ("replace", "fsync"), ("replace", "replace"), ("replace", "mkdir"),
        ("create_all", "fsync"), ("create_all", "rename"), ("create_all", "mkdir"),
    ],
    ids="-".join,
)  # fmt: skip
def test_disk_trouble_is_told_and_leaves_nothing(local, monkeypatch, step, code):
    """A system call that fails gives a sentence with its reason; no key, nothing staged."""
    verb, call = step

    def fail(*_arguments, **_options):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(StoreError, match="^cannot write .*k: " + os.strerror(code)) as caught:
        VERBS[verb](local)
    monkeypatch.undo()
    assert isinstance(caught.value.__cause__, OSError)
    assert local.names(STAGING) == []
    assert "k" not in local.names()
    VERBS[verb](local)
    assert "k" in local.names()


@pytest.mark.parametrize("verb", VERBS)
def test_a_disk_that_fails_at_the_last_moment_is_told(root, local, monkeypatch, verb):
    """When the final fsync fails nothing is acknowledged, and what is there is whole."""
    VERBS["replace"](local)  # makes the folders
    (root / "k").unlink()
    calls = {"create": 2, "replace": 2, "create_all": 4}[verb]  # files, folders; the last: root
    real, count = os.fsync, []

    def fail(descriptor):
        count.append(descriptor)
        if len(count) == calls:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreError, match="Input/output error"):
        VERBS[verb](local)
    assert len(count) == calls
    assert local.names(STAGING) == []
    files = {p.name: p.read_bytes() for p in root.rglob("*") if p.is_file()}
    assert files == ({"a": b"x", "b": b"y"} if verb == "create_all" else {"k": b"x"})


@pytest.mark.parametrize("verb", READS)
def test_trouble_while_reading_is_told(local, monkeypatch, verb):
    """A disk that cannot be read gives a sentence, and is not taken for an empty one."""
    VERBS["create"](local)

    def fail(*_arguments, **_options):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "listdir", fail)
    monkeypatch.setattr(os, "scandir", fail)
    monkeypatch.setattr(Path, "read_bytes", fail)
    with pytest.raises(StoreError, match=r"^cannot (read|list) .*: Input/output error"):
        READS[verb](local)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="asks Linux for open files' names")
def test_everything_is_forced_to_disk_before_it_is_seen(root, local, monkeypatch):
    """Files and their folder are synced before they are put in place, the folder above after."""
    root.mkdir()
    local.replace("warm", b"up")  # makes the staging folder
    events = []

    def told(name, call):
        def wrapper(target, *arguments, **options):
            path = Path(f"/proc/self/fd/{target}").readlink() if name == "fsync" else Path(target)
            events.append((name, "staged" if path.parent == root / STAGING else path.name))
            return call(target, *arguments, **options)

        monkeypatch.setattr(os, name, wrapper)

    for name in ("fsync", "rename", "link", "replace"):
        told(name, getattr(os, name))
    for verb in (local.create, local.replace):
        verb(verb.__name__, b"x")
    local.create_all("k", {"a": b"x", "b": b"y"})
    assert events == [
        ("fsync", "staged"), ("link", "staged"), ("fsync", "models"),
        ("fsync", "staged"), ("replace", "staged"), ("fsync", "models"),
        ("fsync", "a"), ("fsync", "b"), ("fsync", "staged"), ("rename", "staged"),
        ("fsync", "models"),
    ]  # fmt: skip


def test_only_old_work_is_left_over(root, local):
    """Staged work of a day ago is a leftover and swept, folder or file; that of today goes on."""
    staging = root / STAGING
    (staging / "old-folder").mkdir(parents=True)
    (staging / "old-folder" / "file").write_bytes(b"half")
    (staging / "old-file").write_bytes(b"half")
    (staging / "at-work").mkdir()
    (staging / "yesterday").write_bytes(b"")
    now = time.time()
    for name, hours in (("old-folder", 25), ("old-file", 240), ("yesterday", 23)):
        os.utime(staging / name, (now - hours * 3600,) * 2)
    assert local.leftovers() == [f"{STAGING}/old-file", f"{STAGING}/old-folder"]
    local.sweep()
    assert sorted(p.name for p in staging.iterdir()) == ["at-work", "yesterday"]
    assert local.leftovers() == []


def test_a_removal_that_died_is_left_over_like_other_work(root, local, monkeypatch):
    """What is old when it is removed is no more in anybody's way than what is new."""
    local.create_all("f", {"one": b"1"})
    os.utime(root / "f", (0, 0))
    monkeypatch.setattr("textclf.registry.store.local._remove", lambda _: None)
    local.remove("f")
    assert local.names() == [".registry"]
    assert len(local.names(STAGING)) > 0
    assert local.leftovers() == []


def test_sweeping_does_not_follow_links(root, local, tmp_path):
    """A link among the leftovers is removed, what it leads to stays."""
    (root / STAGING).mkdir(parents=True)
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_bytes(b"")
    (root / STAGING / "link").symlink_to(tmp_path / "precious")
    os.utime(tmp_path / "precious", (0, 0))
    local.sweep()
    assert (tmp_path / "precious" / "file").exists()
    assert list((root / STAGING).iterdir()) == []


def test_a_writer_that_wakes_finds_nothing_rather_than_half(root, local, monkeypatch):
    """Leftovers are moved out of their writer's way before they are taken apart."""
    (root / STAGING / "asleep").mkdir(parents=True)
    (root / STAGING / "asleep/model").write_bytes(b"whole")
    os.utime(root / STAGING / "asleep", (0, 0))
    seen = []
    monkeypatch.setattr(
        "textclf.registry.store.local._remove",
        lambda _: seen.append((root / STAGING / "asleep").exists()),
    )
    local.sweep()
    assert seen == [False]


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_may_not_end_is_not_read(root, local, make):
    """A pipe, or a device behind a link, in a file's place is refused instead of waited for."""
    root.mkdir()
    make(root / "k")
    with pytest.raises(StoreError, match=r"cannot read .*k: it is no regular file"):
        local.read("k")


def test_locate(root, local):
    """People are told the path itself."""
    assert local.locate("1.0.0/metadata.json") == str(root / "1.0.0" / "metadata.json")


def test_writing_leaves_nothing_else(root, local):
    """After any verb the staging folder is empty."""
    for verb in VERBS.values():
        verb(local)
        (root / "k").unlink() if (root / "k").is_file() else None
    assert list((root / STAGING).iterdir()) == []


def test_a_relative_root_means_the_current_folder(tmp_path, monkeypatch):
    """The default, a relative folder name, works and is created where one is."""
    monkeypatch.chdir(tmp_path)
    LocalStore(Path("models")).create("k", b"x")
    assert (tmp_path / "models" / "k").read_bytes() == b"x"
    LocalStore(Path()).create("other", b"y")
    assert (tmp_path / "other").read_bytes() == b"y"


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_has_no_end_is_not_read(root, local, kind):
    """A pipe would be waited for, and a device such as /dev/zero read for ever."""
    root.mkdir(exist_ok=True)
    if kind == "pipe":
        os.mkfifo(root / "a")
    else:
        (root / "a").symlink_to("/dev/zero")
    with pytest.raises(StoreError, match="it is no regular file"):
        local.read("a")

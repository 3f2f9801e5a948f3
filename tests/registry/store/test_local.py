"""The local store: the order of system calls, what failures leave, and their messages."""

import errno
import os
import time
from pathlib import Path

import pytest

from textclf.errors import StoreError
from textclf.registry.store.base import Exists
from textclf.registry.store.local import LocalStore

STAGING = ".registry/staging"


@pytest.fixture
def root(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def local(root):
    return LocalStore(root)


def without_links(monkeypatch):
    """Let this be a file system without hard links, such as exFAT."""

    def refuse(*_arguments, **_options):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)


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


def test_an_interrupted_folder_leaves_nothing(local, root):
    """What goes wrong while the files are given leaves no folder behind."""

    class Interrupted(dict):
        def items(self):
            yield "a", b"1"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        local.create_all("1.0.0", Interrupted())
    assert not [path for path in root.rglob("*") if path.is_file()]
    assert "1.0.0" not in local.names()
    assert local.names(STAGING) == []


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
def test_a_failing_disk_is_an_error_and_leaves_nothing(local, monkeypatch, step, code):
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
def test_a_disk_that_fails_at_the_last_moment_is_an_error(root, local, monkeypatch, verb):
    """If the final fsync fails nothing is acknowledged, and what is there is complete."""
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
def test_a_disk_that_cannot_be_read_is_an_error(local, monkeypatch, verb):
    """A disk that cannot be read gives a sentence, and is not taken for an empty one."""
    VERBS["create"](local)

    def fail(*_arguments, **_options):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "listdir", fail)
    monkeypatch.setattr(os, "scandir", fail)
    monkeypatch.setattr("textclf.registry.store.local.read_bytes", fail)
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
    with pytest.raises(StoreError, match=r"cannot read .*k: it is not a regular file"):
        local.read("k")


def test_locate(root, local):
    """The location of a key is its path."""
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
    with pytest.raises(StoreError, match="it is not a regular file"):
        local.read("a")


def test_a_file_whose_writer_has_just_finished_is_no_leftover(local, monkeypatch):
    """A name that is listed in staging and then gone is not an error."""
    monkeypatch.setattr(local, "names", lambda _folder: ["finished"])
    assert local.leftovers() == []


def test_a_folder_that_the_disk_does_not_give_is_not_taken_for_empty(tmp_path, monkeypatch):
    """A version is not missing because nobody could look; what may not be read is left out."""
    store = LocalStore(tmp_path)
    for folder in ("1.0.0", "1.1.0"):
        store.create_all(folder, {"metadata.json": b"{}"})

    def fail_with(number):
        def lstat(path):
            if "1.1.0" in path.parts:
                raise OSError(number, os.strerror(number))
            return os.lstat(path)

        monkeypatch.setattr(Path, "lstat", lstat)

    fail_with(errno.EACCES)
    assert store.folders_with("metadata.json") == ["1.0.0"]
    fail_with(errno.EIO)
    with pytest.raises(StoreError, match="Input/output error"):
        store.folders_with("metadata.json")

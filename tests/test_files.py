"""Whatever a name stands for is read, or refused in words: nothing is waited for without end."""

import contextlib
import gc
import gzip
import os
import resource
import socket
import threading

import pytest

from textclf import files
from textclf.data.dataset import read_dataset
from textclf.errors import DataError


def refused(path, most=files.LARGEST):
    with pytest.raises(OSError) as caught:  # noqa: PT011 - the words are looked at
        files.read_bytes(path, most)
    return caught.value.strerror


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/urandom"])
@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no such devices")  # noqa: PTH110
def test_devices_are_no_files(device):
    """A device may never end, so none is read."""
    assert refused(device) == "it is a device, not a file"


def test_what_is_no_file_is_said_to_be_none(tmp_path):
    """Folders, sockets and links that lead nowhere have their words."""
    assert refused(tmp_path) == "Is a directory"
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "symbolic links" in refused(tmp_path / "loop")
    assert refused(tmp_path / "none") == "No such file or directory"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "s"))
        assert refused(tmp_path / "s")


@contextlib.contextmanager
def written(path, content):
    """A pipe that somebody has opened and writes to, until nobody reads any more."""

    def write():
        with path.open("wb", buffering=0) as file, contextlib.suppress(BrokenPipeError):
            opened.set()
            file.write(content)

    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # or nobody could open it for writing
    opened, writer = threading.Event(), threading.Thread(target=write)
    writer.start()
    opened.wait()
    yield
    os.close(reader)
    writer.join()


def test_a_pipe_is_read_to_its_end(tmp_path):
    """A pipe is read as long as somebody writes; one that nobody writes to is empty at once."""
    content = b"text,label\n" * 50_000  # more than a pipe holds
    with written(tmp_path / "pipe", content):
        assert files.read_bytes(tmp_path / "pipe") == content
    assert files.read_bytes(tmp_path / "pipe") == b""


def test_what_is_too_large_is_not_read(tmp_path):
    """The limit holds for files, by their size, and for pipes, by what comes."""
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(files.LARGEST + 1)
    assert refused(tmp_path / "sparse") == "it has more than 4 GB"
    with written(tmp_path / "pipe", bytes(5 << 20)):
        assert refused(tmp_path / "pipe", 3 << 20) == "it has more than 3 MB"


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    """What unpacks to hundreds of times its size is refused before it fills the memory."""
    monkeypatch.setattr("textclf.data.encoding._ALWAYS_ALLOWED", 1000)
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"text,label\n" + b"x" * 100_000, mtime=0))
    with pytest.raises(DataError, match="is not a data set: unpacked, it has more than"):
        read_dataset(path)
    path.write_bytes(gzip.compress(b"text,label\n" + b"good,a\n" * 100, mtime=0) * 2)
    assert len(read_dataset(path)) == 200


def test_a_file_is_not_mapped_without_a_descriptor_for_it(tmp_path):
    """Where no more files may be opened, mapping one more is that error, and no other follows."""
    path = tmp_path / "a"
    path.write_bytes(b"content")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with path.open("rb") as file:
        for spare in range(2):  # mmap keeps a descriptor of its own
            last = os.dup(file.fileno())
            os.close(last)
            resource.setrlimit(resource.RLIMIT_NOFILE, (last + spare, hard))
            try:
                with pytest.raises(OSError, match="Too many open files"):
                    files.MappedFile(file)
                gc.collect()
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert files.MappedFile(file).piece(1, 3) == b"ont"

"""Files by their SHA-256 in a folder of this machine, so that none is fetched a second time.

::

    blobs/3f/3fa9…             content, under its own digest
    registries/9c1b….json      of one registry: which key has which digest, and where its logs end

A file is written aside, forced to disk and renamed, so that any number of processes may share the
folder. All of it can be removed at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import time
import uuid
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from textclf import files
from textclf.errors import UsageError

SIZE_VARIABLE: Final = "TEXTCLF_CACHE_SIZE"
"""The variable that sets the limit of the size."""

_DEFAULT_LIMIT = 5 * 1000**3
_UNITS: Final = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)b?\s*", re.IGNORECASE)
_FILLED_AGAIN = 0.9
"""The share of the limit that remains after an eviction, so that not every file causes one."""
_USED_RECENTLY = 3600
"""Seconds within which a second use of a file is not recorded."""


class LogEnd(msgspec.Struct, frozen=True):
    """Where a log without gaps ended when it was last listed.

    Attributes:
        records: the number of its records.
        stamp: what the store identifies the content of the last one by.
    """

    records: int
    stamp: str


class Index(msgspec.Struct):
    """What is known of one registry.

    Attributes:
        url: its location.
        files: the digest of the content of each key that never changes.
        logs: where each log ended, by its folder's key.
    """

    url: str
    files: dict[str, str] = {}
    logs: dict[str, LogEnd] = {}


@dataclass(frozen=True)
class CachedRegistry:
    """A registry in the cache: its location, its number of files, and their bytes."""

    url: str
    files: int
    bytes: int


class FileCache:
    """The cache in one folder.

    Args:
        folder: the folder, which is created when the first file is kept; None if there is no place
            for one.
        limit: how many bytes all files may have; beyond, the least recently used ones are removed.
    """

    def __init__(self, folder: Path | None, limit: int = _DEFAULT_LIMIT) -> None:
        self.folder, self.limit = folder, limit
        self._size: int | None = None
        self._warned = False

    @classmethod
    def from_environment(cls) -> FileCache:
        """Return the cache of this user. Raises UsageError if its limit is not a size."""
        return cls(files.user_folder("XDG_CACHE_HOME", "~/.cache"), _limit())

    # -- content ---------------------------------------------------------------------------------

    def find(self, digest: str) -> Path | None:
        """Return the file with a digest, if it is here."""
        path = self._blob(digest)
        if path is None:
            return None
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _USED_RECENTLY:
                os.utime(path)
            return path
        return None

    def read(self, digest: str) -> bytes | None:
        """Return the content with a digest, if it is here and whole."""
        path = self.find(digest)
        if path is None:
            return None
        with contextlib.suppress(OSError):
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() == digest:
                return data
            path.unlink()
        return None

    def keep(self, data: bytes) -> str:
        """Keep content, if there is a place for it, and return its digest."""
        digest = hashlib.sha256(data).hexdigest()
        path = self._blob(digest)
        if path is not None and len(data) <= self.limit and not path.exists():
            self._write(path, data)
            self._make_room(len(data), path)
        return digest

    # -- registries ------------------------------------------------------------------------------

    def index(self, url: str) -> Index:
        """Return what is known of a registry."""
        path = self._index(url)
        if path is not None:
            with contextlib.suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError):
                index = msgspec.json.decode(path.read_bytes(), type=Index)
                if index.url == url:
                    return index
        return Index(url)

    def keep_index(self, index: Index) -> None:
        """Record what is known of a registry."""
        path = self._index(index.url)
        if path is not None:
            self._write(path, msgspec.json.encode(index))

    def registries(self) -> list[CachedRegistry]:
        """Return the registries of which something is known, by their location."""
        found = []
        for path in self._files("registries"):
            with contextlib.suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError):
                index = msgspec.json.decode(path.read_bytes(), type=Index)
                sizes = [_size_of(self._blob(digest)) for digest in {*index.files.values()}]
                present = [size for size in sizes if size is not None]
                found.append(CachedRegistry(index.url, len(present), sum(present)))
        return sorted(found, key=lambda registry: registry.url)

    def size(self) -> int:
        """Return the bytes of all files."""
        return sum(_size_of(path) or 0 for path in self._files(""))

    def clear(self) -> int:
        """Remove all files and return how many bytes they had. Raises OSError."""
        freed = 0
        for path in self._files(""):
            freed += _size_of(path) or 0
            path.unlink(missing_ok=True)
        return freed

    # -- files -----------------------------------------------------------------------------------

    def _blob(self, digest: str) -> Path | None:
        return self.folder and self.folder / "blobs" / digest[:2] / digest

    def _index(self, url: str) -> Path | None:
        name = hashlib.sha256(url.encode()).hexdigest()[:32]
        return self.folder and self.folder / "registries" / f"{name}.json"

    def _files(self, folder: str) -> Iterator[Path]:
        if self.folder is None:
            return
        for root, _, names in os.walk(self.folder / folder):
            yield from (Path(root, name) for name in names)

    def _write(self, path: Path, data: bytes) -> None:
        """Write a file, or warn once that nothing can be kept."""
        aside = path.with_name(f".{uuid.uuid4().hex}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                with aside.open("xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                aside.replace(path)
            finally:
                aside.unlink(missing_ok=True)
        except OSError as error:
            if not self._warned:
                self._warned = True
                warnings.warn(
                    f"the cache {self.folder} cannot be written ({error.strerror}), so files are "
                    "fetched each time; XDG_CACHE_HOME names another place",
                    stacklevel=2,
                )

    def _make_room(self, added: int, keep: Path) -> None:
        """Remove the least recently used files if there are too many bytes."""
        self._size = self.size() if self._size is None else self._size + added
        if self._size <= self.limit:
            return
        for path in sorted(self._files("blobs"), key=_last_use):
            if path != keep and self._size > self.limit * _FILLED_AGAIN:
                self._size -= _size_of(path) or 0
                with contextlib.suppress(OSError):
                    path.unlink()


def _limit() -> int:
    given = os.environ.get(SIZE_VARIABLE)
    if not given:
        return _DEFAULT_LIMIT
    size = _SIZE.fullmatch(given)
    if size is None:
        raise UsageError(f"{SIZE_VARIABLE} is not a size: {given!r}", hint=f"{SIZE_VARIABLE}=2GB")
    return round(float(size[1]) * _UNITS[size[2].lower()])


def _size_of(path: Path | None) -> int | None:
    with contextlib.suppress(OSError):
        return path.stat().st_size if path else None
    return None


def _last_use(path: Path) -> float:
    with contextlib.suppress(OSError):
        return path.stat().st_mtime
    return 0.0

"""A folder on a local disk as a store.

Everything is written to a staging folder first, forced to disk, and put in its place by one system
call: ``link`` (create), ``rename`` over a file (replace), ``rename`` of a folder onto a free name
(create_all, whose files appear at once here). Without hard links (exFAT, some network mounts),
create makes a folder and then a file. What is removed is first renamed into the staging folder.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from textclf.errors import StoreError
from textclf.files import LARGEST, MappedFile, open_binary, read_bytes
from textclf.registry.layout import STAGING
from textclf.registry.store.base import (
    Exists,
    Incomplete,
    Missing,
    Stamped,
    Store,
    View,
    check_key,
    check_name,
    is_key,
)
from textclf.registry.store.location import parse_folder

_STALE_SECONDS = 24 * 60 * 60
"""Staged work of this age was left by an interrupted writer: publishing takes seconds."""

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
"""The errors of file systems without hard links."""


class LocalStore(Store):
    """Files below ``root``, which is created when the first file is written."""

    def __init__(self, root: str | Path) -> None:
        self.root = parse_folder(root)

    def __reduce__(self) -> tuple[type[LocalStore], tuple[Path]]:
        return LocalStore, (self.root.absolute(),)  # wherever the other process runs

    def read(self, key: str, most: int = LARGEST) -> bytes:
        with self._reading(key) as path:
            return read_bytes(path, most)

    def view(self, key: str, digest: str | None = None) -> View:  # noqa: ARG002 - this is no copy
        with self._reading(key) as path, open_binary(path) as file:
            if not os.fstat(file.fileno()).st_size:  # an empty file cannot be mapped
                return b""
            return MappedFile(file)

    def exists(self, key: str) -> bool:
        path = self._path(key)
        with self._store_errors("read", path):
            try:
                path.lstat()
            except (FileNotFoundError, NotADirectoryError):
                self._require_folder()
                return False
        return True

    def names(self, folder: str = "", after: str = "") -> list[str]:
        path = self._path(folder) if folder else self.root
        with self._store_errors("list", path):
            try:
                names = [name for entry in path.iterdir() if is_key(name := entry.name)]
            except (FileNotFoundError, NotADirectoryError):
                self._require_folder()
                return []
        return [name for name in names if name.encode() > after.encode()] if after else names

    def folders_with(self, name: str) -> list[str]:
        return [folder for folder in self.names() if self._has(folder, name)]

    def _has(self, folder: str, name: str) -> bool:
        """Whether a folder that may be read has a file; a disk that fails does not say no."""
        path = self.root / folder / name
        with self._store_errors("read", path):
            try:
                path.lstat()
            except (FileNotFoundError, NotADirectoryError, PermissionError):
                return False
        return True

    def create(self, key: str, data: bytes) -> None:
        path = self._path(key)
        with self._store_errors("write", path), self._staged() as staged:
            _make_folders(path.parent)
            _write(staged, data)
            try:
                linked = _link(staged, path)
            except FileExistsError:
                raise Exists(key) from None
            if linked:
                _sync_folder(path.parent)
                return
        self._create_by_claim(key, data)

    def _create_by_claim(self, key: str, data: bytes) -> None:
        """Create a file without hard links: of several writers, one succeeds in placing a folder.

        The folder holds the content and stays. Whoever finds it without the file writes the file:
        the writer that placed it may have died, and if it did not, it writes the same.
        """
        path = self._path(key)
        if os.path.lexists(path):
            raise Exists(key)
        claim = path.with_name(f".{path.name}")
        try:
            self._place_folder(claim, {path.name: data})
        except Exists:
            if not os.path.lexists(path):
                with self._store_errors("read", claim):
                    data = read_bytes(claim / path.name)
                self.replace(key, data)
            raise Exists(key) from None
        self.replace(key, data)

    def replace(self, key: str, data: bytes, seen: Stamped | None = None) -> None:  # noqa: ARG002
        path = self._path(key)
        with self._store_errors("write", path), self._staged() as staged:
            _make_folders(path.parent)
            _write(staged, data)
            staged.replace(path)
            _sync_folder(path.parent)

    def create_all(
        self,
        folder: str,
        files: Mapping[str, bytes],
        *,
        resume: bool = False,  # noqa: ARG002 - a writer that died has left none
    ) -> None:
        """See Store: by one rename, so that all appear at once."""
        for name in files:
            check_name(folder, name)
        self._place_folder(self._path(folder), files)

    def _place_folder(self, path: Path, files: Mapping[str, bytes]) -> None:
        with self._store_errors("write", path), self._staged() as staged:
            _make_folders(path.parent)
            staged.mkdir()
            for name, data in files.items():
                _write(staged / name, data)
            _sync_folder(staged)
            try:
                staged.rename(path)
            except OSError:
                if os.path.lexists(path):
                    raise Exists(path) from None
                raise
            _sync_folder(path.parent)

    def remove(self, key: str) -> None:
        path = self._path(key)
        with self._store_errors("remove", path), self._staged() as staged:
            try:
                os.utime(path)  # its age as a leftover begins now
                path.rename(staged)
            except FileNotFoundError:
                return
            _sync_folder(path.parent)

    def remove_all(self, folder: str, *, first: str) -> None:  # noqa: ARG002 - all go at once
        """See Store: by one rename, so that all disappear at once."""
        self.remove(folder)

    def why_incomplete(self, folder: str) -> Incomplete:  # noqa: ARG002 - of every folder
        """See Store: all files of a folder appear at once."""
        return Incomplete.DAMAGED

    def require_writable(self) -> None:
        import tempfile

        with self._store_errors("write", self.root), self._staged() as file, self._staged() as link:
            _write(file, b"")
            _link(file, link)
            with tempfile.TemporaryFile(dir=self.root):
                pass  # where folders of versions and the alias go

    def leftovers(self) -> list[str]:
        stale = time.time() - _STALE_SECONDS
        keys = (f"{STAGING}/{name}" for name in self.names(STAGING))
        with self._store_errors("read", self._path(STAGING)):
            return sorted(key for key in keys if self._written(key) < stale)

    def sweep(self) -> None:
        for key in self.leftovers():
            with contextlib.suppress(OSError), self._staged() as aside:
                self._path(key).rename(aside)  # a writer that wakes finds nothing, rather than half

    def locate(self, key: str = "") -> str:
        return str(self._path(key) if key else self.root)

    def _written(self, key: str) -> float:
        try:
            return self._path(key).stat().st_mtime
        except FileNotFoundError:  # its writer has just finished
            return time.time()

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    @contextlib.contextmanager
    def _reading(self, key: str) -> Iterator[Path]:
        path = self._path(key)
        with self._store_errors("read", path):
            try:
                _require_file(path)
                yield path
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                self._require_folder()
                raise Missing(key) from None

    @contextlib.contextmanager
    def _staged(self) -> Iterator[Path]:
        """Give a free path in the staging folder, and remove what is there in the end."""
        staging = self._path(STAGING)
        _make_folders(staging)
        path = staging / uuid.uuid4().hex
        try:
            yield path
        finally:
            try:
                _remove(path)
            except KeyboardInterrupt:  # in the middle of the removal
                _remove(path)
                raise

    @contextlib.contextmanager
    def _store_errors(self, verb: str, path: Path) -> Iterator[None]:
        """Turn an OSError into a StoreError with a sentence."""
        try:
            yield
        except OSError as error:
            self._require_folder()
            raise StoreError(f"cannot {verb} {path}: {error.strerror or error}") from error

    def _require_folder(self) -> None:
        for path in (self.root, *self.root.parents):
            if os.path.lexists(path) and not os.path.isdir(path):  # noqa: PTH112 - never raises
                raise StoreError(
                    f"{path} is not a folder, so no models can be kept there",
                    hint="name another with --models",
                )


def _require_file(path: Path) -> None:
    """Refuse devices and pipes, which may never end, or never open; opening a folder fails."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "it is not a regular file")


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _link(source: Path, target: Path) -> bool:
    """Make a hard link; return False if the file system has none."""
    try:
        target.hardlink_to(source)
    except OSError as error:
        if error.errno in _NO_LINKS:
            return False
        raise
    return True


def _make_folders(path: Path) -> None:
    if path.is_dir():
        return
    _make_folders(path.parent)
    with contextlib.suppress(FileExistsError):
        path.mkdir()
    _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    if os.name != "posix":  # elsewhere a folder cannot be opened, and need not be
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)

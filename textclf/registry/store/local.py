"""A folder on a local disk as a store.

Everything is written to a staging folder first, forced to disk, and put in its place by one system
call: ``link`` (create), ``rename`` over a file (replace), ``rename`` of a folder onto a free name
(create_folder). Where there are no hard links (exFAT, some network mounts), create is a folder and
then a file. What is removed goes the other way, by one rename into the staging folder.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import shutil
import stat
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from textclf.errors import StoreError
from textclf.registry.store.base import Exists, Missing, View

_STAGING = ".registry/staging"
_STALE_SECONDS = 24 * 60 * 60
"""Staged work this old was left by a writer that died: publishing takes seconds."""

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
"""What file systems without hard links say to one."""


class LocalStore:
    """Files below ``root``, which is created when the first file is written."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def read(self, key: str) -> bytes:
        """See Store."""
        path = self._path(key)
        with self._told("read", key):
            try:
                _require_file(path)
                return path.read_bytes()
            except (FileNotFoundError, IsADirectoryError):
                raise Missing(key) from None
            except NotADirectoryError:
                self._require_folder()
                raise Missing(key) from None

    def view(self, key: str) -> View:
        """See Store."""
        path = self._path(key)
        with self._told("read", key):
            try:
                _require_file(path)
                with path.open("rb") as file:
                    if not os.fstat(file.fileno()).st_size:  # nothing cannot be mapped
                        return b""
                    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                self._require_folder()
                raise Missing(key) from None

    def names(self, folder: str = "") -> list[str]:
        """See Store."""
        with self._told("list", folder):
            try:
                return [entry.name for entry in self._path(folder).iterdir()]
            except FileNotFoundError:
                return []
            except NotADirectoryError:
                self._require_folder()
                return []

    def create(self, key: str, data: bytes) -> None:
        """See Store."""
        path = self._path(key)
        with self._told("write", key), self._staged() as staged:
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
        """Create where there are no hard links: of several writers, one gets to place a folder.

        The folder holds the content and stays. Who finds it without the file puts the file there:
        the winner may have died, and if it did not, it writes the same.
        """
        path = self._path(key)
        if os.path.lexists(path):
            raise Exists(key)
        claim = f"{key[: -len(path.name)]}.{path.name}"
        try:
            self.create_folder(claim, {path.name: data})
        except Exists:
            if not os.path.lexists(path):
                self.replace(key, self.read(f"{claim}/{path.name}"))
            raise Exists(key) from None
        self.replace(key, data)

    def replace(self, key: str, data: bytes) -> None:
        """See Store."""
        path = self._path(key)
        with self._told("write", key), self._staged() as staged:
            _make_folders(path.parent)
            _write(staged, data)
            staged.replace(path)
            _sync_folder(path.parent)

    def create_folder(self, folder: str, files: Mapping[str, bytes]) -> None:
        """See Store."""
        path = self._path(folder)
        with self._told("write", folder), self._staged() as staged:
            _make_folders(path.parent)
            staged.mkdir()
            for name, data in files.items():
                _write(staged / name, data)
            _sync_folder(staged)
            try:
                staged.rename(path)
            except OSError:
                if os.path.lexists(path):
                    raise Exists(folder) from None
                raise
            _sync_folder(path.parent)

    def remove(self, key: str) -> None:
        """See Store."""
        path = self._path(key)
        with self._told("remove", key), self._staged() as staged:
            try:
                os.utime(path)  # from now on it counts as left behind, not since it was written
                path.rename(staged)
            except FileNotFoundError:
                return
            _sync_folder(path.parent)

    def require_writable(self) -> None:
        """See Store."""
        import tempfile

        with self._told("write", ""), self._staged() as file, self._staged() as link:
            _write(file, b"")
            _link(file, link)
            with tempfile.TemporaryFile(dir=self.root):
                pass  # where folders of versions and the alias go

    def leftovers(self) -> list[str]:
        """See Store."""
        stale = time.time() - _STALE_SECONDS
        keys = (f"{_STAGING}/{name}" for name in self.names(_STAGING))
        with self._told("read", _STAGING):
            return sorted(key for key in keys if self._written(key) < stale)

    def sweep(self) -> None:
        """See Store."""
        for key in self.leftovers():
            with contextlib.suppress(OSError), self._staged() as aside:
                self._path(key).rename(aside)  # its writer, if it wakes, finds nothing, not half

    def locate(self, key: str) -> str:
        """See Store."""
        return str(self._path(key))

    def _written(self, key: str) -> float:
        try:
            return self._path(key).stat().st_mtime
        except FileNotFoundError:  # its writer has just finished
            return time.time()

    def _path(self, key: str) -> Path:
        if key.startswith("/") or ".." in key.split("/"):
            raise ValueError(f"not a key: {key!r}")
        return self.root / key

    @contextlib.contextmanager
    def _staged(self) -> Iterator[Path]:
        """A free path in the staging folder; what is left there in the end is removed."""
        staging = self._path(_STAGING)
        _make_folders(staging)
        path = staging / uuid.uuid4().hex
        try:
            yield path
        finally:
            try:
                _remove(path)
            except KeyboardInterrupt:  # it comes when it likes
                _remove(path)
                raise

    @contextlib.contextmanager
    def _told(self, verb: str, key: str) -> Iterator[None]:
        """Turn what the system says into a sentence."""
        try:
            yield
        except OSError as error:
            self._require_folder()
            raise StoreError(
                f"cannot {verb} {self.locate(key)}: {error.strerror or error}"
            ) from error

    def _require_folder(self) -> None:
        for path in (self.root, *self.root.parents):
            if os.path.lexists(path) and not os.path.isdir(path):  # noqa: PTH112 - never raises
                raise StoreError(
                    f"{path} is not a folder, so no models can be kept there",
                    hint="name another with --models",
                )


def _require_file(path: Path) -> None:
    """A folder will say itself that it is one; a pipe, say, may not end, or even open."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "it is no regular file")


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _link(source: Path, target: Path) -> bool:
    """Whether a hard link could be made; not where the file system has none."""
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

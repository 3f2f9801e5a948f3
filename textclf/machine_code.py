"""Machine code on disk: where it is kept, and which files are trusted.

It is kept as pickles, and whoever writes a pickle decides what its reader runs. So a file is opened
only if it and its folder belong to this user, or to the owner of textclf's own source, whose code
runs anyway, and if nobody else can write to them. A digest finds files that were damaged.

Nothing here fails: what cannot be read is compiled again, and what cannot be kept is compiled by
each process.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_DIGEST = 32
"""Bytes of the SHA-256 at the beginning of a file."""


def _ignore(_: str) -> None:
    """Tell nobody, as in programs that use textclf from Python."""


on_problem: Callable[[str], object] = _ignore
"""Is told, at most once in a process, that machine code on disk cannot be used or kept."""


saved: list[Path] = []
"""The files that this process has saved."""

loaded: list[Path] = []
"""The files that this process has loaded."""


class Compilation:
    """How long this process has been compiling."""

    def __init__(self) -> None:
        self._running = 0
        self._since = self._before = 0.0

    @property
    def is_running(self) -> bool:
        """Whether a function is being compiled now."""
        return self._running > 0

    @property
    def seconds(self) -> float:
        """The seconds so far."""
        return self._before + (time.monotonic() - self._since if self._running else 0)

    def begin(self) -> None:
        """Take note that a function is compiled; it may need others."""
        if not self._running:
            self._since = time.monotonic()
        self._running += 1

    def end(self) -> None:
        """Take note that it is compiled."""
        self._before = self.seconds if self._running == 1 else self._before
        self._running -= 1


compilation = Compilation()


class MachineCode:
    """The machine code of the functions of one source file.

    Args:
        source: the file.
    """

    _problem_told = False

    def __init__(self, source: Path) -> None:
        self._source = source
        self._owners = {_user(), _owner(source)}
        self._unusable: Path | None = None

    def load(self, name: str) -> bytes | None:
        """Return what was saved under a name; None if there is nothing that can be trusted."""
        for folder in self._folders():
            content = self._read(folder / name)
            if content is not None:
                loaded.append(folder / name)
                return content
        if self._unusable:
            self._tell(f"compiled again, for it is damaged or not yours alone: {self._unusable}")
        return None

    def save(self, name: str, content: bytes) -> None:
        """Save under a name, in the first folder that can be written to.

        Args:
            name: ``function-stamp-key.nbc``; files of the function with another stamp are removed.
            content: the machine code.
        """
        for folder in self._folders():
            with contextlib.suppress(OSError):
                folder.mkdir(mode=0o755, parents=True, exist_ok=True)
                if not self._is_trusted(folder.lstat()):
                    continue
                _write(folder / name, _sha256(content) + content)
                _remove_older(folder, name)
                saved.append(folder / name)
                if folder == _temporary_folder(self._source):
                    self._tell(f"machine code is kept in {folder}: no other folder can be written")
                return
        self._tell("no folder can be written to for machine code: each process compiles it again")

    def _folders(self) -> Iterator[Path]:
        """The folders where it may be, by preference."""
        given = os.environ.get("NUMBA_CACHE_DIR")
        if given:
            yield Path(given, _key(self._source))
        yield self._source.parent / "__pycache__"
        cache = os.environ.get("XDG_CACHE_HOME", "")
        if not os.path.isabs(cache):  # noqa: PTH117 - as the specification says
            cache = os.path.expanduser("~/.cache")  # noqa: PTH111 - never raises
        if os.path.isabs(cache) and os.path.isdir(os.path.dirname(cache)):  # noqa: PTH112, PTH117, PTH120 - there may be no home
            yield Path(cache, "textclf", "machine-code", _key(self._source))
        yield _temporary_folder(self._source)

    def _read(self, path: Path) -> bytes | None:
        try:
            status = path.lstat()
            trusted = self._is_trusted(path.parent.lstat()) and self._is_trusted(status)
            content = path.read_bytes() if trusted and stat.S_ISREG(status.st_mode) else b""
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            content = b""
        if _sha256(content[_DIGEST:]) == content[:_DIGEST]:
            return content[_DIGEST:]
        self._unusable = path
        return None

    def _is_trusted(self, status: os.stat_result) -> bool:
        """Whether nobody but this user and the owner of the source can have written it."""
        if not hasattr(os, "geteuid"):  # Windows, where others cannot write to a user's folders
            return True
        is_link = stat.S_ISLNK(status.st_mode)
        return status.st_uid in self._owners and not is_link and not status.st_mode & _OTHERS_WRITE

    @staticmethod
    def _tell(problem: str) -> None:
        if not MachineCode._problem_told:
            MachineCode._problem_told = True
            on_problem(problem)


def _sha256(content: bytes) -> bytes:
    import hashlib

    return hashlib.sha256(content).digest()


def _remove_older(folder: Path, name: str) -> None:
    """Remove the files of the same function with another stamp."""
    function, stamp, _ = name.rsplit("-", 2)
    for path in folder.glob(f"{function}-*.nbc"):
        if not path.name.startswith(f"{function}-{stamp}-"):
            path.unlink(missing_ok=True)


def _user() -> int:
    return os.geteuid() if hasattr(os, "geteuid") else 0


def _owner(path: Path) -> int:
    try:
        return path.stat().st_uid
    except OSError:
        return _user()


def _key(source: Path) -> str:
    """A name for the folder of a source file, of this installation alone."""
    digest = _sha256(os.fsencode(source.parent)).hex()
    return f"{source.parent.name}-{digest[:16]}"


def _temporary_folder(source: Path) -> Path:
    """A folder of this user; not Python's choice, which may be the current folder."""
    temporary = os.environ.get("TMPDIR", "")
    root = temporary if os.path.isabs(temporary) else "/tmp"  # noqa: PTH117, S108 - is checked
    return Path(root, f"textclf-{_user()}-{_key(source)}")


def _write(path: Path, content: bytes) -> None:
    """Write a file that only its owner can change, at once."""
    aside = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - it is open
            if hasattr(os, "fchmod"):
                os.fchmod(descriptor, 0o644)  # whatever the umask says
            file.write(content)
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise

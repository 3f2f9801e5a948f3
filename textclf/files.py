"""Read files and pipes by their names, without waiting for ever and without filling the memory.

Whatever cannot be read is an ``OSError`` whose ``strerror`` completes the sentence "it cannot be
read: …".
"""

from __future__ import annotations

import errno
import mmap
import os
import stat
from io import BufferedIOBase, BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from textclf.errors import UsageError

if TYPE_CHECKING:
    from typing import Self

LARGEST: Final = 1 << 32
"""Bytes of one file, packed or unpacked: parsed, they are several times as much memory."""

LARGEST_TOML: Final = 1 << 20
"""Bytes of a TOML file: people write them."""

_MOST_DOTS: Final = 500
"""On a line: for a key of so many parts tomllib's memory grows with the square of their number."""

_CHUNK = 1 << 20


class MappedFile(mmap.mmap):
    """A file as a memory map, of which pieces can be read as well.

    Where somebody has truncated the file, to read is an error, but to touch the map ends the
    process.
    """

    _descriptor: int | None = None

    def __new__(cls, file: BufferedReader) -> Self:
        """Map an open file, which is not empty and may be closed then."""
        mapped = super().__new__(cls, file.fileno(), 0, access=mmap.ACCESS_READ)
        mapped._descriptor = os.dup(file.fileno())
        return mapped

    def __del__(self) -> None:
        if self._descriptor is not None:  # no descriptor may have been left for it
            os.close(self._descriptor)

    def piece(self, at: int, size: int) -> bytes:
        """Return bytes of the file. Raises OSError if it no longer has them."""
        assert self._descriptor is not None
        data = os.pread(self._descriptor, size, at)
        if len(data) < size:
            raise OSError(errno.EIO, "it was truncated")
        return data


def user_folder(variable: str, usual: str) -> Path | None:
    """Return the folder of textclf in one of the user's folders, as the XDG specification has them.

    Args:
        variable: the variable that names the user's folder, such as ``XDG_CACHE_HOME``; a relative
            path is ignored.
        usual: the folder without the variable, such as ``~/.cache``.

    Returns:
        None where there is no home, as in a container.
    """
    given = os.environ.get(variable, "")
    if os.path.isabs(given):  # noqa: PTH117 - Path has no root for "~"
        return Path(given, "textclf")
    folder = os.path.expanduser(usual)  # noqa: PTH111 - never raises
    return Path(folder, "textclf") if os.path.isabs(folder) else None  # noqa: PTH117 - likewise


def open_binary(path: Path) -> BufferedReader:
    """Open a file or a pipe; a pipe that nobody writes to is empty.

    Raises:
        OSError: it is not there, or no file: a folder, a device that never ends, a socket.
    """
    try:
        file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115 - Path has no opener
    except ValueError:  # NUL, or half a surrogate pair
        raise OSError(errno.EINVAL, "no file can have this name", str(path)) from None
    kind = os.fstat(file.fileno()).st_mode
    if stat.S_ISREG(kind) or stat.S_ISFIFO(kind):
        os.set_blocking(file.fileno(), True)
        return file
    file.close()
    raise OSError(errno.EINVAL, "it is a device, not a file", str(path))


def _without_waiting(path: str, flags: int) -> int:
    """Open a pipe that nobody writes to, too, rather than wait until somebody does."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read_bytes(path: Path, most: int = LARGEST) -> bytes:
    """Read a whole file or pipe.

    Raises:
        OSError: as above, or it has more than so many bytes.
    """
    with open_binary(path) as file:
        size = os.fstat(file.fileno()).st_size  # 0 of a pipe, and of what a system makes up
        if size > most:
            raise _too_large(most)
        return file.read() if size else read_to_end(file, most)


def read_to_end(file: BufferedIOBase, most: int = LARGEST) -> bytes:
    """Read an open file to its end; OSError where that does not come in so many bytes."""
    blocks, size = [], 0
    while block := file.read(_CHUNK):
        size += len(block)
        if size > most:
            raise _too_large(most)
        blocks.append(block)
    return b"".join(blocks)


def _too_large(most: int) -> OSError:
    limit = f"{most >> 30} GB" if most >= 1 << 30 else f"{most >> 20} MB"
    return OSError(errno.EFBIG, f"it has more than {limit}")


def read_toml_text(path: Path) -> str:
    """Read the text of a TOML file, with or without a byte-order mark.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not UTF-8; the message is a sentence.
    """
    try:
        return read_bytes(path, LARGEST_TOML).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"Not UTF-8, at byte {error.start + 1}") from None


def parse_toml(text: str) -> dict[str, Any]:
    """Parse a TOML document.

    Raises:
        ValueError: it is not valid; the message is a sentence and names the line if it can.
    """
    import tomllib  # most commands read no TOML

    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > _MOST_DOTS:
            raise ValueError(f"More than {_MOST_DOTS} dots on one line (at line {number})")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("Nested too deeply") from None


def read_settings(path: Path) -> dict[str, Any]:
    """Read a file of settings. Raises UsageError if it cannot be read, or is not TOML."""
    try:
        return parse_toml(read_toml_text(path))
    except ValueError as error:
        raise UsageError(f"{path}: not TOML: {error}") from None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None


def others_can_read(path: Path) -> bool:
    """Whether one's own file, which holds a secret, can be read by others; ssh refuses such."""
    if os.name != "posix":
        return False
    status = path.stat()
    return status.st_uid == os.getuid() and bool(status.st_mode & 0o077)

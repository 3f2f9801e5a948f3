"""Files in an archive: tar, plain or compressed, or zip; the same files give the same bytes.

What is read is not trusted: no more than a given number of bytes is unpacked, an archive that names
more files than a version can have is refused, and so is everything but regular files.
"""

from __future__ import annotations

import bz2
import enum
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, BinaryIO, Final, Protocol, Self

from textclf.errors import UsageError
from textclf.files import LARGEST

_LEVEL = 6
_CHUNK = 1 << 20
_TAR_BYTES = 1 << 20
"""Bytes of headers and padding of a tar archive, and of the directory of a zip archive."""

_XZ_MEMORY = 128 << 20
"""The most memory that xz may ask for; its highest level asks for 65 MB."""

_ZIP_END = struct.Struct("<4s4H2LH")
_ZIP64_LOCATOR_BYTES = 20

DAMAGED: Final = (
    tarfile.TarError,
    zipfile.BadZipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    ValueError,
)
"""What `read_files` raises for an archive that is damaged or larger than it may be."""


class ArchiveFormat(enum.StrEnum):
    """The formats, each as the end of a file's name."""

    TAR = ".tar"
    GZIP = ".tar.gz"
    XZ = ".tar.xz"
    BZIP2 = ".tar.bz2"
    ZIP = ".zip"

    @property
    def can_store(self) -> bool:
        """Whether files can be in it uncompressed."""
        return self in (ArchiveFormat.TAR, ArchiveFormat.GZIP, ArchiveFormat.ZIP)


_SHORT = {
    ".tgz": ArchiveFormat.GZIP,
    ".txz": ArchiveFormat.XZ,
    ".tbz2": ArchiveFormat.BZIP2,
    ".tbz": ArchiveFormat.BZIP2,
}

_FIRST_BYTES = {
    b"\x1f\x8b": ArchiveFormat.GZIP,
    b"\xfd7zXZ\x00": ArchiveFormat.XZ,
    b"BZh": ArchiveFormat.BZIP2,
    b"PK": ArchiveFormat.ZIP,
}


def format_named(name: str) -> ArchiveFormat:
    """Return the format that the end of a file's name stands for; without one it is ``.tar.gz``.

    Raises:
        UsageError: the name ends like that of another kind of file.
    """
    endings = {str(one): one for one in ArchiveFormat} | _SHORT
    if "." not in name:
        return ArchiveFormat.GZIP
    for ending, its_format in endings.items():
        if name.lower().endswith(ending):
            return its_format
    raise UsageError(
        f"the name {name} is not that of an archive",
        hint=f"end it with {', '.join(ArchiveFormat)}",
    )


def write_files(
    files: Mapping[str, bytes], file: BinaryIO, archive_format: ArchiveFormat, *, compressed: bool
) -> None:
    """Write files to an archive, without owners, times and the name of the archive.

    Raises:
        UsageError: they are too large for a zip archive.
    """
    if archive_format is ArchiveFormat.ZIP:
        try:
            _write_zip(files, file, compressed=compressed)
        except zipfile.LargeZipFile:
            raise UsageError("the version is too large for .zip", hint="write .tar.gz") from None
        return
    with (
        _packer(file, archive_format, _LEVEL if compressed else 0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def _packer(file: BinaryIO, archive_format: ArchiveFormat, level: int) -> Any:
    match archive_format:
        case ArchiveFormat.GZIP:
            return gzip.GzipFile(filename="", mode="wb", compresslevel=level, fileobj=file, mtime=0)
        case ArchiveFormat.XZ:
            return lzma.LZMAFile(file, "wb", preset=_LEVEL)
        case ArchiveFormat.BZIP2:
            return bz2.BZ2File(file, "wb")
    return nullcontext(file)


def _write_zip(files: Mapping[str, bytes], file: BinaryIO, *, compressed: bool) -> None:
    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", allowZip64=False) as archive:
        for name, data in files.items():
            member = zipfile.ZipInfo(name)  # whose time is the first that zip knows
            member.create_system = 3  # Unix, wherever it is written
            member.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(member, data, kind, _LEVEL if compressed else None)


def read_files(file: BinaryIO, limit: int) -> dict[str, bytes]:
    """Read the files of an archive, whose format its first bytes tell.

    Args:
        file: the archive, which can be read from any place.
        limit: the most bytes that its files may have together.

    Raises:
        One of `DAMAGED`: it is damaged, or not such an archive, or exceeds the limit.
    """
    archive_format = _format_of(file)
    if archive_format is ArchiveFormat.ZIP:
        return _read_zip(file, limit)
    return _read_tar(_Limited(_unpacker(file, archive_format), limit + _TAR_BYTES))


def _format_of(file: BinaryIO) -> ArchiveFormat:
    head = file.read(max(map(len, _FIRST_BYTES)))
    file.seek(0)
    kinds = (kind for first_bytes, kind in _FIRST_BYTES.items() if head.startswith(first_bytes))
    return next(kinds, ArchiveFormat.TAR)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _unpacker(file: BinaryIO, archive_format: ArchiveFormat) -> _Readable:
    match archive_format:
        case ArchiveFormat.GZIP:
            return gzip.GzipFile(fileobj=file)
        case ArchiveFormat.XZ:
            return _XzFile(file)
        case ArchiveFormat.BZIP2:
            return bz2.BZ2File(file)
    return file


class _XzFile:
    """A file that is compressed by xz; unlike ``lzma.LZMAFile`` it limits the memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)

    def read(self, size: int, /) -> bytes:
        while not self._decompressor.eof:
            packed = self._file.read(_CHUNK) if self._decompressor.needs_input else b""
            if self._decompressor.needs_input and not packed:
                raise EOFError("it ends too early")
            if data := self._decompressor.decompress(packed, size):
                return data
        if self._decompressor.unused_data or self._file.read(1):
            raise ValueError("something follows the end of the compressed data")
        return b""


class _Limited:
    """A file whose end has to come in so many bytes."""

    def __init__(self, file: _Readable, limit: int) -> None:
        self._file, self._left = file, limit

    def read(self, size: int, /) -> bytes:
        data = self._file.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise _too_large()
        return data


def _too_large() -> ValueError:
    return ValueError("unpacked, it would be far larger than a model")


def _read_tar(stream: _Limited) -> dict[str, bytes]:
    """Read the files of a tar archive one after the other, and the stream to its end."""
    files: dict[str, bytes] = {}
    whole: Any = stream  # tarfile reads a stream by its method read alone
    with tarfile.open(fileobj=whole, mode="r|", tarinfo=_Plain) as members:
        for member in members:
            _require_new(member.name, files)
            content = members.extractfile(member)
            assert content is not None
            files[member.name] = content.read()
    while stream.read(_CHUNK):
        pass
    return files


class _Plain(tarfile.TarInfo):
    """A member without extensions, which could change names and sizes, and be large themselves."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Refuse a header of anything but a regular file."""
        member = super().frombuf(buf, encoding, errors)
        if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            raise ValueError(f"{member.name!r} in it is not a regular file")
        if not 0 <= member.size <= LARGEST:
            raise ValueError(f"{member.name!r} in it has no possible size")
        return member


def _read_zip(file: BinaryIO, limit: int) -> dict[str, bytes]:
    _require_small_directory(file)
    files: dict[str, bytes] = {}
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > limit:  # no more than that is unpacked
            raise _too_large()
        for member in members:
            _require_new(member.filename, files)
            if member.is_dir() or member.compress_type not in _ZIP_KINDS or member.flag_bits & 1:
                raise ValueError(f"{member.filename!r} in it is not a regular file")
            files[member.filename] = archive.read(member)
    return files


_ZIP_KINDS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def _require_small_directory(file: BinaryIO) -> None:
    """Refuse a zip archive whose directory, which is read at once, is large or cannot be told."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _ZIP_END.size - _ZIP64_LOCATOR_BYTES))
    tail = file.read()
    file.seek(0)
    locator, end = tail[: -_ZIP_END.size], tail[-_ZIP_END.size :]
    if not end.startswith(b"PK\x05\x06") or end[-2:] != b"\0\0" or b"PK\x06\x07" in locator:
        raise ValueError("it is no complete zip archive")
    _, _, _, _, _, directory_bytes, _, _ = _ZIP_END.unpack(end)
    if directory_bytes > _TAR_BYTES:
        raise ValueError("it has more files than a version")


def _require_new(name: str, files: Mapping[str, bytes]) -> None:
    if name in files:
        raise ValueError(f"{name!r} is in it twice")

"""A version as one file: a gzipped tar archive, with the same bytes for the same version.

It holds a folder named like the version, as in the registry, and can be unpacked by ``tar``. What
is read is not trusted: only the names, kinds and sizes that `write_archive` writes are accepted,
and no more bytes than a version in an archive of that size can have. Nothing but these is kept in
memory.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Self

from semver import Version

from textclf.errors import IntegrityError
from textclf.files import LARGEST
from textclf.metadata.schema import ARTIFACT, METADATA, SIGNATURE, Metadata, decode, file_problem
from textclf.metadata.versions import is_version, parse_version

_LEVEL = 6
_LEAST_LIMIT = 64 << 20
_MOST_COMPRESSION = 20
"""Models are compressed to a half or a tenth; gzip can compress zeros to a thousandth.

What can be compressed further, such as weights that are mostly zero, is stored as it is.
"""

_TAR_BYTES = 1 << 20
"""Bytes of headers and padding, of as many files as a version may have."""

_CHUNK = 1 << 20

_UNRECORDED = (METADATA, SIGNATURE)
"""Files whose digests are not in the metadata."""

_DAMAGED = (tarfile.TarError, EOFError, OSError, zlib.error, ValueError)


@dataclass(frozen=True)
class ExportedVersion:
    """A version outside a registry: its number, and its files by name, each checked."""

    version: Version
    files: Mapping[str, bytes]


def write_archive(exported: ExportedVersion, file: BinaryIO) -> None:
    """Write an archive, without owners, times and the name of the file."""
    begin = file.tell()
    _write(exported, file, _LEVEL)
    if sum(map(len, exported.files.values())) > _limit(file.tell() - begin):
        file.seek(begin)
        _write(exported, file, 0)  # longer than what it is written over


def _write(exported: ExportedVersion, file: BinaryIO, level: int) -> None:
    zipped = gzip.GzipFile(filename="", mode="wb", compresslevel=level, fileobj=file, mtime=0)
    with zipped, tarfile.open(fileobj=zipped, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, data in exported.files.items():
            member = tarfile.TarInfo(f"{exported.version}/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def read_archive(file: BinaryIO, size: int, name: str) -> ExportedVersion:
    """Read an archive and check every file in it.

    Args:
        file: the archive.
        size: its size in bytes.
        name: what it is called in messages.

    Raises:
        IntegrityError: it is damaged, or is not what `write_archive` writes, or a file in it does
            not have the digest in its metadata.
    """
    try:
        with _Limited(file, _limit(size) + _TAR_BYTES) as zipped:
            members = _members(zipped)
    except _DAMAGED as error:
        raise _refused(name, str(error) or type(error).__name__) from None
    folders = {path.partition("/")[0] for path in members}
    number = folders.pop() if len(folders) == 1 else ""
    if not is_version(number) or f"{number}/{METADATA}" not in members:
        raise _refused(name, f"it does not hold one version with its {METADATA}")
    files = {path.partition("/")[2]: data for path, data in members.items()}
    try:
        metadata = decode(files[METADATA], Metadata, name=METADATA)
    except IntegrityError as error:
        raise _refused(name, str(error)) from None
    if metadata.version != number:
        raise _refused(name, f"{METADATA} in the folder {number} is that of {metadata.version}")
    _check(files, metadata, name)
    return ExportedVersion(parse_version(number), files)


def _limit(size: int) -> int:
    """Return how many bytes of files an archive may hold, given its own size."""
    return max(_LEAST_LIMIT, _MOST_COMPRESSION * size)


class _Limited(gzip.GzipFile):
    """A compressed file whose end has to come in so many bytes."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        super().__init__(fileobj=file)
        self._left = limit

    def read(self, size: int | None = -1) -> bytes:
        """Read at most so many bytes. Raises ValueError where the limit is exceeded."""
        data = super().read(size)
        self._left -= len(data)
        if self._left < 0:
            raise ValueError("unpacked, it would be far larger than a model")
        return data


def _members(stream: _Limited) -> dict[str, bytes]:
    """Read the files of a tar archive one after the other, and the stream to its end."""
    files: dict[str, bytes] = {}
    with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Plain) as members:
        for member in members:
            if member.name in files:
                raise ValueError(f"{member.name!r} is in it twice")
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


def _check(files: Mapping[str, bytes], metadata: Metadata, name: str) -> None:
    """Raise IntegrityError unless the files are those that the metadata record, and no others."""
    if metadata.artifact.file != ARTIFACT:
        raise _refused(name, f"its model is not called {ARTIFACT}")
    records = {record.file: record for record in metadata.all_files()}
    for unknown in sorted(files.keys() - records.keys() - set(_UNRECORDED)):
        raise _refused(name, f"its metadata do not record {unknown!r}")
    for record in records.values():
        if problem := file_problem(files.get(record.file), record):
            raise _refused(name, f"{record.file} {problem}")


def _refused(name: str, why: str) -> IntegrityError:
    return IntegrityError(
        f"{name} cannot be imported: {why}",
        hint="textclf versions export VERSION FILE makes such a file",
    )

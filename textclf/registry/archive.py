"""A version as one file: a gzipped tar archive, with the same bytes for the same version.

It holds a folder named like the version, as in the registry, and can be unpacked by ``tar``. What
is read is not trusted: only the names, kinds and sizes that `write_archive` writes are accepted,
and no more bytes than a model of that archive's size can have.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Self

from semver import Version

from textclf.errors import IntegrityError
from textclf.metadata.schema import ARTIFACT, METADATA, SIGNATURE, Metadata, decode, file_problem
from textclf.metadata.versions import is_version, parse_version

_LEVEL = 6
_LEAST_LIMIT = 64 << 20
_MOST_COMPRESSION = 100
"""Models are compressed to a half or a tenth; gzip can compress zeros to a thousandth."""

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
    zipped = gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=file, mtime=0)
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
        members = dict(_members(_unzipped(file, max(_LEAST_LIMIT, _MOST_COMPRESSION * size))))
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


def _members(archive: bytes) -> Iterator[tuple[str, bytes]]:
    seen: set[str] = set()
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:", tarinfo=_Plain) as members:
        for member in members:
            if member.name in seen:
                raise ValueError(f"{member.name!r} is in it twice")
            seen.add(member.name)
            content = members.extractfile(member)
            assert content is not None
            yield member.name, content.read()


def _unzipped(file: BinaryIO, limit: int) -> bytes:
    with gzip.GzipFile(fileobj=file) as zipped:
        data = zipped.read(limit + 1)
    if len(data) > limit:
        raise ValueError("unpacked, it would be far larger than a model")
    return data


class _Plain(tarfile.TarInfo):
    """A member without extensions, which could change names and sizes, and be large themselves."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Refuse a header of anything but a regular file."""
        member = super().frombuf(buf, encoding, errors)
        if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            raise ValueError(f"{member.name!r} in it is not a regular file")
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

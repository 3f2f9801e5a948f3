"""A version as one file: a gzipped tar archive that says the same bytes for the same version.

It holds a folder named like the version, as in the registry, and can be unpacked by ``tar``. What
is read is not trusted: only names, kinds and sizes that ``write_archive`` writes are accepted, and
no more bytes than a model of that archive's size can have.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Self

from semver import Version

from textclf.errors import IntegrityError
from textclf.metadata.schema import ARTIFACT, METADATA, SIGNATURE, FileRecord, Metadata, decode
from textclf.metadata.versions import is_version, parse_version

_LEVEL = 6
_LEAST_LIMIT = 64 << 20
_RATIO = 100
"""Models shrink to a half or a tenth; gzip could make a thousandth of a bomb."""

_UNRECORDED = (METADATA, SIGNATURE)
"""Files that the metadata cannot have a digest of: they themselves, and what vouches for them."""

_DAMAGED = (tarfile.TarError, EOFError, OSError, zlib.error, ValueError)


@dataclass(frozen=True)
class ExportedVersion:
    """A version out of its registry: its number, and its files by name, each checked."""

    version: Version
    files: Mapping[str, bytes]


def write_archive(bundle: ExportedVersion, file: BinaryIO) -> None:
    """Write an archive; owners, times and the name of the file are left out of it."""
    zipped = gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=file, mtime=0)
    with zipped, tarfile.open(fileobj=zipped, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, data in bundle.files.items():
            member = tarfile.TarInfo(f"{bundle.version}/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def read_archive(file: BinaryIO, size: int, name: str) -> ExportedVersion:
    """Read an archive and check every file in it.

    Args:
        file: the archive, of which ``size`` bytes are there.
        size: in bytes.
        name: for messages.

    Raises:
        IntegrityError: it is damaged, or is not what ``write_archive`` writes, or a file in it is
            not the one that its metadata have the digest of.
    """
    try:
        members = dict(_members(_unzipped(file, max(_LEAST_LIMIT, _RATIO * size))))
    except _NoBundleError as error:
        raise _refused(name, str(error)) from None
    except _DAMAGED as error:
        raise _refused(name, str(error) or type(error).__name__) from None
    folders = {path.partition("/")[0] for path in members}
    number = folders.pop() if len(folders) == 1 else ""
    if not is_version(number) or f"{number}/{METADATA}" not in members:
        raise _refused(name, f"it does not hold one version with its {METADATA}")
    contents = {path.partition("/")[2]: data for path, data in members.items()}
    try:
        metadata = decode(contents[METADATA], Metadata, name=METADATA)
    except IntegrityError as error:
        raise _refused(name, str(error)) from None
    if metadata.version != number:
        raise _refused(name, f"{METADATA} in the folder {number} is of {metadata.version}")
    _check(contents, metadata, name)
    return ExportedVersion(parse_version(number), contents)


class _NoBundleError(Exception):
    """Something in an archive that ``write_archive`` does not write."""


def _members(archive: bytes) -> Iterator[tuple[str, bytes]]:
    seen: set[str] = set()
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:", tarinfo=_Plain) as members:
        for member in members:
            if member.name in seen:
                raise _NoBundleError(f"{member.name!r} is in it twice")
            seen.add(member.name)
            content = members.extractfile(member)
            assert content is not None
            yield member.name, content.read()


def _unzipped(file: BinaryIO, limit: int) -> bytes:
    with gzip.GzipFile(fileobj=file) as zipped:
        data = zipped.read(limit + 1)
    if len(data) > limit:
        raise _NoBundleError("unpacked it would be far larger than a model is")
    return data


class _Plain(tarfile.TarInfo):
    """A member without extensions, which may say other names and sizes, and be large themselves."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """As a TarInfo; called for every header."""
        member = super().frombuf(buf, encoding, errors)
        if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            raise _NoBundleError(f"{member.name!r} in it is no plain file")
        return member


def _check(contents: Mapping[str, bytes], metadata: Metadata, name: str) -> None:
    """Every file that is recorded is there, as recorded, and no other is."""
    if metadata.artifact.file != ARTIFACT:
        raise _refused(name, f"its model is not called {ARTIFACT}")
    records = {record.file: record for record in metadata.all_files()}
    for unknown in sorted(contents.keys() - records.keys() - set(_UNRECORDED)):
        raise _refused(name, f"its metadata do not know {unknown!r}")
    for record in records.values():
        if record.file not in contents:
            raise _refused(name, f"{record.file} is missing")
        if not _is(contents[record.file], record):
            raise _refused(name, f"{record.file} is not the file that was published")


def _is(data: bytes, record: FileRecord) -> bool:
    return len(data) == record.bytes and hashlib.sha256(data).hexdigest() == record.sha256


def _refused(name: str, why: str) -> IntegrityError:
    return IntegrityError(
        f"{name} cannot be imported: {why}",
        hint="textclf versions export VERSION FILE makes such a file",
    )

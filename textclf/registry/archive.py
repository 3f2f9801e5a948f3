"""A version as one file: a tar or zip archive, with the same bytes for the same version.

It holds a folder named like the version, as in the registry, and can be unpacked by ``tar`` or
``unzip``. What is read is not trusted: only the names, kinds and sizes that `write_archive` writes
are accepted, and no more bytes than a version in an archive of that size can have. Nothing but
these is kept in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from semver import Version

from textclf.errors import IntegrityError, UsageError
from textclf.metadata.schema import ARTIFACT, METADATA, SIGNATURE, Metadata, decode, file_problem
from textclf.metadata.versions import is_version, parse_version
from textclf.registry.archive_formats import (
    DAMAGED,
    ArchiveFormat,
    format_named,
    read_files,
    write_files,
)

__all__ = ["ArchiveFormat", "ExportedVersion", "format_named", "read_archive", "write_archive"]

_LEAST_LIMIT = 64 << 20
_MOST_COMPRESSION = 20
"""Models are compressed to a half or a tenth; gzip can compress zeros to a thousandth.

What can be compressed further, such as weights that are mostly zero, is stored as it is.
"""

_UNRECORDED = (METADATA, SIGNATURE)
"""Files whose digests are not in the metadata."""


@dataclass(frozen=True)
class ExportedVersion:
    """A version outside a registry: its number, and its files by name, each checked."""

    version: Version
    files: Mapping[str, bytes]


def write_archive(
    exported: ExportedVersion, file: BinaryIO, archive_format: ArchiveFormat = ArchiveFormat.GZIP
) -> None:
    """Write an archive, without owners, times and the name of the file.

    Raises:
        UsageError: the format cannot hold the version.
    """
    files = {f"{exported.version}/{name}": data for name, data in exported.files.items()}
    begin = file.tell()
    write_files(files, file, archive_format, compressed=True)
    if sum(map(len, files.values())) <= _limit(file.tell() - begin):
        return
    if not archive_format.can_store:
        raise UsageError(
            f"as {archive_format} the version would be so small that import refuses it",
            hint="write .tar.gz",
        )
    file.seek(begin)
    write_files(files, file, archive_format, compressed=False)  # longer than what it overwrites


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
        members = read_files(file, _limit(size))
    except DAMAGED as error:
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

"""Find and read the versions of a registry; every file is checked against its recorded digest."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from semver import Version

from textclf.errors import IntegrityError, NoSuchVersion, StoreError
from textclf.metadata.schema import (
    ARTIFACT,
    LARGEST_METADATA,
    METADATA,
    FileListing,
    FileRecord,
    Metadata,
    Summary,
    decode,
    file_problem,
    sha256,
)
from textclf.metadata.versions import is_version, parse_version
from textclf.registry import layout, naming
from textclf.registry.logs import RegistryLogs
from textclf.registry.signatures import Signatures
from textclf.registry.signing import PublicKey
from textclf.registry.store.base import Missing, Store, View, read_or_none

Described = TypeVar("Described", FileListing, Metadata, Summary)


class RegistryReader(RegistryLogs):
    """All versions of one model in one store, to be read.

    Attributes:
        signatures: the signatures of versions, and which one is required.
    """

    def __init__(self, store: Store, signed_by: PublicKey | None = None) -> None:
        super().__init__(store)
        self.signatures = Signatures(store, self.events, signed_by)

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy opens the store anew, and has read nothing of it yet."""
        return type(self), (self.store, self.signed_by)

    @property
    def signed_by(self) -> PublicKey | None:
        """The key whose signature a version needs to be promoted or read."""
        return self.signatures.required

    # -- which versions there are ----------------------------------------------------------------

    def numbers(self) -> list[Version]:
        """Return the numbers of all folders, lowest first, with or without metadata."""
        return _numbers(self.store.names())

    def is_published(self, version: Version) -> bool:
        """Whether a version has its metadata, the last file to appear and the first to go."""
        return self.store.exists(layout.version_file(version, METADATA))

    def versions(self) -> list[Version]:
        """Return every published version whose folder can be read, lowest first."""
        return _numbers(self.store.folders_with(METADATA))

    def highest(
        self, line: tuple[int, ...] = (), numbers: Sequence[Version] | None = None
    ) -> Version | None:
        """Return the highest version to go on from, of those whose number begins with ``line``.

        Where signatures are required, that is the highest signed one: no other decides on anything.

        Args:
            line: how its number begins.
            numbers: the numbers of all folders, if they were listed just now.
        """
        numbers = self.numbers() if numbers is None else numbers
        highest_first = (v for v in reversed(numbers) if v.to_tuple()[: len(line)] == line)
        counts = self._is_signed if self.signed_by else self.is_published
        return next((v for v in highest_first if counts(v)), None)

    def _is_signed(self, version: Version) -> bool:
        with contextlib.suppress(NoSuchVersion, IntegrityError, StoreError):
            return bool(self.metadata(version))
        return False

    def summaries(
        self, versions: Sequence[Version] | None = None
    ) -> Iterator[Summary | IntegrityError | StoreError]:
        """Yield the main fields of versions, or why they cannot be read.

        Args:
            versions: the versions; by default all, highest first. One that is not published has no
                main fields.
        """
        versions = self.numbers()[::-1] if versions is None else versions
        keys = [layout.version_file(version, METADATA) for version in versions]
        contents = self.store.read_many(keys, LARGEST_METADATA)
        for version, content in zip(versions, contents, strict=True):
            try:
                yield self._parse(version, self._checked(version, content), Summary)
            except NoSuchVersion:
                continue
            except (IntegrityError, StoreError) as error:
                yield error

    def _checked(self, version: Version, content: bytes | Missing | StoreError) -> bytes:
        """Return content of a version's metadata file; raise the error that stands in its place."""
        if isinstance(content, StoreError):
            raise content
        return self.metadata_bytes(version) if isinstance(content, Missing) else content

    def resolve(self, name: str) -> Version:
        """Return the version that ``1.1.0``, ``v1.1.0``, ``previous`` or a channel names.

        Raises:
            NoSuchVersion: it is not published.
        """
        return naming.resolve(self, name)

    # -- what is in a version --------------------------------------------------------------------

    def metadata_bytes(self, version: Version) -> bytes:
        """Return a version's metadata file as it is.

        Raises:
            NoSuchVersion: the version is not published.
            IntegrityError: something else stands in the place of the file.
            StoreError: it cannot be read.
        """
        data = self.metadata_or_none(version)
        if data is None:
            raise naming.unknown_version(self, version)
        return data

    def metadata_or_none(self, version: Version) -> bytes | None:
        """Return a version's metadata file; ``None`` if the version is not published."""
        for _ in range(2):
            data = read_or_none(
                self.store, layout.version_file(version, METADATA), LARGEST_METADATA
            )
            if data is not None or not self.is_published(version):
                return data
        raise self._damaged(version, METADATA, "is not a file")  # else it was published meanwhile

    def unverified_metadata(self, version: Version) -> Metadata:
        """Return a version's metadata, whoever wrote it: only to be shown. See `metadata`."""
        return self._parse(version, self.metadata_bytes(version), Metadata)

    def file_listing(self, version: Version) -> FileListing:
        """Return which files a version has by its metadata, whoever wrote them. See `metadata`."""
        return self._parse(version, self.metadata_bytes(version), FileListing)

    def metadata(self, version: Version) -> Metadata:
        """Return a version's metadata, to be relied on.

        Raises:
            NoSuchVersion: the version is not published.
            IntegrityError: the file is damaged, was changed after the version's promotion, or lacks
                the signature that is required.
        """
        return self.verified_metadata(version)[0]

    def verified_metadata(self, version: Version) -> tuple[Metadata, bytes]:
        """Return a version's metadata and the bytes of their file. Raises like `metadata`."""
        data = self.metadata_bytes(version)
        if problem := self.signatures.problem(version, data):
            raise IntegrityError(
                f"{self.locate(version, METADATA)} {problem}",
                hint=f"if you trust its content: textclf sign {version} --key KEY",
            )
        metadata = self._parse(version, data, Metadata)
        self.require_unchanged(version, data)
        return metadata, data

    def signature_problem(self, version: Version) -> str | None:
        """Say what is wrong with a version's signature, if one is required."""
        return self.signatures.problem(version, self.metadata_bytes(version))

    def artifact(self, version: Version) -> bytes:
        """Return a version's model file. Raises like `metadata`, and IntegrityError if damaged."""
        return self.read_recorded(version, self.metadata(version).artifact)

    def file(self, version: Version, name: str) -> bytes | None:
        """Return a further file of a version, or ``None`` if it has none such. See `artifact`."""
        record = _record(self.metadata(version).files, name)
        return self.read_recorded(version, record) if record else None

    def view(self, version: Version, name: str) -> View | None:
        """Return a further file of a version without reading it, or ``None`` if it has none such.

        The size is checked, but the digest only if a signature is required: this is for files that
        are safe to read by themselves, and too large to be read at each start.

        Raises:
            NoSuchVersion: the version is not published.
            IntegrityError: the file is missing, or has another size than was published.
        """
        if self.signed_by:
            return self.file(version, name)
        record = _record(self.file_listing(version).files, name)
        if record is None:
            return None
        try:
            view = self.store.view(layout.version_file(version, name), record.sha256)
        except Missing:
            raise self._damaged(version, name, "is missing") from None
        if len(view) != record.bytes:
            problem = f"is not the file that was published (it has {len(view):,} bytes)"
            raise self._damaged(version, name, problem)
        return view

    def read_recorded(self, version: Version, record: FileRecord) -> bytes:
        """Return a file of a version that its metadata records, checked against the digest."""
        data = read_or_none(self.store, layout.version_file(version, record.file))
        if data is None and not self.is_published(version):
            raise naming.unknown_version(self, version)  # it is being pruned
        if problem := file_problem(data, record):
            raise self._damaged(version, record.file, problem)
        assert data is not None
        return data

    def require_unchanged(self, version: Version, metadata: bytes) -> None:
        """Raise IntegrityError if metadata are not those that the version had when promoted."""
        first = self.first_promotion(str(version))
        if first and first.metadata_sha256 != sha256(metadata):
            raise IntegrityError(
                f"{self.locate(version, METADATA)} was changed after its promotion",
                hint="restore it from a copy, or train again",
            )

    def locate(self, version: Version, file: str = ARTIFACT) -> str:
        """Return the location of a file of a version; that of the model is for ``joblib.load``."""
        return self.store.locate(layout.version_file(version, file))

    def _damaged(self, version: Version, name: str, problem: str) -> IntegrityError:
        return IntegrityError(f"{self.locate(version, name)} {problem}", hint="textclf verify")

    def _parse(self, version: Version, data: bytes, kind: type[Described]) -> Described:
        location = self.locate(version, METADATA)
        described = decode(data, kind, name=location)
        if described.version != str(version):
            raise IntegrityError(
                f"{location} says it is version {described.version}",
                hint="was the folder copied or renamed? a version keeps its number",
            )
        return described


def _numbers(names: Iterable[str]) -> list[Version]:
    """Return those of the names that are numbers of versions, lowest first."""
    numbers = (parse_version(name) for name in names if is_version(name))
    return sorted(numbers, key=Version.to_tuple)  # their own comparison is slow for thousands


def _record(files: list[FileRecord], name: str) -> FileRecord | None:
    return next((record for record in files if record.file == name), None)

"""Publish versions: plan a number, create the files, export them, and import them elsewhere.

The files of a version appear in an order with the model first, which claims the number, and the
metadata last. A folder without metadata is therefore not a version, but its number stays reserved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from semver import Version

from textclf.errors import IntegrityError, TextclfError
from textclf.metadata.bump import Recipe, infer_bump
from textclf.metadata.schema import (
    ARTIFACT,
    METADATA,
    SIGNATURE,
    BumpRecord,
    FileRecord,
    Metadata,
    decode,
    encode,
    sha256,
)
from textclf.metadata.sketch import Sketch
from textclf.metadata.versions import Bump, line, next_version, parse_version
from textclf.registry import layout
from textclf.registry.event_log import EventKind
from textclf.registry.promotion_log import utc_now
from textclf.registry.reader import RegistryReader
from textclf.registry.signing import Signer
from textclf.registry.store.base import Exists, Incomplete, read_or_none, retry_on_conflict

_OTHER_WRITER = (
    "another writer may be publishing it; a day after it has died, textclf verify --repair removes "
    "what it has left"
)


class Plan(msgspec.Struct, frozen=True):
    """The number that a training would get.

    Attributes:
        version: the number; ``None`` if nothing changed.
        bump: the bump with its reasons, as the metadata will have it.
        inferred: the bump that the changes call for, whatever was requested.
    """

    version: Version | None
    bump: BumpRecord
    inferred: Bump | None = None


def plan(
    registry: RegistryReader,
    recipe: Recipe,
    rows: Sketch | None,
    requested: str,
    base: Version | None,
) -> Plan:
    """Plan the next number; see `Registry.plan`."""
    base = base or registry.highest()
    if base is None:
        first = "the first signed version" if registry.signed_by else "the first version"
        bump = BumpRecord(requested, Bump.MAJOR, [first], None)
        return Plan(next_number(registry, None, Bump.MAJOR), bump)
    earlier = registry.metadata(base)
    overlap = earlier.sketch.overlap(rows) if earlier.sketch and rows else None
    inferred = infer_bump(earlier.recipe(), recipe, rows_in_common=overlap)
    reasons = list(inferred.reasons) or [f"nothing changed since {base}"]
    applied = inferred.bump if requested == "auto" else Bump(requested)
    bump = BumpRecord(requested, applied or "none", reasons, str(base))
    if applied is None:
        return Plan(None, bump, inferred.bump)
    return Plan(next_number(registry, base, applied), bump, inferred.bump)


def reserved_numbers(registry: RegistryReader) -> set[Version]:
    """Return the numbers that are not given again: those of all folders, and all in the logs."""
    return {*registry.numbers(), *_logged_numbers(registry)}


def _logged_numbers(registry: RegistryReader) -> set[Version]:
    listed = registry.store.log_names()
    promoted = (record.to for record in registry.promotions_of_all(listed))
    noted = (event.version for event in registry.events.readable_records(listed))
    return {*map(parse_version, promoted), *map(parse_version, noted)}


def abandoned_numbers(registry: RegistryReader) -> list[Version]:
    """Return the numbers of folders whose writers died before there was a version.

    No log names them, so nobody has ever seen such a version.

    Raises:
        StoreError: the logs cannot be read.
    """
    folders = registry.numbers()
    published = set(registry.versions())  # listed last: a version may be published at any moment
    incomplete = [version for version in folders if version not in published]
    logged = _logged_numbers(registry) if incomplete else set()
    return [
        version
        for version in incomplete
        if version not in logged
        and registry.store.why_incomplete(str(version)) is Incomplete.ABANDONED
    ]


def next_number(registry: RegistryReader, base: Version | None, bump: Bump) -> Version:
    """Return the number that follows ``base``: above its line's versions, and those in the logs.

    A folder that is not a version reserves its own number, and none below it.
    """
    numbers = registry.numbers()
    highest = registry.highest(line(base, bump), numbers)
    used = _logged_numbers(registry) | ({highest} if highest else set())
    return next_version(base, bump, used, set(numbers))


def publish(
    registry: RegistryReader,
    metadata: Metadata,
    artifact: bytes,
    further_files: Callable[[Metadata], Mapping[str, bytes]],
    sign: Signer | None,
) -> Metadata:
    """Create a new version; see `Registry.publish`."""
    registry.store.sweep()

    def attempt() -> Metadata:
        version = _free_number(registry, metadata)
        numbered = msgspec.structs.replace(metadata, version=str(version), saved_at=utc_now())
        further = further_files(numbered)
        records = [FileRecord(name, sha256(data), len(data)) for name, data in further.items()]
        published = msgspec.structs.replace(numbered, files=records)
        data = encode(published)
        decode(data, Metadata, name=METADATA)  # raises if nobody could read it
        signature = {SIGNATURE: sign(data)} if sign else {}
        contents = {ARTIFACT: artifact, **further, **signature, METADATA: data}
        registry.store.create_all(str(version), contents)
        _require_first(registry, version, sha256(data))
        return published

    return retry_on_conflict(attempt)


def _require_first(registry: RegistryReader, version: Version, digest: str) -> None:
    """Remove a version again if another one of its number was published and pruned meanwhile.

    The number was free when it was looked for, and the folder when it was created.

    Raises:
        Exists: that is so.
    """
    pruned = registry.events.version_state(version).pruned
    if pruned and pruned.detail.get("metadata_sha256") != digest:
        registry.store.remove_all(str(version), first=METADATA)
        raise Exists(str(version))


def _free_number(registry: RegistryReader, metadata: Metadata) -> Version:
    """Return the number that was planned for a version; if it was taken since, the next one."""
    planned = parse_version(metadata.version)
    if planned not in reserved_numbers(registry):
        return planned
    base = parse_version(metadata.bump.base) if metadata.bump.base else None
    return next_number(registry, base, Bump(metadata.bump.applied))


def export_files(registry: RegistryReader, version: Version) -> dict[str, bytes]:
    """Return every file of a version; see `Registry.export_files`."""
    metadata, data = registry.verified_metadata(version)
    signatures = registry.signatures.valid(registry.signatures.read(version), data)
    return {
        METADATA: data,
        **({SIGNATURE: signatures[0]} if signatures else {}),
        **{file.file: registry.read_recorded(version, file) for file in metadata.all_files()},
    }


def import_version(
    registry: RegistryReader, version: Version, files: Mapping[str, bytes], source: str
) -> bool:
    """Create a version that was published in another registry; see `Registry.import_version`."""
    signatures = [files[SIGNATURE]] if SIGNATURE in files else []
    if problem := registry.signatures.problem_among(signatures, files[METADATA]):
        raise IntegrityError(
            f"{version} in {source} {problem}",
            hint="it was not imported; export it again where it is signed",
        )
    is_new = create_copy(registry, version, files)
    if not is_new and not registry.events.version_state(version).pruned:
        return False
    detail = {"metadata_sha256": sha256(files[METADATA]), "from": source}
    registry.events.append_event(EventKind.IMPORTED, version, detail=detail)
    return True


def create_copy(registry: RegistryReader, version: Version, files: Mapping[str, bytes]) -> bool:
    """Create a version with the files that it has elsewhere; no log is changed.

    Returns:
        False if that very version is in this registry already.

    Raises:
        TextclfError: the number is, or was, that of another version.
        IntegrityError: that very version is here, but a file of it is damaged.
    """
    digest = sha256(files[METADATA])
    require_free(registry, version, digest)
    names = [ARTIFACT, *sorted(files.keys() - {ARTIFACT, METADATA}), METADATA]
    pruned = registry.events.version_state(version).pruned
    try:
        registry.store.sweep()
        ordered = {name: files[name] for name in names}
        # what is left of a pruned version may be about to be removed, so it is not completed
        registry.store.create_all(str(version), ordered, resume=pruned is None)
    except Exists:
        require_free(registry, version, digest)
        if not registry.is_published(version):
            raise TextclfError(
                f"{version} cannot be imported while files of it without metadata are there",
                hint="textclf verify --repair finishes a removal" if pruned else _OTHER_WRITER,
            ) from None
        export_files(registry, version)  # raises if a file is damaged
        return False
    return True


def require_free(registry: RegistryReader, version: Version, digest: str) -> None:
    """Raise TextclfError if the number is, or was, that of a version with other metadata.

    Args:
        registry: the registry.
        version: the number.
        digest: the SHA-256 of the metadata file of the version that is to get it.
    """
    current = read_or_none(registry.store, layout.version_file(version, METADATA))
    known = {sha256(current)} if current is not None else _known_digests(registry, version)
    if known == {digest} or (not known and version not in _logged_numbers(registry)):
        return
    verb = "is" if current is not None else "was"
    raise TextclfError(
        f"{version} {verb} another version in {registry.store.locate()}; numbers are not reused",
        hint="another registry can take it: textclf versions import FILE --models DIR, or "
        "textclf versions push",
    )


def _known_digests(registry: RegistryReader, version: Version) -> set[str]:
    """Return what the logs say of the metadata of a version that is not in the registry."""
    first = registry.first_promotion(str(version))
    promoted = first and first.metadata_sha256
    events = (event for event in registry.events.records() if event.version == str(version))
    noted = (event.detail.get("metadata_sha256") for event in events)
    return {digest for digest in (promoted, *noted) if isinstance(digest, str)}

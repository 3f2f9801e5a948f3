"""The registry of model versions: publish, resolve, promote, remove.

The only file that knows what lies where in ``models/`` (docs/registry.md draws it). A version is
one folder, created in one step and never touched again. What is "latest" is said by the highest
record of an append-only log; the file that clients load, the alias, is a byte copy that follows the
log.
"""

from __future__ import annotations

import contextlib
import platform
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from semver import Version

from textclf.errors import IntegrityError, NoSuchVersion, StoreError, TextclfError
from textclf.metadata.bump import Recipe, infer_bump
from textclf.metadata.schema import (
    ARTIFACT,
    METADATA,
    SIGNATURE,
    BumpRecord,
    FileListing,
    FileRecord,
    Metadata,
    Summary,
    decode,
    encode,
    file_problem,
    sha256,
)
from textclf.metadata.sketch import Sketch
from textclf.metadata.verdict import Verdict
from textclf.metadata.versions import Bump, is_version, next_version, parse_version
from textclf.registry.promotion_log import AppendOnlyLog, Event, PromotionRecord
from textclf.registry.pruning import Pruner, describe_pruning
from textclf.registry.signing import PublicKey, Signer
from textclf.registry.store.base import Exists, Missing, Store, View
from textclf.registry.version_state import EventKind, VersionState, check_tags

if TYPE_CHECKING:
    from textclf.registry.verification import Verification

Described = TypeVar("Described", FileListing, Metadata, Summary)

Judge = Callable[[Version | None], Verdict]
"""Looks at a version about to be promoted, given the one that is promoted now."""

_PROMOTIONS = ".registry/promotions"
_EVENTS = ".registry/events"
_REPLACED = ".registry/replaced"
_SIGNATURES = ".registry/signatures"


class Plan(msgspec.Struct, frozen=True):
    """The next version's number (``None``: nothing changed), the bump, and what was inferred."""

    version: Version | None
    bump: BumpRecord
    inferred: Bump | None = None


class Promotion(msgspec.Struct, frozen=True):
    """What a promotion did.

    ``kept`` is where a file that nobody published was moved to, ``gate`` what the version passed.
    """

    version: str
    previous: str | None
    changed: bool
    kept: str | None = None
    gate: Verdict | None = None


class Registry:
    """All versions of one model in one store.

    Attributes:
        signed_by: the key whose signature a version needs to be promoted or read; None: it needs
            no signature.
    """

    def __init__(self, store: Store, signed_by: PublicKey | None = None) -> None:
        self.signed_by = signed_by
        self._store = store
        self._log = AppendOnlyLog(store, _PROMOTIONS, PromotionRecord, "a promotion record")
        self._events = AppendOnlyLog(store, _EVENTS, Event, "an event")
        self._pruner = Pruner(store, self._log, self._events, self.append_event)

    # -- versions ---------------------------------------------------------------------------------

    def numbers(self) -> list[Version]:
        """Every number in use, lowest first; a folder that lacks its metadata is no version yet."""
        found = (parse_version(name) for name in self._store.names() if is_version(name))
        return sorted(found, key=Version.to_tuple)  # their own comparison is slow for thousands

    def versions(self) -> list[Version]:
        """Every published version, lowest first."""
        return [v for v in self.numbers() if METADATA in self._store.names(str(v))]

    def summaries(self) -> Iterator[Summary | IntegrityError]:
        """The head data of every version, highest first; where it is damaged, the error."""
        for version in reversed(self.numbers()):
            try:
                yield self._decode(version, Summary)
            except NoSuchVersion:
                continue
            except IntegrityError as error:
                yield error

    def highest(self) -> Version | None:
        """The highest published version."""
        numbered = reversed(self.numbers())
        return next((v for v in numbered if METADATA in self._store.names(str(v))), None)

    def resolve(self, name: str) -> Version:
        """``1.1.0``, ``v1.1.0``, ``latest`` or ``previous`` as a version that exists.

        Raises:
            NoSuchVersion: there is none of that name.
        """
        if name == "latest":
            return self._there(name, self._latest(self._log.head()))
        if name == "previous":
            return self._there(name, self._previous(self._log.head()))
        try:
            version = parse_version(name)
        except ValueError:
            raise NoSuchVersion(
                f"{name!r} is not a version: versions look like 1.1.0, latest or previous",
                hint="textclf versions list",
            ) from None
        if METADATA not in self._store.names(str(version)):
            raise self._unknown(version)
        return version

    def latest(self) -> Version | None:
        """The promoted version."""
        head = self._log.head()
        return parse_version(head.to) if head else None

    def promotion_number(self) -> int:
        """The number of the promotion that says what is latest; 0 where there was none."""
        head = self._log.head()
        return head.n if head else 0

    def promoted_since(self, n: int) -> bool:
        """Whether there was a promotion after that number: one look at the disk."""
        return self._log.has(n + 1)

    def metadata(self, version: Version) -> Metadata:
        """All that is recorded of a version, and may be relied on.

        Raises:
            NoSuchVersion: it is not published.
            IntegrityError: it is damaged, or has not the signature that is required.
        """
        data = self._metadata_file(version)
        if problem := self._signature_problem(self._signatures(version), data):
            raise IntegrityError(
                f"{self.locate(version, METADATA)} {problem}",
                hint=f"if you know that it is as you made it: textclf sign {version} --key KEY",
            )
        return self._decoded(version, data, Metadata)

    def unverified_metadata(self, version: Version) -> Metadata:
        """What a version's metadata says, whoever wrote it: to look at. Raises like metadata."""
        return self._decode(version, Metadata)

    def signature_problem(self, version: Version) -> str | None:
        """What is wrong with a version's signature, where one is required."""
        return self._signature_problem(self._signatures(version), self._metadata_file(version))

    def artifact(self, version: Version) -> bytes:
        """The bytes of a version's model file, checked against their digest.

        Raises:
            NoSuchVersion: it is not published.
            IntegrityError: the file is missing or differs from its digest.
        """
        return self._checked(version, self.metadata(version).artifact)

    def file(self, version: Version, name: str) -> bytes | None:
        """The bytes of a further file of a version, checked; ``None`` if it was published without.

        Raises:
            NoSuchVersion: it is not published.
            IntegrityError: the file is missing or differs from its digest.
        """
        records = (each for each in self.metadata(version).files if each.file == name)
        record = next(records, None)
        return self._checked(version, record) if record else None

    def view(self, version: Version, name: str) -> View | None:
        """A further file of a version, where it lies; ``None`` if it was published without.

        Its size is checked. Its digest is only where a signature is required: this is for files
        that are safe to read by themselves, and too large to be read each time. Nothing of other
        versions is read.

        Raises:
            NoSuchVersion: it is not published.
            IntegrityError: the file is missing, or is seen not to be what was published.
        """
        if self.signed_by:
            return self.file(version, name)
        records = self._decode(version, FileListing).files
        record = next((each for each in records if each.file == name), None)
        if record is None:
            return None
        try:
            view = self._store.view(f"{version}/{name}")
        except Missing:
            raise self._not_published(version, name, "is missing") from None
        if len(view) != record.bytes:
            problem = f"is not the file that was published (it has {len(view):,} bytes)"
            raise self._not_published(version, name, problem)
        return view

    def _whole(self, version: Version) -> bytes:
        """The model file, once every file of the version was checked."""
        artifact, *further = self.metadata(version).all_files()
        for record in further:
            self._checked(version, record)
        return self._checked(version, artifact)

    def _not_published(self, version: Version, name: str, problem: str) -> IntegrityError:
        return IntegrityError(f"{self.locate(version, name)} {problem}", hint="textclf verify")

    def _checked(self, version: Version, record: FileRecord) -> bytes:
        data = self._read(f"{version}/{record.file}")
        if data is None and METADATA not in self._store.names(str(version)):
            raise self._unknown(version)  # it is being pruned
        if problem := file_problem(data, record):
            raise self._not_published(version, record.file, problem)
        assert data is not None
        return data

    def locate(self, version: Version, file: str = ARTIFACT) -> str:
        """Where a file of a version lies, for people; the model file is for ``joblib.load``."""
        return self._store.locate(f"{version}/{file}")

    # -- publishing -------------------------------------------------------------------------------

    def plan(self, recipe: Recipe, rows: Sketch, *, requested: str, base: Version | None) -> Plan:
        """The number a training would get, and why.

        Args:
            recipe: what is about to be trained.
            rows: sketch of its training rows.
            requested: ``auto``, or the bump asked for.
            base: the version to go on from; the highest when ``None``.
        """
        base = base or self.highest()
        if base is None:
            bump = BumpRecord(requested, Bump.MAJOR, ["the first version"], None)
            return Plan(next_version(None, Bump.MAJOR, self.reserved_numbers()), bump)
        before = self.unverified_metadata(base)  # which only decide on a number
        found = infer_bump(before.recipe(), recipe, rows_in_common=before.data.sketch.overlap(rows))
        reasons = list(found.reasons) or [f"nothing changed since {base}"]
        applied = found.bump if requested == "auto" else Bump(requested)
        record = BumpRecord(requested, applied or "none", reasons, str(base))
        if applied is None:
            return Plan(None, record, found.bump)
        return Plan(next_version(base, applied, self.reserved_numbers()), record, found.bump)

    def reserved_numbers(self) -> set[Version]:
        """Numbers that are not given again: existing ones and all that either log names."""
        taken = set(self.numbers())
        for n in self._log.numbers():
            with contextlib.suppress(IntegrityError):  # told by verify; no reason not to publish
                taken.add(parse_version(self._log.read(n).to))
        for n in self._events.numbers():
            with contextlib.suppress(IntegrityError):
                taken.add(parse_version(self._events.read(n).version))
        return taken

    def require_writable(self) -> None:
        """Raise StoreError if a version could not be published: better before a long search."""
        self._store.require_writable()

    def publish(
        self,
        metadata: Metadata,
        artifact: bytes,
        files: Mapping[str, bytes] | None = None,
        *,
        pages: Callable[[Metadata], Mapping[str, bytes]] = lambda _: {},
        sign: Signer | None = None,
    ) -> Metadata:
        """Make a new version, whole, under the metadata's number or the next free one.

        Args:
            metadata: what is known of it; the number, the time and ``files`` are filled in here.
            artifact: the model file.
            files: further files of the version, by name.
            pages: makes more of them from the metadata with its number and time, still without
                ``files``; called again where a rival takes the number.
            sign: makes the signature of the metadata file, which is published with it.

        Returns:
            The metadata as published: with its number and the time.
        """
        self._store.sweep()
        version = parse_version(metadata.version)
        base = parse_version(metadata.bump.base) if metadata.bump.base else None
        while True:
            if version in (taken := self.reserved_numbers()):
                version = next_version(base, Bump(metadata.bump.applied), taken)
            numbered = msgspec.structs.replace(metadata, version=str(version), saved_at=_now())
            more = {**(files or {}), **pages(numbered)}
            records = [FileRecord(name, sha256(data), len(data)) for name, data in more.items()]
            published = msgspec.structs.replace(numbered, files=records)
            data = encode(published)
            signed = {SIGNATURE: sign(data)} if sign else {}
            try:
                self._store.create_folder(
                    str(version), {ARTIFACT: artifact, **more, **signed, METADATA: data}
                )
            except Exists:
                continue  # a rival was faster; its number is taken now
            return published

    # -- signatures -------------------------------------------------------------------------------

    def sign(self, version: Version, sign: Signer) -> str:
        """Sign a version that is published: one without a signature, or with that of another key.

        The version itself is not touched, the signature is kept beside it.

        Returns:
            Where.

        Raises:
            NoSuchVersion: it is not published.
            IntegrityError: a file of it is not what was published, or promoted.
        """
        data = self._metadata_file(version)
        metadata = self._decoded(version, data, Metadata)
        if self.promoted_metadata().get(str(version), sha256(data)) != sha256(data):
            raise IntegrityError(
                f"{self.locate(version, METADATA)} was changed after its promotion",
                hint="restore it from a copy, or train again",
            )
        for record in metadata.all_files():
            self._checked(version, record)
        signature = sign(data)
        key = f"{_SIGNATURES}/{version}/{sha256(signature)[:12]}.sig"
        with contextlib.suppress(Exists):
            self._store.create(key, signature)
            self.append_event("signed", version, detail={"signature": key})
        return self._store.locate(key)

    def _signature_problem(self, signatures: Sequence[bytes], data: bytes) -> str | None:
        """What is wrong with the signatures of a metadata file, where one is required."""
        if not self.signed_by:
            return None
        self.signed_by.require_usable()  # or a wrong setting would be told as a wrong version
        if not signatures:
            return "is not signed"
        if not any(self.signed_by.verifies(signature, data) for signature in signatures):
            return f"is not signed with the key of {self.signed_by.path}"
        return None

    def _signatures(self, version: Version) -> list[bytes]:
        """The one it was published with, and those that were added."""
        folder = f"{_SIGNATURES}/{version}"
        keys = [f"{version}/{SIGNATURE}", *(f"{folder}/{n}" for n in self._store.names(folder))]
        return [found for key in keys if (found := self._read(key)) is not None]

    # -- promoting --------------------------------------------------------------------------------

    def promote(
        self, version: Version, *, message: str | None = None, judge: Judge | None = None
    ) -> Promotion:
        """Make a version the latest: append to the log, then let the alias follow.

        Promoting what is promoted already writes no record, but mends the alias.

        Args:
            version: which.
            message: why.
            judge: called with the version promoted until then, before anything is written; what it
                returns is kept in the record, and what it raises keeps the version from promotion.

        Raises:
            NoSuchVersion: it is not published.
            IntegrityError: a file of it is not what was published; nothing was changed.
        """
        return self._promote(lambda _: version, message, judge)

    def rollback(self, *, message: str | None = None) -> Promotion:
        """Promote what was promoted before. Raises NoSuchVersion when there is nothing before."""
        return self._promote(lambda head: self._there("previous", self._previous(head)), message)

    def _promote(
        self,
        choose: Callable[[PromotionRecord | None], Version],
        message: str | None,
        judge: Judge | None = None,
    ) -> Promotion:
        while True:
            head = self._log.head()
            version = choose(head)
            artifact = self._whole(version)
            if head and head.to == str(version):
                return Promotion(str(version), head.previous, changed=False, kept=self.sync_alias())
            gate = judge(parse_version(head.to) if head else None) if judge else None
            record = PromotionRecord(
                n=head.n + 1 if head else 1,
                at=_now(),
                to=str(version),
                sha256=sha256(artifact),
                metadata_sha256=sha256(self._metadata_file(version)),
                by=_who(),
                token=uuid.uuid4().hex,
                previous=head.to if head else None,
                message=message,
                gate=gate,
            )
            try:
                with self._pruner.promotion_hold(version):
                    self._log.create(record.n, record)
            except Exists:
                continue  # a rival was faster: look again at what is promoted
            kept = self._follow(record)
            return Promotion(str(version), record.previous, changed=True, kept=kept, gate=gate)

    def _follow(self, record: PromotionRecord) -> str | None:
        try:
            return self.sync_alias()
        except StoreError as error:
            error.hint = (
                f"the log says {record.to} now; when this is mended: textclf verify --repair"
            )
            raise

    def history(self) -> list[PromotionRecord]:
        """The promotion log, oldest first."""
        return self._log.records()

    def events(self) -> list[Event]:
        """What else was done to versions, or refused, oldest first."""
        return self._events.records()

    def append_event(
        self,
        kind: str,
        version: Version,
        *,
        message: str | None = None,
        detail: dict[str, Any] | None = None,
    ) -> Event:
        """Write down that something was done to a version, or refused."""

        def make(n: int) -> Event:
            return Event(
                n=n, at=_now(), kind=kind, version=str(version), by=_who(), message=message,
                token=uuid.uuid4().hex, detail=detail or {},
            )  # fmt: skip

        return self._events.append(make)

    # -- keeping house ----------------------------------------------------------------------------

    def version_states(self) -> dict[str, VersionState]:
        """By version, the tags that it has and whether it was pruned, where events tell of it."""
        return self._pruner.version_states()

    def tag(
        self, version: Version, changes: Mapping[str, str | None], *, message: str | None = None
    ) -> Mapping[str, str]:
        """Put tags on a version, or take them off (``None``).

        Returns:
            All tags that it has then.

        Raises:
            UsageError: a key or a value is none.
            NoSuchVersion: it is not published, or is being pruned.
        """
        check_tags(changes)
        self.resolve(str(version))
        tags = self._pruner.version_state(version).tags
        if all(tags.get(key) == value for key, value in changes.items()):
            return tags
        self.append_event(EventKind.TAGGED, version, message=message, detail=dict(changes))
        after = self._pruner.version_state(version)
        if after.pruned:
            raise NoSuchVersion(describe_pruning(after.pruned))
        return after.tags

    def prune_exemptions(self) -> dict[str, str]:
        """Versions that ``prune`` keeps, and what they are: latest, previous, tagged.

        Raises:
            IntegrityError: the log or an event is damaged, so that nobody knows.
        """
        return self._pruner.prune_exemptions()

    def prune(self, version: Version, *, message: str | None = None) -> str | None:
        """Remove a version for good; its number stays taken.

        Returns:
            Why it was kept all the same (see ``protected``); ``None``: it is gone.

        Raises:
            NoSuchVersion: it is not published.
            IntegrityError: the log or an event is damaged.
        """
        digest = sha256(self._metadata_file(version))
        return self._pruner.prune(version, message=message, metadata_sha256=digest)

    def export_files(self, version: Version) -> dict[str, bytes]:
        """Every file of a version by its name, the metadata first, each checked.

        Raises:
            NoSuchVersion: it is not published.
            IntegrityError: a file is missing, or is not what was published or promoted.
        """
        metadata, data = self.metadata(version), self._metadata_file(version)
        if self.promoted_metadata().get(str(version), sha256(data)) != sha256(data):
            raise IntegrityError(
                f"{self.locate(version, METADATA)} was changed after its promotion",
                hint="textclf verify",
            )
        signatures = self._signatures(version)
        required = self.signed_by
        good = [each for each in signatures if not required or required.verifies(each, data)]
        return {
            METADATA: data,
            **({SIGNATURE: good[0]} if good else {}),
            **{each.file: self._checked(version, each) for each in metadata.all_files()},
        }

    def import_version(
        self, version: Version, contents: Mapping[str, bytes], *, source: str
    ) -> bool:
        """Take in a version that was published in another registry, under its own number.

        Args:
            version: which.
            contents: as ``contents`` of that registry gave them, and checked.
            source: where they are from, for the record.

        Returns:
            False where that very version is here already.

        Raises:
            TextclfError: the number is, or was, another version's.
            IntegrityError: that very version is here, and a file of it is damaged; or it has not
                the signature that is required.
        """
        signatures = [contents[SIGNATURE]] if SIGNATURE in contents else []
        if problem := self._signature_problem(signatures, contents[METADATA]):
            raise IntegrityError(
                f"{version} in {source} {problem}",
                hint="it was not imported; export it again where it is signed",
            )
        digest = sha256(contents[METADATA])
        self._require_free(version, digest)
        try:
            self._store.sweep()
            self._store.create_folder(str(version), contents)
        except Exists:
            self._require_free(version, digest)
            self.export_files(version)  # or it is said that a file is damaged
            if not self._pruner.version_state(version).pruned:
                return False
        self.append_event(
            EventKind.IMPORTED, version, detail={"metadata_sha256": digest, "from": source}
        )
        return True

    def _require_free(self, version: Version, digest: str) -> None:
        """Whoever has, or had, this number must be that very version."""
        there = self._read(f"{version}/{METADATA}")
        known = {sha256(there)} if there is not None else self._known_digests(version)
        if known == {digest} or (not known and version not in self.reserved_numbers()):
            return
        was = "is" if there is not None else "was"
        raise TextclfError(
            f"{version} {was} another version in this registry; no number is given twice",
            hint="textclf versions import FILE --models DIR takes it into a registry of its own",
        )

    def _known_digests(self, version: Version) -> set[str]:
        """Of a version that is not there: what the logs say of its metadata."""
        promoted = self.promoted_metadata().get(str(version))
        events = (event for event in self.events() if event.version == str(version))
        noted = (event.detail.get("metadata_sha256") for event in events)
        return {digest for digest in (promoted, *noted) if isinstance(digest, str)}

    # -- checking ---------------------------------------------------------------------------------

    def verify(self, *, repair: bool = False) -> Verification:
        """Check every file of every version, the logs and the alias.

        ``repair`` mends what is derived (the alias), sweeps what was left half-written and goes on
        removing what was half pruned; else it never touches a version or the log.
        """
        from textclf.registry.verification import Verifier  # others start sooner without it

        verifier = Verifier(self, self._store, self._log, self._events, self._pruner)
        return verifier.verify(repair=repair)

    def promoted_metadata(self) -> dict[str, str]:
        """Of every version that was ever promoted, the digest its metadata had then.

        Records that cannot be read are passed over: ``verify`` tells of them.
        """
        digests: dict[str, str] = {}
        with contextlib.suppress(StoreError):
            for n in self._log.numbers():
                with contextlib.suppress(TextclfError):
                    record = self._log.read(n)
                    digests.setdefault(record.to, record.metadata_sha256)
        return digests

    def is_published(self, digest: str) -> bool:
        """Whether a model file of this digest was promoted here, or is a version's."""
        for n in reversed(self._log.numbers()):
            with contextlib.suppress(IntegrityError):  # a damaged record vouches for nothing
                if self._log.read(n).sha256 == digest:
                    return True
        return digest in self._published_digests()

    def _published_digests(self) -> Iterator[str]:
        for version in self.numbers():
            with contextlib.suppress(NoSuchVersion, IntegrityError):
                yield self.unverified_metadata(version).artifact.sha256

    # -- the alias --------------------------------------------------------------------------------

    def sync_alias(self) -> str | None:
        """Let the alias follow the head of the log; look again until it does.

        Returns:
            Where a file was kept that stood in the alias's place but was never promoted.
        """
        kept = None
        while head := self._log.head():
            found = self._read(ARTIFACT)
            if found is not None and sha256(found) == head.sha256:
                break
            promoted = self.artifact(parse_version(head.to))
            if sha256(promoted) != head.sha256:
                raise IntegrityError(
                    f"{head.to} is not the version that was promoted (its SHA-256 differs)",
                    hint="promote another version; textclf verify says more",
                )
            if found is not None:
                kept = self._keep_unknown(found) or kept
            self._store.replace(ARTIFACT, promoted)
        return kept

    def _keep_unknown(self, found: bytes) -> str | None:
        """Keep a file that is about to be replaced, unless it is a copy of a version's."""
        digest = sha256(found)
        if self.is_published(digest):
            return None
        key = f"{_REPLACED}/{digest[:12]}.joblib"
        with contextlib.suppress(Exists):
            self._store.create(key, found)
        return self._store.locate(key)

    # -- names ----------------------------------------------------------------------------------

    def _there(self, name: str, number: str) -> Version:
        version = parse_version(number)
        if METADATA not in self._store.names(number):
            event = self._pruner.version_state(version).pruned
            gone = (
                f"and {describe_pruning(event)}" if event else "whose folder is not there any more"
            )
            raise NoSuchVersion(
                f"{name} is {number}, {gone}",
                hint="textclf promote VERSION",
            )
        return version

    def _latest(self, head: PromotionRecord | None) -> str:
        if head is None:
            hint = "textclf promote VERSION" if self.numbers() else "textclf train"
            raise NoSuchVersion("no version has been promoted yet", hint=hint)
        return head.to

    def _previous(self, head: PromotionRecord | None) -> str:
        latest = self._latest(head)
        if head is None or head.previous is None:
            raise NoSuchVersion(
                f"nothing was promoted before {latest}", hint="textclf promote VERSION"
            )
        return head.previous

    def _read(self, key: str) -> bytes | None:
        try:
            return self._store.read(key)
        except Missing:
            return None

    def _metadata_file(self, version: Version) -> bytes:
        """As it is on disk. Raises NoSuchVersion."""
        data = self._read(f"{version}/{METADATA}")
        if data is None:
            raise self._unknown(version)
        return data

    def _decode(self, version: Version, kind: type[Described]) -> Described:
        return self._decoded(version, self._metadata_file(version), kind)

    def _decoded(self, version: Version, data: bytes, kind: type[Described]) -> Described:
        key = f"{version}/{METADATA}"
        found = decode(data, kind, name=self._store.locate(key))
        if found.version != str(version):
            raise IntegrityError(
                f"{self._store.locate(key)} says it is version {found.version}",
                hint="was the folder copied or renamed? a version keeps its number",
            )
        return found

    def _unknown(self, version: Version) -> NoSuchVersion:
        if event := self._pruner.version_state(version).pruned:
            return NoSuchVersion(describe_pruning(event), hint="textclf versions list")
        known = self.versions()
        if not known:
            return NoSuchVersion(f"no version {version}: there are none yet", hint="textclf train")
        near = sorted(known, key=lambda v: _distance(v, version))[:3]
        return NoSuchVersion(
            f"no version {version}; near it: {', '.join(map(str, sorted(near)))}",
            hint="textclf versions list",
        )


def _distance(one: Version, other: Version) -> tuple[int, ...]:
    return tuple(abs(a - b) for a, b in zip(one.to_tuple()[:3], other.to_tuple()[:3], strict=True))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _who() -> str:
    import getpass

    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container may run without a user entry
        user = "unknown"
    return f"{user}@{platform.node()}".encode("utf-8", "backslashreplace").decode()

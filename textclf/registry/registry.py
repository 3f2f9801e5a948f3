"""The registry of model versions: publish, promote, tag, prune. ``docs/registry.md`` draws it.

A version is one folder. It is complete when its metadata are there, which appear last, and its
files are never changed again. The head of an append-only log says which version is the latest; the
file that clients load, the alias, is a copy that follows the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from semver import Version

from textclf.metadata.channels import LATEST
from textclf.metadata.schema import Metadata, sha256
from textclf.registry.reader import RegistryReader
from textclf.registry.signing import PublicKey, Signer
from textclf.registry.store.base import Store

if TYPE_CHECKING:  # deferred at run time: commands that only read start faster
    from textclf.metadata.bump import Recipe
    from textclf.metadata.sketch import Sketch
    from textclf.registry.promotion import Judge, OnPromotion, Promotion
    from textclf.registry.publisher import Plan


class Registry(RegistryReader):
    """All versions of one model in one store, to be read and changed.

    Args:
        store: where all files are.
        signed_by: the key whose signature a version needs to be promoted or read; None if it needs
            no signature, whatever the environment says: `open_registry` obeys that.

    Attributes:
        on_promotion: takes the record of each promotion that is made through this object, once it
            is in the log; a copy of the object has none.
    """

    def __init__(self, store: Store, signed_by: PublicKey | None = None) -> None:
        super().__init__(store, signed_by)
        self.on_promotion: OnPromotion = lambda _: None

    # -- publishing ------------------------------------------------------------------------------

    def plan(
        self, recipe: Recipe, rows: Sketch | None, *, requested: str, base: Version | None
    ) -> Plan:
        """Return the number that a training would get, and why.

        Args:
            recipe: what is about to be trained.
            rows: the sketch of its training rows; ``None`` if they are not known.
            requested: ``auto``, or the bump that was asked for.
            base: the version to go on from; the highest if ``None``, where signatures are required
                the highest signed one.

        Raises:
            IntegrityError: the base is damaged, or lacks the signature that is required.
        """
        from textclf.registry import publisher

        return publisher.plan(self, recipe, rows, requested, base)

    def publish(
        self,
        metadata: Metadata,
        artifact: bytes,
        files: Mapping[str, bytes] | None = None,
        *,
        pages: Callable[[Metadata], Mapping[str, bytes]] = lambda _: {},
        sign: Signer | None = None,
    ) -> Metadata:
        """Create a new version under the metadata's number, or the next free one.

        Args:
            metadata: all that is known of it; the number, the time and ``files`` are set here.
            artifact: the model file.
            files: further files of the version, by name.
            pages: makes more files from the metadata with their number and time, but without
                ``files``; called again if another writer takes the number.
            sign: makes the signature of the metadata file, which is published with it.

        Returns:
            The metadata as published.
        """
        from textclf.registry import publisher

        def further_files(numbered: Metadata) -> dict[str, bytes]:
            return {**(files or {}), **pages(numbered)}

        return publisher.publish(self, metadata, artifact, further_files, sign)

    def export_files(self, version: Version) -> dict[str, bytes]:
        """Return every file of a version by its name, the metadata first, each checked.

        Raises:
            NoSuchVersion: the version is not published.
            IntegrityError: a file is missing, or is not what was published or promoted.
        """
        from textclf.registry import publisher

        return publisher.export_files(self, version)

    def import_version(self, version: Version, files: Mapping[str, bytes], *, source: str) -> bool:
        """Create a version that was published in another registry, under its own number.

        Args:
            version: the number.
            files: every file by its name, as `export_files` of that registry returned them, and
                checked.
            source: where they are from, for the event log.

        Returns:
            False if that very version is in this registry already.

        Raises:
            TextclfError: the number is, or was, that of another version.
            IntegrityError: that very version is here, but a file of it is damaged; or it lacks the
                signature that is required.
        """
        from textclf.registry import publisher

        return publisher.import_version(self, version, files, source)

    def sign(self, version: Version, sign: Signer) -> str:
        """Sign a published version that has no signature, or that of another key.

        The version itself is not changed: the signature is stored beside it.

        Returns:
            The location of the signature.

        Raises:
            NoSuchVersion: the version is not published.
            IntegrityError: a file is not what was published or promoted.
        """
        data = self.metadata_bytes(version)
        self.require_unchanged(version, data)
        for record in self.unverified_metadata(version).all_files():
            self.read_recorded(version, record)
        return self.signatures.add(version, data, sign)

    # -- promoting -------------------------------------------------------------------------------

    def promote(
        self,
        version: Version,
        *,
        message: str | None = None,
        judge: Judge | None = None,
        channel: str = LATEST,
    ) -> Promotion:
        """Make a version the promoted one of a channel: append to its log.

        The alias follows ``latest``. If the version is promoted already, no record is written, but
        the alias is repaired.

        Args:
            version: the version.
            message: why.
            judge: called with the version promoted until then, before anything is written; what it
                returns is kept in the record, and what it raises prevents the promotion.
            channel: the channel.

        Raises:
            NoSuchVersion: the version is not published.
            IntegrityError: a file of it is not what was published; nothing was changed.
            UsageError: the channel's name is not valid.
        """
        from textclf.registry import promotion

        target = promotion.Target(version)
        return promotion.promote_chosen(self, lambda _: target, message, judge, channel)

    def rollback(
        self,
        *,
        steps: int = 1,
        to: Version | None = None,
        message: str | None = None,
        channel: str = LATEST,
    ) -> Promotion:
        """Promote again what was promoted before.

        Two rollbacks in a row go further back. The log says which record each of them restored.

        Args:
            steps: how many promotions to go back.
            to: the version to go back to, instead; it was promoted before.
            message: why.
            channel: the channel.

        Raises:
            NoSuchVersion: the log does not go back that far, or that version no longer exists.
            UsageError: the channel's name is not valid.
        """
        from textclf.registry import promotion

        log = self.channel(channel)
        return promotion.promote_chosen(
            self,
            lambda head: promotion.rollback_target(self, log, head, steps=steps, to=to),
            message,
            None,
            channel,
        )

    # -- tags and removal ------------------------------------------------------------------------

    def tag(
        self, version: Version, changes: Mapping[str, str | None], *, message: str | None = None
    ) -> Mapping[str, str]:
        """Set tags of a version, or remove them (``None``), and return all that it has then.

        Raises:
            UsageError: a key or a value is not valid.
            NoSuchVersion: the version is not published, or is being pruned.
        """
        return self.events.tag(self.resolve(str(version)), changes, message)

    def prune(self, version: Version, *, message: str | None = None) -> str | None:
        """Remove a version for good; its number stays reserved.

        Returns:
            Why it was kept after all (see `prune_exemptions`); ``None`` if it was removed.

        Raises:
            NoSuchVersion: the version is not published.
            IntegrityError: a log is damaged.
        """
        from textclf.registry import pruning

        digest = sha256(self.metadata_bytes(version))
        return pruning.prune(self, version, message=message, metadata_sha256=digest)

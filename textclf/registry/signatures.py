"""The signatures of a version: the one it was published with, and those that were added later."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from semver import Version

from textclf.metadata.schema import SIGNATURE, sha256
from textclf.registry import layout
from textclf.registry.event_log import EventKind, EventLog
from textclf.registry.signing import PublicKey, Signer
from textclf.registry.store.base import Exists, Store, read_or_none


class Signatures:
    """Reads, checks and adds the signatures of metadata files.

    Args:
        store: where they are.
        events: the log in which an added signature is recorded.
        required: the key whose signature a version needs; None if it needs no signature.
    """

    def __init__(self, store: Store, events: EventLog, required: PublicKey | None) -> None:
        self._store = store
        self._events = events
        self.required = required

    def read(self, version: Version) -> list[bytes]:
        """Return all signatures of a version."""
        added = self._store.names(layout.added_signatures(version))
        keys = [
            layout.version_file(version, SIGNATURE),
            *(f"{layout.added_signatures(version)}/{name}" for name in added),
        ]
        return [data for key in keys if (data := read_or_none(self._store, key)) is not None]

    def valid(self, signatures: Sequence[bytes], metadata: bytes) -> list[bytes]:
        """Return the signatures that the required key accepts; all if none is required."""
        key = self.required
        return [s for s in signatures if not key or key.verifies(s, metadata)]

    def problem(self, version: Version, metadata: bytes) -> str | None:
        """Say what is wrong with the signatures of a version, if one is required."""
        return self.problem_among(self.read(version), metadata) if self.required else None

    def problem_among(self, signatures: Sequence[bytes], metadata: bytes) -> str | None:
        """Say what is wrong with the signatures of a metadata file, if one is required."""
        if not self.required:
            return None
        self.required.require_usable()  # an unusable key must not look like a missing signature
        if not signatures:
            return "is not signed"
        if not self.valid(signatures, metadata):
            return f"is not signed with the key of {self.required.path}"
        return None

    def add(self, version: Version, metadata: bytes, sign: Signer) -> str:
        """Sign a published metadata file, and return the location of the signature."""
        signature = sign(metadata)
        key = layout.added_signature(version, sha256(signature))
        with contextlib.suppress(Exists):
            self._store.create(key, signature)
            self._events.append_event(EventKind.SIGNED, version, detail={"signature": key})
        return self._store.locate(key)

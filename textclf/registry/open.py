"""Open a registry: the one place where its location, so far a folder, becomes a store."""

from __future__ import annotations

from pathlib import Path

from textclf.registry.registry import Registry
from textclf.registry.signing import PublicKey
from textclf.registry.store.local import LocalStore


def open_registry(models: str | Path, signed_by: str | Path | None = None) -> Registry:
    """Open the registry at a location, which need not exist yet.

    Args:
        models: the folder of the versions.
        signed_by: the file of a public key; versions must be signed with it to be promoted or read.
    """
    key = None if signed_by is None else PublicKey(Path(signed_by))
    return Registry(LocalStore(Path(models)), key)

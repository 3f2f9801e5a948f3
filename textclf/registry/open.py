"""Open a registry: the one place where its location, so far a folder, becomes a store."""

from __future__ import annotations

import os
from pathlib import Path

from textclf.errors import UsageError
from textclf.registry.registry import Registry
from textclf.registry.signing import PublicKey
from textclf.registry.store.local import LocalStore

REQUIRED_KEY = "TEXTCLF_REQUIRE_SIGNATURE"
"""The variable that names the public key that versions must be signed for."""


def open_registry(models: str | Path, signed_by: str | Path | None = None) -> Registry:
    """Open the registry at a location, which need not exist yet.

    Args:
        models: the folder of the versions.
        signed_by: the file of a public key; versions must be signed with it to be promoted or read.
            If not given, that of ``$TEXTCLF_REQUIRE_SIGNATURE``, if that is set.

    Raises:
        UsageError: the variable is set, but not to an absolute path.
    """
    key = key_of_environment() if signed_by is None else Path(signed_by)
    return Registry(LocalStore(Path(models)), PublicKey(key) if key else None)


def key_of_environment() -> Path | None:
    """Return the file of the public key that the environment requires, if it requires one.

    A relative path would be looked up in the current folder, where a stranger may have put a key.

    Raises:
        UsageError: the variable is not an absolute path.
    """
    name = os.environ.get(REQUIRED_KEY)
    if name is None:
        return None
    path = expand_home(name, REQUIRED_KEY)
    if not path.is_absolute():
        raise UsageError(
            f"{REQUIRED_KEY} is not an absolute path: {name!r}",
            hint="name the public key, a PEM file, from / or from ~",
        )
    return path


def expand_home(name: str, source: str) -> Path:
    """Return a path, with ``~`` replaced. Raises UsageError if there is no such home."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        raise UsageError(f"{source}: there is no home for {name!r}") from None

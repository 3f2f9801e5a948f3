"""The alias: a copy of the promoted version's model file, which follows the promotion log."""

from __future__ import annotations

import contextlib

from textclf.errors import IntegrityError
from textclf.metadata.schema import sha256
from textclf.metadata.versions import parse_version
from textclf.registry import layout
from textclf.registry.reader import RegistryReader
from textclf.registry.store.base import Exists, read_or_none


def sync_alias(registry: RegistryReader) -> str | None:
    """Replace the alias until it is a copy of the version that the head of the log names.

    Returns:
        The location of a copy of a file that stood in the alias's place and was never published.

    Raises:
        IntegrityError: the promoted version is damaged.
    """
    kept = None
    while head := registry.promotions.head():
        current = read_or_none(registry.store, layout.ALIAS)
        if current is not None and sha256(current) == head.sha256:
            break
        promoted = registry.artifact(parse_version(head.to))
        if sha256(promoted) != head.sha256:
            raise IntegrityError(
                f"{head.to} is not the version that was promoted (its SHA-256 differs)",
                hint="promote another version; see textclf verify",
            )
        if current is not None:
            kept = _keep_foreign_file(registry, current) or kept
        registry.store.replace(layout.ALIAS, promoted)
    return kept


def _keep_foreign_file(registry: RegistryReader, data: bytes) -> str | None:
    """Copy a file that is about to be replaced, unless it is a version's; return the location."""
    digest = sha256(data)
    if registry.has_published(digest):
        return None
    key = layout.replaced_file(digest)
    with contextlib.suppress(Exists):
        registry.store.create(key, data)
    return registry.store.locate(key)

"""The alias: a copy of the promoted version's model file, which follows the promotion log."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator

from semver import Version

from textclf.errors import IntegrityError, NoSuchVersion, StoreError
from textclf.metadata.schema import sha256
from textclf.metadata.versions import parse_version
from textclf.registry import layout
from textclf.registry.reader import RegistryReader
from textclf.registry.store.base import Changed, Exists, back_off


def sync_alias(registry: RegistryReader) -> str | None:
    """Replace the alias until it is a copy of the version that the head of the log names.

    It is compared with what the version's metadata say of the model, and never with the record,
    which nobody has signed.

    Returns:
        The location of a copy of a file that stood in the alias's place and was no version's model.

    Raises:
        NoSuchVersion: the promoted version does not exist.
        IntegrityError: the promoted version is damaged, or lacks the signature that is required.
    """
    kept = None
    for attempt in itertools.count():
        head = registry.promotions.head()
        if head is None:
            break
        version = parse_version(head.to)
        promoted = registry.metadata(version).artifact
        current = registry.store.read_stamped(layout.ALIAS)
        if current.data is not None and sha256(current.data) == promoted.sha256:
            break
        model = registry.read_recorded(version, promoted)
        if current.data is not None:
            kept = _keep_foreign_file(registry, current.data) or kept
        try:
            registry.store.replace(layout.ALIAS, model, current)
        except Changed:
            back_off(attempt)
    return kept


def _keep_foreign_file(registry: RegistryReader, data: bytes) -> str | None:
    """Copy a file that is about to be replaced, unless a version has it; return the location."""
    digest = sha256(data)
    if is_published_model(registry, digest):
        return None
    key = layout.replaced_file(digest)
    with contextlib.suppress(Exists):
        registry.store.create(key, data)
    return registry.store.locate(key)


def is_published_model(registry: RegistryReader, digest: str) -> bool:
    """Whether the model file of a version has this digest: no log or metadata are believed."""
    for version in _likely_first(registry, digest):
        with contextlib.suppress(NoSuchVersion, IntegrityError, StoreError):
            model = registry.file_listing(version).artifact
            if model.sha256 == digest:
                registry.read_recorded(version, model)
                return True
    return False


def _likely_first(registry: RegistryReader, digest: str) -> Iterator[Version]:
    """Yield all versions, those first of which known promotions say that they have a model."""
    known = registry.known_promotions()
    promoted = {parse_version(record.to) for record in known if record.sha256 == digest}
    yield from promoted
    yield from (version for version in registry.numbers()[::-1] if version not in promoted)

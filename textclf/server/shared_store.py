"""What a server shows of the files of its registry, to those who read the registry through it.

Only keys that a registry has: versions, their published files, the logs, signatures and the alias.
Whatever else lies in the folder or the bucket is neither listed nor sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from textclf.errors import IntegrityError, NoSuchVersion
from textclf.metadata.channels import is_channel
from textclf.metadata.schema import METADATA, SIGNATURE
from textclf.metadata.versions import is_version, parse_version
from textclf.registry import layout
from textclf.registry.store.base import Missing, View, is_key

if TYPE_CHECKING:
    from textclf.registry.registry import Registry
    from textclf.registry.store.base import Store


class SharedStore:
    """Reads a registry's store for others; called from threads.

    Args:
        registry: the registry.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    @property
    def _store(self) -> Store:
        return self._registry.store

    def content(self, key: str) -> View:
        """Return the content of a key. Raises Missing."""
        if not self.is_shared(key):
            raise Missing(key)
        if layout.never_changes(key):
            return self._store.view(key, self._digest(key))
        return self._store.read(key)

    def exists(self, key: str) -> bool:
        """Whether a key has content that is shown."""
        return self.is_shared(key) and self._store.exists(key)

    def names(self, folder: str, after: str) -> list[str]:
        """Return what is directly in a folder of the registry, sorted."""
        if not is_shared_folder(folder):
            return []
        names = sorted(self._store.names(folder, after))
        if is_version(folder):  # who verifies it has to see what was not published with it
            return names
        return [name for name in names if self._is_listed(f"{folder}/{name}".lstrip("/"))]

    def _is_listed(self, key: str) -> bool:
        return is_shared_folder(key) or self.is_shared(key)

    def digests(self, folder: str, after: str) -> Mapping[str, str]:
        """Return the SHA-256 of records and signatures below a folder, by key without its own.

        Args:
            folder: that of a log, or the folder that all of them are in.
            after: only keys that sort after this.
        """
        start = f"{folder}/"
        keys = {key.removeprefix(start): key for key in self._small_files(folder, after)}
        names = sorted(name for name in keys if name > after)
        contents = self._store.read_many([keys[name] for name in names])
        return {
            name: hashlib.sha256(content).hexdigest()
            for name, content in zip(names, contents, strict=True)
            if isinstance(content, bytes)
        }

    def _small_files(self, folder: str, after: str) -> Iterator[str]:
        """Yield the keys of records and signatures; in one folder, those after a name."""
        folders = [folder] if layout.is_log(folder) else []
        if folder == layout.REGISTRY:
            folders = [layout.PROMOTIONS, layout.EVENTS]
            for parent in (layout.CHANNELS, layout.SIGNATURES):
                folders += [f"{parent}/{name}" for name in self.names(parent, "")]
        for each in folders:
            for name in self.names(each, after if each == folder else ""):
                yield f"{each}/{name}"

    def folders_with(self, name: str) -> list[str]:
        """Return the versions that have a file of this name, sorted."""
        if not is_key(name):
            return []
        return sorted(filter(is_shared_folder, self._store.folders_with(name)))

    def why_incomplete(self, folder: str) -> str:
        """Say in a word why the folder of a version has no metadata. Raises Missing."""
        if not is_version(folder):
            raise Missing(folder)
        return self._store.why_incomplete(folder).name.lower()

    def is_shared(self, key: str) -> bool:
        """Whether it is the key of a file of the registry, and no other that lies there."""
        folder, _, name = key.rpartition("/")
        if not folder:
            return key == layout.ALIAS
        if not (is_key(key) and is_shared_folder(folder)):
            return False
        if is_version(folder):
            return self._is_published(folder, name)
        if layout.is_log(folder):
            return layout.record_number(name) is not None
        return folder.startswith(f"{layout.SIGNATURES}/") and name.endswith(".sig")

    def _is_published(self, version: str, name: str) -> bool:
        return name in (METADATA, SIGNATURE) or name in self._recorded(version)

    def _digest(self, key: str) -> str | None:
        """Return the SHA-256 that the metadata have of a file, by which a copy may be found."""
        version, _, name = key.rpartition("/")
        if not is_version(version) or name in (METADATA, SIGNATURE):
            return None
        return self._recorded(version).get(name)

    def _recorded(self, version: str) -> Mapping[str, str]:
        try:
            metadata = self._registry.unverified_metadata(parse_version(version))
        except (NoSuchVersion, IntegrityError):
            return {}
        return {record.file: record.sha256 for record in metadata.all_files()}


def is_shared_folder(folder: str) -> bool:
    """Whether it is a folder of a registry that is shown."""
    parent, _, name = folder.rpartition("/")
    match parent:
        case layout.CHANNELS:
            return is_channel(name)
        case layout.SIGNATURES:
            return is_version(name)
    shown = ("", layout.PROMOTIONS, layout.EVENTS, layout.CHANNELS, layout.SIGNATURES)
    return folder in shown or is_version(folder)

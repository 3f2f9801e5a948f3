"""The few verbs the registry needs of a place to keep files.

Keys are relative POSIX paths (``1.0.0/metadata.json``). Four verbs (read, names, create, replace)
are what a local disk and an object store can both do atomically; ``create_folder`` is create for
files that must appear together, and ``remove`` takes either away.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from typing import Protocol

View = bytes | mmap.mmap
"""Content that may still lie where it is kept; slices of either are bytes."""


class Exists(Exception):
    """Somebody has created that key before; nothing was changed."""


class Missing(Exception):
    """Nothing is stored under that key."""


class Store(Protocol):
    """A place to keep files, safe for any number of writers and readers at once.

    Every method raises ``StoreError`` when the place itself fails (permissions, space, hardware).
    When a writing method returns, what it wrote survives a crash of the machine.
    """

    def read(self, key: str) -> bytes:
        """The whole content of a key. Raises Missing."""
        ...

    def view(self, key: str) -> View:
        """The content of a key, unread where the place can do that: a memory map. Raises Missing.

        It is not for keys that are replaced: those may change under the reader.
        """
        ...

    def names(self, folder: str = "") -> list[str]:
        """Names directly below a folder, in no order; empty where there is no such folder."""
        ...

    def create(self, key: str, data: bytes) -> None:
        """Store under a new key, whole or not at all. Raises Exists."""
        ...

    def replace(self, key: str, data: bytes) -> None:
        """Store under a key, new or not; a reader gets the old content or the new."""
        ...

    def create_folder(self, folder: str, files: Mapping[str, bytes]) -> None:
        """Create a folder with all its files, in one step for every reader. Raises Exists.

        An empty folder of that name counts as none.
        """
        ...

    def remove(self, key: str) -> None:
        """Remove a key, or a folder with all its files, in one step for every reader.

        Where there is none of that name nothing is done.
        """
        ...

    def require_writable(self) -> None:
        """Raise StoreError now if writing would fail, and leave no trace."""
        ...

    def leftovers(self) -> list[str]:
        """Keys of half-written work that its writers left behind; what may still go on is not."""
        ...

    def sweep(self) -> None:
        """Remove the leftovers."""
        ...

    def locate(self, key: str) -> str:
        """Where a key lies, for people."""
        ...

"""The few verbs that the registry needs of a place to keep files, and what a key is.

They promise no more than a local disk and an object store can both keep. Nothing appears or
disappears as a whole folder: `Store.create_all` and `Store.remove_all` promise an order, so that
one file, the last to appear and the first to disappear, tells whether the others can be relied on.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar, Final, NamedTuple, Protocol, TypeVar

from textclf.errors import StoreError
from textclf.files import LARGEST, MappedFile
from textclf.registry import layout

T = TypeVar("T")

View = bytes | MappedFile
"""Content that may still be where it is stored; slices of either type are bytes."""

LogNames = Mapping[str, Sequence[str]]
"""The names of the files in the folders of logs, by folder."""

LONGEST_KEY: Final = 200
"""Bytes of a key in UTF-8; file systems take names of 255, and stores may add to a name."""


class Exists(Exception):
    """The key was created before; nothing was changed."""


class Missing(Exception):
    """Nothing is stored under the key."""


class Changed(Exception):
    """The key has other content than the writer has seen; nothing was changed."""


class Stamped(NamedTuple):
    """The content of a key, and a stamp of it, by which `Store.replace` tells whether it changed.

    The stamp belongs to the store; it also stands for the absence of content (``None``).
    """

    data: bytes | None
    stamp: object


class Incomplete(enum.Enum):
    """Why a folder has not all of its files.

    Attributes:
        IN_PROGRESS: a writer may be about to create the rest, or to remove them.
        ABANDONED: a writer died some time ago.
        DAMAGED: no writer leaves a folder so; somebody else has removed the files.
    """

    IN_PROGRESS = enum.auto()
    ABANDONED = enum.auto()
    DAMAGED = enum.auto()


MOST_CONFLICTS: Final = 500
"""How often other writers may be faster: with twenty at once, one in ten billion is so unlucky."""


def retry_on_conflict(attempt: Callable[[], T]) -> T:
    """Call a function that creates something under the next free number, until it succeeds.

    Raises:
        StoreError: what it tried to create existed each time, so that no end can be foreseen.
    """
    for _ in range(MOST_CONFLICTS):
        try:
            return attempt()
        except Exists as exists:
            conflict = exists
    raise StoreError(
        f"{conflict} cannot be created: of {MOST_CONFLICTS} attempts each found it there already",
        hint="try again when fewer processes write; textclf verify checks the registry",
    )


def back_off(attempt: int) -> None:
    """Give way to other writers for a random time, which grows with the number of the attempt.

    Google takes one update of an object in a second.
    """
    import random  # loads OpenSSL or what stands in for it

    time.sleep(random.uniform(0, min(2.0, 0.05 * 2**attempt)))  # noqa: S311 - no secret


def is_key(text: str) -> bool:
    """Whether a text can be a key, of a file or of a folder.

    A key is a relative POSIX path without empty parts, ``.`` or ``..``, backslashes, and characters
    that cannot be printed (controls, lone surrogates), of at most `LONGEST_KEY` bytes.
    """
    return (
        text.isprintable()
        and "\\" not in text
        and len(text.encode()) <= LONGEST_KEY
        and not {"", ".", ".."}.intersection(text.split("/"))
    )


def check_key(text: str) -> str:
    """Return a key as it is. Raises ValueError if it is not one."""
    if not is_key(text):
        raise ValueError(f"not a key: {text[:LONGEST_KEY]!r}")
    return text


def check_name(folder: str, name: str) -> str:
    """Return the name of a file in a folder as it is. Raises ValueError if it cannot be one."""
    if "/" in name:
        raise ValueError(f"not the name of a file: {name[:LONGEST_KEY]!r}")
    check_key(f"{folder}/{name}")
    return name


def read_or_none(store: Store, key: str, most: int = LARGEST) -> bytes | None:
    """Return the content of a key; ``None`` if nothing is stored under it. See `Store.read`."""
    try:
        return store.read(key, most)
    except Missing:
        return None


def _read_at_once(
    store: Store, keys: Sequence[str], most: int
) -> Iterator[bytes | Missing | StoreError]:
    """Yield the content of keys, which threads read; see `Store.read_many`."""
    from concurrent.futures import ThreadPoolExecutor  # deferred: a disk needs none

    pool = ThreadPoolExecutor(min(store.at_once, len(keys) or 1))
    try:
        yield from pool.map(lambda key: _read_or_error(store, key, most), keys)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # nobody waits for them after Ctrl-C


def _read_or_error(store: Store, key: str, most: int) -> bytes | Missing | StoreError:
    try:
        return store.read(key, most)
    except (Missing, StoreError) as error:
        return error


class Store(Protocol):
    """A place to keep files, safe for any number of readers and writers at once.

    Every method raises StoreError if the place itself fails (permissions, space, hardware), and
    ValueError for what is not a key. When a writing method returns, what it wrote survives a crash
    of the machine.

    Attributes:
        at_once: how many keys are read at the same time, where the place is far away.
    """

    at_once: ClassVar[int] = 1

    def read(self, key: str, most: int = LARGEST) -> bytes:
        """Return the content of a key.

        Raises:
            Missing: nothing is stored under it.
            StoreError: it has more than so many bytes, of which no more are read.
        """
        ...

    def view(self, key: str, digest: str | None = None) -> View:  # noqa: ARG002 - read is no copy
        """Return the content of a key, as a memory map if the place can do that. Raises Missing.

        It is not for keys that are replaced: those may change under the reader.

        Args:
            key: the key.
            digest: the SHA-256 of the content, by which a copy may be found; it is not checked each
                time.
        """
        return self.read(key)

    def read_many(
        self, keys: Sequence[str], most: int = LARGEST
    ) -> Iterator[bytes | Missing | StoreError]:
        """Yield the content of each key, in their order, or what `read` raises."""
        if self.at_once > 1:
            return _read_at_once(self, keys, most)
        return (_read_or_error(self, key, most) for key in keys)

    def read_stamped(self, key: str) -> Stamped:
        """Return the content of a key that is about to be replaced, if there is any.

        There is no stamp where `replace` takes none: its writers look again after they have
        replaced, or cannot replace anything.
        """
        return Stamped(read_or_none(self, key), None)

    def exists(self, key: str) -> bool:
        """Whether something is stored under a key."""
        ...

    def names(self, folder: str = "", after: str = "") -> list[str]:
        """Return the names of files and folders directly below a folder, in any order.

        A folder that does not exist has none; without a folder, those at the top are listed. Names
        that cannot be part of a key are left out.

        Args:
            folder: the folder's key.
            after: only names that sort after this one, by their bytes in UTF-8; where a folder has
                many, a place that is far away answers faster then.
        """
        ...

    def log_names(self) -> LogNames:
        """Return the names in the folder of each log that has records.

        A place that is far away lists all of them at once.
        """
        names = {folder: self.names(folder) for folder in (layout.PROMOTIONS, layout.EVENTS)}
        channels = [layout.channel_log(name) for name in self.names(layout.CHANNELS)]
        return names | {folder: self.names(folder) for folder in channels}

    def folders_with(self, name: str) -> list[str]:
        """Return the names of the folders at the top in which a file of this name is."""
        ...

    def create(self, key: str, data: bytes) -> None:
        """Store content under a new key, completely or not at all. Raises Exists."""
        ...

    def replace(self, key: str, data: bytes, seen: Stamped | None = None) -> None:
        """Store content under a key, new or not; a reader gets the old content or the new.

        Args:
            key: the key.
            data: the new content.
            seen: what the writer knows of the old content; if not given, whatever is there is
                replaced.

        Raises:
            Changed: another writer was faster, so that what is there is not what was seen. A place
                whose writers see each other at once need not notice.
        """
        ...

    def create_all(self, folder: str, files: Mapping[str, bytes], *, resume: bool = False) -> None:
        """Create the files of a new folder; a reader never sees one without all before it.

        So the last one tells that the folder is complete. If the writer dies, any number of the
        first files may remain. Of writers at once, the one that creates the first file succeeds.

        Args:
            folder: the folder's key.
            files: contents by name, in the order in which they appear.
            resume: go on where a writer of the same files died: they may be there, but the last.

        Raises:
            Exists: the folder holds a file already, or another one if ``resume``.
        """
        ...

    def remove(self, key: str) -> None:
        """Remove a file; nothing is done if it does not exist."""
        ...

    def remove_all(self, folder: str, *, first: str) -> None:
        """Remove a folder with all files in it; nothing is done if it does not exist.

        The file named ``first`` disappears before any other. If the process dies, any of the others
        may remain, and a second call removes them.
        """
        ...

    def why_incomplete(self, folder: str) -> Incomplete:
        """Say why a folder is without the file that is the last to appear and the first to go."""
        ...

    def require_writable(self) -> None:
        """Raise StoreError if writing would fail now, and leave no trace."""
        ...

    def leftovers(self) -> list[str]:
        """Return keys of half-written work whose writers died; work that may go on is left out.

        There is none where a file is written completely or not at all.
        """
        return []

    def sweep(self) -> None:
        """Remove the leftovers."""
        for key in self.leftovers():
            self.remove(key)

    def locate(self, key: str = "") -> str:
        """Return the location of a key, or of the store itself, for messages."""
        ...

"""Requests that can be interrupted by Ctrl-C, and watched while they last.

obstore waits for an answer in compiled code, which does not see signals. So the main thread lets
another thread make each request, and waits for that in Python; so does every thread whose requests
are watched.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from textclf.errors import StoreError

if TYPE_CHECKING:
    from obstore import GetResult, ListStream

T = TypeVar("T")

_LOOKS_SECONDS = 0.1
_PIECE = 1 << 20
"""Bytes after which the progress of a download is noted."""


_processes: set[int] = set()
"""The process that has made requests; a forked one inherits this, but not obstore's threads."""


def _require_no_fork() -> None:
    """Raise StoreError where obstore would wait for ever."""
    _processes.add(os.getpid())
    if len(_processes) > 1:
        raise StoreError(
            "a bucket cannot be reached from a process that was forked from one that had "
            "reached it",
            hint="open the registry in each process, after the fork: docs/remote.md",
        )


@dataclass
class Transfer:
    """One request while it lasts.

    Attributes:
        action: ``uploading``, ``downloading`` or ``waiting for``.
        path: of the object in its bucket.
        size: its bytes, if they are known.
        done: how many of them have arrived.
        began: when it began, by the monotonic clock.
        has_ended: whether it has.
    """

    action: str
    path: str
    size: int | None = None
    done: int | None = None
    began: float = field(default_factory=time.monotonic)
    has_ended: bool = False


Watch = Callable[[Transfer], None]
"""Called with a transfer ten times a second while it lasts, and when it has ended."""


class Requests:
    """The requests of a store of obstore, as far as textclf makes them.

    Args:
        objects: the store.
        watch: what is told of each request; by several threads if several make requests.
    """

    def __init__(self, objects: Any, watch: Watch | None = None) -> None:
        self._objects = objects
        self._watch = watch

    def put(self, path: str, data: bytes, **options: Any) -> Any:
        """Write an object; see obstore."""
        transfer = Transfer("uploading", path, len(data))
        return self._wait(transfer, partial(self._objects.put, path, data, **options))

    def get(self, path: str, **options: Any) -> _Answer:
        """Ask for an object; see obstore."""
        transfer = Transfer("waiting for", path)
        found = self._wait(transfer, partial(self._objects.get, path, **options))
        return _Answer(found, path, self._wait)

    def delete(self, path: str) -> None:
        """Remove an object; see obstore."""
        self._wait(Transfer("waiting for", path), partial(self._objects.delete, path))

    def list(self, prefix: str | None, offset: str | None = None) -> _Listing:
        """List all objects below a prefix; see obstore."""
        listing = self._objects.list(prefix, offset=offset)
        return _Listing(listing, prefix or "", self._wait)

    def list_with_delimiter(self, prefix: str | None) -> Any:
        """List the objects and prefixes directly below a prefix; see obstore."""
        transfer = Transfer("waiting for", prefix or "")
        return self._wait(transfer, partial(self._objects.list_with_delimiter, prefix))

    def _wait(self, transfer: Transfer, request: Callable[[], T]) -> T:
        """Make a request, from another thread if this one is interrupted, or has to tell of it."""
        _require_no_fork()
        is_main = threading.current_thread() is threading.main_thread()
        if not is_main and self._watch is None:
            return request()
        answer = Future[T]()

        def make() -> None:
            try:
                answer.set_result(request())
            except BaseException as error:  # noqa: BLE001 - raised where it is waited for
                answer.set_exception(error)

        threading.Thread(target=make, daemon=True).start()
        try:
            while wait((answer,), _LOOKS_SECONDS if self._watch else None).not_done:
                self._tell(transfer)
        finally:
            transfer.has_ended = True
            self._tell(transfer)
        return answer.result()

    def _tell(self, transfer: Transfer) -> None:
        if self._watch:
            self._watch(transfer)


class _Answer:
    """The answer to a request for an object, whose content is still to come."""

    def __init__(self, found: GetResult, path: str, wait: Callable[..., Any]) -> None:
        self.meta, self.attributes = found.meta, found.attributes
        self._found, self._path, self._wait = found, path, wait

    def bytes(self) -> bytes:
        """Return the content."""
        transfer = Transfer("downloading", self._path, self.meta["size"], 0)
        content: bytes = self._wait(transfer, partial(_received, self._found, transfer))
        return content


def _received(found: GetResult, transfer: Transfer) -> bytes:
    """Return the content of an object, and note how much of it has arrived."""
    if found.meta["size"] <= _PIECE:
        return bytes(found.bytes())
    content = bytearray()
    for piece in found.stream(min_chunk_size=_PIECE):
        content += piece
        transfer.done = len(content)
    return bytes(content)


class _Listing:
    """A listing that is still to come."""

    def __init__(self, listing: ListStream[Any], path: str, wait: Callable[..., Any]) -> None:
        self._listing, self._path, self._wait = listing, path, wait

    def collect(self) -> Any:
        """Return all entries."""
        return self._wait(Transfer("waiting for", self._path), self._listing.collect)

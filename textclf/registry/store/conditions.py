"""Find out whether a store obeys the conditions of a write, before anything relies on it.

Some servers ignore ``If-None-Match`` or ``If-Match``, and answer that all is well. On such a server
two writers at once would overwrite each other's versions without a word. Before the first write to
a registry this is tried out on a key of its own, and the finding is kept in the registry.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from textclf.errors import StoreError
from textclf.registry.layout import PROBES
from textclf.registry.store.base import Exists, Missing
from textclf.registry.store.object_errors import EndlessConflict

if TYPE_CHECKING:
    from textclf.registry.store.objects import Objects

_WRONG_TAG = '"00000000000000000000000000000000"'
_LARGEST_FINDING = 1 << 16

OBEDIENT_SERVERS: Final = "docs/remote.md names servers and versions that obey conditional writes"
"""The hint where a server does not."""


class ConditionCheck:
    """The check of one store, made once.

    Args:
        objects: the objects of the store.
        server: what tells it from any other; the finding for another server, from which the
            registry was copied, says nothing of this one.
    """

    def __init__(self, objects: Objects, server: str) -> None:
        self._objects = objects
        self._server = server
        self._obeyed = False

    @property
    def _finding(self) -> str:
        digest = hashlib.sha256(self._server.encode()).hexdigest()
        return f"{PROBES}/{digest[:12]}.json"

    def require_obeyed(self) -> None:
        """Raise StoreError unless the store obeys conditions; ask the registry, or try it out."""
        if self._obeyed:
            return
        if not self._is_known():
            self._try_out()
            finding = {"server": self._server, "conditional_writes": "obeyed"}
            with contextlib.suppress(Exists):  # of several writers each has found the same
                self._objects.put(self._finding, json.dumps(finding).encode(), "create")
        self._obeyed = True

    def _is_known(self) -> bool:
        with contextlib.suppress(Missing):
            self._objects.read(self._finding, _LARGEST_FINDING)
            return True
        return False

    def require_creation(self) -> None:
        """Raise StoreError if an object cannot be created now."""
        with _probe(self._objects) as key:
            self._objects.put_once(key, b"", "create")

    def _try_out(self) -> None:
        if problem := violated_condition(self._objects):
            raise StoreError(
                f"{self._objects.locate()} cannot keep a registry: its server {problem}, so "
                "that writers would overwrite each other's versions",
                hint=OBEDIENT_SERVERS,
            )


@contextlib.contextmanager
def _probe(objects: Objects) -> Iterator[str]:
    """Give a key that nobody else uses, and remove what is there in the end."""
    key = f"{PROBES}/{uuid.uuid4().hex}"
    try:
        yield key
    finally:
        with contextlib.suppress(StoreError):  # the role may not remove anything
            objects.delete(key)


def violated_condition(objects: Objects) -> str | None:
    """Try out conditional writes; say which one is not obeyed."""
    with _probe(objects) as key:
        return _violated_by(objects, key)


def _violated_by(objects: Objects, key: str) -> str | None:
    if objects.put_once(key, b"update", {"e_tag": _WRONG_TAG, "version": "1"}):
        return "updates an object that does not exist, although the request says If-Match"
    try:
        objects.put(key, b"one", "create")
    except (Exists, EndlessConflict):
        return "refuses to create an object that does not exist, with If-None-Match"
    if objects.put_once(key, b"two", "create"):
        return "creates an object a second time, although the request says If-None-Match"
    if objects.put_once(key, b"three", {"e_tag": _WRONG_TAG, "version": "1"}):
        return "updates an object that has changed, although the request says If-Match"
    return None

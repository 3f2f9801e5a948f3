"""A store in memory that keeps no promise beyond those of `Store`: it works as an object store.

There are no folders, only keys. Each request reads, creates, replaces, removes or lists, and other
readers and writers may come between any two requests, which a test arranges with a hook.
"""

import threading

from textclf.errors import StoreError
from textclf.files import LARGEST
from textclf.registry.store.base import (
    Changed,
    Exists,
    Incomplete,
    Missing,
    Stamped,
    Store,
    check_key,
    check_name,
    is_key,
    read_or_none,
)

_ONE_AT_A_TIME = threading.Lock()


class MemoryStore(Store):
    """Objects in a dictionary.

    Attributes:
        objects: contents by key; several stores may share them, as processes share a bucket.
        before_request: called with the number of each request, from 1, before it is made.
        writers_died: whether folders that are not complete were left by writers that died.
    """

    def __init__(self, objects=None):
        self.objects = {} if objects is None else objects
        self.requests, self.before_request = 0, lambda _number: None
        self.writers_died = False

    def _request(self):
        self.requests += 1
        self.before_request(self.requests)

    def read(self, key, most=LARGEST):
        """See Store."""
        check_key(key)
        self._request()
        try:
            data = self.objects[key]
        except KeyError:
            raise Missing(key) from None
        if len(data) > most:
            raise StoreError(f"cannot read {self.locate(key)}: it has more than {most} bytes")
        return data

    def view(self, key, digest=None):  # noqa: ARG002 - this is no copy
        """See Store."""
        return self.read(key)

    def read_stamped(self, key):
        """See Store: the content is its own stamp."""
        data = read_or_none(self, key)
        return Stamped(data, data)

    def exists(self, key):
        """See Store."""
        check_key(key)
        self._request()
        return key in self.objects

    def names(self, folder="", after=""):
        """See Store."""
        prefix = f"{check_key(folder)}/" if folder else ""
        self._request()
        keys = [key for key in list(self.objects) if key.startswith(prefix)]
        names = {key.removeprefix(prefix).split("/")[0]: None for key in keys}
        return [name for name in names if is_key(name) and name.encode() > after.encode()]

    def folders_with(self, name):
        """See Store."""
        self._request()
        keys = [key.split("/") for key in list(self.objects)]
        return [folder for folder, *rest in keys if rest == [name]]

    def create(self, key, data):
        """See Store."""
        check_key(key)
        self._request()
        with _ONE_AT_A_TIME:
            if key in self.objects:
                raise Exists(key)
            self.objects[key] = data

    def replace(self, key, data, seen=None):
        """See Store."""
        check_key(key)
        self._request()
        with _ONE_AT_A_TIME:
            if seen is not None and self.objects.get(key) != seen.stamp:
                raise Changed(key)
            self.objects[key] = data

    def create_all(self, folder, files, *, resume=False):
        """See Store: one object after the other."""
        keys = {f"{check_key(folder)}/{check_name(folder, name)}": name for name in files}
        known = list(files)[:-1] if resume else []
        if set(self.names(folder)).difference(known) or folder in self.objects:
            raise Exists(folder)
        for key, name in keys.items():
            try:
                self.create(key, files[name])
            except Exists:
                if not resume or self.read(key) != files[name]:
                    raise

    def remove(self, key):
        """See Store."""
        check_key(key)
        self._request()
        self.objects.pop(key, None)

    def remove_all(self, folder, *, first):
        """See Store: one object after the other."""
        names = self.names(folder)
        for name in sorted(names, key=lambda name: name != first):
            self.remove(f"{folder}/{name}")

    def why_incomplete(self, _folder):
        """See Store: a test says when writers have died."""
        return Incomplete.ABANDONED if self.writers_died else Incomplete.IN_PROGRESS

    def require_writable(self):
        """See Store."""

    def locate(self, key=""):
        """See Store."""
        return f"memory:{key}"

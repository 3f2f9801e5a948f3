"""A bucket in memory in which one request goes wrong, in one of the ways that requests do."""

import threading

from obstore.exceptions import AlreadyExistsError, GenericError, PreconditionError
from obstore.store import MemoryStore as Objects


class Death(BaseException):
    """The process has died: nothing catches this but the test."""


class FaultyBucket:
    """Obstore's store in memory, but for the request with one number.

    Where a fault makes no other difference to a request that reads than `before` and `failed`, only
    those that write are counted.

    Attributes:
        objects: the store.
        requests: how many requests were made that can go wrong.
        struck: the name of the request that went wrong.
    """

    def __init__(self, objects, at=0, fault=None):
        self.objects, self.requests, self.struck = objects, 0, ""
        self._at, self._fault, self._counting = at, fault, threading.Lock()

    def __getattr__(self, name):
        request = getattr(self.objects, name)

        if self._fault in WRITING and name not in ("put", "delete"):
            return request

        def call(*arguments, **options):
            with self._counting:
                self.requests += 1
                number = self.requests
            if number != self._at:
                return request(*arguments, **options)
            self.struck = name
            return self._fault(lambda: request(*arguments, **options), options.get("mode"))

        return call


def before(_request, _mode):
    """The process dies before the request."""
    raise Death


def after(request, _mode):
    """The process dies after the request."""
    request()
    raise Death


def failed(_request, _mode):
    """The request does not come through."""
    raise GenericError("connection refused")


def lost(request, _mode):
    """The request is carried out, and its answer is lost."""
    request()
    raise GenericError("connection reset")


def retried(request, _mode):
    """The answer is lost, and the library sends the request again."""
    request()
    return request()


def conflict(request, mode):
    """The store answers a conflict although nobody has won, as S3 does with 409."""
    if mode == "create":
        raise AlreadyExistsError("409 ConditionalRequestConflict")
    if mode:
        raise PreconditionError("409 ConditionalRequestConflict")
    return request()


WRITING = (after, lost, retried, conflict)
"""Faults that a request which reads does not feel, or feels like the others."""

FAULTS = {each.__name__: each for each in (before, after, failed, lost, retried, conflict)}


def filled(contents, prefix):
    """Return a bucket with these contents by key, below a prefix."""
    objects = Objects()
    for key, data in contents.items():
        objects.put(f"{prefix}/{key}", data)
    return objects


def contents(objects, prefix):
    """Return the contents by key."""
    paths = [meta["path"] for meta in objects.list(prefix).collect()]
    return {p.removeprefix(f"{prefix}/"): bytes(objects.get(p).bytes()) for p in paths}

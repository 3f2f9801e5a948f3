"""A registry that is read through a running ``textclf serve``; it cannot be changed that way.

The service answers for the keys of its registry and for nothing else. What it sends is believed no
more than what lies in any store: digests and signatures are checked by the reader.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from textclf.errors import StoreError, UsageError
from textclf.files import LARGEST
from textclf.registry.store.access import is_true
from textclf.registry.store.base import (
    Incomplete,
    Missing,
    Stamped,
    Store,
    check_key,
    check_name,
    is_key,
)
from textclf.registry.store.http_client import API_KEY, HttpClient
from textclf.registry.store.location import Server

if TYPE_CHECKING:
    from textclf.registry.store.requests import Watch

T = TypeVar("T")

ALLOW_HTTP: Final = "TEXTCLF_ALLOW_HTTP"
"""The variable that allows a service on another machine to be asked without encryption."""


def open_server(server: Server, watch: Watch | None = None) -> HttpStore:
    """Return the registry behind a service; nothing is sent yet.

    Raises:
        UsageError: everybody on the way could read and change what is sent.
    """
    if not (server.is_private or is_true(ALLOW_HTTP)):
        raise UsageError(
            f"{server} is not encrypted: everybody on the way could read the API key and change "
            "the answers",
            hint=f"write https://, or set {ALLOW_HTTP}=true in a network that you trust",
        )
    return HttpStore(server.url, os.environ.get(API_KEY), watch)


class HttpStore(Store):
    """The keys of a registry, asked of a service.

    Args:
        url: where it is, without a slash at its end.
        api_key: the key that it asks for.
        watch: what is told of each answer that takes long.
    """

    at_once = 8

    def __init__(self, url: str, api_key: str | None = None, watch: Watch | None = None) -> None:
        self._url, self._api_key = url, api_key
        self._client = HttpClient(url, api_key, watch)

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy makes its own connections."""
        return HttpStore, (self._url, self._api_key)

    # -- reading ---------------------------------------------------------------------------------

    def read(self, key: str, most: int = LARGEST) -> bytes:
        return self._client.get(_file(key), most, self.locate(key))

    def exists(self, key: str) -> bool:
        return self._client.exists(_file(key), self.locate(key))

    def names(self, folder: str = "", after: str = "") -> list[str]:
        names = self._list("names", list[str], folder=folder, after=after)
        return [name for name in names if is_key(name)]

    def stamps(self, folder: str, after: str = "") -> dict[str, str]:
        """Return the SHA-256 of each record of the logs below a folder; see RemoteStore."""
        digests = self._list("digests", dict[str, str], folder=folder, after=after)
        return {name: digest for name, digest in digests.items() if is_key(name)}

    def folders_with(self, name: str) -> list[str]:
        folders = self._list("folders", list[str], file=name)
        return [folder for folder in folders if is_key(folder)]

    def why_incomplete(self, folder: str) -> Incomplete:
        return Incomplete[self._list("incomplete", str, folder=folder).upper()]

    def locate(self, key: str = "") -> str:
        return f"{self._url}/{key}" if key else self._url

    def _list(self, what: str, kind: type[T], **query: str) -> T:
        if folder := query.get("folder"):
            check_key(folder)
        asked = urlencode({name: value for name, value in query.items() if value})
        path = f"/v1/registry/{what}?{asked}".rstrip("?")
        try:
            return msgspec.json.decode(self._client.get(path, LARGEST, self._url), type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, Missing, KeyError):
            raise StoreError(
                f"{self._url} does not answer as textclf serve does",
                hint="is it an older version of textclf?",
            ) from None

    # -- writing, which is not possible ----------------------------------------------------------

    def create(self, key: str, data: bytes) -> None:  # noqa: ARG002
        self._refuse(key)

    def replace(self, key: str, data: bytes, seen: Stamped | None = None) -> None:  # noqa: ARG002
        self._refuse(key)

    def create_all(
        self,
        folder: str,
        files: Mapping[str, bytes],
        *,
        resume: bool = False,  # noqa: ARG002
    ) -> None:
        for name in files:
            check_name(folder, name)
        self.require_writable()

    def remove(self, key: str) -> None:
        self._refuse(key)

    def remove_all(self, folder: str, *, first: str) -> None:
        check_name(folder, first)
        self.require_writable()

    def require_writable(self) -> None:
        raise StoreError(
            f"{self._url} is read-only: textclf serve lets others read its registry, not change it",
            hint="--models with the folder or the bucket that it serves",
        )

    def _refuse(self, key: str) -> None:
        check_key(key)
        self.require_writable()


def _file(key: str) -> str:
    return f"/v1/registry/files/{quote(check_key(key), safe='/')}"

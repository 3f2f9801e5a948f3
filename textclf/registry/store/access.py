"""How a bucket is reached: which credentials, which region, and where each was found."""

from __future__ import annotations

import contextlib
import os
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from textclf.errors import StoreError

_ANSWER_SECONDS = 0.5
"""How long the metadata service of a virtual machine may take; it answers in milliseconds."""
_ASKING_SECONDS = 5


@dataclass(frozen=True)
class Access:
    """What a store is opened with. The credentials themselves are in none of the texts.

    Attributes:
        credentials: where the credentials were found.
        region: the region of the bucket, and where that was found; None if the cloud has none.
        endpoint: the server, if it is not the cloud's own.
        config: the arguments of obstore's store.
        provider: obstore's credential provider, where a library of the cloud is asked.
    """

    credentials: str
    region: str | None = None
    endpoint: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    provider: Any = field(default=None, repr=False)


def first_set(names: Iterable[str]) -> str | None:
    """Return the first of these environment variables that has a value.

    Raises:
        StoreError: the value has a line break, which no request can have, and obstore panics. Only
            JSON may have one.
    """
    name = next((name for name in names if os.environ.get(name)), None)
    if name and re.search(r"[\r\n]", value := os.environ[name]) and not value.startswith("{"):
        raise StoreError(
            f"{name} has a line break, perhaps at its end", hint=f"set {name} without it"
        )
    return name


def require_address(endpoint: str) -> None:
    """Raise StoreError if a server has another form than a URL, of which obstore would panic."""
    with contextlib.suppress(ValueError):
        parts = urlsplit(endpoint)
        is_web = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        if is_web and not re.search(r"\s", endpoint):
            return
    raise StoreError(
        f"{endpoint} is not the URL of a server",
        hint="write it as https://HOST or https://HOST:PORT",
    )


def is_true(name: str) -> bool:
    """Whether an environment variable says yes."""
    return os.environ.get(name, "").lower() in {"1", "true", "yes", "on"}


def answers(url: str) -> bool:
    """Whether something listens where the metadata service of a virtual machine would."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    try:
        address = (parts.hostname or "", parts.port or 80)
        with socket.create_connection(address, timeout=_ANSWER_SECONDS):
            return True
    except (OSError, ValueError):
        return False


def response_headers(url: str, certificates: bytes | None) -> Mapping[str, str]:
    """Return what a server says of itself to whoever asks; nothing if it does not answer.

    Args:
        url: where to ask.
        certificates: those to trust in addition, in PEM format.
    """
    import ssl
    import urllib.error
    import urllib.request

    context = ssl.create_default_context()
    if certificates:
        context.load_verify_locations(cadata=certificates.decode("ascii", "ignore"))
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - a cloud, or the user's own
    try:
        with urllib.request.urlopen(  # noqa: S310 - likewise
            request, timeout=_ASKING_SECONDS, context=context
        ) as answer:
            return dict(answer.headers)
    except urllib.error.HTTPError as refused:
        return dict(refused.headers)
    except (OSError, ValueError):
        return {}


def library_missing(credentials: str, library: str, needed: str = "") -> StoreError:
    """Return the error of credentials that only a library of the cloud can get."""
    return StoreError(
        f"{credentials} can only be used with the library {library}, which is not installed",
        hint=f"pip install {needed or library}",
    )

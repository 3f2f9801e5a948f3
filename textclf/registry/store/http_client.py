"""GET requests to a textclf service: connections that are kept, retries, and errors as sentences.

Redirects are not followed, so that the API key goes nowhere but to the host of the URL.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import ssl
import time
import weakref
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from textclf._version import __version__
from textclf.errors import AccessDenied, StoreError, Unreachable, UsageError
from textclf.registry.store.base import Missing
from textclf.registry.store.location import without_secrets
from textclf.registry.store.requests import Transfer

if TYPE_CHECKING:
    from textclf.registry.store.requests import Watch

API_KEY: Final = "TEXTCLF_API_KEY"
"""The variable of the key that a service asks for."""

_CONNECT_SECONDS = 10
_ANSWER_SECONDS = 60
"""How long nothing may arrive."""
_PAUSES = (0.1, 0.5, 2.0)
"""Seconds before each further try."""
_PIECE = 1 << 20
_LARGEST_ERROR = 64 << 10
_LONGEST_MESSAGE = 300
_NOT_NOW = frozenset({429, 502, 503, 504})


@dataclass
class _Refused(Exception):
    """An answer that is no content.

    Attributes:
        status: its HTTP status.
        message: what it says.
        is_textclf: whether it is from a textclf service, and not from a proxy before it.
    """

    status: int
    message: str
    is_textclf: bool


class HttpClient:
    """Asks a service; may be used by several threads at once.

    Args:
        url: where it is, without a slash at its end.
        api_key: the key that it asks for.
        watch: what is told of each answer that takes long.
    """

    def __init__(self, url: str, api_key: str | None = None, watch: Watch | None = None) -> None:
        self._url, self._watch = url, watch
        self._parts = urlsplit(url)
        self._proxy = _proxy(self._parts)
        self._headers = {"User-Agent": f"textclf/{__version__}", **authorization(api_key)}
        self._key_wanted = "another API key than it got" if api_key else "an API key"
        self._target = self._parts.path
        if self._proxy and self._parts.scheme == "http":  # without a tunnel, it sees each request
            self._headers |= _proxy_authorization(self._proxy)
            self._target = url
        self._idle: deque[http.client.HTTPConnection] = deque()
        self._process = os.getpid()
        weakref.finalize(self, _close, self._idle)

    def get(self, path: str, most: int, shown: str) -> bytes:
        """Return the content at a path.

        Args:
            path: below the URL, quoted, with its query.
            most: the most bytes that are accepted.
            shown: what is asked for, for messages.

        Raises:
            Missing: the service says that there is none.
            StoreError: anything else.
        """
        return self._ask("GET", path, most, shown)

    def exists(self, path: str, shown: str) -> bool:
        """Whether there is content at a path; none is sent. Raises StoreError."""
        with contextlib.suppress(Missing):
            self._ask("HEAD", path, 0, shown)
            return True
        return False

    def _ask(self, method: str, path: str, most: int, shown: str) -> bytes:
        """Ask until there is an answer; nothing is changed by being asked for twice."""
        for pause in (*_PAUSES, None):
            try:
                return self._ask_once(method, path, most, shown)
            except _Refused as refused:
                if pause is None or refused.status not in _NOT_NOW:
                    raise self._error(refused, shown) from None
            except ssl.SSLCertVerificationError as error:
                why = f"its certificate is not trusted ({error.verify_message})"
                raise Unreachable(f"{self._url} cannot be reached: {why}") from None
            except (OSError, http.client.HTTPException) as error:
                if pause is None or isinstance(error, socket.gaierror):
                    raise Unreachable(f"{self._url} cannot be reached: {_reason(error)}") from None
            time.sleep(pause)
        raise AssertionError

    def _ask_once(self, method: str, path: str, most: int, shown: str) -> bytes:
        with self._connection() as connection:
            connection.request(method, f"{self._target}{path}", headers=self._headers)
            answer = connection.getresponse()
            if answer.status == http.client.OK:
                return self._content(answer, most, shown)
            refused = _refused(answer)
            if not answer.isclosed():  # there is more to read than an error says
                connection.close()
        raise refused

    def _content(self, answer: http.client.HTTPResponse, most: int, shown: str) -> bytes:
        size = answer.length
        transfer = Transfer("downloading", shown, size, 0)
        content = bytearray()
        try:
            while piece := answer.read(min(_PIECE, most + 1 - len(content))):
                content += piece
                if len(content) > most:
                    raise StoreError(f"cannot read {shown}: it has more than {most:,} bytes")
                transfer.done = len(content)
                self._tell(transfer)
        finally:
            transfer.has_ended = True
            self._tell(transfer)
        if size is not None and len(content) != size:
            raise http.client.IncompleteRead(b"", size - len(content))
        return bytes(content)

    def _tell(self, transfer: Transfer) -> None:
        if self._watch and (transfer.size or 0) > _PIECE:
            self._watch(transfer)

    # -- connections -----------------------------------------------------------------------------

    @contextlib.contextmanager
    def _connection(self) -> Iterator[http.client.HTTPConnection]:
        """Lend a connection, which is kept if its answer was read to the end."""
        if self._process != os.getpid():  # those of the parent process are its own
            _close(self._idle)  # here; the parent process goes on with them
            self._process = os.getpid()
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        if _was_closed(connection):
            connection.close()
            connection = self._connect()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def _connect(self) -> http.client.HTTPConnection:
        host, port, proxy = self._parts.hostname or "", self._parts.port, self._proxy
        at = (proxy.hostname or "", proxy.port) if proxy else (host, port)
        if self._parts.scheme == "https":
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                *at, timeout=_CONNECT_SECONDS, context=ssl.create_default_context()
            )
            if proxy:
                connection.set_tunnel(host, port, headers=_proxy_authorization(proxy))
        else:
            connection = http.client.HTTPConnection(*at, timeout=_CONNECT_SECONDS)
        connection.connect()
        connection.sock.settimeout(_ANSWER_SECONDS)
        return connection

    # -- errors ----------------------------------------------------------------------------------

    def _error(self, refused: _Refused, shown: str) -> Missing | StoreError:
        match refused.status:
            case 404 if refused.is_textclf:
                return Missing(shown)
            case 401 | 403:
                return AccessDenied(
                    f"{self._url} asks for {self._key_wanted} ({refused.status})",
                    hint=f"{API_KEY}=… textclf …",
                )
            case status if status in _NOT_NOW:
                why = f": {refused.message}" if refused.is_textclf and refused.message else ""
                return Unreachable(f"{self._url} does not answer now ({status}){why}")
            case status if refused.is_textclf:
                return StoreError(f"cannot read {shown}: {refused.message} ({status})")
        return StoreError(
            f"{self._url} does not answer as textclf serve does ({refused.status})",
            hint="name the address at which its pages are, without /v1 or /versions",
        )


def authorization(api_key: str | None) -> dict[str, str]:
    """Return the header that carries a key, if there is one. Raises UsageError if none can."""
    if not api_key:
        return {}
    if not api_key.isprintable() or api_key != api_key.strip():
        raise UsageError(
            f"the API key ({API_KEY}) has a line break, another control character, or a space at "
            "an end, which no request can carry"
        )
    return {"Authorization": f"Bearer {api_key}".encode().decode("latin-1")}


def _proxy(parts: SplitResult) -> SplitResult | None:
    """Return the proxy that the environment names for a URL, if it names one."""
    proxy = getproxies().get(parts.scheme)
    if not proxy or proxy_bypass(parts.hostname or ""):
        return None
    return urlsplit(proxy if "://" in proxy else f"http://{proxy}")


def _proxy_authorization(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    import base64

    user = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(user.encode()).decode()}"}


def _close(connections: deque[http.client.HTTPConnection]) -> None:
    while connections:
        connections.pop().close()


def _was_closed(connection: http.client.HTTPConnection) -> bool:
    """Whether the server has closed a connection that was kept."""
    if connection.sock is None:
        return True
    connection.sock.settimeout(0)
    try:
        connection.sock.recv(1)
    except OSError as error:
        return not isinstance(error, BlockingIOError | ssl.SSLWantReadError)
    finally:
        connection.sock.settimeout(_ANSWER_SECONDS)
    return True  # or it sends what nobody has asked for


def _refused(answer: http.client.HTTPResponse) -> _Refused:
    is_textclf = answer.getheader("x-model-version") is not None
    message = ""
    body = answer.read(_LARGEST_ERROR)
    with contextlib.suppress(ValueError, RecursionError):
        said: Any = json.loads(body)
        if isinstance(said, dict):
            message = without_secrets(" ".join(str(said.get("error", "")).split()))
    return _Refused(answer.status, message[:_LONGEST_MESSAGE], is_textclf)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, http.client.IncompleteRead):
        return "only a part of the answer came"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__

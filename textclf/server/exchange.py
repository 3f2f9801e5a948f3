"""One request, what is known of it while it is answered, and the memory that all of them hold."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from textclf.formatting import excerpt
from textclf.server.refusal import Refusal

if TYPE_CHECKING:
    from textclf.server.settings import ServerSettings


T = TypeVar("T")

_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


SMALL = 16 << 10
"""Bytes that any request may hold: the number of connections bounds these."""


KEEP_FOR_A_YEAR = "public, max-age=31536000, immutable"
"""The Cache-Control of what never changes."""


class MemoryBudget:
    """Counts the bytes that requests hold: bodies, predictions, and answers until they are read.

    Args:
        most: how many these may be. A request that holds more alone is answered alone.

    Attributes:
        held: how many they hold.
    """

    def __init__(self, most: int) -> None:
        self._most, self.held = most, 0

    def change(self, before: int, now: int) -> None:
        """Note how many bytes a request held, and how many it will hold now.

        Raises:
            Refusal: others hold so much that these would be too many.
        """
        others = self.held - before
        if now > max(before, SMALL) and others and others + now > self._most:
            raise Refusal.overloaded("other requests hold too much memory", "memory")
        self.held = others + now


@dataclass
class Exchange:
    """What the access log and the headers of the answer say about a request.

    Attributes:
        request_id: the one that came with the request, or a new one.
        trace_id: the trace that ``traceparent`` names, if it names one.
        route: the template of the path, such as ``/v1/versions/{version}``.
        version: the version that answered.
        texts: how many texts were labelled.
        characters: how many characters these have.
        held: how many bytes it holds in memory, about.
    """

    request_id: str
    memory: MemoryBudget
    trace_id: str | None = None
    route: str = "unknown"
    version: str | None = None
    texts: int = 0
    characters: int = 0
    held: int = 0

    def hold(self, size: int) -> None:
        """Note how many bytes the request holds now. Raises Refusal if these are too many."""
        self.memory.change(self.held, size)
        self.held = size


def trace_id(traceparent: str) -> str | None:
    """Return the trace that the header of W3C's Trace Context names."""
    match = _TRACE.fullmatch(traceparent)
    return match[1] if match else None


def exchange_of(request: Request) -> Exchange:
    """Return what is known of a request."""
    exchange: Exchange = request.scope["textclf.exchange"]
    return exchange


async def read_body(request: Request, settings: ServerSettings) -> bytearray:
    """Return the body of a request.

    Raises:
        Refusal: it is too large, takes too long to arrive, is compressed, or there is no memory.
    """
    require_plain(request)
    limit = settings.max_body
    too_large = Refusal.too_large(f"the body has more than {limit:,} bytes, the limit")
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared[:20]) > limit:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(settings.body_timeout):
            async for part in request.stream():
                if len(body) + len(part) > limit:
                    raise too_large
                exchange_of(request).hold(len(body) + len(part))
                body += part
    except TimeoutError:
        message = f"the body did not arrive within {settings.body_timeout:g} seconds"
        raise Refusal(408, message, "timeout", {"connection": "close"}) from None
    except ClientDisconnect:
        raise Refusal(400, "the client went away", "disconnected") from None
    return body


def require_plain(request: Request) -> None:
    """Raise Refusal if the body of a request is compressed."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        message = f"the content encoding {excerpt(encoding)} is not known: send the body as it is"
        raise Refusal(415, message, "media_type", {"accept-encoding": "identity"})


def decode_json(body: bytes | bytearray, kind: type[T]) -> T:
    """Return the value of a JSON body.

    Raises:
        Refusal: it is not JSON, or not of that type.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise Refusal.invalid(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, f"the body is not JSON: {error}", "malformed") from None


def json_response(value: Any, status: int = 200) -> Response:
    """Return a value as a response, which ends its line on a terminal."""
    return Response(msgspec.json.encode(value) + b"\n", status, media_type="application/json")

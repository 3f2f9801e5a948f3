"""The files of the registry for those who name this server as their registry: ``--models URL``."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from typing import Any

from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from textclf.registry.layout import never_changes
from textclf.registry.store.base import Missing, View
from textclf.server.exchange import exchange_of, json_response
from textclf.server.refusal import Refusal
from textclf.server.routing import Endpoint, PathRoute, route
from textclf.server.service import Service

YEAR = "public, max-age=31536000, immutable"
"""How long what never changes may be kept."""

_PIECE = 1 << 20


def store_routes() -> Sequence[PathRoute]:
    """Return the routes of the files."""
    return [
        route("/v1/registry/files/{key:path}", _file),
        route("/v1/registry/names", _listing("names", "folder", "after")),
        route("/v1/registry/digests", _listing("digests", "folder", "after")),
        route("/v1/registry/folders", _listing("folders_with", "file")),
        route("/v1/registry/incomplete", _listing("why_incomplete", "folder")),
    ]


def _listing(method: str, *parameters: str) -> Endpoint:
    """Return what answers with what a method of the shared store returns."""

    async def endpoint(request: Request) -> Response:
        asked = [request.query_params.get(name, "") for name in parameters]
        read = getattr(Service.of(request).shared, method)
        return json_response(await _found(partial(read, *asked)))

    return endpoint


async def _file(request: Request) -> Response:
    """Answer with the content of a key; its ETag is its digest."""
    key, shared = request.path_params["key"], Service.of(request).shared
    if request.method == "HEAD":
        if not await run_in_threadpool(shared.exists, key):
            raise _absent(key)
        return Response()
    async with Service.of(request).file_limiter:
        content = await _found(partial(shared.content, key))
        return await file_response(request, content, immutable=never_changes(key))


async def file_response(request: Request, content: View, *, immutable: bool) -> Response:
    """Return content as a response in pieces, or that it is what the client has already.

    Args:
        request: the request.
        content: what is sent; of a memory map only a piece at a time is in memory.
        immutable: whether it may be kept for a year.

    Raises:
        Refusal: requests hold too much memory already.
    """
    if isinstance(content, bytes):
        exchange_of(request).hold(len(content))
    etag = f'"{await run_in_threadpool(lambda: hashlib.sha256(content).hexdigest())}"'
    headers = {"etag": etag, "cache-control": YEAR if immutable else "no-cache"}
    if request.headers.get("if-none-match") == etag:
        return Response(None, 304, headers)
    headers["content-length"] = str(len(content))
    return StreamingResponse(_pieces(content), 200, headers, "application/octet-stream")


def _pieces(content: View) -> AsyncIterator[bytes]:
    pieces: Iterator[bytes] = (content[at : at + _PIECE] for at in range(0, len(content), _PIECE))
    return iterate_in_threadpool(pieces)


async def _found(read: Callable[[], Any]) -> Any:
    try:
        return await run_in_threadpool(read)
    except (Missing, ValueError) as error:
        raise _absent(str(error)) from None


def _absent(key: str) -> Refusal:
    return Refusal.not_found(f"the registry has no file {key}")

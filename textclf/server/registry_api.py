"""The registry for programs: versions, comparisons, the history, and files.

The files below ``/v1/registry`` are for those who name this server as their registry:
``--models URL``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import msgspec
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from textclf.errors import NoSuchVersion, StoreError
from textclf.registry.layout import never_changes
from textclf.registry.store.base import Missing, View
from textclf.server.catalogue import HistoryQuery, ListQuery, parse_query
from textclf.server.exchange import KEEP_FOR_A_YEAR, exchange_of, json_response
from textclf.server.refusal import Refusal
from textclf.server.routing import Endpoint, PathRoute
from textclf.server.service import Service

_PIECE = 1 << 20


def registry_routes() -> Sequence[PathRoute]:
    """Return the routes of the registry."""
    return [
        PathRoute("/v1/latest", _answer(_latest),
                  summary="The promoted version, and its promotion"),
        PathRoute("/v1/versions", _answer(_versions), summary="A page of the versions",
                  query=["q", "sort", "order", "limit", "after", "metric"]),
        PathRoute("/v1/versions/{version}", _answer(_version),
                  summary="All that is known of a version"),
        PathRoute("/v1/versions/{version}/files/{name}", _version_file,
                  summary="A file of a version"),
        PathRoute("/v1/compare", _answer(_compare),
                  summary="What differs between two versions", query=["a", "b"]),
        PathRoute("/v1/history", _answer(_history),
                  summary="Promotions and other events, newest first",
                  query=["limit", "after"]),
        PathRoute("/v1/registry/files/{key:path}", _file, summary="A file of the registry"),
        _listing("names", "names", "The names in a folder of the registry", "folder", "after"),
        _listing("digests", "digests", "The digests of the records of its logs",
                 "folder", "after"),
        _listing("folders", "folders_with", "The versions that have a file", "file"),
        _listing("incomplete", "why_incomplete", "Why a version has no metadata", "folder"),
    ]  # fmt: skip


def _answer(read: Callable[[Service, Request], Any]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return json_response(await run_in_threadpool(read, Service.of(request), request))

    return endpoint


def _latest(service: Service, _request: Request) -> Any:
    promotion = service.registry.promotions.head()
    if promotion is None:
        raise NoSuchVersion("no version has been promoted yet")
    return {"version": promotion.to, **promotion.as_json()}


def _versions(service: Service, request: Request) -> Any:
    return service.catalogue.versions(parse_query(request.query_params, ListQuery)).as_json()


def _version(service: Service, request: Request) -> Any:
    return service.catalogue.version(request.path_params["version"])


def _compare(service: Service, request: Request) -> Any:
    a, b = (request.query_params.get(name) for name in "ab")
    if not (a and b):
        raise Refusal.invalid("name two versions: ?a=1.0.0&b=1.1.0")
    return msgspec.to_builtins(service.catalogue.compare(a, b))


def _history(service: Service, request: Request) -> Any:
    query = parse_query(request.query_params, HistoryQuery)
    return service.catalogue.history(query).as_json()


async def _version_file(request: Request) -> Response:
    """Answer with a file of a version; its ETag is its digest.

    It never changes, unless the version is named by a channel or as the previous one.
    """
    service = Service.of(request)
    version, name = request.path_params["version"], request.path_params["name"]
    async with service.file_limiter:
        number = str(await run_in_threadpool(service.catalogue.resolve, version))
        content = await run_in_threadpool(service.catalogue.file, number, name)
        return await file_response(request, content, immutable=number == version)


def _listing(name: str, method: str, summary: str, *query: str) -> PathRoute:
    """Return the route that answers with what a method of the shared store returns."""

    async def endpoint(request: Request) -> Response:
        asked = [request.query_params.get(name, "") for name in query]
        read = getattr(Service.of(request).shared, method)
        return json_response(await _found(partial(read, *asked)))

    return PathRoute(f"/v1/registry/{name}", endpoint, summary=summary, query=query)


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
    etag = f'"{await run_in_threadpool(_digest, content)}"'
    headers = {"etag": etag, "cache-control": KEEP_FOR_A_YEAR if immutable else "no-cache"}
    known = request.headers.get("if-none-match", "").split(",")
    if {"*", etag} & {tag.strip().removeprefix("W/") for tag in known}:  # proxies weaken it
        return Response(None, 304, headers)
    headers["content-length"] = str(len(content))
    pieces = iterate_in_threadpool(_pieces(content))
    return StreamingResponse(pieces, 200, headers, "application/octet-stream")


def _digest(content: View) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(content):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(content: View) -> Iterator[bytes]:
    """Yield content in pieces. Raises StoreError if somebody has truncated the file."""
    for at in range(0, len(content), _PIECE):
        size = min(_PIECE, len(content) - at)
        try:
            yield content[at : at + size] if isinstance(content, bytes) else content.piece(at, size)
        except OSError as error:
            raise StoreError(f"a file of the registry cannot be read: {error.strerror}") from None


async def _found(read: Callable[[], Any]) -> Any:
    try:
        return await run_in_threadpool(read)
    except (Missing, ValueError) as error:
        raise _absent(str(error)) from None


def _absent(key: str) -> Refusal:
    return Refusal.not_found(f"the registry has no file {key}")

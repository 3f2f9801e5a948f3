"""The registry for programs: versions, comparisons, the history, and the files of versions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from textclf.errors import NoSuchVersion
from textclf.server.catalogue import parse_query
from textclf.server.exchange import json_response
from textclf.server.pages.history import history_start
from textclf.server.refusal import Refusal
from textclf.server.routing import Endpoint, PathRoute, route
from textclf.server.service import Service
from textclf.server.store_api import file_response


def registry_routes() -> Sequence[PathRoute]:
    """Return the routes of the registry."""
    return [
        route("/v1/latest", _answer(_latest)),
        route("/v1/versions", _answer(_versions)),
        route("/v1/versions/{version}", _answer(_version)),
        route("/v1/versions/{version}/files/{name}", _file),
        route("/v1/compare", _answer(_compare)),
        route("/v1/history", _answer(_history)),
    ]


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
    return service.catalogue.versions(parse_query(request.query_params)).as_json()


def _version(service: Service, request: Request) -> Any:
    return service.catalogue.version(request.path_params["version"])


def _compare(service: Service, request: Request) -> Any:
    a, b = (request.query_params.get(name) for name in "ab")
    if not (a and b):
        raise Refusal.invalid("name two versions: ?a=1.0.0&b=1.1.0")
    return msgspec.to_builtins(service.catalogue.compare(a, b))


def _history(service: Service, request: Request) -> Any:
    return service.catalogue.history(history_start(request)).as_json()


async def _file(request: Request) -> Response:
    """Answer with a file of a version; its ETag is its digest.

    It never changes, unless the version is named by a channel or as the previous one.
    """
    service = Service.of(request)
    version, name = request.path_params["version"], request.path_params["name"]
    async with service.file_limiter:
        number = str(await run_in_threadpool(service.catalogue.resolve, version))
        content = await run_in_threadpool(service.catalogue.file, number, name)
        return await file_response(request, content, immutable=number == version)

"""The description of the API: ``/openapi.json`` for programs, ``/docs`` for people."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from textclf._version import __version__
from textclf.report.html.markup import Html, el, join
from textclf.server.exchange import json_response
from textclf.server.pages.layout import Page, link, page_response
from textclf.server.routing import PathRoute


class Error(msgspec.Struct):
    """What is wrong with a request, and where."""

    error: str


def openapi_routes(api: Sequence[PathRoute]) -> Sequence[PathRoute]:
    """Return the routes of the description of other routes."""

    async def openapi(_request: Request) -> Response:
        return json_response(document(api))

    async def docs(request: Request) -> Response:
        return page_response(request, Page("API", _page(api), None))

    return [PathRoute("/openapi.json", openapi), PathRoute("/docs", docs)]


def document(api: Sequence[PathRoute]) -> dict[str, Any]:
    """Return the description of routes in the form of OpenAPI 3.1."""
    described = [kind for route in api for kind in (route.takes, route.returns) if kind]
    _, components = msgspec.json.schema_components(
        [*described, Error], ref_template="#/components/schemas/{name}"
    )
    paths: dict[str, dict[str, Any]] = {}
    for route in api:
        paths.setdefault(route.template, {})[route.method.lower()] = _described(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "textclf", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"key": []}],
    }


def _described(route: PathRoute) -> dict[str, Any]:
    parameters = [_parameter(name, "path") for name in route.param_convertors]
    parameters += [_parameter(name, "query") for name in route.query]
    described: dict[str, Any] = {
        "operationId": "_".join([route.method.lower(), *re.findall(r"[^/{}:]+", route.template)]),
        "summary": route.summary,
        "parameters": parameters,
        "responses": {
            "200": {"description": "OK", **_content(route.returns)},
            "default": {"description": "The request is refused", **_content(Error)},
        },
    }
    if route.takes:
        described["requestBody"] = {"required": True, **_content(route.takes)}
    return described


def _parameter(name: str, place: str) -> dict[str, Any]:
    required = place == "path"
    return {"name": name, "in": place, "required": required, "schema": {"type": "string"}}


def _content(kind: Any) -> dict[str, Any]:
    if kind is None:
        return {}
    schema = {"$ref": f"#/components/schemas/{kind.__name__}"}
    return {"content": {"application/json": {"schema": schema}}}


def _page(api: Sequence[PathRoute]) -> Html:
    shown = (
        join(
            el("dt", el("code", f"{route.method} {route.template}")),
            el("dd", route.summary, *(join(" ", el("code", f"?{name}=")) for name in route.query)),
        )
        for route in api
    )
    return join(
        el("h1", "API"),
        el("p", "For programs: ", link("openapi.json", "/openapi.json")),
        el("dl", *shown, class_="routes"),
    )

"""Routes that tell the log, the metrics and the links of pages which of them was taken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as PathRoute

from textclf.server.exchange import exchange_of

Endpoint = Callable[[Request], Awaitable[Response]]

__all__ = ["Endpoint", "PathRoute", "relative", "route"]

_up: ContextVar[str] = ContextVar("_up")
"""The way from the path that is answered up to the first page."""


def route(path: str, endpoint: Endpoint, method: str = "GET") -> PathRoute:
    """Return the route from a template of paths to what answers."""
    template = path.replace(":path", "")

    async def with_template(request: Request) -> Response:
        exchange_of(request).route = template
        _up.set("../" * (template.count("/") - 1) or "./")
        return await endpoint(request)

    return PathRoute(path, with_template, methods=[method])


def relative(path: str) -> str:
    """Return a path of this server as the page that is answered links to it.

    It is relative, so that it is right below any path that an application or a proxy puts before.
    """
    return _up.get() + path.removeprefix("/")

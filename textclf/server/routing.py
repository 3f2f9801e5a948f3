"""Routes that tell the log and the metrics which of them was taken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as PathRoute

from textclf.server.exchange import exchange_of

Endpoint = Callable[[Request], Awaitable[Response]]

__all__ = ["Endpoint", "PathRoute", "route"]


def route(path: str, endpoint: Endpoint, method: str = "GET") -> PathRoute:
    """Return the route from a template of paths to what answers."""
    template = path.replace(":path", "")

    async def with_template(request: Request) -> Response:
        exchange_of(request).route = template
        return await endpoint(request)

    return PathRoute(path, with_template, methods=[method])

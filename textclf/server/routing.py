"""Routes that tell the log, the metrics and the links of pages which of them was taken.

What is described of a route is in ``/openapi.json``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from textclf.server.exchange import exchange_of

Endpoint = Callable[[Request], Awaitable[Response]]

_up: ContextVar[str] = ContextVar("_up")
"""The way from the path that is answered up to the first page."""


class PathRoute(Route):
    """A route from a template of paths to what answers.

    Attributes:
        template: the template, as it is described.
        method: ``GET`` or ``POST``.
        summary: what it does; empty for what is not part of the API.
        takes: the type of its body.
        returns: the type of its answer, if it is described.
        query: the parameters of its URL.
    """

    def __init__(  # noqa: PLR0913 - what is described of a route
        self,
        path: str,
        endpoint: Endpoint,
        method: str = "GET",
        summary: str = "",
        *,
        takes: Any = None,
        returns: Any = None,
        query: Sequence[str] = (),
    ) -> None:
        template = path.replace(":path", "")

        async def with_template(request: Request) -> Response:
            exchange_of(request).route = template
            _up.set("../" * (template.count("/") - 1) or "./")
            return await endpoint(request)

        super().__init__(path, with_template, methods=[method])
        self.template, self.method, self.summary = template, method, summary
        self.takes, self.returns, self.query = takes, returns, query


def relative(path: str) -> str:
    """Return a path of this server as the page that is answered links to it.

    It is relative, so that it is right below any path that an application or a proxy puts before.
    """
    return _up.get() + path.removeprefix("/")

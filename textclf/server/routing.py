"""Routes that tell the log, the metrics and the links of pages which of them was taken.

What is described of a route is in ``/openapi.json``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from textclf.formatting import excerpt
from textclf.server.exchange import exchange_of
from textclf.server.refusal import Refusal

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
            self._require_known(request.query_params)
            return await endpoint(request)

        super().__init__(path, with_template, methods=[method])
        self.template, self.method, self.summary = template, method, summary
        self.takes, self.returns, self.query = takes, returns, query

    def _require_known(self, parameters: Iterable[str]) -> None:
        """Raise Refusal if a URL has parameters that a path with others does not take."""
        if self.query and (unknown := set(parameters) - set(self.query)):
            raise Refusal.invalid(
                f"{self.template} has no parameter {excerpt(min(unknown))}; it has "
                f"{', '.join(self.query)}"
            )


class PathRouter(Router):
    """The routes of this server; a path that only exists without the slash at its end leads there.

    The redirection is relative, as all links are: what is public is a proxy's name and its path.
    """

    def __init__(self, routes: Sequence[Route], lifespan: Any) -> None:
        super().__init__(routes, redirect_slashes=False, lifespan=lifespan)

    async def not_found(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a path that no route has."""
        path = scope["path"].rstrip("/")
        if not (path and scope["path"].endswith("/") and scope["type"] == "http"):
            await super().not_found(scope, receive, send)
            return
        query = scope["query_string"].decode("latin-1")
        target = f"../{quote(path.rpartition('/')[2])}" + (f"?{query}" if query else "")
        await RedirectResponse(target, 307)(scope, receive, send)


def relative(path: str) -> str:
    """Return a path of this server as the page that is answered links to it.

    It is relative, so that it is right below any path that an application or a proxy puts before.
    """
    return _up.get() + path.removeprefix("/")

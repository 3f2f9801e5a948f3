"""The application: every route, behind the gateway."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from textclf.server import health
from textclf.server.exchange import exchange_of
from textclf.server.gateway import Gateway
from textclf.server.predict import PredictEndpoint
from textclf.server.protocols import invocations, kserve_v1, open_inference
from textclf.server.service import Service
from textclf.server.settings import ServerSettings

Endpoint = Callable[[Request], Awaitable[Response]]


def app_for(models: str | Path, settings: ServerSettings | None = None) -> ASGIApp:
    """Return the ASGI application that serves a registry, to be run or mounted in another.

    Args:
        models: the folder or URL of the versions.
        settings: what to serve and how much to accept.

    Raises:
        NoSuchVersion: nothing has been promoted yet, or the version does not exist.
        IntegrityError: a file of the version is not what was published.
    """
    from textclf.registry.open import open_registry

    return application(Service(open_registry(models), settings or ServerSettings()))


def application(service: Service) -> ASGIApp:
    """Return the ASGI application of a service."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        service.start()
        try:
            yield
        finally:
            service.stop()

    return Gateway(Router(_routes(service), lifespan=lifespan), service)


def _routes(service: Service) -> Sequence[Route]:
    get, post = ("GET",), ("POST",)
    predict = PredictEndpoint(service.labeller, service.streamer)
    v2 = "/v2/models/{name}"
    return [
        _route("/v1/predict", predict.__call__, post),
        _route("/healthz", health.healthz, get),
        _route("/readyz", health.readyz, get),
        _route("/metrics", health.metrics, get),
        _route("/ping", invocations.ping, get),
        _route("/invocations", invocations.invocations, post),
        _route("/v1/models/{name}:predict", kserve_v1.predict, post),
        _route("/v1/models/{name}", kserve_v1.status, get),
        _route("/v2", open_inference.server_metadata, get),
        _route("/v2/health/live", open_inference.live, get),
        _route("/v2/health/ready", open_inference.ready, get),
        _route(v2, open_inference.model_metadata, get),
        _route(v2 + "/ready", open_inference.ready, get),
        _route(v2 + "/infer", open_inference.infer, post),
        _route(v2 + "/versions/{version}", open_inference.model_metadata, get),
        _route(v2 + "/versions/{version}/ready", open_inference.ready, get),
        _route(v2 + "/versions/{version}/infer", open_inference.infer, post),
    ]


def _route(path: str, endpoint: Endpoint, methods: Sequence[str]) -> Route:
    async def with_template(request: Request) -> Response:
        exchange_of(request).route = path
        return await endpoint(request)

    return Route(path, with_template, methods=methods)

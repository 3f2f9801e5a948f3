"""The application: every route, behind the gateway."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from starlette.routing import Router
from starlette.types import ASGIApp

from textclf.server import health
from textclf.server.gateway import Gateway
from textclf.server.openapi import openapi_routes
from textclf.server.pages.routes import page_routes
from textclf.server.predict import PredictEndpoint
from textclf.server.protocols import invocations, kserve_v1, open_inference
from textclf.server.registry_api import registry_routes
from textclf.server.routing import PathRoute, route
from textclf.server.service import Service
from textclf.server.settings import ServerSettings


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


def _routes(service: Service) -> Sequence[PathRoute]:
    predict = PredictEndpoint(service.labeller, service.explainer, service.streamer)
    v2 = "/v2/models/{name}"
    return [
        route("/v1/predict", predict.__call__, "POST"),
        route("/healthz", health.healthz),
        route("/readyz", health.readyz),
        route("/metrics", health.metrics),
        route("/ping", invocations.ping),
        route("/health", invocations.ping),
        route("/invocations", invocations.invocations, "POST"),
        route("/v1/models/{name}:predict", kserve_v1.predict, "POST"),
        route("/v1/models/{name}", kserve_v1.status),
        route("/v2", open_inference.server_metadata),
        route("/v2/health/live", open_inference.live),
        route("/v2/health/ready", open_inference.ready),
        route(v2, open_inference.model_metadata),
        route(v2 + "/ready", open_inference.ready),
        route(v2 + "/infer", open_inference.infer, "POST"),
        route(v2 + "/versions/{version}", open_inference.model_metadata),
        route(v2 + "/versions/{version}/ready", open_inference.ready),
        route(v2 + "/versions/{version}/infer", open_inference.infer, "POST"),
        *kserve_v1.vertex_routes(),
        *registry_routes(),
        *openapi_routes(),
        *page_routes(service),
    ]

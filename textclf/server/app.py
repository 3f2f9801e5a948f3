"""The application: every route, behind the gateway."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from starlette.types import ASGIApp

from textclf.server import health
from textclf.server.gateway import Gateway
from textclf.server.openapi import openapi_routes
from textclf.server.pages.routes import page_routes
from textclf.server.predict import PredictRequest, PredictResponse, predict
from textclf.server.protocols import invocations, kserve_v1, open_inference
from textclf.server.registry_api import registry_routes
from textclf.server.routing import PathRoute, PathRouter
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

    api = api_routes()
    routes = [*api, *kserve_v1.vertex_routes(), *openapi_routes(api), *page_routes(service)]
    return Gateway(PathRouter(routes, lifespan), service)


def api_routes() -> Sequence[PathRoute]:
    """Return the routes for programs, which are described."""
    live, ready = "Whether the process is alive", "Whether requests should be sent here"
    v2 = "/v2/models/{name}"
    version = v2 + "/versions/{version}"
    return [
        PathRoute("/v1/predict", predict, "POST", "Label texts",
                  takes=PredictRequest, returns=PredictResponse,
                  query=["text_column", "label_column", "score_column"]),
        *registry_routes(),
        PathRoute("/healthz", health.healthz, summary=live),
        PathRoute("/readyz", health.readyz, summary=ready),
        PathRoute("/metrics", health.metrics, summary="Metrics in Prometheus' format"),
        PathRoute("/ping", invocations.ping, summary="As /healthz, for SageMaker"),
        PathRoute("/health", invocations.ping, summary="As /healthz, for MLflow"),
        PathRoute("/invocations", invocations.invocations, "POST",
                  "Label texts, as MLflow and SageMaker ask",
                  takes=invocations.Invocation, returns=invocations.Labels),
        PathRoute("/v1/models/{name}:predict", kserve_v1.predict, "POST",
                  "Label texts, as KServe and Vertex AI ask",
                  takes=kserve_v1.Instances, returns=invocations.Labels),
        PathRoute("/v1/models/{name}", kserve_v1.status,
                  summary="Whether the model is ready, for KServe"),
        PathRoute("/v2", open_inference.server_metadata,
                  summary="The server, for the Open Inference Protocol"),
        PathRoute("/v2/health/live", open_inference.live, summary=live),
        PathRoute("/v2/health/ready", open_inference.ready, summary=ready),
        PathRoute(v2, open_inference.model_metadata,
                  summary="The inputs and outputs of the model"),
        PathRoute(v2 + "/ready", open_inference.ready, summary="Whether the model is ready"),
        PathRoute(v2 + "/infer", open_inference.infer, "POST",
                  "Label texts, as Open Inference clients ask",
                  takes=open_inference.InferenceRequest),
        PathRoute(version, open_inference.model_metadata,
                  summary="The inputs and outputs of a version"),
        PathRoute(version + "/ready", open_inference.ready, summary="Whether a version is ready"),
        PathRoute(version + "/infer", open_inference.infer, "POST", "Label texts with a version",
                  takes=open_inference.InferenceRequest),
    ]  # fmt: skip

"""Whether the server is alive, and whether it should get requests; and its metrics."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from textclf.server.exchange import json_response
from textclf.server.service import Service


async def healthz(_request: Request) -> Response:
    """Answer that the process is alive."""
    return json_response({"status": "ok"})


async def readyz(request: Request) -> Response:
    """Answer whether requests should be sent here: not once the server was asked to stop."""
    service = Service.of(request)
    state = {"status": "ok", "version": service.model.version, "problem": service.reloader.problem}
    return json_response(
        {**state, "status": "stopping"} if service.draining else state,
        503 if service.draining else 200,
    )


async def metrics(request: Request) -> Response:
    """Answer with all metrics, for Prometheus."""
    service = Service.of(request)
    page = service.metrics.page(service.model)
    return Response(page, media_type="text/plain; version=0.0.4; charset=utf-8")

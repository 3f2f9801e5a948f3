"""``POST /v1/models/{name}:predict``: what clients of KServe, TF Serving and Vertex AI send.

Source: KServe, "V1 Inference Protocol"; Vertex AI, "Custom container requirements".
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from textclf.server.exchange import decode_json, json_response, read_body
from textclf.server.health import healthz
from textclf.server.protocols.invocations import Labels, texts_of
from textclf.server.refusal import Refusal
from textclf.server.routing import PathRoute
from textclf.server.service import Service


class Instances(msgspec.Struct):
    """The texts: strings, or objects with the text in ``text``."""

    instances: list[Any]
    parameters: Any = None


async def predict(request: Request) -> Response:
    """Answer with the label of each text."""
    service = Service.of(request)
    asked = decode_json(await read_body(request, service.settings), Instances)
    labelled = await service.labeller.label(request, texts_of(asked.instances, "instances"))
    return json_response(Labels(list(labelled.labels)))


def vertex_routes() -> Sequence[PathRoute]:
    """Return the routes that variables of Vertex AI name, if it runs this."""
    asked = (("AIP_PREDICT_ROUTE", predict, "POST"), ("AIP_HEALTH_ROUTE", healthz, "GET"))
    return [
        PathRoute(path, endpoint, method)
        for variable, endpoint, method in asked
        if (path := os.environ.get(variable, "")).startswith("/")
    ]


async def status(request: Request) -> Response:
    """Answer whether the model can be used."""
    name = request.path_params["name"]
    if Service.of(request).draining:
        raise Refusal(503, "the server is stopping", "draining")
    return json_response({"name": name, "ready": True})

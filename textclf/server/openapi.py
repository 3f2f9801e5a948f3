"""The description of the API: ``/openapi.json`` for programs, ``/docs`` for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from textclf._version import __version__
from textclf.report.html.markup import el, join
from textclf.server.exchange import json_response
from textclf.server.pages.layout import Page, link, page_response
from textclf.server.predict import PredictRequest, PredictResponse
from textclf.server.protocols.invocations import Invocation, Labels
from textclf.server.protocols.kserve_v1 import Instances
from textclf.server.protocols.open_inference import InferenceRequest
from textclf.server.routing import PathRoute, route


class Error(msgspec.Struct):
    """What is wrong with a request, and where."""

    error: str


@dataclass(frozen=True)
class Operation:
    """A route as it is described.

    Attributes:
        method: ``get`` or ``post``.
        path: its template.
        summary: what it does.
        takes: the type of its body.
        returns: the type of its answer, if it is described.
        query: the parameters of its URL.
    """

    method: str
    path: str
    summary: str
    takes: Any = None
    returns: Any = None
    query: Sequence[str] = ()

    @property
    def name(self) -> str:
        """The name of a function that calls it."""
        words = self.path.replace("{", "").replace("}", "").replace(":", "/")
        return "_".join([self.method, *filter(None, words.split("/"))])


OPERATIONS = (
    Operation("post", "/v1/predict", "Label texts", PredictRequest, PredictResponse,
              ["text_column"]),
    Operation("get", "/v1/latest", "The promoted version, and its promotion"),
    Operation(
        "get", "/v1/versions", "A page of the versions",
        query=["q", "sort", "order", "limit", "after", "metric"],
    ),
    Operation("get", "/v1/versions/{version}", "All that is known of a version"),
    Operation("get", "/v1/versions/{version}/files/{name}", "A file of a version"),
    Operation("get", "/v1/compare", "What differs between two versions", query=["a", "b"]),
    Operation("get", "/v1/history", "Promotions and other events, newest first", query=["after"]),
    Operation("get", "/v1/registry/files/{key}", "A file of the registry"),
    Operation("get", "/v1/registry/names", "The names in a folder of the registry",
              query=["folder", "after"]),
    Operation("get", "/v1/registry/digests", "The digests of the records of its logs",
              query=["folder", "after"]),
    Operation("get", "/v1/registry/folders", "The versions that have a file", query=["file"]),
    Operation("get", "/v1/registry/incomplete", "Why a version has no metadata",
              query=["folder"]),
    Operation("get", "/healthz", "Whether the process is alive"),
    Operation("get", "/readyz", "Whether requests should be sent here"),
    Operation("get", "/metrics", "Metrics in Prometheus' format"),
    Operation("get", "/ping", "As /healthz, for SageMaker"),
    Operation("get", "/health", "As /healthz, for MLflow"),
    Operation("post", "/invocations", "Label texts, as MLflow and SageMaker ask",
              Invocation, Labels),
    Operation("post", "/v1/models/{name}:predict", "Label texts, as KServe and Vertex AI ask",
              Instances, Labels),
    Operation("get", "/v1/models/{name}", "Whether the model is ready, for KServe"),
    Operation("get", "/v2", "The server, for the Open Inference Protocol"),
    Operation("get", "/v2/health/live", "Whether the process is alive"),
    Operation("get", "/v2/health/ready", "Whether requests should be sent here"),
    Operation("get", "/v2/models/{name}", "The inputs and outputs of the model"),
    Operation("get", "/v2/models/{name}/ready", "Whether the model is ready"),
    Operation("post", "/v2/models/{name}/infer", "Label texts, as Open Inference clients ask",
              InferenceRequest),
    Operation("get", "/v2/models/{name}/versions/{version}", "The same of a version"),
    Operation("get", "/v2/models/{name}/versions/{version}/ready", "Whether it is ready"),
    Operation("post", "/v2/models/{name}/versions/{version}/infer", "Label texts with it",
              InferenceRequest),
)  # fmt: skip


def openapi_routes() -> Sequence[PathRoute]:
    """Return the routes of the description."""
    return [route("/openapi.json", _openapi), route("/docs", _docs)]


def document() -> dict[str, Any]:
    """Return the description in the form of OpenAPI 3.1."""
    described = [kind for o in OPERATIONS for kind in (o.takes, o.returns) if kind]
    _, components = msgspec.json.schema_components(
        [*described, Error], ref_template="#/components/schemas/{name}"
    )
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation)
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


def _described(operation: Operation) -> dict[str, Any]:
    in_path = [part[1:].partition("}")[0] for part in operation.path.split("/") if "{" in part]
    parameters = [_parameter(name, "path") for name in in_path]
    parameters += [_parameter(name, "query") for name in operation.query]
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": parameters,
        "responses": {
            "200": {"description": "OK", **_content(operation.returns)},
            "default": {"description": "The request is refused", **_content(Error)},
        },
    }
    if operation.takes:
        described["requestBody"] = {"required": True, **_content(operation.takes)}
    return described


def _parameter(name: str, place: str) -> dict[str, Any]:
    required = place == "path"
    return {"name": name, "in": place, "required": required, "schema": {"type": "string"}}


def _content(kind: Any) -> dict[str, Any]:
    if kind is None:
        return {}
    schema = {"$ref": f"#/components/schemas/{kind.__name__}"}
    return {"content": {"application/json": {"schema": schema}}}


async def _openapi(_request: Request) -> Response:
    return json_response(document())


async def _docs(request: Request) -> Response:
    shown = (
        join(
            el("dt", el("code", f"{operation.method.upper()} {operation.path}")),
            el("dd", operation.summary, *map(_parameter_note, operation.query)),
        )
        for operation in OPERATIONS
    )
    body = join(
        el("h1", "API"),
        el("p", "For programs: ", link("openapi.json", "/openapi.json")),
        el("dl", *shown, class_="routes"),
    )
    return page_response(request, Page("API", body, None))


def _parameter_note(name: str) -> Any:
    return join(" ", el("code", f"?{name}="))

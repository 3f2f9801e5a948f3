"""``/v2/…``: the Open Inference Protocol, which Triton, KServe and MLServer share.

The input is ``text`` (BYTES, of shape [n] or [n, 1]), the outputs are ``label`` (BYTES) and
``score`` (FP64). Sources: KServe, "Open Inference Protocol", the REST part; Triton, "Binary Tensor
Data Extension", of which requests may make use.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from textclf._version import __version__
from textclf.formatting import plural
from textclf.server.exchange import decode_json, json_response, read_body
from textclf.server.labelling import Labelled
from textclf.server.refusal import Refusal
from textclf.server.served_model import ServedModel
from textclf.server.service import Service


class Tensor(msgspec.Struct):
    """An input."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any] | None = None
    parameters: dict[str, Any] | None = None


class InferenceRequest(msgspec.Struct):
    """The inputs of a request."""

    inputs: list[Tensor]
    id: str | None = None
    outputs: list[dict[str, Any]] | None = None
    parameters: dict[str, Any] | None = None


async def live(_request: Request) -> Response:
    """Answer that the server is alive."""
    return json_response({"live": True})


async def ready(request: Request) -> Response:
    """Answer whether requests should be sent here."""
    draining = Service.of(request).draining
    return json_response({"ready": not draining}, 503 if draining else 200)


async def server_metadata(_request: Request) -> Response:
    """Answer what server this is."""
    return json_response({"name": "textclf", "version": __version__, "extensions": []})


async def model_metadata(request: Request) -> Response:
    """Answer what the inputs and outputs are."""
    service = Service.of(request)
    return json_response(
        {
            "name": _model_name(request),
            "versions": [service.model.version],
            "platform": "textclf",
            "inputs": [{"name": "text", "datatype": "BYTES", "shape": [-1]}],
            "outputs": [
                {"name": "label", "datatype": "BYTES", "shape": [-1]},
                {"name": "score", "datatype": "FP64", "shape": [-1]},
            ],
        }
    )


async def infer(request: Request) -> Response:
    """Answer with the label and the score of each text."""
    name = _model_name(request)
    service = Service.of(request)
    body, binary = _parts(request, await read_body(request, service.settings))
    asked = decode_json(body, InferenceRequest)
    labelled = await service.labeller.label(request, _input_texts(asked, binary))
    _require_version(request, labelled.model)  # another may be promoted by now
    answer: dict[str, Any] = {"model_name": name, "model_version": labelled.model.version}
    if asked.id is not None:
        answer["id"] = asked.id
    return json_response({**answer, "outputs": _outputs(labelled, asked.outputs)})


def _model_name(request: Request) -> str:
    """Return the name in the path, which may be any. Raises Refusal for another version."""
    _require_version(request, Service.of(request).model)
    name: str = request.path_params["name"]
    return name


def _require_version(request: Request, model: ServedModel) -> None:
    """Raise Refusal if the path names another version than that of a model."""
    version = request.path_params.get("version")
    if version not in (None, model.version):
        raise Refusal.not_found(f"version {version} is not served here: {model.version} is")


def _parts(request: Request, body: bytearray) -> tuple[bytearray, bytearray]:
    """Return the JSON of a request, and the binary data that follows it.

    The header that says where the JSON ends is that of the protocol's binary tensor data extension.
    """
    size = request.headers.get("inference-header-content-length")
    if size is None:
        return body, bytearray()
    if not (size.isascii() and size.isdecimal() and len(size) < 20 and int(size) <= len(body)):  # noqa: PLR2004
        raise Refusal(400, "Inference-Header-Content-Length is not within the body", "malformed")
    return body[: int(size)], body[int(size) :]


def _input_texts(asked: InferenceRequest, binary: bytearray) -> list[str]:
    match asked.inputs:
        case [Tensor(name="text", datatype="BYTES", data=list() as data) as tensor]:
            values = [row[0] if isinstance(row, list) and len(row) == 1 else row for row in data]
        case [Tensor(name="text", datatype="BYTES") as tensor] if binary:
            values = list(_binary_texts(binary))
        case [Tensor(name="text", datatype="BYTES")]:
            raise Refusal.invalid("inputs[0] has no data, and no binary data follows")
        case _:
            raise Refusal.invalid("send one input: 'text', of datatype BYTES")
    for n, text in enumerate(values):
        if not isinstance(text, str):
            raise Refusal.invalid(f"inputs[0].data[{n}] is not a string")
    if tensor.shape not in ([len(values)], [len(values), 1]):
        raise Refusal.invalid(
            f"inputs[0].shape is {tensor.shape}; that of {plural(len(values), 'text')} is "
            f"[{len(values)}] or [{len(values)}, 1]"
        )
    return values


def _binary_texts(binary: bytearray) -> Iterator[str]:
    """Yield the texts of binary data: the length of each in four bytes, then its UTF-8."""
    at = 0
    while at < len(binary):
        end = at + 4 + int.from_bytes(binary[at : at + 4], "little")
        if end > len(binary):
            raise Refusal(400, f"the binary data ends within the text at byte {at}", "malformed")
        try:
            yield binary[at + 4 : end].decode()
        except UnicodeDecodeError as error:
            message = f"the text at byte {at} is not UTF-8: {error}"
            raise Refusal(415, message, "media_type") from None
        at = end


def _outputs(labelled: Labelled, wanted: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """Return both outputs, or those that were asked for; no label is the empty string."""
    shape = [len(labelled.labels)]
    labels = [label or "" for label in labelled.labels]
    scores = [prediction.score for prediction in labelled.predictions]
    outputs: dict[str, dict[str, Any]] = {
        "label": {"name": "label", "datatype": "BYTES", "shape": shape, "data": labels},
        "score": {"name": "score", "datatype": "FP64", "shape": shape, "data": scores},
    }
    if wanted is None:
        return list(outputs.values())
    names = [output.get("name") for output in wanted]
    for name in names:
        if name not in outputs:
            raise Refusal.invalid(f"there is no output {name!r}: there are label and score")
    return [outputs[str(name)] for name in names]

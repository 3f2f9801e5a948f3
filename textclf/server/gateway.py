"""What every request passes: its id, the key, the headers of the answer, metrics and the log."""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import re
import secrets
import time
from functools import partial
from typing import Any

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from textclf.errors import TextclfError
from textclf.server.exchange import Exchange, MemoryBudget, json_response, trace_id
from textclf.server.refusal import Refusal, as_refusal
from textclf.server.sending import Sender
from textclf.server.service import Service

_access_log = logging.getLogger("textclf.server.access")
_logger = logging.getLogger("textclf.server")

_OPEN_PATHS = frozenset({"/healthz", "/readyz", "/ping", "/health"})
"""Paths that need no key: who asks whether the server is there has none."""

_FAILED = 500

_WHY = {
    404: "there is no such path; /docs lists them all",
    405: "this path does not take that method; Allow names those that it takes",
}

_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")


class Gateway:
    """An ASGI application around another: authenticates, answers errors, measures and logs."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service, self._metrics = app, service, service.metrics
        key = service.settings.api_key
        self._api_key = key.encode() if key else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._service.start()  # where this is mounted in another application, nobody else does
        begin = time.perf_counter()
        headers = Headers(scope=scope)
        exchange = scope["textclf.exchange"] = _exchange(headers, self._service.memory)
        scope["textclf.service"] = self._service
        scope["app"] = self
        sender = Sender(send, exchange, partial(self._add_headers, exchange))
        try:
            await self._answer(scope, headers, receive, sender)
        finally:
            exchange.hold(0)
            seconds = time.perf_counter() - begin
            self._record(scope["method"], exchange, sender.status, seconds)

    async def _answer(self, scope: Scope, headers: Headers, receive: Receive, send: Sender) -> None:
        """Call the application, and answer what it raises before it has begun to answer.

        After that nothing can be said any more: an answer without its last part is known to be cut.
        """
        try:
            # where this is mounted in another application, the path begins with that of the mount
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            self._authenticate(path, headers)
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - what is no refusal is logged
            refusal = self._as_refusal(error, scope["textclf.exchange"])
            if send.started:
                request_id = scope["textclf.exchange"].request_id
                _logger.warning("the answer to request %s was cut off: %s", request_id, error)
                return
            response = json_response({"error": refusal.message}, refusal.status)
            response.headers.update(refusal.headers)
            await response(scope, receive, send)

    def _as_refusal(self, error: Exception, exchange: Exchange) -> Refusal:
        match error:
            case Refusal():
                self._metrics.rejected.labels(error.reason).inc()
                return error
            case HTTPException():
                message = _WHY.get(error.status_code, error.detail)
                return Refusal(error.status_code, message, "http", error.headers)
            case TextclfError():
                refusal = as_refusal(error)
                if refusal.status >= _FAILED:
                    _logger.error("request %s: %s", exchange.request_id, error)
                return refusal
            case _:
                _logger.error("request %s", exchange.request_id, exc_info=error)
                message = f"internal error; the log has it under {exchange.request_id}"
                return Refusal(500, message, "internal")

    def _authenticate(self, path: str, headers: Headers) -> None:
        if self._api_key is None or path in _OPEN_PATHS:
            return
        if not hmac.compare_digest(_key_in(headers), self._api_key):
            raise Refusal(
                401,
                "the API key is missing or wrong; send it as Authorization: Bearer KEY",
                "unauthorized",
                {"www-authenticate": 'Basic realm="textclf", charset="UTF-8"'},
            )

    def _add_headers(self, exchange: Exchange, message: Message) -> None:
        headers = MutableHeaders(raw=message["headers"])
        headers["x-request-id"] = exchange.request_id
        headers["x-model-version"] = exchange.version or self._service.model.version
        if self._service.draining:
            headers["connection"] = "close"

    def _record(self, method: str, exchange: Exchange, status: int, seconds: float) -> None:
        self._metrics.durations.labels(method, exchange.route, str(status)).observe(seconds)
        if _access_log.isEnabledFor(logging.INFO):
            _access_log.info(_log_line(method, exchange, status, seconds))


def _exchange(headers: Headers, memory: MemoryBudget) -> Exchange:
    request_id = headers.get("x-request-id", "")
    if not _REQUEST_ID.fullmatch(request_id):
        request_id = secrets.token_hex(8)
    return Exchange(request_id, memory, trace_id(headers.get("traceparent", "")))


def _key_in(headers: Headers) -> bytes:
    """Return the key of a request: a bearer token, X-API-Key, or a browser's password."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip().encode("latin-1")
        case "basic":
            try:
                return base64.b64decode(value, validate=True).partition(b":")[2]
            except (binascii.Error, ValueError):
                return b""
        case _:
            return headers.get("x-api-key", "").encode("latin-1")


def _log_line(method: str, exchange: Exchange, status: int, seconds: float) -> str:
    fields: dict[str, Any] = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "request_id": exchange.request_id,
        "trace_id": exchange.trace_id,
        "method": method,
        "route": exchange.route,
        "status": status,
        "seconds": round(seconds, 6),
        "texts": exchange.texts,
        "characters": exchange.characters,
        "version": exchange.version,
    }
    return msgspec.json.encode(fields).decode()

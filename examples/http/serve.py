"""Serve the promoted version of a model over HTTP, and follow promotions."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import signal
import socket
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from textclf import Predictor, load
from textclf.errors import TextclfError

MAX_BODY = 1 << 20  # bytes
REQUEST_SECONDS = 20  # for a request to arrive, and as much for the client to read the answer
DRAIN_SECONDS = 5  # to answer what was sent before SIGTERM or Ctrl-C


class Refusal(Exception):
    """An HTTP status and a sentence for the client."""


class Incoming(io.RawIOBase):
    """The bytes of one request, until a deadline, however slowly they arrive."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.deadline = time.monotonic() + REQUEST_SECONDS

    def readable(self) -> bool:  # noqa: D102 - the names that io calls
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: D102
        self.connection.settimeout(max(self.deadline - time.monotonic(), 0.001))
        return self.connection.recv_into(buffer)


class Handler(BaseHTTPRequestHandler):
    """``GET /healthz``, and ``POST /predict`` with ``{"text": …}`` or ``{"texts": […]}``."""

    predictor: Predictor
    default_request_version = "HTTP/1.1"  # what cannot be parsed gets a status, too

    def setup(self) -> None:  # noqa: D102 - the names that http.server calls
        super().setup()
        self.rfile = io.BufferedReader(Incoming(self.connection))

    def handle(self) -> None:  # noqa: D102
        with contextlib.suppress(ConnectionError):  # the client is gone
            super().handle()

    def do_POST(self) -> None:  # noqa: D102
        try:
            self._send(200, self._answer(self._body()))
        except Refusal as refusal:
            self.send_error(*refusal.args)
        except TextclfError as error:  # the scorer turns out to be damaged
            self.send_error(503, str(error))

    do_GET = do_POST  # noqa: N815

    def send_error(self, code: int, message: str | None = None, *_: Any) -> None:
        """Answer with a sentence, also to what http.server itself refuses."""
        self._send(code, {"error": message or HTTPStatus(code).phrase})
        with contextlib.suppress(OSError):  # a client that still sends would miss the answer
            self.connection.shutdown(socket.SHUT_WR)
            while self.rfile.read1():
                pass

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        data = json.dumps(answer).encode()
        self.connection.settimeout(REQUEST_SECONDS)
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _body(self) -> bytes:
        lengths = self.headers.get_all("content-length", ["0"])
        digits = lengths[0].strip()
        if "transfer-encoding" in self.headers or len(lengths) > 1 or not digits.isdecimal():
            raise Refusal(400, "send one content-length in digits, and no transfer-encoding")
        if len(digits) > len(str(MAX_BODY)) or int(digits) > MAX_BODY:
            raise Refusal(413, f"the body may have at most {MAX_BODY:,} bytes")
        with contextlib.suppress(TimeoutError):
            if len(body := self.rfile.read(int(digits))) == int(digits):
                return body
        raise Refusal(408, "the body did not arrive in time, or not in full")

    def _answer(self, body: bytes) -> dict[str, Any]:
        version = {"version": str(self.predictor.version)}
        match self.command, self.path:
            case "GET", "/healthz":
                return {"ok": True, **version}
            case "POST", "/predict":
                predictions = [vars(each) for each in self.predictor.predict(_texts(body))]
                score_type = self.predictor.score_type
                return {**version, "score_type": score_type, "predictions": predictions}
        raise Refusal(404, "there is GET /healthz and POST /predict")


def _texts(body: bytes) -> list[str]:
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        request = None
    if isinstance(request, dict):
        texts = [request["text"]] if "text" in request else request.get("texts")
        if isinstance(texts, list) and all(isinstance(text, str) for text in texts):
            return texts
    raise Refusal(400, 'send {"text": "…"} or {"texts": ["…"]} as JSON')


class Server(ThreadingHTTPServer):
    """A thread for each connection, and one request on each."""

    request_queue_size = 128
    daemon_threads = False

    def finish(self) -> None:
        """Answer what has been sent; end the process if that takes too long."""
        timer = threading.Timer(DRAIN_SECONDS, os._exit, [0])
        timer.daemon = True
        timer.start()
        self.socket.setblocking(False)
        with contextlib.suppress(OSError):  # until no connection waits to be accepted
            while True:
                self.process_request(*self.get_request())
        self.server_close()  # waits for the threads


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="?", help="folder of the versions, or its URL")
    parser.add_argument("port", nargs="?", type=int, default=8000)
    arguments = parser.parse_args()
    try:
        Handler.predictor = load(arguments.models, follow=True)
        server = Server(("127.0.0.1", arguments.port), Handler)
    except (TextclfError, OSError, OverflowError) as error:
        sys.exit(f"error: {error}")
    for number in signal.SIGTERM, signal.SIGINT:  # shutdown waits for serve_forever to return
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"http://127.0.0.1:{server.server_port}", flush=True)  # noqa: T201 - a command
    server.serve_forever()
    server.finish()


if __name__ == "__main__":
    main()

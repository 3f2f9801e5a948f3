"""Answer with the promoted version over HTTP, and follow promotions."""

from __future__ import annotations

import argparse
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from textclf import Predictor, load
from textclf.errors import TextclfError

LONGEST = 1 << 20
"""Bytes of a request."""

NOWHERE = {"error": "there is GET /healthz and POST /predict"}


class Handler(BaseHTTPRequestHandler):
    """``GET /healthz``, and ``POST /predict`` with ``{"text": …}`` or ``{"texts": […]}``."""

    predictor: Predictor
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:  # noqa: D102 - the name that http.server calls
        if self.path == "/healthz":
            self._answer(200, {"ok": True, "version": str(self.predictor.version)})
        else:
            self._answer(404, NOWHERE)

    def do_POST(self) -> None:  # noqa: D102
        length = self.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > LONGEST:
            self.close_connection = True  # what follows is not read
            self._answer(413, {"error": f"a content-length of at most {LONGEST:,} is needed"})
            return
        body = self.rfile.read(int(length))
        if self.path != "/predict":
            self._answer(404, NOWHERE)
        elif (texts := _texts(body)) is None:
            self._answer(400, {"error": 'send {"text": "…"} or {"texts": ["…"]} as JSON'})
        else:
            self._predict(texts)

    def _predict(self, texts: list[str]) -> None:
        try:
            found = self.predictor.predict(texts)
        except TextclfError as error:  # the scorer turns out to be damaged
            self._answer(503, {"error": str(error)})
            return
        answer = {"version": str(self.predictor.version), "score_type": self.predictor.score_type}
        self._answer(200, {**answer, "predictions": [vars(each) for each in found]})

    def _answer(self, status: int, answer: dict[str, Any]) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _texts(body: bytes) -> list[str] | None:
    """The texts of a request; None if it is something else."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(asked, dict):
        return None
    texts = [asked["text"]] if "text" in asked else asked.get("texts")
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        return None
    return texts


def main() -> None:
    """Serve until Ctrl-C; a promotion reaches the service within a second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="?", help="folder of the versions")
    parser.add_argument("port", nargs="?", type=int, default=8000)
    given = parser.parse_args()
    try:
        Handler.predictor = load(given.models, follow=True)
    except TextclfError as error:
        sys.exit(f"error: {error}")
    server = ThreadingHTTPServer(("127.0.0.1", given.port), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)  # noqa: T201 - a command
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()

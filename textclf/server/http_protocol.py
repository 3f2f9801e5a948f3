"""uvicorn's HTTP protocol, with bounds on what a client may hold or keep waiting."""

from __future__ import annotations

import asyncio
import resource
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

_LARGEST_HEAD = 64 << 10
"""Bytes of a request that are not of its body, before it, within it or after it."""

_SECONDS = 10.0
"""How long the head of a request may take to arrive, and the rest of a refused body."""

_LAST_SECONDS = 1.0
"""How long a request may be on its way when the server stops."""

_WRITE_SECONDS = 30.0
"""How long a client may take to read what was sent, or a part of it."""

_SLOWEST = 1000
"""Bytes a second that a client has to read."""

_SPARE_FILES = 100
"""Files that are open for other things than connections."""

_MOST_CONNECTIONS = 10_000


def most_connections() -> int:
    """Return how many connections may be open at a time."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = files == resource.RLIM_INFINITY
    return _MOST_CONNECTIONS if unlimited else max(1, min(_MOST_CONNECTIONS, files - _SPARE_FILES))


class BoundedHttpProtocol(HttpToolsProtocol):
    """Closes connections that fill the memory, or keep something for ever.

    - A request line, headers, chunk extensions or trailers that are too large are refused.
    - A head that takes too long is refused, and so is an idle connection.
    - A client that does not read its answer is cut off.
    - What arrives of a body after the request was refused is read for some seconds, so that the
      client can read why, and not longer.
    - A connection beyond the limit is refused.
    """

    _head_bytes = 0
    _in_body = False
    _unread = 0
    _timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock for the first request."""
        super().connection_made(transport)
        if len(self.connections) > most_connections():
            self._refuse(503, "too many connections are open")
            return
        self._await_head()
        self._watch_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._stop_timer()
        if self._write_timer is not None:
            self._write_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what arrives and is not of a body."""
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > _LARGEST_HEAD:
            self._refuse(431, f"there are more than {_LARGEST_HEAD:,} bytes of headers")
        elif not (self._in_body or self._answering() or self._timer):
            self._await_head()

    def on_headers_complete(self) -> None:
        """Stop the clock."""
        self._head_bytes, self._in_body = 0, True
        self._stop_timer()
        super().on_headers_complete()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what comes after the body is none."""
        if not self._in_body:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._head_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the request has arrived; if it is answered already, wait for the next."""
        self._head_bytes, self._in_body = 0, False
        super().on_message_complete()
        if not self._answering():
            self._await_head()

    def shutdown(self) -> None:
        """Close the connection, unless a request comes that its client has sent meanwhile."""
        if self._answering():
            super().shutdown()
        else:
            self._start_timer(self.transport.close, _LAST_SECONDS)

    def on_response_complete(self) -> None:
        """If the request has not arrived as a whole, wait some seconds for the rest of it."""
        if self._in_body:
            self._start_timer(self.transport.close)
        super().on_response_complete()

    def resume_writing(self) -> None:
        """Note that all but a little was read."""
        self._unread = 0
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._refuse(400, msg.rstrip(".").lower())

    def _answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _await_head(self) -> None:
        message = f"no request arrived within {_SECONDS:g} seconds"
        self._start_timer(lambda: self._refuse(408, message))

    def _start_timer(self, expired: Any, seconds: float | None = None) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds or _SECONDS, expired)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: int, message: str) -> None:
        """Answer for the last time, unless an answer is being sent."""
        self._stop_timer()
        if self.transport.is_closing():
            return
        if self._answering():
            if self.cycle.response_started:
                self.transport.abort()
                return
            self.cycle.disconnected = True  # so that it is not answered twice
            self.cycle.message_event.set()
        body = msgspec.json.encode({"error": message})
        self.transport.write(
            STATUS_LINE[status] + b"content-type: application/json\r\ncontent-length: %d\r\n"
            b"connection: close\r\n\r\n%s" % (len(body), body)
        )
        self.transport.close()

    def _watch_writing(self) -> None:
        """Cut the connection off if too little was read of what waited a while ago already."""
        waiting = self.flow.write_paused or self.transport.is_closing()
        unread = self.transport.get_write_buffer_size() if waiting else 0
        if self._unread and unread > self._unread - _SLOWEST * _WRITE_SECONDS:
            self.transport.abort()
            return
        self._unread = unread
        self._write_timer = self.loop.call_later(_WRITE_SECONDS, self._watch_writing)

"""Run the server in this process, until it is asked to stop."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import logging
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn

from textclf.server.app import application
from textclf.server.http_protocol import BoundedHttpProtocol
from textclf.server.service import Service

_KEEP_ALIVE = 75
"""Seconds that an idle connection stays open: longer than the 60 of most load balancers."""

_BACKLOG = 2048

_HANDSHAKE_SECONDS = 0.25
"""How long a connection may be in the making when the server stops: the way there and back."""

_SO_ATTACH_FILTER = 26
"""The option of a socket in Linux that says which packets reach it; Python has no name for it."""

_DROP_SYN = (
    (0x30, 0, 0, 13),  # load byte 13 of the TCP header, its flags
    (0x45, 0, 1, 0x02),  # with SYN, go on; else skip one
    (0x06, 0, 0, 0),  # drop the packet
    (0x06, 0, 0, 0xFFFFFFFF),  # keep the packet
)
"""A program of the Berkeley packet filter (McCanne and Jacobson 1993) that drops each packet that
begins a TCP connection, as (code, jump if true, jump if false, operand)."""


def run(
    service: Service, listener: socket.socket, on_ready: Callable[[], None], *, inherited: bool
) -> None:
    """Answer requests until SIGTERM or Ctrl-C, and finish those that are being answered.

    Args:
        service: what answers.
        listener: a socket that is bound.
        on_ready: called once requests are answered.
        inherited: whether the process that started this one may go on to use the listener.
    """
    config = uvicorn.Config(
        application(service),
        http=BoundedHttpProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE,
        backlog=_BACKLOG,
    )
    _DrainingServer(config, service, on_ready, inherited=inherited).run(sockets=[listener])


class _DrainingServer(uvicorn.Server):
    """A server that goes on for some seconds after it was asked to stop.

    ``/readyz`` says so at once, so that load balancers send no more requests, and answers close
    their connections. uvicorn alone would close the listener at once, and reset connections.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        service: Service,
        on_ready: Callable[[], None],
        *,
        inherited: bool,
    ) -> None:
        super().__init__(config)
        self._service, self._on_ready, self._inherited = service, on_ready, inherited

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.collect()
        gc.freeze()  # else the collector would look through all libraries while requests wait
        self._on_ready()
        notify_systemd("READY=1")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take the connections that clients have made already, and close the listener.

        Those would be reset: the system has accepted them on behalf of this process. So that none
        is made between the last that is taken and the close, the first packets of further ones are
        dropped before; their clients send them again, and learn that nothing listens. An inherited
        listener resets none, since it stays open elsewhere.
        """
        if not self._inherited:
            for listener in sockets or []:
                _drop_new_connections(listener)
            await asyncio.sleep(_HANDSHAKE_SECONDS)
        made = [connection for listener in sockets or [] for connection in _waiting(listener)]
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        for connection in made:
            await loop.connect_accepted_socket(self._protocol, connection)
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        return BoundedHttpProtocol(self.config, self.server_state, self.lifespan.state)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Drain at SIGTERM, stop at once at Ctrl-C, cut requests off at a further signal."""
        if self._service.draining:
            self.force_exit = True
            self._stop()
            return
        self._service.draining = True
        notify_systemd("STOPPING=1")
        seconds = self._service.settings.drain if sig == signal.SIGTERM else 0.0
        loop = asyncio.get_running_loop()
        loop.call_soon_threadsafe(loop.call_later, seconds, self._stop)

    def _stop(self) -> None:
        self.should_exit = True


def _drop_new_connections(listener: socket.socket) -> None:
    """Let no further connection begin, where the system can do that."""
    if sys.platform != "linux":
        return
    program = b"".join(struct.pack("=HBBI", *step) for step in _DROP_SYN)
    buffer = ctypes.create_string_buffer(program, len(program))
    value = struct.pack("@HP", len(_DROP_SYN), ctypes.addressof(buffer))
    with contextlib.suppress(OSError):  # a sandbox may forbid it
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, value)


def _waiting(listener: socket.socket) -> Iterator[socket.socket]:
    """Yield the connections that wait to be accepted."""
    listener.setblocking(False)
    with contextlib.suppress(OSError):  # there is none any more
        while True:
            connection, _ = listener.accept()
            connection.setblocking(False)
            yield connection


def notify_systemd(state: str) -> None:
    """Tell systemd the state of the service, if it started this process and wants to know."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.sendto(state.encode(), "\0" + address[1:] if address[0] == "@" else address)

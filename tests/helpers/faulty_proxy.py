"""A TCP proxy before a server of S3 that lets the answer to one request go wrong.

It counts requests by their first lines, in the order in which they come, and does not look into
them any further: what the server does with a request, it has done when the answer is dropped.
"""

import contextlib
import re
import socket
import socketserver
import threading
from dataclasses import dataclass, field

_REQUEST = re.compile(rb"^(GET|PUT|HEAD|DELETE|POST) (\S+) HTTP/1\.1\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


@dataclass
class Faults:
    """Which answers go wrong, and how.

    Attributes:
        at: the numbers of the requests, from 1.
        keep: bytes of the answer that still come through; 0 drops it.
        requests: the first lines of all requests, in order.
        bytes_up: of all requests.
        bytes_down: of all answers.
    """

    at: set[int] = field(default_factory=set)
    keep: int = 0
    requests: list[str] = field(default_factory=list)
    bytes_up: int = 0
    bytes_down: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, method, target):
        """Return whether the answer to the next request goes wrong."""
        with self.lock:
            self.requests.append(f"{method.decode()} {target.decode()}")
            return len(self.requests) in self.at

    def reset(self, at=(), keep=0):
        """Begin to count again."""
        with self.lock:
            self.at, self.keep, self.requests = set(at), keep, []
            self.bytes_up = self.bytes_down = 0


class _Connection(socketserver.BaseRequestHandler):
    """One connection: requests one after the other, each with its answer."""

    def handle(self):
        """Pass on requests and answers until one goes wrong."""
        faults = self.server.faults
        with contextlib.suppress(OSError), socket.create_connection(self.server.upstream) as server:
            while message := _message(self.request):
                faults.bytes_up += len(message)
                found = _REQUEST.match(message)
                wrong = faults.count(*found.groups())
                server.sendall(message)
                answer = _message(server, is_head=message.startswith(b"HEAD"))
                faults.bytes_down += len(answer)
                if wrong:
                    self.request.sendall(answer[: faults.keep])
                    self.request.shutdown(socket.SHUT_RDWR)
                    return
                self.request.sendall(answer)


def _message(connection, *, is_head=False):
    """Receive one message of HTTP; nothing at the end of the connection."""
    received = b""
    while b"\r\n\r\n" not in received:
        block = connection.recv(1 << 16)
        if not block:
            return b""
        received += block
    head, _, body = received.partition(b"\r\n\r\n")
    length = _LENGTH.search(head + b"\r\n")
    missing = 0 if is_head or not length else int(length[1]) - len(body)
    blocks = [received]
    while missing > 0:
        block = connection.recv(1 << 20)
        if not block:
            break
        blocks.append(block)
        missing -= len(block)
    if b"\r\ntransfer-encoding: chunked" in head.lower() and not is_head:
        while not blocks[-1].endswith(b"0\r\n\r\n"):
            blocks.append(connection.recv(1 << 16))
    return b"".join(blocks)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64


@contextlib.contextmanager
def proxy(upstream_port):
    """Give the port of a proxy before a server, and its faults."""
    with _Server(("127.0.0.1", 0), _Connection) as server:
        server.upstream, server.faults = ("127.0.0.1", upstream_port), Faults()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], server.faults
        server.shutdown()

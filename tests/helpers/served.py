"""A server in a thread or a process, on a real socket, and a client of it."""

import asyncio
import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass

import uvicorn
from waiting import wait_until

from textclf.server.app import application
from textclf.server.http_protocol import BoundedHttpProtocol
from textclf.server.service import Service
from textclf.server.settings import ServerSettings


@dataclass(frozen=True)
class Answer:
    """What the server answered."""

    status: int
    headers: dict
    body: bytes

    def json(self):
        """Return the value of the body."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Served:
    """A running server."""

    service: Service
    port: int

    @property
    def address(self):
        """Host and port."""
        return "127.0.0.1", self.port

    def request(self, method, path, body=None, **headers):
        """Send one request; ``content_type="text/csv"`` and the like are its headers."""
        connection = http.client.HTTPConnection(*self.address, timeout=20)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with contextlib.closing(connection):
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, headers, answer.read())

    def get(self, path, **headers):
        """Ask for a path."""
        return self.request("GET", path, **headers)

    def post(self, path, value, **headers):
        """Send a value as JSON, or bytes as they are."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.request("POST", path, body, **headers)

    def predict(self, *texts, **options):
        """Ask for the labels of texts."""
        return self.post("/v1/predict", {"texts": texts, **options})

    def raw(self, data, seconds=20):
        """Send bytes as they are; return what comes until the server closes the connection."""
        with socket.create_connection(self.address, seconds) as connection:
            connection.sendall(data)
            received = b""
            while part := connection.recv(65536):
                received += part
            return received


@contextlib.contextmanager
def serving(registry, **settings):
    """Serve a registry while the block runs."""
    settings = {"reload_interval": 0.02, "drain": 0.0, **settings}
    service = Service(registry, ServerSettings(**settings))
    with served_on_a_socket(application(service)) as port:
        yield Served(service, port)


@contextlib.contextmanager
def served_on_a_socket(app):
    """Run an ASGI application while the block runs; yield its port."""
    config = uvicorn.Config(
        app, http=BoundedHttpProtocol, ws="none", log_config=None, lifespan="on"
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
        thread.start()
        try:
            wait_until(lambda: server.started)
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def is_listening(port):
    """Whether somebody does on a port of this machine."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def end(process):
    """Stop a server with Ctrl-C; by force if a client keeps it."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def running(models, *options, **kwargs):
    """Run the command; yield the process and its port."""
    command = [sys.executable, "-m", "textclf", "serve", "--models", str(models), *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs
    )
    try:
        line = process.stderr.readline()
        assert "serving 1." in line, line
        yield process, int(line.split("; ")[0].rpartition(":")[2])
    finally:
        end(process)
        process.stdout.close()
        process.stderr.close()

"""Asking a service: connections that break, servers that are something else, and keys."""

import contextlib
import gzip
import http.server
import os
import pickle
import socket
import socketserver
import ssl
import threading

import pytest
from certificates import self_signed

from textclf.errors import AccessDenied, StoreError, Unreachable, UsageError
from textclf.registry.open import open_registry
from textclf.registry.store import http_client
from textclf.registry.store.base import Incomplete, Missing
from textclf.registry.store.http_client import authorization
from textclf.registry.store.http_store import HttpStore, open_server
from textclf.registry.store.location import parse_location

OURS = {"X-Model-Version": "1.0.0"}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with what the test has put in line; the last answer stays."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """Answer, or cut the connection."""
        service = self.server
        service.asked.append((self.path, dict(self.headers)))
        service.connections.add(self.client_address)
        answers = service.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer is None:
            self.close_connection = True
            return
        status, headers, body = answer
        self.send_response(status)
        for name, value in {"Content-Length": len(body), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
        self.close_connection = "Content-Length" in headers

    do_HEAD = do_GET  # noqa: N815 - as its base class wants it

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def service(monkeypatch):
    """A service that answers as the test says; pauses before a further try are short."""
    monkeypatch.setattr(http_client, "_PAUSES", (0.0, 0.0, 0.0))
    for name in ("http_proxy", "HTTP_PROXY", "TEXTCLF_API_KEY", "TEXTCLF_ALLOW_HTTP"):
        monkeypatch.delenv(name, raising=False)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.answers, server.asked, server.connections = [], [], set()
    server.handle_error = lambda *_: None  # clients go away in the middle of an answer
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def store(service):
    return HttpStore(service.url)


def test_one_connection_serves_many_requests(service, store):
    """Also after an answer that something does not exist."""
    service.answers = [(200, {}, b"one"), (404, OURS, b'{"error": "no"}'), (200, {}, b"two")]
    assert store.read("a") == b"one"
    with pytest.raises(Missing):
        store.read("b")
    assert store.exists("c")
    assert [path for path, _ in service.asked] == [f"/v1/registry/files/{key}" for key in "abc"]
    assert len(service.connections) == 1


@pytest.mark.parametrize(
    "broken",
    [None, (503, {}, b""), (429, OURS, b"{}"), (502, {}, b"<html>"),
     (200, {"Content-Length": "9"}, b"half")],
    ids=["cut", "503", "429", "502", "half an answer"],
)  # fmt: skip
def test_what_may_succeed_later_is_tried_again(service, store, broken):
    """A restart of the service, or a busy one, is not seen; what lasts is told in a sentence."""
    service.answers = [broken, broken, (200, {}, b"content")]
    assert store.read("a") == b"content"
    service.answers = [broken]
    with pytest.raises(Unreachable, match=service.url):
        store.read("a")


def test_a_connection_that_the_service_has_closed_is_not_used(service, store):
    """It is closed when nothing was asked for a while."""
    service.answers = [(200, {"Content-Length": "3"}, b"one"), (200, {}, b"two")]
    assert [store.read("a"), store.read("a")] == [b"one", b"two"]
    assert len(service.connections) == 2


@pytest.mark.parametrize(
    "answer",
    [(200, {"Connection": "close"}, b"one"), (200, {"Content-Length": "3"}, b"one and more")],
    ids=["closes it", "says more than it announced"],
)
def test_a_connection_that_cannot_be_used_again_is_not(service, store, answer):
    """Each request gets the answer to itself."""
    service.answers = [answer, (200, {}, b"two")]
    assert [store.read("a"), store.read("a")] == [b"one", b"two"]
    assert len(service.asked) == len(service.connections) == 2


def test_a_forked_process_has_connections_of_its_own(service, store, monkeypatch):
    """It shares none with its parent, which goes on with them."""
    service.answers = [(200, {}, b"one")]
    store.read("a")
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert store.read("a") == b"one"
    assert len(service.connections) == 2


def test_a_copy_asks_the_same_service(service, store):
    """As another process does."""
    service.answers = [(200, {}, b"one")]
    assert pickle.loads(pickle.dumps(store)).read("a") == b"one"


def test_a_service_says_why_a_version_is_incomplete(service, store):
    """Somebody publishes it, or has begun to."""
    service.answers = [(200, {}, b'"abandoned"')]
    assert store.why_incomplete("1.0.0") is Incomplete.ABANDONED
    [(path, _)] = service.asked
    assert path == "/v1/registry/incomplete?folder=1.0.0"


def test_a_long_answer_is_watched(service):
    """From its first piece to its end."""
    seen = []
    content = bytes(3_000_000)
    service.answers = [(200, {}, content)]
    watching = HttpStore(service.url, None, lambda t: seen.append((t.done, t.has_ended)))
    assert watching.read("a") == content
    assert seen == sorted(seen)
    assert seen[-1] == (len(content), True)
    assert len(seen) > 2


def test_a_service_that_says_nothing_is_given_up(monkeypatch):
    """After some time, in a sentence."""
    monkeypatch.setattr(http_client, "_PAUSES", ())
    monkeypatch.setattr(http_client, "_ANSWER_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Unreachable, match="no answer in time"):
            HttpStore(url).names()


def test_a_service_that_is_not_there_is_told(monkeypatch):
    """With the reason."""
    monkeypatch.setattr(http_client, "_PAUSES", (0.0, 0.0, 0.0))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # nobody else can listen there
        with pytest.raises(Unreachable, match="Connection refused"):
            HttpStore(f"http://127.0.0.1:{silent.getsockname()[1]}").names()
    with pytest.raises(Unreachable, match=r"no-such-host\.invalid cannot be reached"):
        HttpStore("https://no-such-host.invalid").names()


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        ((401, OURS, b'{"error": "key"}'), AccessDenied, "asks for an API key"),
        ((403, {}, b""), AccessDenied, "asks for an API key"),
        ((404, {}, b"<html>"), StoreError, "does not answer as textclf serve does"),
        ((302, {"Location": "http://evil/"}, b""), StoreError, "does not answer as textclf serve"),
        ((500, OURS, b'{"error": "a  b\\n\\u001b[1m"}'), StoreError, "a b"),
        ((200, {}, b"<html>"), StoreError, "does not answer as textclf serve does"),
        ((200, {}, b'{"a": 1}'), StoreError, "does not answer as textclf serve does"),
        ((200, {}, b"[" * 100_000), StoreError, "does not answer as textclf serve does"),
        ((500, OURS, b"x" * 1_000_000), StoreError, "cannot read"),
        ((500, OURS, b"[]"), StoreError, "cannot read"),
    ],
    ids=range(10),
)
def test_other_answers_are_told_in_a_sentence(service, store, answer, error, said):
    """A page of something else, a redirect, or a refusal is neither content nor absence."""
    service.answers = [answer]
    with pytest.raises(error, match=said) as raised:
        store.names()
    assert "\n" not in str(raised.value)
    assert len(service.asked) == 1


def test_no_more_is_read_than_is_asked_for(service, store):
    """However much a server sends, with or without saying so."""
    service.answers = [(200, {}, b"x" * 5000)]
    with pytest.raises(StoreError, match="more than 9 bytes"):
        store.read("a", 9)
    bomb = gzip.compress(b"x" * 10_000)
    service.answers = [(200, {"Content-Encoding": "gzip"}, bomb)]
    assert store.read("a") == bomb


def test_the_key_is_sent_and_never_shown(service, monkeypatch):
    """It comes from the environment; one that cannot be sent is refused."""
    monkeypatch.setenv("TEXTCLF_API_KEY", "s3cret")
    service.answers = [(401, OURS, b"{}")]
    with pytest.raises(AccessDenied) as refused:
        open_registry(service.url, read_only=True).versions()
    assert "s3cret" not in str(refused.value)
    assert service.asked[0][1]["Authorization"] == "Bearer s3cret"
    assert authorization("ключ")["Authorization"].encode("latin-1") == "Bearer ключ".encode()
    for unsendable in ("a\r\nX-Evil: 1", "s3cret\n", " "):
        monkeypatch.setenv("TEXTCLF_API_KEY", unsendable)
        with pytest.raises(UsageError, match="TEXTCLF_API_KEY"):
            open_registry(service.url).versions()


def test_without_encryption_only_this_machine_is_asked(monkeypatch):
    """Unless that is allowed."""
    for url in ("http://127.0.0.1:1", "http://localhost", "http://[::1]:1/p", "https://host"):
        open_server(parse_location(url))
    for url in ("http://host", "http://127.0.0.1.evil.com", "http://10.0.0.1:8000"):
        with pytest.raises(UsageError, match="is not encrypted") as refused:
            open_server(parse_location(url))
        assert "TEXTCLF_ALLOW_HTTP=true" in refused.value.hint
    monkeypatch.setenv("TEXTCLF_ALLOW_HTTP", "true")
    open_server(parse_location("http://host"))


def test_a_proxy_of_the_environment_is_used(service, monkeypatch):
    """It is asked for the whole URL; hosts in NO_PROXY are asked directly."""
    monkeypatch.setenv("http_proxy", service.url.replace("//", "//ada:pw@"))
    monkeypatch.setenv("no_proxy", "direct.example")
    service.answers = [(200, {}, b"content")]
    assert HttpStore("http://host.example/p").read("a") == b"content"
    [(path, headers)] = service.asked
    assert path == "http://host.example/p/v1/registry/files/a"
    assert headers["Proxy-Authorization"] == "Basic YWRhOnB3"
    assert headers["Host"] == "host.example"


@pytest.fixture
def encrypted(service, tmp_path, monkeypatch):
    """The service behind TLS, and the certificate to trust."""
    certificate = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    service.socket = context.wrap_socket(service.socket, server_side=True)
    service.url = f"https://127.0.0.1:{service.server_port}"
    for name in ("https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    service.answers = [(200, OURS, b"content")]
    return certificate


def test_a_private_certificate_is_trusted_if_the_environment_names_it(
    service, encrypted, monkeypatch
):
    """Otherwise it is refused at once, in a sentence."""
    with pytest.raises(Unreachable, match="its certificate is not trusted"):
        HttpStore(service.url).read("a")
    assert service.asked == []
    monkeypatch.setenv("SSL_CERT_FILE", str(encrypted))
    assert HttpStore(service.url).read("a") == b"content"


class Tunnel(socketserver.StreamRequestHandler):
    """A proxy that does nothing but CONNECT."""

    def handle(self):
        """Pass bytes on in both directions, or refuse."""
        head = b"".join(iter(self.rfile.readline, b"\r\n")).decode()
        self.server.asked.append(head)
        if "Basic YWRhOnB3" not in head:
            self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return
        host, _, port = head.split()[1].partition(":")
        with socket.create_connection((host, int(port))) as onward:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=pump, args=(onward, self.connection))
            back.start()
            pump(self.connection, onward)
            back.join()


def pump(source, target):
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def tunnel():
    """The proxy, as `host:port`; it asks for a user and a password."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tunnel) as server:
        server.daemon_threads, server.asked = True, []
        server.address = f"127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_proxy_only_passes_encrypted_requests_on(service, encrypted, tunnel, monkeypatch):
    """It sees the host, and neither the path nor the key; hosts in no_proxy need none."""
    monkeypatch.setenv("SSL_CERT_FILE", str(encrypted))
    monkeypatch.setenv("TEXTCLF_API_KEY", "secret")
    monkeypatch.setenv("https_proxy", f"http://ada:pw@{tunnel.address}")
    assert open_server(parse_location(service.url)).read("a") == b"content"
    [head] = tunnel.asked
    assert head.startswith(f"CONNECT 127.0.0.1:{service.server_port} ")
    assert "secret" not in head
    assert service.asked[0][1]["Authorization"] == "Bearer secret"
    monkeypatch.setenv("https_proxy", f"http://{tunnel.address}")
    with pytest.raises(Unreachable, match="407 Proxy Authentication Required"):
        HttpStore(service.url).read("a")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert HttpStore(service.url).read("a") == b"content"


def test_threads_have_connections_of_their_own(service, store):
    """Several files are read at once, each by one request, in their order."""
    service.answers = [(200, {}, b"content")]
    assert list(store.read_many([f"f/{n}" for n in range(50)])) == [b"content"] * 50
    assert sorted(path for path, _ in service.asked) == sorted(
        f"/v1/registry/files/f/{n}" for n in range(50)
    )
    with contextlib.closing(socket.socket()):
        assert len(service.connections) <= 8

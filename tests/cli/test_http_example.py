"""The HTTP service among the examples, as a process that is asked over sockets."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from paths import ROOT

SERVE = ROOT / "examples" / "http" / "serve.py"
PATIENT = 30
"""Seconds after which a test gives up."""

WITH_LIMITS = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import serve
serve.REQUEST_SECONDS, serve.DRAIN_SECONDS = map(float, sys.argv.pop(1).split())
serve.main()
"""


class Service:
    """A running service, its port and its URL."""

    def __init__(self, process):
        self.process = process
        self.url = process.stdout.readline().strip()
        self.port = int(self.url.rpartition(":")[2])

    def connect(self):
        """Open a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENT)

    def stop(self, number=signal.SIGTERM):
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENT)


@pytest.fixture
def start_service(project):
    """Start a service on the project's versions; it must never log a traceback."""
    log = project / "log.txt"
    with contextlib.ExitStack() as stack, log.open("w") as stderr:

        def start(request_seconds=20, drain_seconds=5):
            limits = f"{request_seconds} {drain_seconds}"
            command = [sys.executable, "-c", WITH_LIMITS, SERVE.parent, limits, "models", "0"]
            process = subprocess.Popen(
                command, cwd=project, stdout=subprocess.PIPE, stderr=stderr, text=True
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return Service(process)

        yield start
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture
def service(start_service):
    """A service with the limits of the example."""
    return start_service()


def ask(url, body=None):
    """Return the status and the answer of a request."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=PATIENT) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def receive(connection):
    """Read until the service closes the connection; return the status and the answer.

    A second answer on the connection would not be JSON.
    """
    data = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def request(*headers, body=b'{"text": "great"}', method=b"POST /predict"):
    """The bytes of a request."""
    return b"\r\n".join([method + b" HTTP/1.1", b"host: localhost", *headers, b"", body])


COMPLETE = request(b"content-length: 17")


def test_it_answers_as_predict_does(service, cli):
    """The service answers like `textclf predict --json`, with the version."""
    texts = ["a great day", "awful \ud83d\ude00\ud800", ""]
    expected = json.loads(cli("predict", "--json", "--", *texts[:1], texts[2]).out)
    status, answer = ask(f"{service.url}/predict", {"texts": [texts[0], texts[2]]})
    assert status == 200
    assert answer["predictions"] == expected["predictions"]
    assert answer["version"] == expected["version"] == "1.0.1"
    assert ask(f"{service.url}/predict", {"text": texts[0]})[1]["predictions"] == [
        expected["predictions"][0]
    ]
    assert ask(f"{service.url}/predict", {"text": texts[1]})[0] == 200
    assert ask(f"{service.url}/healthz") == (200, {"ok": True, "version": "1.0.1"})


def test_a_body_of_another_kind_is_refused_with_a_sentence(service):
    """The status is 400, the sentence says what to send, and the service goes on."""
    deep = b"[" * 100_000
    digits = b'{"text": ' + b"9" * 5000 + b"}"
    bodies = [b"", b"{", b"[]", b'["text"]', b'"text"', b"text", b"{}", b"\xff", deep, digits]
    for body in [*bodies, b'{"text": 1}', b'{"texts": "a"}', b'{"texts": [1]}']:
        status, answer = ask(f"{service.url}/predict", body)
        assert status == 400
        assert "texts" in answer["error"]
    assert ask(f"{service.url}/nothing", b"{}")[0] == ask(f"{service.url}/nothing")[0] == 404
    assert ask(f"{service.url}/healthz")[0] == 200


HIDDEN = request(body=b"", method=b"GET /healthz")
UNCERTAIN = {
    "negative": request(b"content-length: -1"),
    "signed": request(b"content-length: +17"),
    "with an underscore": request(b"content-length: 1_7"),
    "hexadecimal": request(b"content-length: 0x11"),
    "a superscript": request(b"content-length: 17\xb2"),
    "empty": request(b"content-length:"),
    "a list": request(b"content-length: 17, 17"),
    "twice": request(b"content-length: 17", b"content-length: 17"),
    "two lengths": request(b"content-length: 0", b"content-length: 17"),
    "beside a transfer-encoding": request(
        b"content-length: 6", b"transfer-encoding: chunked", body=b"0\r\n\r\n" + HIDDEN
    ),
    "replaced by a transfer-encoding": request(
        b"transfer-encoding: chunked", body=b"0\r\n\r\n" + HIDDEN
    ),
    "in a GET": request(b"content-length: x", method=b"GET /healthz"),
}


def test_a_body_of_uncertain_length_is_refused_and_the_connection_closed(service):
    """No part of the body is taken for another request."""
    for name, data in UNCERTAIN.items():
        with service.connect() as connection:
            connection.sendall(data)
            status, answer = receive(connection)
            assert (status, "content-length" in answer["error"]) == (400, True), name


def test_the_body_of_a_get_is_not_the_next_request(service):
    """There is one answer, and then the connection is closed."""
    with service.connect() as connection:
        length = f"content-length: {len(HIDDEN)}".encode()
        connection.sendall(request(length, body=HIDDEN, method=b"GET /healthz"))
        assert receive(connection)[0] == 200


def test_a_body_that_is_too_long_is_refused_from_its_length(service):
    """The status is 413, whether the body is sent or not, and however many digits it has."""
    for length in [(1 << 20) + 1, 10**20, "9" * 5000]:
        with service.connect() as connection:
            connection.sendall(request(f"content-length: {length}".encode(), body=b""))
            assert receive(connection)[0] == 413
    status, answer = ask(f"{service.url}/predict", b"x" * (4 << 20))
    assert status == 413
    assert "1,048,576 bytes" in answer["error"]


def test_what_is_no_request_gets_a_sentence(service):
    """The answer has a status and a sentence, and the service goes on."""
    for data in [b"great\r\n\r\n", b"GET\r\n", b"PUT / HTTP/1.1\r\n\r\n", b"\0\r\n"]:
        with service.connect() as connection:
            connection.sendall(data)
            status, answer = receive(connection)
            assert 400 <= status <= 501
            assert answer["error"]
    assert ask(f"{service.url}/healthz")[0] == 200


def test_a_request_that_does_not_arrive_in_time_is_refused(start_service):
    """Neither a stalled nor a slow client holds its connection; a body cut short gets 408 too."""
    service = start_service(request_seconds=0.5)
    with service.connect() as stalled, service.connect() as cut, service.connect() as silent:
        stalled.sendall(COMPLETE[:-1])
        cut.sendall(COMPLETE[:-1])
        cut.shutdown(socket.SHUT_WR)
        assert receive(cut)[0] == receive(stalled)[0] == 408
        assert silent.recv(1) == b""
    with service.connect() as slow, contextlib.suppress(ConnectionError):
        slow.settimeout(0.05)
        end = time.monotonic() + PATIENT
        while True:  # until the service has closed the connection
            assert time.monotonic() < end
            slow.sendall(b"G")
            with contextlib.suppress(TimeoutError):
                if slow.recv(1) == b"":
                    break
    assert ask(f"{service.url}/healthz")[0] == 200


def test_clients_that_leave_do_no_harm(service):
    """Connections that are reset at any point of a request leave no traceback."""
    for sent in [b"", COMPLETE[:20], COMPLETE[:-1], COMPLETE, b"PUT / HTTP/1.1\r\n\r\n"] * 8:
        with service.connect() as connection:
            reset_on_close = b"\1\0\0\0\0\0\0\0"
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset_on_close)
            connection.sendall(sent)
            if sent.endswith((b"}", b"\n")):
                connection.recv(1)
    assert ask(f"{service.url}/healthz")[0] == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_requests_sent_before_a_signal_are_answered(service, number):
    """A hundred connections wait to be accepted when the signal comes; the exit code is 0."""
    service.process.send_signal(signal.SIGSTOP)
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(service.connect()) for _ in range(100)]
        for connection in connections:
            connection.sendall(COMPLETE)
        service.process.send_signal(number)
        service.process.send_signal(signal.SIGCONT)
        for connection in connections:
            status, answer = receive(connection)
            assert (status, len(answer["predictions"])) == (200, 1)
    assert service.process.wait(PATIENT) == 0


def test_no_client_keeps_the_service_from_ending(start_service):
    """Silent clients and unfinished requests are dropped when the time to end is over."""
    service = start_service(request_seconds=600, drain_seconds=0.5)
    with contextlib.ExitStack() as stack:
        for sent in [b"", COMPLETE[:20], COMPLETE[:-1]]:
            stack.enter_context(service.connect()).sendall(sent)
        assert ask(f"{service.url}/healthz")[0] == 200
        assert service.stop() == 0


def test_it_follows_a_promotion(service, cli):
    """A newly promoted version answers within seconds, without a restart."""
    assert cli("promote", "1.0.0").code == 0
    end = time.monotonic() + PATIENT
    while ask(f"{service.url}/healthz")[1]["version"] != "1.0.0":
        assert time.monotonic() < end
        time.sleep(0.1)
    assert ask(f"{service.url}/predict", {"text": "great"})[1]["version"] == "1.0.0"


def assert_refuses_to_start(folder, *arguments):
    command = [sys.executable, SERVE, *arguments]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENT
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_without_a_version_it_does_not_start(data):
    """Without a version the service ends with a message and exit code 1."""
    assert_refuses_to_start(data, "models", "0")


def test_on_a_port_that_cannot_be_used_it_does_not_start(project):
    """On a taken or impossible port the service ends with a message and exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert_refuses_to_start(project, "models", str(taken.getsockname()[1]))
    assert_refuses_to_start(project, "models", "99999")

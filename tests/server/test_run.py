"""The command, as a process: ports, sockets, signals and the end."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from predictors import published
from served import end, is_listening, running
from waiting import wait_until
from webhook_server import webhook_server


@pytest.fixture(scope="module")
def models(tmp_path_factory, sample):
    folder = tmp_path_factory.mktemp("run") / "models"
    published(folder, sample)
    return folder


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    with contextlib.closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def test_sigterm_is_told_first_and_cuts_nothing_off(models):
    """Readiness goes at once, requests are answered for some seconds, and the exit code is 0."""
    with running(models, "--port", "0", "--drain", "3") as (process, port):
        failed, statuses, stop = [], set(), threading.Event()

        def ask():
            while not stop.is_set():
                try:
                    statuses.add(get(port, "/readyz")[0])
                except OSError as error:
                    failed.append(error)

        clients = [threading.Thread(target=ask) for _ in range(3)]
        for client in clients:
            client.start()
        wait_until(lambda: 200 in statuses)
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: 503 in statuses)
        stop.set()
        for client in clients:
            client.join()
        assert failed == []
        assert process.wait(20) == 0


def test_ctrl_c_ends_it_without_waiting(models):
    """With exit code 0: it was asked to."""
    with running(models, "--port", "0", "--drain", "1000") as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_a_stream_is_answered_to_its_end_after_sigterm(models):
    """Its client may take the time that it needs; nobody else can connect."""
    with running(models, "--port", "0", "--drain", "0") as (process, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        with contextlib.closing(connection):
            connection.putrequest("POST", "/v1/predict")
            connection.putheader("content-type", "application/jsonl")
            connection.putheader("transfer-encoding", "chunked")
            connection.endheaders(b"%x\r\n%s\r\n" % (8000, b'"great"\n' * 1000))
            answer = connection.getresponse()
            process.send_signal(signal.SIGTERM)
            wait_until(lambda: not is_listening(port))
            connection.send(b'8\r\n"great"\n\r\n0\r\n\r\n')
            assert answer.read().count(b"label") == 1001
        assert process.wait(20) == 0


def test_a_second_signal_ends_a_server_that_drains(models):
    """Without waiting for the time that it was given."""
    with running(models, "--port", "0", "--drain", "1000") as (process, port):
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: get(port, "/readyz")[0] == 503)
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def test_the_access_log_goes_to_standard_output(models):
    """And nothing else does."""
    with running(models, "--port", "0") as (process, port):
        get(port, "/healthz")
        assert json.loads(process.stdout.readline())["route"] == "/healthz"


def test_a_container_names_address_and_port_by_variables(models):
    """Where nothing but `serve` can be given, as on SageMaker; Vertex AI names the port."""
    named = {"TEXTCLF_HOST": "127.0.0.2", "AIP_HTTP_PORT": "0", "TEXTCLF_API_KEY": "k"}
    with running(models, env={**os.environ, **named}) as (_, port):
        connection = http.client.HTTPConnection("127.0.0.2", port, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", "/ping")
            assert connection.getresponse().status == 200


def test_an_address_that_others_can_reach_is_warned_of(models):
    """Unless a key is asked of them."""
    for key, warned in ((), 1), (("--api-key", "k"), 0):
        options = ("serve", "--models", models, "--host", "127.0.0.2", "--port", "0", *key)
        with subprocess.Popen(
            [sys.executable, "-m", "textclf", *options], stderr=subprocess.PIPE, text=True
        ) as process:
            lines = [process.stderr.readline() for _ in range(1 + warned)]
            end(process)
        assert "serving 1.0.0" in lines[-1]
        assert [line for line in lines if "others can reach 127.0.0.2" in line] == lines[:warned]


def test_a_log_that_nobody_reads_keeps_nobody_waiting(models):
    """Neither requests, when the pipe is full, nor the end."""
    with running(models, "--port", "0", "--drain", "0") as (process, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        with contextlib.closing(connection):
            for _ in range(500):
                connection.request("GET", "/healthz", headers={"x-request-id": "a" * 128})
                assert connection.getresponse().read()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_it_listens_on_a_socket_that_it_inherits(models):
    """As systemd passes one; systemd is told when it is ready, and when it stops."""
    with socket.create_server(("127.0.0.1", 0)) as listener, notified(models) as (told, address):
        listener.set_inheritable(True)
        options = {"pass_fds": [listener.fileno()], "env": {**os.environ, "NOTIFY_SOCKET": address}}
        with running(models, "--fd", str(listener.fileno()), **options) as (process, port):
            assert port == listener.getsockname()[1]
            assert get(port, "/healthz")[0] == 200
            assert told.recv(100) == b"READY=1"
            process.send_signal(signal.SIGTERM)
            assert told.recv(100) == b"STOPPING=1"


@contextlib.contextmanager
def notified(models):
    address = str(models / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(address)
        told.settimeout(20)
        yield told, address
    Path(address).unlink()


def test_promotions_on_a_page_are_told(tmp_path, sample):
    """As those of the command line are; a failure is a warning of the server, and an event."""
    published(tmp_path, sample)
    registry, _ = published(tmp_path, sample, classifier="ComplementNB")
    options = (
        "--port",
        "0",
        "--allow-promote",
        "--api-key",
        "k",
        "--on-promote",
        "no-such-program",
    )
    with (
        webhook_server() as received,
        running(tmp_path, *options, "--webhook", received.url) as (process, port),
    ):
        for path in ("/versions/1.0.0/promote", "/rollback"):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            with contextlib.closing(connection):
                headers = {"X-Api-Key": "k", "Origin": f"http://127.0.0.1:{port}"}
                connection.request("POST", path, b"message=because", headers)
                assert connection.getresponse().status == 303
        process.send_signal(signal.SIGINT)
        warned = process.stderr.read()
    told = [json.loads(body) for _, _, body in received.requests]
    assert [record["to"] for record in told] == ["1.0.0", "1.1.0"]
    assert told == [record.as_json() for record in registry.history()[-2:]]
    for version in ("1.0.0", "1.1.0"):
        assert f"{version} is promoted, but the command no-such-program was not told" in warned
    assert [event.kind for event in registry.events.entries()] == ["unnotified", "unnotified"]


def test_a_port_in_use_is_told(models):
    """In a sentence, with the way out."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        command = [
            sys.executable,
            "-m",
            "textclf",
            "serve",
            "--models",
            str(models),
            "--port",
            port,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"cannot listen on 127.0.0.1 port {port}" in done.stderr
    assert "--port 0" in done.stderr

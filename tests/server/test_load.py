"""A server under load for a while: promotions, the end, memory. Part of ``make test-faults``."""

import contextlib
import http.client
import json
import os
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from predictors import published
from served import is_listening, running
from waiting import wait_until

from textclf.metadata.versions import parse_version
from textclf.prediction.predictor import Predictor

pytestmark = pytest.mark.faults

CLIENTS = 4


@pytest.fixture(scope="module")
def registry(tmp_path_factory, sample):
    """Two versions that differ in their scores."""
    root = tmp_path_factory.mktemp("load") / "models"
    registry, _ = published(root, sample)
    published(root, sample, classifier="ComplementNB")
    registry.promote(parse_version("1.0.0"))
    return registry


class Client:
    """Asks one request after the other over connections that it keeps while the server does."""

    def __init__(self, port, body, pause=0.0, **headers):
        self.body, self.pause, self.answers, self.cut = body, pause, 0, []
        self.headers = {"content-type": "application/json"} | headers
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self):
        """Return the value of an answer, or None if nothing listens any more."""
        sent = False
        time.sleep(self.pause)
        try:
            if self.connection.sock is None:
                self.connection.connect()
            sent = True
            self.connection.request("POST", "/v1/predict", self.body, self.headers)
            answer = self.connection.getresponse()
            value = json.loads(answer.read())
        except (OSError, http.client.HTTPException) as error:
            if sent:
                self.cut.append(repr(error))
            self.connection.close()
            return None
        if answer.status != 200:
            self.cut.append(value)
        self.answers += 1
        return value


def test_promotions_every_second_neither_fail_a_request_nor_mix_versions(registry, sample):
    """For a minute; ``TEXTCLF_LOAD_SECONDS`` lets it run longer."""
    texts = sample[0][:20]
    expected = {
        number: [p.score for p in Predictor.load(registry, parse_version(number)).predict(texts)]
        for number in ("1.0.0", "1.1.0")
    }
    stop, mixed, seen = threading.Event(), [], set()
    with running(registry.store.root, "--port", "0", "--no-access-log") as (_, port):
        clients = [Client(port, json.dumps({"texts": texts})) for _ in range(CLIENTS)]

        def ask(client):
            with contextlib.closing(client.connection):
                ask_on(client)

        def ask_on(client):
            while not stop.is_set():
                value = client.ask()
                seen.add(value["version"])
                scores = [p["score"] for p in value["predictions"]]
                if scores != pytest.approx(expected[value["version"]], abs=1e-9):
                    mixed.append(value)

        with ThreadPoolExecutor(CLIENTS) as pool:
            asked = [pool.submit(ask, client) for client in clients]
            try:
                for n in range(int(os.environ.get("TEXTCLF_LOAD_SECONDS", "60"))):
                    registry.promote(parse_version(f"1.{(n + 1) % 2}.0"))
                    time.sleep(1)
            finally:
                stop.set()
            for future in asked:
                future.result()
    assert [client.cut for client in clients] == [[]] * CLIENTS
    assert mixed == []
    assert seen == {"1.0.0", "1.1.0"}
    print(sum(client.answers for client in clients), "answers")  # noqa: T201


def end_under_load(process, clients):
    """Ask until nothing listens, and send SIGTERM once each client has some answers."""
    threading.Thread(target=process.stdout.read, daemon=True).start()
    with ThreadPoolExecutor(len(clients)) as pool:
        asked = [pool.submit(list, iter(client.ask, None)) for client in clients]
        wait_until(lambda: all(client.answers > 20 for client in clients))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        for future in asked:
            future.result()


@pytest.mark.parametrize("drain", ["0", "1"])
def test_sigterm_under_load_resets_no_connection(registry, drain):
    """Each request that was sent is answered, to the last; then nothing listens."""
    body = json.dumps({"texts": ["this is great"] * 50})
    with running(registry.store.root, "--port", "0", "--drain", drain) as (process, port):
        clients = [Client(port, body) for _ in range(CLIENTS)]
        end_under_load(process, clients)
    assert [client.cut for client in clients] == [[]] * CLIENTS


PAUSE = """
import socket
import time

accept = socket.socket.accept

def accept_late(listener):
    try:
        return accept(listener)
    except BlockingIOError:
        time.sleep(0.05)
        raise

socket.socket.accept = accept_late
"""


def test_sigterm_resets_no_connection_made_while_the_listener_closes(registry, tmp_path):
    """Not even where the process pauses between the last connection it takes and the close."""
    (tmp_path / "sitecustomize.py").write_text(PAUSE)
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    body = json.dumps({"texts": ["great"]})
    options = ("--port", "0", "--drain", "0")
    with running(registry.store.root, *options, env=environment) as (process, port):
        clients = [Client(port, body, pause=0.005, connection="close") for _ in range(16)]
        end_under_load(process, clients)
    assert [client.cut for client in clients] == [[]] * len(clients)


def test_a_second_signal_ends_a_server_whose_clients_do_not(registry):
    """A stream whose client sends nothing more holds it otherwise."""
    with running(registry.store.root, "--port", "0", "--drain", "0") as (process, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        with contextlib.closing(connection):
            connection.putrequest("POST", "/v1/predict")
            connection.putheader("content-type", "application/jsonl")
            connection.putheader("transfer-encoding", "chunked")
            connection.endheaders(b"%x\r\n%s\r\n" % (8000, b'"great"\n' * 1000))
            connection.getresponse()
            process.send_signal(signal.SIGTERM)
            wait_until(lambda: not is_listening(port))
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def test_memory_does_not_grow_with_requests(registry):
    """Not by more than a few MB from the first thousand to a hundred thousand."""
    rounds = int(os.environ.get("TEXTCLF_LOAD_REQUESTS", "100000"))
    with running(registry.store.root, "--port", "0", "--no-access-log") as (process, port):
        statm = Path(f"/proc/{process.pid}/status")

        def resident():
            return int(re.search(r"VmRSS:\s+(\d+)", statm.read_text())[1])

        def ask(count):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            kinds = [
                ("POST", "/v1/predict", b'{"texts":["this is great"]}'),
                ("GET", "/nope", None),
                ("POST", "/v1/predict", b"{"),
                ("BREW", "/x", None),
                ("GET", "/v1/versions/9.9.9", None),
            ]
            with contextlib.closing(connection):
                for n in range(count):
                    method, path, body = kinds[n % len(kinds)] if n % 10 == 0 else kinds[0]
                    connection.request(method, path, body, {"x-request-id": f"r{n}"})
                    answer = connection.getresponse()
                    answer.read()

        ask(1000)
        before = resident()
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(ask, [rounds // CLIENTS] * CLIENTS))
        after = resident()
    print(f"{before} kB, then {after} kB")  # noqa: T201
    assert after - before < 15_000

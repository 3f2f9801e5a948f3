"""Clients that hold a connection, fill the memory, or do not read; others are served meanwhile."""

import contextlib
import json
import re
import select
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from served import serving
from waiting import wait_until

from textclf.server import http_protocol, labelling, metrics, pace, sending

JSONL = b"content-type: application/jsonl\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n"


def head(*lines, path=b"/v1/predict", method=b"POST"):
    return b"%s %s HTTP/1.1\r\nhost: x\r\n%s\r\n" % (method, path, b"".join(lines))


@contextlib.contextmanager
def connected(served):
    with socket.create_connection(served.address, 20) as connection:
        yield connection


def answers(connection, count):
    """Read answers with a declared length; return their statuses."""
    file, statuses = connection.makefile("rb"), []
    for _ in range(count):
        statuses.append(int(file.readline().split()[1]))
        length = 0
        while (line := file.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        file.read(length)
    return statuses


@pytest.mark.parametrize(
    "endless",
    [
        pytest.param(b"0\r\n" + b"x-trailer: %s\r\n" % (b"b" * 1000) * 2000, id="trailers"),
        pytest.param(b"1;" + b"a" * 2_000_000, id="chunk extension"),
    ],
)
def test_what_is_not_of_the_body_is_bounded_after_the_head_too(served, endless):
    """The connection ends before such a thing fills the memory."""
    received = b""
    with connected(served) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(head(CHUNKED) + endless)
        received = connection.recv(100)
    assert received == b"" or received.startswith(b"HTTP/1.1 4")
    assert served.get("/healthz").status == 200


def test_an_answer_that_has_begun_is_cut_off_where_the_request_goes_bad(served):
    """Nothing else can tell its client."""
    row = json.dumps("this is great").encode() + b"\n"
    with connected(served) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(head(JSONL, CHUNKED) + b"%x\r\n%s\r\n" % (len(row) * 1000, row * 1000))
        received = connection.recv(1_000_000)
        assert received.startswith(b"HTTP/1.1 200")
        connection.sendall(b"1;" + b"a" * 100_000)
        while part := connection.recv(1_000_000):
            received += part
    assert not received.endswith(b"0\r\n\r\n")
    assert served.get("/healthz").status == 200


def test_a_head_that_is_bad_for_two_reasons_gets_one_answer(served):
    """The first reason is told."""
    with connected(served) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nx: ".ljust((64 << 10) - 5, b"a"))
        connection.sendall(b"\r\n\x00\x00\x00\x00\x00\x00\r\n")
        received = connection.makefile("rb").read()
    assert received.startswith(b"HTTP/1.1 400 ")
    assert received.count(b"HTTP/1.1") == 1


def test_a_line_break_does_not_keep_a_connection_open_for_ever(registry, monkeypatch):
    """Although it is no request yet."""
    with serving(registry) as served, connected(served) as connection:
        connection.sendall(head(path=b"/healthz", method=b"GET"))
        assert answers(connection, 1) == [200]
        monkeypatch.setattr(http_protocol, "_SECONDS", 0.1)
        connection.sendall(b"\r\n")
        assert b" 408 " in connection.recv(1000)


def test_a_client_that_does_not_read_is_cut_off(registry, monkeypatch):
    """As many as there may be streams do not keep others from streaming."""
    monkeypatch.setattr(http_protocol, "_WRITE_SECONDS", 0.1)
    row = json.dumps({"text": "a", "more": "b" * 100_000}).encode() + b"\n"

    def send(client):
        client.sendall(head(JSONL, CHUNKED))
        while True:
            client.sendall(b"%x\r\n%s\r\n" % (len(row), row))

    with (
        serving(registry, max_streams=2) as served,
        connected(served) as one,
        connected(served) as two,
        ThreadPoolExecutor(2) as senders,
    ):
        for cut in [senders.submit(send, client) for client in (one, two)]:
            assert isinstance(cut.exception(), ConnectionError)
        wait_until(lambda: served.service.streamer.slots.free == 2)
        answer = served.post("/v1/predict", b'"a"\n', content_type="application/jsonl")
        assert answer.status == 200


def test_a_slow_client_that_reads_gets_its_whole_answer(registry, monkeypatch):
    """However long it takes, as long as it reads."""
    monkeypatch.setattr(http_protocol, "_WRITE_SECONDS", 0.5)
    with serving(registry) as served, connected(served) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        body = b'"this is great"\n' * 100_000
        lines = JSONL, b"connection: close\r\n", b"content-length: %d\r\n" % len(body)
        sender = threading.Thread(target=connection.sendall, args=(head(*lines) + body,))
        sender.start()
        received = b""
        while part := connection.recv(500_000):
            received += part
            time.sleep(0.01)
        sender.join()
    assert received.endswith(b"\r\n0\r\n\r\n")


def test_a_stream_that_arrives_too_slowly_is_cut_off(registry, monkeypatch):
    """Also if a byte comes now and then."""
    monkeypatch.setattr(pace, "_SLOWEST", 1_000_000)
    with serving(registry, body_timeout=0.2) as served, connected(served) as connection:
        connection.sendall(head(JSONL, b"content-length: 10000\r\n"))
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                connection.sendall(b" ")
                time.sleep(0.02)
        assert b" 408 " in connection.recv(1000)


def test_a_refused_body_is_read_for_some_seconds_only(registry, monkeypatch):
    """So that the client can read why; what comes in that time leaves the connection usable."""
    with serving(registry, max_body=1000) as served:
        with connected(served) as connection:
            connection.sendall(head(b"content-length: 3000\r\n") + b"a" * 3000)
            connection.sendall(head(path=b"/healthz", method=b"GET"))
            assert answers(connection, 2) == [413, 200]
        monkeypatch.setattr(http_protocol, "_SECONDS", 0.5)
        with connected(served) as connection:
            connection.sendall(head(b"content-length: 1000000000\r\n") + b"a" * 3000)
            assert answers(connection, 1) == [413]
            assert connection.recv(100) == b""


def test_a_client_that_asks_first_need_not_send_a_body_that_is_refused(served):
    """``Expect: 100-continue`` gets 413, or 100 and then the answer."""
    expect = b"expect: 100-continue\r\n"
    with connected(served) as connection:
        connection.sendall(head(expect, b"content-length: 1000000000\r\n"))
        assert answers(connection, 1) == [413]
    with connected(served) as connection:
        connection.sendall(head(expect, b"content-length: 15\r\n"))
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b'{"texts":["a"]}')
        assert answers(connection, 1) == [200]


def test_requests_that_are_sent_without_waiting_are_answered_in_their_order(served):
    """Each gets its own answer."""
    good = b'{"texts":["a"]}'
    request = head(b"content-length: %d\r\n" % len(good)) + good
    with connected(served) as connection:
        connection.sendall((request + head(path=b"/nope", method=b"GET")) * 100)
        assert answers(connection, 200) == [200, 404] * 100


def test_head_and_options_are_answered(served):
    """HEAD as GET without a body, OPTIONS with what is allowed."""
    got, head_only = served.get("/versions"), served.request("HEAD", "/versions")
    assert (head_only.status, head_only.body) == (200, b"")
    assert head_only.headers["content-length"] == got.headers["content-length"]
    options = served.request("OPTIONS", "/v1/predict")
    assert (options.status, options.headers["allow"]) == (405, "POST")


def test_there_are_only_so_many_connections(registry, monkeypatch):
    """More are refused until some are closed."""
    monkeypatch.setattr(http_protocol, "_MOST_CONNECTIONS", 5)
    with serving(registry) as served:
        with contextlib.ExitStack() as idle:
            for _ in range(5):
                idle.enter_context(connected(served))
            wait_until(lambda: served.get("/healthz").status == 503)
        wait_until(lambda: served.get("/healthz").status == 200)


def test_what_is_refused_before_it_is_a_request_is_said_as_json(served):
    """As all errors are."""
    answer = served.raw(b"GARBAGE\r\n\r\n")
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {
        "error": "invalid http request received"
    }


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"text\n" + b'"' + b"a\n" * 1500, id="a cell of many lines"),
        pytest.param(b"text\n" + b'"a\n",' * 700, id="many cells of two lines"),
        pytest.param(b"text," * 700, id="a header"),
    ],
)
def test_a_row_of_a_stream_has_a_limit_over_all_its_lines(registry, body):
    """A quoted cell may have any number of them."""
    with serving(registry, max_characters=1000) as served:
        answer = served.post("/v1/predict", body, content_type="text/csv")
    assert answer.status == 413
    assert "a row has more than 2,000 characters" in answer.json()["error"]


def test_no_more_streams_than_allowed_are_answered(registry):
    """The next is told at once, however closely they follow each other."""
    with serving(registry, max_streams=1) as served, contextlib.ExitStack() as clients:
        opened = [clients.enter_context(connected(served)) for _ in range(4)]
        for client in opened:
            client.sendall(head(JSONL, CHUNKED, b"connection: close\r\n"))
        wait_until(lambda: len(select.select(opened, [], [], 0)[0]) == 3)
        answered = select.select(opened, [], [], 0.3)[0]
        assert [int(client.recv(1000).split()[1]) for client in answered] == [429] * 3


def test_explanations_have_a_limit(served):
    """Of texts and of characters; a page says so, too."""
    long = "a " * labelling.MOST_CHARACTERS
    assert served.predict(long, explain=True).status == 413
    assert served.predict(*["a"] * 101, explain=True).status == 413
    assert served.predict(*["a"] * 100, explain=True).status == 200
    page = served.request("POST", "/", b"text=" + b"a" * (labelling.MOST_CHARACTERS + 1))
    assert page.status == 413
    assert b"characters are explained" in page.body


def test_too_many_explanations_at_a_time_are_told(registry, monkeypatch):
    """With 429, not by a wait."""
    monkeypatch.setattr(labelling, "_MOST_QUEUED", 0)
    with serving(registry) as served:
        assert served.predict("a", explain=True).status == 429


def test_metrics_do_not_grow_with_versions(registry, monkeypatch):
    """The versions that were counted first are forgotten."""
    from dataclasses import replace

    monkeypatch.setattr(metrics, "_MOST_VERSIONS", 2)
    with serving(registry) as served:
        model = served.service.model
        for n in range(5):
            version = replace(model, version=f"2.0.{n}")
            served.service.metrics.observe_predictions(
                version, ["a", "b"], [model.predictor.labels[0], None]
            )
        page = served.get("/metrics").body.decode()
    assert {n for n in range(5) if f"2.0.{n}" in page} == {3, 4}


def test_a_share_of_unknown_ngrams_is_measured(registry):
    """For a text now and then; it is high where texts are of another kind."""
    with serving(registry) as served:
        known, unknown = (
            served.service.model.predictor.unknown_ngram_ratio(text)
            for text in ("this is great", "ცხრა მთას იქით")
        )
        served.predict("this is great")
        served.predict("this is great")
        page = served.get("/metrics").body.decode()
    assert known < 0.5 < unknown
    assert "textclf_unknown_ngram_ratio_count 1.0" in page


def body_of(size):
    return b'{"texts":["%s"]}' % (b"a " * (size // 2))


def test_requests_hold_only_so_much_memory_together(registry):
    """More is refused until some is free; small requests, and a lone large one, are answered."""
    large = body_of(100_000)
    with serving(registry, max_held=150_000) as served:
        assert served.post("/v1/predict", body_of(1_000_000)).status == 200
        with connected(served) as slow:
            slow.sendall(head(b"content-length: %d\r\n" % len(large)) + large[:-1])
            wait_until(lambda: served.service.memory.held >= len(large) - 1)
            refused = served.post("/v1/predict", large)
            assert (refused.status, refused.headers["retry-after"]) == (429, "1")
            assert served.predict("a").status == 200
        wait_until(lambda: served.service.memory.held == 0)
        assert served.post("/v1/predict", large).status == 200


def test_texts_without_characters_take_memory_too(registry):
    """Ten thousand of them have ten thousand predictions."""
    many = json.dumps({"texts": [""] * 10_000}).encode()
    with serving(registry, max_held=1 << 20) as served, connected(served) as slow:
        slow.sendall(head(b"content-length: 100000\r\n") + b" " * 90_000)
        wait_until(lambda: served.service.memory.held)
        assert served.post("/v1/predict", many).status == 429


def test_a_large_answer_is_held_until_it_is_read(registry, monkeypatch):
    """And cut off if that takes too long."""
    monkeypatch.setattr(sending, "_SECONDS", 0.5)
    monkeypatch.setattr(sending, "_SLOWEST", 1 << 40)
    body = json.dumps({"texts": ["a"] * 100_000}).encode()
    with serving(registry, max_texts=100_000) as served, connected(served) as slow:
        slow.sendall(head(b"content-length: %d\r\n" % len(body)) + body)
        wait_until(lambda: served.service.memory.held)
        wait_until(lambda: served.service.memory.held == 0)
        assert served.predict("a").status == 200
        received = b""
        with contextlib.suppress(ConnectionError):
            while part := slow.recv(1 << 20):
                received += part
        assert len(received) < int(re.search(rb"content-length: (\d+)", received)[1])


@pytest.mark.parametrize("slow_at", ["sending", "reading"])
def test_slow_streams_make_way_for_those_that_are_refused(registry, monkeypatch, slow_at):
    """Whether they are sent or read slowly, others are answered soon."""
    monkeypatch.setattr(pace, "_SLOWEST", 0.01)
    monkeypatch.setattr(pace, "_SLOWEST_WANTED", 1 << 40)
    monkeypatch.setattr(pace, "time", SimpleNamespace(monotonic=lambda: 100 * time.monotonic()))
    stop = threading.Event()

    def send_slowly(connection):
        with contextlib.suppress(OSError):
            while not stop.wait(0.02):
                connection.sendall(b'b\r\n"%s"\n\r\n' % (b"a" * 8))

    def send(connection):
        with contextlib.suppress(OSError):
            while not stop.is_set():
                connection.sendall(b"8000\r\n%s\r\n" % (b'"a"     ' * 4096))

    def read_slowly(connection):
        with contextlib.suppress(OSError):
            while not stop.wait(0.02):
                connection.recv(20_000)

    with serving(registry, max_streams=1, body_timeout=20) as served, connected(served) as slow:
        slow.sendall(head(JSONL, CHUNKED))
        sender = send_slowly if slow_at == "sending" else send
        threads = [threading.Thread(target=run, args=(slow,)) for run in (sender, read_slowly)]
        for thread in threads:
            thread.start()
        wait_until(lambda: served.service.streamer.slots.free == 0)
        kind = {"content_type": "application/jsonl"}
        assert served.post("/v1/predict", b'"a"\n', **kind).status == 429
        wait_until(lambda: served.post("/v1/predict", b'"a"\n', **kind).status == 200)
        stop.set()
        for thread in threads:
            thread.join()

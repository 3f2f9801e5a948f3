"""What every answer has: ids, versions, keys, limits, metrics and a line of the log."""

import base64
import contextlib
import http.client
import json
import logging
import socket

import pytest
from served import serving
from waiting import wait_until

from textclf.server import http_protocol


def test_an_answer_has_the_requests_id(served):
    """Or a new one, where it has none or one that is not fit for a header."""
    assert served.get("/healthz", x_request_id="a-1").headers["x-request-id"] == "a-1"
    first, second = (served.get("/healthz").headers["x-request-id"] for _ in range(2))
    assert first != second
    assert served.get("/healthz", x_request_id="a b").headers["x-request-id"] != "a b"


def test_unknown_paths_and_methods_are_told(served):
    """As JSON."""
    assert served.get("/nope").status == 404
    answer = served.get("/v1/predict")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert "error" in answer.json()


def test_a_slash_at_the_end_leads_to_the_path_without_it(served):
    """By a relative redirection, since only a proxy knows its own name, path and encryption."""
    for path, target in {
        "/versions/": "../versions",
        "/v1/history/?limit=1": "../history?limit=1",
    }.items():
        answer = served.get(path)
        assert (answer.status, answer.headers["location"]) == (307, target)
    assert served.get("/nothing/").headers["location"] == "../nothing"
    assert served.get("//").status == 404


def test_without_the_key_nothing_is_answered_but_health(registry):
    """A key may come as a bearer token, a header, or a browser's password."""
    with serving(registry, api_key="sesame ✓") as served:
        for path in ("/healthz", "/readyz", "/ping"):
            assert served.get(path).status == 200
        key = "sesame ✓".encode()
        basic = "Basic " + base64.b64encode(b"me:" + key).decode()
        good = [
            {"authorization": b"Bearer " + key},
            {"x_api_key": key},
            {"authorization": basic},
        ]
        bad = [
            {},
            {"authorization": "Bearer sesame"},
            {"authorization": "Basic !"},
            {"authorization": "Bearer"},
            {"x_api_key": ""},
        ]
        assert [served.get("/metrics", **headers).status for headers in good] == [200] * 3
        assert [served.get("/metrics", **headers).status for headers in bad] == [401] * 5
        assert "Bearer" in served.get("/metrics").json()["error"]


def test_the_access_log_has_no_texts(served, caplog):
    """A line of JSON for each request, with its trace."""
    with caplog.at_level(logging.INFO, "textclf.server.access"):
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        served.post(
            "/v1/predict",
            {"texts": ["a secret", "b"]},
            traceparent=f"00-{trace}-00f067aa0ba902b7-01",
            x_request_id="r1",
        )
        wait_until(lambda: '"r1"' in caplog.text)
    [logged] = [line for line in map(json.loads, caplog.messages) if line["request_id"] == "r1"]
    assert "secret" not in caplog.text
    assert {name: logged[name] for name in logged if name not in ("at", "seconds")} == {
        "request_id": "r1",
        "trace_id": trace,
        "method": "POST",
        "route": "/v1/predict",
        "status": 200,
        "texts": 2,
        "characters": 9,
        "version": "1.0.0",
    }


def test_metrics_count_predictions_and_requests(registry):
    """By label and by route; a route is told by its template, so that there are few."""
    with serving(registry) as served:
        label = served.predict("this is great").json()["predictions"][0]["label"]
        served.predict("this is great", threshold=1e9)
        served.post("/v1/predict", b"")
        served.post("/v1/models/any-name:predict", {"instances": ["this is great"]})
        page = served.get("/metrics").body.decode()
    assert f'textclf_predictions_total{{label="{label}",version="1.0.0"}} 2.0' in page
    assert 'textclf_abstained_total{version="1.0.0"} 1.0' in page
    assert 'textclf_rejected_total{reason="malformed"} 1.0' in page
    assert 'route="/v1/models/{name}:predict",status="200"' in page
    assert 'textclf_model_info{sha256="' in page
    assert "any-name" not in page


def test_an_error_of_the_server_is_logged_and_not_shown(registry, monkeypatch, caplog):
    """The answer has the id under which the log has the traceback."""
    with serving(registry) as served:
        predictor = served.service.model.predictor
        monkeypatch.setattr(predictor, "predict", lambda *_, **__: 1 / 0)
        answer = served.post("/v1/predict", {"texts": ["a"]}, x_request_id="r2")
        assert answer.status == 500
        assert "r2" in answer.json()["error"]
        assert "ZeroDivisionError" in caplog.text
        assert "division" not in answer.json()["error"]
        monkeypatch.undo()
        assert served.predict("a").status == 200


def test_endless_headers_are_cut_off(served):
    """With 431, before they fill the memory."""
    answer = served.raw(b"GET / HTTP/1.1\r\n" + b"x-a: %s\r\n" % (b"b" * 1000) * 100)
    assert answer.startswith(b"HTTP/1.1 431")


def test_a_client_that_sends_no_request_is_cut_off(registry, monkeypatch):
    """After some seconds with half a header; others are answered meanwhile."""
    with serving(registry) as served:
        other = http.client.HTTPConnection(*served.address, timeout=20)
        other.request("GET", "/healthz")
        other.getresponse().read()
        monkeypatch.setattr(http_protocol, "_SECONDS", 0.2)  # of connections from now on
        with contextlib.closing(other), socket.create_connection(served.address, 20) as slow:
            slow.sendall(b"GET /healthz HTTP/1.1\r\nhost:")
            other.request("GET", "/healthz")
            assert other.getresponse().status == 200
            assert slow.recv(1000).startswith(b"HTTP/1.1 408")
            assert slow.recv(1000) == b""


def test_a_body_that_does_not_arrive_is_cut_off(registry):
    """With 408."""
    with serving(registry, body_timeout=0.1) as served:
        head = b"POST /v1/predict HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{"
        assert b" 408 " in served.raw(head)
        stream = head.replace(b"\r\n\r\n", b"\r\ncontent-type: application/jsonl\r\n\r\n")
        assert b" 408 " in served.raw(stream)


@pytest.mark.parametrize(
    "head",
    [
        b"POST /v1/predict HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n",
        b"POST /v1/predict HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/predict HTTP/1.1\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n",
        b"POST /v1/predict HTTP/1.1\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        b"POST /v1/predict HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n",
        b"POST /v1/predict HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n-5\r\n",
        b"POST /v1/predict HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-request-id: a\rb: c\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-a: b\r\n c\r\n\r\n",
        b"GARBAGE\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
    ],
)
def test_tricks_with_headers_are_refused(served, head):
    """By one 4xx with a sentence, and the end of the connection; the server goes on."""
    answer = served.raw(head)
    assert answer.startswith(b"HTTP/1.1 4")
    assert answer.count(b"HTTP/1.1") == 1
    assert b'{"error":"' in answer
    assert served.get("/healthz").status == 200


def test_a_full_queue_is_told_at_once(registry):
    """With 429 and when to come again; what waits is answered."""
    from concurrent.futures import ThreadPoolExecutor

    with serving(registry, max_queued=100_000) as served:
        text = "this is great " * 4000
        with ThreadPoolExecutor(16) as clients:
            answers = list(clients.map(lambda _: served.predict(text), range(64)))
    statuses = {answer.status for answer in answers}
    assert statuses <= {200, 429}
    assert all(a.headers["retry-after"] == "1" for a in answers if a.status == 429)

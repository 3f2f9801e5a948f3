"""The HTTP service among the examples, as a process that is asked."""

import contextlib
import http.client
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from paths import ROOT

SERVE = ROOT / "examples" / "http" / "serve.py"


@pytest.fixture
def service(project):
    """Return the address of a running service on the project's versions."""
    command = [sys.executable, SERVE, "models", "0"]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True) as running:
        yield running.stdout.readline().strip()
        running.terminate()


def ask(url, body=None):
    """Return the status and the answer of a request."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_it_answers_as_predict_does(service, cli):
    """The service answers like `textclf predict --json`, with the version."""
    texts = ["a great day", "awful \ud83d\ude00\ud800", ""]
    expected = json.loads(cli("predict", "--json", "--", *texts[:1], texts[2]).out)
    status, told = ask(f"{service}/predict", {"texts": [texts[0], texts[2]]})
    assert status == 200
    assert told["predictions"] == expected["predictions"]
    assert told["version"] == expected["version"] == "1.0.1"
    assert ask(f"{service}/predict", {"text": texts[0]})[1]["predictions"] == [
        expected["predictions"][0]
    ]
    assert ask(f"{service}/predict", {"text": texts[1]})[0] == 200
    assert ask(f"{service}/healthz") == (200, {"ok": True, "version": "1.0.1"})


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"text": 1}', b'{"texts": "a"}', b"[" * 100_000]
)
def test_what_is_no_request_gets_a_sentence(service, body):
    """A bad request gets status 400 and a message, and the service goes on."""
    status, told = ask(f"{service}/predict", body)
    assert status == 400
    assert "texts" in told["error"]
    assert ask(f"{service}/nothing", b"{}")[0] == ask(f"{service}/nothing")[0] == 404
    assert ask(f"{service}/healthz")[0] == 200


def test_what_is_too_long_is_not_read(service):
    """A request that is too long gets status 413 before it is read."""
    with contextlib.closing(http.client.HTTPConnection(service.removeprefix("http://"))) as client:
        client.putrequest("POST", "/predict")
        client.putheader("content-length", str((1 << 20) + 1))
        client.endheaders()
        assert client.getresponse().status == 413


def test_it_follows_a_promotion(service, cli):
    """A newly promoted version answers within seconds, without a restart."""
    assert cli("promote", "1.0.0").code == 0
    end = time.monotonic() + 20
    while ask(f"{service}/healthz")[1]["version"] != "1.0.0":
        assert time.monotonic() < end
        time.sleep(0.1)
    assert ask(f"{service}/predict", {"text": "great"})[1]["version"] == "1.0.0"


def test_without_a_version_it_does_not_start(data):
    """Without a version the service ends with a message and exit code 1."""
    command = [sys.executable, SERVE, "models", "0"]
    done = subprocess.run(command, cwd=data, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1

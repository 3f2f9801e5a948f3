"""Promotions while a server runs."""

import threading

import pytest
from predictors import published
from served import serving
from waiting import wait_until

from textclf.errors import NoSuchVersion
from textclf.metadata.versions import parse_version
from textclf.scorer.scorer import SCORER


@pytest.fixture
def registry(tmp_path, sample):
    """Two versions with different labels for the same text; the first is promoted."""
    registry, _ = published(tmp_path, sample)
    published(tmp_path, sample, classifier="ComplementNB")
    registry.promote(parse_version("1.0.0"))
    return registry


def test_a_promotion_needs_no_restart(registry):
    """Nor does a rollback; a fixed version stays."""
    with serving(registry) as served, serving(registry, version="1.0.0") as fixed:
        assert served.get("/readyz").json()["version"] == "1.0.0"
        registry.promote(parse_version("1.1.0"))
        wait_until(lambda: served.get("/readyz").json()["version"] == "1.1.0")
        assert served.predict("great").json()["version"] == "1.1.0"
        registry.rollback()
        wait_until(lambda: served.get("/readyz").json()["version"] == "1.0.0")
        assert fixed.predict("great").json()["version"] == "1.0.0"
        assert 'textclf_reload_total{outcome="opened"} 2.0' in served.get("/metrics").body.decode()


def test_under_load_no_request_fails_and_no_answer_mixes_versions(registry, sample):
    """While the promoted version changes again and again."""
    texts = sample[0][:20]
    from textclf.prediction.predictor import Predictor

    expected = {
        number: Predictor.load(registry, parse_version(number)).predict(texts)
        for number in ("1.0.0", "1.1.0")
    }
    wrong, seen, stop = [], set(), threading.Event()

    def ask(served):
        while not stop.is_set():
            answer = served.predict(*texts)
            if answer.status != 200:
                wrong.append(answer)
                continue
            value = answer.json()
            seen.add(value["version"])
            for got, right in zip(value["predictions"], expected[value["version"]], strict=True):
                if got["label"] != right.label or abs(got["score"] - right.score) > 1e-9:
                    wrong.append((value["version"], got, right))

    with serving(registry) as served:
        clients = [threading.Thread(target=ask, args=(served,)) for _ in range(4)]
        for client in clients:
            client.start()
        for n in range(10):
            number = f"1.{(n + 1) % 2}.0"
            registry.promote(parse_version(number))
            wait_until(lambda number=number: served.service.model.version == number)
        stop.set()
        for client in clients:
            client.join()
    assert wrong == []
    assert seen == {"1.0.0", "1.1.0"}


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data[:-1] + b"\xff"])
def test_a_version_that_cannot_be_opened_leaves_the_old_one(registry, tmp_path, caplog, damage):
    """Readiness stays; the problem is told until the file is what was published."""
    path = tmp_path / "1.1.0" / SCORER
    original = path.read_bytes()
    with serving(registry, reload_interval=1000) as served:
        registry.promote(parse_version("1.1.0"))
        path.write_bytes(damage(original))
        for _ in range(2):
            served.service.reloader.check()
        ready = served.get("/readyz")
        assert (ready.status, ready.json()["version"]) == (200, "1.0.0")
        assert SCORER in ready.json()["problem"]
        assert caplog.text.count("still version 1.0.0") == 1
        path.write_bytes(original)
        served.service.reloader.check()
        assert served.get("/readyz").json() == {
            "status": "ok", "version": "1.1.0", "problem": None
        }  # fmt: skip


def test_a_file_that_is_overwritten_under_a_server_changes_nothing(registry, tmp_path):
    """As a restored copy does. A map of a file that was truncated would end the process."""
    with serving(registry, reload_interval=1000, max_texts=50_000) as served:
        before = served.predict("great").json()
        (tmp_path / "1.0.0" / SCORER).write_bytes(b"")
        assert served.predict("great").json() == before
        many = served.predict(*["great"] * 50_000).json()["predictions"]
        assert {one["label"] for one in many} == {before["predictions"][0]["label"]}


def test_without_a_promoted_version_no_server_starts(tmp_path):
    """The error is that of every command."""
    import registries

    with pytest.raises(NoSuchVersion), serving(registries.open_registry(tmp_path)):
        pass


def test_an_application_mounted_in_another_follows_promotions_too(registry, tmp_path):
    """Although nobody tells it that the server has started."""
    import asyncio

    import httptools  # noqa: F401 - the extra is there

    from textclf.server import app_for

    app = app_for(tmp_path)

    async def version():
        sent = []

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": "/readyz", "headers": [],
                 "query_string": b"", "root_path": ""}  # fmt: skip
        await app(scope, receive, send)
        return sent[1]["body"]

    assert b'"1.0.0"' in asyncio.run(version())
    registry.promote(parse_version("1.1.0"))
    wait_until(lambda: b'"1.1.0"' in asyncio.run(version()))

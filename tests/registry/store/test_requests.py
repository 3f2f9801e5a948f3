"""Requests to a bucket: they are watched, raise what obstore raises, and can be interrupted."""

import os
import signal
import socket
import subprocess
import sys
import threading

import pytest
from cloud_servers import s3_environment
from obstore.store import MemoryStore

from textclf.errors import StoreError
from textclf.registry.store import requests
from textclf.registry.store.object_store import ObjectStore
from textclf.registry.store.requests import Requests

LARGE = bytes(range(256)) * 5000


@pytest.fixture
def told():
    """What was told of requests: the action, the last part of the path, and its size."""
    return []


@pytest.fixture
def store(told):
    def watch(transfer):
        assert transfer.has_ended
        told.append((transfer.action, transfer.path.split("/")[-1], transfer.size, transfer.done))

    return ObjectStore(Requests(MemoryStore(), watch), "p", "memory://p")


def test_uploads_and_downloads_are_told_with_their_size(store, told):
    """Whoever watches is told what is sent and received, and how much of it has arrived."""
    store.create("large", LARGE)
    assert ("uploading", "large", len(LARGE), None) in told
    assert store.read("large") == LARGE
    assert told[-1] == ("downloading", "large", len(LARGE), len(LARGE))
    assert set(store.names()) == {"large", ".registry"}
    store.remove("large")
    assert not store.exists("large")


def test_a_transfer_is_told_while_it_lasts(monkeypatch):
    """It is told again and again until it has ended."""
    monkeypatch.setattr(requests, "_LOOKS_SECONDS", 0.001)
    seen, go_on = [], threading.Event()

    class Slow:
        def put(self, *_arguments, **_options):
            assert go_on.wait(10)

    def watch(transfer):
        seen.append(transfer.has_ended)
        if len(seen) == 3:
            go_on.set()

    Requests(Slow(), watch).put("key", b"data")
    assert seen[:3] == [False] * 3
    assert seen[-1] is True


def test_an_error_is_raised_where_it_is_waited_for():
    """Whatever a request raises in its thread comes out of the call, even what ends a process."""

    class Broken:
        def delete(self, _path):
            raise SystemExit(3)

    with pytest.raises(SystemExit):
        Requests(Broken()).delete("key")


def test_a_forked_process_gets_an_error_and_does_not_hang(store, monkeypatch):
    """The threads of obstore are not there after a fork, so that no answer would ever come."""
    store.create("key", b"data")
    monkeypatch.setattr(requests, "_processes", {1})
    with pytest.raises(StoreError, match="forked from one that had reached it"):
        store.read("key")


def test_requests_of_other_threads_are_told_of(store, told):
    """Files that are sent by several threads are watched like those of the main thread."""
    store.create("key", b"data")
    results = []
    thread = threading.Thread(target=lambda: results.append(store.read("key")))
    thread.start()
    thread.join()
    assert results == [b"data"]
    assert told[-1] == ("downloading", "key", 4, 0)


def test_ctrl_c_ends_a_command_that_waits_for_a_server(tmp_path):
    """A server that accepts and never answers keeps nobody from ending the command."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        environment = {
            **os.environ, **s3_environment(server.getsockname()[1]),
            "XDG_CACHE_HOME": str(tmp_path),
        }  # fmt: skip
        command = [sys.executable, "-m", "textclf", "predict", "x", "--models", "s3://bucket/x"]
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as running:
            connection, _ = server.accept()
            connection.recv(1)  # the request is under way
            running.send_signal(signal.SIGINT)
            _, errors = running.communicate(timeout=30)
            connection.close()
    assert running.returncode == 130
    assert b"interrupted; no change was left incomplete" in errors

"""Many writers and readers of one registry in a bucket of SeaweedFS, each a process of its own."""

import os
import subprocess
import sys
import threading

import pytest
import registries
from faulty_bucket import contents
from object_operations import violations
from paths import HELPERS

from textclf.metadata.schema import ARTIFACT
from textclf.registry.registry import Registry
from textclf.registry.store.object_store import ObjectStore
from textclf.registry.verification import verify

ROUNDS = 2


class Reader(threading.Thread):
    """Reads the alias again and again; notes what a reader must never see."""

    def __init__(self, objects, prefix):
        super().__init__()
        self.objects, self.prefix = objects, prefix
        self.ended, self.bad, self.seen, self.head = threading.Event(), [], set(), 0

    def run(self):
        """Read until told to end."""
        while not self.ended.wait(0.01):
            self._look()

    def _look(self):
        try:
            alias = bytes(self.objects.get(f"{self.prefix}/{ARTIFACT}").bytes())
        except FileNotFoundError:
            if self.seen:
                self.bad.append("the alias is gone")
            return
        if not registries.is_whole(alias):
            self.bad.append("the alias is torn")
        digest = registries.sha256(alias)
        if digest not in self.seen:
            self._look_for(digest)

    def _look_for(self, digest):
        self.seen.add(digest)
        history = Registry(ObjectStore(self.objects, self.prefix, "test://reader")).history()
        if digest not in {record.sha256 for record in history}:
            self.bad.append("the alias was never promoted")
        if len(history) < self.head:
            self.bad.append("the log went back")
        self.head = len(history)


def start_writer(url, seed, environment):
    return subprocess.Popen(
        [sys.executable, "-W", "error", HELPERS / "concurrent_client.py", "write", url, str(seed),
         str(ROUNDS)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **environment},
    )  # fmt: skip


@pytest.mark.parametrize("writers", [2, pytest.param(20, marks=pytest.mark.faults)])
def test_concurrent_writers_get_distinct_versions_and_one_log(seaweedfs, writers):
    """All publish, promote and roll back at once; readers see no torn and no unpromoted alias."""
    prefix, objects = seaweedfs.new_prefix(), seaweedfs.objects()
    reader = Reader(seaweedfs.objects(), prefix)
    processes = [
        start_writer(seaweedfs.url(prefix), seed, seaweedfs.environment) for seed in range(writers)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    reader.start()
    answers = [process.communicate("\n", timeout=280) for process in processes]
    reader.ended.set()
    reader.join()
    assert [error for _, error in answers if error] == []
    acknowledged = [number for out, _ in answers for number in out.split()]
    assert len(set(acknowledged)) == len(acknowledged) == ROUNDS * writers
    registry = Registry(ObjectStore(objects, prefix, "test://after"))
    assert {str(version) for version in registry.versions()} == set(acknowledged)
    assert reader.bad == []
    assert reader.seen
    found = contents(objects, prefix)
    assert list(violations(found)) == []
    assert registries.sha256(found[ARTIFACT]) == registry.history()[-1].sha256
    assert verify(registry).ok

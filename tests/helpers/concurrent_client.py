"""One of several that use the same registry at once.

``python concurrent_client.py write MODELS SEED ROUNDS`` waits for a line on stdin, then publishes,
promotes, rolls back and notes events; it prints each version that it was told is published. Here
and for ``keep``, MODELS may be a URL.

``python concurrent_client.py keep MODELS SEED ROUNDS`` does the same, and tags and prunes, too. At
the end it removes all tags, and all versions that no channel uses.

``python concurrent_client.py check MODELS`` verifies the registry again and again until stdin ends;
then it prints JSON: how often, and every problem that was named.

``python concurrent_client.py read MODELS`` loads what is latest, again and again, until stdin ends;
then it prints JSON: how often, what it saw, and everything that it should not have seen.
"""

import contextlib
import json
import random
import select
import sys
from pathlib import Path

import registries

from textclf.errors import NoSuchVersion
from textclf.metadata.versions import Bump
from textclf.registry import verification
from textclf.registry.open import open_registry
from textclf.registry.verification import verify

CHANNELS = ("latest", "staging", "canary")


def write(models, seed, rounds):
    """Publish, promote and roll back in a random order, so that clients collide everywhere."""
    rng = random.Random(seed)
    registry = open_registry(models)
    print("ready", flush=True)  # noqa: T201 - stress.py waits for it
    sys.stdin.readline()
    for _ in range(int(rounds)):
        bump = rng.choice(list(Bump))
        published = registries.publish(registry, bump, files=registries.FURTHER)
        print(published.version, flush=True)  # noqa: T201 - the acknowledgement
        version = registry.resolve(published.version)
        registry.promote(version)
        registry.events.append_event("refused", version)
        channel = rng.choice(CHANNELS)
        registry.promote(rng.choice(registry.versions()), channel=channel)
        with contextlib.suppress(NoSuchVersion):  # nothing is before what others went back to
            registry.rollback(channel=channel)


def keep(models, seed, rounds):
    """Publish, promote, tag and prune, so that versions come and go."""
    rng = random.Random(seed)
    registry = open_registry(models)
    print("ready", flush=True)  # noqa: T201 - stress.py waits for it
    sys.stdin.readline()
    for n in range(int(rounds)):
        published = registries.publish(registry, rng.choice(list(Bump)), files=registries.FURTHER)
        print(published.version, flush=True)  # noqa: T201 - the acknowledgement
        with contextlib.suppress(NoSuchVersion):  # another has pruned it
            registry.promote(registry.resolve(published.version))
            channel = rng.choice(CHANNELS)
            registry.promote(registry.resolve(published.version), channel=channel)
            registry.rollback(channel=channel, steps=rng.choice((1, 2)))
        with contextlib.suppress(NoSuchVersion, IndexError):  # others have pruned all
            registry.tag(rng.choice(registry.versions()), {"round": str(n) if n % 2 else None})
        versions = registry.versions()
        for version in rng.sample(versions, min(2, len(versions))):  # others prune, too
            with contextlib.suppress(NoSuchVersion):
                registry.prune(version)
    for version in registry.versions():
        with contextlib.suppress(NoSuchVersion):
            registry.tag(version, {"round": None})
            registry.prune(version)


class Reader:
    """Loads the alias and the latest version, and looks at each new version once."""

    def __init__(self, root):
        self.root, self.registry = root, registries.open_registry(root)
        self.loads, self.head = 0, 0
        self.aliases, self.versions, self.bad = set(), set(), []

    def look(self):
        """Read everything once; before the first promotion there is nothing to load."""
        data = registries.alias(self.root)
        if data is None and self.aliases:
            self.bad.append("the alias was gone")
        elif data is not None:
            self.loads += 1
            self.aliases.add(registries.sha256(data))
            if not registries.is_whole(data):
                self.bad.append("the alias was torn")
            self._latest()
        self._versions()

    def _latest(self):
        artifact = self.registry.artifact(self.registry.resolve("latest"))
        if not registries.is_whole(artifact):
            self.bad.append("latest was torn")
        head = self.registry.history()[-1].n
        if head < self.head:
            self.bad.append(f"the log went back from {self.head} to {head}")
        self.head = head

    def _versions(self):
        for version in self.registry.numbers():
            if version not in self.versions:
                self.versions.add(version)
                folder = self.root / str(version)
                self.bad += registries.version_violations(folder)


def read(models):
    """Load until told to stop."""
    reader = Reader(Path(models))
    print("ready", flush=True)  # noqa: T201 - stress.py waits for it
    while not select.select([sys.stdin], [], [], 0)[0]:
        reader.look()
    seen = {"loads": reader.loads, "aliases": len(reader.aliases), "bad": reader.bad}
    print(json.dumps(seen))  # noqa: T201 - the answer


def check(models):
    """Verify until told to stop: beside healthy writers nothing is wrong."""
    registry = registries.open_registry(Path(models))
    # a busy machine lets a healthy writer wait for seconds between two of its steps
    verification._PAUSES = (*verification._PAUSES, 4.0, 16.0)
    checks, bad = 0, []
    print("ready", flush=True)  # noqa: T201 - stress.py waits for it
    while not select.select([sys.stdin], [], [], 0)[0]:
        if not registry.promotions.numbers():
            continue  # of an empty registry, verify says that there is nothing to check
        checks += 1
        bad += [f"{p.file} {p.problem}" for p in verify(registry).problems]
    print(json.dumps({"checks": checks, "bad": bad}))  # noqa: T201 - the answer


if __name__ == "__main__":
    {"write": write, "keep": keep, "read": read, "check": check}[sys.argv[1]](*sys.argv[2:])

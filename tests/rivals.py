"""One of several that write to the same registry at once.

``python rivals.py MODELS SEED ROUNDS`` waits for a line on stdin, then publishes, promotes and
rolls back; it prints each version that it was told is published.
"""

import random
import sys
from pathlib import Path

import registries

from textclf.store.local import LocalStore
from textclf.versions import Bump


def main(models, seed, rounds):
    """Work in an order of its own, so that the rivals get in each other's way everywhere."""
    rng = random.Random(seed)
    registry = registries.Registry(LocalStore(Path(models)))
    print("ready", flush=True)  # noqa: T201 - the test waits for it
    sys.stdin.readline()
    for _ in range(int(rounds)):
        published = registries.publish(registry, rng.choice(list(Bump)))
        print(published.version, flush=True)  # noqa: T201 - the acknowledgement
        registry.promote(registry.resolve(published.version))
        registry.promote(rng.choice(registry.versions()))
        if len(registry.history()) > 1:  # else there is nothing before
            registry.rollback()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What is done to a registry in a bucket or in memory, and what a reader must never see.

Registries are dictionaries here: contents by key, as they are in a `MemoryStore`.
"""

import registries
from memory_store import MemoryStore

from textclf.errors import NoSuchVersion
from textclf.metadata.versions import parse_version
from textclf.registry import layout
from textclf.registry.registry import Registry

V = parse_version


def three():
    """Return the objects of a registry of three versions; the last two were promoted, in order."""
    store = MemoryStore()
    registry = Registry(store)
    for _ in range(3):
        registries.publish(registry, files=registries.FURTHER)
    registry.promote(V("1.1.0"))
    registry.promote(V("1.2.0"))
    return store.objects


def staged():
    """Return the objects of the same registry, in which 1.2.0 and then 1.1.0 are in staging."""
    objects = three()
    registry = Registry(MemoryStore(objects))
    for number in ("1.2.0", "1.1.0"):
        registry.promote(V(number), channel="staging")
    return objects


def pruned():
    """Return the objects of a registry of which 1.0.0 was exported and pruned, and its files."""
    objects = three()
    registry = Registry(MemoryStore(objects))
    files = registry.export_files(V("1.0.0"))
    registry.prune(V("1.0.0"))
    return objects, files


EXPORTED = pruned()

OPERATIONS = {
    "publish": (three, lambda r: registries.publish(r, files=registries.FURTHER)),
    "promote": (three, lambda r: r.promote(V("1.0.0"))),
    "rollback": (three, lambda r: r.rollback()),
    "promote in a new channel": (three, lambda r: r.promote(V("1.0.0"), channel="staging")),
    "rollback in a channel": (staged, lambda r: r.rollback(channel="staging")),
    "tag": (three, lambda r: r.tag(V("1.0.0"), {"prod": "eu"})),
    "prune": (three, lambda r: r.prune(V("1.0.0"))),
    "import": (
        lambda: dict(EXPORTED[0]),
        lambda r: r.import_version(V("1.0.0"), EXPORTED[1], source="a test"),
    ),
}


def violations(objects):
    """Yield everything that a reader must never see."""
    registry = Registry(MemoryStore(objects))
    for version in registry.versions():
        metadata = registry.metadata(version)
        for record in metadata.all_files():
            data = objects.get(f"{version}/{record.file}")
            if data is None or registries.sha256(data) != record.sha256:
                yield f"{version}/{record.file} is missing or torn"
    alias = objects.get(layout.ALIAS)
    promoted = {record.sha256 for record in registry.history()}
    if alias is not None and registries.sha256(alias) not in promoted:
        yield "the alias is not a promoted version"
    for log in registry.channels():
        yield from _log_violations(registry, log.records())


def _log_violations(registry, records):
    if [record.n for record in records] != list(range(1, len(records) + 1)):
        yield "the log has a gap"
    for number in {records[-1].to, records[-1].previous} - {None} if records else ():
        try:
            registry.resolve(number)
        except NoSuchVersion as error:
            yield str(error)

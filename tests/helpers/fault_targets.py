"""What is done to a registry under attack, and what must hold afterwards.

``fault_injection.py`` (in forks, at events of Python) and ``fault_injection_strace.py`` (in
processes, at system calls) strike these operations. ``run`` does one of them and says so as the
command line does: nothing and exit code 0, or a line on stderr and another code.
"""

import errno
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import registries

from textclf.errors import StoreError, TextclfError
from textclf.metadata.versions import parse_version
from textclf.registry.copying import copy_versions
from textclf.registry.mirroring import mirror
from textclf.registry.registry import Registry
from textclf.registry.store.base import Exists
from textclf.registry.store.local import LocalStore
from textclf.registry.verification import verify

FOREIGN = b"hand-made"
LEFT = "was left by an interrupted writer"
TROUBLE = [LEFT, *(os.strerror(code) for code in (errno.ENOSPC, errno.EIO, errno.EFBIG))]
"""What one of the sentences must say where the disk failed: why, or what could not be removed."""
V = parse_version


# -- stores: the one there is, one without hard links, and those that must be found out -----------


class NaiveStore(LocalStore):
    """What most code does: write in place. The harness must find it out."""

    def create(self, key, data):
        """Test, then write: two may do so."""
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            raise Exists(key)
        path.write_bytes(data)

    def replace(self, key, data, _seen=None):
        """Empty the file, then write."""
        (self.root / key).write_bytes(data)

    def create_all(self, folder, files, *, resume=False):  # noqa: ARG002 - it is naive
        """One file after the other."""
        for name, data in files.items():
            self.create(f"{folder}/{name}", data)


def linkless(root):
    """A store where the file system has no hard links, such as exFAT."""

    def refuse(*_, **__):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    os.link = refuse
    return LocalStore(root)


def unsynced(is_spared):
    """A store that forgets to force to disk what ``is_spared`` says (of a file's mode)."""

    def store(root):
        real = os.fsync
        os.fsync = lambda fd: None if is_spared(os.fstat(fd).st_mode) else real(fd)
        return LocalStore(root)

    return store


STORES = {
    "local": LocalStore,
    "linkless": linkless,
    "naive": NaiveStore,
    "unsynced": unsynced(lambda _mode: True),
    "unsynced files": unsynced(stat.S_ISREG),
    "unsynced folders": unsynced(stat.S_ISDIR),
}


# -- operations: a registry to start with, and what is done to it ---------------------------------


def publish(registry):
    return registries.publish(registry, files=registries.FURTHER)


def train(registry):
    registry.promote(V(publish(registry).version))


def promote_back(registry):
    registry.promote(V("1.0.0"))


def repair(registry):
    checked = verify(registry, repair=True)
    problems = [p.problem for p in checked.problems if p.problem != LEFT]
    if sentences := [*checked.failed, *problems]:  # which the command line prints
        raise StoreError("; ".join(sentences))


def prune(registry):
    registry.prune(V("1.0.0"))


def promote_in_channel(registry):
    registry.promote(V("1.0.0"), channel="staging")


def rollback_in_channel(registry):
    registry.rollback(channel="staging")


def tag(registry):
    registry.tag(V("1.0.0"), {"prod": "eu"})


def bring_back(registry):
    registry.import_version(V("1.0.0"), _archived(registry.store.root), source="a test")


def mirror_source(registry):
    mirror(Registry(LocalStore(registry.store.root / SOURCE)), registry)


def push_source(registry):
    source = Registry(LocalStore(registry.store.root / SOURCE))
    list(copy_versions(source, registry, [V("1.0.0")]))


def note(registry):
    registry.events.append_event(
        "refused", V("1.0.0"), message="worse", detail={"accuracy": [0.9, 0.8]}
    )


def _nothing(_root):
    pass


def _two(root):
    registries.filled(root, "1.0.0", "1.1.0", files=registries.FURTHER)


def _foreign(root):
    registries.filled(root, versions=2)
    (root / registries.ARTIFACT).write_bytes(FOREIGN)


def _damaged(root):
    _two(root)
    (root / registries.ARTIFACT).write_bytes(FOREIGN)
    stale = root / registries.STAGING / "stale"
    stale.mkdir()
    (stale / "half").write_bytes(b"half")
    os.utime(stale, (0, 0))


ARCHIVE = "archive"
"""A folder beside the versions with the contents of the one that is to be brought back."""


def _archived(root):
    store = LocalStore(root)  # so that trouble with the disk is told here, too
    return {name: store.read(f"{ARCHIVE}/{name}") for name in store.names(str(ARCHIVE))}


SOURCE = "source"
"""A folder beside the versions with another registry, which is to be copied."""


def _source(root):
    registries.filled(root / SOURCE, "1.0.0", "1.1.0", files=registries.FURTHER)
    registries.open_registry(root / SOURCE).tag(V("1.0.0"), {"prod": "eu"})


def _three(root):
    registries.filled(root, "1.0.0", "1.1.0", "1.2.0", versions=3)


def _staged(root):
    """Three versions: what is latest is not in staging, where another could be gone back to."""
    _three(root)
    for number in ("1.0.0", "1.2.0", "1.1.0"):
        registries.open_registry(root).promote(V(number), channel="staging")


def _half_pruned(root):
    _three(root)
    registries.open_registry(root).events.append_event("pruned", V("1.0.0"))


def _pruned(root):
    _three(root)
    registry = registries.open_registry(root)
    (root / ARCHIVE).mkdir()
    for name, data in registry.export_files(V("1.0.0")).items():
        (root / ARCHIVE / name).write_bytes(data)
    registry.prune(V("1.0.0"))


@dataclass(frozen=True)
class Operation:
    """A start, an action, and what must have come of it once it is acknowledged.

    ``command`` is the same as a command, where it is one that needs no training.
    """

    setup: Callable[[Path], None]
    action: Callable[[Registry], object]
    command: tuple[str, ...] = ()
    published: int = 0
    promoted: int = 0
    noted: int = 0
    settles: bool = True


OPERATIONS = {
    "publish the first": Operation(_nothing, publish, published=1, settles=False),
    "publish the third": Operation(_two, publish, published=1, settles=False),
    "train the third": Operation(_two, train, published=1, promoted=1),
    "promote back": Operation(_two, promote_back, ("promote", "1.0.0"), promoted=1),
    "promote over a foreign file": Operation(
        _foreign, promote_back, ("promote", "1.0.0"), promoted=1
    ),
    "rollback": Operation(_two, Registry.rollback, ("rollback",), promoted=1),
    "promote in a new channel": Operation(
        _two, promote_in_channel, ("promote", "1.0.0", "--to", "staging"), promoted=1
    ),
    "rollback in a channel": Operation(
        _staged, rollback_in_channel, ("rollback", "--channel", "staging"), promoted=1
    ),
    "repair": Operation(_damaged, repair, ("verify", "--repair")),
    "note an event": Operation(_two, note, noted=1),
    "tag": Operation(_two, tag, noted=1),
    "prune": Operation(_three, prune, published=-1, noted=2),
    "repair a prune": Operation(
        _half_pruned, repair, ("verify", "--repair"), published=-1, noted=1
    ),
    "push": Operation(_source, push_source, published=1, noted=1),
    "mirror": Operation(_source, mirror_source, published=2, promoted=2, noted=1),
    "bring back": Operation(_pruned, bring_back, published=1, noted=1),
}


# -- what must hold -------------------------------------------------------------------------------


@dataclass
class Outcome:
    """How a process ended: its signal, or what it raised (nothing: it acknowledged)."""

    signal: int = 0
    error: str = ""
    message: str = ""


def check(root, template, operation, outcome):
    """Everything that is wrong after a fault, and after the commands that follow it."""
    there = registries.version_files(root)
    earlier = registries.version_files(template)
    if operation.published < 0:  # what is pruned goes as a whole, or stays
        earlier = _without_gone(earlier, there, registries.pruned(root))
    yield from registries.violations(root, foreign={registries.sha256(FOREIGN)})
    if not earlier.items() <= there.items():
        yield "an earlier version was changed or lost"
    yield from _of_the_error(outcome)
    if not outcome.signal and not outcome.error:
        yield from _of_the_effect(root, template, operation)
    if registries.alias(template) == FOREIGN and FOREIGN not in _files_of_nobody(root):
        yield "the foreign file is lost"
    yield from _of_the_next_commands(root)


def _without_gone(earlier, there, pruned):
    """Files of earlier versions but those that are pruned and of which no file is there."""
    gone = {version for version in pruned if not any(f.startswith(f"{version}/") for f in there)}
    return {name: data for name, data in earlier.items() if name.split("/")[0] not in gone}


def _of_the_error(outcome):
    if outcome.error and outcome.error not in (StoreError.__name__, KeyboardInterrupt.__name__):
        yield f"{outcome.error}: {outcome.message}"
    if outcome.error == StoreError.__name__ and not any(why in outcome.message for why in TROUBLE):
        yield f"the sentence does not say why: {outcome.message}"


def _of_the_effect(root, template, operation):
    grown = {
        "versions": _grown(root, template, lambda folder: list(folder.glob("*.*.*"))),
        "records": _grown(root, template, registries.promotions),
        "events": _grown(root, template, lambda folder: registries.log(folder, registries.EVENTS)),
    }
    expected = [operation.published, operation.promoted, operation.noted]
    if list(grown.values()) != expected:
        yield f"acknowledged, but there are new {grown}"
    if operation.settles:
        yield from registries.violations(root, settled=True)


def _grown(root, template, found):
    return len(found(root)) - len(found(template))


def _files_of_nobody(root):
    kept = [path.read_bytes() for path in (root / registries.REPLACED).glob("[!.]*")]
    return [registries.alias(root), *kept]


def _of_the_next_commands(root):
    registry = Registry(LocalStore(root))
    known = registries.version_files(root)
    before = len(list(root.glob("*.*.*")))
    try:
        train(registry)
        if not known.items() <= registries.version_files(root).items():
            yield "the next training changed an earlier version"
        if len(registry.versions()) != before + 1:
            yield "the next training made no new version"
        yield from (f"next: {v}" for v in registries.violations(root, settled=True))
        if registry.versions()[1:]:
            registry.rollback() if len(registry.history()) > 1 else registry.promote(V("1.0.0"))
        registry.events.append_event("refused", registry.versions()[0])
        yield from (f"then: {v}" for v in registries.violations(root, settled=True))
        yield from (f"verify: {problem}" for problem in verify(registry, repair=True).problems)
    except Exception as error:  # noqa: BLE001 - that it cannot go on is the finding
        yield f"the next command: {type(error).__name__}: {error}"


def run(arguments):
    """Do one operation, given the folder, its name and the store; return the exit code."""
    root, operation, store = arguments
    try:
        OPERATIONS[operation].action(Registry(STORES[store](Path(root))))
    except TextclfError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0

"""Let an operation of the registry fail at each of its file events, and look what is left.

``python crashes.py FOLDER OPERATION FAULT STORE`` prints JSON: the number of events, how often the
fault struck, and every violation. A process of its own, because it forks: no thread and no OpenMP
here.

An event is what Python's audit hooks tell (open, mkdir, rename, link, remove, …) and each fsync.
The N-th child is struck just before its N-th event. Further children are stopped by the system in
the middle of a write.
"""

import errno
import json
import os
import resource
import shutil
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

import registries

from textclf.errors import StoreError
from textclf.registry import Registry
from textclf.store.base import Exists
from textclf.store.local import LocalStore
from textclf.versions import parse_version

EVENTS = {"open", "os.mkdir", "os.rename", "os.link", "os.remove", "os.rmdir", "os.fsync",
          "os.listdir", "os.scandir"}  # fmt: skip
FOREIGN = b"hand-made"
LEFT = "was left by a writer that died"
V = parse_version


class NaiveStore(LocalStore):
    """What most code does: write in place. The harness must find it out."""

    def create(self, key, data):
        """Test, then write: two may do so."""
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            raise Exists(key)
        path.write_bytes(data)

    def replace(self, key, data):
        """Empty the file, then write."""
        (self.root / key).write_bytes(data)

    def create_folder(self, folder, files):
        """One file after the other."""
        for name, data in files.items():
            self.create(f"{folder}/{name}", data)


# -- operations: a registry to start with, and what is done to it ---------------------------------


def publish(registry):
    registries.publish(registry)


def train(registry):
    registry.promote(V(registries.publish(registry).version))


def promote_back(registry):
    registry.promote(V("1.0.0"))


def rollback(registry):
    registry.rollback()


def repair(registry):
    checked = registry.verify(repair=True)
    if problems := [p.problem for p in checked.problems if p.problem != LEFT]:
        raise StoreError("; ".join(problems))  # as the command line fails, with these sentences


def _nothing(_root):
    pass


def _two(root):
    registries.filled(root, "1.0.0", "1.1.0")


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


OPERATIONS = {
    "publish the first": (_nothing, publish),
    "publish the third": (_two, publish),
    "train the third": (_two, train),
    "promote back": (_two, promote_back),
    "promote over a foreign file": (_foreign, promote_back),
    "rollback": (_two, rollback),
    "repair": (_damaged, repair),
}


# -- faults ---------------------------------------------------------------------------------------


def _kill(_n):
    os.kill(os.getpid(), signal.SIGKILL)


def _interrupt(_n):
    raise KeyboardInterrupt


def _fail(n):
    code = (errno.ENOSPC, errno.EIO)[n % 2]
    raise OSError(code, os.strerror(code))


FAULTS = {"kill": _kill, "interrupt": _interrupt, "disk": _fail}
SIZES = (0, 1, 100, 200, 1000, 5000, 16_384)
"""Bytes after which a write is stopped: in a record, in metadata, in a model."""


@dataclass
class Outcome:
    """How a child ended: its signal, or what it raised (nothing: it acknowledged)."""

    signal: int = 0
    events: int = 0
    error: str = ""
    message: str = ""
    struck: str = ""


def in_child(action, prepare):
    """Run ``action`` in a fork set up by ``prepare``, which returns the notes it keeps."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        notes = prepare()
        try:
            action()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is told to the parent
            notes["error"], notes["message"] = type(error).__name__, str(error)
        notes["armed"] = False
        os.write(writing, json.dumps(notes).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    notes = json.loads(said) if said else {}
    notes.pop("armed", None)
    return Outcome(**notes, signal=os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0)


def at_event(n, strike):
    """Prepare a child in which ``strike`` is called just before the ``n``-th event."""

    def prepare():
        notes = {"events": 0, "struck": "", "armed": True}

        def hook(event, arguments):
            if event in EVENTS and notes["armed"]:
                notes["events"] += 1
                if notes["events"] == n:
                    notes["struck"] = f"{event} {arguments[0]}"
                    strike(n)

        sys.addaudithook(hook)
        return notes

    return prepare


def at_byte(n, *, deadly):
    """Prepare a child in which no file can grow beyond ``n`` bytes: the system stops the write.

    It kills the writer in the middle of its write, or the write fails having written a part.
    """

    def prepare():
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL if deadly else signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (n, n))
        return {}

    return prepare


def _fsync(descriptor):
    """Tell the hook, and let the disk sleep: what a process wrote survives its own death."""
    sys.audit("os.fsync", descriptor)


# -- what must hold -------------------------------------------------------------------------------


@dataclass
class Report:
    """What the parent prints."""

    events: int = 0
    struck: int = 0
    cut_short: int = 0
    unacknowledged: int = 0
    violations: list[str] = field(default_factory=list)


class Enumeration:
    """One operation under one fault: once untouched, then once for each place it can strike."""

    def __init__(self, folder, operation, fault, store):
        setup, self.action = OPERATIONS[operation]
        self.operation, self.fault, self.store = operation, fault, store
        self.root, self.template = folder / "models", folder / "template"
        self.template.mkdir()
        setup(self.template)
        self.report = Report()

    def run(self):
        """Go through all places."""
        self._once(at_event(0, _kill))  # warms what is imported late
        untouched = self._once(at_event(0, _kill))
        self._look(untouched, "untouched")
        self.report.unacknowledged = 0
        self.report.events = untouched.events
        for n in range(1, untouched.events + 1):
            outcome = self._once(at_event(n, FAULTS[self.fault]))
            killed = outcome.signal == signal.SIGKILL
            self.report.struck += killed if self.fault == "kill" else bool(outcome.struck)
            self._look(outcome, f"event {n} {outcome.struck}")
        for n in SIZES if self.fault in ("kill", "disk") else ():
            outcome = self._once(at_byte(n, deadly=self.fault == "kill"))
            self.report.cut_short += outcome.signal == signal.SIGXFSZ or bool(outcome.error)
            self._look(outcome, f"{n} bytes")
        return self.report

    def _once(self, prepare):
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.template, self.root)
        return in_child(lambda: self.action(Registry(self.store(self.root))), prepare)

    def _look(self, outcome, where):
        self.report.unacknowledged += bool(outcome.signal or outcome.error)
        found = check(self.root, self.template, self.operation, self.fault, outcome)
        self.report.violations += [f"{where}: {violation}" for violation in found]


def check(root, template, operation, fault, outcome):
    """Everything that is wrong after a fault, and after the command that follows it."""
    foreign = {registries.sha256(FOREIGN)}
    earlier = registries.version_files(template)
    yield from registries.violations(root, foreign=foreign)
    if not earlier.items() <= registries.version_files(root).items():
        yield "an earlier version was changed or lost"
    yield from _of_the_error(outcome)
    if not outcome.signal and not outcome.error:
        yield from _of_the_effect(root, template, operation)
    if fault == "interrupt" and (left := set(registries.staged(root)) - {"stale"}):
        yield f"left in staging: {left}"
    if "foreign" in operation and FOREIGN not in _files_of_nobody(root):
        yield "the foreign file is lost"
    yield from _of_the_next_command(root, earlier)


def _of_the_error(outcome):
    if outcome.error and outcome.error not in (StoreError.__name__, KeyboardInterrupt.__name__):
        yield f"{outcome.error}: {outcome.message}"
    if outcome.error == StoreError.__name__ and not any(
        os.strerror(code) in outcome.message for code in (errno.ENOSPC, errno.EIO, errno.EFBIG)
    ):
        yield f"the sentence does not say why: {outcome.message}"


def _of_the_effect(root, template, operation):
    new = registries.version_files(root).keys() - registries.version_files(template).keys()
    if operation.startswith(("publish", "train")) and len(new) != 2:
        yield "acknowledged, but no new version is there"
    if not operation.startswith("publish"):
        yield from registries.violations(root, settled=True)
        grown = len(registries.log(root)) - len(registries.log(template))
        if grown != (operation != "repair"):
            yield f"acknowledged, but the log has {grown} new records"


def _files_of_nobody(root):
    kept = [path.read_bytes() for path in (root / registries.REPLACED).glob("*")]
    return [registries.alias(root), *kept]


def _of_the_next_command(root, earlier):
    registry = Registry(LocalStore(root))
    known = registries.version_files(root)
    try:
        train(registry)
        after = registries.version_files(root)
        if not (earlier.items() | known.items()) <= after.items() or len(after) != len(known) + 2:
            yield "the next training changed an earlier version"
        yield from (f"next: {v}" for v in registries.violations(root, settled=True))
        if registry.versions()[1:]:
            registry.rollback() if len(registry.history()) > 1 else registry.promote(V("1.0.0"))
        yield from (f"then: {v}" for v in registries.violations(root, settled=True))
        yield from (f"verify: {problem}" for problem in registry.verify(repair=True).problems)
    except Exception as error:  # noqa: BLE001 - that it cannot go on is the finding
        yield f"the next command: {type(error).__name__}: {error}"


def main(folder, operation, fault, store):
    """Print the report of one operation under one fault."""
    os.fsync = _fsync
    stores = {"local": LocalStore, "naive": NaiveStore}
    report = Enumeration(Path(folder), operation, fault, stores[store]).run()
    print(json.dumps(vars(report)))  # noqa: T201 - the answer of the script


if __name__ == "__main__":
    main(*sys.argv[1:])

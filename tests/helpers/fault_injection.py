"""Let an operation of the registry fail at each of its file events, and look what is left.

``python fault_injection.py FOLDER OPERATION FAULT STORE`` prints JSON: the number of events, how
often the fault struck, and every violation. A process of its own, because it forks: no thread and
no OpenMP here.

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
from fault_targets import OPERATIONS, STORES, Outcome, check

from textclf.registry import verification
from textclf.registry.registry import Registry

EVENTS = {"open", "os.mkdir", "os.rename", "os.link", "os.remove", "os.rmdir", "os.fsync",
          "os.listdir", "os.scandir"}  # fmt: skip

LOOKING = {"os.listdir", "os.scandir"}


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
MOST_BYTES = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
"""The limit before and after an operation: coverage writes its data when a child ends."""


@dataclass
class Struck(Outcome):
    """How a child ended, its number of events, which was struck, and whether that is a change."""

    events: int = 0
    struck: str = ""
    changes: bool = False


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
        resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_BYTES, MOST_BYTES))
        os.write(writing, json.dumps(notes).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    notes = json.loads(said) if said else {}
    notes.pop("armed", None)
    return Struck(**notes, signal=os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0)


def _changes(event, arguments):
    """Whether an event changes something on disk, or forces it there."""
    if event == "open":
        return bool((arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))
    return event not in LOOKING


def _path(event, arguments):
    """Return the path that an event is about, as far as the system tells."""
    folders = {"os.remove": 1, "os.rmdir": 1, "os.rename": 2, "os.mkdir": 2}
    descriptor = arguments[folders[event]] if event in folders else -1
    place = arguments[0]
    if isinstance(place, int):
        descriptor, place = place, ""
    link = Path(f"/proc/self/fd/{descriptor}")
    return (link.readlink() if link.exists() else Path()) / place


def at_event(n, strike):
    """Prepare a child in which ``strike`` is called just before the ``n``-th event."""

    def prepare():
        notes = {"events": 0, "struck": "", "changes": False, "armed": True}

        def hook(event, arguments):
            if event in EVENTS and notes["armed"]:
                notes["events"] += 1
                if notes["events"] == n:
                    notes["struck"] = f"{event} {_path(event, arguments)}"
                    notes["changes"] = _changes(event, arguments)
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
        resource.setrlimit(resource.RLIMIT_FSIZE, (n, MOST_BYTES))
        return {}

    return prepare


def _fsync(descriptor):
    """Tell the hook, and let the disk sleep: what a process wrote survives its own death."""
    sys.audit("os.fsync", descriptor)


# -- all of them ----------------------------------------------------------------------------------


@dataclass
class Report:
    """What the parent prints."""

    events: int = 0
    struck: int = 0
    cut_short: int = 0
    unacknowledged: int = 0
    ignored: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)


class Enumeration:
    """One operation under one fault: once untouched, then once for each place it can strike."""

    def __init__(self, folder, operation, fault, store):
        self.operation, self.fault, self.store = OPERATIONS[operation], fault, store
        self.root, self.template = folder / "models", folder / "template"
        self.template.mkdir()
        self.operation.setup(self.template)
        self.report = Report()

    def run(self):
        """Go through all places."""
        self._look(self._once(at_event(0, _kill)), "first")  # loads here what is imported late
        untouched = self._once(at_event(0, _kill))
        self._look(untouched, "untouched")
        self.report.unacknowledged = 0
        self.report.events = untouched.events
        for n in range(1, untouched.events + 1):
            outcome = self._once(at_event(n, FAULTS[self.fault]))
            killed = outcome.signal == signal.SIGKILL
            self.report.struck += killed if self.fault == "kill" else bool(outcome.struck)
            if outcome.changes and not outcome.error:
                self.report.ignored.append(outcome.struck)
            self._look(outcome, f"event {n} {outcome.struck}")
        for n in SIZES if self.fault in ("kill", "disk") else ():
            outcome = self._once(at_byte(n, deadly=self.fault == "kill"))
            self.report.cut_short += outcome.signal == signal.SIGXFSZ or bool(outcome.error)
            self._look(outcome, f"{n} bytes")
        return self.report

    def _once(self, prepare):
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.template, self.root)
        return in_child(lambda: self.operation.action(Registry(self.store(self.root))), prepare)

    def _look(self, outcome, where):
        self.report.unacknowledged += bool(outcome.signal or outcome.error)
        left = set(registries.staged(self.root)) - set(registries.staged(self.template))
        if self.fault == "interrupt" and left:
            self.report.violations.append(f"{where}: left in staging: {left}")
        found = check(self.root, self.template, self.operation, outcome)
        self.report.violations += [f"{where}: {violation}" for violation in found]


def main(folder, operation, fault, store):
    """Print the report of one operation under one fault."""
    os.fsync = _fsync
    verification._PAUSES = (0.0, 0.0, 0.0, 0.0)  # here is nobody whose work verify should await
    report = Enumeration(Path(folder), operation, fault, STORES[store]).run()
    print(json.dumps(vars(report)))  # noqa: T201 - the answer of the script


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Strike an operation of the registry at each of its system calls, and look what is left.

``python fault_injection_strace.py`` does it for every operation and prints a table; ``make
test-faults`` calls it. For each call and fault a process is forked, and strace is attached to it,
which kills it at that call, or lets that call fail. It is killed at each call that changes
something, and such a call says ENOSPC or EIO. EIO is also what a call that only looks says, where
it is the first of its name at that place. Then all must hold that ``fault_targets.check`` asks for.
"""

import compileall
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from fault_targets import OPERATIONS, Outcome, check
from fork_server import ForkServers
from fsync_lint import lint
from scratch import scratch_folder

import textclf
from textclf.registry import verification

FAULTS = {"SIGKILL": "signal=SIGKILL", "ENOSPC": "error=ENOSPC", "EIO": "error=EIO"}
LOOKING = {"read", "pread64", "getdents64", "newfstatat", "fstat", "stat", "lstat", "statx",
           "readlink", "readlinkat", "access", "faccessat", "faccessat2", "close", "fcntl",
           "fadvise64"}  # fmt: skip
"""Calls that change nothing; all others are taken to."""
IDLE = {"execve", "ioctl", "lseek"}
"""Calls that never reach the disk."""
MISSED = "was not struck, so nothing is known of it"
TRIES = 3
"""A process does other calls before the one to strike where a folder that it imports of changes."""


def why_not(strace="strace"):
    """Say why nothing can be struck here, if so: strace must be there and allowed to work."""
    if not shutil.which(strace):
        return "there is no strace"
    command = [strace, "-o", os.devnull, "-e", "inject=exit_group:signal=SIGKILL", "true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != -signal.SIGKILL:
        return f"strace cannot strike here: {done.stderr.strip() or 'ptrace is not allowed'}"
    return None


# -- what strace says -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """A system call that touches the models folder: the ``nth`` of its name in its process."""

    name: str
    nth: int
    paths: tuple[str, ...]
    text: str

    @property
    def creates(self):
        """Whether it opens a file that may not have been there, or empties it."""
        return self.name.startswith("open") and bool(re.search("O_CREAT|O_TRUNC", self.text))

    @property
    def changes(self):
        """Whether something on disk is another after it."""
        if self.name.startswith("open"):
            return bool(re.search("O_CREAT|O_TRUNC|O_WRONLY|O_RDWR", self.text))
        return self.name not in LOOKING

    @property
    def failed(self):
        """Whether it returned an error, or not at all."""
        return not re.search(r" = \d", self.text)

    def is_like(self, other):
        """Whether it is that call of another run, in another folder."""
        return (self.name, self.nth, *_masked(self)) == (other.name, other.nth, *_masked(other))


def _masked(call):
    """Return its paths below the models folder, without the random names in staging."""
    return [re.sub("[0-9a-f]{32}", "", path.partition("/models")[2]) for path in call.paths]


def read_calls(log, root):
    """Return the calls in an strace log that touch the folder ``root``."""
    counts, found = Counter(), []
    for line in log.read_text("utf-8", "replace").splitlines():
        if match := re.match(r"(?:\d+ +)?(\w+)\(", line):
            name = match[1]
            counts[name] += 1
            paths = re.findall(rf'["<]({re.escape(str(root))}(?:/[^">]*)?)[">]', line)
            if paths and name not in IDLE:
                found.append(Call(name, counts[name], tuple(dict.fromkeys(paths)), line))
    return found


def was_struck(call, fault, calls, log):
    """Whether a run was struck, and at this call: else its outcome says nothing."""
    if fault == "SIGKILL":
        died = "+++ killed by SIGKILL" in log.read_text("utf-8", "replace")
        return died and bool(calls) and calls[-1].is_like(call)
    return any(each.is_like(call) and each.text.endswith("(INJECTED)") for each in calls)


# -- all of them ----------------------------------------------------------------------------------


@dataclass
class Report:
    """Places struck and not acknowledged, and every violation."""

    struck: int = 0
    unacknowledged: int = 0
    violations: list[str] = field(default_factory=list)


class Attack:
    """One operation on one store: seen once untouched, then struck wherever it can be."""

    def __init__(self, folder, servers, name, store="local", strace="strace"):
        self.operation, self.folder, self.strace = OPERATIONS[name], folder, strace
        self.servers = servers
        self.command = ["fault_targets", "MODELS", name, store]
        if self.operation.command and store == "local":
            self.command = ["textclf", *self.operation.command, "--models", "MODELS"]
        self.template = folder / "template"
        self.template.mkdir(parents=True)
        self.operation.setup(self.template)
        self.root, log, self.untouched = self._run("untouched")
        self.calls = read_calls(log, self.root)

    def places(self, fault):
        """Return the calls at which a fault makes a difference."""
        firsts = {(call.name, call.paths): call for call in reversed(self.calls)}.values()
        return [
            call
            for call in self.calls
            if call.changes or (fault == "EIO" and any(call is first for first in firsts))
        ]

    def problems_untouched(self):
        """Return what is wrong without any fault: of its effect, of its fsyncs."""
        found = check(self.root, self.template, self.operation, self.untouched)
        return [*lint(self.calls, self.root), *found]

    def strike(self, fault, tries=TRIES):
        """Strike each place, each in a folder of its own."""
        report = Report()
        places = self.places(fault)
        for struck, told, outcome in self.servers.pool.map(
            lambda call: self._struck(call, fault, tries), places
        ):
            report.struck += struck
            report.unacknowledged += bool(outcome.signal or outcome.error)
            report.violations += told
        return report

    def _struck(self, call, fault, tries):
        inject = f"inject={call.name}:{FAULTS[fault]}:when={call.nth}"
        for _ in range(tries):
            root, log, outcome = self._run(f"{fault}-{call.name}-{call.nth}", "-e", inject)
            struck = was_struck(call, fault, read_calls(log, root), log)
            problems = check(root, self.template, self.operation, outcome) if struck else [MISSED]
            told = [f"{fault} at {call.text}: {problem}" for problem in problems]
            shutil.rmtree(root.parent)
            if struck:
                break
        return struck, told, outcome

    def _run(self, name, *inject):
        root, log = self.folder / name / "models", self.folder / name / "log"
        shutil.copytree(self.template, root, dirs_exist_ok=True)
        command = [str(root) if word == "MODELS" else word for word in self.command]
        trace = ["-f", "-y", "-s", "0", "-o", log, "-e", "trace=%file,%desc", *inject]
        done = self.servers.run(command, root.parent, [self.strace, *trace])
        return root, log, _outcome(done)


def _outcome(done):
    if done.returncode < 0:
        return Outcome(signal=-done.returncode)
    if done.returncode == 0:
        return Outcome()
    says_why = re.match("(error|warning: not repaired): cannot ", done.stderr)
    names_it = re.search(": [0-9]+ problems?$", done.stdout) and not done.stderr  # as verify does
    is_refusal = says_why if done.returncode == 1 else (says_why or names_it)
    said = done.stderr + done.stdout
    return Outcome(error="StoreError" if is_refusal else f"exit {done.returncode}", message=said)


# -- the table ------------------------------------------------------------------------------------

say = partial(print, flush=True)
IN_THREADS = {"push", "mirror"}
"""Strace strikes the calls of a process's first thread; these are struck at their file events."""
RUNS = [
    *((name, "local") for name in OPERATIONS if name not in IN_THREADS),
    ("train the third", "linkless"),
]


def main():
    """Strike everything; the exit code is 1 if anything was violated."""
    if reason := why_not():
        say(f"skipped: {reason}")
        return 0
    # else the first command writes bytecode, and the next ones have fewer system calls
    compileall.compile_dir(Path(textclf.__file__).parent, quiet=1)
    verification._PAUSES = (0.0, 0.0, 0.0, 0.0)  # here is nobody whose work verify should await
    violations = []
    say(f"{'operation':30}" + "".join(f"{fault:>9}" for fault in FAULTS) + "  violations")
    with (
        tempfile.TemporaryDirectory(dir=scratch_folder()) as folder,
        ForkServers(os.cpu_count()) as servers,
    ):
        for name, store in RUNS:
            shown = name if store == "local" else f"{name}, {store}"
            attack = Attack(Path(folder) / shown, servers, name, store)
            reports = [attack.strike(fault) for fault in FAULTS]
            found = [
                *(f"untouched: {problem}" for problem in attack.problems_untouched()),
                *(violation for report in reports for violation in report.violations),
            ]
            counts = "".join(f"{report.struck:9}" for report in reports)
            say(f"{shown:30}{counts}{len(found):12}")
            violations += [f"{shown}: {violation}" for violation in found]
    say(*violations, sep="\n", end="")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())

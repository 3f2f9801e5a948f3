"""Run many writers and readers of one registry at once, kill some writers, and check what is left.

``python stress.py --writers 20 --rounds 6 --readers 4 --kills 80`` prints JSON: what was done, and
every violation. A writer that is killed is followed by another, so there are writers + kills of
them in all. ``--keepers 3`` adds writers that tag and prune, too, and ``--checkers 2`` processes
that verify the registry all the time, which must find nothing wrong.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import registries

from textclf.registry.verification import verify

SCRIPT = Path(__file__).with_name("concurrent_client.py")
SEED = 0
LONGEST = 300
"""Seconds to wait for a process to end."""


@dataclass
class Report:
    """What was done and seen, and what must not be."""

    writers: int = 0
    killed: int = 0
    acknowledged: int = 0
    published: int = 0
    promotions: int = 0
    events: int = 0
    loads: int = 0
    checks: int = 0
    aliases: int = 0
    left_staged: int = 0
    violations: list[str] = field(default_factory=list)


class StressTest:
    """The processes that use the registry in ``root`` at once."""

    def __init__(self, root, rounds):
        self.root, self.rounds = root, rounds
        self.report, self.acknowledged = Report(), []
        self.chance = random.Random(SEED)

    def run(self, writers, readers, kills, keepers=0, checkers=0):
        """Let them all begin at once; end when the last writer has."""
        reading = [self._start("read") for _ in range(readers)]
        checking = [self._start("check") for _ in range(checkers)]
        writing = [self._writer() for _ in range(writers)]
        writing += [self._writer("keep") for _ in range(keepers)]
        for process in (*reading, *checking, *writing):
            assert process.stdout.readline() == "ready\n"
        for process in writing:
            _begin(process)
        for _ in range(kills):
            self._kill_one(writing)
        for process in writing:
            self._ended(process)
        for process in reading:
            self._add(_answer(process))
        for process in checking:
            seen = _answer(process)
            self.report.checks += seen["checks"]
            self.report.violations += [f"a false alarm: {bad}" for bad in seen["bad"]]
        return self.report

    def _kill_one(self, writing):
        """Kill a writer that is at work, and start another; that one, if all others have ended."""
        time.sleep(self.chance.uniform(0, 0.1))
        at_work = [process for process in writing if process.poll() is None]
        if at_work:
            self.chance.choice(at_work).kill()
        writing.append(self._writer())
        _begin(writing[-1])
        if not at_work:
            writing[-1].kill()

    def _writer(self, role="write"):
        self.report.writers += 1
        return self._start(role, str(self.report.writers), str(self.rounds))

    def _start(self, role, *arguments):
        return subprocess.Popen(
            [sys.executable, "-W", "error", SCRIPT, role, self.root, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def _ended(self, process):
        out, err = process.communicate(timeout=LONGEST)
        self.acknowledged += [line for line in out.split() if line != "ready"]
        self.report.killed += process.returncode == -9
        if process.returncode not in (0, -9) or err:
            self.report.violations.append(f"a writer: {err}")

    def _add(self, seen):
        self.report.loads += seen["loads"]
        self.report.aliases = max(self.report.aliases, seen["aliases"])
        self.report.violations += [f"a reader: {bad}" for bad in seen["bad"]]

    def check(self):
        """Check versions, logs and alias, and check them again after the next commands."""
        report, acknowledged = self.report, set(self.acknowledged)
        published = {folder.name for folder in self.root.glob("*.*.*")}
        report.acknowledged, report.published = len(self.acknowledged), len(published)
        report.promotions = len(registries.promotions(self.root))
        report.events = len(registries.log(self.root, registries.EVENTS))
        report.left_staged = len(registries.staged(self.root))
        report.violations += self._violations(acknowledged, published)

    def _violations(self, acknowledged, published):
        if len(acknowledged) != len(self.acknowledged):
            yield "a number was given twice"
        if lost := acknowledged - published - registries.pruned(self.root):
            yield f"acknowledged, but lost: {lost}"
        if len(published - acknowledged) > self.report.killed:
            yield f"published, but not acknowledged: {published - acknowledged}"
        if self.report.left_staged > self.report.killed:
            yield "a writer that was not killed left files in staging"
        yield from registries.violations(self.root, settled=not self.report.killed)
        for staged in (self.root / registries.STAGING).iterdir():
            os.utime(staged, (0, 0))
        registry = registries.open_registry(self.root)
        registry.promote(registry.versions()[0])
        yield from registries.violations(self.root, settled=True)
        named = [problem.file for problem in verify(registry).problems]
        if len(named) != self.report.left_staged:
            yield f"verify names {named}"
        yield from (problem.problem for problem in verify(registry, repair=True).problems)


def _answer(process):
    """End a process that reads, and return what it has seen."""
    return json.loads(process.communicate("\n", timeout=LONGEST)[0])


def _begin(process):
    process.stdin.write("\n")
    process.stdin.flush()


def main(rounds, **counts):
    """Print the report."""
    with tempfile.TemporaryDirectory() as folder:  # on a disk, if it may be: kills hit its fsyncs
        test = StressTest(Path(folder) / "models", rounds)
        test.run(**counts)
        test.check()
    print(json.dumps(vars(test.report)))  # noqa: T201 - the answer of the script
    return bool(test.report.violations)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for count in ("writers", "rounds", "readers", "kills"):
        parser.add_argument(f"--{count}", type=int, required=True)
    for count in ("keepers", "checkers"):
        parser.add_argument(f"--{count}", type=int, default=0)
    sys.exit(main(**vars(parser.parse_args())))

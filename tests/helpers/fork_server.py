"""Processes that do one command each under strace, forked from one that has loaded textclf.

``python fork_server.py`` reads a JSON object a line: a command and a folder for what it prints. It
prints the number of the child, which begins when it gets SIGUSR1, and then its exit code (negative:
the signal that ended it). A process of its own, because it forks; no threads here.
"""

import ctypes
import importlib
import json
import os
import pkgutil
import queue
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from paths import ROOT

SECONDS = 60
"""After which a child is ended."""
_SET_TRACER, _ANY = 0x59616D61, ctypes.c_ulong(-1)
"""Arguments of prctl: strace is no parent of the child, and may trace it all the same."""


class ForkServers:
    """Some such processes, and a pool of as many threads that use them."""

    def __init__(self, number):
        self.pool = ThreadPoolExecutor(number)
        self._free = queue.SimpleQueue()
        self._stack = ExitStack()
        for _ in range(number):
            self._free.put(self._stack.enter_context(_server()))

    def __enter__(self):
        """Return itself."""
        return self

    def __exit__(self, *_):
        """End the processes."""
        self.pool.shutdown()
        self._stack.close()

    def run(self, command, folder, tracer):
        """Run a command of ``do`` in a child that ``tracer`` is attached to; see ``subprocess``."""
        server = self._free.get()
        try:
            return _traced(server, command, folder, tracer)
        finally:
            self._free.put(server)


@contextmanager
def _server():
    """Start a server. In its surroundings, children do the same system calls each time."""
    others = ("TEXTCLF", "PYTHON", "COVERAGE")  # a tracer reads the sources, some of them once
    kept = {k: v for k, v in os.environ.items() if not k.startswith(others)}
    fixed = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, __file__], cwd="/", env=kept | fixed, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as server:  # fmt: skip
        yield server


def _traced(server, command, folder, tracer):
    server.stdin.write(json.dumps({"command": command, "folder": str(folder)}) + "\n")
    server.stdin.flush()
    child = int(server.stdout.readline())
    with subprocess.Popen([*tracer, "-p", str(child)], stderr=subprocess.PIPE) as attached:
        attached.stderr.readline()  # which says that it is
        os.kill(child, signal.SIGUSR1)
        code = int(server.stdout.readline())
    out, err = ((folder / name).read_text("utf-8") for name in ("out", "err"))
    return subprocess.CompletedProcess(command, code, out, err)


def serve():
    """Answer stdin."""
    import fault_targets

    from textclf import cli, registry
    from textclf.cli import app

    for package in (cli, registry):  # what children import they would open files for
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    programs = {"textclf": app.run, "fault_targets": fault_targets.run}
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    for line in sys.stdin:
        request = json.loads(line)
        waiting, ready = os.pipe()
        child = os.fork()
        if not child:
            os.close(waiting)
            os._exit(_do(programs, ready, **request))
        os.close(ready)
        os.read(waiting, 1)  # strace must not see what the child does to get ready
        os.close(waiting)
        print(child, flush=True)  # noqa: T201 - the answer of the script
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201


def _do(programs, ready, command, folder):
    program, *arguments = command
    for number, name in enumerate((os.devnull, "out", "err")):
        os.dup2(os.open(Path(folder) / name, os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
    ctypes.CDLL(None).prctl(_SET_TRACER, _ANY, 0, 0, 0)
    signal.alarm(SECONDS)
    os.write(ready, b".")
    os.close(ready)
    signal.sigwait({signal.SIGUSR1})
    code = programs[program](arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    serve()

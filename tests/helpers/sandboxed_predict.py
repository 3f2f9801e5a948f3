"""Let the command line open model files, each in a process of its own that is watched.

``python sandboxed_predict.py MODELS SCRATCH VERSION… [FLAG…]`` first opens versions that are in
order, so that all libraries are loaded: whatever else a process does then is a file's doing. It
reads further versions from stdin, one a line, and for each prints a JSON object: the exit code of
``predict`` with these flags (negative: the signal that ended it), what it said, what it did that a
harmless process does not, and by how many bytes its memory grew.

A process of its own, because it forks; no threads here.
"""

import contextlib
import gc
import io
import json
import os
import re
import resource
import sys
import tempfile
from pathlib import Path

from textclf.cli.app import run

HARMLESS = {"builtins.id", "os.listdir", "os.scandir", "object.__getattr__", "sys._getframe"}
MEMORY = 2 << 30
SECONDS = 20


def main(models, scratch, *arguments):
    """Serve stdin."""
    flags = [argument for argument in arguments if argument.startswith("-")]
    in_order = [argument for argument in arguments if argument not in flags]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        assert [predict(models, version) for version in in_order] == [0] * len(in_order)
    os.chdir(scratch)
    gc.freeze()  # so that children do not copy what they only look through
    for line in sys.stdin:
        sys.stdout.write(json.dumps(attempt(models, line.strip(), flags)) + "\n")


def predict(models, version, *flags):
    return run(["predict", "good bad", "--version", version, "--models", models, *flags])


def attempt(models, version, flags):
    """Open a version in a child and watch it. ``flags`` are further ones of predict."""
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as seen:
        sys.stdout.flush()
        child = os.fork()
        if not child:
            os._exit(watched(models, version, flags, said.fileno(), seen.fileno()))
        _, status, usage = os.wait4(child, 0)
        said.seek(0)
        seen.seek(0)
        before, events = json.loads(seen.read() or "[0, []]")
        return {
            "version": version,
            "code": os.waitstatus_to_exitcode(status),
            "said": said.read().decode(),
            "did": events,
            "grown": usage.ru_maxrss * 1024 - before,
        }


def watched(models, version, flags, said, seen):
    """The child: both streams to a file, its memory and time limited, its doings noted."""
    size, resident = map(int, Path("/proc/self/statm").read_text().split()[:2])
    page = resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size * page + MEMORY,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS,) * 2)
    os.dup2(said, 1)
    os.dup2(said, 2)
    sys.stdout, sys.stderr = (os.fdopen(n, "w", encoding="utf-8", closefd=False) for n in (1, 2))
    events, watching = [], True

    def note(event, arguments):
        if watching and event not in HARMLESS and not reads(models, event, arguments):
            events.append(re.sub("0x[0-9a-f]+", "", f"{event} {arguments!r:.200}"))

    sys.addaudithook(note)
    code = predict(models, version, *flags)
    watching = False
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(seen, json.dumps([resident * page, events]).encode())
    return code


def reads(models, event, arguments):
    """Whether a file of the registry is opened, to be read only."""
    if event != "open":
        return False
    path, _, flags = arguments
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
    return str(path).startswith(f"{models}/") and not flags & writing


if __name__ == "__main__":
    main(*sys.argv[1:])

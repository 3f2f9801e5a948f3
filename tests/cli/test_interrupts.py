"""Ctrl-C in the middle of a search, and while waiting for input."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from llvmlite.binding import ExecutionEngine
from slow_lines import without_slow_lines

GRID = """\
[features.word]
ngram_range = [[1, 1], [1, 2]]
[features.char_wb]
ngram_range = [[2, 5]]
[classifier.LogisticRegression]
C = [0.1, 0.3, 1, 3, 10, 30]
"""

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


def group(leader):
    """Return number and command line of the living processes in a process group."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, _, pgrp = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(pgrp) == leader and state not in "ZX":
                found[int(folder.name)] = (folder / "cmdline").read_bytes().decode()
    return found


def wait_until(condition, what, seconds=40.0):
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def threads_at_work(pid):
    """Return how many threads of a process are running."""
    states = [
        (task / "stat").read_text().rpartition(")")[2].split()[0]
        for task in (Path("/proc") / str(pid) / "task").glob("[0-9]*")
    ]
    return states.count("R")


@pytest.mark.parametrize(
    "classifier",
    [
        pytest.param("LogisticRegression", id="by scikit-learn"),
        pytest.param("LinearSVC", id="by our solver"),
    ],
)
def test_ctrl_c_ends_a_search_at_once(project, start, write_data, classifier):
    """Ctrl-C ends a search with exit code 130, one line, and nothing left behind."""
    write_data(project / "big.csv", 12_000, seed=3)
    (project / "grid.toml").write_text(GRID.replace("LogisticRegression", classifier))
    before = sorted(path for path in (project / "models").rglob("*"))
    running = start(
        *("train", "big.csv", "--test-size", "0.2", "--grid", "grid.toml", "--jobs", "2"),
        start_new_session=True,
    )
    try:
        running.stderr.readline(), running.stderr.readline()
        wait_until(lambda: threads_at_work(running.pid) > 0, "a fit")
        time.sleep(0.5)
        assert running.poll() is None
        os.killpg(running.pid, signal.SIGINT)
        out, err = running.communicate(timeout=120)
        assert running.returncode == 130, err
        assert out == b""
        lines = err.decode().splitlines()
        assert lines[-1] == "error: interrupted; no change was left incomplete"
        assert sum(line.startswith("error:") for line in lines) == 1
        assert "Traceback" not in err.decode()
        wait_until(lambda: not group(running.pid), "no process is left")
        assert sorted(path for path in (project / "models").rglob("*")) == before
        assert list((project / "models/.registry/staging").iterdir()) == []
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        for stream in (running.stdin, running.stdout, running.stderr):
            stream.close()


COMPILING = """\
import ctypes, os, signal, time
from textclf.cli.interrupts import obey_interrupts

def _raw_object_cache_notify():
    os.kill(os.getpid(), signal.SIGINT)

obey_interrupts()
ctypes.CFUNCTYPE(None)(_raw_object_cache_notify)()
print("compiled", flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c_while_a_function_is_compiled():
    """Ctrl-C within LLVM's callback, where exceptions are lost, is obeyed right after it."""
    callbacks = [name for name in dir(ExecutionEngine) if name.startswith("_raw_object_cache")]
    assert "_raw_object_cache_notify" in callbacks  # that is what it is called, still
    command = [sys.executable, "-c", COMPILING]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("compiled\ninterrupted\n", "")


@pytest.mark.usefixtures("project")
def test_ctrl_c_while_waiting_for_a_line(start):
    """Ctrl-C while waiting for input is exit code 130 and one line."""
    with start("predict") as running:
        running.stdin.write(b"great\n")
        running.stdin.flush()
        assert running.stdout.readline()
        running.send_signal(signal.SIGINT)
        assert running.stdout.read() == b""
        said = without_slow_lines(running.stderr.read().decode())
        assert said == "error: interrupted; no change was left incomplete\n"
    assert running.returncode == 130


EARLY = """\
import os, signal, sys

class Finder:
    def find_spec(self, name, path, target=None):
        if name == "{module}":
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)

sys.modules.pop("{module}", None)  # coverage imports some
sys.meta_path.insert(0, Finder())
sys.argv = ["textclf", "versions", "list", {options}]
from textclf.__main__ import main
main()
"""


@pytest.mark.parametrize("options", ["", "'--json'"])
@pytest.mark.parametrize(
    "module",
    ["typing", "textclf.cli", "typer", "textclf.cli.interrupts", "textclf.cli.commands.versions"],
)
@pytest.mark.usefixtures("project")
def test_ctrl_c_while_the_program_is_imported(module, options):
    """Ctrl-C as soon as it has started is exit code 130 and one sentence, or one JSON object."""
    command = [sys.executable, "-c", EARLY.format(module=module, options=options)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (130, "")
    message = json.loads(done.stderr)["message"] if options else done.stderr
    sentence = "interrupted; no change was left incomplete"
    assert message == (sentence if options else f"error: {sentence}\n")


PROMOTE = """\
import os, signal, sys
from textclf.release import promote as promotion
from textclf.cli.app import run

promote = promotion.promote_through_gate

def hesitant(*arguments, **settings):
    for _ in range({times}):
        os.kill(os.getpid(), signal.SIGINT)
    return promote(*arguments, **settings)

promotion.promote_through_gate = hesitant
sys.exit(run(["promote", "1.0.0"]))
"""


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_while_the_registry_is_written(project, cli, times):
    """Ctrl-C waits until a promotion is complete; a second one does not, and says what to do."""
    assert cli("promote", "1.0.1").code == 0
    command = [sys.executable, "-c", PROMOTE.format(times=times)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert json.loads(cli("versions", "show", "latest", "--json").out)["version"] == (
        "1.0.0" if times == 1 else "1.0.1"
    )
    if times == 1:
        assert done.stderr == "error: interrupted; no change was left incomplete\n"
    else:
        assert done.stderr.startswith("error: interrupted in the middle of a change\nhint: ")

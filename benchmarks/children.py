"""Work done in a process of its own, with its wall time and its peak memory.

The parent stays small, and each side imports in its child only what it needs itself: what one side
loads is no burden of the other, and no caches are warm for one because the other ran before.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, ParamSpec, TypeVar

from textclf.errors import TextclfError

P = ParamSpec("P")
T = TypeVar("T")
Other = TypeVar("Other")

_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes that ``ru_maxrss`` counts in."""


@dataclass(frozen=True)
class Measured(Generic[T]):
    """What came of some work, its wall time in seconds, and its peak resident memory in bytes."""

    value: T
    seconds: float
    peak_bytes: int


def alone(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function of a module in a fresh process."""
    return within(None, function, *args, **kwargs)


def within(seconds: float | None, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function of a module in a fresh process, which is killed after so many seconds.

    Raises:
        RuntimeError: it was.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        future = pool.submit(function, *args, **kwargs)
        if wait([future], seconds).not_done:
            for process in multiprocessing.active_children():
                process.kill()
            raise RuntimeError(f"killed, not done after {seconds:,.0f} s")
        return future.result()


def alternate(
    ours: Callable[[], T], theirs: Callable[[], Other], repeat: int
) -> tuple[list[T], list[Other]]:
    """Run A B A B …, so that a slow hour of the machine meets both."""
    pairs = [(ours(), theirs()) for _ in range(repeat)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def measure(work: Callable[[], T]) -> Measured[T]:
    """Do the work in this process and measure it, with worker processes that are still there."""
    with contextlib.suppress(OSError):  # Linux: forget the peak of what came before
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    start = time.perf_counter()
    value = work()
    return Measured(value, time.perf_counter() - start, _peak_bytes())


def _peak_bytes() -> int:
    """The peaks of this process and of its workers, added: they need not be of the same moment."""
    workers = [process.pid for process in multiprocessing.active_children()]
    try:
        status = [Path(f"/proc/{pid}/status").read_text("utf-8") for pid in (os.getpid(), *workers)]
    except OSError:  # no Linux; the largest of the workers that have ended is all there is
        both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        return sum(resource.getrusage(who).ru_maxrss for who in both) * _UNIT
    peaks = (re.search(r"^VmHWM:\s+(\d+) kB", text, re.MULTILINE) for text in status)
    return sum(int(peak[1]) for peak in peaks if peak) * 1024


def run_textclf(*arguments: str) -> Measured[str]:
    """Run a command line of textclf and measure the whole; the value is what it wrote to stdout.

    Raises:
        TextclfError: it failed; with what it said.
    """
    return run_python("-m", "textclf", *arguments)


def run_python(*arguments: str) -> Measured[str]:
    """Run Python with arguments and measure the whole; the value is what it wrote to stdout.

    Raises:
        TextclfError: it failed; with what it said.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - programs of textclf and of the benchmarks
            [sys.executable, *arguments], stdout=output, stderr=errors
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode:
            said = errors.read().strip().split("\n")
            reasons = [line for line in said if line.startswith("error: ")] or said[-1:]
            name = Path(arguments[0]).stem if arguments[0] != "-m" else arguments[1]
            raise TextclfError(f"{name} failed: {reasons[0].removeprefix('error: ')}")
        return Measured(output.read(), seconds, usage.ru_maxrss * _UNIT)

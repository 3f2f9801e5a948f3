"""What was measured, where and with what, as JSON and as a table in Markdown."""

from __future__ import annotations

import datetime as dt
import os
import platform
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

from textclf.metadata.schema import Code, encode

_LIBRARIES = ("scikit-learn", "numpy", "scipy", "joblib", "numba", "fasttext")


@dataclass(frozen=True)
class Skipped:
    """Something that was not measured, and why."""

    set: str
    why: str


class Row(Protocol):
    """A dataclass of what was measured; ``cells`` is its line in the table, by heading."""

    def cells(self) -> dict[str, str]:
        """Headings and what stands below them."""


@dataclass(frozen=True)
class Surroundings:
    """What the figures depend on beside the code under test.

    Attributes:
        started: date and time, UTC.
        cores: that this process may use.
        cpu: the model's name.
        memory_bytes: of the machine.
        load: of the minute before the start; a quiet machine has next to none.
        versions: of Python and the libraries; ``None`` where one is not installed.
        code: textclf itself, and the git commit.
    """

    started: str
    cores: int
    cpu: str
    memory_bytes: int
    load: float
    versions: dict[str, str | None]
    code: Code


def surroundings() -> Surroundings:
    """Look around."""
    import joblib

    from textclf.training.provenance import code

    libraries = {name: _version(name) for name in _LIBRARIES}
    return Surroundings(
        started=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        cores=joblib.cpu_count(),
        cpu=_cpu(),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        load=round(os.getloadavg()[0], 2),
        versions={"python": platform.python_version(), **libraries},
        code=code(),
    )


def _cpu() -> str:
    try:
        described = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        described = ""
    model = re.search(r"^model name\s*:\s*(.+)$", described, re.MULTILINE)
    return model[1] if model else platform.processor() or platform.machine()


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


@dataclass(frozen=True)
class Report:
    """One part of the benchmarks: ``about`` says in prose what is compared with what."""

    part: str
    about: str
    surroundings: Surroundings
    repeat: int
    rows: list[Row] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def add(self, found: Row | Skipped) -> None:
        """Take in a result."""
        if isinstance(found, Skipped):
            self.skipped.append(found)
        else:
            self.rows.append(found)

    def write(self, folder: Path) -> None:
        """Write ``<part>.json`` and ``<part>.md``."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.part}.json").write_bytes(encode(self.record()))
        (folder / f"{self.part}.md").write_text(self.markdown(), encoding="utf-8")

    def record(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return asdict(self) | {"surroundings": self.surroundings}  # its code is no dataclass

    def markdown(self) -> str:
        """A heading, what is compared, where, the table, and what was left out."""
        where = self.surroundings
        commit = (where.code.git_commit or "no commit")[:12] + (
            " and changes" * bool(where.code.dirty)
        )
        versions = ", ".join(f"{name} {number or '–'}" for name, number in where.versions.items())
        facts = (
            f"{where.started}, textclf {where.code.textclf} ({commit}); {where.cores} cores of "
            f"{where.cpu}, {where.memory_bytes / 2**30:.0f} GiB, load {where.load}; {versions}; "
            f"runs of each: {self.repeat}."
        )
        left_out = [f"- {skipped.set}: {skipped.why}" for skipped in self.skipped]
        parts = [f"# {self.part}", self.about, facts, _table(self.rows), "\n".join(left_out)]
        return "\n\n".join(part for part in parts if part) + "\n"


def _table(rows: Sequence[Row]) -> str:
    cells = [row.cells() for row in rows]
    if not cells:
        return ""
    lines = [list(cells[0]), ["---"] * len(cells[0]), *(list(each.values()) for each in cells)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

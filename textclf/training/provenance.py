"""What shapes a model besides its data and settings: the libraries, and the code of textclf."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final

from textclf._version import __version__
from textclf.metadata.schema import Code, Environment

_LIBRARIES: Final = ("scikit-learn", "numpy", "scipy", "numba", "joblib")

SHAPING: Final = (
    "artifact/model_file.py",
    "data",
    "evaluation/metrics.py",
    "evaluation/scored_rows.py",
    "features",
    "jit.py",
    "scorer",
    "search",
    "training/job.py",
    "training/train.py",
)
"""Folders and files of textclf that decide on a version's model, scorer or recorded scores.

A change in any of them calls for a new version; a change anywhere else does not.
"""

_ROOT: Final = Path(__file__).parents[1]


def environment() -> Environment:
    """Return the versions of Python, the platform and the libraries that this process runs on."""
    return Environment(
        python=platform.python_version(),
        platform=platform.platform(),
        libraries={name: version(name) for name in _LIBRARIES},
    )


def code() -> Code:
    """Return the version of textclf, the digest of the code that shapes models, the git commit."""
    commit = _git("rev-parse", "HEAD")
    status = _git("status", "--porcelain", "--untracked-files=no") if commit else None
    return Code(
        textclf=__version__,
        sha256=_source_digest(),
        git_commit=commit,
        dirty=None if status is None else bool(status),
    )


def _source_digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(_shaping_files()):
        digest.update(f"{path.relative_to(_ROOT).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _shaping_files() -> Iterator[Path]:
    for path in (_ROOT / name for name in SHAPING):
        yield from path.rglob("*.py") if path.is_dir() else [path]


def _git(*command: str) -> str | None:
    """What git says, without writing into the repository or starting a program it names."""
    harmless = ("--no-optional-locks", "-c", "core.fsmonitor=false")
    try:
        run = subprocess.run(  # noqa: S603 - fixed words, no shell
            ["git", *harmless, *command],  # noqa: S607 - the user's own git
            capture_output=True, encoding="utf-8", errors="replace", check=True, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):  # no git, no repository, no commit yet
        return None
    return run.stdout.strip()

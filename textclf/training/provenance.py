"""What a model depends on besides data and settings: the libraries, and the code of textclf."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final

from textclf._version import __version__
from textclf.metadata.schema import Code, Environment
from textclf.training.git_state import read_git_state

_LIBRARIES: Final = ("scikit-learn", "numpy", "scipy", "numba", "joblib")

SHAPING: Final = (
    "artifact/model_file.py",
    "data",
    "evaluation/metrics.py",
    "evaluation/scored_rows.py",
    "evaluation/two_labels.py",
    "features",
    "jit.py",
    "scorer/format.py",
    "scorer/ngrams.py",
    "scorer/scorer.py",
    "scorer/unicode_tables.py",
    "scorer/writer.py",
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
    git = read_git_state(Path.cwd())
    return Code(
        textclf=__version__,
        sha256=_source_digest(),
        git_commit=git.commit,
        dirty=git.modified,
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

"""A fitted pipeline as bytes, the same bytes each time, and what it was made with."""

from __future__ import annotations

import hashlib
import io
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import joblib
from sklearn.pipeline import Pipeline

from textclf._version import __version__
from textclf.metadata.schema import ARTIFACT, Code, Environment, FileRecord

_LIBRARIES = ("scikit-learn", "numpy", "scipy", "numba", "joblib")


def to_bytes(pipeline: Pipeline) -> bytes:
    """Serialise with joblib, uncompressed; equal pipelines give equal bytes."""
    _canonicalize(pipeline)
    buffer = io.BytesIO()
    joblib.dump(pipeline, buffer)
    return buffer.getvalue()


def _canonicalize(pipeline: Pipeline) -> None:
    """Remove what differs from run to run or slows down loading without changing the model."""
    for _, vectorizer in pipeline.named_steps["features"].transformer_list:
        vectorizer.__dict__.pop("_stop_words_id", None)  # a memory address
        vocabulary = vectorizer.vocabulary_  # after max_features its values are NumPy integers
        vectorizer.vocabulary_ = {str(term): int(index) for term, index in vocabulary.items()}


def describe(data: bytes, file: str = ARTIFACT) -> FileRecord:
    """Return the record of a file for the metadata: its name, digest and size."""
    return FileRecord(file, hashlib.sha256(data).hexdigest(), len(data))


def environment() -> Environment:
    """What this process runs on."""
    return Environment(
        python=platform.python_version(),
        platform=platform.platform(),
        libraries={name: version(name) for name in _LIBRARIES},
    )


def code() -> Code:
    """The version and source digest of what makes a model in textclf, and the git commit."""
    commit = _git("rev-parse", "HEAD")
    status = _git("status", "--porcelain", "--untracked-files=no") if commit else None
    return Code(
        textclf=__version__,
        sha256=_source_digest(),
        git_commit=commit,
        dirty=None if status is None else bool(status),
    )


def _source_digest() -> str:
    """Of all but what only talks about models: the command line and the reports."""
    root = Path(__file__).parents[1]
    talk = {path for part in ("cli", "report") for path in root.glob(f"{part}/**/*.py")}
    digest = hashlib.sha256()
    for path in sorted(set(root.rglob("*.py")) - talk):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


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

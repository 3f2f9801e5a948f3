"""The command line as its users have it: in this process (fast), as a process, on a terminal."""

import contextlib
import csv
import fcntl
import io
import os
import pty
import random
import shutil
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cloud_servers import BUCKET, Cloud
from shared import shared_folder

from textclf.cli.app import _prepare_streams, run
from textclf.cli.output import progress

WORDS = {
    "positive": ["great", "lovely", "excellent", "superb", "happy"],
    "negative": ["awful", "broken", "horrid", "waste", "sad"],
    "neutral": ["train", "parcel", "meeting", "table", "report"],
}
FILLERS = ["the", "a", "of", "it", "we", "was", "on", "at", "my", "this"]
DISTURBING = (
    "NO_COLOR", "FORCE_COLOR", "PY_COLORS", "CLICOLOR_FORCE", "GITHUB_ACTIONS", "TTY_COMPATIBLE",
    "TTY_INTERACTIVE", "TEXTCLF_MODELS", "TEXTCLF_DEBUG", "PYTHONUNBUFFERED", "PYTHONIOENCODING",
    "PYTHONDONTWRITEBYTECODE", "TEXTCLF_REQUIRE_SIGNATURE", "TEXTCLF_KEY_PASSWORD",
    "TEXTCLF_OFFLINE", "TEXTCLF_CACHE_SIZE", "TEXTCLF_ON_PROMOTE", "TEXTCLF_WEBHOOK",
    "TEXTCLF_WEBHOOK_SECRET",
)  # fmt: skip
"""Variables of the surroundings that would change what is tested."""
TIMES = (
    "_SECONDS_BEFORE_NAMED", "_SECONDS_BETWEEN_LINES", "_SECONDS_OF_COMPILING",
    "_SECONDS_BEFORE_TOTAL",
)  # fmt: skip
"""Times after which a command says more, as it would on a machine that is slow or busy."""


@dataclass(frozen=True)
class Outcome:
    """The result of a command: exit code, stdout and stderr."""

    code: int
    out: str
    err: str


def rows(number: int, seed: int) -> list[tuple[str, str]]:
    """Texts that are easy to tell apart, with three labels in turn; each text is another."""
    chance = random.Random(seed)

    def words(n: int, label: str) -> str:
        chosen = [*chance.choices(FILLERS, k=4), *chance.choices(WORDS[label], k=3)]
        return f"{' '.join(chosen)} {seed}x{n}"

    labels = list(WORDS)
    return [(words(n, labels[n % 3]), labels[n % 3]) for n in range(number)]


def _write_data(path: Path, number: int = 60, seed: int = 0, *, wrong: int = 0) -> Path:
    """Write rows, of every five of which so many have a wrong label."""
    labels = list(WORDS)
    written = [
        (text, labels[(labels.index(label) + (n % 5 < wrong)) % 3])
        for n, (text, label) in enumerate(rows(number, seed))
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["text", "label"])
        writer.writerows(written)
    return path


@pytest.fixture(scope="session")
def write_data() -> Callable[..., Path]:
    """Write a CSV file of labelled texts."""
    return _write_data


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with data and the versions 1.0.0 and 1.0.1, which tests copy."""
    return shared_folder(tmp_path_factory, "trained", _train_twice)


def _train_twice(folder: Path) -> None:
    _write_data(folder / "data/train.csv", 60, seed=0)
    _write_data(folder / "data/test.csv", 12, seed=9)
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as err,
    ):
        codes = [run(["train"]), run(["train", "--bump", "patch", "-m", "again"])]
    assert codes == [0, 0], out.getvalue() + err.getvalue()


@pytest.fixture(autouse=True)
def _undisturbed(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in DISTURBING:
        monkeypatch.delenv(name, raising=False)
    for name in TIMES:
        monkeypatch.setattr(progress, name, 86_400.0)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def data(empty: Path, trained: Path) -> Path:
    """Return the current folder, with data and without versions."""
    shutil.copytree(trained / "data", empty / "data")
    return empty


@pytest.fixture
def project(data: Path, trained: Path) -> Path:
    """Return the current folder, with data and versions 1.0.0 and 1.0.1; the latter is promoted."""
    shutil.copytree(trained / "models", data / "models")
    return data


@pytest.fixture
def bucket(seaweedfs: Cloud, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of a registry in a bucket that does not exist yet."""
    for name, value in seaweedfs.environment.items():
        monkeypatch.setenv(name, value)
    return seaweedfs.url(seaweedfs.new_prefix())


@pytest.fixture
def remote(bucket: str, seaweedfs: Cloud, trained: Path) -> str:
    """Return the URL of a registry that is a copy of the one in the folder ``models``."""
    prefix = bucket.partition(f"{BUCKET}/")[2]
    objects, models = seaweedfs.objects(), trained / "models"
    for path in models.rglob("*"):
        if path.is_file():
            objects.put(f"{prefix}/{path.relative_to(models).as_posix()}", path.read_bytes())
    return bucket


@pytest.fixture
def cli(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    """Run a command in this process."""

    def call(*arguments: object, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(stdin))))
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        return Outcome(code, *capsys.readouterr())

    return call


@pytest.fixture
def start(empty: Path) -> Callable[..., "subprocess.Popen[Any]"]:
    """Start a command as a process in the current folder, as ``subprocess.Popen`` does.

    ``before`` is what stands before it, such as ``nice``.
    """

    def call(
        *arguments: object,
        env: dict[str, str] | None = None,
        before: Sequence[str] = (),
        **popen: Any,
    ) -> Any:
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE) | popen
        return subprocess.Popen(
            [*before, sys.executable, "-m", "textclf", *map(str, arguments)],
            cwd=empty,
            env={**os.environ, **(env or {})},
            **streams,
        )

    return call


@pytest.fixture
def process(start: Callable[..., "subprocess.Popen[bytes]"]) -> Callable[..., Outcome]:
    """Run a command as a process to its end."""

    def call(*arguments: object, stdin: bytes = b"", **popen: Any) -> Outcome:
        with start(*arguments, **popen) as running:
            out, err = running.communicate(stdin, timeout=60)
        return Outcome(running.returncode, (out or b"").decode(), (err or b"").decode())

    return call


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Run a command in this process, on a terminal; what it shows is all in ``out``."""

    def call(*arguments: object, **env: str) -> Outcome:
        with open_terminal() as (ours, theirs), monkeypatch.context() as patch:
            for name, value in {"TERM": "xterm-256color", **env}.items():
                patch.setenv(name, value)
            with ThreadPoolExecutor(1) as reader:
                shown = reader.submit(read_terminal, ours)
                with standard_streams(theirs):
                    code = run([str(argument) for argument in arguments])
                return Outcome(code, shown.result(), "")

    return call


@pytest.fixture
def terminal_process(start: Callable[..., "subprocess.Popen[bytes]"]) -> Callable[..., Outcome]:
    """Run a command as a process on a terminal; what it shows is all in ``out``."""

    def call(*arguments: object, **env: str) -> Outcome:
        with open_terminal() as (ours, theirs):
            streams = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
            with start(*arguments, env={"TERM": "xterm-256color", **env}, **streams) as running:
                os.close(theirs)
                shown = read_terminal(ours)
        return Outcome(running.returncode, shown, "")

    return call


@contextlib.contextmanager
def open_terminal() -> Iterator[tuple[int, int]]:
    """Open a terminal of 120 columns: our end and that of the command, who closes it."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    yield ours, theirs
    os.close(ours)


@contextlib.contextmanager
def standard_streams(terminal: int) -> Iterator[None]:
    """Make a terminal the three standard streams of this process, and close it in the end."""
    names = ("stdin", "stdout", "stderr")
    kept = [os.dup(number) for number in range(3)]
    for number in range(3):
        os.dup2(terminal, number)
    os.close(terminal)
    try:
        with contextlib.ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
            for number, name in enumerate(names):
                stream = os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False)
                patch.setattr(sys, name, stack.enter_context(stream))
            _prepare_streams()
            yield
    finally:
        for number, old in enumerate(kept):
            os.dup2(old, number)
            os.close(old)


def read_terminal(terminal: int) -> str:
    """Read what a terminal shows until its other end is closed."""
    shown = b"".join(iter(lambda: _read(terminal), b""))
    return shown.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # Linux says EIO where the other end is closed
        return b""

"""Read with a library of native code, in a process of its own.

On a damaged file such a library may write a page about itself to the terminal, or take the process
down; here that becomes one sentence.
"""

import importlib.util
import io
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

import msgspec

from textclf.data.columns import Columns, NoLabels
from textclf.data.format import Rows, Source
from textclf.errors import DataError, how_to_install

_ERROR: Final = "!"
"""How a line begins that is no JSON, but what is wrong with the file."""


class _Answer(msgspec.Struct):
    """The rows; or the message and the hint about what is wrong."""

    texts: list[str] = []
    labels: list[str] = []
    places: list[int] = []
    bad: list[tuple[int, str]] = []
    left_out: dict[str, int] = {}
    tool: str | None = None
    message: str | None = None
    hint: str | None = None
    no_labels: bool = False


def read_isolated(
    source: Source, read: str, library: str, extra: str, *, otherwise: str | None = None
) -> Rows:
    """Return what a function reads, in a process of its own.

    Args:
        source: the file.
        read: the name of the function below ``textclf.data``, such as ``parquet.read_here``.
        library: the library that it needs.
        extra: the extra of textclf that installs the library.
        otherwise: how to go on without it.

    Raises:
        DataError: as the function; or the library is not installed, or broke down.
    """
    require_library(source.name, library, extra, otherwise)
    answer = _ask(source, read)
    if answer is None:
        raise DataError(f"{source.name} is damaged: {library} broke down over it")
    if answer.message:
        raise (NoLabels if answer.no_labels else DataError)(answer.message, hint=answer.hint)
    rows = Rows(left_out=Counter(answer.left_out), tool=answer.tool)
    rows.texts, rows.labels, rows.bad = answer.texts, answer.labels, list(answer.bad)
    rows.places.extend(answer.places)
    return rows


def require_library(name: str, library: str, extra: str, otherwise: str | None = None) -> None:
    """Raise DataError if the library that reads a file is not installed."""
    if importlib.util.find_spec(library.replace("-", "_")) is None:
        install = how_to_install(extra)
        raise DataError(
            f"reading {name} needs {library}, which is not installed",
            hint=f"{install}; or {otherwise}" if otherwise else install,
        )


def run_isolated(module: str, name: str, path: str) -> Iterator[str]:
    """Yield the lines that the function ``write_rows_here`` of a module writes, in a process.

    Raises:
        DataError: the function raised it; or the process did not come to its end.
    """
    code = f"from textclf.data import isolated; isolated.serve_rows({module!r}, {path!r})"
    with subprocess.Popen(  # noqa: S603 - ourselves, as below
        [sys.executable, "-P", "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        env=_environment(),
    ) as process:
        assert process.stdout is not None
        try:
            with io.TextIOWrapper(process.stdout, "utf-8", newline="\n") as lines:
                for line in lines:
                    if line.startswith(_ERROR):
                        raise DataError(f"{name}: {line.removeprefix(_ERROR).rstrip()}")
                    yield line
        except GeneratorExit:
            process.kill()
            raise
    if process.returncode:
        raise DataError(f"{name} is damaged, or no {module.title()} file")


def serve_rows(module: str, path: str) -> None:
    """Write rows for ``run_isolated`` in the process that it starts."""
    try:
        importlib.import_module(f"textclf.data.{module}").write_rows_here(path, sys.stdout.buffer)
    except DataError as error:
        sys.stdout.buffer.write(f"{_ERROR}{error.message}\n".encode())


def _environment() -> dict[str, str]:
    paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def _ask(source: Source, read: str) -> _Answer | None:
    code = f"from textclf.data import isolated; isolated.serve({read!r})"
    question = {**asdict(replace(source, places=())), "data": None}
    run = subprocess.run(  # noqa: S603 - ourselves; -P: nothing from the current folder
        [sys.executable, "-P", "-c", code],
        input=json.dumps(question).encode() + b"\n" + source.data,
        capture_output=True,
        check=False,
        env=_environment(),
    )
    return None if run.returncode else msgspec.msgpack.decode(run.stdout, type=_Answer)


def serve(read: str) -> None:
    """Answer ``_ask`` in the process that it starts."""
    module, _, function = read.partition(".")
    question = json.loads(sys.stdin.buffer.readline())
    question.update(data=sys.stdin.buffer.read(), columns=Columns(**question["columns"]))
    try:
        call = getattr(importlib.import_module(f"textclf.data.{module}"), function)
        rows = call(Source(**question))
        answer = _Answer(
            rows.texts, rows.labels, list(rows.places), rows.bad, rows.left_out, rows.tool
        )
    except DataError as error:
        no_labels = isinstance(error, NoLabels)
        answer = _Answer(message=error.message, hint=error.hint, no_labels=no_labels)
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))

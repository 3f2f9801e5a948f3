"""Files that commands write because a user named them: never over data, never into a registry.

Every such file is an `OutputFile`: where it may not be is known before the work begins, and it
appears completely or not at all.
"""

from __future__ import annotations

import os
import stat
import sys
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, NamedTuple

import typer

from textclf.errors import StoreError, UsageError

if TYPE_CHECKING:
    from textclf.registry.registry import Registry

_FORMATS = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_FORMATS |= {".parquet": "parquet", ".pq": "parquet"}

Force = Annotated[bool, typer.Option("--force", help="Replace the output file if it exists.")]


class OutputFile(NamedTuple):
    """A file that may be written.

    Attributes:
        path: as the user named it.
        target: where it is, without symbolic links.
        replace: whether it may replace a file.
    """

    path: Path
    target: Path
    replace: bool

    @property
    def format(self) -> str:
        """The format of a table by the file's name; that of a device or a pipe is CSV.

        Raises:
            UsageError: the name does not say which format.
        """
        if _is_stream(self.target):
            return "csv"
        if found := _FORMATS.get(self.path.suffix.lower()):
            return found
        raise UsageError(
            f"{self.path}: the name does not say which format",
            hint="it ends in .csv, .tsv, .jsonl or .parquet",
        )

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the file; what is written appears under its name when all of it is written.

        Raises:
            UsageError: it was created meanwhile.
            StoreError: it cannot be written.
        """
        try:
            if _is_stream(self.target):
                sys.stdout.flush()  # which may be the same file
                descriptor = _descriptor(self.target)
                opened = self.target if descriptor is None else os.dup(descriptor)
                with open(opened, "wb") as file:  # noqa: PTH123 - a descriptor is no path
                    yield file
                return
            part = self.target.with_name(f".{uuid.uuid4().hex}.part")
            try:
                with part.open("xb") as file:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                self._place(part)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"cannot write {self.path}: {error.strerror or error}") from None

    def _place(self, part: Path) -> None:
        if self.replace:
            part.replace(self.target)
            return
        try:
            self.target.hardlink_to(part)
        except FileExistsError:
            raise _exists(self.path) from None
        except OSError:  # a file system without hard links
            part.replace(self.target)


def output_file(
    path: Path, option: str, registry: Registry, *inputs: Path | int | None, force: bool
) -> OutputFile:
    """Return the file that a user named for output, if it may be written.

    Args:
        path: the file.
        option: what named it, for messages.
        registry: the registry that is used.
        inputs: the files, folders or open files that are read; ``None`` stands for none.
        force: whether it may replace a file, though never an input or a file of a registry.

    Raises:
        UsageError: it may not be written.
        StoreError: it is in a folder that does not exist.
    """
    target = Path(os.path.realpath(path))
    if _is_stream(path):
        return OutputFile(path, path, replace=True)
    folders = [target, *target.parents]
    for given in inputs:
        if given is not None and any(_same(folder, given) for folder in folders):
            where = "over" if _same(target, given) else "into the folder of"
            raise UsageError(
                f"{option}: {path} would be written {where} the data that is read",
                hint="name another file",
            )
    root = Path(registry.store.locate())
    for folder in folders:
        if _same(folder, root) or _holds_versions(folder):
            raise UsageError(
                f"{option}: {path} is in the folder {folder}, to which only a registry is written",
                hint="name a file in another folder",
            )
    if target.is_dir():
        raise UsageError(f"{option}: {path} is a folder", hint="name a file in it")
    if not target.parent.is_dir():
        raise StoreError(f"cannot write {path}: there is no folder {path.parent}")
    if os.path.lexists(target) and not force:
        raise _exists(path)
    return OutputFile(path, target, force)


def table_file(
    path: Path | None, option: str, registry: Registry, *inputs: Path | int | None, force: bool
) -> OutputFile | None:
    """Return the file that a user named for a table, if one, as `output_file` does for any.

    Raises:
        UsageError: it may not be written, or its name does not say which format.
        StoreError: it is in a folder that does not exist.
    """
    if path is None:
        return None
    file = output_file(path, option, registry, *inputs, force=force)
    _ = file.format
    return file


def _exists(path: Path) -> UsageError:
    return UsageError(f"{path} already exists", hint="give another name, or --force to replace it")


def _is_stream(path: Path) -> bool:
    """Whether a path is a device, a pipe, or an open file such as ``/dev/stdout``."""
    if _descriptor(path) is not None:
        return True
    with suppress(OSError):
        mode = path.stat().st_mode
        return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
    return False


def _descriptor(path: Path) -> int | None:
    """Return the descriptor of the open file that a path names; to open it would begin anew."""
    name = {"/dev/stdout": "1", "/dev/stderr": "2"}.get(str(path))
    if str(path.parent) in ("/dev/fd", "/proc/self/fd"):
        name = path.name
    return int(name) if name and name.isdecimal() else None


def _same(path: Path, other: Path | int) -> bool:
    """Whether both are one file, whatever links and letter case they are named by."""
    with suppress(OSError, ValueError):
        return os.path.samestat(path.stat(), os.stat(other))  # noqa: PTH116 - also of open files
    return not isinstance(other, int) and path == Path(os.path.realpath(other))


def _holds_versions(folder: Path) -> bool:
    """Whether a folder is a registry, any registry, or the folder of a version."""
    from textclf.metadata.schema import ARTIFACT, METADATA
    from textclf.registry.layout import PROMOTIONS

    names: Iterable[tuple[str, ...]] = ((PROMOTIONS,), (METADATA, ARTIFACT))
    return any(all(os.path.exists(folder / name) for name in group) for group in names)  # noqa: PTH110 - never raises

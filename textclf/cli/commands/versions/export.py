"""``textclf versions export``: write a version to an archive."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.options import Version
from textclf.cli.output import render
from textclf.errors import StoreError, UsageError
from textclf.formatting import encodable, escape_controls

Target = Annotated[Path, typer.Argument(metavar="FILE", help="The archive to write (.tar.gz).")]


@dataclass(frozen=True)
class ExportAnswer:
    """The JSON of ``textclf versions export``."""

    version: str
    path: str
    bytes: int
    files: list[str]


@option_groups
def export(version: Version, file: Target, *, common: CommonOptions) -> None:
    """Write a version with all its files to an archive.

    Examples:
      textclf versions export latest model.tar.gz
      textclf versions export 1.0.0 model.zip
      textclf versions export previous previous.tar.xz

    More: docs/housekeeping.md
    """
    from textclf.registry.archive import ExportedVersion, write_archive

    registry = common.open_registry()
    resolved = registry.resolve(version)
    exported = ExportedVersion(resolved, registry.export_files(resolved))
    with _new_file(file) as archive:
        write_archive(exported, archive)
        size = archive.tell()
    names = list(exported.files)
    with render.answer_to_change(lambda: f"wrote {file}"):
        if common.as_json:
            render.json(ExportAnswer(str(resolved), encodable(file), size, names))
        else:
            render.line(f"{escape_controls(file)}: {resolved}, {len(names)} files, {size:,} bytes")


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """Create a file; remove it again if it cannot be written completely."""
    try:
        file = path.open("xb")
    except FileExistsError:
        raise UsageError(f"{path} already exists", hint="give another name") from None
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from None
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise StoreError(f"cannot write {path}: {error.strerror}") from None
        raise

"""``textclf versions export`` and ``import``: a version as an archive, and back."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from textclf.cli.interrupts import deferred_interrupts
from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.options import Version
from textclf.cli.output import render
from textclf.cli.output.output_file import Force, output_file
from textclf.errors import DataError
from textclf.formatting import encodable, escape_controls

Source = Annotated[Path, typer.Argument(metavar="FILE", help="An archive written by export.")]


@dataclass(frozen=True)
class ImportAnswer:
    """The JSON of ``textclf versions import``."""

    version: str
    path: str
    changed: bool


@option_groups
def import_(file: Source, *, common: CommonOptions) -> None:
    """Import a version from an archive, under its own number, without promoting it.

    Examples:
      textclf versions import model.tar.gz
      textclf versions import model.zip --models /srv/models
      textclf versions import model.tar.xz --json

    More: docs/housekeeping.md
    """
    from textclf.files import open_binary, read_to_end
    from textclf.registry.archive import read_archive

    registry = common.open_registry(to_write=True)
    try:
        with open_binary(file) as source:
            archive = source if source.seekable() else io.BytesIO(read_to_end(source))
            size = archive.seek(0, os.SEEK_END)
            archive.seek(0)
            imported = read_archive(archive, size, str(file))
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror}") from None
    version = imported.version
    with deferred_interrupts():
        new = registry.import_version(version, imported.files, source=encodable(file))
    with render.answer_to_change(lambda: f"imported {version}" if new else ""):
        if common.as_json:
            render.json(ImportAnswer(str(version), encodable(registry.locate(version)), new))
        elif new:
            render.sentence(f"imported {render.strong(str(version))}")
            if registry.latest() != version:
                common.hint(f"not promoted; to promote it: textclf promote {version}")
        else:
            render.sentence(f"{version} is already here with the same content; nothing changed")


Target = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="The archive to write: .tar.gz, .tar.xz, .tar.bz2, .tar or .zip."
    ),
]


@dataclass(frozen=True)
class ExportAnswer:
    """The JSON of ``textclf versions export``."""

    version: str
    path: str
    bytes: int
    files: list[str]


@option_groups
def export(version: Version, file: Target, force: Force = False, *, common: CommonOptions) -> None:
    """Write a version with all its files to an archive.

    Examples:
      textclf versions export latest model.tar.gz
      textclf versions export 1.0.0 model.zip
      textclf versions export previous previous.tar.xz

    More: docs/housekeeping.md
    """
    from textclf.registry.archive import ExportedVersion, format_named, write_archive

    registry = common.open_registry()
    output = output_file(file, "FILE", registry, force=force)
    archive_format = format_named(file.name)
    resolved = registry.resolve(version)
    exported = ExportedVersion(resolved, registry.export_files(resolved))
    with output.open() as archive:
        write_archive(exported, archive, archive_format)
        size = archive.tell()
    names = list(exported.files)
    with render.answer_to_change(lambda: f"wrote {file}"):
        if common.as_json:
            render.json(ExportAnswer(str(resolved), encodable(file), size, names))
        else:
            render.sentence(
                f"{escape_controls(file)}: {resolved}, {len(names)} files, {size:,} bytes"
            )

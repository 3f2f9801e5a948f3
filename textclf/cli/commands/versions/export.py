"""``textclf versions export``: write a version to an archive."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.options import Version
from textclf.cli.output import render
from textclf.cli.output.output_file import Force, output_file
from textclf.formatting import encodable, escape_controls

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

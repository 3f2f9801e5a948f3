"""``textclf versions import``: take a version over from an archive."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from textclf.cli.interrupts import deferred_interrupts
from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.output import render
from textclf.errors import DataError
from textclf.formatting import encodable

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
